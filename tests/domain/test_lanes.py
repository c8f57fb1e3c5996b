"""Estimated delivery and the chance of loss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import lanes
from bufa.domain.kinds import Stage
from bufa.domain.regions import Distance

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)


def hours(value: float) -> timedelta:
    return timedelta(hours=value)


def test_a_parcel_not_yet_collected() -> None:
    expected = lanes.Eta(NOW + hours(12 + 47), NOW + hours(24 + 103), "class:far")

    assert lanes.eta("zhongtong", "浙江", "北京", None, NOW) == expected
    assert lanes.eta("zhongtong", "浙江", "", None, NOW) == expected


def test_a_parcel_on_the_road() -> None:
    eta = lanes.eta("zhongtong", "浙江", "上海", NOW - hours(10), NOW)

    assert (eta.p50, eta.p90, eta.basis) == (NOW + hours(16), NOW + hours(41), "class:near")


def test_an_overdue_parcel_is_expected_soon_not_yesterday() -> None:
    eta = lanes.eta("zhongtong", "浙江", "新疆", NOW - hours(500), NOW)

    assert (eta.p50, eta.p90) == (NOW + hours(20), NOW + hours(40))


@given(st.sampled_from(["浙江", "北京", "新疆", ""]), st.none() | st.integers(0, 1000))
def test_etas_lie_ahead_and_in_order(dest: str, ago: int | None) -> None:
    eta = lanes.eta("sf", "浙江", dest, None if ago is None else NOW - hours(ago), NOW)

    assert NOW < eta.p50 <= eta.p90


@pytest.mark.parametrize(
    ("silence", "between", "chance"),
    [
        (0, Distance.FAR, 0.005),
        (24, Distance.FAR, 0.013),
        (72, Distance.FAR, 0.174),
        (144, Distance.FAR, 0.964),
        (96, Distance.NEAR, 0.964),
    ],
)
def test_chance_of_loss(silence: int, between: Distance, chance: float) -> None:
    assert lanes.loss_chance(silence, Stage.IN_TRANSIT, between) == pytest.approx(chance, abs=0.001)


@given(st.floats(0, 2000), st.floats(0, 500), st.sampled_from(Stage), st.sampled_from([None, *Distance]))
def test_silence_only_makes_a_loss_likelier(
    silence: float, more: float, stage: Stage, between: Distance | None
) -> None:
    now, later = (lanes.loss_chance(at, stage, between) for at in (silence, silence + more))

    assert 0 <= now <= later <= 1


@pytest.mark.parametrize("stage", [Stage.DELIVERED, Stage.RETURNED, Stage.CANCELLED, Stage.UNSHIPPED])
def test_what_is_not_on_the_road_is_not_lost(stage: Stage) -> None:
    assert lanes.loss_chance(900, stage, None) == 0


def test_a_station_keeps_parcels_long() -> None:
    assert lanes.survival(48, Stage.READY_FOR_PICKUP, None) > lanes.survival(48, Stage.IN_TRANSIT, None)
    assert lanes.survival(48, Stage.RETURNING, None) == 1
