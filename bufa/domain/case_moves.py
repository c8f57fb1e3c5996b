"""The one transition table of a case, and the guards and changes that its rows name.

A row says: in these states this action may happen, by these people, and the case then is in one of those states.
Which one, `first_unfinished` decides from the facts after the change: a case is at its first unfinished step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.domain.case_facts import (
    Action,
    CaseFacts,
    CaseState,
    Claim,
    Consent,
    EffectKind,
    EffectWanted,
    NoticeState,
    Outcome,
    Purpose,
    ReissueState,
)
from bufa.domain.case_measures import (
    NO_APPROVAL,
    NO_MEASURE,
    approve,
    came_back,
    change_measure,
    choose_measure,
    closing_outcome,
    confirm_verdict,
    decline,
    guard_approvable,
    guard_asked,
    guard_changeable,
    guard_not_reissue,
    guard_remedy,
    guard_requestable,
    guard_unconfirmed,
    guard_verdict,
    parcel_moved,
    refuse_live_reissue,
    remedy_done,
    remedy_moved,
    request_approval,
    wait_over,
    withdraw_request,
)
from bufa.domain.case_params import Changes, Params, choice_of, text_of
from bufa.domain.case_proof import (
    TROUBLE,
    customer_said,
    delivered,
    guard_waits_for_word,
    promise_moved,
    silence_over,
)
from bufa.domain.kinds import Measure
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission


@dataclass(frozen=True, slots=True)
class Move:
    """One row. `permission` None: only the system. `system`: facts that come in may do it, too.

    `guard` raises Refused from the facts alone; `apply` checks the parameters and returns changes and effects.
    """

    action: Action
    sources: tuple[CaseState, ...]
    targets: tuple[CaseState, ...]
    permission: Permission | None
    apply: Callable[[CaseFacts, Params, datetime], tuple[Changes, tuple[EffectWanted, ...]]]
    guard: Callable[[CaseFacts], None] = lambda facts: None
    system: bool = False


D, W, A, N, S, T, F, C = (
    CaseState.DETERMINING,
    CaseState.WAITING,
    CaseState.ASKING,
    CaseState.NUMBERING,
    CaseState.SUBMITTING,
    CaseState.TELLING,
    CaseState.FOLLOWING,
    CaseState.CLOSED,
)
OPEN = (D, W, A, N, S, T, F)

ROUND_START: Changes = {
    **NO_MEASURE,
    **NO_APPROVAL,
    "claim": None,
    "verdict_confirmed": False,
    "carrier_asked_at": None,
    "answer_due": None,
    "consent": None,
    "consent_until": None,
    "reissue_state": ReissueState.NONE,
    "ticket_asked_at": None,
    "told_at": None,
    "notice_state": NoticeState.NONE,
    "promise_at": None,
    "promise_breaks": False,
    "signed_at": None,
    "confirmed_at": None,
}
"""What is emptied when a round opens."""

STILL_AN_ISSUE = frozenset(
    {
        Claim.SIGNED_NOT_RECEIVED,
        Claim.WRONG_OR_SHORT,
        Claim.SHORT,
        Claim.WRONG,
        Claim.EMPTY,
        Claim.DAMAGED,
        Claim.DELIVERED,
    }
)
"""Claims about a parcel that has been delivered: its delivery does not end the case."""


def first_unfinished(facts: CaseFacts) -> CaseState:
    """The state that the facts put a case in."""
    if facts.outcome is not None:
        return C
    if facts.reissue_state is ReissueState.DELIVERED:
        return F  # signed for; the shop waits for the customer's word
    if not facts.verdict_confirmed or facts.measure is None:
        return D
    match facts.measure:
        case Measure.WAIT:
            return F if facts.parcel_moving else W
        case Measure.CHASE | Measure.INTERCEPT | Measure.REDELIVER:
            return F if facts.consent_settled else A
        case Measure.REFUND | Measure.COMPENSATE:
            return T
    if facts.reissue_state in (ReissueState.SUBMITTING, ReissueState.UNKNOWN):
        return S
    if facts.reissue_state is ReissueState.ACCEPTED:
        return F if facts.notice_state in (NoticeState.SENT, NoticeState.SKIPPED) else T
    return N if facts.consent_settled else A


def _effect(kind: EffectKind, **params: Any) -> tuple[EffectWanted, ...]:
    return (EffectWanted(kind, params),)


# --- negotiate -------------------------------------------------------------------------------------------------------


def _ask_carrier(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    due = params.get("answer_due")
    if due is not None and due <= now:
        raise Refused("answer_due_is_past", answer_due=due.isoformat())
    reminder = facts.carrier_asked_at is not None
    changes: Changes = {"carrier_asked_at": now, "answer_due": due}
    if facts.consent is Consent.REFUSED or (facts.state is N and facts.consent_is_over(now)):
        changes |= {"consent": None, "consent_until": None}  # asked again: the answer is open again
    return changes, _effect(EffectKind.SEND_CARRIER_MAIL, reminder=reminder)


def _guard_consent_open(facts: CaseFacts) -> None:
    """A consent that holds until a day only may be renewed."""
    if facts.consent is Consent.GIVEN and facts.consent_until is not None:
        return
    if facts.consent in (Consent.GIVEN, Consent.OVERRIDDEN):
        raise Refused("consent_already_settled", consent=facts.consent.value)


def _guard_consent_ends(facts: CaseFacts) -> None:
    if facts.consent is not Consent.GIVEN or facts.consent_until is None:
        raise Refused("consent_already_settled", consent=facts.consent.value if facts.consent else "")


def _record_consent(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "who")
    return {"consent": Consent.GIVEN, "consent_until": params.get("valid_until")}, ()


def _record_refusal(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"consent": Consent.REFUSED, "consent_until": None}, ()


def _go_without_consent(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"consent": Consent.OVERRIDDEN, "consent_until": None}, ()


# --- number ----------------------------------------------------------------------------------------------------------


def _guard_fillable(facts: CaseFacts) -> None:
    if facts.measure is not Measure.REISSUE:
        raise Refused("measure_is_not_reissue", measure=facts.measure.value if facts.measure else "")
    refuse_live_reissue(facts)


def _fill_number(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"reissue_state": ReissueState.DRAFT}, ()


def _guard_submittable(facts: CaseFacts) -> None:
    _guard_fillable(facts)
    if facts.reissue_state is not ReissueState.DRAFT:
        raise Refused("number_not_filled", reissue_state=facts.reissue_state.value)


def _submit(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    if facts.needs_consent and facts.consent_is_over(now):
        raise Refused("consent_expired", until=facts.consent_until.isoformat() if facts.consent_until else "")
    if facts.needs_ticket and not facts.ticket_open and not str(params.get("override_reason") or "").strip():
        raise Refused("ticket_needed")
    return {"reissue_state": ReissueState.SUBMITTING}, _effect(EffectKind.SUBMIT_REISSUE)


def _accepted(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    changes: Changes = {"reissue_state": ReissueState.ACCEPTED}
    if params.get("promise_at") is not None:
        changes["promise_at"] = params["promise_at"]
    return changes, _effect(EffectKind.SUBSCRIBE_REISSUE)


def _rejected(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"reissue_state": ReissueState.REJECTED}, ()


def _unknown(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"reissue_state": ReissueState.UNKNOWN}, _effect(EffectKind.READ_BACK)


def _guard_unknown(facts: CaseFacts) -> None:
    if facts.reissue_state is not ReissueState.UNKNOWN:
        raise Refused("submission_not_unknown", reissue_state=facts.reissue_state.value)


def _release_unknown(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """A person looked at the platform and says what is there."""
    text_of(params, "reason")
    if "accepted" not in params:
        raise Refused("parameter_missing", name="accepted")
    return _accepted(facts, params, now) if params["accepted"] else _rejected(facts, params, now)


# --- notify ----------------------------------------------------------------------------------------------------------


def _purpose(facts: CaseFacts, params: Params) -> Purpose:
    if params.get("purpose"):
        return choice_of(Purpose, params, "purpose")
    if facts.main_purpose is not None:
        return facts.main_purpose
    return Purpose.APOLOGY if facts.verdict_confirmed else Purpose.EARLY_WARNING


def _refuse_promises(facts: CaseFacts) -> None:
    """Nobody is told of a refund that the platform may still refuse."""
    if facts.remedy_is_pending:
        raise Refused(
            "remedy_not_done", measure=facts.measure.value if facts.measure else "", remedy=facts.remedy.value
        )


def _tell_customer(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    purpose = _purpose(facts, params)
    changes: Changes = {}
    if purpose is facts.main_purpose:
        _refuse_promises(facts)
        if facts.notice_state is NoticeState.SENT:
            raise Refused("customer_already_told", purpose=purpose.value)
        if facts.notice_state is not NoticeState.SKIPPED:  # told after all: the case has gone on meanwhile
            changes["notice_state"] = NoticeState.QUEUED
    elif purpose in (Purpose.REISSUE_SENT, Purpose.REISSUE_DELIVERED):
        raise Refused("nothing_to_tell_yet", purpose=purpose.value)
    if purpose is Purpose.ASK_OPEN_TICKET:
        changes["ticket_asked_at"] = now
    channel = str(params.get("channel") or "")
    return changes, _effect(EffectKind.SEND_NOTICE, purpose=purpose.value, channel=channel)


def _customer_told(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    if (purpose := _purpose(facts, params)) is not facts.main_purpose:
        return promise_moved(facts, purpose, params), ()
    changes: Changes = {"notice_state": NoticeState.SENT, "told_at": now} | closing_outcome(facts)
    if params.get("promise_at") is not None:
        changes["promise_at"] = params["promise_at"]
    return changes, ()


def _notice_failed(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    settled = facts.notice_state in (NoticeState.SENT, NoticeState.SKIPPED)
    is_main = _purpose(facts, params) is facts.main_purpose and not settled
    return ({"notice_state": NoticeState.FAILED} if is_main else {}), ()


def _skip_notice(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    _refuse_promises(facts)
    return {"notice_state": NoticeState.SKIPPED} | closing_outcome(facts), ()


# --- follow and close ------------------------------------------------------------------------------------------------


def _guard_accepted(facts: CaseFacts) -> None:
    if facts.reissue_state is not ReissueState.ACCEPTED:
        raise Refused("no_reissue_under_way", reissue_state=facts.reissue_state.value)


def _guard_sent(facts: CaseFacts) -> None:
    """Also one that was signed for may turn out wrong, as long as the case waits for the customer's word."""
    if facts.reissue_state is not ReissueState.DELIVERED:
        _guard_accepted(facts)


def _reissue_delivered(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return (
        {"reissue_state": ReissueState.DELIVERED} | delivered(facts, Outcome.REISSUE_DELIVERED, now),
        _effect(EffectKind.SEND_NOTICE, purpose=Purpose.REISSUE_DELIVERED.value, channel=""),
    )


def _reissue_wrong(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return ROUND_START | {"round": facts.round + 1}, _effect(EffectKind.OPEN_NEXT_ROUND, round=facts.round + 1)


def _parcel_delivered(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """The original arrived after all. With a reissue on its way people must see it, the case goes on."""
    arrived = facts.reissue_is_live or facts.reissue_state is ReissueState.DELIVERED
    if arrived or facts.claim in STILL_AN_ISSUE or facts.customer_said in TROUBLE:
        return {}, ()
    return delivered(facts, Outcome.ORIGINAL_DELIVERED, now), ()


def _customer_said(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """A closed case comes back for what contradicts it, with its history; people then decide."""
    changes, effects = customer_said(facts, params, now)
    if facts.outcome is not None and changes.get("customer_said") in TROUBLE:
        return _back(facts) | changes, effects
    return changes, effects


def _close(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"outcome": choice_of(Outcome, params, "outcome") if params.get("outcome") else Outcome.OTHER}, ()


def _dismiss(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"outcome": Outcome.DISMISSED}, ()


def _reopen(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """A round is one reissue: a case that had one comes back in its next round."""
    text_of(params, "reason")
    return _back(facts), ()


def _back(facts: CaseFacts) -> Changes:
    changes = ROUND_START | {"outcome": None}
    had_one = facts.reissue_state in (ReissueState.DELIVERED, ReissueState.WRONG)
    return changes | {"round": facts.round + (1 if had_one else 0)}


def _take(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"owner": params.get("owner")}, ()


def _note(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "text")
    return {}, ()


P = Permission
TABLE: tuple[Move, ...] = (
    # determine
    Move(Action.CONFIRM_VERDICT, (D,), (D,), P.WORK_CASE, confirm_verdict, guard_unconfirmed),
    Move(Action.CHOOSE_MEASURE, (D,), (W, A, N, T, F), P.CHOOSE_MEASURE, choose_measure, guard_verdict),
    Move(Action.CHANGE_MEASURE, (W, A, N, T, F), (D, W, A, N, T), P.CHOOSE_MEASURE, change_measure, guard_changeable),
    *(
        Move(Action.REQUEST_APPROVAL, (at,), (at,), P.CHOOSE_MEASURE, request_approval, guard_requestable)
        for at in (D, W, A, N, T, F)
    ),
    Move(Action.APPROVE, (D, W, A, N, T, F), (A, N, T, F), P.APPROVE_MEASURE, approve, guard_approvable),
    *(Move(Action.DECLINE, (at,), (at,), P.APPROVE_MEASURE, decline, guard_asked) for at in (D, W, A, N, T, F)),
    *(
        Move(Action.WITHDRAW_REQUEST, (at,), (at,), P.CHOOSE_MEASURE, withdraw_request, guard_asked)
        for at in (D, W, A, N, T, F)
    ),
    Move(Action.WAIT_OVER, (W, F), (D,), P.WORK_CASE, wait_over, guard_not_reissue, system=True),
    Move(Action.PARCEL_CAME_BACK, (W, A, F), (D,), P.WORK_CASE, came_back, refuse_live_reissue, system=True),
    Move(Action.PARCEL_MOVED, (W,), (F,), P.WORK_CASE, parcel_moved, system=True),
    *(Move(Action.REMEDY_MOVED, (at,), (at,), P.OPERATE_AFTERSALE, remedy_moved, system=True) for at in CaseState),
    *(
        Move(Action.REMEDY_DONE, (at,), (at,), P.CHOOSE_MEASURE, remedy_done, guard_remedy, system=True)
        for at in CaseState
        if at not in (A, T)
    ),
    Move(Action.REMEDY_DONE, (A,), (A, F), P.CHOOSE_MEASURE, remedy_done, guard_remedy, system=True),
    Move(Action.REMEDY_DONE, (T,), (T, C), P.CHOOSE_MEASURE, remedy_done, guard_remedy, system=True),
    Move(Action.DISMISS, (D,), (C,), P.WORK_CASE, _dismiss),
    # negotiate
    Move(Action.ASK_CARRIER, (D,), (D,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (W,), (W,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (A,), (A,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (N,), (N, A), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (T,), (T,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (F,), (F,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.RECORD_CONSENT, (D,), (D,), P.RECORD_CONSENT, _record_consent, _guard_consent_open),
    Move(Action.RECORD_CONSENT, (A,), (N, F), P.RECORD_CONSENT, _record_consent, _guard_consent_open),
    Move(Action.RECORD_CONSENT, (N,), (N,), P.RECORD_CONSENT, _record_consent, _guard_consent_open),
    Move(Action.RECORD_REFUSAL, (D,), (D,), P.RECORD_CONSENT, _record_refusal, _guard_consent_open),
    Move(Action.RECORD_REFUSAL, (A,), (A,), P.RECORD_CONSENT, _record_refusal, _guard_consent_open),
    Move(Action.GO_WITHOUT_CONSENT, (A,), (N, F), P.OVERRIDE_CONSENT, _go_without_consent),
    Move(Action.GO_WITHOUT_CONSENT, (N,), (N,), P.OVERRIDE_CONSENT, _go_without_consent, _guard_consent_ends),
    # number
    Move(Action.FILL_NUMBER, (A,), (A,), P.FILL_NUMBER, _fill_number, _guard_fillable),
    Move(Action.FILL_NUMBER, (N,), (N,), P.FILL_NUMBER, _fill_number, _guard_fillable),
    Move(Action.SUBMIT, (N,), (S,), P.SUBMIT_REISSUE, _submit, _guard_submittable),
    Move(Action.SUBMISSION_ACCEPTED, (S,), (T,), None, _accepted, system=True),
    Move(Action.SUBMISSION_REJECTED, (S,), (N,), None, _rejected, system=True),
    Move(Action.SUBMISSION_UNKNOWN, (S,), (S,), None, _unknown, system=True),
    Move(Action.PROVE_SUBMISSION, (S,), (T,), P.SUBMIT_REISSUE, _accepted, _guard_unknown),
    Move(Action.RELEASE_UNKNOWN, (S,), (N, T), P.SETTLE_EFFECT, _release_unknown, _guard_unknown),
    # notify
    *(Move(Action.TELL_CUSTOMER, (at,), (at,), P.SEND_NOTICE, _tell_customer, system=True) for at in OPEN),
    *(
        Move(Action.CUSTOMER_TOLD, (at,), (at,), P.SEND_NOTICE, _customer_told, system=True)
        for at in CaseState
        if at is not T
    ),
    Move(Action.CUSTOMER_TOLD, (T,), (T, F, C), P.SEND_NOTICE, _customer_told, system=True),
    *(Move(Action.NOTICE_FAILED, (at,), (at,), P.SEND_NOTICE, _notice_failed, system=True) for at in CaseState),
    Move(Action.SKIP_NOTICE, (T,), (F, C), P.SEND_NOTICE, _skip_notice),
    # follow
    Move(Action.REISSUE_DELIVERED, (T, F), (F, C), P.WORK_CASE, _reissue_delivered, _guard_accepted, system=True),
    Move(Action.REISSUE_WRONG, (T, F), (D,), P.WORK_CASE, _reissue_wrong, _guard_sent, system=True),
    *(
        Move(Action.PARCEL_DELIVERED, (at,), (at, C), P.WORK_CASE, _parcel_delivered, system=True)
        for at in OPEN
        if at is not S
    ),
    Move(Action.PARCEL_DELIVERED, (S,), (S,), P.WORK_CASE, _parcel_delivered, system=True),
    # the customer's word
    *(Move(Action.CUSTOMER_SAID, (at,), (at, C), None, _customer_said, system=True) for at in OPEN if at not in (S, W)),
    *(Move(Action.CUSTOMER_SAID, (at,), (at,), None, _customer_said, system=True) for at in (S,)),
    Move(Action.CUSTOMER_SAID, (W,), (W, C), None, _customer_said, system=True),
    Move(Action.CUSTOMER_SAID, (C,), (D, C), None, _customer_said, system=True),
    *(
        Move(Action.SILENCE_OVER, (at,), (C,), None, silence_over, guard_waits_for_word, system=True)
        for at in OPEN
        if at is not S
    ),
    # close
    Move(Action.CLOSE, (D, W, A, N, T, F), (C,), P.WORK_CASE, _close, refuse_live_reissue, system=True),
    Move(Action.REOPEN, (C,), (D,), P.WORK_CASE, _reopen),
    # any time
    *(Move(Action.TAKE, (at,), (at,), P.WORK_CASE, _take, system=True) for at in OPEN),
    *(Move(Action.NOTE, (at,), (at,), P.WORK_CASE, _note, system=True) for at in CaseState),
)
"""Every move a case can make. The diagram in docs/ and the tests are made from it."""

BY_SOURCE: Mapping[tuple[CaseState, Action], Move] = {
    (source, move.action): move for move in TABLE for source in move.sources
}
