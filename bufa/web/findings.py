"""What people say about a finding or a parcel, from its page or its case's. What is refused stays as it was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.cases import penalties, putting_off, telling
from bufa.apps.cases.penalties import NewNotice
from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.domain.rulebook import TOLD_BY_PEOPLE, Fact
from bufa.lib import clock
from bufa.web import case_page, parcels
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.finding_forms import NONE, penalty_form, put_off_form, tell_form
from bufa.web.words import say


@require_POST
def put_off(request: HttpRequest, shop_id: int, finding_id: int) -> HttpResponse:
    """Later or never, with a reason; the message that says so can take it back."""
    by = actor(desk(request), shop_id)
    form = put_off_form(finding_id, request.POST)

    def work() -> None:
        said = form.cleaned_data
        if said["until"] == NONE:
            putting_off.dismiss(shop_id=shop_id, finding_id=finding_id, by=by, reason=said["reason"])
            tell(request, _("已忽略，原因已记下；点“撤销”可以恢复"), undo=_undo(shop_id, finding_id))
        else:
            until = form.wake_at(clock.now())
            putting_off.snooze(shop_id=shop_id, finding_id=finding_id, by=by, reason=said["reason"], until=until)
            tell(request, _("先放下了，到时会自己回来"), undo=_undo(shop_id, finding_id))

    return _done(request, shop_id, form, "reason", work, put_off_typed={finding_id: form})


@require_POST
def bring_back(request: HttpRequest, shop_id: int, finding_id: int) -> HttpResponse:
    """Take a snooze or a dismissal back."""
    try:
        putting_off.bring_back(shop_id=shop_id, finding_id=finding_id, by=actor(desk(request), shop_id))
        tell(request, _("已撤销，包裹重新判断过了"))
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(_back(request))


@require_POST
def tell_fact(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    """Say, or with `withdraw` take back, what no scan tells."""
    by = actor(desk(request), shop_id)
    if "withdraw" in request.POST:
        fact = request.POST["withdraw"]
        if fact not in {each.value for each in TOLD_BY_PEOPLE}:
            raise Http404
        return _plainly(
            request,
            lambda: telling.withdraw(shop_id=shop_id, parcel_id=parcel_id, fact=Fact(fact), by=by),
            _("已删除，包裹重新判断过了"),
        )
    form = tell_form(request.POST)

    def work() -> None:
        said = form.cleaned_data
        telling.tell(shop_id=shop_id, parcel_id=parcel_id, fact=Fact(said["fact"]), at=said["at"], by=by)
        tell(request, _("已记下，包裹重新判断过了"))

    return _done(request, shop_id, form, "at", work, tell=form)


@require_POST
def penalty(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    """Write a penalty notice down, or with `remove` take one back."""
    by = actor(desk(request), shop_id)
    if gone := request.POST.get("remove", ""):
        if not gone.isdigit():
            raise Http404
        return _plainly(
            request,
            lambda: penalties.remove(shop_id=shop_id, notice_id=int(gone), by=by),
            _("已删除，包裹重新判断过了"),
        )
    form = penalty_form(request.POST)

    def work() -> None:
        said = form.cleaned_data
        notice = NewNotice(parcel_id, Penalty(said["kind"]), said["noticed_at"], form.amount_fen())
        penalties.record(shop_id=shop_id, notices=[notice], by=by)
        tell(request, _("处罚通知已记下，包裹重新判断过了"))

    return _done(request, shop_id, form, "noticed_at", work, penalty=form)


def _done(
    request: HttpRequest, shop_id: int, form: forms.Form, field: str, work: Callable[[], None], **typed: Any
) -> HttpResponse:
    """Do it and go back; what was refused stands beside its field, on the page that the form stood on."""
    if form.is_valid():
        try:
            work()
            return back_to(_back(request))
        except Refused as refused:
            form.add_error(field, say(refused.why))
        except ObjectDoesNotExist:
            raise Http404 from None
    return _again(request, shop_id, form, typed)


def _plainly(request: HttpRequest, work: Callable[[], object], said: str) -> HttpResponse:
    try:
        work()
        tell(request, said)
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(_back(request))


def _again(request: HttpRequest, shop_id: int, form: forms.Form, typed: dict[str, Any]) -> HttpResponse:
    """The page that the form stood on, with the form as it was typed; else what is wrong with it, said once."""
    try:
        match = resolve(_back(request).partition("?")[0])
    except Resolver404:
        match = None
    if match is not None and match.kwargs.get("shop_id") == shop_id:
        if match.url_name == "cases_case":
            return case_page.show(request, shop_id, match.kwargs["code"], typed=typed)
        if match.url_name == "parcels_parcel":
            return parcels.show(request, shop_id, match.kwargs["parcel_id"], typed)
    for wrong in form.errors.values():
        messages.error(request, str(wrong[0]))
    return back_to(_back(request))


def _undo(shop_id: int, finding_id: int) -> str:
    return reverse("findings_back", args=[shop_id, finding_id])


def _back(request: HttpRequest) -> str:
    """The page that the form stood on."""
    wanted = request.POST.get("next") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else reverse("today")
