"""Any walk through a case: what must hold whatever people and facts do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bufa.domain import cases
from bufa.domain.case_facts import LEFT_REMEDY
from bufa.domain.case_measures import SPENDING
from bufa.domain.case_proof import TROUBLE
from bufa.domain.cases import (
    TABLE,
    Action,
    CaseFacts,
    CaseState,
    Claim,
    ConsentPolicy,
    EffectKind,
    FindingFact,
    Outcome,
    Purpose,
    ReissueState,
    RemedyState,
)
from bufa.domain.customer_says import Answer
from bufa.domain.kinds import Measure, Role
from bufa.domain.outcome import Refused

START = datetime(2026, 11, 24, 2, tzinfo=UTC)
LIMIT = 100
"""Fen above which a second person is needed in these walks; what a measure costs is drawn around it."""


class AnyWalk(RuleBasedStateMachine):
    """Every action with every parameter, by every role, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START

    @initialize(policy=st.sampled_from(ConsentPolicy), needs_ticket=st.booleans(), proof=st.sampled_from([None, 1, 3]))
    def open(self, policy: ConsentPolicy, needs_ticket: bool, proof: int | None) -> None:
        found = [FindingFact("transit_timeout", START)]
        known = {"consent_policy": policy, "needs_ticket": needs_ticket, "approve_over_fen": LIMIT, "proof_days": proof}
        self.facts = cases.opened(START, found, **known)

    @rule(
        action=st.sampled_from(Action),
        role=st.sampled_from([Role.OWNER, Role.OWNER, None, Role.AGENT, Role.WAREHOUSE]),
        claim=st.sampled_from(Claim),
        measure=st.sampled_from([*Measure, Measure.REISSUE, Measure.REISSUE]),
        purpose=st.sampled_from([None, None, *Purpose]),
        yes=st.booleans(),
        hours=st.integers(1, 200),
        who=st.integers(1, 2),
        remedy=st.sampled_from(RemedyState),
        answer=st.sampled_from(Answer),
    )
    def act(
        self,
        action: Action,
        role: Role | None,
        claim: Claim,
        measure: Measure,
        purpose: Purpose | None,
        yes: bool,
        hours: int,
        who: int,
        remedy: RemedyState,
        answer: Answer,
    ) -> None:
        due = self.now + timedelta(hours=hours)
        params: dict[str, Any] = {
            "reason": "x",
            "who": "x",
            "text": "x",
            "accepted": yes,
            "stage": "returned" if yes else "returning",
            "answer_due": due,
            "until": due,
            "valid_until": due if yes else None,
        }
        params |= {
            "answer": answer,
            "claim": claim,
            "measure": measure,
            "purpose": purpose,
            "carrier_pays": yes,
            "promise_at": due,
        }
        params |= {
            "operator": who,
            "remedy": remedy,
            "accept_penalty": yes,
            "by_platform": not yes,
            "cost_fen": hours,
            "answer": answer,
        }
        before = self.facts
        closed_to = cases.can(before, action, role, self.now)
        try:
            decision = cases.decide(before, action, role=role, now=self.now, **params)
        except Refused:
            return  # nothing has changed: `before` is frozen
        assert closed_to is None
        self.facts = cases.after(before, decision.changes)
        assert self.facts.state is decision.state
        assert self.facts.round in (before.round, before.round + 1)
        comes_back = action is Action.CUSTOMER_SAID and answer in TROUBLE
        if before.state is CaseState.CLOSED and action is not Action.REOPEN and not comes_back:
            assert self.facts.state is CaseState.CLOSED
        if action is Action.SILENCE_OVER:
            assert before.signed_at is not None
            assert before.customer_said not in TROUBLE
        if action is Action.APPROVE:
            assert before.approval_by != who
        if self.facts.measure is not before.measure and self.facts.measure in SPENDING:
            assert action is Action.APPROVE or hours <= LIMIT
        money = (Measure.REFUND, Measure.COMPENSATE)
        if before.measure in money and before.remedy in LEFT_REMEDY and self.facts.round == before.round:
            assert self.facts.measure is before.measure or action is Action.REOPEN
        for effect in decision.effects:
            if effect.kind is EffectKind.SUBMIT_REISSUE:
                assert before.reissue_state is ReissueState.DRAFT
                assert before.consent_settled
                assert not (before.needs_consent and before.consent_is_over(self.now))
        if self.facts.round > before.round:
            assert not self.facts.has_reissue

    @rule(hours=st.integers(1, 100))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def ticket_opens(self) -> None:
        self.facts = cases.after(self.facts, {"ticket_open": True})

    @invariant()
    def state_follows_from_facts(self) -> None:
        if hasattr(self, "facts"):
            assert cases.first_unfinished(self.facts) is self.facts.state

    @invariant()
    def always_knows_what_next(self) -> None:
        if not hasattr(self, "facts"):
            return
        best = cases.next_best(self.facts, self.now)
        assert best.why.code
        if best.waiting_for == "shop":
            assert best.action in cases.open_actions(self.facts, Role.OWNER, self.now)

    @invariant()
    def a_live_reissue_is_never_left_alone(self) -> None:
        if hasattr(self, "facts") and self.facts.reissue_is_live:
            assert self.facts.state in (CaseState.SUBMITTING, CaseState.TELLING, CaseState.FOLLOWING)

    @invariant()
    def closed_has_an_outcome(self) -> None:
        if hasattr(self, "facts"):
            assert (self.facts.state is CaseState.CLOSED) == isinstance(self.facts.outcome, Outcome)


def test_every_arrow_of_the_table_is_reached_from_a_new_case() -> None:
    """Walks all cases there are (times and rounds held still), so no row is dead and no state out of reach."""
    waiting = [cases.opened(START)]
    seen, arrows = set(waiting), set()
    while waiting:
        facts = waiting.pop()
        for action in WALKED:
            for role in (Role.OWNER, None):
                if cases.can(facts, action, role, START) is not None:
                    continue
                for params in BRANCHES.get(action, [{}]):
                    try:
                        decision = cases.decide(facts, action, role=role, now=START, **SAID | params)
                    except Refused:
                        continue
                    arrows.add((facts.state, action, decision.state))
                    after = cases.after(facts, decision.changes)
                    if after not in seen and after.round <= 2:
                        seen.add(after)
                        waiting.append(after)

    arrows |= _said_by_customers(seen)
    table = {(source, move.action, target) for move in TABLE for source in move.sources for target in move.targets}
    assert arrows <= table
    assert {state for _, _, state in arrows} == set(CaseState)
    # A row with several sources lists the targets of all of them: each target must be reached from one of them.
    assert {(move.action, target) for move in TABLE for target in move.targets} == {(act, to) for _, act, to in arrows}
    assert {(source, action) for source, action, _ in table} == {(source, action) for source, action, _ in arrows}


def _said_by_customers(seen: set[CaseFacts]) -> set[tuple[CaseState, Action, CaseState]]:
    """What customers say, from one case of each kind: with the walk itself it would go round for hours."""
    kinds = {(one.state, one.measure, one.reissue_state, one.claim): one for one in seen}
    arrows = set()
    for facts in kinds.values():
        waits = replace(facts, proof_days=0)
        signed = [waits]
        for event in (Action.PARCEL_DELIVERED, Action.REISSUE_DELIVERED):
            if cases.can(waits, event, None, START) is None:
                decision = cases.decide(waits, event, role=None, now=START)
                arrows.add((waits.state, event, decision.state))
                signed.append(cases.after(waits, decision.changes))
        for one in signed:
            for answer in (Answer.RECEIVED, Answer.NOT_RECEIVED):
                decision = cases.decide(one, Action.CUSTOMER_SAID, role=None, now=START, answer=answer)
                arrows.add((one.state, Action.CUSTOMER_SAID, decision.state))
            if cases.can(one, Action.SILENCE_OVER, None, START) is None:
                decision = cases.decide(one, Action.SILENCE_OVER, role=None, now=START)
                arrows.add((one.state, Action.SILENCE_OVER, decision.state))
    return arrows


WALKED = [action for action in Action if action not in (Action.CUSTOMER_SAID, Action.SILENCE_OVER)]
SAID: dict[str, Any] = {
    "reason": "x",
    "who": "x",
    "text": "x",
    "until": START + timedelta(hours=9),
    "operator": 2,
    "accept_penalty": True,
}
MEASURES: list[dict[str, Any]] = [{"measure": measure} for measure in Measure]
BRANCHES: dict[Action, list[dict[str, Any]]] = {
    Action.CONFIRM_VERDICT: [{"claim": Claim.LOST}, {"claim": Claim.DAMAGED}],
    Action.CHOOSE_MEASURE: [*MEASURES, {"measure": Measure.REISSUE, "carrier_pays": False}],
    Action.CHANGE_MEASURE: [*MEASURES, {"measure": None}],
    Action.REQUEST_APPROVAL: [
        {"measure": measure, "operator": 1} for measure in (Measure.INTERCEPT, Measure.REISSUE, Measure.REFUND)
    ],
    Action.RECORD_CONSENT: [{"valid_until": START}],
    Action.REMEDY_MOVED: [{"remedy": RemedyState.FAILED}],
    Action.RELEASE_UNKNOWN: [{"accepted": True}, {"accepted": False}],
    Action.CUSTOMER_TOLD: [{}, {"purpose": "apology"}],
    Action.PARCEL_CAME_BACK: [{"stage": "returned"}],
}


AnyWalk.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyWalk = AnyWalk.TestCase
