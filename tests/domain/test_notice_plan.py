"""Who is told on which channel, and when: at any moment of a year, quiet hours, limits, wishes and budget hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.notice_plan import (
    DEFAULT_ORDER,
    POLICY,
    Plan,
    Rules,
    Scene,
    choose,
    day_starts,
    next_look,
    quiet_until,
    shop_date,
)
from bufa.domain.notices import BY_HAND, RINGS, Channel
from bufa.domain.outcome import Why

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
CHANNELS = st.sampled_from(list(Channel))
YEAR = st.integers(0, 2 * 365 * 24 * 3600).map(lambda seconds: NOON + timedelta(seconds=seconds))


def china(hour: int, minute: int = 0, day: int = 20) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour - 8, minutes=minute)


@st.composite
def all_rules(draw: st.DrawFn) -> Rules:
    return Rules(
        order=tuple(draw(st.lists(CHANNELS, min_size=1, unique=True))),
        quiet_from=draw(st.integers(0, 1439)),
        quiet_to=draw(st.integers(0, 1439)),
        urgent=draw(st.booleans()),
        per_day=draw(st.integers(0, 4)),
        budget_li=draw(st.none() | st.integers(0, 2000)),
        prices=draw(st.fixed_dictionaries({one: st.integers(0, 300) for one in RINGS})),
    )


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    now = draw(YEAR)
    return Scene(
        now=now,
        closed={one: Why("no_email") for one in draw(st.sets(CHANNELS))},
        tried=frozenset(draw(st.sets(CHANNELS))),
        opted_out=frozenset(draw(st.sets(CHANNELS))),
        told_today=draw(st.integers(0, 5)),
        spent_li=draw(st.integers(0, 2500)),
        segments={one: draw(st.integers(1, 4)) for one in RINGS},
        urgent_by=draw(st.none() | st.just(now + timedelta(hours=draw(st.integers(0, 40))))),
    )


@given(all_rules(), scenes(), st.none() | CHANNELS)
def test_nothing_breaks_a_rule(rules: Rules, scene: Scene, wanted: Channel | None) -> None:
    plan = choose(rules, scene, wanted)
    if plan.channel is None:
        assert set(plan.skipped) == ({wanted} if wanted else set(rules.order))
        return
    assert plan.channel not in scene.closed.keys() | scene.tried | scene.opted_out
    assert plan.channel == wanted or (wanted is None and plan.channel in rules.order)
    if rules.budget_li is not None and plan.cost_li:
        assert scene.spent_li + plan.cost_li <= rules.budget_li
    if plan.leaves and plan.channel not in BY_HAND:
        assert not rules.per_day or scene.told_today < rules.per_day
        if plan.channel in RINGS and quiet_until(rules, scene.now) is not None:
            assert rules.urgent
            assert scene.urgent_by is not None


@given(all_rules(), scenes())
def test_what_is_held_leaves_when_it_said_it_would(rules: Rules, scene: Scene) -> None:
    plan = choose(rules, scene)
    if plan.hold_until is None:
        return
    assert scene.now < plan.hold_until <= scene.now + timedelta(days=2)
    other_day = shop_date(plan.hold_until) != shop_date(scene.now)
    later = replace(scene, now=plan.hold_until, told_today=0 if other_day else scene.told_today)
    again = choose(rules, later)
    assert (again.channel, again.leaves) == (plan.channel, True)


@given(all_rules(), scenes())
def test_channels_before_the_chosen_one_say_why_not(rules: Rules, scene: Scene) -> None:
    plan = choose(rules, scene)
    before = rules.order[: rules.order.index(plan.channel)] if plan.channel else rules.order
    assert list(plan.skipped) == list(before)


@given(all_rules(), YEAR)
def test_quiet_hours_end(rules: Rules, moment: datetime) -> None:
    until = quiet_until(rules, moment)
    if until is not None:
        assert moment < until <= moment + timedelta(hours=24)
        assert quiet_until(rules, until) is None
        assert quiet_until(rules, until - timedelta(seconds=1)) is not None


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (china(7, 59), china(8)),
        (china(8), None),
        (china(20, 59), None),
        (china(21), china(8, day=21)),
        (china(23, 59), china(8, day=21)),
        (china(0), china(8)),
    ],
)
def test_the_usual_night(at: datetime, until: datetime | None) -> None:
    assert quiet_until(Rules(), at) == until


def test_a_night_message_waits_for_the_morning_unless_it_is_urgent() -> None:
    night = Scene(now=china(23), urgent_by=china(6, day=21))
    assert choose(Rules(), night) == Plan(
        Channel.SMS, {}, 45, china(8, day=21), Why("quiet_hours", {"from": "21:00", "to": "08:00"})
    )
    assert choose(Rules(urgent=True), night).leaves
    assert choose(Rules(), night, Channel.EMAIL).leaves  # nobody is woken by a mail
    assert choose(Rules(urgent=True), replace(night, urgent_by=china(12, day=21))).hold_until == china(8, day=21)


def test_the_fourth_of_a_day_waits_for_the_next_morning() -> None:
    fourth = Scene(now=NOON, told_today=3)
    plan = choose(Rules(), fourth)
    assert (plan.hold_until, plan.why) == (china(8, day=21), Why("limit_of_the_day", {"most": 3}))
    assert choose(Rules(), fourth, Channel.EMAIL).hold_until == day_starts(NOON, 1)
    assert choose(Rules(), fourth, Channel.PHONE).leaves  # a person decides whom to ring
    assert choose(Rules(per_day=0), fourth).leaves


def test_a_spent_budget_stops_what_costs_and_lets_the_rest_go() -> None:
    rules = Rules(budget_li=100, warn_percent=80)
    assert choose(rules, Scene(NOON, spent_li=10)).warns is False
    assert choose(rules, Scene(NOON, spent_li=40)).warns is True
    stopped = choose(rules, Scene(NOON, spent_li=60))
    assert (stopped.channel, stopped.cost_li) == (Channel.EMAIL, 0)
    assert stopped.skipped[Channel.SMS] == Why("notice_budget_spent", {"spent_li": 60, "budget_li": 100})
    assert choose(rules, Scene(NOON, spent_li=20, segments={Channel.SMS: 2}), Channel.SMS).channel is None


def test_no_receipt_then_the_next_channel_and_never_the_same() -> None:
    scene = Scene(NOON, closed={Channel.ALIYUN_SMS: Why("no_phone"), Channel.TENCENT_SMS: Why("no_phone")})
    assert choose(Rules(), scene).channel is Channel.SMS
    assert choose(Rules(), replace(scene, tried=frozenset({Channel.SMS}))).channel is Channel.EMAIL
    assert choose(Rules(), replace(scene, tried=frozenset({Channel.SMS, Channel.EMAIL}))).channel is None


@given(all_rules())
def test_rules_are_read_back_as_they_were_written(rules: Rules) -> None:
    assert Rules.read({POLICY: rules.stored()}) == rules


@pytest.mark.parametrize(
    "told",
    [None, 1, [], {"order": 5}, {"order": ["pigeon", 7]}, {"quiet_from": 99999, "per_day": -1, "prices": [1]},
     {"budget_li": "a lot", "receipt_minutes": 0, "prices": {"sms": -4}, "warn_percent": True}],
)  # fmt: skip
def test_nonsense_in_the_policy_is_the_default(told: Any) -> None:
    assert Rules.read({POLICY: told}) == Rules(order=DEFAULT_ORDER)


@given(st.integers(5, 2000), st.integers(0, 3000))
def test_receipts_are_asked_for_until_the_time_is_up(minutes: int, after: int) -> None:
    sent, due = NOON, NOON + timedelta(minutes=minutes)
    now = sent + timedelta(minutes=after)
    look = next_look(sent, due, now)
    assert (look is None) == (now >= due)
    if look is not None:
        assert now < look <= min(due, now + timedelta(minutes=15))
