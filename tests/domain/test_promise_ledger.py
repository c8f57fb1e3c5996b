"""Dates told to customers: kept, broken, told anew in time; and when it is time to say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.promise_ledger import LEAD, Promised, PromiseState, Ruling, holds_until, new_dates, rule

MADE = datetime(2026, 11, 20, 4, tzinfo=UTC)
LAST = datetime(2026, 11, 23, 2, tzinfo=UTC)
UNTIL = datetime(2026, 11, 23, 16, tzinfo=UTC)  # the end of the 23rd in Shanghai
TOLD = Promised(MADE, UNTIL)
HOUR = timedelta(hours=1)


def ruled(now: datetime, **known: datetime | None) -> Ruling:
    nothing = {"arrived_at": None, "renewed_at": None, "ended_at": None, "expected": None}
    return rule(TOLD, **{**nothing, **known}, now=now)


def test_a_day_lasts_until_its_end_in_the_shop() -> None:
    assert holds_until(LAST) == UNTIL
    assert holds_until(UNTIL - timedelta(seconds=1)) == UNTIL
    assert holds_until(UNTIL) == UNTIL + timedelta(days=1)


def test_what_becomes_of_a_promise() -> None:
    assert ruled(MADE) == Ruling(PromiseState.RUNNING, None, False, MADE + 12 * HOUR)
    assert ruled(UNTIL - LEAD - HOUR) == Ruling(PromiseState.RUNNING, None, False, UNTIL - LEAD)
    assert ruled(UNTIL - LEAD) == Ruling(PromiseState.RUNNING, None, True, UNTIL)
    assert ruled(MADE + HOUR, expected=UNTIL).warn
    assert not ruled(MADE + HOUR, expected=UNTIL - HOUR).warn
    assert ruled(UNTIL) == Ruling(PromiseState.BROKEN, UNTIL, True, None)
    kept = UNTIL - HOUR
    assert ruled(UNTIL + 9 * HOUR, arrived_at=kept) == Ruling(PromiseState.KEPT, kept, False, None)
    assert ruled(UNTIL + 9 * HOUR, arrived_at=UNTIL).state is PromiseState.BROKEN
    assert ruled(kept, renewed_at=kept - HOUR) == Ruling(PromiseState.MOVED, kept - HOUR, False, None)
    assert ruled(kept, renewed_at=kept, arrived_at=kept - HOUR).state is PromiseState.KEPT
    assert ruled(kept, ended_at=kept) == Ruling(PromiseState.VOID, kept, False, None)


TIMES = st.none() | st.integers(-5, 200).map(lambda hours: MADE + hours * HOUR)


@given(arrived=TIMES, renewed=TIMES, ended=TIMES, expected=TIMES, now=st.integers(0, 200))
def test_settled_is_settled_and_running_has_a_clock(
    arrived: datetime | None, renewed: datetime | None, ended: datetime | None, expected: datetime | None, now: int
) -> None:
    at = MADE + now * HOUR
    one = ruled(at, arrived_at=arrived, renewed_at=renewed, ended_at=ended, expected=expected)
    assert (one.state is PromiseState.RUNNING) == (one.settled_at is None) == (one.next_at is not None)
    if one.next_at is not None:
        assert at < one.next_at <= UNTIL
    later = ruled(at + 300 * HOUR, arrived_at=arrived, renewed_at=renewed, ended_at=ended, expected=expected)
    if one.state is not PromiseState.RUNNING:
        assert (later.state, later.settled_at) == (one.state, one.settled_at)
    assert later.state is not PromiseState.RUNNING


@given(first=st.integers(-100, 200), more=st.integers(0, 100), now=st.integers(-50, 200), known=st.booleans())
def test_a_new_date_is_later_than_the_one_that_breaks_and_not_over(
    first: int, more: int, now: int, known: bool
) -> None:
    at = UNTIL + now * HOUR
    expected = (UNTIL + first * HOUR, UNTIL + (first + more) * HOUR) if known else None
    new = new_dates(expected, UNTIL, at)
    assert new[0] <= new[1]
    assert holds_until(new[1]) > max(UNTIL, at)
    assert holds_until(new[0]) > UNTIL
