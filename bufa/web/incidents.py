"""Incidents: many parcels with one cause; the list, one of them, and one deed for all of its parcels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
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
from bufa.apps.effects import queries as effects
from bufa.apps.effects.actions import real_now
from bufa.apps.negotiations import expecting, together
from bufa.apps.negotiations import queries as talks
from bufa.apps.negotiations.together import Deed, Wish
from bufa.domain.effects import TAKE_BACK
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.web.case_forms import contact_name
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.finding_forms import HOURS, SCAN
from bufa.web.forms import Choices
from bufa.web.words import word

PAGE = 100


class TakeForm(Choices):
    owner = forms.TypedChoiceField(label=_("交给谁"), coerce=int)

    def __init__(self, *args: Any, people: list[tuple[int, str]], me: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = [(str(me), _now("我"))] if me in dict(people) else []
        self.choose("owner", [*mine, *((str(each), name) for each, name in people if each != me)])

    def wish(self) -> Wish:
        return Wish(Deed.TAKE, owner_id=self.cleaned_data["owner"])


class AskForm(Choices):
    contact = forms.TypedChoiceField(label=_("写给"), coerce=int)
    hours = forms.IntegerField(label=_("多少小时内答复"), min_value=1, max_value=240, initial=24)
    extra = forms.CharField(
        label=_("另外要说的"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, contacts: tuple[talks.ContactView, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("contact", [(str(each.contact_id), contact_name(each)) for each in contacts])

    def wish(self) -> Wish:
        said = self.cleaned_data
        due = clock.now() + timedelta(hours=said["hours"])
        return Wish(Deed.ASK, contact_id=said["contact"], due=due, extra=said["extra"])


class SnoozeForm(Choices):
    until = forms.ChoiceField(label=_("什么时候再看"))
    reason = forms.CharField(label=_("原因"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        later = [(str(n), _now("%(n)d 小时后再看") % {"n": n}) for n in HOURS]
        self.choose("until", [(SCAN, _now("各自有新轨迹再看")), *later])

    def wish(self) -> Wish:
        said = self.cleaned_data
        until = clock.now() + timedelta(hours=int(said["until"])) if said["until"].isdigit() else None
        return Wish(Deed.SNOOZE, until=until, reason=said["reason"])


Forms = dict[str, Any]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """What is going on, the largest first; below, or behind the tab, what is over."""
    here = desk(request)
    is_past = request.GET.get("view") == "past"
    skip = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    found = incidents.past_incidents(here.shops, PAGE + 1, skip) if is_past else incidents.open_incidents(here.shops)
    said = {
        "is_past": is_past,
        "rows": found[:PAGE],
        "after": skip + PAGE if is_past and len(found) > PAGE else None,
        "skip": skip,
    }
    return render(request, "web/incidents/list.html", said)


@require_GET
def incident(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    here, row = _found(request, shop_id, code)
    return _show(request, here, row, _forms(here, row))


@require_GET
def runs(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """The part of the page that moves while rows are being done."""
    here, row = _found(request, shop_id, code)
    return render(request, "web/incidents/runs.html", {"row": row, **_runs(row), "by": actor(here, shop_id)})


def look(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """What the deed would come to, parcel by parcel; nothing is done yet. Come back to, it is the incident's page."""
    here, row = _found(request, shop_id, code)
    if request.method != "POST":
        return back_to(reverse("incidents_incident", args=[shop_id, code]))
    deed = request.POST.get("deed", "")
    given = _forms(here, row, request.POST, deed)
    if deed not in given:
        raise Http404
    form = given[deed]
    if not form.is_valid():
        return _show(request, here, row, given, opened=deed, status=422)
    try:
        seen = expecting.expect(row, form.wish(), actor(here, shop_id), clock.now())
    except Refused as refused:
        tell_refusal(request, refused)
        return _show(request, here, row, given, opened=deed, status=422)
    return _show(request, here, row, given, opened=deed, seen=seen, key=uuid4().hex)


@require_POST
def do(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Do it for all parcels; the same key again shows the same run."""
    here, row = _found(request, shop_id, code)
    deed, key = request.POST.get("deed", ""), request.POST.get("key", "")[:40]
    given = _forms(here, row, request.POST, deed)
    if deed not in given or not key:
        raise Http404
    form = given[deed]
    if not form.is_valid():
        return _show(request, here, row, given, opened=deed, status=422)
    try:
        run_id = together.start(shop_id=shop_id, code=code, key=key, wish=form.wish(), by=actor(here, shop_id))
    except Refused as refused:
        tell_refusal(request, refused)
        return _show(request, here, row, given, opened=deed, status=422)
    undo = reverse("incidents_undo", args=[shop_id, code, run_id])
    tell(request, _now("%(deed)s：结果在下面") % {"deed": word("deed", deed)}, undo=undo)
    return back_to(reverse("incidents_incident", args=[shop_id, code]) + "#runs")


@require_POST
def undo(request: HttpRequest, shop_id: int, code: str, run_id: int) -> HttpResponse:
    here, row = _found(request, shop_id, code)
    if run_id not in {each.run_id for each in incidents.runs(shop_id, row.incident_id, limit=1000)}:
        raise Http404
    try:
        together.undo(shop_id=shop_id, run_id=run_id, by=actor(here, shop_id))
        tell(request, _now("已撤销，每一件的结果在下面"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("incidents_incident", args=[shop_id, code]) + "#runs")


def _found(request: HttpRequest, shop_id: int, code: str) -> tuple[Desk, IncidentRow]:
    here = desk(request)
    here.role(shop_id)
    row = incidents.incident(shop_id, code)
    if row is None:
        raise Http404
    return here, row


def _forms(here: Desk, row: IncidentRow, posted: Mapping[str, Any] | None = None, deed: str = "") -> Forms:
    def given(name: str) -> Any:
        return posted if name == deed else None

    contacts = talks.contacts_for(row.shop_id, row.carrier, row.key if row.cause in ("hub", "branch") else "")
    people = together.workers(row.shop_id)
    return {
        "take": TakeForm(given("take"), auto_id="id_take_%s", people=people, me=here.operator_id),
        "ask": AskForm(given("ask"), auto_id="id_ask_%s", contacts=contacts),
        "snooze": SnoozeForm(given("snooze"), auto_id="id_snooze_%s"),
    }


def _show(
    request: HttpRequest,
    here: Desk,
    row: IncidentRow,
    given: Forms,
    *,
    opened: str = "",
    seen: expecting.Preview | None = None,
    key: str = "",
    status: int = 200,
) -> HttpResponse:
    skip = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    inside = incidents.members(row.shop_id, row.incident_id, PAGE + 1, skip)
    said = {
        "row": row,
        "forms": given,
        "opened": opened,
        "seen": seen,
        "sent": given[opened].cleaned_data if seen else {},
        "key": key,
        "inside": inside[:PAGE],
        "after": skip + PAGE if len(inside) > PAGE else None,
        "skip": skip,
        "gone": incidents.gone(row.shop_id, row.incident_id),
        "contacts": bool(given["ask"].fields["contact"].choices),
        **_runs(row),
    }
    return render(request, "web/incidents/incident.html", said, status=status)


def _runs(row: IncidentRow) -> dict[str, Any]:
    found = incidents.runs(row.shop_id, row.incident_id)
    mails = effects.by_id([row.shop_id], [each for run in found for each in run.effects])
    rows = []
    for run in found:
        mine = [mails[each] for each in run.effects if each in mails]
        may_undo = run.undone_at is None and not run.todo and run.done > 0
        if run.deed == Deed.ASK:
            may_undo = may_undo and any(each.can_cancel for each in mine)
        rows.append({"run": run, "mails": mine, "may_undo": may_undo, "seconds": _left(mine) if may_undo else 0})
    under_way = any(each.state in ("ready", "sending") for each in mails.values())
    is_moving = under_way or any(run.todo for run in found)
    return {"runs": rows, "is_moving": is_moving}


def _left(mails: list[effects.EffectView]) -> int:
    """Real seconds in which a mail can still be taken back."""
    real = real_now()
    lefts = [(each.next_at - real).total_seconds() for each in mails if each.can_cancel and each.next_at]
    return max(0, min(int(max(lefts, default=0)), int(TAKE_BACK.total_seconds())))
