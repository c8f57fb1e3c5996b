"""Penalty notices come in, by hand or by file; the clock that a notice starts follows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

from bufa.apps.audit import actions as audit
from bufa.apps.cases import taking_in
from bufa.apps.cases.actors import Actor
from bufa.apps.parcels import told
from bufa.apps.parcels.models import Parcel, ParcelFact, PenaltyNotice
from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.domain.permissions import Permission, check
from bufa.domain.rulebook import Fact
from bufa.lib import clock
from bufa.lib.tenancy import writing


@dataclass(frozen=True, slots=True)
class NewNotice:
    """`amount_fen` None where the notice named none."""

    parcel_id: int
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
        if one.noticed_at > now:
            raise Refused("said_in_the_future", said_at=one.noticed_at.isoformat())
        if one.amount_fen is not None and one.amount_fen < 0:
            raise Refused("amount_negative")
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
        row = PenaltyNotice.objects.select_for_update().get(shop_id=shop_id, id=notice_id)
        gone = NewNotice(row.parcel_id, Penalty(row.kind), row.noticed_at, row.amount_fen)
        row.delete()
        _follow(shop_id, gone.parcel_id, told.PERSON, by, now, was=gone)
        said = {"kind": gone.kind.value, "at": gone.noticed_at.isoformat()}
        audit.record(shop_id, by.ref, "penalty.remove", f"parcel:{gone.parcel_id}", said)
        taking_in.judge_again(shop_id=shop_id, parcel_ids=[gone.parcel_id], now=now)
        return gone


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
