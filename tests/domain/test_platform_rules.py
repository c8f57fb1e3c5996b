"""The platform's rules, row by row and exactly: every class of promise, step, pay-out, region pair and exception.

The numbers in front are the sections of the platform rules that a row belongs to. Yuan are what the platform takes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bufa.domain.kinds import Kind
from bufa.domain.promises import pickup_norm, score_start, ship_by
from bufa.domain.regions import Distance, distance
from bufa.domain.rulebook import Fact, OrderClass, RuleKind
from bufa.domain.watch import DEFAULT_POLICY, Watched, judge
from tests.domain.test_watch import BOOK, COLLECTED, HUB, T0, at, parcel, scan


def costs(watched: Watched, hours: float) -> dict[str, float]:
    """Rule → yuan of the findings that stand at that hour."""
    return {one.rule_id: one.payout_fen / 100 for one in judge(watched, BOOK, DEFAULT_POLICY, at(hours)).findings}


def platform(watched: Watched, hours: float) -> dict[str, float]:
    """The same, without the shop's own rules."""
    kinds = {rule.id: rule.kind for rule in BOOK.rules}
    return {rule: yuan for rule, yuan in costs(watched, hours).items() if kinds[rule] is not RuleKind.SHOP}


def unshipped(promise: int, paid: float) -> Watched:
    """An order of so many yuan whose promise ran out at T0; nothing was sent."""
    return parcel(
        has_number=False, uploaded_at=None, ship_by=T0, promise_hours=promise, paid_fen=round(paid * 100), paid_at=None
    )


# --- 12.1 ship time --------------------------------------------------------------------------------------------------

PROMISES = [
    ("12.1 same day, paid before 16:00", "same_day", "2026-11-20T15:59:59", None, "2026-11-20T23:59:59"),
    ("12.1 same day, paid from 16:00 on", "same_day", "2026-11-20T16:00:00", None, "2026-11-21T23:59:59"),
    ("12.1 next day", "next_day", "2026-11-20T23:59:59", None, "2026-11-21T23:59:59"),
    ("12.1 the merchant's own hours", "hours", "2026-11-20T10:00:00", 24, "2026-11-21T10:00:00"),
    ("12.1 the merchant's own hours, not known", "hours", "2026-11-20T10:00:00", None, "2026-11-22T10:00:00"),
    ("12.1 the merchant's own days", "hours", "2026-11-20T10:00:00", 360, "2026-12-05T10:00:00"),
]


def here(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


@pytest.mark.parametrize(("row", "promise", "paid", "hours", "by"), PROMISES, ids=lambda each: str(each)[:40])
def test_until_when_it_has_to_be_shipped(row: str, promise: str, paid: str, hours: int | None, by: str) -> None:
    assert BOOK.promise(promise).ship_by(here(paid), hours) == here(by)


def test_of_several_promises_the_shortest_and_what_the_buyer_agreed_wins() -> None:
    assert ship_by([at(48), at(24), at(72)]) == at(24)
    assert ship_by([at(48), at(24)], agreed=at(60)) == at(60)


# --- 12.2 late shipping, 12.3 out of stock ---------------------------------------------------------------------------

LATE = [
    # promise h, paid yuan, hours over, what stands
    ("12.2 ≤ 48 h, over ≤ 48 h: none", 48, 1000, 1, {"late_shipping": 0}),
    ("12.2 ≤ 48 h, over ≤ 48 h: none, to the end", 24, 1000, 47.9, {"late_shipping": 0}),
    ("12.3 ≤ 48 h, over > 48 h: 1 %", 48, 1000, 48, {"late_shipping": 0, "out_of_stock_late": 10}),
    ("12.3 ≤ 48 h, over > 48 h: at least 2", 48, 100, 48, {"late_shipping": 0, "out_of_stock_late": 2}),
    ("12.3 ≤ 48 h, over > 48 h: at most 50", 48, 9000, 48, {"late_shipping": 0, "out_of_stock_late": 50}),
    ("12.2 48–240 h, over ≤ 48 h: 1 %", 72, 1000, 1, {"late_shipping": 10}),
    ("12.2 48–240 h, over ≤ 48 h: at least 2", 49, 100, 1, {"late_shipping": 2}),
    ("12.2 48–240 h, over ≤ 48 h: at most 50", 240, 9000, 1, {"late_shipping": 50}),
    ("12.3 48–240 h, over > 48 h: 3 %, on top", 72, 1000, 48, {"late_shipping": 10, "out_of_stock_late": 30}),
    ("12.3 48–240 h, over > 48 h: at least 3", 240, 50, 48, {"late_shipping": 2, "out_of_stock_late": 3}),
    ("12.3 48–240 h, over > 48 h: at most 50", 240, 9000, 48, {"late_shipping": 50, "out_of_stock_late": 50}),
    ("12.2 > 240 h, over ≤ 48 h: 1 %", 360, 1000, 1, {"late_shipping": 10}),
    ("12.2 > 240 h, over ≤ 48 h: at least 3", 241, 100, 1, {"late_shipping": 3}),
    ("12.2 > 240 h, over ≤ 48 h: at most 50", 241, 9000, 1, {"late_shipping": 50}),
    ("12.3 > 240 h, over > 48 h: 5 %, on top", 360, 800, 48, {"late_shipping": 8, "out_of_stock_late": 40}),
    ("12.3 > 240 h, over > 48 h: at least 5", 241, 50, 48, {"late_shipping": 3, "out_of_stock_late": 5}),
    ("12.3 > 240 h, over > 48 h: at most 50", 241, 9000, 48, {"late_shipping": 50, "out_of_stock_late": 50}),
]


@pytest.mark.parametrize(("row", "promise", "paid", "hours", "stands"), LATE, ids=lambda each: str(each)[:44])
def test_what_late_shipping_costs(row: str, promise: int, paid: float, hours: float, stands: dict[str, float]) -> None:
    assert platform(unshipped(promise, paid), hours) == stands


STOCK = [
    ("12.3 late, not shipped in 48 h more", unshipped(72, 1000), 48, {"late_shipping": 10, "out_of_stock_late": 30}),
    (
        "12.3 number uploaded, not really shipped in 5 days",
        parcel(promise_hours=72, paid_fen=100_000),
        120,
        {"pickup_abnormal": 100, "out_of_stock_track": 30},
    ),
    (
        "12.3 not yet 5 days",
        parcel(promise_hours=72, paid_fen=100_000),
        119.9,
        {"pickup_abnormal": 100},
    ),
    (
        "12.3 3 days after the notice, not received",
        parcel(COLLECTED, promise_hours=72, paid_fen=100_000, notice_at=at(60)),
        132,
        {"dispatch_abnormal": 100, "out_of_stock_notice": 30},
    ),
    (
        "12.3 not yet 3 days after the notice",
        parcel(COLLECTED, promise_hours=72, paid_fen=100_000, notice_at=at(60)),
        131.9,
        {"dispatch_abnormal": 100},
    ),
    (
        "12.3 received in time after the notice",
        parcel(COLLECTED, HUB, scan(100, Kind.DELIVERED), paid_fen=100_000, notice_at=at(60)),
        200,
        {},
    ),
    (
        "12.3 the merchant refuses to ship",
        parcel(
            has_number=False,
            uploaded_at=None,
            promise_hours=48,
            paid_fen=100_000,
            facts={Fact.OUT_OF_STOCK_SAID: at(1)},
        ),
        1,
        {"out_of_stock_said": 10},
    ),
]


@pytest.mark.parametrize(("row", "watched", "hours", "stands"), STOCK, ids=lambda each: str(each)[:50])
def test_when_it_counts_as_out_of_stock(row: str, watched: Watched, hours: float, stands: dict[str, float]) -> None:
    assert platform(watched, hours) == stands


# --- 12.4 track time-out ---------------------------------------------------------------------------------------------

TIMEOUTS = [
    ("12.4 pickup, before 24 h", parcel(), 23.9, []),
    ("12.4 pickup, 24 h after the upload", parcel(), 24, ["pickup_timeout"]),
    ("12.4 pickup, collected in time", parcel(scan(23.9, Kind.COLLECTED)), 24, []),
    ("12.4 dispatch, before 24 h", parcel(COLLECTED), 28.9, []),
    ("12.4 dispatch, 24 h after the first pickup", parcel(COLLECTED), 29, ["dispatch_timeout"]),
    ("12.4 dispatch, a second pickup does not start it again", parcel(COLLECTED, scan(20, Kind.COLLECTED)), 29,
     ["dispatch_timeout"]),
    ("12.4 dispatch, a hub in time", parcel(COLLECTED, scan(28, Kind.ARRIVED_HUB, hub=True)), 29, []),
    ("12.4 transit, across provinces, before 72 h", parcel(COLLECTED, HUB), 81.9, []),
    ("12.4 transit, across provinces, 72 h", parcel(COLLECTED, HUB), 82, ["transit_timeout"]),
    ("12.4 transit, any node starts it again", parcel(COLLECTED, HUB, scan(40, Kind.IN_TRANSIT)), 111.9, []),
    ("12.4 transit, not after delivery", parcel(COLLECTED, HUB, scan(60, Kind.DELIVERED)), 500, []),
]  # fmt: skip


@pytest.mark.parametrize(("row", "watched", "hours", "stands"), TIMEOUTS, ids=lambda each: str(each)[:50])
def test_when_a_track_is_overdue(row: str, watched: Watched, hours: float, stands: list[str]) -> None:
    assert list(platform(watched, hours)) == stands


REMOTE = ("新疆", "西藏", "内蒙古", "青海", "宁夏", "云南", "甘肃", "海南")
REGIONS = [
    *((one, two, 48) for one in ("江苏", "浙江", "上海", "安徽") for two in ("江苏", "浙江", "上海", "安徽")),
    *((one, two, 48) for one in ("北京", "天津", "河北") for two in ("北京", "天津", "河北")),
    *((one, one, 48) for one in ("广东", "四川", "山东", "黑龙江", "重庆", "福建")),
    *((one, two, 72) for one, two in (("浙江", "北京"), ("上海", "河北"), ("广东", "广西"), ("四川", "重庆"))),
    *((one, "广东", 120) for one in REMOTE),
    *(("江苏", one, 120) for one in REMOTE),
    *((one, one, 120) for one in REMOTE),
]
HOURS = {Distance.NEAR: 48, Distance.FAR: 72, Distance.REMOTE: 120}


@pytest.mark.parametrize(("origin", "destination", "hours"), REGIONS)
def test_12_4_every_pair_of_regions(origin: str, destination: str, hours: int) -> None:
    between = distance(origin, destination)
    assert between is not None
    assert HOURS[between] == hours
    watched = parcel(COLLECTED, HUB, origin_province=origin, dest_province=destination)
    assert "transit_timeout" not in costs(watched, 10 + hours - 0.1)
    assert "transit_timeout" in costs(watched, 10 + hours)


TRACK_PAY = [
    ("12.4 promise ≤ 48 h: 1 %", 48, 1000, OrderClass.ORDINARY, 10),
    ("12.4 promise ≤ 48 h: at least 3", 48, 100, OrderClass.ORDINARY, 3),
    ("12.4 promise ≤ 48 h: at most 30", 24, 9000, OrderClass.ORDINARY, 30),
    ("12.4 promise > 48 h: 5 %", 49, 400, OrderClass.ORDINARY, 20),
    ("12.4 promise > 48 h: at least 5", 72, 50, OrderClass.ORDINARY, 5),
    ("12.4 promise > 48 h: at most 50", 360, 9000, OrderClass.ORDINARY, 50),
    ("12.4 pets by self-delivery: 30 %", 48, 200, OrderClass.PET_SELF_DELIVERY, 60),
    ("12.4 pets by self-delivery: at least 10", 72, 20, OrderClass.PET_SELF_DELIVERY, 10),
    ("12.4 pets by self-delivery: at most 100", 72, 900, OrderClass.PET_SELF_DELIVERY, 100),
]
OVERDUE: dict[str, tuple[tuple[Any, ...], float]] = {
    "pickup_timeout": ((), 24),
    "dispatch_timeout": ((COLLECTED,), 29),
    "transit_timeout": ((COLLECTED, HUB), 82),
}


@pytest.mark.parametrize("rule", OVERDUE)
@pytest.mark.parametrize(("row", "promise", "paid", "goods", "yuan"), TRACK_PAY, ids=lambda each: str(each)[:44])
def test_what_an_overdue_track_costs(
    row: str, promise: int, paid: float, goods: OrderClass, yuan: float, rule: str
) -> None:
    scans, hours = OVERDUE[rule]
    watched = parcel(*scans, promise_hours=promise, paid_fen=round(paid * 100), order_class=goods)
    assert platform(watched, hours)[rule] == yuan


# --- 12.5 abnormal track ---------------------------------------------------------------------------------------------

ABNORMAL = [
    ("12.5 no pickup 48 h after the upload", parcel(paid_fen=20_000), 48, "pickup_abnormal"),
    ("12.5 no hub 48 h after the pickup", parcel(COLLECTED, paid_fen=20_000), 53, "dispatch_abnormal"),
    (
        "12.5 repeated nodes",
        parcel(*(scan(10 + 2 * n, Kind.ARRIVED_HUB, hub=True, place="AB"[n % 2]) for n in range(4)), paid_fen=20_000),
        20,
        "repeated_nodes",
    ),
    (
        "12.5 the number was used before",
        parcel(COLLECTED, HUB, paid_fen=20_000, facts={Fact.NUMBER_USED: at(1)}),
        11,
        "number_used_before",
    ),
    (
        "12.5 the waybill's receiver is not the order's",
        parcel(COLLECTED, HUB, paid_fen=20_000, facts={Fact.RECEIVER_DIFFERS: at(1)}),
        11,
        "receiver_differs",
    ),
    (
        "12.5 first track before the payment",
        parcel(COLLECTED, HUB, paid_fen=20_000, paid_at=at(6)),
        11,
        "scan_before_payment",
    ),
    (
        "12.5 recalled against the buyer's wish",
        parcel(COLLECTED, HUB, paid_fen=20_000, facts={Fact.RECALLED: at(11)}),
        11,
        "recalled",
    ),
    (
        "12.5 not received in reasonable time",
        parcel(COLLECTED, HUB, paid_fen=20_000, facts={Fact.NOT_RECEIVED: at(8)}),
        80,
        "not_received",
    ),
    (
        "12.5 self-delivery asked about, not answered in 24 h",
        parcel(COLLECTED, HUB, paid_fen=20_000, facts={Fact.ASKED_UNANSWERED: at(20)}),
        44,
        "asked_unanswered",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("row", "watched", "hours", "rule"), ABNORMAL, ids=lambda each: str(each)[:50])
def test_every_abnormal_track_costs_a_quarter(row: str, watched: Watched, hours: float, rule: str) -> None:
    assert platform(watched, hours)[rule] == 50


def test_12_5_an_hour_before_it_is_none() -> None:
    assert "pickup_abnormal" not in costs(parcel(), 47.9)
    assert "dispatch_abnormal" not in costs(parcel(COLLECTED), 52.9)
    assert "asked_unanswered" not in costs(parcel(COLLECTED, HUB, facts={Fact.ASKED_UNANSWERED: at(20)}), 43.9)


ABNORMAL_PAY = [
    ("12.5 25 %", 200, OrderClass.ORDINARY, 50),
    ("12.5 at least 5", 10, OrderClass.ORDINARY, 5),
    ("12.5 at most 100", 1000, OrderClass.ORDINARY, 100),
    ("12.5 precious metals: up to 1,000", 3000, OrderClass.PRECIOUS_METAL, 750),
    ("12.5 precious metals: at most 1,000", 9000, OrderClass.PRECIOUS_METAL, 1000),
    ("12.5 second-hand 3C with inspection: 5 %", 1000, OrderClass.SECOND_HAND_3C, 50),
    ("12.5 pets: no row of their own", 200, OrderClass.PET_SELF_DELIVERY, 50),
]


@pytest.mark.parametrize(("row", "paid", "goods", "yuan"), ABNORMAL_PAY, ids=lambda each: str(each)[:44])
def test_what_an_abnormal_track_costs(row: str, paid: float, goods: OrderClass, yuan: float) -> None:
    watched = parcel(paid_fen=round(paid * 100), order_class=goods)
    assert platform(watched, 48) == {"pickup_abnormal": yuan}  # it takes the place of the time-out


# --- 12.6 fraudulent shipping, 12.7 payment --------------------------------------------------------------------------

FRAUD = [
    ("12.6 30 %", 200, OrderClass.ORDINARY, 60),
    ("12.6 at least 10", 10, OrderClass.ORDINARY, 10),
    ("12.6 at most 500", 9000, OrderClass.ORDINARY, 500),
    ("12.6 paid less than 10: the amount", 7, OrderClass.ORDINARY, 7),
    ("12.6 paid less than 10: at least 5", 3, OrderClass.ORDINARY, 5),
    ("12.6 precious metals: up to 1,000", 9000, OrderClass.PRECIOUS_METAL, 1000),
    ("12.7 whole yuan, half up", 101.67, OrderClass.ORDINARY, 31),
    ("12.7 whole yuan, below the half", 101.63, OrderClass.ORDINARY, 30),
]


@pytest.mark.parametrize(("row", "paid", "goods", "yuan"), FRAUD, ids=lambda each: str(each)[:44])
def test_what_fraudulent_shipping_costs(row: str, paid: float, goods: OrderClass, yuan: float) -> None:
    facts = {Fact.FRAUD_JUDGED: at(11)}
    watched = parcel(COLLECTED, HUB, paid_fen=round(paid * 100), order_class=goods, facts=facts)
    assert platform(watched, 11) == {"fraud_judged": yuan}


# --- 12.8 experience score -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "paid", "counts"),
    [
        ("12.8 by day", "2026-11-20T06:00:00", "2026-11-20T06:00:00"),
        ("12.8 till 18:00", "2026-11-20T17:59:59", "2026-11-20T17:59:59"),
        ("12.8 from 18:00 on", "2026-11-20T18:00:00", "2026-11-21T06:00:00"),
        ("12.8 at night", "2026-11-20T03:00:00", "2026-11-20T06:00:00"),
    ],
)
def test_from_when_the_time_to_pickup_counts(row: str, paid: str, counts: str) -> None:
    assert score_start(here(paid)) == here(counts)


def test_12_8_the_norm_is_the_end_of_the_day_after_payment() -> None:
    assert pickup_norm(here("2026-11-20T00:00:00")) == here("2026-11-21T23:59:59")
    assert pickup_norm(here("2026-11-20T23:59:59")) == here("2026-11-21T23:59:59")


# --- the shop's whole day: thresholds of 12.2, 12.3, 12.5 ------------------------------------------------------------

THRESHOLDS = [
    ("12.2 product banned: ≥ 50 % and ≥ 100", "late_product_ban", [(100, 200)], True),
    ("12.2 product banned: below 100", "late_product_ban", [(99, 198)], False),
    ("12.2 product banned: below 50 %", "late_product_ban", [(100, 201)], False),
    ("12.2 100 orders a day: two days ≥ 40 % and ≥ 200", "late_hundred_a_day", [(200, 500), (200, 500)], True),
    ("12.2 100 orders a day: one day is not enough", "late_hundred_a_day", [(0, 500), (200, 500)], False),
    ("12.2 no orders: ≥ 30 % and ≥ 200", "late_no_orders", [(200, 600), (200, 600)], True),
    ("12.2 no orders: below 30 %", "late_no_orders", [(200, 700), (200, 700)], False),
    ("12.3 violation: > 30 % and ≥ 30", "out_of_stock_violation", [(31, 100)], True),
    ("12.3 violation: 30 % is not over 30 %", "out_of_stock_violation", [(30, 100)], False),
    ("12.3 violation: below 30 orders", "out_of_stock_violation", [(29, 50)], False),
    ("12.5 violation: > 10 % and ≥ 20", "track_abnormal_violation", [(20, 199)], True),
    ("12.5 violation: 10 % is not over 10 %", "track_abnormal_violation", [(20, 200)], False),
    ("12.5 violation: below 20 orders", "track_abnormal_violation", [(19, 100)], False),
]


@pytest.mark.parametrize(("row", "threshold", "days", "passed"), THRESHOLDS, ids=lambda each: str(each)[:54])
def test_when_the_platform_acts_against_the_shop(
    row: str, threshold: str, days: list[tuple[int, int]], passed: bool
) -> None:
    limit = next(one for one in BOOK.at(T0).thresholds if one.id == threshold)
    assert limit.is_passed(days) is passed
