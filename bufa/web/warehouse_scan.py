"""The scan station: one parcel at a time, by reads of a scanner or typed by hand. Works by plain forms, too."""

from __future__ import annotations

from datetime import timedelta
from itertools import zip_longest
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.reissues import booking, counting, packing, pick_list
from bufa.apps.reissues.booking import BookingView
from bufa.apps.reissues.pick_list import ToPack
from bufa.domain.outcome import Refused, Why
from bufa.domain.packing import LABEL_CODE, RECOUNT_CODE, UNDO_CODE, Read, Result, Tone, carrier_of, what_is
from bufa.lib import clock, printed_lists
from bufa.lib.labels import DEFAULT_SIZE
from bufa.lib.shelf import together
from bufa.web.desk import actor, desk
from bufa.web.warehouse import as_pdf
from bufa.web.words import say

MOST_AT_ONCE = 50
"""Reads in one message: what came in while the network was away."""


def page(request: HttpRequest) -> HttpResponse:
    """The station; with X-Station only its moving part, while it waits for something."""
    return _answer(request, [], _open_id(request.GET.get("open", "")))


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Reads in the order they came; the last one's result is shown, earlier ones stand in the log of the page."""
    here = desk(request)
    shop_id = here.one.shop_id
    who = actor(here, shop_id)
    open_id = _open_id(request.POST.get("open", ""))
    chosen = request.POST.get("carrier", "")
    results: list[tuple[str, Result]] = []
    keys = request.POST.getlist("key")
    for text, key in zip_longest(request.POST.getlist("text")[:MOST_AT_ONCE], keys[:MOST_AT_ONCE], fillvalue=""):
        if not text.strip():
            continue
        about: dict[str, Any] = {"text": text.strip()[:80], "open_id": open_id, "carrier": chosen, "key": key[:40]}
        try:
            result = packing.read(shop_id=shop_id, by=who, **about)
        except Refused as refused:
            result = Result(Tone.BAD, refused.why, open_id)
        open_id = result.open_id
        results.append((text.strip()[:40], result))
    return _answer(request, results, open_id)


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    raw = request.POST.get("pack", "")
    try:
        result = packing.undo(shop_id=shop_id, by=actor(here, shop_id), pack_id=int(raw) if raw.isdigit() else 0)
    except Refused as refused:
        result = Result(Tone.BAD, refused.why)
    return _answer(request, [(UNDO_CODE, result)], result.open_id)


def guess(request: HttpRequest) -> JsonResponse:
    """Whose waybill a number is: the carrier that the form names where it fits, else the only one that fits; and the
    sentence that says so. Nothing of anybody's is looked up."""
    desk(request)
    found = what_is(request.GET.get("number", "")[:80])
    if found.read is not Read.WAYBILL:
        return JsonResponse({"number": found.value, "carrier": "", "said": ""})
    whose = carrier_of(found.fits, request.GET.get("carrier", ""))
    if not whose:
        said = say(Why("choose_carrier", {"number": found.value}))
    else:
        said = say(Why("carrier_by_number", {"carrier": whose}))
    return JsonResponse({"number": found.value, "carrier": whose, "said": said})


def codes(request: HttpRequest) -> HttpResponse:
    """The sheet to hang beside the scanner."""
    desk(request)
    sheet = printed_lists.codes_pdf(
        _("扫描台"),
        [
            (UNDO_CODE, _("撤回上一步"), _("装错了、扫错了、多数了一件，扫这个")),
            (LABEL_CODE, _("取电子面单"), _("箱子打开以后扫，平台给出单号和面单")),
            (RECOUNT_CODE, _("重新点数"), _("数乱了就从头数")),
        ],
        _("顺序：扫补发单号，装货，扫运单号。扫枪要设成“回车结尾”；不用点输入框，也不用切换输入法。"),
    )
    return as_pdf(sheet, "scan-codes.pdf")


def _answer(request: HttpRequest, results: list[tuple[str, Result]], open_id: int) -> HttpResponse:
    said = _said(request, results, open_id)
    template = "web/warehouse/station.html" if request.headers.get("X-Station") else "web/warehouse/scan.html"
    return render(request, template, said)


def _said(request: HttpRequest, results: list[tuple[str, Result]] | None, open_id: int) -> dict[str, object]:
    shop = desk(request).one
    now = clock.now()
    together(
        lambda: pick_list.to_pack(shop.shop_id),
        lambda: pick_list.packed_lately(shop.shop_id, now),
        lambda: pick_list.packed_count(shop.shop_id, now - timedelta(hours=12)),
    )
    there = pick_list.to_pack(shop.shop_id, [open_id]) if open_id else []
    box: ToPack | None = there[0] if there else None
    last = results[-1] if results else None
    label = booking.of_case(shop.shop_id, box.case_id)[-1:] if box else ()
    mine: BookingView | None = next((one for one in label if box and one.reissue_id == box.reissue_id), None)
    return {
        "shop": shop,
        "tab": "warehouse_scan",
        "results": list(reversed(results or [])),
        "last": last[1] if last else Result(Tone.GOOD, _idle(box), open_id),
        "tone": last[1].tone.value if last else "idle",
        "last_text": last[0] if last else "",
        "box": box,
        "label": mine,
        "waits": bool(mine and mine.state in ("wanted", "unknown")),
        "counts": bool(box and (box.counted or counting.must(shop.shop_id))),
        "commands": {"label": LABEL_CODE, "recount": RECOUNT_CODE},
        "lately": pick_list.packed_lately(shop.shop_id, now),
        "packed": pick_list.packed_count(shop.shop_id, now - timedelta(hours=12)),
        "waiting": pick_list.count_to_pack(shop.shop_id),
        "label_size": DEFAULT_SIZE,
    }


def _idle(box: ToPack | None) -> Why:
    """What the station says while nothing was read: what comes next."""
    if box is None:
        return Why("scan_ready")
    if box.number:
        return Why("expects_number", {"carrier": box.carrier, "number": box.number})
    return Why("open_to_pack", {"code": box.code, "n": box.pieces})


def _open_id(raw: str) -> int:
    return int(raw) if raw.isdigit() else 0
