"""The library of carriers' rules: every row is dated, sourced and marked; which one decides; what can be asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import carriers
from bufa.domain.carrier_rules import (
    Library,
    Mark,
    Moments,
    Paper,
    Topic,
    amount,
    claimed_as,
    defaults,
    library,
    papers,
    read_rule,
    shown,
    window,
)
from bufa.domain.case_facts import Claim
from bufa.domain.outcome import Refused

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
OWN = {"topic": "window", "zh": "签收 24 小时内", "source": "合同 2026-03", "mark": "own", "since": "2026-03-01"}


def test_every_row_has_a_source_a_mark_a_date_and_both_languages() -> None:
    ids = [one.rule_id for one in defaults().rules]
    assert len(ids) == len(set(ids)) == 33
    for one in defaults().rules:
        assert one.source
        assert one.zh
        assert one.en
        assert one.mark in (Mark.VERIFIED, Mark.SEEN, Mark.INFERRED)
        assert date(2000, 1, 1) < one.since <= NOW.date()
        assert set(one.carriers) <= set(carriers.carriers())


@pytest.mark.parametrize(
    ("carrier", "claim", "expected"),
    [
        ("shunfeng", Claim.LOST, ("amount_shunfeng", 600, 4200)),
        ("zhongtong", Claim.LOST, ("amount_tongda", 1800, 3000)),
        ("youzhengguonei", Claim.DAMAGED, ("amount_post", 1800, 1800)),
        ("suer", Claim.LOST, ("amount_contract", 3000, 3000)),
        ("zhongtong", Claim.LATE, ("amount_delay", 600, 600)),
    ],
)
def test_the_amount_by_rule(carrier: str, claim: Claim, expected: tuple[str, int, int]) -> None:
    found = amount(defaults(), carrier, claim, value_fen=8900, freight_fen=600, now=NOW)
    assert found.rule is not None
    assert (found.rule.rule_id, found.low_fen, found.high_fen) == expected
    assert found.ask_fen == (600 if claim is Claim.LATE else 8900)


def test_insurance_pays_the_loss_up_to_what_was_insured_and_a_part_by_its_share() -> None:
    ask = {"freight_fen": 600, "now": NOW}
    whole = amount(defaults(), "jd", Claim.LOST, value_fen=10000, insured_fen=6000, **ask)
    assert (whole.ask_fen, whole.low_fen, whole.high_fen) == (6000, 6000, 6000)
    part = amount(defaults(), "jd", Claim.DAMAGED, value_fen=3000, whole_value_fen=10000, insured_fen=5000, **ask)
    assert part.ask_fen == 1500
    over = amount(defaults(), "jd", Claim.LOST, value_fen=10000, insured_fen=90000, **ask)
    assert over.ask_fen == 10000


@given(st.integers(1, 10**7), st.integers(1, 10**5), st.sampled_from(sorted(carriers.carriers())))
def test_no_term_gives_more_than_the_loss(value: int, freight: int, carrier: str) -> None:
    found = amount(defaults(), carrier, Claim.LOST, value_fen=value, freight_fen=freight, now=NOW)
    assert 0 <= found.low_fen <= found.high_fen <= found.ask_fen == value


def test_the_window_begins_with_the_signature_for_damage_and_with_the_pickup_for_a_loss() -> None:
    moments = Moments(NOW - timedelta(days=3), NOW - timedelta(hours=30))
    damage = window(defaults(), "yunda", Claim.DAMAGED, moments, NOW)
    loss = window(defaults(), "yunda", Claim.LOST, moments, NOW)
    assert damage is not None
    assert loss is not None
    assert damage.ends == NOW + timedelta(hours=18)
    assert loss.ends == NOW + timedelta(days=362)
    unknown = window(defaults(), "yunda", Claim.DAMAGED, Moments(), NOW)
    assert unknown is not None
    assert unknown.ends is None
    assert window(defaults(), "yunda", Claim.REFUSED, moments, NOW) is None


def test_a_thorough_delay_is_asked_for_as_a_loss() -> None:
    ten_days = Moments(datetime(2026, 11, 9, 3, 0, tzinfo=UTC))  # counted from 0:00 of the 10th in Shanghai
    assert claimed_as(Claim.STALLED, ten_days, datetime(2026, 11, 19, 15, 59, tzinfo=UTC)) is Claim.STALLED
    assert claimed_as(Claim.STALLED, ten_days, datetime(2026, 11, 19, 16, 0, tzinfo=UTC)) is Claim.LOST
    assert claimed_as(Claim.STALLED, Moments(), NOW) is Claim.STALLED
    assert claimed_as(Claim.DAMAGED, ten_days, NOW) is Claim.DAMAGED


def test_the_shops_own_rule_goes_before_and_can_stand_beside() -> None:
    over = read_rule({**OWN, "id": "window_damage", "hours": 24, "from": "delivered", "claims": ["damaged"]})
    book = library([over])
    assert len(book.rules) == len(defaults().rules)
    found = book.first(Topic.WINDOW, "zhongtong", Claim.DAMAGED, NOW.date())
    assert found == over
    beside = read_rule({**OWN, "id": "own_1", "hours": 72, "from": "collected", "carriers": ["jd"]})
    assert library([beside]).first(Topic.WINDOW, "jd", Claim.LOST, NOW.date()) == beside
    assert library([beside]).first(Topic.WINDOW, "yunda", Claim.LOST, NOW.date()) != beside
    later = read_rule({**OWN, "id": "own_2", "hours": 1, "from": "collected", "since": "2026-12-01"})
    assert library([later]).first(Topic.WINDOW, "jd", Claim.LOST, NOW.date()) != later


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"zh": " "}, "rule_text_missing"),
        ({"hours": 0}, "rule_hours"),
        ({"hours": 10**6}, "rule_hours"),
        ({"from": "moon"}, "parameter_unknown"),
        ({"topic": "papers"}, "rule_papers_missing"),
        ({"topic": "amount", "basis": "multiple", "low": 5, "high": 3}, "rule_multiple"),
        ({"topic": "amount", "basis": "value", "percent": 101}, "rule_percent"),
        ({"claims": ["eaten"]}, "parameter_unknown"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(row: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as told:
        read_rule({**OWN, "id": "own_1", "hours": 24, "from": "delivered", **row})
    assert told.value.why.code == code


def test_papers_by_kind_and_what_is_shown_beside_a_case() -> None:
    assert Paper.UNBOXING in papers(defaults(), "jd", Claim.DAMAGED, NOW)
    assert papers(defaults(), "jd", Claim.LOST, NOW)[:2] == (Paper.APPLICATION, Paper.ORDER_INFO)
    assert papers(Library(()), "jd", Claim.LOST, NOW) == ()
    rows = shown(defaults().of("zhongtong", Claim.LOST, NOW.date()))
    assert [one.rule_id for one in rows[:4]] == ["window_loss", "amount_tongda", "papers_loss", "answer"]
    assert [one.phone for one in rows if one.topic is Topic.CONTACT] == ["95311"]
