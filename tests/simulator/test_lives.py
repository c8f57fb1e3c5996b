"""Lives of parcels: dated in order, in the carrier's words, ending as their fate says."""

from __future__ import annotations

import itertools
import string
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import carriers, lives, texts
from simulator.clock import HOUR
from simulator.places import PLACES

START = 1_772_409_600
CARRIERS = sorted(carriers.CARRIERS)
OUTCOMES = {
    "never_collected": "never_collected",
    "lost": "lost",
    "revived": "lost",
    "damaged": "damaged",
    "refused": "returned",
    "signed_not_received": "not_received",
    "short": "short",
}


@settings(max_examples=300, deadline=None)
@given(
    fate=st.sampled_from(sorted(lives.FATES)),
    carrier=st.sampled_from(CARRIERS),
    place=st.sampled_from(PLACES),
    start=st.integers(START, START + 90 * 86400),
    seed=st.integers(0, 10**6),
)
def test_scans_come_in_order_of_time(fate: str, carrier: str, place: object, start: int, seed: int) -> None:
    life = lives.live(fate, carrier, place, start, Random(seed))  # type: ignore[arg-type]
    assert life.outcome == OUTCOMES.get(fate, "delivered")
    by_knowing = [s.at for s in life.scans]
    if fate not in {"wrong_dates", "duplicates", "late_scans"}:
        assert by_knowing == sorted(by_knowing)
    assert all(start <= s.at for s in life.scans)
    if fate != "wrong_dates":
        assert all(s.at < s.known_at for s in life.scans)
        assert all(s.at <= life.ends_at for s in life.scans)
    shown = life.known(life.ends_at + 400 * 86400)
    assert [s.at for s in shown] == sorted(s.at for s in shown)
    assert len(shown) == len(life.scans)
    assert lives.live(fate, carrier, place, start, Random(seed)) == life  # type: ignore[arg-type]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_every_carrier_has_words_for_everything(carrier: str) -> None:
    style = texts.STYLES[carrier]
    assert set(style) == set(texts.CODES)
    fields = {"city", "site", "next", "man", "tel", "line", "who", "shelf", "n", "why"}
    for text in style.values():
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= fields


@pytest.mark.parametrize("carrier", CARRIERS)
def test_ordinary_lives_break_no_clock_of_the_platform(carrier: str) -> None:
    for seed in range(60):
        rng = Random(seed)
        place = rng.choice(PLACES)
        life = lives.live("delivered", carrier, place, START + rng.randrange(86400), rng)
        kinds = {s.kind: s.at for s in reversed(life.scans)}
        assert kinds["collected"] - life.scans[0].at < 24 * HOUR
        assert kinds["arrive_hub"] - kinds["collected"] < 24 * HOUR
        times = [s.at for s in life.scans]
        assert max(b - a for a, b in itertools.pairwise(times)) < 72 * HOUR
        assert life.trouble_at is None


def test_numbers_have_their_carriers_shape() -> None:
    rng = Random(5)
    for code, carrier in carriers.CARRIERS.items():
        assert all(carrier.fits(carriers.waybill(code, rng)) for _ in range(200))
    assert carriers.s10_check("34827780") == "8"
    assert carriers.s10_check("33906334") == "0"


def test_shares_of_fates_are_as_planned() -> None:
    assert sum(lives.FATES.values()) == 1000
    rng = Random(1)
    fine = sum(lives.choose(rng) == "delivered" for _ in range(5000))
    assert 0.79 < fine / 5000 < 0.85
