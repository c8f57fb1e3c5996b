"""Which parcels a tracking provider is asked about next, where it pushes nothing: a budget of calls an hour goes where
a deadline is near or a customer waits.

Every parcel has an instant by which it should have been asked: its deadline, an hour where a customer waits, a day
where nothing presses. The nearest goes first. A deadline pulls only until it was asked about after it; so whoever waits
long enough comes before everything that arrives later, and nobody waits for ever.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
STRETCH = timedelta(minutes=5)
"""The planned calls of an hour are spread: of these minutes each gets its share, so that who comes later finds room."""

CUSTOMER_EVERY = timedelta(hours=2)
CUSTOMER_BY = timedelta(hours=1)
TURN_EVERY = timedelta(hours=12)
TURN_BY = timedelta(hours=24)
OF_WHAT_IS_LEFT = 4
"""A parcel is asked about again when a quarter of the time to its deadline has passed."""

PASSING = frozenset({"busy", "limited", "http", "timeout", "cut", "refused_connection", "unavailable", "malformed"})
"""Failures of the provider that time heals."""

STANDING = frozenset({"denied", "signature", "token", "no_credit", "not_connected"})
"""Failures of the account that a person has to heal."""

OF_THE_PARCEL = frozenset({"phone", "phone_unknown", "unsupported", "input", "stopped"})
"""What is wrong with one parcel and stays so."""

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = HOUR
_LONGEST_BACK_OFF = timedelta(hours=24)
_HOPELESS = timedelta(days=7)


class Why(StrEnum):
    """What a call is for."""

    CUSTOMER = "customer"
    DEADLINE = "deadline"
    NEW = "new"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Budget:
    """`per_hour`: calls in any sixty minutes, never more. A tenth is kept for people who ask now."""

    per_hour: int

    @property
    def planned(self) -> int:
        return self.per_hour - self.per_hour // 10

    @property
    def stretch(self) -> int:
        """Planned calls in any `STRETCH`."""
        return math.ceil(self.planned * STRETCH / HOUR)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made. `planned`: not asked for by a person. `failure`: why it failed, "" for an answer, None
    while nobody knows."""

    at: datetime
    planned: bool = True
    failure: str | None = ""


@dataclass(frozen=True, slots=True)
class Wanting:
    """A parcel that may be asked about. `since`: from when it was there to be asked about; `not_before`: a failure of
    its own makes it wait."""

    parcel_id: int
    deadline: datetime | None
    customer_waits: bool
    asked_at: datetime | None
    since: datetime
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A call to come. `at`: when it is made as far as can be seen; `by`: when it should have been."""

    parcel_id: int
    at: datetime
    why: Why
    by: datetime
    deadline: datetime | None


def due(one: Wanting, between: timedelta) -> Turn:
    """From when (`at`) the parcel may be asked about, by when it should be, and what for. `between`: the provider's
    least time between two questions about one number."""
    pulls = one.deadline if one.deadline and (one.asked_at is None or one.deadline > one.asked_at) else None
    at = one.since if one.asked_at is None else one.asked_at + max(between, _every(one, pulls))
    if one.not_before is not None:
        at = max(at, one.not_before)
    ends = [(at + TURN_BY, Why.NEW if one.asked_at is None else Why.TURN)]
    if pulls is not None:
        ends.append((pulls, Why.DEADLINE))
    if one.customer_waits:
        ends.append((at + CUSTOMER_BY, Why.CUSTOMER))
    by, why = min(ends, key=lambda end: end[0])
    return Turn(one.parcel_id, at, why, by, pulls)


def _every(one: Wanting, pulls: datetime | None) -> timedelta:
    every = TURN_EVERY
    if pulls is not None and one.asked_at is not None:
        every = min(every, (pulls - one.asked_at) / OF_WHAT_IS_LEFT)
    return min(every, CUSTOMER_EVERY) if one.customer_waits else every


def turns(
    wanting: Iterable[Wanting],
    budget: Budget,
    calls: Sequence[Call],
    now: datetime,
    *,
    between: timedelta,
    limit: int = 50,
) -> list[Turn]:
    """The next planned calls in order, each with the instant at which the budget has room for it; those with `at` not
    after `now` are to be made now. One a parcel. `calls`: all of the last hour at least."""
    if budget.per_hour < 1:
        return []
    every, planned = sorted(call.at for call in calls), sorted(call.at for call in calls if call.planned)
    coming = sorted((due(one, between) for one in wanting), key=lambda turn: (turn.at, turn.parcel_id))
    open_from = max(now, paused_until(calls) or now)
    ready: list[tuple[datetime, int, Turn]] = []
    found: list[Turn] = []
    place = 0
    while len(found) < limit and (ready or place < len(coming)):
        at = max(open_from, _room(every, planned, budget))
        if not ready:
            at = max(at, coming[place].at)
        while place < len(coming) and coming[place].at <= at:
            heapq.heappush(ready, (coming[place].by, coming[place].parcel_id, coming[place]))
            place += 1
        *_, turn = heapq.heappop(ready)
        found.append(Turn(turn.parcel_id, at, turn.why, turn.by, turn.deadline))
        every.append(at)
        planned.append(at)
        open_from = at
    return found


def _room(every: Sequence[datetime], planned: Sequence[datetime], budget: Budget) -> datetime:
    """From when on one more planned call stays within every window; long ago where there is room now."""
    found = [_free(every, budget.per_hour, HOUR), _free(planned, budget.planned, HOUR)]
    found.append(_free(planned, budget.stretch, STRETCH))
    return max((at for at in found if at is not None), default=_LONG_AGO)


def _free(made: Sequence[datetime], most: int, within: timedelta) -> datetime | None:
    return made[-most] + within if len(made) >= most else None


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def free_for_people(budget: Budget, calls: Iterable[Call], now: datetime) -> datetime | None:
    """None when a person may ask now; else from when. People may use all that is left of the hour."""
    if budget.per_hour < 1:
        return None
    at = _free(sorted(call.at for call in calls), budget.per_hour, HOUR)
    return at if at is not None and at > now else None


def spent(calls: Iterable[Call], now: datetime) -> int:
    """Calls in the hour that ends now."""
    return sum(now - HOUR < call.at <= now for call in calls)


def paused_until(calls: Sequence[Call]) -> datetime | None:
    """Until when nobody is asked because the provider or the account fails: a minute after the first failure, doubled
    by each further one in a row, an hour at most. None when the last answer was one."""
    known = sorted((call for call in calls if call.failure is not None), key=lambda call: call.at)
    in_a_row: list[Call] = []
    for call in reversed(known):
        if call.failure not in PASSING | STANDING:
            break
        in_a_row.append(call)
    if not in_a_row:
        return None
    last = in_a_row[0]
    if last.failure in STANDING:
        return last.at + _LONGEST_PAUSE
    return last.at + min(_FIRST_PAUSE * (1 << min(len(in_a_row) - 1, 10)), _LONGEST_PAUSE)


def back_off(failure: str, failures: int, between: timedelta) -> timedelta:
    """How long a parcel waits after its `failures`-th failure in a row (from 1)."""
    if failure in OF_THE_PARCEL:
        return _HOPELESS
    return min(between * (1 << min(failures - 1, 10)), _LONGEST_BACK_OFF)
