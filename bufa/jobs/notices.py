"""Notices in the background: what was held leaves, receipts are read and asked for, texts for many go out at a pace."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from procrastinate.contrib.django import app

from bufa.apps.effects import actions as effects
from bufa.apps.inbox import actions as inbox
from bufa.apps.notices import queries, receipts, together
from bufa.apps.notices.queries import Waiting
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import client_for, push_for
from bufa.domain.outcome import Refused
from bufa.integrations.messages import Receipt
from bufa.integrations.ports import ProviderError, PushRefused, SmsReceipt
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import writing

LOOK = "notices.look"
TELL = together.RUN
MARGIN = timedelta(minutes=10)
"""Clocks differ: a receipt is looked for from so long before the message was asked for."""

log = logging.getLogger(__name__)


@app.task(name=LOOK)
def look(shop_id: int, notice_ids: list[int]) -> None:
    """Ask for receipts that were not pushed; where the time is up, the next channel is taken."""
    ask_for(shop_id, notice_ids)


@app.task(name=TELL)
def tell(shop_id: int, run_id: int) -> None:
    """Some more rows of a text for many."""
    together.carry_on(shop_id=shop_id, run_id=run_id)


def wake(everyone: Sequence[int], now: datetime) -> int:
    """What is due by now: held notices leave, receipts are asked for, runs go on."""
    done = 0
    for shop_id, ids in receipts.due_held(everyone, now).items():
        for notice_id in ids:
            receipts.let_leave(shop_id=shop_id, notice_id=notice_id, now=now)
            done += 1
    for shop_id, ids in receipts.due_looks(everyone, now).items():
        done += hint(LOOK, once=f"{LOOK}:{shop_id}", shop_id=shop_id, notice_ids=ids)
    for shop_id, run_id in together.due(everyone, now):
        done += hint(TELL, once=f"{TELL}:{run_id}", shop_id=shop_id, run_id=run_id)
    return done


# --- receipts that are pushed ----------------------------------------------------------------------------------------


def handle_receipts(shop_id: int, now: datetime, *, limit: int = 200) -> int:
    """Receipts and replies that were pushed: read, and ticked off with what they changed; returns how many messages."""
    with writing([shop_id]):
        messages = inbox.take_new(shop_id, sources=shops.MESSAGE_KINDS, limit=limit)
        for message in messages:
            try:
                told = push_for(shop_id, message.source).parse(message.body)
            except Refused as refused:
                inbox.park(shop_id, message.message_id, code=refused.why.code, params={}, now=now)
                continue
            except (PushRefused, ValueError, TypeError, KeyError, RecursionError, OverflowError):
                inbox.park(shop_id, message.message_id, code="malformed", params={}, now=now)
                continue
            changed = receipts.take(shop_id=shop_id, kind=message.source, told=told, now=now)
            outcome = "taken_in" if changed else "nothing_new"
            inbox.done(shop_id, [message.message_id], outcome=outcome, now=now)
        return len(messages)


# --- receipts that are asked for -------------------------------------------------------------------------------------


def ask_for(shop_id: int, notice_ids: Sequence[int]) -> int:
    """Ask for the receipts of these notices; returns how many were settled. No transaction while the network waits."""
    settled = 0
    platform: dict[str, SmsReceipt] | None = None
    clients: dict[str, Any] = {}
    for row in queries.waiting_for_receipt(shop_id, notice_ids):
        found: Receipt | None = None
        asked = True
        try:
            if row.kind == "doudian":
                if platform is None:
                    platform = _platform_receipts(shop_id, queries.waiting_for_receipt(shop_id, notice_ids))
                found = _of_platform(platform.get(f"notice:{shop_id}:{row.notice_id}"), row)
            else:
                client = clients.setdefault(row.kind, None) or client_for(shop_id, row.kind)
                clients[row.kind] = client
                found = _of_vendor(client, shop_id, row)
        except (ProviderError, Refused) as failed:
            said = failed.why if isinstance(failed, ProviderError) else failed.why.code
            asked = False
            log.info("a receipt could not be asked for", extra={"shop_id": shop_id, "why": said})
        now = clock.now()
        if found is not None and found.status != "waiting":
            settled += receipts.take(shop_id=shop_id, kind=row.kind, told=[found], now=now)
        else:
            settled += receipts.looked(shop_id=shop_id, notice_id=row.notice_id, now=now, asked=asked)
    return settled


def _of_vendor(client: Any, shop_id: int, row: Waiting) -> Receipt | None:
    (phone,) = effects.intent_of(shop_id, row.effect_id, "phone")
    found: Receipt | None = client.receipt(phone, row.tag, row.provider_id, row.sent_at - MARGIN, clock.now() + MARGIN)
    # Asked by our own tag or by the number that they gave us: the answer is about this one.
    return Receipt(found.status, row.tag, "", found.at, found.code, found.text) if found is not None else None


def _platform_receipts(shop_id: int, rows: Sequence[Waiting]) -> dict[str, SmsReceipt]:
    """Tag → receipt, of all of the platform's messages since the oldest of these."""
    mine = [row for row in rows if row.kind == "doudian"]
    since, until = min(row.sent_at for row in mine) - MARGIN, clock.now() + MARGIN
    client, page = client_for(shop_id, "doudian"), 0
    found: dict[str, SmsReceipt] = {}
    while True:
        told = client.sms_receipts(since, until, page)
        found |= {one.tag: one for one in told.items if one.tag}
        page += 1
        if not told.has_more or page > 50:
            return found


def _of_platform(told: SmsReceipt | None, row: Waiting) -> Receipt | None:
    return Receipt(told.status, row.tag, "", None, told.code, told.text) if told is not None else None
