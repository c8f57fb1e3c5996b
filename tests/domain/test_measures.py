"""What can be done, what it costs, and what is proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bufa.domain.kinds import Measure, Stage
from bufa.domain.measures import DEFAULT_POLICY, CaseMoney, Option, options, propose
from bufa.domain.verdict import Claim, Source, Verdict

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
MONEY = CaseMoney(
    paid_fen=10_000,
    goods_fen=4_000,
    freight_fen=300,
    stage=Stage.IN_TRANSIT,
    risk_fen=2_500,
    risk_at=NOW + timedelta(hours=10),
)


def verdict(claim: Claim, confidence: int = 80) -> Verdict:
    return Verdict(claim, (Source.TRACKING,), (), (), confidence)


def by_measure(claim: Claim, money: CaseMoney = MONEY) -> dict[Measure, Option]:
    return {option.measure: option for option in options(verdict(claim), money, DEFAULT_POLICY, NOW)}


def proposed(claim: Claim, money: CaseMoney = MONEY, confidence: int = 80) -> tuple[Measure, str]:
    judged = verdict(claim, confidence)
    measure, why = propose(options(judged, money, DEFAULT_POLICY, NOW), judged, DEFAULT_POLICY)
    return measure, why.code


def test_every_measure_has_its_price() -> None:
    money = replace(MONEY, loss_chance=0.25, recovery_fen=900)

    assert {measure: option.net_fen for measure, option in by_measure(Claim.STALLED, money).items()} == {
        Measure.WAIT: 1_000 + 2_500,
        Measure.CHASE: 1_000 + 2_500,
        Measure.INTERCEPT: 300 + 2_500,
        Measure.REDELIVER: 2_500,
        Measure.REISSUE: 4_000 + 300 - 900,
        Measure.REFUND: 10_000 - 900,
        Measure.COMPENSATE: 500,
    }


def test_a_recall_that_the_buyer_wants_is_no_abnormal_track() -> None:
    assert by_measure(Claim.STALLED, replace(MONEY, buyer_wants_recall=True))[Measure.INTERCEPT].payout_fen == 0


def test_a_pay_out_that_lies_far_off_costs_waiting_nothing() -> None:
    assert by_measure(Claim.STALLED, replace(MONEY, risk_at=NOW + timedelta(days=3)))[Measure.WAIT].payout_fen == 0


def test_goods_of_unknown_cost_count_as_what_was_paid() -> None:
    assert by_measure(Claim.LOST, replace(MONEY, goods_fen=None))[Measure.REISSUE].goods_fen == 10_000


@pytest.mark.parametrize(
    ("claim", "changes", "measure", "why"),
    [
        (Claim.LOST, {}, Measure.WAIT, "waiting_changes_nothing"),
        (Claim.NOT_SHIPPED, {"stage": Stage.UNSHIPPED}, Measure.CHASE, "carrier_does_not_have_it"),
        (Claim.NOT_SHIPPED, {"stage": Stage.UNSHIPPED}, Measure.REISSUE, "not_sent_yet"),
        (Claim.NOT_SHIPPED, {"stage": Stage.LABELLED}, Measure.INTERCEPT, "not_under_way"),
        (Claim.STALLED, {}, Measure.REDELIVER, "not_at_destination"),
        (Claim.LOST, {"in_stock": False}, Measure.REISSUE, "out_of_stock"),
        (Claim.LOST, {"reissue_is_live": True}, Measure.REISSUE, "reissue_is_live"),
    ],
)
def test_the_impossible_says_why(claim: Claim, changes: dict[str, object], measure: Measure, why: str) -> None:
    option = by_measure(claim, replace(MONEY, **changes))[measure]  # type: ignore[arg-type]

    assert option.possible is False
    assert option.why_not is not None
    assert option.why_not.code == why


@pytest.mark.parametrize(
    ("claim", "changes", "confidence", "proposal"),
    [
        (Claim.LOST, {}, 80, (Measure.REISSUE, "fits_claim")),
        (Claim.LOST, {}, 40, (Measure.CHASE, "ask_before_sure")),
        (Claim.LOST, {"in_stock": False}, 80, (Measure.REFUND, "fits_claim")),
        (Claim.STALLED, {}, 80, (Measure.CHASE, "fits_claim")),
        (Claim.STALLED, {"loss_chance": 0.9}, 80, (Measure.REISSUE, "cheaper_than_waiting")),
        (Claim.NOT_SHIPPED, {"stage": Stage.UNSHIPPED}, 80, (Measure.WAIT, "fits_claim")),
        (Claim.REFUSED, {"stage": Stage.OUT_FOR_DELIVERY}, 80, (Measure.REDELIVER, "fits_claim")),
        (Claim.MOVING, {}, 80, (Measure.WAIT, "fits_claim")),
    ],
)
def test_proposals(claim: Claim, changes: dict[str, object], confidence: int, proposal: tuple[Measure, str]) -> None:
    assert proposed(claim, replace(MONEY, **changes), confidence) == proposal  # type: ignore[arg-type]


def test_with_nothing_else_there_is_the_refund() -> None:
    judged = verdict(Claim.MOVING)
    choices = tuple(replace(option, possible=False) for option in options(judged, MONEY, DEFAULT_POLICY, NOW))

    assert propose(choices, judged, DEFAULT_POLICY)[0] is Measure.REFUND


@pytest.mark.parametrize("claim", Claim)
def test_every_claim_has_a_proposal_that_is_possible(claim: Claim) -> None:
    measure, _ = proposed(claim)

    assert by_measure(claim)[measure].possible


def test_a_carrier_that_never_had_the_parcel_pays_nothing() -> None:
    claimed = replace(MONEY, recovery_fen=900)
    assert by_measure(Claim.LOST, claimed)[Measure.REFUND].recovery_fen == 900
    assert by_measure(Claim.NOT_PICKED_UP, replace(claimed, stage=Stage.LABELLED))[Measure.REFUND].recovery_fen == 0
