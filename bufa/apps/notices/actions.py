"""Telling customers: once per case, purpose and round, on the best open channel, with a call to fall back to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.notices import links, promises
from bufa.apps.notices.models import Notice
from bufa.apps.notices.texts import (
    addressee,
    closed_channel,
    compose,
    mail_sender,
    proposals,
    sms_template,
    values_of,
    wanted_purpose,
)
from bufa.domain.cases import Action, Purpose
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.effects import TAKE_BACK, Result
from bufa.domain.notices import Channel, Language, Rendered
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.tenancy import writing

__all__ = ["finish_call", "on_effect", "proposals", "release", "send", "send_by_itself", "take_back"]

_OWN = frozenset({Wanted.SEND_NOTICE})
CALL_OUTCOMES = ("reached", "no_answer", "call_later", "wrong_number")
_BY_STATE = {EffectState.ACCEPTED: "sent", EffectState.REJECTED: "failed", EffectState.UNKNOWN: "unknown"}


def send(
    *,
    shop_id: int,
    case_id: int,
    channel: Channel,
    by: Actor,
    purpose: Purpose | None = None,
    language: Language = Language.ZH,
    edited: Mapping[str, str] | None = None,
    version: int | None = None,
    now: datetime | None = None,
    delay: timedelta = TAKE_BACK,
) -> int:
    """Tell the customer; returns the notice's id. SMS and mail leave after `delay` (real time) and can be taken back
    until then; `phone` becomes a task with a script. `edited`: values that a person changed.

    Raises Refused: already_told, notice_values_missing, no_phone_cipher, no_sms_template, no_email, no_mail_sender,
    and the case's own reasons.
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
            carries_out=_OWN,
            purpose=purpose.value,
            channel=channel.value,
        )
        return _make(shop_id, case_id, purpose, channel, language, edited, by, now, delay)


def send_by_itself(*, shop_id: int, case_id: int, purpose: Purpose, now: datetime | None = None) -> int | None:
    """A notice that the system owes (the reissue arrived): first open channel, else a call. None: said already."""
    now = now or clock.now()
    with writing([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        order = (Channel.SMS, Channel.EMAIL, Channel.PHONE)
        open_ones = (channel for channel in order if closed_channel(shop_id, case.order_id, purpose, channel) is None)
        try:
            return _make(shop_id, case_id, purpose, next(open_ones), Language.ZH, None, SYSTEM, now, timedelta(0))
        except Refused:
            return None


def take_back(*, shop_id: int, notice_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take a notice back before it leaves. Raises Refused `already_left`."""
    now = now or clock.now()
    with writing([shop_id]):
        row = _lock(shop_id, notice_id)
        waits = row.channel == Channel.PHONE and row.state == "todo"
        gone = row.effect_id is None or not effects.cancel(shop_id=shop_id, effect_id=row.effect_id, by=by.name)
        if gone and not waits:
            raise Refused("already_left")
        row.state, row.done_at = "cancelled", now
        row.save(update_fields=["state", "done_at"])
        _tell_case(row, Action.NOTICE_FAILED, SYSTEM, now, taken_back_by=by.name)
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
        row = _lock(shop_id, notice_id)
        if row.channel != Channel.PHONE or row.state != "todo":
            raise Refused("call_is_over", state=row.state)
        row.outcome = outcome
        row.note = seal(shop_id, note.encode(), where=note_place(row)) if note.strip() else row.note
        if outcome == "reached":
            row.state, row.sent_at, row.done_at = "done", now, now
        elif outcome == "wrong_number":
            row.state, row.done_at = "failed", now
        row.save()
        if outcome == "reached":
            _tell_case(row, Action.CUSTOMER_TOLD, by, now)
        elif outcome == "wrong_number":
            _tell_case(row, Action.NOTICE_FAILED, by, now)
        else:
            data = {"outcome": outcome, "purpose": row.purpose}
            cases.log(shop_id=shop_id, case_id=row.case_id, kind="called", by=by, now=now, data=data, words=note)
        audit.record(shop_id, by.ref, "notice.call", f"notice:{row.pk}", {"outcome": outcome})


def on_effect(settled: Settled) -> None:
    """A notice left, was refused, or nobody knows: the case learns it; an unknown one waits for a person."""
    state = _BY_STATE.get(EffectState(settled.state))
    if state is None:
        return
    with writing([settled.shop_id]):
        row = _lock(settled.shop_id, settled.owner[1])
        if row.state not in ("queued", "sending", "unknown") or row.state == state:
            return
        now = clock.now()
        row.state = state
        if state == "sent":
            row.sent_at = row.done_at = now
        elif state == "failed":
            row.done_at = now
        row.save(update_fields=["state", "sent_at", "done_at"])
        if state == "unknown":
            data = {"purpose": row.purpose, "channel": row.channel}
            cases.log(
                shop_id=row.shop_id,
                case_id=row.case_id,
                kind="notice_unknown",
                by=SYSTEM,
                now=now,
                data=data,
                effect_id=settled.effect_id,
            )
            return
        why = {"why": settled.error.get("why", "")} if state == "failed" else {}
        _tell_case(row, Action.CUSTOMER_TOLD if state == "sent" else Action.NOTICE_FAILED, SYSTEM, now, **why)


def release(*, shop_id: int, notice_id: int, arrived: bool, by: Actor) -> None:
    """A person says whether a notice of unknown fate arrived. "No" lets it be sent again on purpose."""
    if by.role is not None:
        check(by.role, Permission.SETTLE_EFFECT)
    with writing([shop_id]):
        row = _lock(shop_id, notice_id)
        result = Result.ACCEPTED if arrived else Result.REJECTED
        on_effect(effects.settle(shop_id=shop_id, effect_id=row.effect_id or 0, result=result, by=by.name))
        audit.record(shop_id, by.ref, "notice.release", f"notice:{notice_id}", {"arrived": arrived})


# --- inside ----------------------------------------------------------------------------------------------------------


def _make(
    shop_id: int,
    case_id: int,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    edited: Mapping[str, str] | None,
    by: Actor,
    now: datetime,
    delay: timedelta,
) -> int:
    case = cases_by_id([shop_id], [case_id])[case_id]
    if why := closed_channel(shop_id, case.order_id, purpose, channel):
        raise Refused(why.code, **why.params)
    said = Notice.objects.filter(shop_id=shop_id, case_id=case_id, purpose=purpose.value, round=case.round)
    if there := said.exclude(state__in=["cancelled", "failed"]).first():
        raise Refused("already_told", channel=there.channel, state=there.state)
    links.keep(shop_id=shop_id, case_id=case_id, now=now)
    shown = compose(shop_id, case_id, purpose, channel, language, edited)
    facts, told = values_of(shop_id, case_id, language, purpose)
    last = told.get("eta_to")
    row = Notice(
        shop_id=shop_id,
        case_id=case_id,
        round=case.round,
        purpose=purpose.value,
        channel=channel.value,
        language=language.value,
        params={name: value for name, value in shown.values.items() if name != "link"},
        state="todo" if channel is Channel.PHONE else "queued",
        promised_to=last if isinstance(last, datetime) else facts.promise_at,
        by=by.name,
        created_at=now,
    )
    row.text = seal(shop_id, _kept(shown), where=text_place(row))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Refused("already_told", channel=channel.value, state="queued") from None
    if channel is not Channel.PHONE:
        row.effect_id = _want(row, case, shown, by, delay)
        row.save(update_fields=["effect_id"])
    audit.record(
        shop_id, by.ref, "notice.send", f"notice:{row.pk}", {"purpose": purpose.value, "channel": channel.value}
    )
    return row.pk


def _kept(shown: Rendered) -> bytes:
    kept = {"subject": shown.subject, "text": shown.text, "script": list(shown.script)}
    return json.dumps(kept, ensure_ascii=False).encode()


def _want(row: Notice, case: CaseRow, shown: Rendered, by: Actor, delay: timedelta) -> int:
    who = addressee(row.shop_id, case.order_id)
    intent: dict[str, Any]
    if row.channel == Channel.SMS:
        template = sms_template(row.shop_id, Purpose(row.purpose)) or {"id": ""}
        names = template.get("params") or {name: name for name in shown.values}
        intent = {
            "phone_cipher": who.phone_cipher,
            "template_id": template["id"],
            "params": {theirs: shown.values[ours] for theirs, ours in names.items() if ours in shown.values},
            "tag": f"notice:{row.shop_id}:{row.pk}",
        }
        kind = EffectKind.PLATFORM_SMS
    else:
        sender = mail_sender(row.shop_id)
        intent = {
            "message_id": f"<notice.{uuid4().hex}@{sender.partition('@')[2] or 'bufa.invalid'}>",
            "sender": sender,
            "to": [who.email],
            "subject": shown.subject,
            "text": shown.text,
        }
        kind = EffectKind.CUSTOMER_MAIL
    return effects.want(
        shop_id=row.shop_id,
        kind=kind,
        key=f"notice:{row.pk}",
        subject=f"notice:{row.pk}",
        intent=intent,
        by=by.name,
        delay=delay,
    )


def _tell_case(row: Notice, action: Action, by: Actor, now: datetime, **params: Any) -> None:
    if action is Action.CUSTOMER_TOLD:
        promises.made(row, now)
        if row.purpose in promises.RENEWS and row.promised_to is not None:
            params["promise_at"] = row.promised_to
    cases.act(
        shop_id=row.shop_id,
        case_id=row.case_id,
        action=action,
        by=by,
        now=now,
        carries_out=_OWN,
        effect_id=row.effect_id,
        purpose=row.purpose,
        channel=row.channel,
        **params,
    )


def _lock(shop_id: int, notice_id: int) -> Notice:
    return Notice.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=notice_id)


def text_place(row: Notice) -> str:
    """Where a notice's sealed text belongs; sealed before the row has its number."""
    return f"notices_notice.text:{row.case_id}.{row.purpose}.{row.round}.{row.channel}"


def note_place(row: Notice) -> str:
    """Where the words of whoever phoned belong."""
    return f"notices_notice.note:{row.pk}"
