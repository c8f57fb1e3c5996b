"""What people say about a finding, from a case's or a parcel's page: later, none, or that taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.cases import putting_off, telling
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.shapes import FindingView
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import TOLD_BY_PEOPLE, Fact
from bufa.lib import clock
from bufa.web.desk import Desk, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import word

SCAN, NONE = "scan", "none"
HOURS = (4, 12, 24, 48, 72, 168)


class PutOffForm(Choices):
    """Until when a finding is put off: hours, the next scan, or for good."""

    until = forms.ChoiceField(label=_("怎么处理"))
    reason = forms.CharField(label=_("原因"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        later = [(str(n), _now("%(n)d 小时后再看") % {"n": n}) for n in HOURS]
        self.choose("until", [(SCAN, _now("有新轨迹再看")), *later, (NONE, _now("忽略：不是异常"))])

    def wake_at(self, now: datetime) -> datetime | None:
        until = self.cleaned_data["until"]
        return now + timedelta(hours=int(until)) if until.isdigit() else None


class TellForm(Choices):
    """Something that is so about a parcel and that no scan tells, and since when."""

    fact = forms.ChoiceField(label=_("什么事"))
    at = forms.DateTimeField(
        label=_("从什么时候起"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("fact", [(each.value, word("fact", each.value)) for each in TOLD_BY_PEOPLE])


def put_off_forms(found: Iterable[FindingView]) -> dict[int, PutOffForm]:
    """One form for each open finding, with ids of its own."""
    return {
        one.finding_id: PutOffForm(auto_id=f"id_put_off_{one.finding_id}_%s") for one in found if one.state == "open"
    }


def actor(here: Desk, shop_id: int) -> Actor:
    return Actor(here.operator_id, here.name, here.role(shop_id))


@require_POST
def put_off(request: HttpRequest, shop_id: int, finding_id: int) -> HttpResponse:
    """Later or never, with a reason; the message that says so can take it back."""
    by = actor(desk(request), shop_id)
    form = PutOffForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused("parameter_missing", name=next(iter(form.errors)))
        said = form.cleaned_data
        if said["until"] == NONE:
            putting_off.dismiss(shop_id=shop_id, finding_id=finding_id, by=by, reason=said["reason"])
            tell(request, _now("已忽略，原因已记下；点“撤销”可以恢复"), undo=_undo(shop_id, finding_id))
        else:
            until = form.wake_at(clock.now())
            putting_off.snooze(shop_id=shop_id, finding_id=finding_id, by=by, reason=said["reason"], until=until)
            tell(request, _now("先放下了，到时会自己回来"), undo=_undo(shop_id, finding_id))
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(_back(request))


@require_POST
def bring_back(request: HttpRequest, shop_id: int, finding_id: int) -> HttpResponse:
    """Take a snooze or a dismissal back."""
    try:
        putting_off.bring_back(shop_id=shop_id, finding_id=finding_id, by=actor(desk(request), shop_id))
        tell(request, _now("已撤销，包裹重新判断过了"))
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(_back(request))


@require_POST
def tell_fact(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    """Say, or with `withdraw` take back, what no scan tells."""
    by = actor(desk(request), shop_id)
    try:
        if "withdraw" in request.POST:
            fact = request.POST["withdraw"]
            if fact not in {each.value for each in TOLD_BY_PEOPLE}:
                raise Http404
            telling.withdraw(shop_id=shop_id, parcel_id=parcel_id, fact=Fact(fact), by=by)
            tell(request, _now("已删除，包裹重新判断过了"))
        else:
            form = TellForm(request.POST)
            if not form.is_valid():
                raise Refused("parameter_missing", name=next(iter(form.errors)))
            said = form.cleaned_data
            telling.tell(shop_id=shop_id, parcel_id=parcel_id, fact=Fact(said["fact"]), at=said["at"], by=by)
            tell(request, _now("已记下，包裹重新判断过了"))
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(reverse("parcels_parcel", args=[shop_id, parcel_id]))


def _undo(shop_id: int, finding_id: int) -> str:
    return reverse("findings_back", args=[shop_id, finding_id])


def _back(request: HttpRequest) -> str:
    """The page that the form stood on."""
    wanted = request.POST.get("next") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else reverse("today")
