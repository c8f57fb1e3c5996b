"""Penalty notices come in, by hand or by file; the clock that a notice starts follows at once.

A notice that fits no parcel is kept as it was written, and placed later: by a person, or by itself once its order is
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Min, ProtectedError

from bufa.apps.audit import actions as audit
from bufa.apps.cases import taking_in
from bufa.apps.cases.actors import Actor
from bufa.apps.parcels import penalties as notices_of
from bufa.apps.parcels import told
from bufa.apps.parcels.models import Parcel, ParcelFact, PenaltyNotice
from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.domain.permissions import Permission, check
from bufa.domain.rulebook import Fact
from bufa.domain.waybills import clean
from bufa.lib import clock
from bufa.lib.tenancy import for_shops, writing


@dataclass(frozen=True, slots=True)
class NewNotice:
    """`amount_fen` None where the notice named none."""

    parcel_id: int
    kind: Penalty
    noticed_at: datetime
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class WrittenNotice:
    """A notice under what it names: an order number, a waybill or both."""

    order_number: str
    waybill: str
    kind: Penalty
    noticed_at: datetime
    amount_fen: int | None = None


def record(
    *, shop_id: int, notices: Sequence[NewNotice], by: Actor, source: str = told.PERSON, now: datetime | None = None
) -> int:
    """Write notices down; the same one again takes the amount it names now. Their parcels are judged with them at once.

    Returns how many were new. Raises Refused `said_in_the_future`, `amount_negative`; Parcel.DoesNotExist.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    for one in notices:
        _check(one.noticed_at, one.amount_fen, now)
    new = 0
    with writing([shop_id]):
        ids = sorted({one.parcel_id for one in notices})
        locked = Parcel.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, id__in=ids).order_by("id")
        if list(locked.values_list("id", flat=True)) != ids:
            raise Parcel.DoesNotExist
        for one in notices:
            _, made = PenaltyNotice.objects.update_or_create(
                shop_id=shop_id,
                parcel_id=one.parcel_id,
                kind=one.kind.value,
                noticed_at=one.noticed_at,
                defaults={"amount_fen": one.amount_fen, "source": source, "by": by.name[:80], "recorded_at": now},
            )
            new += made
        for parcel_id in ids:
            _follow(shop_id, parcel_id, source, by, now)
        audit.record(shop_id, by.ref, "penalty.record", f"shop:{shop_id}", {"notices": len(notices), "new": new})
        taking_in.judge_again(shop_id=shop_id, parcel_ids=ids, now=now)
    return new


def remove(*, shop_id: int, notice_id: int, by: Actor, now: datetime | None = None) -> NewNotice:
    """Take a notice back; its parcel is judged without it. Returns it. PenaltyNotice.DoesNotExist."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        rows = PenaltyNotice.objects.select_for_update(of=("self",))
        row = rows.get(shop_id=shop_id, id=notice_id, parcel__isnull=False)
        gone = NewNotice(row.parcel_id or 0, Penalty(row.kind), row.noticed_at, row.amount_fen)
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:
            raise Refused("penalty_is_appealed") from None
        _follow(shop_id, gone.parcel_id, told.PERSON, by, now, was=gone)
        said = {"kind": gone.kind.value, "at": gone.noticed_at.isoformat()}
        audit.record(shop_id, by.ref, "penalty.remove", f"parcel:{gone.parcel_id}", said)
        taking_in.judge_again(shop_id=shop_id, parcel_ids=[gone.parcel_id], now=now)
        return gone


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of notices: `parcels`: row by row the parcel it was placed at, None for one that is listed as
    unplaced, with `whys` saying why."""

    new: int
    parcels: tuple[int | None, ...]
    whys: tuple[str, ...]


def take(
    *,
    shop_id: int,
    notices: Sequence[WrittenNotice],
    by: Actor,
    source: str = told.PERSON,
    now: datetime | None = None,
) -> Taken:
    """Write notices down under what they name: at their parcels where those are known, else as unplaced.

    Raises Refused as `record` does, and penalty_names_nothing.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    if any(not one.order_number and not one.waybill for one in notices):
        raise Refused("penalty_names_nothing")
    with writing([shop_id]):
        found = notices_of.find(shop_id, [(one.order_number, one.waybill) for one in notices])
        pairs = list(zip(notices, found, strict=True))
        placed = [
            NewNotice(it.parcel_id, one.kind, one.noticed_at, one.amount_fen)
            for one, it in pairs
            if it.parcel_id is not None
        ]
        new = record(shop_id=shop_id, notices=placed, by=by, source=source, now=now) if placed else 0
        for one, it in pairs:
            if it.parcel_id is None:
                new += _keep_unplaced(shop_id, one, it.why, source, by, now)
    return Taken(new, tuple(it.parcel_id for it in found), tuple(it.why for it in found))


def named(*, shop_id: int, text: str) -> tuple[str, str]:
    """What somebody typed as (order number, waybill): an order's number where the shop has such an order, else a
    waybill where it has such a parcel, else taken for an order's number."""
    text = text.strip()
    by_order, by_waybill = notices_of.find(shop_id, [(text, ""), ("", clean(text))])
    return ("", clean(text)) if by_order.why == "order_unknown" and not by_waybill.why else (text, "")


def place(*, shop_id: int, notice_id: int, text: str, by: Actor, now: datetime | None = None) -> int:
    """A person says which parcel an unplaced notice is about: by its waybill or by its order's number. Returns it.

    Raises Refused: penalty_is_placed, and as `parcels.penalties.find` says: order_unknown, order_has_parcels.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        row = _unplaced(shop_id, notice_id)
        [found] = notices_of.find(shop_id, [named(shop_id=shop_id, text=text)])
        if found.parcel_id is None:
            raise Refused(f"penalty_{found.why}", named=text.strip()[:40])
        _place(row, found.parcel_id, by, now)
        return found.parcel_id


def set_aside(*, shop_id: int, notice_id: int, by: Actor) -> None:
    """The notice is about nothing of this shop. Raises Refused `penalty_is_placed`."""
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        row = _unplaced(shop_id, notice_id)
        row.is_set_aside = True
        row.save(update_fields=["is_set_aside"])
        audit.record(shop_id, by.ref, "penalty.set_aside", f"notice:{notice_id}")


def match_again(*, shop_id: int, by: Actor, now: datetime | None = None, limit: int = 500) -> int:
    """Look once more for the parcels of unplaced notices: their orders may have come meanwhile. Returns how many."""
    now = now or clock.now()
    with for_shops([shop_id]):
        waiting = PenaltyNotice.objects.filter(shop_id=shop_id, parcel=None, is_set_aside=False)
        if not waiting.exists():
            return 0
    with writing([shop_id]):
        rows = list(waiting.select_for_update(of=("self",)).order_by("id")[:limit])
        found = notices_of.find(shop_id, [(row.order_number, row.waybill) for row in rows])
        placed = [(row, it.parcel_id) for row, it in zip(rows, found, strict=True) if it.parcel_id is not None]
        for row, parcel_id in placed:
            _place(row, parcel_id, by, now)
        return len(placed)


def _keep_unplaced(shop_id: int, one: WrittenNotice, why: str, source: str, by: Actor, now: datetime) -> bool:
    _check(one.noticed_at, one.amount_fen, now)
    _, made = PenaltyNotice.objects.update_or_create(
        shop_id=shop_id,
        parcel=None,
        order_number=one.order_number[:40],
        waybill=one.waybill[:80],
        kind=one.kind.value,
        noticed_at=one.noticed_at,
        defaults={
            "amount_fen": one.amount_fen, "source": source, "by": by.name[:80], "recorded_at": now, "why": why,
        },
    )  # fmt: skip
    if made:
        audit.record(shop_id, by.ref, "penalty.unplaced", f"shop:{shop_id}", {"why": why})
    return made


def _unplaced(shop_id: int, notice_id: int) -> PenaltyNotice:
    row = PenaltyNotice.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=notice_id)
    if row.parcel_id is not None or row.is_set_aside:
        raise Refused("penalty_is_placed")
    return row


def _place(row: PenaltyNotice, parcel_id: int, by: Actor, now: datetime) -> None:
    """The unplaced row goes, the parcel's own comes: the same notice twice is one."""
    notice = NewNotice(parcel_id, Penalty(row.kind), row.noticed_at, row.amount_fen)
    source = row.source
    row.delete()
    record(shop_id=row.shop_id, notices=[notice], by=by, source=source, now=now)


def _check(noticed_at: datetime, amount_fen: int | None, now: datetime) -> None:
    if noticed_at > now:
        raise Refused("said_in_the_future", said_at=noticed_at.isoformat())
    if amount_fen is not None and amount_fen < 0:
        raise Refused("amount_negative")


def _follow(
    shop_id: int, parcel_id: int, source: str, by: Actor, now: datetime, *, was: NewNotice | None = None
) -> None:
    """The first notice that starts the clock is a fact about the parcel, and no fact where there is none any more.

    A date that somebody told by itself, and that no notice stands for, stays.
    """
    kinds = [kind.value for kind in Penalty if kind.starts_clock]
    rows = PenaltyNotice.objects.filter(shop_id=shop_id, parcel_id=parcel_id, kind__in=kinds)
    first = rows.aggregate(first=Min("noticed_at"))["first"]
    facts = ParcelFact.objects.filter(shop_id=shop_id, parcel_id=parcel_id, fact=Fact.PENALTY_NOTICE)
    if first is not None:
        told.put(shop_id, [(parcel_id, Fact.PENALTY_NOTICE, first)], source=source, by=by.name, now=now)
    elif was is not None and was.kind.starts_clock:
        facts.filter(at=was.noticed_at).delete()
