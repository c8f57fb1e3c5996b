"""What became of the dates that customers were told: each has a clock, and is kept, broken, or told anew in time.

Not to be mixed up with promises of shipping (`promises`), which are the platform's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bufa.domain.rulebook import shop_day

_ZONE = ZoneInfo("Asia/Shanghai")

LEAD = timedelta(hours=24)
"""How long before the end of the day told it is time to say a new one, when the parcel is not there."""

LOOK_EVERY = timedelta(hours=12)
"""A parcel that falls behind its lane is noticed that soon, also before `LEAD`."""

STEP = timedelta(days=1)


class PromiseState(StrEnum):
    """`moved`: a new date was told before this one broke. `void`: the case was settled in another way by then."""

    RUNNING = "running"
    KEPT = "kept"
    BROKEN = "broken"
    MOVED = "moved"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Promised:
    """`until`: the last instant of the last day told (`holds_until`)."""

    made_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Ruling:
    """`warn`: a new message should be proposed. `next_at`: when to look again, None once it is settled."""

    state: PromiseState
    settled_at: datetime | None
    warn: bool
    next_at: datetime | None


def holds_until(last: datetime) -> datetime:
    """The end of the shop day that a message names as the last one."""
    return datetime.combine(shop_day(last) + timedelta(days=1), time(), _ZONE)


def rule(
    promised: Promised,
    *,
    arrived_at: datetime | None,
    renewed_at: datetime | None,
    ended_at: datetime | None,
    expected: datetime | None,
    now: datetime,
) -> Ruling:
    """What holds of a promise at `now`.

    `arrived_at`: when tracking says that the goods came. `renewed_at`: when the next date was told. `ended_at`: when
    the case was settled without them. `expected`: by when the lane brings nine in ten parcels, None where that is not
    known. Of several, what happened first decides; after `until` nothing can be kept any more.
    """
    ends = [
        (at, state)
        for at, state in (
            (arrived_at, PromiseState.KEPT),
            (renewed_at, PromiseState.MOVED),
            (ended_at, PromiseState.VOID),
        )
        if at is not None and at < promised.until
    ]
    if ends:
        at, state = min(ends, key=lambda end: end[0])
        return Ruling(state, at, False, None)
    if now >= promised.until:
        return Ruling(PromiseState.BROKEN, promised.until, True, None)
    lead = promised.until - LEAD
    behind = expected is not None and expected >= promised.until
    warn = now >= lead or behind
    return Ruling(PromiseState.RUNNING, None, warn, promised.until if now >= lead else min(lead, now + LOOK_EVERY))


def new_dates(expected: tuple[datetime, datetime] | None, until: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The days that a new message tells: the lane's, but never a day that is over or the one that is breaking."""
    least = max(shop_day(until - timedelta(microseconds=1)), shop_day(now)) + STEP
    first, last = expected or (now + 2 * STEP, now + 3 * STEP)
    floor = datetime.combine(least, time(12), _ZONE)
    first = max(first, floor)
    return first, max(last, first)
