"""Hand-over lists: boxes put on a carrier's list by scan, signed for by its courier, on paper and as a sheet."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.reissues import hand_over
from bufa.apps.reissues.hand_over import ListView
from bufa.apps.reissues.packing import ALARM_HOURS
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.domain.packing import UNSCANNED_HOURS, Result, Tone
from bufa.jobs import bulk_sheet
from bufa.lib import clock, printed_lists
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.warehouse import as_pdf, as_sheet
from bufa.web.words import carrier, moment


def page(request: HttpRequest) -> HttpResponse:
    shop = desk(request).one
    said = {
        "shop": shop,
        "tab": "warehouse_lists",
        "waiting": hand_over.waiting(shop.shop_id),
        "lists": hand_over.lists(shop.shop_id),
        "late": hand_over.unscanned(shop.shop_id, clock.now()),
        "hours": shops.policy_json(shop.shop_id).get(ALARM_HOURS, UNSCANNED_HOURS),
    }
    return render(request, "web/warehouse/lists.html", said)


@require_POST
def open_list(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    code = request.POST.get("carrier", "")
    if code not in {one.carrier for one in hand_over.waiting(shop_id)}:
        raise Http404
    try:
        list_id = hand_over.open_list(shop_id=shop_id, carrier=code, by=actor(here, shop_id))
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("warehouse_lists"))
    return back_to(reverse("warehouse_list", args=[list_id]))


def one(request: HttpRequest, list_id: int) -> HttpResponse:
    return _show(request, list_id)


@require_POST
def read(request: HttpRequest, list_id: int) -> HttpResponse:
    """Boxes read beside an open list."""
    here = desk(request)
    shop_id = here.one.shop_id
    results: list[tuple[str, Result]] = []
    for text in request.POST.getlist("text")[:50]:
        if not text.strip():
            continue
        try:
            found = hand_over.read(shop_id=shop_id, list_id=list_id, text=text.strip()[:80], by=actor(here, shop_id))
        except Refused as refused:
            found = Result(Tone.BAD, refused.why)
        results.append((text.strip()[:40], found))
    return _show(request, list_id, results)


@require_POST
def act(request: HttpRequest, list_id: int, act: str) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    who = actor(here, shop_id)
    try:
        if act == "close":
            hand_over.close(shop_id=shop_id, list_id=list_id, courier=request.POST.get("courier", ""), by=who)
            tell(
                request,
                _("已交接，快递员 %(who)s 签收") % {"who": request.POST.get("courier", "").strip()},
                undo=reverse("warehouse_list_act", args=[list_id, "reopen"]),
            )
        elif act == "reopen":
            hand_over.reopen(shop_id=shop_id, list_id=list_id, by=who)
            tell(request, _("交接单重新打开，还没有签收"))
        elif act == "take-off":
            raw = request.POST.get("pack", "")
            hand_over.take_off(shop_id=shop_id, list_id=list_id, pack_id=int(raw) if raw.isdigit() else 0, by=who)
            tell(request, _("已从交接单拿下，留在仓库"))
        else:
            raise Http404
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("warehouse_list", args=[list_id]))


def pdf(request: HttpRequest, list_id: int) -> HttpResponse:
    """The list as the courier signs it; printed again, it says so."""
    found = _found(request, list_id)
    size = request.GET.get("size", "a4")
    if size not in printed_lists.SIZES:
        raise Http404
    return as_pdf(printed_lists.paper_pdf(_paper(desk(request).one.name, found), size), f"{found.code}-{size}.pdf")


def sheet(request: HttpRequest, list_id: int) -> HttpResponse:
    found = _found(request, list_id)
    head = [_("运单号"), _("承运商"), _("补发单号"), _("订单号"), _("案件"), _("件"), _("装箱"), _("承运商已扫")]
    lines = [
        [
            box.number, carrier(box.carrier), box.code, box.order_number, box.case_code, box.pieces, box.by,
            _("是") if box.scanned else _("否"),
        ]
        for box in found.boxes
    ]  # fmt: skip
    return as_sheet(bulk_sheet.write_xlsx(head, lines), f"{found.code}.xlsx")


def _paper(shop: str, found: ListView) -> printed_lists.Paper:
    facts = [
        (_("店铺"), shop),
        (_("承运商"), carrier(found.carrier)),
        (_("开单"), f"{moment(found.opened_at)} {found.opened_by}"),
        (_("包裹"), str(len(found.boxes))),
    ]
    if found.closed_at is not None:
        facts += [(_("交接"), f"{moment(found.closed_at)} {found.closed_by}"), (_("签收人"), found.courier)]
    columns = (
        printed_lists.Column("#", right=False),
        printed_lists.Column(_("运单号"), code=True),
        printed_lists.Column(_("补发单号"), wide=True),
        printed_lists.Column(_("件"), right=True),
    )
    rows = tuple((str(at), box.number, box.code, str(box.pieces)) for at, box in enumerate(found.boxes, 1))
    foot = _("共 %(n)d 个包裹，%(m)d 件") % {"n": len(found.boxes), "m": found.pieces}
    signs = (_("仓库交出"), _("快递员签收、日期"))
    return printed_lists.Paper(_("交接单"), found.code, tuple(facts), columns, rows, foot, signs)


def _found(request: HttpRequest, list_id: int) -> ListView:
    found = hand_over.one(desk(request).one.shop_id, list_id)
    if found is None:
        raise Http404
    return found


def _show(request: HttpRequest, list_id: int, results: list[tuple[str, Result]] | None = None) -> HttpResponse:
    found = _found(request, list_id)
    last = results[-1] if results else None
    said = {
        "shop": desk(request).one,
        "tab": "warehouse_lists",
        "list": found,
        "results": list(reversed(results or [])),
        "last": last[1] if last else None,
        "tone": last[1].tone.value if last else "idle",
        "last_text": last[0] if last else "",
        "sizes": list(printed_lists.SIZES),
    }
    part = bool(request.headers.get("X-Station"))
    return render(request, "web/warehouse/list_part.html" if part else "web/warehouse/list.html", said)
