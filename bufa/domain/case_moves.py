"""The one transition table of a case, and the guards and changes that its rows name.

A row says: in these states this action may happen, by these people, and the case then is in one of those states.
Which one, `first_unfinished` decides from the facts after the change: a case is at its first unfinished step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

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
from bufa.domain.kinds import Measure, Stage
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission

E = TypeVar("E", bound=StrEnum)
Params = Mapping[str, Any]
Changes = dict[str, Any]


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
    "claim": None,
    "measure": None,
    "verdict_confirmed": False,
    "carrier_asked_at": None,
    "answer_due": None,
    "consent": None,
    "reissue_state": ReissueState.NONE,
    "ticket_asked_at": None,
    "told_at": None,
    "notice_state": NoticeState.NONE,
    "promise_at": None,
    "wait_until": None,
    "parcel_moving": False,
}
"""What is emptied when a round opens."""

STILL_AN_ISSUE = frozenset({Claim.SIGNED_NOT_RECEIVED, Claim.WRONG_OR_SHORT, Claim.DAMAGED, Claim.DELIVERED})
"""Claims about a parcel that has been delivered: its delivery does not end the case."""


def first_unfinished(facts: CaseFacts) -> CaseState:
    """The state that the facts put a case in."""
    if facts.outcome is not None:
        return C
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


# --- small helpers ---------------------------------------------------------------------------------------------------


def text_of(params: Params, name: str) -> str:
    """A parameter that must hold words; Refused names it when it does not."""
    value = str(params.get(name) or "").strip()
    if not value:
        raise Refused("parameter_missing", name=name)
    return value


def choice_of(kind: type[E], params: Params, name: str) -> E:
    """A parameter that must be one of an enum's values."""
    value = text_of(params, name)
    try:
        return kind(value)
    except ValueError:
        raise Refused("parameter_unknown", name=name, value=value) from None


def _refuse_live_reissue(facts: CaseFacts) -> None:
    if facts.reissue_is_live:
        raise Refused("reissue_is_live", reissue_state=facts.reissue_state.value)


def _effect(kind: EffectKind, **params: Any) -> tuple[EffectWanted, ...]:
    return (EffectWanted(kind, params),)


def _closing_outcome(facts: CaseFacts) -> Changes:
    """Refund and compensation end once the customer knows; a reissue goes on to be followed."""
    match facts.measure:
        case Measure.REFUND:
            return {"outcome": Outcome.REFUNDED}
        case Measure.COMPENSATE:
            return {"outcome": Outcome.COMPENSATED}
        case _:
            return {}


# --- determine -------------------------------------------------------------------------------------------------------


def _guard_unconfirmed(facts: CaseFacts) -> None:
    if facts.verdict_confirmed and facts.measure is not None:
        raise Refused("verdict_already_confirmed")


def _confirm_verdict(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"claim": choice_of(Claim, params, "claim"), "verdict_confirmed": True}, ()


def _guard_verdict(facts: CaseFacts) -> None:
    if not facts.verdict_confirmed:
        raise Refused("verdict_not_confirmed")


def _measure_changes(params: Params, now: datetime) -> Changes:
    measure = choice_of(Measure, params, "measure")
    changes: Changes = {"measure": measure, "wait_until": None, "parcel_moving": False}
    if measure is Measure.WAIT:
        until = params.get("until")
        if not isinstance(until, datetime):
            raise Refused("parameter_missing", name="until")
        if until <= now:
            raise Refused("until_is_past", until=until.isoformat())
        changes["wait_until"] = until
    if "carrier_pays" in params:
        changes["carrier_pays"] = bool(params["carrier_pays"])
    return changes


def _choose_measure(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return _measure_changes(params, now), ()


def _change_measure(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """A consent was given for the old measure, so it does not carry over; what the carrier was asked does."""
    text_of(params, "reason")
    fresh: Changes = {"consent": None, "notice_state": NoticeState.NONE, "told_at": None, "promise_at": None}
    if params.get("measure") is None:
        return fresh | {"measure": None, "verdict_confirmed": False, "wait_until": None, "parcel_moving": False}, ()
    changes = _measure_changes(params, now)
    if changes["measure"] is facts.measure and facts.measure is not Measure.WAIT:
        raise Refused("measure_unchanged", measure=facts.measure.value)
    return fresh | changes, ()


def _wait_over(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {
        "measure": None,
        "verdict_confirmed": False,
        "wait_until": None,
        "parcel_moving": False,
        "consent": None,
    }, ()


def _came_back(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """What was waited or asked for can't come any more: what to do now is a new decision."""
    stage = choice_of(Stage, params, "stage")
    if facts.measure is Measure.INTERCEPT and stage is Stage.RETURNING:
        raise Refused("return_was_asked_for")
    return _wait_over(facts, params, now)


def _guard_not_reissue(facts: CaseFacts) -> None:
    if facts.measure is Measure.REISSUE:
        raise Refused("reissue_is_live", reissue_state=facts.reissue_state.value)


def _parcel_moved(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"parcel_moving": True}, ()


# --- negotiate -------------------------------------------------------------------------------------------------------


def _ask_carrier(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    due = params.get("answer_due")
    if due is not None and due <= now:
        raise Refused("answer_due_is_past", answer_due=due.isoformat())
    reminder = facts.carrier_asked_at is not None
    changes: Changes = {"carrier_asked_at": now, "answer_due": due}
    if facts.consent is Consent.REFUSED:
        changes["consent"] = None  # asked again: the answer is open again
    return changes, _effect(EffectKind.SEND_CARRIER_MAIL, reminder=reminder)


def _guard_consent_open(facts: CaseFacts) -> None:
    if facts.consent in (Consent.GIVEN, Consent.OVERRIDDEN):
        raise Refused("consent_already_settled", consent=facts.consent.value)


def _record_consent(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "who")
    return {"consent": Consent.GIVEN}, ()


def _record_refusal(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"consent": Consent.REFUSED}, ()


def _go_without_consent(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"consent": Consent.OVERRIDDEN}, ()


# --- number ----------------------------------------------------------------------------------------------------------


def _guard_fillable(facts: CaseFacts) -> None:
    if facts.measure is not Measure.REISSUE:
        raise Refused("measure_is_not_reissue", measure=facts.measure.value if facts.measure else "")
    _refuse_live_reissue(facts)


def _fill_number(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"reissue_state": ReissueState.DRAFT}, ()


def _guard_submittable(facts: CaseFacts) -> None:
    _guard_fillable(facts)
    if facts.reissue_state is not ReissueState.DRAFT:
        raise Refused("number_not_filled", reissue_state=facts.reissue_state.value)


def _submit(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
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


def _tell_customer(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    purpose = _purpose(facts, params)
    changes: Changes = {}
    if purpose is facts.main_purpose:
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
    if _purpose(facts, params) is not facts.main_purpose:
        return {}, ()
    changes: Changes = {"notice_state": NoticeState.SENT, "told_at": now} | _closing_outcome(facts)
    if params.get("promise_at") is not None:
        changes["promise_at"] = params["promise_at"]
    return changes, ()


def _notice_failed(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    settled = facts.notice_state in (NoticeState.SENT, NoticeState.SKIPPED)
    is_main = _purpose(facts, params) is facts.main_purpose and not settled
    return ({"notice_state": NoticeState.FAILED} if is_main else {}), ()


def _skip_notice(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"notice_state": NoticeState.SKIPPED} | _closing_outcome(facts), ()


# --- follow and close ------------------------------------------------------------------------------------------------


def _guard_accepted(facts: CaseFacts) -> None:
    if facts.reissue_state is not ReissueState.ACCEPTED:
        raise Refused("no_reissue_under_way", reissue_state=facts.reissue_state.value)


def _reissue_delivered(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return (
        {"reissue_state": ReissueState.DELIVERED, "outcome": Outcome.REISSUE_DELIVERED},
        _effect(EffectKind.SEND_NOTICE, purpose=Purpose.REISSUE_DELIVERED.value, channel=""),
    )


def _reissue_wrong(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return ROUND_START | {"round": facts.round + 1}, _effect(EffectKind.OPEN_NEXT_ROUND, round=facts.round + 1)


def _parcel_delivered(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """The original arrived after all. With a reissue on its way people must see it, the case goes on."""
    if facts.reissue_is_live or facts.claim in STILL_AN_ISSUE:
        return {}, ()
    return {"outcome": Outcome.ORIGINAL_DELIVERED}, ()


def _close(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"outcome": choice_of(Outcome, params, "outcome") if params.get("outcome") else Outcome.OTHER}, ()


def _dismiss(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "reason")
    return {"outcome": Outcome.DISMISSED}, ()


def _reopen(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    """A round is one reissue: a case that had one comes back in its next round."""
    text_of(params, "reason")
    changes = ROUND_START | {"outcome": None}
    had_one = facts.reissue_state in (ReissueState.DELIVERED, ReissueState.WRONG)
    return changes | {"round": facts.round + (1 if had_one else 0)}, ()


def _take(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    return {"owner": params.get("owner")}, ()


def _note(facts: CaseFacts, params: Params, now: datetime) -> tuple[Changes, tuple[EffectWanted, ...]]:
    text_of(params, "text")
    return {}, ()


P = Permission
TABLE: tuple[Move, ...] = (
    # determine
    Move(Action.CONFIRM_VERDICT, (D,), (D,), P.WORK_CASE, _confirm_verdict, _guard_unconfirmed),
    Move(Action.CHOOSE_MEASURE, (D,), (W, A, N, T, F), P.CHOOSE_MEASURE, _choose_measure, _guard_verdict),
    Move(
        Action.CHANGE_MEASURE, (W, A, N, T, F), (D, W, A, N, T), P.CHOOSE_MEASURE, _change_measure, _refuse_live_reissue
    ),
    Move(Action.WAIT_OVER, (W, F), (D,), P.WORK_CASE, _wait_over, _guard_not_reissue, system=True),
    Move(Action.PARCEL_MOVED, (W,), (F,), P.WORK_CASE, _parcel_moved, system=True),
    Move(Action.PARCEL_CAME_BACK, (W, A, F), (D,), P.WORK_CASE, _came_back, _refuse_live_reissue, system=True),
    Move(Action.DISMISS, (D,), (C,), P.WORK_CASE, _dismiss),
    # negotiate
    Move(Action.ASK_CARRIER, (D,), (D,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (W,), (W,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (A,), (A,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (N,), (N,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (T,), (T,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.ASK_CARRIER, (F,), (F,), P.WORK_CASE, _ask_carrier, system=True),
    Move(Action.RECORD_CONSENT, (D,), (D,), P.RECORD_CONSENT, _record_consent, _guard_consent_open),
    Move(Action.RECORD_CONSENT, (A,), (N, F), P.RECORD_CONSENT, _record_consent, _guard_consent_open),
    Move(Action.RECORD_CONSENT, (N,), (N,), P.RECORD_CONSENT, _record_consent, _guard_consent_open),
    Move(Action.RECORD_REFUSAL, (D,), (D,), P.RECORD_CONSENT, _record_refusal, _guard_consent_open),
    Move(Action.RECORD_REFUSAL, (A,), (A,), P.RECORD_CONSENT, _record_refusal, _guard_consent_open),
    Move(Action.GO_WITHOUT_CONSENT, (A,), (N, F), P.OVERRIDE_CONSENT, _go_without_consent),
    # number
    Move(Action.FILL_NUMBER, (A,), (A,), P.FILL_NUMBER, _fill_number, _guard_fillable),
    Move(Action.FILL_NUMBER, (N,), (N,), P.FILL_NUMBER, _fill_number, _guard_fillable),
    Move(Action.SUBMIT, (N,), (S,), P.SUBMIT_REISSUE, _submit, _guard_submittable),
    Move(Action.SUBMISSION_ACCEPTED, (S,), (T,), None, _accepted, system=True),
    Move(Action.SUBMISSION_REJECTED, (S,), (N,), None, _rejected, system=True),
    Move(Action.SUBMISSION_UNKNOWN, (S,), (S,), None, _unknown, system=True),
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
    Move(Action.REISSUE_DELIVERED, (T, F), (C,), P.WORK_CASE, _reissue_delivered, _guard_accepted, system=True),
    Move(Action.REISSUE_WRONG, (T, F), (D,), P.WORK_CASE, _reissue_wrong, _guard_accepted, system=True),
    *(
        Move(Action.PARCEL_DELIVERED, (at,), (at, C), P.WORK_CASE, _parcel_delivered, system=True)
        for at in OPEN
        if at is not S
    ),
    Move(Action.PARCEL_DELIVERED, (S,), (S,), P.WORK_CASE, _parcel_delivered, system=True),
    # close
    Move(Action.CLOSE, (D, W, A, N, T, F), (C,), P.WORK_CASE, _close, _refuse_live_reissue, system=True),
    Move(Action.REOPEN, (C,), (D,), P.WORK_CASE, _reopen),
    # any time
    *(Move(Action.TAKE, (at,), (at,), P.WORK_CASE, _take, system=True) for at in OPEN),
    *(Move(Action.NOTE, (at,), (at,), P.WORK_CASE, _note, system=True) for at in CaseState),
)
"""Every move a case can make. The diagram in docs/ and the tests are made from it."""

BY_SOURCE: Mapping[tuple[CaseState, Action], Move] = {
    (source, move.action): move for move in TABLE for source in move.sources
}
