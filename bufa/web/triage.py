"""Triage: what was found and nobody has looked at, one at a time or as a list; a key each, each taken back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import putting_off, triage
from bufa.apps.cases.actors import Actor
from bufa.apps.orders.views import order_view
from bufa.apps.parcels import queries as parcels
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.timeline import track

LIST = "list"


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    if request.GET.get("view") == LIST:
        rows, more = triage.queue(here.shops, request.GET.get("after", ""))
        context = {"rows": rows, "next_cursor": more, "at_cursor": request.GET.get("after", "")}
        return render(request, "web/triage/list.html", {**context, "waiting": triage.count(here.shops)})
    wanted = request.GET.get("at", "")
    now = clock.now()
    fresh, waiting = triage.one(here.shops, int(wanted) if wanted.isdigit() else None)
    said: dict[str, object] = {"fresh": fresh, "waiting": waiting}
    if fresh is not None:
        shop_id, order_id = fresh.shop_id, fresh.parcel.order_id
        together(lambda: order_view(shop_id, order_id), lambda: parcels.outlook(fresh.parcel, now))
        said |= {
            "track": track(fresh.parcel, now, limit=8),
            "order": order_view(shop_id, order_id),
            "expected": parcels.outlook(fresh.parcel, now),
        }
    return render(request, "web/triage/page.html", said)


@require_POST
def act(request: HttpRequest, shop_id: int, finding_id: int, act: str) -> HttpResponse:
    """Say what it is, and go on to the next; the message takes it back."""
    here = desk(request)
    by = actor(here, shop_id)
    work = _WORK.get(act)
    if work is None:
        raise Http404
    going = reverse("triage")
    query = {"view": LIST} if request.POST.get("view") == LIST else {}
    try:
        said, undo = work(request, shop_id, finding_id, by)
        tell(request, said, undo=undo)
        if not undo:  # something was taken back: it is what comes next
            query = query or {"at": str(finding_id)}
    except Refused as refused:
        tell_refusal(request, refused)
        if not query and refused.why.code not in ("already_triaged", "finding_not_open"):
            query = {"at": str(finding_id)}
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(f"{going}?{urlencode(query)}" if query else going)


Work = Callable[[HttpRequest, int, int, Actor], tuple[str, str]]


def _confirm(request: HttpRequest, shop_id: int, finding_id: int, by: Actor) -> tuple[str, str]:
    triage.confirm(shop_id=shop_id, finding_id=finding_id, by=by)
    return _("确认了，是真的"), reverse("triage_act", args=[shop_id, finding_id, "back"])


def _back(request: HttpRequest, shop_id: int, finding_id: int, by: Actor) -> tuple[str, str]:
    triage.take_back(shop_id=shop_id, finding_id=finding_id, by=by)
    return _("已撤销，它又在等你看"), ""


def _same(request: HttpRequest, shop_id: int, finding_id: int, by: Actor) -> tuple[str, str]:
    code = request.POST.get("other", "") or request.POST.get("code", "")
    triage.same_as(shop_id=shop_id, finding_id=finding_id, code=code, by=by)
    said = _("归到 %(code)s 了") % {"code": code.strip().upper()[:24]}
    return said, reverse("triage_act", args=[shop_id, finding_id, "return"])


def _none(request: HttpRequest, shop_id: int, finding_id: int, by: Actor) -> tuple[str, str]:
    reason = request.POST.get("reason", "").strip() or _("看过轨迹，不是异常")
    triage.none(shop_id=shop_id, finding_id=finding_id, by=by, reason=reason)
    return _("已忽略：不是异常"), reverse("triage_act", args=[shop_id, finding_id, "return"])


def _later(request: HttpRequest, shop_id: int, finding_id: int, by: Actor) -> tuple[str, str]:
    triage.later(shop_id=shop_id, finding_id=finding_id, by=by, reason=_("等下一条轨迹"))
    return _("放下了，有新轨迹再看"), reverse("triage_act", args=[shop_id, finding_id, "return"])


def _return(request: HttpRequest, shop_id: int, finding_id: int, by: Actor) -> tuple[str, str]:
    putting_off.bring_back(shop_id=shop_id, finding_id=finding_id, by=by)
    return _("已撤销，它又在等你看"), ""


_WORK: dict[str, Work] = {
    "confirm": _confirm,
    "same": _same,
    "none": _none,
    "later": _later,
    "back": _back,
    "return": _return,
}
