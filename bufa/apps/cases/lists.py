"""The list of cases, and what search finds. Each shop's part is read from its own index (`lib.keyset`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from bufa.apps.cases.models import Case
from bufa.apps.cases.rows import case_row, case_rows
from bufa.apps.cases.shapes import CaseFilters, CasePage, CaseRow, Hit
from bufa.apps.orders import queries as orders
from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel, ParcelRole
from bufa.apps.parcels.numbers import clean_number
from bufa.apps.parcels.views import ParcelView, find_parcels
from bufa.lib import clock, keyset
from bufa.lib.shelf import together
from bufa.lib.tenancy import reading

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
MOST = 500
"""Most cases that a search by number goes through."""

_TAIL_DAYS = 60
_TABLE = Case._meta.db_table
_BY_STATE = {
    "closed": keyset.Order(_TABLE, "closed_at", descending=True),
    "all": keyset.Order(_TABLE, "opened_at", descending=True),
}
_BY_DUE = keyset.Order(_TABLE, "due_at", missing=True)


def case_list(
    shops: Sequence[int],
    filters: CaseFilters | None = None,
    cursor: str = "",
    limit: int = 50,
    now: datetime | None = None,
) -> CasePage:
    """Cases a page at a time: open ones by when their next action is due (no time last), closed ones by when they were
    closed, all of them the newest first. `now` is needed for `overdue` only."""
    filters = filters or CaseFilters()
    where, params = _conditions(filters, now)
    with reading(shops):
        if text := filters.text.strip():
            where.append("t.id = ANY (%(ids)s)")
            params["ids"] = numbered(shops, text)
        found, more = keyset.ids(shops, _BY_STATE.get(filters.state, _BY_DUE), where, params, cursor, limit)
        rows = {row.pk: case_row(row) for row in case_rows(shops).filter(id__in=found)}
    return CasePage(tuple(rows[key] for key in found if key in rows), more)


def _conditions(filters: CaseFilters, now: datetime | None) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    params: dict[str, Any] = {}
    if filters.state in ("", "open"):
        where.append("t.state <> 'closed'")
    elif filters.state != "all":
        where.append("t.state = %(state)s")
        params["state"] = filters.state
    for column in ("step", "measure", "waiting_for", "headline"):
        if wanted := getattr(filters, column):
            where.append(f"t.{column} = %({column})s")
            params[column] = wanted
    if filters.carrier:
        where.append(
            "EXISTS (SELECT 1 FROM parcels_parcel p"
            " WHERE p.id = t.parcel_id AND p.shop_id = t.shop_id AND p.carrier = %(carrier)s)"
        )
        params["carrier"] = filters.carrier
    if filters.owner_id is not None:
        where.append("t.owner_id = %(owner)s" if filters.owner_id else "t.owner_id IS NULL")
        params["owner"] = filters.owner_id
    if filters.ids is not None:
        where.append("t.id = ANY (%(these)s)")
        params["these"] = list(filters.ids)
    if filters.overdue and now is not None:
        where.append("t.state <> 'closed' AND t.due_at < %(now)s")
        params["now"] = now
    return where, params


def numbered(shops: Sequence[int], text: str, limit: int = MOST) -> list[int]:
    """Cases by the beginning of their code, of a waybill (a reissue's, too) or of an order number, or by a code's tail.
    Three queries, each with its own index."""
    text, number = text.strip(), clean_number(text)
    if not number:
        return []
    mine = Case.objects.filter(shop_id__in=shops)
    by_code = mine.filter(keyset.starts("code", number) | Q(code__in=_tails(number))).values_list("id")
    boxes = Parcel.objects.filter(keyset.starts("number", number), shop_id__in=shops).order_by()
    begun = keyset.starts("number", number) | keyset.starts("number", text)
    named = Order.objects.filter(begun, shop_id__in=shops).order_by().values_list("id", flat=True)[:limit]
    found = boxes.values_list("id", "order_id", "role")[:limit]
    together(lambda: list(found.all()), lambda: list(named.all()))
    parcels, sent = [], []
    for row_id, order_id, role in found:
        parcels.append(row_id)
        if role == ParcelRole.REISSUE:
            sent.append(order_id)
    wanted = [*sent, *named]
    rows = by_code.order_by()[:limit].union(
        mine.filter(parcel_id__in=parcels).order_by().values_list("id"),
        mine.filter(order_id__in=wanted).order_by().values_list("id"),
    )
    return [row_id for (row_id,) in rows]


def tailed(shops: Sequence[int], digits: str, limit: int = MOST) -> list[int]:
    """Cases of people whose phone ends in these four digits, and those whose own code does."""
    with reading(shops):
        wanted = [order_id for _, order_id in orders.orders_by_phone_tail(shops, digits, limit=limit)]
        theirs = Case.objects.filter(shop_id__in=shops, order_id__in=wanted).order_by("-id")
        return list(dict.fromkeys([*theirs.values_list("id", flat=True)[:limit], *numbered(shops, digits, limit)]))


def _tails(number: str) -> list[str]:
    """`17` or `0017` is the case C-<one of the last days>-0017."""
    if not number.isdigit() or len(number) > 4:
        return []
    today = clock.now().astimezone(SHOP_ZONE)
    return [f"C-{today - timedelta(days=back):%Y%m%d}-{number:0>4}" for back in range(_TAIL_DAYS)]


def find(shops: Sequence[int], text: str, limit: int = 10) -> tuple[Hit, ...]:
    """The search box: case code (whole or its tail), waybill, order number, or four digits of a phone's end.

    Reissue codes: `reissues.queries.find`.
    """
    text, number = text.strip(), clean_number(text)
    if len(number) < 3:
        return ()
    with reading(shops):
        rows = case_rows(shops).filter(id__in=numbered(shops, text)).order_by("-id")[:limit]
        hits = [_case_hit(case_row(row), _matched(row, text, number)) for row in rows]
        seen = {hit.number for hit in hits if hit.number}
        found = find_parcels(shops, text, limit) if len(number) >= 4 else ()
        hits.extend(
            _parcel_hit(parcel, "waybill" if parcel.number.startswith(number) else "order")
            for parcel in found
            if not parcel.number or parcel.number not in seen
        )
        if len(number) == 4 and number.isdigit():
            hits.extend(_by_phone_tail(shops, number, limit))
    return tuple(hits[: 2 * limit])


def _matched(row: Case, text: str, number: str) -> str:
    if number in row.code:
        return "code"
    return "order" if row.order.number.startswith((text, number)) else "waybill"


def _by_phone_tail(shops: Sequence[int], tail: str, limit: int) -> list[Hit]:
    of_shops = orders.orders_by_phone_tail(shops, tail, limit=limit)
    wanted = [order_id for _, order_id in of_shops]
    boxes = Parcel.objects.filter(shop_id__in=shops, order_id__in=wanted).select_related("order")
    parcels = list(boxes.order_by("-id")[:limit])
    cases = {
        row.parcel_id: case_row(row)
        for row in case_rows(shops).filter(parcel_id__in=[parcel.pk for parcel in parcels]).order_by("id")
    }
    return [
        _case_hit(cases[parcel.pk], "phone")
        if parcel.pk in cases
        else Hit(
            "parcel",
            parcel.shop_id,
            str(parcel.pk),
            "phone",
            parcel.order.number,
            carrier=parcel.carrier,
            number=parcel.number,
            stage=parcel.stage,
        )
        for parcel in parcels
    ]


def _case_hit(row: CaseRow, matched: str) -> Hit:
    return Hit(
        "case",
        row.shop_id,
        row.code,
        matched,
        row.order_number,
        carrier=row.carrier,
        number=row.number,
        case_code=row.code,
        stage=row.stage,
    )


def _parcel_hit(parcel: ParcelView, matched: str) -> Hit:
    return Hit(
        "parcel",
        parcel.shop_id,
        str(parcel.parcel_id),
        matched,
        parcel.order_number,
        carrier=parcel.carrier,
        number=parcel.number,
        stage=parcel.stage,
    )
