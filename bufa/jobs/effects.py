"""Carrying changes out: one attempt at a time, its outcome told to whoever wanted it; unknown ones read back.

Network calls happen outside of any transaction. An attempt is committed before its call and fenced after it; what it
came to is written together with what its owner makes of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from procrastinate.contrib.django import app

from bufa.apps.cases import remedies, told_mail
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries
from bufa.apps.effects.actions import Begun, Settled
from bufa.apps.effects.queries import Unsettled
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import intercept, robots
from bufa.apps.notices import actions as notices
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues import booking, corrections, tickets
from bufa.apps.shops.clients import client_for
from bufa.domain.effects import LEAVE_WITHIN, MAIL_KINDS, MESSAGE_KINDS, Result, result_of_error
from bufa.domain.outcome import Refused
from bufa.integrations.messages import Telling
from bufa.integrations.ports import MailOut, ProviderError, Sent
from bufa.integrations.wire import leaving_by
from bufa.jobs import labels, shipping
from bufa.jobs.shipping import PlainNo, same_number
from bufa.lib import clock
from bufa.lib.tenancy import writing

log = logging.getLogger(__name__)

READ_BACK = "effects.read_back"

OWNERS: Mapping[str, Callable[[Settled], None]] = {
    "reissue": reissues.on_effect,
    "correction": corrections.on_effect,
    "ticket": tickets.on_effect,
    "label": booking.on_effect,
    "remedy": remedies.on_effect,
    "message": negotiations.on_effect,
    "request": intercept.on_effect,
    "notice": notices.on_effect,
    "digest": told_mail.on_effect,
    "view": lambda settled: None,  # that somebody looked is in the audit chain; the report asks nothing of anybody
}
"""Who is told what became of an effect, by the first word of its subject."""

PAID_BACK, CLOSED = 12, 28
AGREED = frozenset({8, 13, 14})
REFUSED = frozenset({27, 28})

Clients = dict[str, Any]


@app.task(name=effects.RUN)
def run(shop_id: int, effect_ids: list[int] | None = None) -> None:
    """Carry out what is due in a shop (or those named), one after the other."""
    carry_out(shop_id, effect_ids)


@app.task(name=READ_BACK)
def read_back(shop_id: int, effect_ids: list[int]) -> None:
    """Ask the platform what became of unknown effects."""
    settle_unknown(shop_id, effect_ids)


def carry_out(shop_id: int, effect_ids: Sequence[int] | None = None) -> int:
    """Try every due effect of a shop once; returns how many were tried. One client a kind for the whole batch."""
    clients: Clients = {}
    due = effect_ids if effect_ids is not None else queries.due_ready([shop_id]).get(shop_id, [])
    tried = 0
    for effect_id in due:
        latest = time.monotonic() + LEAVE_WITHIN.total_seconds()
        begun = effects.begin(shop_id=shop_id, effect_id=effect_id)
        if begun is not None:
            with leaving_by(latest):
                _attempt(begun, clients)
            tried += 1
    return tried


def _attempt(begun: Begun, clients: Clients) -> None:
    """One call and its end. A crash in here leaves the effect `sending`: the rescue makes it unknown."""
    try:
        sent = _send(begun, clients)
    except ProviderError as error:
        result = result_of_error(unknown=error.unknown, retryable=error.retryable)
        log.info(
            "an effect was not accepted",
            extra={"shop_id": begun.shop_id, "effect_id": begun.effect_id, "why": error.why, "result": str(result)},
        )
        _finish(begun, result, raw=error.raw, error=_said(error), wait=error.wait)
    except Refused as refused:
        # Nothing left the house: no connection, no sender.
        _finish(begun, Result.REJECTED, error={"why": refused.why.code})
    else:
        _finish(begun, Result.ACCEPTED, raw=sent.raw, outcome=_outcome(sent))


def _outcome(sent: Sent) -> dict[str, Any]:
    told: dict[str, Any] = {"request_id": sent.request_id, "message_id": sent.message_id}
    told |= {"cost_fen": sent.cost_fen} if sent.cost_fen else {}
    return {**told, "details": dict(sent.details)} if sent.details else told


def _finish(
    begun: Begun,
    result: Result,
    *,
    raw: bytes = b"",
    outcome: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    wait: timedelta | None = None,
) -> None:
    """Keep the raw answer first, then let effect and owner change together, if this attempt still counts."""
    if raw:
        effects.keep_answer(shop_id=begun.shop_id, effect_id=begun.effect_id, attempt=begun.attempt, raw=raw)
    with writing([begun.shop_id]):
        settled = effects.finish(
            shop_id=begun.shop_id,
            effect_id=begun.effect_id,
            attempt=begun.attempt,
            result=result,
            outcome=outcome,
            error=error,
            wait=wait,
        )
        if settled is None:
            log.warning("an attempt came back too late", extra={"shop_id": begun.shop_id, "effect_id": begun.effect_id})
            return
        tell_owner(settled)


def tell_owner(settled: Settled) -> None:
    """In the caller's transaction: what the effect came to is written together with what its owner makes of it."""
    OWNERS[settled.owner[0]](settled)


def _said(error: ProviderError) -> dict[str, Any]:
    return {
        "why": error.why,
        "code": error.code,
        "sub_code": error.sub_code,
        "text": error.text,
        "log_id": error.log_id,
    }


# --- sending ---------------------------------------------------------------------------------------------------------


def _client(clients: Clients, shop_id: int, kind: str) -> Any:
    if kind not in clients:
        clients[kind] = client_for(shop_id, kind)
    return clients[kind]


def _send(begun: Begun, clients: Clients) -> Sent:
    intent = begun.intent
    if begun.subject.startswith("notice:"):
        _still_may_leave(begun)
    if begun.kind in MESSAGE_KINDS or begun.kind in MAIL_KINDS or begun.kind == "group_message":
        return _write(begun, clients)
    platform = _client(clients, begun.shop_id, "doudian")
    match begun.kind:
        case "resend":
            sent: Sent = platform.fill_resend(intent["after_sale"], intent["carrier"], intent["number"])
        case "extra_package":
            lines = tuple((str(line), int(count)) for line, count in intent["lines"])
            sent = platform.add_extra_package(
                intent["order"], lines, intent["carrier"], intent["number"], intent.get("send_address_id", "")
            )
        case "add_pack":
            sent = shipping.ship_first(platform, intent)
        case "correct_number":
            sent = shipping.correct(platform, intent)
        case "report_view":
            sent = platform.report_view(shipping.look_of(intent))
        case "agree_resend" | "refuse_resend" | "agree_refund" | "intercept":
            sent = _after_sale(platform, begun.kind, intent)
        case "platform_sms":
            sent = platform.send_sms(intent["phone_cipher"], intent["template_id"], intent["params"], intent["tag"])
        case "book_label" | "cancel_label":
            sent = labels.call(platform, begun.kind, intent, begun.shop_id)
        case _:
            raise Refused("unknown_effect_kind", kind=begun.kind)
    return sent


def _write(begun: Begun, clients: Clients) -> Sent:
    """What goes to people, not to the platform."""
    intent = begun.intent
    sent: Sent
    if begun.kind in MESSAGE_KINDS:
        sent = _client(clients, begun.shop_id, MESSAGE_KINDS[begun.kind]).tell(_telling(intent))
    elif begun.kind in MAIL_KINDS:
        sent = _client(clients, begun.shop_id, "smtp").send(_mail(intent, begun.kind))
    else:
        sent = robots.say(begun.shop_id, intent["robot"], intent["text"])
    return sent


def _still_may_leave(begun: Begun) -> None:
    """A notice that was put off may have come into the quiet hours, or its customer wants no more: then it waits, or
    does not leave at all."""
    now = clock.now()
    until = notices.may_leave(begun.shop_id, int(begun.subject.partition(":")[2]), now)
    if until is not None:
        raise ProviderError("quiet_hours", retryable=True, wait=until - now)


def _telling(intent: Mapping[str, Any]) -> Telling:
    params = tuple((str(name), str(value)) for name, value in intent["params"])
    return Telling(intent["phone"], intent["template_id"], params, intent["tag"])


def _after_sale(platform: Any, kind: str, intent: Mapping[str, Any]) -> Sent:
    """What is done to a ticket of the platform's; its `update_time` goes along as a lock."""
    ticket, lock = intent["after_sale"], intent.get("update_time", 0)
    sent: Sent
    match kind:
        case "agree_resend":
            sent = platform.agree_resend(ticket, lock)
        case "refuse_resend":
            sent = platform.refuse_resend(ticket, lock, intent["reason"], intent["reason_code"])
        case "agree_refund":
            sent = platform.agree_refund(ticket, intent["kind"], lock)
        case _:
            sent = _intercept(platform, intent)
    return sent


def _intercept(platform: Any, intent: Mapping[str, Any]) -> Sent:
    """The call may succeed and still say that this parcel can't be stopped: that is a no, with its reason."""
    said = platform.intercept(intent["after_sale"], intent["carrier"], intent["number"])
    if not said.accepted:
        raise ProviderError("business", sub_code=said.code, text=said.why)
    return Sent("", "", cost_fen=said.cost_fen)


def _mail(intent: Mapping[str, Any], kind: str) -> MailOut:
    return MailOut(
        message_id=intent["message_id"],
        sender=intent["sender"],
        to=tuple(intent["to"]),
        subject=intent["subject"],
        text=intent["text"],
        reply_to=intent.get("reply_to", ""),
        sent_at=clock.now(),
        is_automatic=kind == "told_mail",
    )


# --- reading back ----------------------------------------------------------------------------------------------------


def settle_unknown(shop_id: int, effect_ids: Sequence[int]) -> int:
    """Read each unknown effect back; returns how many were settled. What reading can't settle goes on its schedule."""
    clients: Clients = {}
    settled = 0
    for unknown in queries.unsettled(shop_id, effect_ids):
        try:
            found = _look(unknown, clients)
            error: dict[str, Any] | None = None
        except PlainNo as no:
            found, error = Result.REJECTED, _said(no.error)
        except ProviderError as failed:
            found, error = None, _said(failed)
        except Refused as refused:
            found, error = None, {"why": refused.why.code}
        settled += _conclude(unknown, found, error)
    return settled


def _conclude(unknown: Unsettled, found: Sent | Result | None, error: Mapping[str, Any] | None) -> int:
    outcome: dict[str, Any] = {}
    if isinstance(found, Sent):
        outcome, found = _outcome(found), Result.ACCEPTED
    with writing([unknown.shop_id]):
        if found is None:
            told = effects.still_unknown(shop_id=unknown.shop_id, effect_id=unknown.effect_id, error=error)
            if told is not None:
                tell_owner(told)
            return 0
        try:
            done = effects.settle(
                shop_id=unknown.shop_id,
                effect_id=unknown.effect_id,
                result=found,
                by="read_back",
                error=(error or {"why": "other_answer_there"}) if found is Result.REJECTED else {},
                outcome=outcome,
            )
        except Refused:
            return 0  # a person was faster
        tell_owner(done)
        return 1


def _look(unknown: Unsettled, clients: Clients) -> Sent | Result | None:
    """What the platform shows of an intent: done (also as what it gave), something else done instead, or None: can't
    be told (yet)."""
    intent = unknown.intent
    if unknown.kind in MESSAGE_KINDS:
        return _message_there(_client(clients, unknown.shop_id, MESSAGE_KINDS[unknown.kind]), unknown)
    platform = _client(clients, unknown.shop_id, "doudian")
    match unknown.kind:
        case "resend":
            there = platform.after_sale(intent["after_sale"]).resend_number
            if not there:
                return None
            return Result.ACCEPTED if same_number(there, intent["number"]) else Result.REJECTED
        case "extra_package":
            packages = platform.packages(intent["order"])
            return Result.ACCEPTED if shipping.holds(packages, intent) else None
        case "add_pack":
            return shipping.first_there(platform, intent)
        case "correct_number":
            return shipping.corrected_there(platform, intent)
        case "report_view":
            platform.report_view(shipping.look_of(intent))  # the same event told twice is one
            return Result.ACCEPTED
        case "agree_resend" | "refuse_resend":
            status = platform.after_sale(intent["after_sale"]).status
            wanted, other = (AGREED, REFUSED) if unknown.kind == "agree_resend" else (REFUSED, AGREED)
            return Result.ACCEPTED if status in wanted else Result.REJECTED if status in other else None
        case "book_label" | "cancel_label":
            return labels.again(platform, unknown.kind, intent, unknown.shop_id)
        case "agree_refund":
            status = platform.after_sale(intent["after_sale"]).status
            return Result.ACCEPTED if status == PAID_BACK else Result.REJECTED if status == CLOSED else None
        case "platform_sms":
            return _sms_receipt(platform, unknown)
    return None


def _message_there(vendor: Any, unknown: Unsettled) -> Sent | None:
    """A message that the vendor shows under our tag was taken, whatever became of it: its receipt says that. One that
    it does not show may still be on its way."""
    since, until = unknown.asked_at - timedelta(minutes=10), clock.now() + timedelta(minutes=10)
    found = vendor.receipt(unknown.intent["phone"], unknown.intent["tag"], "", since, until)
    return Sent("", found.message_id) if found is not None else None


def _sms_receipt(platform: Any, unknown: Unsettled) -> Result | None:
    """An SMS of ours has a receipt with our tag, whatever became of it at the phone."""
    since, until = unknown.asked_at - timedelta(minutes=10), clock.now() + timedelta(minutes=10)
    page = 0
    while True:
        found = platform.sms_receipts(since, until, page)
        for receipt in found.items:
            if receipt.tag == unknown.intent["tag"]:
                return Result.REJECTED if receipt.status == "failed" else Result.ACCEPTED
        if not found.has_more or page >= 20:
            return None
        page += 1


# --- rescue ----------------------------------------------------------------------------------------------------------


def rescue(everyone: Sequence[int], real: datetime | None = None) -> int:
    """Sending past its lease becomes unknown, and its owner learns it in the same transaction; a shop at a time.

    `real`: the real clock, the database's where not given.
    """
    rescued = 0
    for shop_id in queries.with_lost_workers(everyone, real or effects.real_now()):
        with writing([shop_id]):
            lost = effects.rescue(shop_id=shop_id, real=real)
            for settled in lost:
                tell_owner(settled)
        rescued += len(lost)
    return rescued
