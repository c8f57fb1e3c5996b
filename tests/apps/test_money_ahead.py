"""Money at risk of a shop: by hour and rule, by day, in the status and on Today."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from bufa.apps.cases import queries as cases
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import money
from bufa.domain import money_ahead
from bufa.domain.money_ahead import MoneyStep
from bufa.jobs.status import status
from bufa.lib import clock
from bufa.web.today import headline, headline_step
from tests.factories import NOW, at, make_shipped, make_shop
from tools import i18n

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, scope="module")
def english() -> None:
    """The compiled catalogue, as set-up leaves it."""
    i18n.compile_all()


@pytest.fixture
def shop() -> int:
    """Fourteen parcels whose number was uploaded 43 hours ago and one of 20 hours ago; none was ever collected."""
    shop_id = make_shop()
    late = [make_shipped(str(n), f"7311112222{n:04d}", shipped_at=at(-43)) for n in range(14)]
    new = [make_shipped("99", "73111122229999", shipped_at=at(-20))]
    take_in(shop_id=shop_id, orders=[*late, *new], now=NOW)
    return shop_id


def test_steps_are_told_by_hour_and_rule(shop: int) -> None:
    steps = money.ahead([shop], NOW, at(24))
    first, second = steps
    assert (first.rule, first.parcels, first.at, second.rule, second.parcels, second.at) == (
        *("pickup_timeout", 1, at(4)),
        *("pickup_abnormal", 14, at(5)),
    )
    assert second.is_uniform
    assert second.more_fen == 14 * (second.after_min - second.before_min) > 0
    assert first.before_min == 0
    assert money.ahead([make_shop("别家")], NOW) == ()


def test_the_day_the_headline_and_the_status_say_the_same(shop: int) -> None:
    with clock.frozen(NOW):
        said = cases.today([shop], NOW)
        report = status([shop])
    day = money_ahead.today(said.ahead, NOW)
    assert day == said.day == money_ahead.DayMoney(sum(one.more_fen for one in said.ahead[:2]), 15, at(5))
    assert f"¥{day.fen // 100}" in headline(said, NOW)
    assert "17:00" in headline(said, NOW)
    step = said.ahead[1]
    before, after = f"¥{step.before_min // 100}", f"¥{step.after_min // 100}"
    assert headline(said, NOW) == f"今天 17:00 前有 ¥{day.fen // 100} 要赔，现在动手可以不赔"
    assert headline_step(said, NOW) == f"17:00 起 14 件从 {before} 变成 {after}"
    with translation.override("en"):
        assert headline(said, NOW) == f"¥{day.fen // 100} at risk before 17:00"
        assert headline_step(said, NOW) == f"{before} becomes {after} on 14 parcels at 17:00"
    (told,) = report["money"]
    assert (told["shop"], told["day"], told["at_risk_fen"], told["by"]) == (
        *(shop, "2026-11-20", day.fen),
        "2026-11-20T17:00:00+08:00",
    )
    assert [(one["rule"], one["hours_left"], one["parcels"]) for one in told["next"][:2]] == [
        ("pickup_timeout", 4.0, 1),
        ("pickup_abnormal", 5.0, 14),
    ]
    assert [one.rule for one in said.money[:2]] == ["pickup_timeout", "pickup_abnormal"]


def test_a_step_after_midnight_belongs_to_the_next_day() -> None:
    ends = money_ahead.day_end(NOW)
    before, after = ends - timedelta(minutes=1), ends
    steps = [MoneyStep(1, when, when, "x", 2, 0, 0, 300, 300, 600) for when in (before, after)]
    assert money_ahead.today(steps, NOW) == money_ahead.DayMoney(600, 2, before)
    assert money_ahead.today(steps, NOW, shop_id=2) == money_ahead.DayMoney(0, 0, None)
