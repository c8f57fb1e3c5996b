"""What is so around a parcel and no scan tells: said by people and files, or seen in what else was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bufa.apps.parcels.models import ParcelFact, ParcelRole
from bufa.apps.parcels.rows import Row
from bufa.domain.rulebook import Fact
from bufa.lib.db import cursor, unnest_insert
from bufa.lib.tenancy import reading

PERSON, FILE, STATEMENT, AFTER_SALE, NUMBERS = "person", "file", "statement", "after_sale", "numbers"


@dataclass(frozen=True, slots=True)
class Told:
    """One fact about a parcel; `source` is a word of this module."""

    fact: Fact
    at: datetime
    source: str
    by: str


@dataclass(slots=True)
class Surroundings:
    """What judging a parcel needs beside its own row and its order's."""

    city: str = ""
    district: str = ""
    number_uploads: tuple[datetime, ...] = ()
    facts: dict[Fact, datetime] = field(default_factory=dict)


def put(
    shop_id: int, told: Iterable[tuple[int, Fact, datetime]], *, source: str, by: str, now: datetime, keep: bool = False
) -> None:
    """Write facts about parcels; the same fact again takes the new time, or keeps the first one with `keep`.

    Inside `for_shops`. Judging is the caller's.
    """
    rows = list({(parcel_id, fact): at for parcel_id, fact, at in told}.items())
    conflict = "DO NOTHING" if keep else "DO UPDATE SET at = EXCLUDED.at, source = EXCLUDED.source, by = EXCLUDED.by"
    unnest_insert(
        ParcelFact._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(rows)),
            "parcel_id": ("bigint", [parcel_id for (parcel_id, _), _ in rows]),
            "fact": ("text", [fact.value for (_, fact), _ in rows]),
            "at": ("timestamptz", [at for _, at in rows]),
            "source": ("text", [source] * len(rows)),
            "by": ("text", [by[:80]] * len(rows)),
            "recorded_at": ("timestamptz", [now] * len(rows)),
        },
        on_conflict=f"(parcel_id, fact) {conflict}",
    )


def withdraw(shop_id: int, parcel_id: int, fact: Fact) -> datetime | None:
    """Take a fact back; returns since when it was so, None when it was not there. Inside `for_shops`."""
    rows = ParcelFact.objects.filter(shop_id=shop_id, parcel_id=parcel_id, fact=fact)
    at = rows.values_list("at", flat=True).first()
    rows.delete()
    return at


def of_parcel(shop_id: int, parcel_id: int) -> tuple[Told, ...]:
    """What was told about a parcel, oldest first."""
    with reading([shop_id]):
        rows = ParcelFact.objects.filter(shop_id=shop_id, parcel_id=parcel_id).order_by("at", "id")
        return tuple(Told(Fact(row.fact), row.at, row.source, row.by) for row in rows)


_SIBLINGS = """
SELECT order_id, id, role, uploaded_at, package_id, contents::text FROM parcels_parcel
WHERE shop_id = %(shop)s AND order_id = ANY (%(orders)s) AND number <> ''
"""
_RECEIVERS = """
SELECT order_id, city, district, moved_at FROM orders_recipient
WHERE shop_id = %(shop)s AND order_id = ANY (%(orders)s)
"""
_TOLD = "SELECT parcel_id, fact, at FROM parcels_parcelfact WHERE shop_id = %(shop)s AND parcel_id = ANY (%(parcels)s)"


def surroundings(shop_id: int, rows: Sequence[Row]) -> Mapping[int, Surroundings]:
    """By parcel id, in three queries however many; inside `for_shops`."""
    found = {row.pk: Surroundings() for row in rows}
    if not rows:
        return found
    asked = {"shop": shop_id, "orders": sorted({row.order_id for row in rows}), "parcels": sorted(found)}
    boxes: dict[int, list[_Box]] = {}
    with cursor() as cur:
        for order_id, parcel_id, role, uploaded_at, package_id, raw in cur.execute(_SIBLINGS, asked):
            boxes.setdefault(order_id, []).append(_Box(parcel_id, role, uploaded_at, package_id, raw))
        receivers = {order_id: told for order_id, *told in cur.execute(_RECEIVERS, asked)}
        for parcel_id, fact, at in cur.execute(_TOLD, asked):
            found[parcel_id].facts[Fact(fact)] = at
    for row in rows:
        around = found[row.pk]
        city, district, moved_at = receivers.get(row.order_id, ("", "", None))
        around.city, around.district = city, district
        if row.role != ParcelRole.ORIGINAL:
            continue
        if moved_at is not None and row.uploaded_at is not None and moved_at > row.uploaded_at:
            # The label was written for the receiver of before.
            around.facts.setdefault(Fact.RECEIVER_DIFFERS, moved_at)
        _beside(row, boxes.get(row.order_id, ()), around)
    return found


@dataclass(frozen=True, slots=True)
class _Box:
    parcel_id: int
    role: str
    uploaded_at: datetime | None
    package_id: str
    contents: str

    @property
    def lines(self) -> frozenset[str]:
        return _lines(self.contents)


def _lines(contents: str) -> frozenset[str]:
    return frozenset(str(line) for line, _ in json.loads(contents))


def _beside(row: Row, boxes: Sequence[_Box], around: Surroundings) -> None:
    """What the order's other boxes mean to this one: its reissue, and further numbers for the same goods.

    A reissue that hangs on the buyer's ticket has no package of the platform's: it is no further number of the order.
    """
    if len(boxes) == 1 and boxes[0].parcel_id == row.pk:  # as most are
        around.number_uploads = (row.uploaded_at,) if row.uploaded_at is not None else ()
        return
    again = [box for box in boxes if box.role == ParcelRole.REISSUE and box.uploaded_at is not None]
    if again:
        around.facts.setdefault(Fact.REISSUED, min(box.uploaded_at for box in again if box.uploaded_at))
    mine = _lines(row.contents)
    same = [
        box
        for box in boxes
        if box.uploaded_at is not None
        and (box.parcel_id == row.pk or (box.package_id and mine & box.lines))
        and (box.role == ParcelRole.ORIGINAL or box.package_id)
    ]
    around.number_uploads = tuple(sorted(box.uploaded_at for box in same if box.uploaded_at))
