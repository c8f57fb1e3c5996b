"""Histograms of hours: merging, size, quantiles, what has not ended, and leaning on a fallback."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.histograms import (
    BUCKETS,
    EDGES,
    LONGEST,
    Histogram,
    Leaning,
    blend,
    bucket_of,
    log_normal,
    quantile,
    shrunk_share,
    total,
)

HOURS = st.lists(st.floats(0, 10_000), max_size=30)
HISTOGRAMS = st.builds(Histogram.of, HOURS, HOURS, st.integers(0, 5))
LEANING = Leaning(1, 400)
SHARES = st.floats(0.01, 0.99)


@given(HISTOGRAMS, HISTOGRAMS, HISTOGRAMS)
def test_merging_is_adding(a: Histogram, b: Histogram, c: Histogram) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == total([a, b, c])
    assert a + Histogram() == a == total([a])


@given(HOURS, HOURS)
def test_counting_at_once_or_in_parts_is_the_same(one: list[float], other: list[float]) -> None:
    assert Histogram.of(one + other) == Histogram.of(one) + Histogram.of(other)


@given(HISTOGRAMS)
def test_it_goes_into_json_and_back(histogram: Histogram) -> None:
    assert Histogram.from_json(json.loads(json.dumps(histogram.to_json()))) == histogram


def test_its_size_has_a_bound_whatever_goes_in() -> None:
    full = Histogram.of((hours / 4 for hours in range(40_000)), (hours / 4 for hours in range(40_000)))

    assert (len(full.ended), len(full.censored), BUCKETS) == (226, 226, 226)
    assert len(json.dumps(full.to_json())) < 6000


@pytest.mark.parametrize("bad", [[226, 1, 0], [-1, 1, 0], [3, -1, 0], [3, 0, -1]])
def test_counts_that_cannot_be_are_refused(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="no such bucket or count"):
        Histogram.from_json({"b": [bad]})


@given(st.floats(0, LONGEST, exclude_max=True))
def test_every_duration_lies_in_its_bucket(hours: float) -> None:
    at = bucket_of(hours)

    assert EDGES[at] <= hours < EDGES[at + 1]


@given(HISTOGRAMS, SHARES, SHARES)
def test_quantiles_rise_with_their_share(histogram: Histogram, one: float, other: float) -> None:
    curve = histogram.curve()

    assert quantile(curve, min(one, other)) <= quantile(curve, max(one, other)) <= LONGEST


@given(st.lists(st.floats(0.5, 4000), min_size=1, max_size=60), SHARES)
def test_a_quantile_is_right_within_a_bucket(hours: list[float], share: float) -> None:
    found = quantile(Histogram.of(hours).curve(), share)
    exact = sorted(hours)[min(len(hours) - 1, int(share * len(hours)))]
    below = sorted(hours)[max(0, int(share * len(hours)) - 1)]

    assert below / 2 ** (1 / 16) - 1e-6 <= found <= exact * 2 ** (1 / 16) + 1e-6


@given(HISTOGRAMS, st.floats(0, 9000), st.floats(0, 9000))
def test_survival_falls_from_one(histogram: Histogram, one: float, other: float) -> None:
    curve = histogram.curve()

    assert 1 == curve(0) >= curve(min(one, other)) >= curve(max(one, other)) >= 0


def test_what_has_not_ended_counts_until_it_was_last_seen() -> None:
    # Ten ended at 10 h, ten were last seen at 20 h, ten ended at 40 h: those last seen say nothing of later.
    curve = Histogram.of([10] * 10 + [40] * 10, [20] * 10).curve()

    assert curve(15) == pytest.approx(2 / 3)
    assert curve(30) == pytest.approx(2 / 3)
    assert curve(50) == 0
    assert Histogram.of([], [20] * 10).curve()(500) == 1


def test_the_conditional_quantile_looks_only_at_what_still_lasts() -> None:
    curve = Histogram.of([10] * 50 + [100] * 50).curve()

    assert quantile(curve, 0.5, beyond=30) == pytest.approx(100, rel=0.09)
    assert quantile(curve, 0.5, beyond=300) == pytest.approx(300)  # nobody lasted so long: it is due now


def test_the_prior_has_the_quantiles_it_was_made_of() -> None:
    prior = log_normal(26, 51)

    assert [quantile(prior, 0.5), quantile(prior, 0.9)] == pytest.approx([26, 51])


@given(HISTOGRAMS, st.floats(0.1, 5000))
def test_a_level_without_counts_says_what_its_fallback_says(coarse: Histogram, hours: float) -> None:
    prior = log_normal(26, 51)

    assert blend([Histogram(), coarse], prior, LEANING)(hours) == blend([coarse], prior, LEANING)(hours)
    assert blend([Histogram(), Histogram()], prior, LEANING)(hours) == prior(hours)


@given(HOURS, HISTOGRAMS, st.floats(0.1, 5000), st.floats(0, 5000))
def test_one_more_parcel_never_makes_a_leap(seen: list[float], coarse: Histogram, hours: float, one: float) -> None:
    prior = log_normal(26, 51)
    before = blend([Histogram.of(seen), coarse], prior, LEANING)(hours)
    after = blend([Histogram.of([*seen, one]), coarse], prior, LEANING)(hours)

    assert abs(after - before) <= 1 / (1 + 1) + 1e-9


def test_many_counts_drown_the_fallback() -> None:
    prior = log_normal(26, 51)
    p90 = [quantile(blend([Histogram.of([200] * n)], prior, LEANING), 0.9) for n in (0, 25, 250, 25_000)]

    assert p90 == sorted(p90)
    assert p90[0] == pytest.approx(51)
    assert all(one < other for one, other in itertools.pairwise(p90))
    assert p90[-1] == pytest.approx(200, rel=0.09)


def test_the_tail_is_the_fallbacks_and_the_body_its_own() -> None:
    # Everywhere one parcel in fifty is silent for a week; of this quick lane's fifty none has been yet.
    everywhere = Histogram.of([30] * 49_000 + [168] * 1_000)
    lane = blend([Histogram.of([10] * 50), everywhere], log_normal(26, 51), LEANING)

    assert quantile(lane, 0.5) == pytest.approx(10, rel=0.09)
    assert lane(20) < 0.1 < blend([everywhere], log_normal(26, 51), LEANING)(20)
    assert lane(100) == pytest.approx(0.02 * 50 / 100, rel=0.01)


def test_a_rare_share_leans_on_the_coarser_level() -> None:
    assert shrunk_share([], 0.005, 200) == 0.005
    assert shrunk_share([(0, 0), (0, 0)], 0.005, 200) == 0.005
    assert shrunk_share([(2, 200)], 0.005, 200) == pytest.approx(3 / 400)
    levels = [shrunk_share([(1, n), (3, 300)], 0.005, 200) for n in (1, 10, 100, 1000)]
    assert all(one > other for one, other in itertools.pairwise(levels))
