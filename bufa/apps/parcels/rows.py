"""Parcels as they are read for judging: one statement with the order beside, plain tuples, no models.

Batches of thousands pass here, and a model instance a row would cost more than all the rules together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from bufa.lib.db import cursor


class Row(NamedTuple):
    """A parcel and what its order says; `state` and `contents` are JSON as stored."""

    pk: int
    order_id: int
    role: str
    carrier: str
    number: str
    stage: str
    state: str
    contents: str
    uploaded_at: datetime | None
    origin_province: str
    dest_province: str
    is_watched: bool
    next_deadline: datetime | None
    risk_fen: int
    risk_at: datetime | None
    ship_by: datetime | None
    paid_at: datetime | None
    promise_hours: int | None
    paid_fen: int
    goods_class: str
    is_closed: bool
    order_status: int


_SELECT = """
SELECT p.id, p.order_id, p.role, p.carrier, p.number, p.stage, p.state::text, p.contents::text, p.uploaded_at,
    p.origin_province, p.dest_province, p.is_watched, p.next_deadline, p.risk_fen, p.risk_at,
    o.ship_by, o.paid_at, o.promise_hours, o.paid_fen, o.goods_class, o.is_closed, o.status
FROM parcels_parcel p JOIN orders_order o ON o.id = p.order_id AND o.shop_id = p.shop_id
WHERE p.shop_id = %s AND {which} ORDER BY p.id
"""
_BY_ID = _SELECT.format(which="p.id = ANY (%s::bigint[])")
_BY_NUMBER = _SELECT.format(which="p.number = ANY (%s::text[]) AND p.number <> ''")
_LOCK = " FOR NO KEY UPDATE OF p"  # in the order of ids, so that two batches never wait for each other in a circle


def by_id(shop_id: int, parcel_ids: Iterable[int], *, lock: bool) -> list[Row]:
    """Inside `for_shops`."""
    return _read(_BY_ID + (_LOCK if lock else ""), shop_id, sorted(set(parcel_ids)))


def by_number(shop_id: int, numbers: Iterable[str]) -> list[Row]:
    """The parcels with these (clean) numbers, locked; inside `for_shops`."""
    return _read(_BY_NUMBER + _LOCK, shop_id, sorted(set(numbers)))


def _read(query: str, shop_id: int, keys: list[int] | list[str]) -> list[Row]:
    if not keys:
        return []
    with cursor() as cur:
        # One array instead of thousands of placeholders, which would have to be taken apart first.
        return [Row._make(row) for row in cur.execute(query, [shop_id, keys])]
