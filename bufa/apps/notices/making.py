"""Making one notice: the channel chosen, the text composed, the money reserved, the effect asked for. For this room
only; the doors are `actions` and `receipts`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import EffectKind
from bufa.apps.notices import links, planning, promises, texts, wordings
from bufa.apps.notices.models import Notice
from bufa.apps.orders import queries as orders
from bufa.domain import notice_wording
from bufa.domain.cases import Action, Purpose
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.notice_plan import Plan, choose
from bufa.domain.notices import BY_HAND, VENDOR_CHANNELS, Channel, Language, Rendered, Wording
from bufa.domain.outcome import Refused, Why
from bufa.lib.crypto import seal, unseal

OWN = frozenset({Wanted.SEND_NOTICE})

EFFECT_OF: Mapping[Channel, EffectKind] = {
    Channel.SMS: EffectKind.PLATFORM_SMS,
    Channel.ALIYUN_SMS: EffectKind.ALIYUN_SMS,
    Channel.TENCENT_SMS: EffectKind.TENCENT_SMS,
    Channel.VOICE: EffectKind.VOICE,
    Channel.EMAIL: EffectKind.CUSTOMER_MAIL,
}


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told, and by whom. `channel` None: by the shop's order. `follows`: the notice that did not arrive.
    `wording`: one text for many (an incident), instead of the shop's own."""

    shop_id: int
    case_id: int
    purpose: Purpose
    by: Actor
    now: datetime
    channel: Channel | None = None
    language: Language = Language.ZH
    edited: Mapping[str, str] = field(default_factory=dict)
    delay: timedelta = timedelta(0)
    follows: Notice | None = None
    wording: Wording | None = None


def make(wanted: Telling) -> Notice:
    """One notice more, in the caller's transaction. Raises Refused: already_told, the channel's own reasons, or
    no_channel_open with those of each channel."""
    case = cases_by_id([wanted.shop_id], [wanted.case_id])[wanted.case_id]
    said = Notice.objects.filter(
        shop_id=wanted.shop_id, case_id=wanted.case_id, purpose=wanted.purpose.value, round=case.round
    )
    if there := said.exclude(state__in=planning.NOBODY).first():
        raise Refused("already_told", channel=there.channel, state=there.state)
    went_by = [row for row in said if row.state != "cancelled"]
    # A person may try a channel again that refused; one whose message left and was never heard of is not used twice.
    tried = {Channel(row.channel) for row in went_by if wanted.channel is None or row.state == "silent"}
    links.keep(shop_id=wanted.shop_id, case_id=wanted.case_id, now=wanted.now)
    plan, shown, values = chosen(wanted, case, frozenset(tried))
    if any(why.code == "notice_budget_spent" for why in plan.skipped.values()):
        planning.stopped(wanted.shop_id, wanted.now, planning.rules_of(wanted.shop_id))
    if plan.channel is None:
        raise _closed(wanted, plan)
    row = _row(wanted, case, plan, shown, values)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Refused("already_told", channel=plan.channel.value, state="queued") from None
    if row.state == "queued":
        set_off(
            row, case, plan.cost_li, wanted.now, wanted.delay, wanted.by.name, warns=plan.warns, link=link_of(values)
        )
    audit.record(
        wanted.shop_id,
        wanted.by.ref,
        "notice.send",
        f"notice:{row.pk}",
        {"purpose": wanted.purpose.value, "channel": plan.channel.value, "state": row.state},
    )
    return row


def chosen(
    wanted: Telling, case: CaseRow, tried: frozenset[Channel]
) -> tuple[Plan, Rendered, Mapping[str, str | datetime]]:
    """The plan, the text on its channel, and the values of the case."""
    rules = planning.rules_of(wanted.shop_id)
    facts, values = texts.values_of(wanted.shop_id, wanted.case_id, wanted.language, wanted.purpose)
    values = {**values, **{name: value for name, value in wanted.edited.items() if value.strip()}}
    who = texts.addressee(wanted.shop_id, case.order_id)
    closed: dict[Channel, Why] = {}
    drawn: dict[Channel, Rendered] = {}
    for channel in (wanted.channel,) if wanted.channel else rules.order:
        why = texts.closed_channel(wanted.shop_id, case.order_id, wanted.purpose, channel, who, wanted.language)
        if why is None and wanted.wording is not None and channel in VENDOR_CHANNELS:
            why = Why("text_not_approved")  # a vendor sends what it has approved, and nothing else
        if why is None:
            try:
                drawn[channel] = texts.draw(
                    wanted.shop_id, wanted.purpose, channel, wanted.language, values, wanted.wording
                )
            except Refused as refused:
                why = refused.why
        if why is not None:
            closed[channel] = why
    scene = planning.scene(
        wanted.shop_id,
        case.order_id,
        wanted.now + wanted.delay,
        closed=closed,
        segments={channel: one.segments for channel, one in drawn.items()},
        tried=tried,
        urgent_by=facts.deadline,
    )
    plan = choose(rules, scene, wanted.channel)
    shown = drawn[plan.channel] if plan.channel else Rendered("", "", 0, (), {})
    return plan, shown, values


def _closed(wanted: Telling, plan: Plan) -> Refused:
    if wanted.channel is not None:
        why = plan.skipped[wanted.channel]
        return Refused(why.code, **why.params)
    skipped = {channel.value: why.code for channel, why in plan.skipped.items()}
    return Refused("no_channel_open", channels=skipped)


def _row(wanted: Telling, case: CaseRow, plan: Plan, shown: Rendered, values: Mapping[str, str | datetime]) -> Notice:
    assert plan.channel is not None  # noqa: S101 the caller refused otherwise
    facts, _ = texts.values_of(wanted.shop_id, wanted.case_id, wanted.language)
    last = values.get("eta_to")
    state = "todo" if plan.channel in BY_HAND else "held" if plan.hold_until is not None else "queued"
    row = Notice(
        shop_id=wanted.shop_id,
        case_id=wanted.case_id,
        round=case.round,
        purpose=wanted.purpose.value,
        channel=plan.channel.value,
        language=wanted.language.value,
        params={name: value for name, value in shown.values.items() if name != "link"},
        state=state,
        send_at=plan.hold_until,
        promised_to=last if isinstance(last, datetime) else facts.promise_at,
        by=wanted.by.name,
        created_at=wanted.now,
        follows=wanted.follows,
        person=orders.person_key(wanted.shop_id, case.order_id),
        segments=shown.segments,
        tag=f"b{secrets.token_hex(7)}",
        chosen=told_why(plan),
    )
    kept = {"subject": shown.subject, "text": shown.text, "script": list(shown.script), "link": link_of(values)}
    row.text = seal(wanted.shop_id, json.dumps(kept, ensure_ascii=False).encode(), where=text_place(row))
    return row


def told_why(plan: Plan) -> dict[str, Any]:
    """Why this channel and moment, as it is kept: `skipped` in the order in which they were looked at, `held`."""
    kept: dict[str, Any] = {}
    if plan.skipped:
        kept["skipped"] = [
            {"channel": channel.value, "code": why.code, "params": dict(why.params)}
            for channel, why in plan.skipped.items()
        ]
    if plan.why is not None:
        kept["held"] = {"code": plan.why.code, "params": dict(plan.why.params)}
    return kept


def set_off(
    row: Notice,
    case: CaseRow,
    cost_li: int,
    now: datetime,
    delay: timedelta,
    by: str,
    *,
    warns: bool,
    link: str,
) -> None:
    """Reserve the money and ask for the effect; the row is saved."""
    planning.reserve(row, cost_li, now + delay, planning.rules_of(row.shop_id), warns=warns)
    row.state, row.send_at = "queued", None
    row.effect_id = _want(row, case, link, by, delay)
    row.save()


def link_of(values: Mapping[str, Any]) -> str:
    """The customer's own page, "" where there is none."""
    link = values.get("link", "")
    return link if isinstance(link, str) else ""


def kept_text(row: Notice) -> dict[str, Any]:
    """The sealed part of a notice: subject, text, script, link."""
    kept: dict[str, Any] = json.loads(unseal(row.shop_id, row.text, where=text_place(row)))
    return kept


def _want(row: Notice, case: CaseRow, link: str, by: str, delay: timedelta) -> int:
    channel = Channel(row.channel)
    return effects.want(
        shop_id=row.shop_id,
        kind=EFFECT_OF[channel],
        key=f"notice:{row.pk}",
        subject=f"notice:{row.pk}",
        intent=_intent(row, channel, case, link),
        by=by,
        delay=delay,
    )


def _intent(row: Notice, channel: Channel, case: CaseRow, link: str) -> dict[str, Any]:
    who = texts.addressee(row.shop_id, case.order_id)
    if channel is Channel.EMAIL:
        kept, sender = kept_text(row), texts.mail_sender(row.shop_id)
        return {
            "message_id": f"<notice.{uuid4().hex}@{sender.partition('@')[2] or 'bufa.invalid'}>",
            "sender": sender,
            "to": [who.email],
            "subject": kept["subject"],
            "text": kept["text"],
        }
    values = {**row.params, "link": link}
    wording = wordings.wording_of(row.shop_id, Purpose(row.purpose), channel, Language(row.language))
    if channel is Channel.SMS:
        return {
            "phone_cipher": who.phone_cipher,
            "template_id": wording.vendor_id,
            "params": _platform_params(row, wording, values),
            "tag": f"notice:{row.shop_id}:{row.pk}",
        }
    return {
        "phone": who.phone,
        "template_id": wording.vendor_id,
        "params": [list(pair) for pair in notice_wording.parameters(wording.text, values)],
        "tag": row.tag,
    }


def _platform_params(row: Notice, wording: wordings.WordingView, values: Mapping[str, str]) -> dict[str, str]:
    """The names that the platform's template takes: the connection may call them otherwise than we do."""
    if wording.is_own:
        return dict(notice_wording.parameters(wording.text, values))
    template = wordings.platform_template(row.shop_id, Purpose(row.purpose)) or {}
    names = template.get("params") or {name: name for name in row.params}
    return {theirs: row.params[ours] for theirs, ours in names.items() if ours in row.params}


def tell_case(row: Notice, action: Action, by: Actor, now: datetime, **params: Any) -> None:
    """The case learns what became of a notice, and the ledger what was promised by one that was told."""
    if action is Action.CUSTOMER_TOLD:
        if row.follows is None or row.follows.sent_at is None:  # else the same date was promised by the one before
            promises.made(row, now)
        if row.purpose in promises.RENEWS and row.promised_to is not None:
            params["promise_at"] = row.promised_to
    cases.act(
        shop_id=row.shop_id,
        case_id=row.case_id,
        action=action,
        by=by,
        now=now,
        carries_out=OWN,
        effect_id=row.effect_id,
        purpose=row.purpose,
        channel=row.channel,
        **params,
    )


def lock(shop_id: int, notice_id: int) -> Notice:
    return Notice.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=notice_id)


def text_place(row: Notice) -> str:
    """Where a notice's sealed text belongs; sealed before the row has its number."""
    return f"notices_notice.text:{row.case_id}.{row.purpose}.{row.round}.{row.channel}"


def note_place(row: Notice) -> str:
    """Where the words of whoever phoned belong."""
    return f"notices_notice.note:{row.pk}"
