"""The claim's one table, held by random lives: money never gets lost, a finished claim moves only by what is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.claims import LIVE, TABLE, ClaimAct, ClaimFacts, ClaimState, allowed, step
from bufa.domain.outcome import Refused

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def after(*acts: tuple[ClaimAct, int | None], state: ClaimState = ClaimState.OPEN) -> ClaimFacts:
    facts = ClaimFacts(state)
    for act, amount in acts:
        facts = step(facts, act, amount_fen=amount, reason="因为", now=NOW)
    return facts


def test_asked_answered_paid_short_and_the_rest() -> None:
    asked = after((ClaimAct.ASK, 8900))
    assert (asked.state, asked.asked_fen, asked.due) == (ClaimState.ASKED, 8900, NOW + timedelta(days=7))
    short = after((ClaimAct.ASK, 8900), (ClaimAct.ANSWER, 3000), (ClaimAct.PAY, 3000))
    assert (short.state, short.offered_fen, short.short_fen) == (ClaimState.SHORT_PAID, 3000, 5900)
    assert short.paid_fen == 3000
    rest = after((ClaimAct.ASK, 8900), (ClaimAct.PAY, 3000), (ClaimAct.PAY, 5900))
    assert (rest.state, rest.short_fen) == (ClaimState.PAID, 0)
    assert after((ClaimAct.ASK, 8900), (ClaimAct.PAY, 3000), (ClaimAct.ACCEPT, None)).state is ClaimState.SETTLED


def test_paid_without_being_asked_is_paid() -> None:
    paid = after((ClaimAct.PAY, 3000))
    assert (paid.state, paid.asked_fen, paid.short_fen) == (ClaimState.PAID, 3000, 0)


def test_given_up_and_opened_again() -> None:
    assert after((ClaimAct.WAIVE, None), (ClaimAct.REOPEN, None)).state is ClaimState.OPEN
    again = after((ClaimAct.ASK, 8900), (ClaimAct.WAIVE, None), (ClaimAct.REOPEN, None))
    assert (again.state, again.asked_fen) == (ClaimState.ASKED, 8900)
    assert after((ClaimAct.LAPSE, None), (ClaimAct.ASK, 100)).state is ClaimState.ASKED


@pytest.mark.parametrize(
    ("state", "act", "amount", "reason", "code"),
    [
        (ClaimState.PAID, ClaimAct.ASK, 1, "x", "claim_not_now"),
        (ClaimState.NONE, ClaimAct.ASK, 1, "x", "claim_not_now"),
        (ClaimState.OPEN, ClaimAct.ASK, 0, "x", "claim_amount"),
        (ClaimState.OPEN, ClaimAct.PAY, None, "x", "claim_amount"),
        (ClaimState.ASKED, ClaimAct.ANSWER, -1, "x", "claim_amount"),
        (ClaimState.ASKED, ClaimAct.REFUSE, None, " ", "claim_reason_missing"),
        (ClaimState.OPEN, ClaimAct.WAIVE, None, "", "claim_reason_missing"),
    ],
)
def test_what_can_not_be(state: ClaimState, act: ClaimAct, amount: int | None, reason: str, code: str) -> None:
    with pytest.raises(Refused) as told:
        step(ClaimFacts(state), act, amount_fen=amount, reason=reason, now=NOW)
    assert told.value.why.code == code


@given(st.lists(st.tuples(st.sampled_from(ClaimAct), st.integers(1, 10**6)), max_size=30))
def test_random_lives(acts: list[tuple[ClaimAct, int]]) -> None:
    facts, paid = ClaimFacts(ClaimState.OPEN), 0
    for act, amount in acts:
        if (facts.state, act) not in TABLE:
            with pytest.raises(Refused):
                step(facts, act, amount_fen=amount, reason="r", now=NOW)
            continue
        facts = step(facts, act, amount_fen=amount, reason="r", now=NOW)
        paid += amount if act is ClaimAct.PAY else 0
        assert facts.paid_fen == paid
        if facts.state is ClaimState.PAID:
            assert facts.short_fen == 0
        if facts.state is ClaimState.SHORT_PAID:
            assert facts.short_fen > 0


def test_every_live_state_has_a_way_on() -> None:
    for state in LIVE:
        assert allowed(state)
