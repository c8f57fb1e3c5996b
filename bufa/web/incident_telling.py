"""Telling all customers of an incident: one text, looked at first, sent at a pace, stoppable, a result a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import incident_views as incidents
from bufa.apps.cases.incident_views import IncidentRow
from bufa.apps.notices import together, trying, wordings
from bufa.apps.notices.together import PURPOSES, RunView, Wish
from bufa.domain.case_facts import Purpose
from bufa.domain.notice_wording import KNOWN
from bufa.domain.notices import Channel, Language
from bufa.domain.outcome import Refused, Why
from bufa.lib import clock
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import say, word


class TellForm(Choices):
    purpose = forms.ChoiceField(label=_("说什么"))
    channel = forms.ChoiceField(label=_("用什么渠道"), required=False)
    text = forms.CharField(
        label=_("另写一段话"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("留空用店里的文案。短信只能发审过的模板，另写的话走邮件、站内消息或电话"),
    )
    per_minute = forms.IntegerField(label=_("一分钟发几条"), min_value=1, max_value=600, initial=60)

    def __init__(self, *args: Any, shop_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("purpose", [(each.value, word("purpose", each.value)) for each in PURPOSES])
        channels = trying.used_channels(shop_id, tuple(Channel))
        self.choose(
            "channel", [(each.value, word("channel", each.value)) for each in channels], blank=word("channel", "")
        )

    def wish(self) -> Wish:
        said = self.cleaned_data
        channel = Channel(said["channel"]) if said["channel"] else None
        return Wish(Purpose(said["purpose"]), channel, said["text"].strip(), said["per_minute"])


def page(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """The form; posted it shows what would leave, and posted from there (with its key) it begins."""
    here, row = _found(request, shop_id, code)
    posted: Mapping[str, Any] | None = request.POST if request.method == "POST" else None
    form = TellForm(posted, shop_id=shop_id)
    said: dict[str, Any] = {"row": row, "form": form, "seen": None, "known": KNOWN}
    if posted is not None and form.is_valid():
        try:
            if key := posted.get("key", "")[:40]:
                together.start(shop_id=shop_id, code=code, key=key, wish=form.wish(), by=actor(here, shop_id))
                tell(request, _now("开始通知，结果在下面；关掉页面也会继续"))
                return back_to(reverse("incidents_tell", args=[shop_id, code]) + "#telling")
            said["seen"] = together.preview(shop_id, code, form.wish(), actor(here, shop_id), clock.now())
            said["key"] = uuid4().hex
        except Refused as refused:
            if refused.why.code.startswith("wording"):
                form.add_error("text", say(refused.why))
            else:
                tell_refusal(request, refused)
    usual = {each.value: wordings.wording_of(shop_id, each, Channel.EMAIL, Language.ZH).text for each in PURPOSES}
    return render(
        request,
        "web/incidents/tell.html",
        said | {"usual": usual} | _runs(row),
        status=422 if form.errors else 200,
    )


@require_GET
def runs(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """The part that moves."""
    _here, row = _found(request, shop_id, code)
    return render(request, "web/incidents/tell_runs.html", {"row": row, **_runs(row)})


@require_POST
def switch(request: HttpRequest, shop_id: int, code: str, run_id: int, way: str) -> HttpResponse:
    """Stop a run, or let it go on."""
    here, row = _found(request, shop_id, code)
    if run_id not in {each.run_id for each in together.of_incident(shop_id, row.incident_id, limit=1000)}:
        raise Http404
    try:
        if way == "stop":
            left = together.stop(shop_id=shop_id, run_id=run_id, by=actor(here, shop_id))
            tell(request, _now("已停下，还有 %(n)d 件没有通知") % {"n": left})
        elif way == "go-on":
            left = together.go_on(shop_id=shop_id, run_id=run_id, by=actor(here, shop_id))
            tell(request, _now("继续通知 %(n)d 件") % {"n": left})
        else:
            raise Http404
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("incidents_tell", args=[shop_id, code]) + "#telling")


def _found(request: HttpRequest, shop_id: int, code: str) -> tuple[Desk, IncidentRow]:
    here = desk(request)
    here.role(shop_id)
    row = incidents.incident(shop_id, code)
    if row is None:
        raise Http404
    return here, row


def _runs(row: IncidentRow) -> dict[str, Any]:
    found = together.of_incident(row.shop_id, row.incident_id)
    return {
        "tellings": [(each, _rows(each)) for each in found],
        "is_moving": any(each.state == "running" for each in found),
    }


def _rows(run: RunView) -> list[dict[str, Any]]:
    """Refused ones first: they are what somebody has to look at."""
    order = {"refused": 0, "todo": 1, "told": 2}
    rows = [
        {**row, "why": Why(row["why"]["code"], row["why"]["params"]) if row.get("why") else None} for row in run.rows
    ]
    return sorted(rows, key=lambda row: order[row["state"]])
