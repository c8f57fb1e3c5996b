"""The reissue form: check it at the gate, keep it, submit it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.reissues import actions, booking, queries, ranges
from bufa.apps.reissues.labels import reissue_labels_pdf
from bufa.apps.reissues.queries import ReissueForm
from bufa.apps.shops.clients import client_for
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.integrations.ports import ProviderError
from bufa.lib import clock
from bufa.lib.labels import DEFAULT_SIZE, SIZES
from bufa.web import case_forms, case_page
from bufa.web.case_actions import Doing, Mistyped, finish, start
from bufa.web.desk import back_to, desk, tell_refusal


def _typed(doing: Doing) -> case_forms.ReissueForm:
    draft = queries.open_draft(doing.row.shop_id, doing.row.case_id, clock.now())
    return case_page.reissue_form(draft, doing.request.POST)


def _filled(form: case_forms.ReissueForm) -> ReissueForm:
    said = form.cleaned_data
    pickup = str(said.get("pickup") or "")
    return ReissueForm(
        carrier=said.get("carrier", ""),
        number=said.get("number", ""),
        items=tuple(form.contents()),
        pickup_id=int(pickup) if pickup.isdigit() else None,
        delivery=said.get("delivery") or "order",
    )


@require_POST
def check(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """What the gate says to the form as it stands; nothing is kept. With htmx only the answer, else the whole page."""
    doing = start(request, shop_id, code)
    form = _typed(doing)
    form.is_valid()
    if "number" in form.errors and not form.data.get("number"):
        del form.errors["number"]
    try:
        now = clock.now()
        checked: Any = queries.check_form(shop_id, doing.row.case_id, _filled(form), now)
        ranges.want(shop_id, [checked.way], now)
    except Refused as refused:
        tell_refusal(request, refused)
        checked = None
    if getattr(request, "htmx", False):
        return render(request, "web/cases/gate.html", {"checked": checked, "check_url": request.path})
    return case_page.show(request, shop_id, code, {"reissue": form}, checked=checked)


def label(request: HttpRequest, shop_id: int, code: str, reissue_id: int) -> HttpResponse:
    """The label of one reissue as PDF, `?size=` one of the papers; its own PDF, never kept by the browser."""
    here = desk(request)
    here.role(shop_id)
    size = request.GET.get("size", DEFAULT_SIZE)
    mine = next(
        (each for each in queries.of_case(shop_id, _case_id(shop_id, code)) if each.reissue_id == reissue_id),
        None,
    )
    if mine is None or size not in SIZES:
        raise Http404
    try:
        pdf = reissue_labels_pdf(shop_id, [reissue_id], size)
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("cases_case", args=[shop_id, code]))
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{mine.code}-{size}.pdf"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def book_waybill(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Ask for an e-waybill with the form as it stands; its number comes into the form."""
    doing = start(request, shop_id, code)

    def work() -> str:
        form = _typed(doing)
        form.fields["number"].required = False
        if not form.is_valid():
            raise Mistyped("reissue", form)
        booking.book(
            shop_id=doing.shop_id, case_id=doing.case_id, form=_filled(form), by=doing.by, version=doing.version
        )
        return _("正在取电子面单，单号回来后会填进表单")

    return finish(doing, work)


@require_POST
def cancel_waybill(request: HttpRequest, shop_id: int, code: str, booking_id: int) -> HttpResponse:
    doing = start(request, shop_id, code)
    mine = _booking(doing.shop_id, doing.case_id, booking_id)

    def work() -> str:
        booking.cancel(shop_id=doing.shop_id, booking_id=mine.booking_id, by=doing.by)
        return _("正在取消电子面单")

    return finish(doing, work)


def print_waybill(request: HttpRequest, shop_id: int, code: str, booking_id: int) -> HttpResponse:
    """The print data as a file for the platform's print component; encrypted, so it holds no plain address."""
    desk(request).role(shop_id)
    mine = _booking(shop_id, _case_id(shop_id, code), booking_id)
    try:
        desk(request).check(Permission.SUBMIT_REISSUE, shop_id)
        told = client_for(shop_id, "doudian").print_data(mine.carrier, mine.number)
    except Refused as refused:
        tell_refusal(request, refused)
    except ProviderError as error:
        tell_refusal(request, Refused("label_no_print_data", failure=error.why, said=error.text))
    else:
        body = {"carrier": mine.carrier, "track_no": told.number, "print_data": told.data, "sign": told.sign}
        response = JsonResponse(body)
        response["Content-Disposition"] = f'attachment; filename="{mine.number}.json"'
        response["Cache-Control"] = "no-store"
        return response
    return back_to(reverse("cases_case", args=[shop_id, code]))


def _booking(shop_id: int, case_id: int, booking_id: int) -> booking.BookingView:
    for each in booking.of_case(shop_id, case_id):
        if each.booking_id == booking_id:
            return each
    raise Http404


def _case_id(shop_id: int, code: str) -> int:
    row = cases.case_by_code([shop_id], code)
    if row is None:
        raise Http404
    return row.case_id


@require_POST
def save(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Keep the draft, or submit it: then ten seconds remain to take it back."""
    doing = start(request, shop_id, code)

    def work() -> str:
        form = _typed(doing)
        if not form.is_valid():
            raise Mistyped("reissue", form)
        if request.POST.get("do") == "save":
            actions.save_draft(
                shop_id=doing.shop_id, case_id=doing.case_id, form=_filled(form), by=doing.by, version=doing.version
            )
            return _("草稿已保存，还没有提交")
        reason = form.cleaned_data.get("override_reason", "")
        try:
            done = actions.submit(
                shop_id=doing.shop_id,
                case_id=doing.case_id,
                form=_filled(form),
                by=doing.by,
                override_reason=reason,
                version=doing.version,
            )
        except Refused as refused:
            if refused.why.code not in ("gate_refused", "gate_needs_lead", "gate_needs_reason", "ticket_needed"):
                raise
            tell_refusal(request, refused)
            form.add_error(
                "override_reason" if refused.why.code == "gate_needs_reason" else None, _("预检没有通过，见下面")
            )
            checked = queries.check_form(doing.row.shop_id, doing.row.case_id, _filled(form), clock.now())
            raise Mistyped("reissue", form, checked=checked) from None
        return (
            _("补发单号 %(code)s 10 秒后提交，可以撤回") % {"code": done.code}
            if done.effect_id
            else _("请到平台手工填写，再回来认定结果")
        )

    return finish(doing, work)
