"""One case at a time: every move of the table, every guard, every next best action."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bufa.domain import cases
from bufa.domain.cases import (
    TABLE,
    Action,
    CaseFacts,
    CaseState,
    Claim,
    Consent,
    ConsentPolicy,
    EffectKind,
    FindingFact,
    NoticeState,
    Outcome,
    ReissueState,
)
from bufa.domain.kinds import Measure, Role, Step
from bufa.domain.outcome import Refused, Why
from bufa.domain.rulebook import Certainty
from bufa.domain.watch import Finding

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
DUE = NOW + timedelta(hours=5)

D, W, A, N, S, T, F, C = CaseState

NEEDED: dict[Action, dict[str, Any]] = {
    Action.CONFIRM_VERDICT: {"claim": "lost"},
    Action.CHOOSE_MEASURE: {"measure": "reissue"},
    Action.CHANGE_MEASURE: {"measure": "refund", "reason": "customer wants money"},
    Action.RECORD_CONSENT: {"who": "branch"},
    Action.RECORD_REFUSAL: {"reason": "not our fault"},
    Action.GO_WITHOUT_CONSENT: {"reason": "no time left"},
    Action.RELEASE_UNKNOWN: {"accepted": True, "reason": "seen on the platform"},
    Action.SKIP_NOTICE: {"reason": "customer phoned us"},
    Action.CLOSE: {"reason": "done by phone"},
    Action.DISMISS: {"reason": "false alarm"},
    Action.REOPEN: {"reason": "customer came back"},
    Action.NOTE: {"text": "a word"},
    Action.TAKE: {"owner": 7},
}


def start(state: CaseState = D, **facts: Any) -> CaseFacts:
    """Facts that fit the state, for the measure reissue unless said otherwise."""
    by_state: dict[CaseState, dict[str, Any]] = {
        D: {},
        W: {"measure": Measure.WAIT, "wait_until": LATER},
        A: {"measure": Measure.REISSUE},
        N: {"measure": Measure.REISSUE, "consent": Consent.GIVEN, "reissue_state": ReissueState.DRAFT},
        S: {"measure": Measure.REISSUE, "consent": Consent.GIVEN, "reissue_state": ReissueState.SUBMITTING},
        T: {"measure": Measure.REISSUE, "consent": Consent.GIVEN, "reissue_state": ReissueState.ACCEPTED},
        F: {
            "measure": Measure.REISSUE,
            "consent": Consent.GIVEN,
            "reissue_state": ReissueState.ACCEPTED,
            "notice_state": NoticeState.SENT,
        },
        C: {"measure": Measure.REFUND, "outcome": Outcome.REFUNDED},
    }
    known = {"claim": Claim.LOST, "verdict_confirmed": state is not D} | by_state[state] | facts
    return CaseFacts(state=state, opened_at=NOW, **known)


def go(facts: CaseFacts, action: Action, role: Role | None = Role.OWNER, **params: Any) -> CaseFacts:
    return cases.after(facts, cases.decide(facts, action, role=role, now=NOW, **params).changes)


def refused(facts: CaseFacts, action: Action, role: Role | None = Role.OWNER, **params: Any) -> Why:
    with pytest.raises(Refused) as caught:
        cases.decide(facts, action, role=role, now=NOW, **params)
    return caught.value.why


REACHED: list[tuple[CaseFacts, Action, dict[str, Any], CaseState]] = [
    (start(D), Action.CONFIRM_VERDICT, {}, D),
    (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "wait", "until": LATER}, W),
    (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "reissue"}, A),
    (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "reissue", "carrier_pays": False}, N),
    (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "compensate"}, T),
    (start(D, verdict_confirmed=True, consent=Consent.GIVEN), Action.CHOOSE_MEASURE, {"measure": "chase"}, F),
    (start(W), Action.CHANGE_MEASURE, {"measure": None}, D),
    (start(W), Action.CHANGE_MEASURE, {"measure": "wait", "until": LATER + timedelta(days=1)}, W),
    (start(W), Action.CHANGE_MEASURE, {"measure": "reissue"}, A),
    (start(A), Action.CHANGE_MEASURE, {"measure": None}, D),
    (start(A), Action.CHANGE_MEASURE, {"measure": "wait", "until": LATER}, W),
    (start(A), Action.CHANGE_MEASURE, {"measure": "chase"}, A),
    (start(A, measure=Measure.CHASE, carrier_pays=False), Action.CHANGE_MEASURE, {"measure": "reissue"}, N),
    (start(A), Action.CHANGE_MEASURE, {"measure": "refund"}, T),
    (start(N), Action.CHANGE_MEASURE, {"measure": "refund"}, T),
    (start(T, measure=Measure.REFUND, reissue_state=ReissueState.NONE), Action.CHANGE_MEASURE, {"measure": "chase"}, A),
    (start(F, measure=Measure.CHASE, reissue_state=ReissueState.NONE), Action.CHANGE_MEASURE, {"measure": "refund"}, T),
    (start(W), Action.WAIT_OVER, {}, D),
    (start(F, measure=Measure.WAIT, reissue_state=ReissueState.NONE), Action.WAIT_OVER, {}, D),
    (start(W), Action.PARCEL_MOVED, {}, F),
    (start(W), Action.PARCEL_CAME_BACK, {"stage": "returning"}, D),
    (start(A), Action.PARCEL_CAME_BACK, {"stage": "returned"}, D),
    (
        start(F, measure=Measure.CHASE, reissue_state=ReissueState.NONE),
        Action.PARCEL_CAME_BACK,
        {"stage": "returned"},
        D,
    ),
    (start(D), Action.DISMISS, {}, C),
    *((start(state), Action.ASK_CARRIER, {}, state) for state in (D, W, A, N, T, F)),
    (start(D), Action.RECORD_CONSENT, {}, D),
    (start(A), Action.RECORD_CONSENT, {}, N),
    (start(A, measure=Measure.REDELIVER), Action.RECORD_CONSENT, {}, F),
    (start(N, consent=None, carrier_pays=False), Action.RECORD_CONSENT, {}, N),
    (start(D), Action.RECORD_REFUSAL, {}, D),
    (start(A), Action.RECORD_REFUSAL, {}, A),
    (start(A, consent=Consent.REFUSED), Action.GO_WITHOUT_CONSENT, {}, N),
    (start(A, measure=Measure.INTERCEPT), Action.GO_WITHOUT_CONSENT, {}, F),
    (start(A), Action.FILL_NUMBER, {}, A),
    (start(N), Action.FILL_NUMBER, {}, N),
    (start(N), Action.SUBMIT, {}, S),
    (start(S, reissue_state=ReissueState.UNKNOWN), Action.PROVE_SUBMISSION, {}, T),
    (start(S, reissue_state=ReissueState.UNKNOWN), Action.RELEASE_UNKNOWN, {"accepted": False}, N),
    (start(S, reissue_state=ReissueState.UNKNOWN), Action.RELEASE_UNKNOWN, {"accepted": True}, T),
    *(
        (start(state), Action.TELL_CUSTOMER, {"purpose": "early_warning"}, state)
        for state in CaseState
        if state is not C
    ),
    *((start(state), Action.CUSTOMER_TOLD, {"purpose": "apology"}, state) for state in CaseState),
    (start(T), Action.CUSTOMER_TOLD, {}, F),
    (start(T, measure=Measure.REFUND, reissue_state=ReissueState.NONE), Action.CUSTOMER_TOLD, {}, C),
    *((start(state), Action.NOTICE_FAILED, {}, state) for state in CaseState),
    (start(T), Action.SKIP_NOTICE, {}, F),
    (start(T, measure=Measure.COMPENSATE, reissue_state=ReissueState.NONE), Action.SKIP_NOTICE, {}, C),
    *((start(state), Action.REISSUE_DELIVERED, {}, C) for state in (T, F)),
    *((start(state), Action.REISSUE_WRONG, {}, D) for state in (T, F)),
    *((start(state), Action.PARCEL_DELIVERED, {}, C) for state in (D, W, A, N)),
    *((start(state, claim=Claim.DAMAGED), Action.PARCEL_DELIVERED, {}, state) for state in (D, W, A, N)),
    *((start(state), Action.PARCEL_DELIVERED, {}, state) for state in (S, T, F)),
    (start(T, measure=Measure.REFUND, reissue_state=ReissueState.NONE), Action.PARCEL_DELIVERED, {}, C),
    (start(F, measure=Measure.CHASE, reissue_state=ReissueState.NONE), Action.PARCEL_DELIVERED, {}, C),
    *((start(state), Action.CLOSE, {}, C) for state in (D, W, A, N)),
    (start(T, measure=Measure.REFUND, reissue_state=ReissueState.NONE), Action.CLOSE, {}, C),
    (start(F, measure=Measure.CHASE, reissue_state=ReissueState.NONE), Action.CLOSE, {}, C),
    (start(C), Action.REOPEN, {}, D),
    *((start(state), Action.TAKE, {}, state) for state in CaseState if state is not C),
    *((start(state), Action.NOTE, {}, state) for state in CaseState),
]
BY_SYSTEM = [
    (start(S), Action.SUBMISSION_ACCEPTED, T),
    (start(S), Action.SUBMISSION_REJECTED, N),
    (start(S), Action.SUBMISSION_UNKNOWN, S),
]


@pytest.mark.parametrize(
    ("facts", "action", "params", "target"), REACHED, ids=[f"{f.state}-{a}-{t}" for f, a, _, t in REACHED]
)
def test_people_move_a_case(facts: CaseFacts, action: Action, params: dict[str, Any], target: CaseState) -> None:
    decision = cases.decide(facts, action, role=Role.OWNER, now=NOW, **(NEEDED.get(action, {}) | params))

    assert (decision.state, decision.step, decision.changes["state"]) == (target, target.step, target)
    assert [entry.why.params["round"] for entry in decision.entries] == [facts.round]


@pytest.mark.parametrize(("facts", "action", "target"), BY_SYSTEM)
def test_answers_of_the_platform_move_a_case(facts: CaseFacts, action: Action, target: CaseState) -> None:
    assert cases.decide(facts, action, role=None, now=NOW).state is target
    assert refused(facts, action).code == "system_only"


def test_a_row_is_found_by_state_and_action() -> None:
    keys = [(source, move.action) for move in TABLE for source in move.sources]

    assert len(keys) == len(set(keys))
    assert {move.action for move in TABLE} == set(Action)


def test_actions_not_in_the_table_are_refused() -> None:
    assert refused(start(C), Action.SUBMIT) == Why("action_not_here", {"action": "submit", "state": "closed"})
    assert refused(start(D), Action.DISMISS, None, reason="x").code == "people_only"
    assert refused(start(D), Action.DISMISS, Role.FINANCE, reason="x").code == "not_allowed"


@pytest.mark.parametrize("action", sorted(NEEDED))
def test_missing_parameters_are_named(action: Action) -> None:
    if action is Action.TAKE:
        return
    state, extra = {
        Action.CHOOSE_MEASURE: (D, {"verdict_confirmed": True}),
        Action.RELEASE_UNKNOWN: (S, {"reissue_state": ReissueState.UNKNOWN}),
        Action.SKIP_NOTICE: (T, {}),
        Action.REOPEN: (C, {}),
        Action.CHANGE_MEASURE: (A, {}),
        Action.GO_WITHOUT_CONSENT: (A, {}),
    }.get(action, (D, {}))

    assert refused(start(state, **extra), action).code == "parameter_missing"


@pytest.mark.parametrize(
    ("facts", "action", "params", "code"),
    [
        (start(D), Action.CHOOSE_MEASURE, {"measure": "wait"}, "verdict_not_confirmed"),
        (
            start(D, verdict_confirmed=True, measure=Measure.WAIT),
            Action.CONFIRM_VERDICT,
            {"claim": "late"},
            "verdict_already_confirmed",
        ),
        (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "wait"}, "parameter_missing"),
        (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "wait", "until": NOW}, "until_is_past"),
        (start(D, verdict_confirmed=True), Action.CHOOSE_MEASURE, {"measure": "pray"}, "parameter_unknown"),
        (start(A), Action.CHANGE_MEASURE, {"measure": "reissue", "reason": "x"}, "measure_unchanged"),
        (start(F), Action.CHANGE_MEASURE, {"measure": "refund", "reason": "x"}, "reissue_is_live"),
        (start(A), Action.ASK_CARRIER, {"answer_due": NOW}, "answer_due_is_past"),
        (start(N), Action.RECORD_CONSENT, {"who": "x"}, "consent_already_settled"),
        (start(A, measure=Measure.CHASE), Action.FILL_NUMBER, {}, "measure_is_not_reissue"),
        (start(N, reissue_state=ReissueState.NONE), Action.SUBMIT, {}, "number_not_filled"),
        (start(N, needs_ticket=True), Action.SUBMIT, {}, "ticket_needed"),
        (start(S), Action.PROVE_SUBMISSION, {}, "submission_not_unknown"),
        (start(S), Action.RELEASE_UNKNOWN, {"accepted": True, "reason": "x"}, "submission_not_unknown"),
        (start(S, reissue_state=ReissueState.UNKNOWN), Action.RELEASE_UNKNOWN, {"reason": "x"}, "parameter_missing"),
        (start(F), Action.TELL_CUSTOMER, {}, "customer_already_told"),
        (start(A), Action.TELL_CUSTOMER, {"purpose": "reissue_sent"}, "nothing_to_tell_yet"),
        (start(A), Action.TELL_CUSTOMER, {"purpose": "poetry"}, "parameter_unknown"),
        (
            start(T, measure=Measure.REFUND, reissue_state=ReissueState.NONE),
            Action.REISSUE_WRONG,
            {},
            "no_reissue_under_way",
        ),
        (start(F), Action.WAIT_OVER, {}, "reissue_is_live"),
        (start(T), Action.CLOSE, {"reason": "x"}, "reissue_is_live"),
        (start(D), Action.CLOSE, {"reason": "x", "outcome": "boredom"}, "parameter_unknown"),
    ],
)
def test_guards(facts: CaseFacts, action: Action, params: dict[str, Any], code: str) -> None:
    assert refused(facts, action, **params).code == code


def test_only_a_lead_submits_without_the_ticket_that_is_needed() -> None:
    facts = start(N, needs_ticket=True)

    assert refused(facts, Action.SUBMIT, Role.AGENT, override_reason="hurry").params["permission"] == "override_gate"
    assert go(facts, Action.SUBMIT, Role.LEAD, override_reason="hurry").state is S
    assert go(replace(facts, ticket_open=True), Action.SUBMIT, Role.AGENT).state is S


def test_a_lost_parcel_is_sent_again_and_arrives() -> None:
    facts = cases.opened(NOW, [FindingFact("lost", NOW)])
    walk: list[tuple[Action, Role | None, dict[str, Any], Step | None]] = [
        (Action.CONFIRM_VERDICT, Role.AGENT, {"claim": "lost"}, Step.DETERMINE),
        (Action.CHOOSE_MEASURE, Role.AGENT, {"measure": "reissue"}, Step.NEGOTIATE),
        (Action.ASK_CARRIER, Role.AGENT, {"answer_due": LATER}, Step.NEGOTIATE),
        (Action.RECORD_CONSENT, Role.AGENT, {"who": "branch"}, Step.NUMBER),
        (Action.FILL_NUMBER, Role.WAREHOUSE, {}, Step.NUMBER),
        (Action.SUBMIT, Role.WAREHOUSE, {}, Step.NUMBER),
        (Action.SUBMISSION_ACCEPTED, None, {"promise_at": LATER}, Step.NOTIFY),
        (Action.TELL_CUSTOMER, Role.AGENT, {"channel": "sms"}, Step.NOTIFY),
        (Action.CUSTOMER_TOLD, None, {}, Step.FOLLOW),
        (Action.REISSUE_DELIVERED, None, {}, None),
    ]
    for action, role, params, step in walk:
        facts = go(facts, action, role, **params)
        assert facts.step is step, action
    assert facts.outcome is Outcome.REISSUE_DELIVERED
    assert facts.promise_at == LATER


def test_a_reissue_that_goes_wrong_opens_the_next_round() -> None:
    facts = start(F, told_at=NOW, promise_at=LATER, carrier_asked_at=NOW)
    decision = cases.decide(facts, Action.REISSUE_WRONG, role=None, now=NOW)

    assert [(effect.kind, effect.params) for effect in decision.effects] == [(EffectKind.OPEN_NEXT_ROUND, {"round": 2})]
    assert cases.after(facts, decision.changes) == cases.opened(NOW, round=2)


def test_the_customer_may_be_told_before_the_carrier_consents() -> None:
    facts = start(A)
    decision = cases.decide(facts, Action.TELL_CUSTOMER, role=Role.AGENT, now=NOW, channel="sms")

    assert decision.effects[0].params == {"purpose": "apology", "channel": "sms"}
    assert cases.after(facts, decision.changes) == facts


def test_an_unconfirmed_case_warns_early() -> None:
    decision = cases.decide(start(D), Action.TELL_CUSTOMER, role=None, now=NOW)

    assert decision.effects[0].params["purpose"] == "early_warning"


def test_asking_a_carrier_that_refused_opens_its_answer_again() -> None:
    facts = go(start(A, consent=Consent.REFUSED, carrier_asked_at=NOW), Action.ASK_CARRIER)

    assert facts.consent is None


def test_the_original_arriving_beside_a_reissue_is_shown_and_closes_nothing() -> None:
    decision = cases.decide(start(F), Action.PARCEL_DELIVERED, role=None, now=NOW)

    assert (decision.state, decision.entries[0].kind) == (F, "double_delivery")


def test_reopening_after_a_reissue_counts_a_round() -> None:
    ended = start(C, measure=Measure.REISSUE, reissue_state=ReissueState.DELIVERED, outcome=Outcome.REISSUE_DELIVERED)

    assert go(ended, Action.REOPEN, reason="not in the box").round == 2
    assert go(start(C), Action.REOPEN, reason="not in the box").round == 1


def test_what_people_write_travels_apart() -> None:
    entry = cases.decide(start(D), Action.CLOSE, role=Role.AGENT, now=NOW, reason=" 王女士 said so ").entries[0]

    assert (entry.words, entry.why) == ("王女士 said so", Why("close", {"round": 1}))
    asked = cases.decide(start(A), Action.ASK_CARRIER, role=Role.AGENT, now=NOW, answer_due=LATER, x=[1]).entries[0]
    assert asked.why.params == {"answer_due": LATER.isoformat(), "round": 1}
    chosen = start(D, verdict_confirmed=True)
    entry = cases.decide(chosen, Action.CHOOSE_MEASURE, role=Role.AGENT, now=NOW, measure=Measure.CHASE).entries[0]
    assert entry.why.params == {"measure": "chase", "round": 1}


def test_can_and_open_actions_agree_with_decide() -> None:
    facts = start(A)

    assert cases.open_actions(facts, Role.FINANCE, NOW) == ()
    assert cases.open_actions(facts, Role.WAREHOUSE, NOW) == (Action.FILL_NUMBER,)
    assert Action.GO_WITHOUT_CONSENT in cases.open_actions(facts, Role.LEAD, NOW)
    assert Action.GO_WITHOUT_CONSENT not in cases.open_actions(facts, Role.AGENT, NOW)
    refusal = cases.can(facts, Action.GO_WITHOUT_CONSENT, Role.AGENT, NOW)
    assert refusal is not None
    assert refusal.why.code == "not_allowed"


@pytest.mark.parametrize(
    ("facts", "action", "why", "due", "waiting"),
    [
        (
            start(D, findings=(FindingFact("lost", NOW),), deadline=DUE),
            Action.CONFIRM_VERDICT,
            "finding_open",
            DUE,
            "shop",
        ),
        (start(D), Action.CONFIRM_VERDICT, "verdict_missing", None, "shop"),
        (start(D, verdict_confirmed=True, deadline=DUE), Action.CHOOSE_MEASURE, "measure_missing", DUE, "shop"),
        (start(W), Action.WAIT_OVER, "waiting_until", LATER, "carrier"),
        (start(W, wait_until=NOW), Action.WAIT_OVER, "wait_is_over", NOW, "shop"),
        (start(A), Action.ASK_CARRIER, "carrier_not_asked", None, "shop"),
        (start(A, carrier_asked_at=NOW), Action.RECORD_CONSENT, "carrier_to_answer", LATER, "carrier"),
        (start(A, carrier_asked_at=NOW - timedelta(days=1)), Action.ASK_CARRIER, "carrier_silent", None, "shop"),
        (start(A, consent=Consent.REFUSED), Action.CHANGE_MEASURE, "carrier_refused", None, "shop"),
        (start(N, reissue_state=ReissueState.NONE), Action.FILL_NUMBER, "number_missing", None, "shop"),
        (start(N, reissue_state=ReissueState.REJECTED), Action.FILL_NUMBER, "number_rejected", None, "shop"),
        (start(N), Action.SUBMIT, "number_ready", None, "shop"),
        (start(N, needs_ticket=True), Action.TELL_CUSTOMER, "ticket_missing", None, "shop"),
        (start(N, needs_ticket=True, ticket_asked_at=NOW), Action.SUBMIT, "ticket_asked_for", None, "customer"),
        (start(N, needs_ticket=True, ticket_waiting=True), Action.FILL_NUMBER, "ticket_to_answer", None, "shop"),
        (start(S), Action.SUBMISSION_ACCEPTED, "submission_under_way", None, "platform"),
        (start(S, reissue_state=ReissueState.UNKNOWN), Action.RELEASE_UNKNOWN, "submission_unknown", None, "shop"),
        (start(T), Action.TELL_CUSTOMER, "customer_not_told", None, "shop"),
        (start(T, notice_state=NoticeState.QUEUED), Action.CUSTOMER_TOLD, "notice_under_way", None, "platform"),
        (start(T, notice_state=NoticeState.FAILED), Action.TELL_CUSTOMER, "notice_failed", None, "shop"),
        (start(F, promise_at=LATER), Action.REISSUE_DELIVERED, "reissue_under_way", LATER, "carrier"),
        (start(F, promise_at=NOW), Action.ASK_CARRIER, "promise_overdue", None, "shop"),
        (start(F, measure=Measure.CHASE, deadline=DUE), Action.PARCEL_DELIVERED, "original_under_way", DUE, "carrier"),
        (start(C), Action.REOPEN, "case_closed", None, "shop"),
    ],
)
def test_next_best(facts: CaseFacts, action: Action, why: str, due: datetime | None, waiting: str) -> None:
    best = cases.next_best(facts, NOW)

    assert (best.action, best.why.code, best.due, best.waiting_for) == (action, why, due, waiting)


def test_money_is_told_with_the_next_best_action() -> None:
    assert cases.why_here(start(T)) == Why("customer_not_told", {"purpose": "reissue_sent"})
    assert cases.why_here(start(A, risk_fen=2500)) == Why("carrier_not_asked", {"measure": "reissue", "risk_fen": 2500})


def test_the_gravest_finding_is_named_first() -> None:
    suspected, sure = FindingFact("held", NOW, confirmed=False), FindingFact("lost", LATER)

    assert cases.why_here(start(D, findings=(suspected, sure))).params["rule"] == "lost"


@pytest.mark.parametrize(
    ("policy", "pays", "needed"),
    [
        (ConsentPolicy.ALWAYS, False, True),
        (ConsentPolicy.CARRIER_PAYS, True, True),
        (ConsentPolicy.CARRIER_PAYS, False, False),
        (ConsentPolicy.NEVER, True, False),
    ],
)
def test_consent_policy(policy: ConsentPolicy, pays: bool, needed: bool) -> None:
    facts = start(A, consent_policy=policy, carrier_pays=pays)

    assert facts.needs_consent is needed
    assert replace(facts, measure=Measure.REFUND).needs_consent is False


def test_asking_for_a_ticket_is_remembered() -> None:
    decision = cases.decide(
        start(N, needs_ticket=True), Action.TELL_CUSTOMER, role=Role.AGENT, now=NOW, purpose="ask_open_ticket"
    )

    assert decision.changes == {"ticket_asked_at": NOW, "state": N}
    assert decision.effects[0].params == {"purpose": "ask_open_ticket", "channel": ""}


def test_telling_the_customer_may_carry_the_promise() -> None:
    facts = go(start(T), Action.CUSTOMER_TOLD, None, promise_at=LATER)

    assert (facts.told_at, facts.promise_at, facts.notice_state) == (NOW, LATER, NoticeState.SENT)


def test_compensation_is_told_and_ends_the_case() -> None:
    facts = start(T, measure=Measure.COMPENSATE, reissue_state=ReissueState.NONE)
    decision = cases.decide(facts, Action.TELL_CUSTOMER, role=Role.AGENT, now=NOW)

    assert decision.effects[0].params["purpose"] == "compensation"
    assert go(facts, Action.CUSTOMER_TOLD).outcome is Outcome.COMPENSATED


def test_a_skipped_notice_told_after_all_does_not_pull_the_case_back() -> None:
    skipped = start(F, notice_state=NoticeState.SKIPPED)

    assert go(skipped, Action.TELL_CUSTOMER).state is F
    assert go(skipped, Action.NOTICE_FAILED).state is F


def test_a_finding_becomes_a_fact_of_the_case() -> None:
    found = Finding("lost", Certainty.SUSPECTED, NOW, Why("lost"), 0, Step.DETERMINE, opens_case=True, is_silence=False)

    assert FindingFact.of(found) == FindingFact("lost", NOW, confirmed=False)
