"""Keep a shop in step with Doudian: first everything of the last 90 days, then what changed, pushes or not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bufa.apps.cases.taking_in import take_in
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import client_for
from bufa.integrations.ports import AfterSaleFact, OrderFact, ProviderError, Walk
from bufa.jobs import platform_events
from bufa.lib import clock
from bufa.lib.queue import hint

KIND = "doudian"
FIRST_WINDOW = timedelta(days=90)
OVERLAP = timedelta(minutes=5)
"""Changes are listed by the platform's clock, and lists lag behind: each sync looks back a little."""

RUN = "sync.run"
RETRY = RetryStrategy(max_attempts=6, exponential_wait=4)

log = logging.getLogger(__name__)


@app.task(name=RUN, retry=RETRY)
def run(shop_id: int) -> None:
    _quietly(shop_id, lambda: sync(shop_id))


@app.task(name="sync.events", retry=RETRY)
def events(shop_id: int) -> None:
    """Platform pushes that wait in the inbox."""

    def all_of_them() -> None:
        while platform_events.handle_events(shop_id, clock.now()):
            pass

    _quietly(shop_id, all_of_them)


@app.periodic(cron="*/10 * * * *")
@app.task(name="sync.poll")
def poll(timestamp: int) -> None:
    """Pushes get lost: every ten minutes each connected shop asks what changed."""
    for shop_id in shops.all_shop_ids():
        info = shops.connection(shop_id, KIND)
        if info is not None and info.state != "off":
            hint(RUN, once=f"sync:{shop_id}", shop_id=shop_id)


def start(shop_id: int) -> None:
    """Ask for a sync now; nothing when one waits already."""
    hint(RUN, once=f"sync:{shop_id}", shop_id=shop_id)


def connect_with_code(shop_id: int, code: str) -> None:
    """Exchange the code that the platform sent back with the owner's consent (good for ten minutes), and sync.

    Raises ProviderError: `code_expired` or `code_invalid`, go through the consent again.
    """
    client_for(shop_id, KIND).connect(code)
    shop_actions.set_connection_state(shop_id=shop_id, kind=KIND, state="connected")
    start(shop_id)


@dataclass(frozen=True, slots=True)
class Synced:
    """How many facts a sync brought in."""

    orders: int
    after_sales: int


def sync(shop_id: int, *, since: datetime | None = None) -> Synced:
    """One sync: the first takes 90 days (or from `since`) and shows its progress, later ones what changed.

    A sync that was cut off goes on where it was. Raises ProviderError; the connection then shows a permanent one.
    """
    info = shops.connection(shop_id, KIND)
    if info is None or info.state == "off":
        return Synced(0, 0)
    now = clock.now()
    client = client_for(shop_id, KIND)
    try:
        client.connect()
        if info.synced_until is None or since is not None:
            counts = _first(shop_id, client, dict(info.progress), since or now - FIRST_WINDOW, now)
        else:
            counts = _increment(shop_id, client, info.synced_until - OVERLAP, now)
    except ProviderError as error:
        platform_events.note_failure(shop_id, error, now)
        raise
    shop_actions.set_sync(shop_id=shop_id, kind=KIND, synced_until=now)
    shop_actions.set_connection_state(shop_id=shop_id, kind=KIND, state="connected", now=now)
    return counts


def _first(shop_id: int, client: Any, progress: dict[str, Any], since: datetime, until: datetime) -> Synced:
    """Orders, then tickets, oldest change first, with the place reached written after each page."""
    pick_up_addresses(shop_id, client)
    phase, at = progress.get("phase"), progress.get("at")
    resumed = datetime.fromisoformat(at) if at and phase in ("orders", "after_sales") else since
    done = 0
    if phase != "after_sales":
        done = _walk(shop_id, "orders", client.walk_orders(resumed, until), _take_orders)
        resumed = since
    tickets = _walk(shop_id, "after_sales", client.walk_after_sales(resumed, until), _after_sale_taker(client))
    _progress(shop_id, "done", done + tickets, done + tickets, until)
    return Synced(done, tickets)


def _increment(shop_id: int, client: Any, since: datetime, until: datetime) -> Synced:
    orders = tickets = 0
    for found in client.walk_orders(since, until):
        _take_orders(shop_id, list(found.items))
        orders += len(found.items)
    take_tickets = _after_sale_taker(client)
    for found in client.walk_after_sales(since, until):
        take_tickets(shop_id, list(found.items))
        tickets += len(found.items)
    return Synced(orders, tickets)


def _walk(shop_id: int, phase: str, pages: Iterator[Walk[Any]], take: Callable[[int, list[Any]], None]) -> int:
    done = 0
    for found in pages:
        take(shop_id, list(found.items))
        done = found.done
        _progress(shop_id, phase, found.done, found.total, found.through)
    return done


def _take_orders(shop_id: int, facts: list[OrderFact]) -> None:
    if facts:
        take_in(shop_id=shop_id, orders=facts, now=clock.now())


def _after_sale_taker(client: Any) -> Callable[[int, list[AfterSaleFact]], None]:
    """Tickets need their order: one that we don't have yet (it is older than the window) is read first."""

    def take(shop_id: int, facts: list[AfterSaleFact]) -> None:
        if not facts:
            return
        now = clock.now()
        taken = take_in(shop_id=shop_id, after_sales=facts, now=now)
        missing: list[OrderFact] = []
        for number in taken.missing_orders:
            try:
                missing.append(client.order(number))
            except ProviderError as error:
                if error.why != "not_found":
                    raise
        if missing:
            take_in(shop_id=shop_id, orders=missing, after_sales=facts, now=now)

    return take


def _progress(shop_id: int, phase: str, done: int, total: int, at: datetime) -> None:
    said = {"phase": phase, "done": done, "total": max(total, done), "at": at.isoformat()}
    shop_actions.set_sync(shop_id=shop_id, kind=KIND, progress=said)


def pick_up_addresses(shop_id: int, client: Any) -> None:
    """The shop's ship-from addresses: parcels' origin, and where reissues are collected. Not worth failing for."""
    try:
        found = client.addresses()
    except ProviderError as error:
        if error.retryable:
            raise
        log.warning("no ship-from addresses", extra={"shop_id": shop_id, "code": error.why})
        return
    for fact in found:
        shop_actions.set_pickup_address(shop_id=shop_id, fact=fact, by="system")


def _quietly(shop_id: int, work: Callable[[], object]) -> None:
    """A permanent refusal is shown on the connection and not repeated; one that heals is tried again."""
    try:
        work()
    except ProviderError as error:
        if error.retryable:
            raise
        log.warning("sync stopped", extra={"shop_id": shop_id, "code": error.why})
