"""Verdict, measure, the second person, and what a measure does outside: the guards and changes of the first step.

Rows of the table in case_moves name them. A measure whose cost is above the shop's limit is not chosen but asked for;
somebody else with the right approves it. Chosen, it says what it wants done: `start_remedy` (refund, pay, intercept) or
`write_to_carrier` (deliver again).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bufa.domain.case_facts import (
    LEFT_REMEDY,
    CaseFacts,
    Claim,
    Consent,
    ConsentPolicy,
    EffectKind,
    EffectWanted,
    NoticeState,
    Outcome,
    Payer,
    ReissueState,
    RemedyState,
)
from bufa.domain.case_params import Changes, Params, choice_of, text_of
from bufa.domain.kinds import Measure, Stage
from bufa.domain.outcome import Refused

Applied = tuple[Changes, tuple[EffectWanted, ...]]

SPENDING = frozenset({Measure.INTERCEPT, Measure.REISSUE, Measure.REFUND, Measure.COMPENSATE})
"""Measures that cost the shop something for certain: these can need a second person."""

NO_APPROVAL: Changes = {
    "approval_measure": None,
    "approval_by": None,
    "approval_name": "",
    "approval_at": None,
    "approval_fen": 0,
    "approval_amount_fen": None,
    "approval_payer": None,
}

NO_MEASURE: Changes = {
    "measure": None,
    "wait_until": None,
    "parcel_moving": False,
    "amount_fen": None,
    "payer": None,
    "remedy": RemedyState.NONE,
}


def closing_outcome(facts: CaseFacts) -> Changes:
    """Refund and compensation end once they are done and the customer knows; a reissue goes on to be followed."""
    if facts.remedy_is_pending:
        return {}
    match facts.measure:
        case Measure.REFUND:
            return {"outcome": Outcome.REFUNDED}
        case Measure.COMPENSATE:
            return {"outcome": Outcome.COMPENSATED}
        case _:
            return {}


def refuse_live_reissue(facts: CaseFacts) -> None:
    if facts.reissue_is_live:
        raise Refused("reissue_is_live", reissue_state=facts.reissue_state.value)


# --- verdict and measure ---------------------------------------------------------------------------------------------


def guard_unconfirmed(facts: CaseFacts) -> None:
    if facts.verdict_confirmed and facts.measure is not None:
        raise Refused("verdict_already_confirmed")


def confirm_verdict(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    return {"claim": choice_of(Claim, params, "claim"), "verdict_confirmed": True}, ()


def guard_verdict(facts: CaseFacts) -> None:
    if not facts.verdict_confirmed:
        raise Refused("verdict_not_confirmed")


def choose_measure(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    measure = choice_of(Measure, params, "measure")
    _refuse_without_second_person(facts, measure, params)
    return _chosen(facts, measure, params, now)


def guard_changeable(facts: CaseFacts) -> None:
    """What has left can't be changed by choosing again: neither a second parcel nor money that moved."""
    refuse_live_reissue(facts)
    if facts.reissue_state is ReissueState.DELIVERED:
        raise Refused("reissue_arrived")
    if facts.measure in (Measure.REFUND, Measure.COMPENSATE) and facts.remedy in LEFT_REMEDY:
        raise Refused("remedy_has_left", measure=facts.measure.value, remedy=facts.remedy.value)


def change_measure(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    """A consent was given for the old measure, so it does not carry over; what the carrier was asked does."""
    text_of(params, "reason")
    if params.get("measure") is None:
        return NO_MEASURE | NO_APPROVAL | _UNTOLD | {
            "consent": None,
            "consent_until": None,
            "verdict_confirmed": False,
        }, ()
    measure = choice_of(Measure, params, "measure")
    _refuse_same(facts, measure)
    _refuse_without_second_person(facts, measure, params)
    return _changed(facts, measure, params, now)


_UNTOLD: Changes = {"notice_state": NoticeState.NONE, "told_at": None, "promise_at": None}


def _changed(facts: CaseFacts, measure: Measure, params: Params, now: datetime) -> Applied:
    changes, effects = _chosen(facts, measure, params, now)
    return _UNTOLD | {"consent": None, "consent_until": None} | changes, effects


def _refuse_same(facts: CaseFacts, measure: Measure) -> None:
    if measure is facts.measure and measure is not Measure.WAIT:
        raise Refused("measure_unchanged", measure=measure.value)


def _refuse_without_second_person(facts: CaseFacts, measure: Measure, params: Params) -> None:
    """A measure that costs more than the limit is asked for, not chosen."""
    cost, limit = int(params.get("cost_fen") or 0), facts.approve_over_fen
    if measure in SPENDING and limit is not None and cost > limit:
        raise Refused("approval_needed", measure=measure.value, cost_fen=cost, limit_fen=limit)


def _chosen(facts: CaseFacts, measure: Measure, params: Params, now: datetime) -> Applied:
    changes: Changes = NO_MEASURE | NO_APPROVAL | {"measure": measure}
    if params.get("consent_policy") is not None:
        changes["consent_policy"] = choice_of(ConsentPolicy, params, "consent_policy")
    if "carrier_pays" in params:
        changes["carrier_pays"] = bool(params["carrier_pays"])
    by_platform = bool(params.get("by_platform"))
    match measure:
        case Measure.WAIT:
            changes["wait_until"] = _until(params, now)
        case Measure.REFUND:
            changes["remedy"] = RemedyState.UNDER_WAY if by_platform else RemedyState.TODO
            changes |= _money(params)
        case Measure.COMPENSATE:
            changes["remedy"] = RemedyState.TODO
            changes |= _money(params)
        case Measure.INTERCEPT:
            _refuse_unwished_recall(facts, params)
            changes["remedy"] = RemedyState.UNDER_WAY if by_platform else RemedyState.NONE
    if measure is Measure.INTERCEPT and not by_platform:
        return changes, _want(EffectKind.WRITE_TO_CARRIER, measure)
    if measure in (Measure.REFUND, Measure.COMPENSATE, Measure.INTERCEPT):
        return changes, _want(EffectKind.START_REMEDY, measure)
    return changes, _want(EffectKind.WRITE_TO_CARRIER, measure) if measure is Measure.REDELIVER else ()


def _want(kind: EffectKind, measure: Measure) -> tuple[EffectWanted, ...]:
    return (EffectWanted(kind, {"measure": measure.value}),)


def _until(params: Params, now: datetime) -> datetime:
    until = params.get("until")
    if not isinstance(until, datetime):
        raise Refused("parameter_missing", name="until")
    if until <= now:
        raise Refused("until_is_past", until=until.isoformat())
    return until


def _money(params: Params) -> Changes:
    """How much, and who pays in the end; who pays also says whether the carrier's consent matters."""
    amount = params.get("amount_fen")
    if amount is not None and int(amount) <= 0:
        raise Refused("amount_not_positive")
    payer = choice_of(Payer, params, "payer") if params.get("payer") else None
    changes: Changes = {"amount_fen": None if amount is None else int(amount), "payer": payer}
    return changes if payer is None else changes | {"carrier_pays": payer is Payer.CARRIER}


def _refuse_unwished_recall(facts: CaseFacts, params: Params) -> None:
    """A recall that the buyer did not ask for is an abnormal track: that cost is accepted, or there is no recall."""
    if not facts.wants_recall and not params.get("accept_penalty"):
        raise Refused("recall_not_wished", cost_fen=int(params.get("recall_fen") or 0))


def wait_over(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    return NO_MEASURE | {"verdict_confirmed": False, "consent": None, "consent_until": None}, ()


def came_back(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    """What was waited or asked for can't come any more: what to do now is a new decision."""
    stage = choice_of(Stage, params, "stage")
    if facts.measure is Measure.INTERCEPT and stage is Stage.RETURNING:
        raise Refused("return_was_asked_for")
    return wait_over(facts, params, now)


def guard_not_reissue(facts: CaseFacts) -> None:
    if facts.measure is Measure.REISSUE:
        raise Refused("reissue_is_live", reissue_state=facts.reissue_state.value)


def parcel_moved(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    return {"parcel_moving": True}, ()


# --- the second person -----------------------------------------------------------------------------------------------


def guard_requestable(facts: CaseFacts) -> None:
    guard_verdict(facts)
    guard_changeable(facts)
    if facts.approval_measure is not None:
        raise Refused("approval_is_asked", measure=facts.approval_measure.value, by=facts.approval_name)


def request_approval(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    """Ask for a measure that costs more than one person may spend; what would refuse it later refuses it now."""
    text_of(params, "reason")
    measure = choice_of(Measure, params, "measure")
    _refuse_same(facts, measure)
    if measure not in SPENDING:
        raise Refused("approval_not_needed", measure=measure.value)
    chosen, _ = _chosen(facts, measure, params, now)
    return {
        "approval_measure": measure,
        "approval_by": params.get("operator"),
        "approval_name": str(params.get("operator_name") or ""),
        "approval_at": now,
        "approval_fen": int(params.get("cost_fen") or 0),
        "approval_amount_fen": chosen["amount_fen"],
        "approval_payer": chosen["payer"],
    }, ()


def guard_asked(facts: CaseFacts) -> None:
    if facts.approval_measure is None:
        raise Refused("no_approval_asked")


def guard_approvable(facts: CaseFacts) -> None:
    guard_asked(facts)
    guard_changeable(facts)
    guard_verdict(facts)


def approve(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    """A second person says yes, and the measure is chosen as it was asked for."""
    measure = facts.approval_measure
    if measure is None:
        raise Refused("no_approval_asked")
    if params.get("operator") is None or params["operator"] == facts.approval_by:
        raise Refused("own_request")
    asked: dict[str, Any] = {"amount_fen": facts.approval_amount_fen, "accept_penalty": True}
    if facts.approval_payer is not None:
        asked["payer"] = facts.approval_payer
    given = {**params, **asked, "measure": measure}
    if facts.measure is None:
        return _chosen(facts, measure, given, now)
    return _changed(facts, measure, given, now)


def decline(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    text_of(params, "reason")
    return dict(NO_APPROVAL), ()


def withdraw_request(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    return dict(NO_APPROVAL), ()


# --- what the measure does outside -----------------------------------------------------------------------------------


def _is_meant(facts: CaseFacts, params: Params) -> bool:
    """News of a measure that is not this case's any more changes nothing; the timeline keeps it."""
    measure = choice_of(Measure, params, "measure") if params.get("measure") else facts.measure
    return measure is not None and measure is facts.measure and facts.outcome is None


def remedy_moved(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    state = choice_of(RemedyState, params, "remedy")
    if state is RemedyState.DONE:
        raise Refused("parameter_unknown", name="remedy", value=state.value)
    return ({"remedy": state} if _is_meant(facts, params) else {}), ()


def remedy_done(facts: CaseFacts, params: Params, now: datetime) -> Applied:
    """The money moved, or the carrier stops the parcel. What the customer was told already closes the case."""
    if not _is_meant(facts, params):
        return {}, ()
    changes: Changes = {"remedy": RemedyState.DONE}
    if facts.measure is Measure.INTERCEPT:
        return changes | ({} if facts.consent is Consent.REFUSED else {"consent": Consent.GIVEN}), ()
    if facts.notice_state in (NoticeState.SENT, NoticeState.SKIPPED):
        outcome = Outcome.REFUNDED if facts.measure is Measure.REFUND else Outcome.COMPENSATED
        return changes | ({"outcome": outcome} if facts.measure in (Measure.REFUND, Measure.COMPENSATE) else {}), ()
    return changes, ()


def guard_remedy(facts: CaseFacts) -> None:
    if facts.remedy is RemedyState.DONE:
        raise Refused("remedy_is_done")
