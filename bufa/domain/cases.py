"""The case: people's work on one original parcel that went wrong, in five steps.

`decide` is the only way a case changes. It looks the action up in the one table (case_moves.TABLE), asks the role's
permission and the row's guard, applies the change, and lets the facts say which step is now the first unfinished one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bufa.domain.case_facts import (
    LIVE_REISSUE,
    STEP_OF,
    Action,
    CaseFacts,
    CaseState,
    Claim,
    Consent,
    ConsentPolicy,
    Decision,
    EffectKind,
    EffectWanted,
    Entry,
    FindingFact,
    NextBest,
    NoticeState,
    Outcome,
    Payer,
    Purpose,
    ReissueState,
    RemedyState,
)
from bufa.domain.case_measures import NO_APPROVAL
from bufa.domain.case_moves import BY_SOURCE, TABLE, Move, first_unfinished
from bufa.domain.case_proof import HEARS, UNHEARD, next_heard
from bufa.domain.kinds import Measure, Role, Step
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check

__all__ = [
    "LIVE_REISSUE",
    "STEP_OF",
    "TABLE",
    "Action",
    "CaseFacts",
    "CaseState",
    "Claim",
    "Consent",
    "ConsentPolicy",
    "Decision",
    "EffectKind",
    "EffectWanted",
    "Entry",
    "FindingFact",
    "NextBest",
    "NoticeState",
    "Outcome",
    "Payer",
    "Purpose",
    "ReissueState",
    "RemedyState",
    "after",
    "can",
    "decide",
    "diagram",
    "first_unfinished",
    "next_best",
    "open_actions",
    "opened",
    "why_here",
]

ANSWER_HOURS = 24
"""How long a carrier is given to answer when nobody said otherwise."""

_FIELDS = frozenset(field.name for field in fields(CaseFacts))


def opened(now: datetime, findings: Iterable[FindingFact] = (), **known: Any) -> CaseFacts:
    """The facts of a case that opens now. `known`: other fields of CaseFacts, such as the shop's consent policy."""
    return CaseFacts(state=CaseState.DETERMINING, opened_at=now, findings=tuple(findings), **known)


def decide(facts: CaseFacts, action: Action, *, role: Role | None, now: datetime, **params: Any) -> Decision:
    """What the action makes of the case, or Refused with the reason; nothing is changed here.

    `role` None is the system: facts that came in. Parameters by action: confirm_verdict claim · choose_measure
    measure, until (wait), carrier_pays, payer and amount_fen (refund, compensate), accept_penalty (intercept); and as
    the world around the case says: cost_fen, recall_fen, by_platform, consent_policy · change_measure the same, reason,
    measure None: determine again · request_approval the same, reason · approve operator, never the one who asked ·
    decline reason · remedy_moved remedy, measure · remedy_done measure · ask_carrier answer_due · record_consent who,
    valid_until · record_refusal, go_without_consent, skip_notice, dismiss, reopen reason · submit override_reason ·
    submission_accepted, prove_submission promise_at · release_unknown accepted, reason ·
    tell_customer, customer_told, notice_failed purpose, channel · parcel_came_back stage ·
    customer_said answer · close reason, outcome ·
    take owner · note text.
    """
    move = _allowed(facts, action, role)
    if action is Action.SUBMIT and str(params.get("override_reason") or "").strip() and role is not None:
        check(role, Permission.OVERRIDE_GATE)
    changes, effects = move.apply(facts, params, now)
    if changes.get("outcome") is not None and facts.approval_measure is not None:
        changes = changes | NO_APPROVAL
    if role is not None and action not in HEARS and facts.customer_said:
        changes = UNHEARD | changes
    new = after(facts, changes)
    state = first_unfinished(new)
    if state not in move.targets:
        raise AssertionError(f"{action} led from {facts.state} to {state}, which the table does not list")
    entry = _entry(facts, action, changes, params)
    return Decision(state, state.step, changes | {"state": state}, effects, (entry,))


def after(facts: CaseFacts, changes: Mapping[str, Any]) -> CaseFacts:
    """The facts with a decision's changes applied."""
    return replace(facts, **{name: value for name, value in changes.items() if name in _FIELDS})


def can(facts: CaseFacts, action: Action, role: Role | None, now: datetime) -> Refused | None:
    """Why the action is closed to this role now, or None when it is open (its parameters aside)."""
    try:
        _allowed(facts, action, role)
    except Refused as refused:
        return refused
    return None


def open_actions(facts: CaseFacts, role: Role | None, now: datetime) -> tuple[Action, ...]:
    """Every action that is open to this role now, in the order of the five steps."""
    return tuple(action for action in Action if can(facts, action, role, now) is None)


def _allowed(facts: CaseFacts, action: Action, role: Role | None) -> Move:
    move = BY_SOURCE.get((facts.state, action))
    if move is None:
        raise Refused("action_not_here", action=action.value, state=facts.state.value)
    if role is None:
        if not move.system:
            raise Refused("people_only", action=action.value)
    elif move.permission is None:
        raise Refused("system_only", action=action.value)
    else:
        check(role, move.permission)
    move.guard(facts)
    return move


_FREE_TEXT = ("reason", "text", "override_reason")
_KEPT_BACK = ("who", "operator", "operator_name", "consent_policy", "by_platform", "recall_fen")
"""Not of use on the timeline: who acts stands there anyway, the rest is how the world was."""


def _entry(facts: CaseFacts, action: Action, changes: Mapping[str, Any], params: Mapping[str, Any]) -> Entry:
    """The line of the timeline. People write names into free text, so it travels apart from the plain parameters."""
    kind = action.value
    arrived = facts.reissue_is_live or facts.reissue_state is ReissueState.DELIVERED
    if action is Action.PARCEL_DELIVERED and not changes and arrived:
        kind = "double_delivery"
    told = {
        name: plain
        for name, value in params.items()
        if name not in (*_FREE_TEXT, *_KEPT_BACK) and (plain := _plain(value)) is not None
    }
    words = "\n".join(str(params[name]).strip() for name in _FREE_TEXT if params.get(name))
    return Entry(kind, Why(kind, told | {"round": facts.round}), words=words)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
        case str() | bool() | int():
            return value
        case _:
            return None


# --- what should happen next -----------------------------------------------------------------------------------------


def next_best(facts: CaseFacts, now: datetime) -> NextBest:
    """The one thing that should happen next, why, until when, and whose turn it is. Every state has one."""
    best = _next_by_state(facts, now)
    return best if facts.state is CaseState.CLOSED else next_heard(facts, best)


def _next_by_state(facts: CaseFacts, now: datetime) -> NextBest:
    match facts.state:
        case CaseState.DETERMINING:
            return _next_determining(facts)
        case CaseState.WAITING:
            return _next_waiting(facts, now)
        case CaseState.ASKING:
            return _next_asking(facts, now)
        case CaseState.NUMBERING:
            return _next_numbering(facts, now)
        case CaseState.SUBMITTING:
            return _next_submitting(facts)
        case CaseState.TELLING:
            return _next_telling(facts)
        case CaseState.FOLLOWING:
            return _next_following(facts, now)
        case CaseState.CLOSED:
            outcome = facts.outcome.value if facts.outcome else ""
            return NextBest(Action.REOPEN, Why("case_closed", {"outcome": outcome}), None, "shop")


def why_here(facts: CaseFacts) -> Why:
    """Why the case is at this step: what is still missing before the next one."""
    return next_best(facts, facts.opened_at).why


def _money(facts: CaseFacts) -> dict[str, Any]:
    return {"risk_fen": facts.risk_fen} if facts.risk_fen else {}


def _next_determining(facts: CaseFacts) -> NextBest:
    if facts.approval_measure is not None:
        asked = {"measure": facts.approval_measure.value, "cost_fen": facts.approval_fen, "by": facts.approval_name}
        return NextBest(Action.APPROVE, Why("approval_waits", asked), facts.deadline, "shop")
    if facts.verdict_confirmed:
        claim = facts.claim.value if facts.claim else ""
        return NextBest(
            Action.CHOOSE_MEASURE, Why("measure_missing", {"claim": claim} | _money(facts)), facts.deadline, "shop"
        )
    if not facts.findings and facts.snoozed_until is not None:
        until = facts.snoozed_until
        return NextBest(
            Action.CONFIRM_VERDICT,
            Why("findings_put_off", {"until": until.isoformat()} | _money(facts)),
            until,
            "carrier",
        )
    if not facts.findings:
        return NextBest(Action.CONFIRM_VERDICT, Why("verdict_missing", _money(facts)), facts.deadline, "shop")
    first = min(facts.findings, key=lambda finding: (not finding.confirmed, finding.since, finding.rule_id))
    params = {
        "rule": first.rule_id,
        "since": first.since.isoformat(),
        "confirmed": first.confirmed,
        "round": facts.round,
    }
    return NextBest(Action.CONFIRM_VERDICT, Why("finding_open", params | _money(facts)), facts.deadline, "shop")


def _next_waiting(facts: CaseFacts, now: datetime) -> NextBest:
    until = facts.wait_until
    if until is None or until <= now:
        return NextBest(Action.WAIT_OVER, Why("wait_is_over", _money(facts)), facts.deadline or until, "shop")
    return NextBest(
        Action.WAIT_OVER, Why("waiting_until", {"until": until.isoformat()} | _money(facts)), until, "carrier"
    )


def _next_asking(facts: CaseFacts, now: datetime) -> NextBest:
    measure = {"measure": facts.measure.value if facts.measure else ""}
    if facts.consent is Consent.REFUSED:
        return NextBest(Action.CHANGE_MEASURE, Why("carrier_refused", measure | _money(facts)), facts.deadline, "shop")
    if facts.carrier_asked_at is None:
        return NextBest(Action.ASK_CARRIER, Why("carrier_not_asked", measure | _money(facts)), facts.deadline, "shop")
    due = facts.answer_due or facts.carrier_asked_at + timedelta(hours=ANSWER_HOURS)
    asked = {"asked_at": facts.carrier_asked_at.isoformat(), "due": due.isoformat()}
    if due <= now:
        return NextBest(
            Action.ASK_CARRIER, Why("carrier_silent", measure | asked | _money(facts)), facts.deadline, "shop"
        )
    return NextBest(Action.RECORD_CONSENT, Why("carrier_to_answer", measure | asked), due, "carrier")


def _next_numbering(facts: CaseFacts, now: datetime) -> NextBest:
    if facts.needs_consent and facts.consent_is_over(now):
        until = facts.consent_until.isoformat() if facts.consent_until else ""
        return NextBest(
            Action.ASK_CARRIER, Why("consent_expired", {"until": until} | _money(facts)), facts.deadline, "shop"
        )
    if facts.reissue_state is ReissueState.REJECTED:
        return NextBest(Action.FILL_NUMBER, Why("number_rejected", _money(facts)), facts.deadline, "shop")
    waits = facts.needs_ticket and not facts.ticket_open
    if facts.ticket_waiting and not facts.ticket_open:
        return NextBest(Action.FILL_NUMBER, Why("ticket_to_answer", _money(facts)), facts.deadline, "shop")
    if waits and facts.ticket_asked_at is None:
        return NextBest(Action.TELL_CUSTOMER, Why("ticket_missing", _money(facts)), facts.deadline, "shop")
    drafted = facts.reissue_state is ReissueState.DRAFT
    action = Action.SUBMIT if drafted else Action.FILL_NUMBER
    if waits and facts.ticket_asked_at is not None:
        asked = {"asked_at": facts.ticket_asked_at.isoformat()}
        return NextBest(action, Why("ticket_asked_for", asked | _money(facts)), facts.deadline, "customer")
    return NextBest(action, Why("number_ready" if drafted else "number_missing", _money(facts)), facts.deadline, "shop")


def _next_submitting(facts: CaseFacts) -> NextBest:
    if facts.reissue_state is ReissueState.UNKNOWN:
        return NextBest(Action.RELEASE_UNKNOWN, Why("submission_unknown", _money(facts)), facts.deadline, "shop")
    return NextBest(Action.SUBMISSION_ACCEPTED, Why("submission_under_way"), facts.deadline, "platform")


def _next_telling(facts: CaseFacts) -> NextBest:
    if facts.remedy_is_pending:
        return _next_remedy(facts)
    purpose = {"purpose": facts.main_purpose.value if facts.main_purpose else ""}
    match facts.notice_state:
        case NoticeState.QUEUED:
            return NextBest(Action.CUSTOMER_TOLD, Why("notice_under_way", purpose), None, "platform")
        case NoticeState.FAILED:
            return NextBest(Action.TELL_CUSTOMER, Why("notice_failed", purpose), facts.promise_at, "shop")
        case _:
            return NextBest(Action.TELL_CUSTOMER, Why("customer_not_told", purpose), facts.promise_at, "shop")


def _next_remedy(facts: CaseFacts) -> NextBest:
    """Refund and compensation are done before they are told."""
    measure = {"measure": facts.measure.value if facts.measure else ""}
    match facts.remedy:
        case RemedyState.UNDER_WAY:
            return NextBest(Action.REMEDY_DONE, Why("remedy_under_way", measure), facts.deadline, "platform")
        case RemedyState.UNKNOWN:
            return NextBest(Action.REMEDY_DONE, Why("remedy_unknown", measure), facts.deadline, "shop")
        case RemedyState.FAILED:
            return NextBest(Action.CHANGE_MEASURE, Why("remedy_failed", measure), facts.deadline, "shop")
        case _:
            return NextBest(Action.REMEDY_DONE, Why("remedy_todo", measure), facts.deadline, "shop")


def _next_following(facts: CaseFacts, now: datetime) -> NextBest:
    if facts.measure is not Measure.REISSUE:
        measure = {"measure": facts.measure.value if facts.measure else ""}
        return NextBest(
            Action.PARCEL_DELIVERED, Why("original_under_way", measure | _money(facts)), facts.deadline, "carrier"
        )
    due = facts.promise_at
    if due is not None and due <= now:
        return NextBest(
            Action.ASK_CARRIER, Why("promise_overdue", {"promise_at": due.isoformat()}), facts.deadline, "shop"
        )
    params = {"promise_at": due.isoformat()} if due else {}
    return NextBest(Action.REISSUE_DELIVERED, Why("reissue_under_way", params), due, "carrier")


# --- the picture -----------------------------------------------------------------------------------------------------


def diagram() -> str:
    """The table as a mermaid state diagram, states grouped by step; moves that stay where they are are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {CaseState.DETERMINING.value}"]
    for step in Step:
        inside = [state.value for state in CaseState if state.step is step]
        lines += [f"    state {step.value} {{", *(f"        {state}" for state in inside), "    }"]
    arrows: dict[tuple[CaseState, CaseState], list[str]] = {}
    for move in TABLE:
        for source in move.sources:
            for target in move.targets:
                if source is not target:
                    arrows.setdefault((source, target), []).append(move.action.value)
    order = list(CaseState)
    for (source, target), actions in sorted(
        arrows.items(), key=lambda item: (order.index(item[0][0]), order.index(item[0][1]))
    ):
        lines.append(f"    {source.value} --> {target.value}: {', '.join(dict.fromkeys(actions))}")
    lines.append(f"    {CaseState.CLOSED.value} --> [*]")
    return "\n".join(lines) + "\n"
