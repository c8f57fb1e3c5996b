"""What the customer says to a case, and the proof that it needs before it closes.

A parcel is signed for by tracking. Where the shop wants more, the case stays open until the customer says that the
goods are there, or has said nothing for the shop's number of days.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bufa.domain.case_facts import Action, CaseFacts, CaseState, EffectWanted, NextBest, Outcome, Purpose, ReissueState
from bufa.domain.case_params import Changes, Params, choice_of
from bufa.domain.customer_says import Answer
from bufa.domain.kinds import Measure
from bufa.domain.outcome import Refused, Why

LOOK_WITHIN = timedelta(hours=12)
"""How soon a person should look at what a customer said."""

TROUBLE = frozenset({Answer.NOT_RECEIVED, Answer.DAMAGED})
"""Answers that contradict a signature: no case closes by silence over them, and a closed one comes back."""

LONGEST_SILENCE = 30
_SILENT = frozenset({Answer.RECEIVED, Answer.WAIT, Answer.ADDRESS_OK, Answer.RATED})
"""Answers that ask nobody for anything."""

UNHEARD: Changes = {"customer_said": "", "customer_said_at": None}
HEARS = frozenset({Action.NOTE, Action.TAKE})
"""What people may do without having dealt with what the customer said."""

Applied = tuple[Changes, tuple[EffectWanted, ...]]


def delivered(facts: CaseFacts, outcome: Outcome, now: datetime) -> Changes:
    """A parcel of the case was signed for: it closes, or waits for the customer's word where the shop wants that."""
    if facts.proof_days is None or facts.confirmed_at is not None:
        return {"signed_at": now, "outcome": outcome}
    return {"signed_at": now}


def waits_for_word(facts: CaseFacts) -> bool:
    """Never while another parcel is on its way: that one's signature is the proof then."""
    signed = facts.signed_at is not None and not facts.reissue_is_live
    return signed and facts.outcome is None and facts.proof_days is not None


def silence_ends(facts: CaseFacts) -> datetime | None:
    """When silence counts as the customer's yes; None where nothing waits for it."""
    if facts.signed_at is None or facts.proof_days is None:
        return None
    return facts.signed_at + timedelta(days=facts.proof_days)


def guard_waits_for_word(facts: CaseFacts) -> None:
    if not waits_for_word(facts):
        raise Refused("no_word_awaited")
    if facts.customer_said in TROUBLE:
        raise Refused("customer_says_otherwise", answer=facts.customer_said)


def silence_over(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    until = silence_ends(facts)
    if until is not None and now < until:
        raise Refused("silence_not_over", until=until.isoformat())
    return {"outcome": _arrived(facts)}, ()


def customer_said(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    """The answer stands until people have acted on it. The customer's yes closes a case that waits for it."""
    answer = choice_of(Answer, params, "answer")
    if answer is Answer.RECEIVED:
        changes: Changes = {"confirmed_at": now, **UNHEARD}
        return changes | ({"outcome": _arrived(facts)} if waits_for_word(facts) else {}), ()
    if answer in _SILENT:
        return {}, ()
    changes = {"customer_said": answer.value, "customer_said_at": now}
    return changes | ({"confirmed_at": None} if answer in TROUBLE else {}), ()


def _arrived(facts: CaseFacts) -> Outcome:
    if facts.reissue_state is ReissueState.DELIVERED:
        return Outcome.REISSUE_DELIVERED
    return Outcome.ORIGINAL_DELIVERED


def next_heard(facts: CaseFacts, best: NextBest) -> NextBest:
    """`best` with what the customer said put before it, with the signature that waits for their word, or with the
    promise that is about to break."""
    if facts.customer_said and facts.customer_said_at is not None:
        said = {"answer": facts.customer_said, "at": facts.customer_said_at.isoformat()}
        due = facts.customer_said_at + LOOK_WITHIN
        if best.waiting_for == "shop" and best.due is not None:
            due = min(due, best.due)
        action = _after_word(facts, best)
        if action is not None:
            return NextBest(action, Why("customer_said", said), due, "shop")
    if waits_for_word(facts) and facts.customer_said not in TROUBLE:
        until = silence_ends(facts)
        params = {"until": until.isoformat()} if until else {}
        return NextBest(Action.SILENCE_OVER, Why("waits_for_word", params), until, "customer")
    if facts.promise_breaks and facts.state is CaseState.FOLLOWING and facts.promise_at is not None:
        why = Why("promise_breaks", {"promise_at": facts.promise_at.isoformat()})
        return NextBest(Action.TELL_CUSTOMER, why, facts.promise_at, "shop")
    return best


def _after_word(facts: CaseFacts, best: NextBest) -> Action | None:
    """What people do about it here: the act that leads out of where the case stands. None: this step has its own."""
    if facts.state is CaseState.SUBMITTING:
        return None
    if facts.state is CaseState.DETERMINING:
        return best.action
    if facts.state is CaseState.WAITING:
        return Action.CHANGE_MEASURE
    if facts.state is CaseState.FOLLOWING:
        arriving = facts.reissue_state in (ReissueState.ACCEPTED, ReissueState.DELIVERED)
        if facts.measure is Measure.REISSUE and arriving:
            return Action.REISSUE_WRONG
        return Action.CHANGE_MEASURE
    return best.action if best.waiting_for == "shop" else Action.TELL_CUSTOMER


def promise_moved(facts: CaseFacts, purpose: Purpose, params: Params) -> Changes:
    """A new date was told: that one holds from now on."""
    if purpose not in (Purpose.NEW_PROMISE, Purpose.CHASE_UPDATE) or params.get("promise_at") is None:
        return {}
    return {"promise_at": params["promise_at"], "promise_breaks": False}
