"""Texts of carriers that nothing could read: each form once, with what waits on it, and a person's word for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bufa.apps.parcels import actions, queries
from bufa.domain.kinds import Reason
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.domain.teaching import KINDS
from bufa.lib import clock
from bufa.web.desk import back_to, by, desk, tell, tell_refusal
from bufa.web.words import label, word

VIEWS = (queries.UNREAD, queries.NOTES, queries.TAUGHT)
A_PAGE = 30


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    view = next((each for each in VIEWS if each == request.GET.get("view")), VIEWS[0])
    if request.method == "POST":
        try:
            here.check(Permission.READ_TEMPLATES, shop_id)
            _change(request, shop_id)
            return back_to(request.get_full_path())
        except Refused as refused:
            tell_refusal(request, refused)
    start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    found = queries.templates(shop_id, view, offset=min(start, 1_000_000), limit=A_PAGE)
    more = start + A_PAGE
    counts = queries.template_counts(shop_id)
    said: dict[str, Any] = {
        "shop_id": shop_id,
        "view": view,
        "tabs": [(each, counts[each]) for each in VIEWS],
        "taught": counts[queries.TAUGHT],
        "page": found,
        "start": start,
        "more": more if more < found.total else None,
        "moving": queries.in_progress(shop_id),
        "kinds": [(each.value, label("kind", each.value)) for each in KINDS],
        "reasons": [(each.value, label("reason", each.value)) for each in Reason],
        "tried": request.POST if request.method == "POST" else {},
    }
    name = "web/settings/rereading.html" if request.headers.get("HX-Request") else "web/settings/texts.html"
    return render(request, name, said, status=422 if request.method == "POST" else 200)


def _change(request: HttpRequest, shop_id: int) -> None:
    key, who, now = request.POST.get("key", "")[:12], by(request), clock.now()
    if "take_back" in request.POST:
        actions.take_back_reading(shop_id=shop_id, key=key, by=who, now=now)
        tell(request, _("已收回，用过这句的包裹正在重读"))
        return
    kind, reason = request.POST.get("kind", ""), request.POST.get("reason", "")
    actions.teach_template(shop_id=shop_id, key=key, kind=kind, reason=reason, by=who, now=now)
    told = _("记住了：这句是“%(kind)s”。过去的轨迹正在重读，以后的自动读懂") % {"kind": word("kind", kind)}
    tell(request, told, undo=reverse("settings_templates"), undo_with={"key": key, "take_back": "1"})


def export(request: HttpRequest) -> StreamingHttpResponse:
    """What was taught, one JSON object a line, as `import` takes it. Templates name nobody."""
    shop_id = desk(request).one.shop_id
    answer = StreamingHttpResponse(_lines(shop_id), content_type="application/x-ndjson; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="bufa-texts-{shop_id}.jsonl"'
    return answer


def _lines(shop_id: int) -> Iterator[str]:
    start = 0
    while rows := queries.templates(shop_id, queries.TAUGHT, offset=start, limit=500).rows:
        for row in rows:
            told = {"template": row.template, "kind": row.kind, "reason": row.reason, "sample": row.sample}
            yield json.dumps(told, ensure_ascii=False) + "\n"
        start += len(rows)
