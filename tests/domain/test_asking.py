"""The plan of calls: never above the budget, nearest deadline first, nobody waits for ever."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bufa.domain.asking import (
    HOUR,
    STRETCH,
    Budget,
    Call,
    Turn,
    Wanting,
    Why,
    back_off,
    due,
    free_for_people,
    paused_until,
    spent,
    turns,
)

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
BETWEEN = timedelta(minutes=30)


def hours(n: float) -> datetime:
    return NOW + timedelta(hours=n)


def parcel(
    parcel_id: int,
    deadline: float | None = None,
    asked: float | None = None,
    *,
    waits: bool = False,
    since: float = -30,
) -> Wanting:
    return Wanting(
        parcel_id,
        None if deadline is None else hours(deadline),
        waits,
        None if asked is None else hours(asked),
        hours(since),
    )


def test_what_a_call_is_for_and_when():
    assert due(parcel(1, deadline=8, asked=0), BETWEEN) == Turn(1, hours(2), Why.DEADLINE, hours(8), hours(8))
    assert due(parcel(2, deadline=1, asked=0), BETWEEN).at == NOW + BETWEEN
    assert due(parcel(3, asked=0), BETWEEN) == Turn(3, hours(12), Why.TURN, hours(36), None)
    assert due(parcel(4, since=0), BETWEEN) == Turn(4, NOW, Why.NEW, hours(24), None)
    assert due(parcel(5, deadline=200, asked=0, waits=True), BETWEEN) == Turn(
        5, hours(2), Why.CUSTOMER, hours(3), hours(200)
    )
    # asked about after its deadline, a deadline pulls no more
    assert due(parcel(6, deadline=-1, asked=0), BETWEEN) == Turn(6, hours(12), Why.TURN, hours(36), None)
    waiting = replace(parcel(7, deadline=8, asked=0), not_before=hours(5))
    assert due(waiting, BETWEEN).at == hours(5)


def test_the_nearest_goes_first_and_the_hour_is_spread():
    fresh = {"since": 0.0}
    wanting = [parcel(1, 9, **fresh), parcel(2, 3, **fresh), parcel(3), parcel(4, 100, waits=True, since=0)]
    plan = turns(wanting, Budget(12), [], NOW, between=BETWEEN)
    # 3 waits since 30 h, so its day was over 6 h ago; a customer waits an hour at most
    assert [(turn.parcel_id, turn.why) for turn in plan] == [
        (3, Why.NEW),
        (4, Why.CUSTOMER),
        (2, Why.DEADLINE),
        (1, Why.DEADLINE),
    ]
    assert [turn.at - NOW for turn in plan] == [timedelta(minutes=5 * n) for n in range(4)]


def test_a_tenth_is_kept_for_people_and_no_more_than_that_is_refused_to_them():
    budget = Budget(20)
    assert (budget.planned, budget.stretch) == (18, 2)
    planned = [Call(NOW - timedelta(minutes=3 * n)) for n in range(18)]
    assert turns([parcel(1)], budget, planned, NOW, between=BETWEEN)[0].at == NOW + timedelta(minutes=9)
    assert free_for_people(budget, planned, NOW) is None
    people = [Call(NOW, planned=False), Call(NOW, planned=False)]
    assert free_for_people(budget, [*planned, *people], NOW) == NOW + timedelta(minutes=9)
    assert spent([*planned, *people, Call(NOW - HOUR)], NOW) == 20
    assert free_for_people(Budget(0), planned, NOW) is None
    assert turns([parcel(1)], Budget(0), [], NOW, between=BETWEEN) == []


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        ([""], None),
        (["busy"], 1),
        (["busy", "timeout", "http"], 4),
        (["busy"] * 12, 60),
        (["busy", "", "busy"], 1),
        (["busy", "phone"], None),
        (["busy", "no_credit"], 60),
        (["busy", None], 1),
        ([], None),
    ],
)
def test_a_provider_that_fails_is_left_alone_for_longer_each_time(failures: list[str | None], minutes: int | None):
    calls = [Call(NOW + timedelta(seconds=place), failure=failure) for place, failure in enumerate(failures)]
    last = max((call.at for call in calls if call.failure is not None), default=NOW)
    assert paused_until(calls) == (None if minutes is None else last + timedelta(minutes=minutes))


def test_a_parcel_that_fails_waits_longer_each_time():
    assert [back_off("not_found", n, BETWEEN) / HOUR for n in (1, 2, 3, 20)] == [0.5, 1, 2, 24]
    assert back_off("unsupported", 1, BETWEEN) == timedelta(days=7)


# ── whatever comes ──


def moments(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Minutes are fine enough, and drawn much faster than fractions of hours."""
    return st.integers(first * 60, last * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))


_wanting = st.builds(
    Wanting,
    parcel_id=st.integers(1, 500),
    deadline=st.none() | moments(-50, 200),
    customer_waits=st.booleans(),
    asked_at=st.none() | moments(-60, 0),
    since=moments(-100, 0),
    not_before=st.none() | moments(-2, 20),
)
_many = st.lists(_wanting, max_size=15, unique_by=lambda one: one.parcel_id)
_calls = st.lists(
    st.builds(Call, at=moments(-2, 0), planned=st.booleans(), failure=st.sampled_from(["", "busy", None])), max_size=15
)


def most_within(instants: list[datetime], window: timedelta) -> int:
    return max((sum(at - window < other <= at for other in instants) for at in instants), default=0)


@settings(deadline=None)
@given(wanting=_many, per_hour=st.integers(1, 20), calls=_calls)
def test_never_above_the_budget(wanting: list[Wanting], per_hour: int, calls: list[Call]):
    budget = Budget(per_hour)
    plan = turns(wanting, budget, calls, NOW, between=BETWEEN, limit=200)
    before, made = [call.at for call in calls], [turn.at for turn in plan]
    assert most_within(made, HOUR) <= budget.planned
    assert most_within(made, STRETCH) <= budget.stretch
    if len(before) < per_hour:
        assert most_within(before + made, HOUR) <= per_hour
    assert all(at >= NOW for at in made)
    assert made == sorted(made)


@settings(deadline=None)
@given(wanting=_many, per_hour=st.integers(1, 60))
def test_the_nearest_first_and_each_once(wanting: list[Wanting], per_hour: int):
    plan = turns(wanting, Budget(per_hour), [], NOW, between=BETWEEN, limit=200)
    assert sorted(turn.parcel_id for turn in plan) == sorted(one.parcel_id for one in wanting)
    may = {one.parcel_id: due(one, BETWEEN).at for one in wanting}
    for place, turn in enumerate(plan):
        assert turn.at >= may[turn.parcel_id]
        for later in plan[place + 1 :]:
            if may[later.parcel_id] <= turn.at:
                assert turn.by <= later.by


@pytest.mark.parametrize(("per_hour", "crowd"), [(1, 1), (1, 3), (2, 5), (6, 12)])
def test_nobody_waits_for_ever_though_more_deadlines_come_than_can_be_asked_about(per_hour: int, crowd: int):
    """Every hour new parcels with a deadline near appear, more than the budget serves. What comes after the quiet one's
    day (twelve hours after the last question, and a day's patience) stands behind it, so it waits for those before."""
    quiet = replace(parcel(0, asked=0), since=NOW)
    crowded = {n: Wanting(n, hours(n // crowd + 1), False, None, hours(n // crowd)) for n in range(1, crowd * 160)}
    calls: list[Call] = []
    longest = 36 * max(1, math.ceil(crowd / per_hour)) + 2
    for hour in range(longest):
        now = hours(hour)
        there = [one for one in crowded.values() if one.since <= now]
        for turn in turns([quiet, *there], Budget(per_hour), calls, now, between=BETWEEN, limit=per_hour):
            if turn.at < now + HOUR:
                calls.append(Call(turn.at))
                if turn.parcel_id == 0:
                    return
                crowded[turn.parcel_id] = replace(crowded[turn.parcel_id], asked_at=turn.at)
        calls = calls[-200:]
    pytest.fail(f"not asked within {longest} hours")
