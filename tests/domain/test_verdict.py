"""What the three kinds of evidence say together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import rulebook
from bufa.domain.kinds import Step
from bufa.domain.outcome import Why
from bufa.domain.rulebook import Certainty
from bufa.domain.verdict import CLAIM_OF_RULE, Claim, Source, Statement, Verdict, claim_of, weigh
from bufa.domain.watch import Finding

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
T, R, U = Source


def said(source: Source, claim: Claim, days_ago: float = 0, weight: int | None = None) -> Statement:
    return Statement(source, claim, NOW - timedelta(days=days_ago), weight)


def found(rule: str, certainty: Certainty = Certainty.CONFIRMED) -> Finding:
    return Finding(rule, certainty, NOW, Why(rule), 0, Step.DETERMINE, True, True)


def test_every_rule_claims_something() -> None:
    assert set(CLAIM_OF_RULE) == set(rulebook.load().ids)
    assert claim_of("a_rule_of_tomorrow") is Claim.LATE


@pytest.mark.parametrize(
    ("statements", "findings", "loss", "verdict"),
    [
        ([], [], 0.0, Verdict(Claim.LATE, (), (), (T, R, U), 0)),
        ([], [found("lost")], 0.0, Verdict(Claim.LOST, (T,), (), (R, U), 63)),
        ([], [found("lost", Certainty.SUSPECTED)], 0.0, Verdict(Claim.LOST, (T,), (), (R, U), 46)),
        ([said(R, Claim.LOST)], [found("lost")], 0.0, Verdict(Claim.LOST, (T, R), (), (U,), 80)),
        (
            [said(R, Claim.LOST), said(U, Claim.LATE)],
            [found("transit_timeout")],
            0.9,
            Verdict(Claim.LOST, (T, R, U), (), (), 84),
        ),
        ([said(R, Claim.MOVING)], [found("lost")], 0.0, Verdict(Claim.LOST, (T,), (R,), (U,), 45)),
        ([said(U, Claim.SIGNED_NOT_RECEIVED)], [], 0.0, Verdict(Claim.SIGNED_NOT_RECEIVED, (U,), (), (T, R), 60)),
        ([said(U, Claim.DAMAGED, weight=100)], [], 0.0, Verdict(Claim.DAMAGED, (U,), (), (T, R), 71)),
        ([], [found("transit_timeout")], 0.4, Verdict(Claim.STALLED, (T,), (), (R, U), 63)),
        (
            [],
            [found("transit_timeout"), found("lost_suspected", Certainty.SUSPECTED)],
            0.96,
            Verdict(Claim.LOST, (T,), (), (R, U), 71),
        ),
        (
            [],
            [found("pickup_timeout"), found("late_shipping")],
            0.0,
            Verdict(Claim.NOT_PICKED_UP, (T,), (), (R, U), 71),
        ),
    ],
)
def test_verdicts(statements: list[Statement], findings: list[Finding], loss: float, verdict: Verdict) -> None:
    assert weigh(statements, findings, loss, NOW) == verdict


def test_words_fade() -> None:
    fresh, old = (weigh([said(R, Claim.LOST, days)], [], 0, NOW).confidence for days in (0, 3))

    assert (fresh, old) == (69, 52)


@given(
    st.lists(st.builds(said, st.sampled_from(Source), st.sampled_from(Claim), st.floats(0, 30)), max_size=6),
    st.lists(st.sampled_from(sorted(CLAIM_OF_RULE)).map(found), max_size=3),
    st.floats(0, 1),
)
def test_every_source_is_counted_once(statements: list[Statement], findings: list[Finding], loss: float) -> None:
    verdict = weigh(statements, findings, loss, NOW)

    assert 0 <= verdict.confidence < 100
    assert not set(verdict.missing) & (set(verdict.agree) | set(verdict.contradict))
    assert not set(verdict.agree) & set(verdict.contradict)
    assert weigh(reversed(statements), reversed(findings), loss, NOW) == verdict
