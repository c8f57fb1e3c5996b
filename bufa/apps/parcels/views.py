"""Parcels as the pages show them: rows of a list, one parcel with its scans. Plain values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel, Scan
from bufa.apps.parcels.numbers import clean_number
from bufa.domain.parcels import FUTURE_SLACK
from bufa.lib import keyset
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

NUMBERED = 200
"""Most parcels that a search by number goes through."""

_NEWEST = keyset.Order(Parcel._meta.db_table, "id", descending=True)
_SOONEST = keyset.Order(Parcel._meta.db_table, "risk_at")
_DEAREST = keyset.Order(Parcel._meta.db_table, "risk_fen", descending=True, numbers=True)


@dataclass(frozen=True, slots=True)
class ScanView:
    scanned_at: datetime
    received_at: datetime
    kind: str
    reason: str
    place: str
    text: str
    provider: str

    @property
    def usable(self) -> bool:
        """False for a scan dated in the future of its own arrival: it does not count for the parcel's state."""
        return self.scanned_at <= self.received_at + FUTURE_SLACK

    @property
    def believed_at(self) -> datetime:
        """Where the scan stands among the others: at its own time, or when it was told if that time cannot be."""
        return self.scanned_at if self.usable else self.received_at


@dataclass(frozen=True, slots=True)
class ParcelView:
    """One parcel; `scans` oldest first, filled only where asked for. It costs `cost_fen` by now, and `risk_fen` more at
    `risk_at` by `risk_rule`, whose clock `risk_moved` made stand still; `warn_rule` is the finding that comes next, at
    `warn_at`."""

    shop_id: int
    parcel_id: int
    order_id: int
    order_number: str
    role: str
    carrier: str
    number: str
    stage: str
    place: str
    contents: tuple[tuple[str, int], ...]
    uploaded_at: datetime | None
    last_scan_at: datetime | None
    next_deadline: datetime | None
    risk_fen: int
    risk_at: datetime | None
    origin_province: str
    dest_province: str
    is_watched: bool
    created_at: datetime
    state: dict[str, Any]
    cost_fen: int = 0
    risk_rule: str = ""
    warn_rule: str = ""
    warn_at: datetime | None = None
    scans: tuple[ScanView, ...] = ()
    risk_moved: tuple[dict[str, Any], ...] = ()

    @property
    def after_fen(self) -> int:
        """What it costs after the next step of its clock."""
        return self.cost_fen + self.risk_fen


@dataclass(frozen=True, slots=True)
class ParcelFilters:
    """`text` is a waybill or order number or its beginning. `at_risk`: money is at stake; `dearest`: and most of it
    first, not what costs soonest."""

    stage: str = ""
    carrier: str = ""
    role: str = ""
    text: str = ""
    at_risk: bool = False
    dearest: bool = False


@dataclass(frozen=True, slots=True)
class ParcelPage:
    rows: tuple[ParcelView, ...]
    next_cursor: str


def parcel_list(
    shops: Sequence[int], filters: ParcelFilters | None = None, cursor: str = "", limit: int = 50
) -> ParcelPage:
    """Parcels a page at a time: those at risk by when that costs or by how much, else the newest first. Give
    `next_cursor` back for the next page."""
    filters = filters or ParcelFilters()
    where = ["t.risk_fen > 0"] if filters.at_risk else []
    params: dict[str, Any] = {}
    for column in ("stage", "carrier", "role"):
        if wanted := getattr(filters, column):
            where.append(f"t.{column} = %({column})s")
            params[column] = wanted
    order = (_DEAREST if filters.dearest else _SOONEST) if filters.at_risk else _NEWEST
    with reading(shops):
        if text := filters.text.strip():
            where.append("t.id = ANY (%(ids)s)")
            params["ids"] = numbered(shops, text, NUMBERED)
        found, more = keyset.ids(shops, order, where, params, cursor, limit)
        rows = {row.pk: row for row in _rows(shops).filter(id__in=found)}
    return ParcelPage(tuple(_view(rows[key]) for key in found if key in rows), more)


def parcel_view(shop_id: int, parcel_id: int) -> ParcelView | None:
    """One parcel with its scans; None when it is not this shop's."""
    return parcel_views([shop_id], [parcel_id], with_scans=True).get(parcel_id)


@prepared
def _by_id(shops: Sequence[int], ids: Sequence[int]) -> QuerySet[Parcel]:
    return _rows(shops).filter(id__one_of=ids)


@prepared
def _scans(shops: Sequence[int], ids: Sequence[int]) -> QuerySet[Scan]:
    return Scan.objects.filter(shop_id__one_of=shops, parcel_id__one_of=ids).order_by("scanned_at", "id")


@prepared
def _of_orders(shops: Sequence[int], order_ids: Sequence[int]) -> QuerySet[Parcel]:
    return _rows(shops).filter(order_id__one_of=order_ids).order_by("role", "id")


@remembered
def parcel_views(shops: Sequence[int], parcel_ids: Sequence[int], *, with_scans: bool = False) -> dict[int, ParcelView]:
    """Parcels by id, in two queries however many."""
    with reading(shops):
        views = {row.pk: _view(row) for row in _by_id(shops, parcel_ids)}
        if not with_scans:
            return views
        scans: dict[int, list[ScanView]] = {}
        for row in _scans(shops, parcel_ids):
            shown = ScanView(row.scanned_at, row.received_at, row.kind, row.reason, row.place, row.text, row.provider)
            scans.setdefault(row.parcel_id, []).append(shown)
        return {key: replace(view, scans=tuple(scans.get(key, ()))) for key, view in views.items()}


def parcels_of_order(shop_id: int, order_id: int) -> tuple[ParcelView, ...]:
    """All parcels of an order, originals first."""
    return parcels_of_orders(shop_id, [order_id])


@remembered
def parcels_of_orders(shop_id: int, order_ids: Sequence[int]) -> tuple[ParcelView, ...]:
    """All parcels of some orders, originals first; in one query."""
    with reading([shop_id]):
        return tuple(_view(row) for row in _of_orders([shop_id], order_ids))


def find_parcels(shops: Sequence[int], text: str, limit: int = 10) -> tuple[ParcelView, ...]:
    """Parcels whose waybill or order number is, or begins with, the text."""
    text = text.strip()
    if len(clean_number(text)) < 4:
        return ()
    with reading(shops):
        rows = _rows(shops).filter(id__in=numbered(shops, text, limit))
        return tuple(_view(row) for row in rows.order_by("-id")[:limit])


def numbered(shops: Sequence[int], text: str, limit: int) -> list[int]:
    """Ids of parcels whose waybill or order number begins so, however dirty it was copied, at most `limit` by each; a
    shop's own order numbers may be in small letters. One query: a question for each number, with its own index."""
    text = text.strip()
    if not (number := clean_number(text)):
        return []
    mine = Parcel.objects.filter(shop_id__in=shops)
    orders = Order.objects.filter(keyset.starts("number", number) | keyset.starts("number", text), shop_id__in=shops)
    by_order = mine.filter(order_id__in=list(orders.values_list("id", flat=True)[:limit])).values_list("id")
    by_number = mine.filter(keyset.starts("number", number)).values_list("id")
    return [row_id for (row_id,) in by_number.order_by()[:limit].union(by_order.order_by()[:limit])]


def _rows(shops: Sequence[int]) -> QuerySet[Parcel]:
    return Parcel.objects.filter(shop_id__one_of=shops).annotate(order_number=F("order__number"))


def _view(row: Parcel) -> ParcelView:
    return ParcelView(
        shop_id=row.shop_id,
        parcel_id=row.pk,
        order_id=row.order_id,
        order_number=row.order_number,  # type: ignore[attr-defined]
        role=row.role,
        carrier=row.carrier,
        number=row.number,
        stage=row.stage,
        place=row.place,
        contents=tuple((str(line), int(count)) for line, count in row.contents),
        uploaded_at=row.uploaded_at,
        last_scan_at=row.last_scan_at,
        next_deadline=row.next_deadline,
        risk_fen=row.risk_fen,
        risk_at=row.risk_at,
        origin_province=row.origin_province,
        dest_province=row.dest_province,
        is_watched=row.is_watched,
        created_at=row.created_at,
        state=row.state,
        cost_fen=row.cost_fen,
        risk_rule=row.risk_rule,
        warn_rule=row.warn_rule,
        warn_at=row.warn_at,
        risk_moved=tuple(row.risk_moved or ()),
    )
