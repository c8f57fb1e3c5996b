"""Estimated delivery and the chance of loss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import lanes
from bufa.domain.histograms import Histogram
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
        (0, Distance.FAR, 0.002),
        (24, Distance.FAR, 0.005),
        (72, Distance.FAR, 0.0645),
        (144, Distance.FAR, 0.385),
        (96, Distance.NEAR, 0.385),
        (240, Distance.FAR, 0.597),
        (720, Distance.FAR, 0.988),
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


# --- what was learned ------------------------------------------------------------------------------------------------

KEYS = lanes.ladder("zhongtong", "浙江省", "北京")
FAST = lanes.Learned(times={(KEYS[0], lanes.Leg.TOTAL): Histogram.of([20] * 5000)})
HOURS = st.lists(st.floats(0, 3000), max_size=40)
COUNTS = st.builds(Histogram.of, HOURS, HOURS, st.integers(0, 3))
TAUGHT = st.lists(COUNTS, min_size=3, max_size=3).map(
    lambda held: lanes.Learned(
        times={(key, lanes.Leg.TOTAL): one for key, one in zip(KEYS, held, strict=True)},
        silences={(key, lanes.Leg.SILENT_IN_TRANSIT): one for key, one in zip(KEYS, held, strict=True)},
    )
)


def test_the_ladder_goes_from_lane_to_everything() -> None:
    assert KEYS == ("zhongtong|浙江>北京", "zhongtong|far", "*")
    assert lanes.ladder("", "浙江", "北京") == lanes.ladder("zhongtong", "", "北京") == ("*",)


def test_a_learned_lane_takes_the_place_of_fixed_hours() -> None:
    eta = lanes.eta("zhongtong", "浙江", "北京", NOW, NOW, learned=FAST)

    assert (eta.basis, eta.parcels) == ("learned:zhongtong|浙江>北京", 5000)
    assert (eta.p50 - NOW).total_seconds() / 3600 == pytest.approx(20, rel=0.09)
    assert (eta.p90 - NOW).total_seconds() / 3600 == pytest.approx(20, rel=0.09)
    assert lanes.eta("yunda", "浙江", "北京", NOW, NOW, learned=FAST).basis == "class:far"


def test_a_courier_who_has_it_makes_the_eta_short() -> None:
    out = lanes.Learned(times={("*", lanes.Leg.DELIVERY): Histogram.of([3] * 5000)})
    eta = lanes.eta("zhongtong", "浙江", "北京", NOW - hours(40), NOW, out_at=NOW, learned=out)

    assert (eta.p90 - NOW).total_seconds() / 3600 == pytest.approx(3, rel=0.09)


@given(TAUGHT, st.none() | st.integers(0, 1000))
def test_learned_etas_lie_ahead_and_in_order(taught: lanes.Learned, ago: int | None) -> None:
    eta = lanes.eta("zhongtong", "浙江", "北京", None if ago is None else NOW - hours(ago), NOW, learned=taught)

    assert NOW < eta.p50 <= eta.p90


@given(TAUGHT, st.floats(0, 2000), st.floats(0, 500))
def test_learned_silence_only_makes_a_loss_likelier(taught: lanes.Learned, silence: float, more: float) -> None:
    now, later = (
        lanes.loss_chance(at, Stage.IN_TRANSIT, Distance.FAR, keys=KEYS, learned=taught)
        for at in (silence, silence + more)
    )

    assert 0 < now <= later + 1e-12 <= 1 + 1e-12


def test_without_anything_learned_the_fixed_hours_answer() -> None:
    fixed = lanes.loss_chance(72, Stage.IN_TRANSIT, Distance.FAR)

    assert lanes.loss_chance(72, Stage.IN_TRANSIT, Distance.FAR, keys=KEYS, learned=lanes.NOTHING) == fixed
    assert lanes.loss_chance(72, Stage.DELIVERED, Distance.FAR, keys=KEYS, learned=FAST) == 0


def test_the_learned_chance_is_the_share_that_was_lost() -> None:
    # Of 50,000, 500 were never seen again and 500 others were silent for 100 h: at 60 h it is one to one.
    silent = Histogram.of([10] * 49_000 + [100] * 500, never=500)
    taught = lanes.Learned(silences={("*", lanes.Leg.SILENT_IN_TRANSIT): silent})
    chance = lanes.loss_chance(60, Stage.IN_TRANSIT, Distance.FAR, keys=KEYS, learned=taught)

    assert chance == pytest.approx(0.5, abs=0.05)


@given(TAUGHT, st.sampled_from([Stage.IN_TRANSIT, Stage.COLLECTED]), st.floats(0.02, 0.9))
def test_the_allowance_is_where_the_chance_passes_the_level(taught: lanes.Learned, stage: Stage, level: float) -> None:
    allowed = lanes.silence_allowance(level, stage, Distance.FAR, keys=KEYS, learned=taught)

    if allowed is not None:
        after = lanes.loss_chance(allowed, stage, Distance.FAR, keys=KEYS, learned=taught)
        before = lanes.loss_chance(allowed * 0.999 - 0.001, stage, Distance.FAR, keys=KEYS, learned=taught)
        assert after >= level - 1e-9
        assert allowed == 0 or before <= level + 1e-9


def test_the_allowance_of_fixed_hours() -> None:
    assert lanes.silence_allowance(None, Stage.IN_TRANSIT, Distance.FAR) == pytest.approx(100.7, abs=0.1)
    assert lanes.silence_allowance(None, Stage.RETURNING, None) is None
    assert lanes.silence_allowance(None, Stage.DELIVERED, None) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        lanes.silence_allowance(1.0, Stage.IN_TRANSIT, None)
