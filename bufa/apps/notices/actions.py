"""Telling customers: once per case, purpose and round, on the best open channel, with a call to fall back to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.notices import planning, receipts
from bufa.apps.notices.making import OWN, Telling, lock, make, note_place, tell_case, text_place
from bufa.apps.notices.texts import proposals, values_of, wanted_purpose
from bufa.domain.cases import Action, Purpose
from bufa.domain.effects import TAKE_BACK, Result
from bufa.domain.notices import BY_HAND, Channel, Language
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.tenancy import writing

__all__ = [
    "finish_call",
    "may_leave",
    "note_place",
    "on_effect",
    "proposals",
    "release",
    "send",
    "send_by_itself",
    "take_back",
    "text_place",
]

may_leave = receipts.may_leave
CALL_OUTCOMES = ("reached", "no_answer", "call_later", "wrong_number")


def send(
    *,
    shop_id: int,
    case_id: int,
    by: Actor,
    channel: Channel | None = None,
    purpose: Purpose | None = None,
    language: Language = Language.ZH,
    edited: Mapping[str, str] | None = None,
    version: int | None = None,
    now: datetime | None = None,
    delay: timedelta = TAKE_BACK,
) -> int:
    """Tell the customer; returns the notice's id. Without a channel the shop's order decides. What leaves by itself
    does so after `delay` (real time) and can be taken back until then, or is held for the morning; a call and an
    in-site message become tasks with their text. `edited`: values that a person changed.

    Raises Refused: already_told, notice_values_missing, no_phone_cipher, no_phone, no_sms_template, no_email,
    no_mail_sender, opted_out, budget_spent, no_channel_open, and the case's own reasons.
    """
    now = now or clock.now()
    with writing([shop_id]):
        facts, _ = values_of(shop_id, case_id, language)
        purpose = purpose or wanted_purpose(shop_id, case_id, facts)
        cases.act(
            shop_id=shop_id,
            case_id=case_id,
            action=Action.TELL_CUSTOMER,
            by=by,
            now=now,
            version=version,
            carries_out=OWN,
            purpose=purpose.value,
            channel=channel.value if channel else "",
        )
        wanted = Telling(
            shop_id, case_id, purpose, by, now, channel=channel, language=language, edited=edited or {}, delay=delay
        )
        return make(wanted).pk


def send_by_itself(*, shop_id: int, case_id: int, purpose: Purpose, now: datetime | None = None) -> int | None:
    """A notice that the system owes (the reissue arrived): by the shop's order, else a call. None: said already."""
    now = now or clock.now()
    with writing([shop_id]):
        for channel in (None, Channel.PHONE):
            try:
                return make(Telling(shop_id, case_id, purpose, SYSTEM, now, channel=channel)).pk
            except Refused as refused:
                if refused.why.code != "no_channel_open":
                    return None
        return None


def take_back(*, shop_id: int, notice_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take a notice back before it leaves. Raises Refused `already_left`."""
    now = now or clock.now()
    with writing([shop_id]):
        row = lock(shop_id, notice_id)
        waits = row.state in ("todo", "held")
        gone = row.effect_id is None or not effects.cancel(shop_id=shop_id, effect_id=row.effect_id, by=by.name)
        if gone and not waits:
            raise Refused("already_left")
        planning.give_back(row)
        row.state, row.done_at = "cancelled", now
        row.save(update_fields=["state", "done_at", "day", "cost_li"])
        tell_case(row, Action.NOTICE_FAILED, SYSTEM, now, taken_back_by=by.name)
        audit.record(shop_id, by.ref, "notice.take_back", f"notice:{row.pk}")


def finish_call(
    *, shop_id: int, notice_id: int, outcome: str, by: Actor, note: str = "", now: datetime | None = None
) -> None:
    """How a call went. Reached is told; a wrong number has failed; otherwise the task stays."""
    now = now or clock.now()
    if outcome not in CALL_OUTCOMES:
        raise Refused("parameter_unknown", name="outcome", value=outcome)
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        row = lock(shop_id, notice_id)
        if row.channel not in BY_HAND or row.state != "todo":
            raise Refused("call_is_over", state=row.state)
        row.outcome = outcome
        row.note = seal(shop_id, note.encode(), where=note_place(row)) if note.strip() else row.note
        if outcome == "reached":
            row.state, row.sent_at, row.done_at = "done", now, now
            planning.reserve(row, 0, now, planning.rules_of(shop_id), warns=False)
        elif outcome == "wrong_number":
            row.state, row.done_at = "failed", now
        row.save()
        if outcome == "reached":
            tell_case(row, Action.CUSTOMER_TOLD, by, now)
        elif outcome == "wrong_number":
            tell_case(row, Action.NOTICE_FAILED, by, now)
        else:
            data = {"outcome": outcome, "purpose": row.purpose}
            cases.log(shop_id=shop_id, case_id=row.case_id, kind="called", by=by, now=now, data=data, words=note)
        audit.record(shop_id, by.ref, "notice.call", f"notice:{row.pk}", {"outcome": outcome})


def on_effect(settled: Settled) -> None:
    """A notice left, was refused, or nobody knows: the case learns it; an unknown one waits for a person, and never
    for another channel."""
    with writing([settled.shop_id]):
        row = lock(settled.shop_id, settled.owner[1])
        if row.state not in ("queued", "sending", "unknown"):
            return
        match settled.state:
            case "accepted":
                receipts.left(row, str(settled.outcome.get("message_id", "")), clock.now())
            case "rejected":
                receipts.refused(row, settled.error, clock.now())
            case "unknown" if row.state != "unknown":
                receipts.unknown(row, settled.effect_id, clock.now())


def release(*, shop_id: int, notice_id: int, arrived: bool, by: Actor) -> None:
    """A person says whether a notice of unknown fate arrived. "No" lets it be sent again on purpose."""
    if by.role is not None:
        check(by.role, Permission.SETTLE_EFFECT)
    with writing([shop_id]):
        row = lock(shop_id, notice_id)
        if arrived and row.receipt == "":
            row.receipt, row.receipt_at = "delivered", clock.now()
            row.save(update_fields=["receipt", "receipt_at"])
        result = Result.ACCEPTED if arrived else Result.REJECTED
        on_effect(effects.settle(shop_id=shop_id, effect_id=row.effect_id or 0, result=result, by=by.name))
        audit.record(shop_id, by.ref, "notice.release", f"notice:{notice_id}", {"arrived": arrived})
