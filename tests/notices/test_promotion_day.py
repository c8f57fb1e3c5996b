"""A promotion day of 20,000 cases: quiet hours, limits of a person and the budget hold at every message that leaves."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random

from bufa.domain.notice_plan import Rules, Scene, choose, quiet_until, shop_date
from bufa.domain.notices import RINGS, Channel
from bufa.domain.outcome import Why
from tests.proofs import count

LONG = bool(os.environ.get("BUFA_TEST_CRASH_ALL"))
CASES = 20_000 if LONG else 3_000
BEGINS = datetime(2026, 11, 10, 16, 0, tzinfo=UTC)  # midnight of 11.11 in China
NO_MAIL = Why("no_email")


def test_a_promotion_day() -> None:
    """Pure simulation: cases come all day, a third at the hour of the rush; people have several orders; some of the
    messages get no receipt and go on to the next channel; what is held comes back when it said it would."""
    rng = Random(1111)
    rules = Rules(
        order=(Channel.ALIYUN_SMS, Channel.TENCENT_SMS, Channel.EMAIL),
        per_day=3,
        budget_li=45 * CASES,
        receipt_minutes=30,
    )
    queue: list[tuple[datetime, int, int, frozenset[Channel]]] = []
    for case in range(CASES):
        minute = 1200 + rng.gauss(0, 40) if rng.random() < 0.33 else rng.uniform(0, 1440)
        person = rng.randrange(CASES // 3)
        queue.append((BEGINS + timedelta(minutes=minute), case, person, frozenset()))
    left: Counter[str] = Counter()
    told: dict[tuple[int, date], int] = defaultdict(int)
    spent: dict[date, int] = defaultdict(int)
    by_case: dict[int, list[Channel]] = defaultdict(list)
    waits: list[tuple[datetime, int, int, frozenset[Channel]]] = sorted(queue)
    while waits:
        now, case, person, tried = waits.pop(0)
        day = shop_date(now)
        scene = Scene(
            now,
            closed={} if person % 3 else {Channel.EMAIL: NO_MAIL},
            tried=tried,
            opted_out=frozenset(Channel) if person % 97 == 0 else frozenset(),
            told_today=told[person, day],
            spent_li=spent[day],
            segments={Channel.ALIYUN_SMS: 2, Channel.TENCENT_SMS: 2},
        )
        plan = choose(rules, scene)
        if plan.channel is None:
            left["nobody"] += 1
            continue
        if plan.hold_until is not None:
            left["held"] += 1
            _insert(waits, (plan.hold_until, case, person, tried))
            continue
        # It leaves: everything that was promised is held against this one message, by what the world counted.
        assert person % 97
        assert plan.channel not in tried
        assert not (plan.channel in RINGS and quiet_until(rules, now))
        told[person, day] += 1
        spent[day] += plan.cost_li
        assert told[person, day] <= rules.per_day
        assert spent[day] <= (rules.budget_li or 0)
        by_case[case].append(plan.channel)
        left[plan.channel.value] += 1
        if rng.random() < 0.04 and plan.channel in RINGS:  # no receipt in time
            _insert(waits, (now + timedelta(minutes=rules.receipt_minutes), case, person, tried | {plan.channel}))
    assert all(len(went) == len(set(went)) for went in by_case.values())
    assert left["held"] > CASES // 4  # the rush is at 20:00 and later
    assert max(spent.values()) > 0.99 * (rules.budget_li or 0)  # the budget was tried
    assert left["email"] > CASES // 200
    count(
        promotion_cases=CASES,
        promotion_messages=sum(map(len, by_case.values())),
        promotion_held=left["held"],
        breaches=0,
    )


def _insert(
    waits: list[tuple[datetime, int, int, frozenset[Channel]]], one: tuple[datetime, int, int, frozenset[Channel]]
) -> None:
    """Into its place by time; most come soon, so look from the front."""
    low, high = 0, len(waits)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if waits[middle][0] <= one[0] else (low, middle)
    waits.insert(low, one)
