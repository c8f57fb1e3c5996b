"""What people say of a parcel and no scan tells, such as the date of a penalty notice: kept, judged, undone."""

from __future__ import annotations

from datetime import datetime

from bufa.apps.audit import actions as audit
from bufa.apps.cases import taking_in
from bufa.apps.cases.actors import Actor
from bufa.apps.parcels import told
from bufa.apps.parcels.models import Parcel
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.rulebook import TOLD_BY_PEOPLE, Fact
from bufa.lib import clock
from bufa.lib.tenancy import writing


def tell(
    *, shop_id: int, parcel_id: int, fact: Fact, at: datetime, by: Actor, now: datetime | None = None
) -> datetime | None:
    """Say since when something is so; the parcel is judged with it at once. Returns the time told before, if any.

    Raises Refused `fact_not_told` (seen by the system itself), `said_in_the_future`; Parcel.DoesNotExist.
    """
    now = now or clock.now()
    if fact not in TOLD_BY_PEOPLE:
        raise Refused("fact_not_told")
    if at > now:
        raise Refused("said_in_the_future", said_at=at.isoformat())
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        Parcel.objects.select_for_update().get(shop_id=shop_id, id=parcel_id)
        before = told.withdraw(shop_id, parcel_id, fact)
        told.put(shop_id, [(parcel_id, fact, at)], source=told.PERSON, by=by.name, now=now)
        said = {"fact": fact.value, "at": at.isoformat()}
        audit.record(shop_id, by.ref, "parcel.tell", f"parcel:{parcel_id}", said)
        taking_in.judge_again(shop_id=shop_id, parcel_ids=[parcel_id], now=now)
        return before


def withdraw(*, shop_id: int, parcel_id: int, fact: Fact, by: Actor, now: datetime | None = None) -> None:
    """Take it back; the parcel is judged without it. Raises Refused `fact_not_there`."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        Parcel.objects.select_for_update().get(shop_id=shop_id, id=parcel_id)
        if told.withdraw(shop_id, parcel_id, fact) is None:
            raise Refused("fact_not_there")
        audit.record(shop_id, by.ref, "parcel.untell", f"parcel:{parcel_id}", {"fact": fact.value})
        taking_in.judge_again(shop_id=shop_id, parcel_ids=[parcel_id], now=now)
