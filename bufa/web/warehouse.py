"""The warehouse's first page: cases to release, what to fetch from the shelves, what waits; on paper and as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from bufa.apps.reissues import hand_over, packing, pick_list
from bufa.apps.reissues.labels import reissue_labels_pdf
from bufa.apps.reissues.pick_list import ToPack
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.jobs import bulk_sheet
from bufa.lib import clock, printed_lists
from bufa.lib.labels import DEFAULT_SIZE
from bufa.lib.labels import SIZES as LABEL_SIZES
from bufa.lib.shelf import together
from bufa.web.desk import Seat, actor, back_to, desk, tell, tell_refusal
from bufa.web.words import carrier, moment, say, word

UNDONE_SHOWN = timedelta(days=2)


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop = here.one
    now = clock.now()
    together(
        lambda: pick_list.to_pack(shop.shop_id),
        lambda: pick_list.to_release(shop.shop_id),
        lambda: pick_list.waiting_to_submit(shop.shop_id),
        lambda: pick_list.came_undone(shop.shop_id, now - UNDONE_SHOWN),
        lambda: hand_over.unscanned(shop.shop_id, now),
    )
    rows = pick_list.to_pack(shop.shop_id)
    to_submit, undone = pick_list.open_ends(shop.shop_id, now - UNDONE_SHOWN)
    by = "order" if request.GET.get("by") == "order" else "shelf"
    said = {
        "shop": shop,
        "by": by,
        "rows": rows,
        "lines": pick_list.by_shelf(rows),
        "pieces": sum(row.pieces for row in rows),
        "to_release": pick_list.to_release(shop.shop_id),
        "to_submit": to_submit,
        "undone": undone,
        "late": hand_over.unscanned(shop.shop_id, now),
        "sizes": list(printed_lists.SIZES),
        "label_sizes": list(LABEL_SIZES),
        "tab": "warehouse",
    }
    return render(request, "web/warehouse/pick.html", said)


@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """Give chosen cases (or all that wait) their reissue numbers and keep their goods."""
    here = desk(request)
    shop = here.one
    waiting = [each.case_id for each in pick_list.to_release(shop.shop_id)]
    wanted = [int(one) for one in request.POST.getlist("case") if one.isdigit()]
    chosen = [one for one in waiting if one in wanted] if wanted else waiting
    try:
        done = packing.release(shop_id=shop.shop_id, case_ids=chosen, by=actor(here, shop.shop_id))
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("warehouse"))
    if done.codes:
        n = len(done.codes)
        tell(request, ngettext("%(n)d 单已放到拣货单", "%(n)d 单已放到拣货单", n) % {"n": n})
    codes = {each.case_id: each.code for each in pick_list.to_release(shop.shop_id)}
    for case_id, why in done.refused.items():
        tell_refusal(request, Refused("release_refused", number=codes.get(case_id, ""), said=say(why)))
    return back_to(reverse("warehouse"))


@require_POST
def submit(request: HttpRequest, reissue_id: int) -> HttpResponse:
    """Submit the number of a box that is packed and waits; what the gate holds against it is for the case page."""
    here = desk(request)
    shop = here.one
    try:
        here.check(Permission.SUBMIT_REISSUE, shop.shop_id)
        done = packing.submit_packed(shop_id=shop.shop_id, reissue_id=reissue_id, by=actor(here, shop.shop_id))
        tell(request, _("补发单号 %(code)s 10 秒后提交，可以撤回") % {"code": done.code})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("warehouse"))


# --- on paper, and as a sheet ----------------------------------------------------------------------------------------


def pick_pdf(request: HttpRequest) -> HttpResponse:
    """The pick list to a paper's size, by shelf or by order."""
    shop, rows, size = _asked(request)
    by_order = request.GET.get("by") == "order"
    title = _("拣货单（按订单）") if by_order else _("拣货单（按货位）")
    facts = (
        (_("店铺"), shop.name),
        (_("时间"), moment(clock.now())),
        (_("单数"), str(len(rows))),
        (_("件数"), str(sum(row.pieces for row in rows))),
    )
    columns, cells = (_order_cells if by_order else _shelf_cells)(rows)
    paper = printed_lists.Paper(title, "", facts, columns, cells, signs=(_("拣货人"), _("复核人")))
    return as_pdf(printed_lists.paper_pdf(paper, size), f"pick-{size}.pdf")


def _shelf_cells(rows: Sequence[ToPack]) -> tuple[tuple[printed_lists.Column, ...], tuple[tuple[str, ...], ...]]:
    columns = (
        printed_lists.Column(_("货位")),
        printed_lists.Column(_("商品"), wide=True),
        printed_lists.Column(_("件"), right=True),
        printed_lists.Column(_("补发单号")),
    )
    cells = tuple(
        (line.shelf or "–", f"{line.title} {line.spec}".strip(), str(line.pieces), "\n".join(line.codes))
        for line in pick_list.by_shelf(rows)
    )
    return columns, cells


def _order_cells(rows: Sequence[ToPack]) -> tuple[tuple[printed_lists.Column, ...], tuple[tuple[str, ...], ...]]:
    columns = (
        printed_lists.Column(_("补发单号"), code=True),
        printed_lists.Column(_("商品"), wide=True),
        printed_lists.Column(_("件"), right=True),
    )
    cells = tuple(
        (
            row.code,
            "\n".join(f"{one.label} × {one.pieces}{f'  [{one.shelf}]' if one.shelf else ''}" for one in row.items),
            str(row.pieces),
        )
        for row in rows
    )
    return columns, cells


def pick_xlsx(request: HttpRequest) -> HttpResponse:
    """One row for each kind of goods of each reissue."""
    _shop, rows, _size = _asked(request)
    head = [_("货位"), _("商品规格ID"), _("商品名称"), _("规格"), _("件"), _("补发单号")]
    head += [_("案件"), _("订单号"), _("承运商"), _("运单号"), _("状态")]
    lines = [
        [
            one.shelf, one.sku, one.title, one.spec, one.pieces, row.code, row.case_code, row.order_number,
            carrier(row.carrier) if row.carrier else "", row.number, word("reissue", row.state),
        ]
        for row in rows
        for one in row.items
    ]  # fmt: skip
    return as_sheet(bulk_sheet.write_xlsx(head, lines), "bufa-pick-list.xlsx")


def labels(request: HttpRequest) -> HttpResponse:
    """The labels of what lies ahead, a page each; `?reissue=` for some of them."""
    shop, rows, _size = _asked(request)
    wanted = [int(one) for one in request.GET.getlist("reissue") if one.isdigit()]
    size = request.GET.get("label", DEFAULT_SIZE)
    if size not in LABEL_SIZES:
        raise Http404
    ids = wanted or [row.reissue_id for row in rows]
    try:
        return as_pdf(reissue_labels_pdf(shop.shop_id, ids, size), f"labels-{size}.pdf")
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("warehouse"))


def _asked(request: HttpRequest) -> tuple[Seat, list[ToPack], str]:
    shop = desk(request).one
    size = request.GET.get("size", "a4")
    if size not in printed_lists.SIZES:
        raise Http404
    return shop, pick_list.to_pack(shop.shop_id), size


def as_pdf(pdf: bytes, name: str) -> HttpResponse:
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def as_sheet(raw: bytes, name: str) -> HttpResponse:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = HttpResponse(raw, content_type=kind)
    stamp = localtime(clock.now()).strftime("%m%d-%H%M")
    response["Content-Disposition"] = f'attachment; filename="{name.replace(".xlsx", "")}-{stamp}.xlsx"'
    response["Cache-Control"] = "no-store"
    return response
