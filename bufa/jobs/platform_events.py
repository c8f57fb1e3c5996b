"""What Doudian's pushes lead to: the order or ticket they name is read, and that is taken in.

A push says only that something changed; the answer of a read is the fact. So the order of pushes does not matter, and
many pushes about one order cost one read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bufa.apps.cases.taking_in import take_in
from bufa.apps.inbox import actions as inbox
from bufa.apps.inbox.actions import Stored
from bufa.apps.orders import queries as orders
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops.clients import client_for, push_for
from bufa.integrations.ports import AfterSaleFact, OrderFact, ProviderError, PushEvent, PushRefused
from bufa.lib.tenancy import writing

SOURCES = ("doudian",)
BATCH = 50
MANY = 5
"""From so many orders on, a list of what changed costs less than reading them one by one."""

LAG = timedelta(minutes=10)
ORDER_TAGS = range(100, 127)
AFTER_SALE_TAGS = range(200, 228)
PERMANENT = frozenset({"denied", "signature", "token", "input"})
"""Refusals that no repetition heals: a person has to look at the connection."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """Messages with what they name, and what the platform says about it."""

    events: dict[int, PushEvent] = field(default_factory=dict)
    orders: dict[str, OrderFact] = field(default_factory=dict)
    after_sales: dict[str, AfterSaleFact] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    since: datetime = field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))


def any_waiting(shop_id: int) -> bool:
    return bool(inbox.peek_new(shop_id, sources=SOURCES, limit=1))


def handle_events(shop_id: int, now: datetime, *, limit: int = BATCH) -> int:
    """One batch of platform pushes; returns how many messages were settled.

    Raises ProviderError when the platform can't be asked now: nothing is lost, the messages stay new.
    """
    messages = inbox.peek_new(shop_id, sources=SOURCES, limit=limit)
    if not messages:
        return 0
    batch = _Batch()
    settled = _parse(shop_id, messages, now, batch)
    if batch.events:
        try:
            _read(shop_id, batch, now)
        except ProviderError as error:
            note_failure(shop_id, error, now)
            raise
        settled += _settle(shop_id, batch, now)
    return settled


def _parse(shop_id: int, messages: Sequence[Stored], now: datetime, batch: _Batch) -> int:
    settled = 0
    idle: list[int] = []
    push = push_for(shop_id, SOURCES[0])
    for message in messages:
        try:
            (event,) = push.parse(message.body)
        except (PushRefused, ValueError, TypeError, RecursionError):
            inbox.park(shop_id, message.message_id, code="malformed", now=now)
            settled += 1
            continue
        named = event.order_number or event.after_sale_number
        if not named or event.tag not in (*ORDER_TAGS, *AFTER_SALE_TAGS):
            idle.append(message.message_id)
        else:
            batch.events[message.message_id] = event
            batch.since = min(batch.since, message.received_at)
    if idle:
        inbox.done(shop_id, idle, outcome="nothing_for_us", now=now)
    return settled + len(idle)


def _read(shop_id: int, batch: _Batch, now: datetime) -> None:
    """Ask the platform once about each order and ticket, outside of any transaction."""
    client = client_for(shop_id, SOURCES[0])
    wanted = {event.order_number for event in batch.events.values() if event.order_number}
    for number in sorted({event.after_sale_number for event in batch.events.values() if event.after_sale_number}):
        try:
            fact: AfterSaleFact = client.after_sale(number)
        except ProviderError as error:
            _only_if_gone(error)
            batch.gone.add(number)
            continue
        batch.after_sales[number] = fact
        wanted.add(fact.order_number)
    wanted.discard("")
    if len(wanted) > MANY:
        _list(client, batch, wanted, now)
    for number in sorted(wanted - set(batch.orders)):
        try:
            batch.orders[number] = client.order(number)
        except ProviderError as error:
            _only_if_gone(error)
            batch.gone.add(number)


def _list(client: Any, batch: _Batch, wanted: set[str], now: datetime) -> None:
    """Many orders at once: what changed since the oldest push is listed. Who is not there is read alone."""
    for found in client.walk_orders(batch.since - LAG, now + LAG):
        batch.orders |= {fact.number: fact for fact in found.items if fact.number in wanted}


def _only_if_gone(error: ProviderError) -> None:
    """An order that the platform does not know is one message's trouble; anything else is the connection's."""
    if error.why not in ("not_found", "business"):
        raise error


def _settle(shop_id: int, batch: _Batch, now: datetime) -> int:
    with writing([shop_id]):
        held = inbox.take_new(shop_id, sources=SOURCES, only=list(batch.events), limit=len(batch.events))
        take_in(
            shop_id=shop_id,
            orders=list(batch.orders.values()),
            after_sales=list(batch.after_sales.values()),
            now=now,
        )
        taken: list[int] = []
        for message in held:
            event = batch.events[message.message_id]
            gone = sorted({event.order_number, event.after_sale_number} & batch.gone)
            if gone:
                inbox.park(shop_id, message.message_id, code="not_found", params={"numbers": gone}, now=now)
            else:
                taken.append(message.message_id)
        inbox.done(shop_id, taken, outcome="taken_in", now=now)
    return len(held)


def note_failure(shop_id: int, error: ProviderError, now: datetime) -> None:
    """Show on the connection what the platform said; a failure that heals by itself is not shown."""
    log.warning("the platform refused", extra={"shop_id": shop_id, "code": f"{error.why} {error.sub_code}".strip()})
    if not error.retryable or error.why in PERMANENT:
        said = " ".join(part for part in (error.why, error.code, error.sub_code, error.text) if part)
        shop_actions.set_connection_state(shop_id=shop_id, kind=SOURCES[0], state="failing", error=said, now=now)


def order_by_hand(shop_id: int, number: str, now: datetime) -> int | None:
    """Read one order from the platform because a person asked; its id, None when the platform does not know it."""
    try:
        fact = client_for(shop_id, SOURCES[0]).order(number)
    except ProviderError as error:
        if error.why == "not_found":
            return None
        raise
    take_in(shop_id=shop_id, orders=[fact], now=now)
    return orders.ids_of(shop_id, [number]).get(number)
