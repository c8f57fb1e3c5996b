"""The platform's rules: what is in force when, and what a breach costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import rulebook
from bufa.domain.kinds import Stage
from bufa.domain.regions import Distance, distance, short_province
from bufa.domain.rulebook import Mark, parse, payout_fen

BOOK = rulebook.load()
TODAY = BOOK.at(date(2026, 11, 24))


def test_one_version_of_each_rule_is_in_force() -> None:
    assert sorted(rule.id for rule in TODAY.rules) == sorted(BOOK.ids)


def test_a_revision_begins_on_its_shop_day() -> None:
    before_midnight, after_midnight = datetime(2026, 8, 9, 15, 59, tzinfo=UTC), datetime(2026, 8, 9, 16, tzinfo=UTC)

    assert BOOK.at(before_midnight).rule("late_shipping").mark is Mark.INFERRED
    assert BOOK.at(after_midnight).rule("late_shipping").mark is Mark.SEEN
    assert BOOK.at(date(2025, 12, 31)).rules == ()


def test_unknown_rule() -> None:
    with pytest.raises(KeyError):
        BOOK.rule("kindness")


@pytest.mark.parametrize(
    ("rule", "paid_fen", "promise", "fen"),
    [
        ("late_shipping", 100_000, 48, 0),
        ("late_shipping", 10_000, 49, 200),
        ("late_shipping", 100_000, 240, 1000),
        ("late_shipping", 10_000, 241, 300),
        ("late_shipping", 900_000, 72, 5000),
        ("out_of_stock_late", 10_000, 48, 200),
        ("out_of_stock_late", 100_000, 72, 3000),
        ("out_of_stock_late", 1_000, 300, 500),
        ("pickup_timeout", 10_000, 48, 300),
        ("pickup_timeout", 123_456, 48, 1200),
        ("pickup_timeout", 125_000, 24, 1300),
        ("pickup_timeout", 900_000, 48, 3000),
        ("pickup_timeout", 10_000, 72, 500),
        ("pickup_timeout", 100_000, 72, 5000),
        ("pickup_abnormal", 1_000, 48, 500),
        ("pickup_abnormal", 9_900, 48, 2500),
        ("pickup_abnormal", 9_800, 48, 2500),
        ("pickup_abnormal", 9_799, 48, 2400),
        ("pickup_abnormal", 100_000, 48, 10_000),
        ("transit_timeout", 20_000, None, 300),
        ("transit_timeout", None, 48, 0),
        ("transit_timeout", 20_000, 0, 300),
        ("lost", 20_000, 48, 0),
    ],
)
def test_pay_outs(rule: str, paid_fen: int | None, promise: int | None, fen: int) -> None:
    assert payout_fen(TODAY.rule(rule), paid_fen, promise) == fen


@given(st.sampled_from(TODAY.rules), st.integers(0, 10_000_000), st.integers(1, 1000))
def test_pay_outs_are_whole_yuan_and_never_fall_with_the_price(
    rule: rulebook.Rule, paid_fen: int, promise: int
) -> None:
    fen = payout_fen(rule, paid_fen, promise)

    assert fen % 100 == 0
    assert fen <= payout_fen(rule, paid_fen + 100, promise)


def test_hours_by_distance() -> None:
    limits = [TODAY.rule("transit_timeout").limit(between) for between in (*Distance, None)]

    assert limits == [timedelta(hours=hours) for hours in (48, 72, 120, 72)]


@pytest.mark.parametrize("rule", [rule for rule in BOOK.rules if rule.is_silence], ids=lambda rule: rule.id)
def test_no_rule_of_silence_speaks_about_delivered_parcels(rule: rulebook.Rule) -> None:
    assert {Stage.DELIVERED, Stage.CANCELLED} <= rule.stops_in


def test_suspected_loss_is_twice_the_platforms_hours() -> None:
    lost, transit = TODAY.rule("lost_suspected"), TODAY.rule("transit_timeout")

    assert all(lost.limit(between) == 2 * transit.limit(between) for between in Distance)


RULE = """
[[rule]]
id = "a"
family = "x"
mark = "seen"
source = "x"
valid_from = 2026-01-01
starts = "{starts}"
hours = 1
certainty = "confirmed"
replaces = ["{replaces}"]
"""


@pytest.mark.parametrize(("starts", "replaces"), [("uploadde", "a"), ("kind:delivred", "a"), ("uploaded", "b")])
def test_misspelt_data_does_not_load(starts: str, replaces: str) -> None:
    with pytest.raises(ValueError):
        parse(RULE.format(starts=starts, replaces=replaces))


def test_own_data_loads() -> None:
    assert parse(RULE.format(starts="uploaded", replaces="a")).ids == ("a",)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("浙江省", "浙江"),
        ("内蒙古自治区", "内蒙古"),
        ("330106", "浙江"),
        ("65", "新疆"),
        ("Zhejiang", ""),
        ("", ""),
        ("99", ""),
    ],
)
def test_provinces(text: str, name: str) -> None:
    assert short_province(text) == name


@pytest.mark.parametrize(
    ("one", "two", "between"),
    [
        ("浙江省", "上海市", Distance.NEAR),
        ("安徽", "江苏", Distance.NEAR),
        ("北京", "河北", Distance.NEAR),
        ("广东", "广东省", Distance.NEAR),
        ("浙江", "北京", Distance.FAR),
        ("广东", "海南", Distance.REMOTE),
        ("云南", "云南", Distance.REMOTE),
        ("浙江", "", None),
    ],
)
def test_distance_classes(one: str, two: str, between: Distance | None) -> None:
    assert distance(one, two) is between
    assert distance(two, one) is between
