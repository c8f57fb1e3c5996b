"""Understand what the inbox keeps: in batches, each in one transaction; what can't be understood is put aside."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, OperationalError
from django.db import Error as DatabaseError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bufa.apps.cases.taking_in import TakenIn, take_in
from bufa.apps.inbox import actions as inbox
from bufa.apps.inbox import queries as waiting
from bufa.apps.inbox.actions import Stored
from bufa.apps.parcels.actions import Heard, clean_number
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import push_for
from bufa.domain.outcome import Refused
from bufa.integrations.ports import PushRefused
from bufa.jobs import notices as receipts
from bufa.jobs import platform_events
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import writing

BATCH = 500
PLATFORM_TASK = "sync.events"

log = logging.getLogger(__name__)

RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)


@app.task(name=inbox.HANDLE, retry=RETRY)
def handle(shop_id: int) -> None:
    """Everything new of one shop. Tracking pushes are read here; platform events wait for the network elsewhere.

    What comes while the last, not full batch is read has rung for a job of its own: going on for the few that are
    there already would read many small batches, at several times the cost.
    """
    while handle_tracking(shop_id, clock.now()).messages >= BATCH:
        pass
    while receipts.handle_receipts(shop_id, clock.now()):
        pass
    if platform_events.any_waiting(shop_id):
        hint(PLATFORM_TASK, once=f"events:{shop_id}", shop_id=shop_id)


@dataclass(slots=True)
class Handled:
    """What became of a batch."""

    messages: int = 0
    done: int = 0
    parked: int = 0
    new_scans: int = 0


def handle_tracking(shop_id: int, now: datetime, *, limit: int = BATCH) -> Handled:
    """One batch of tracking pushes: read, taken in and ticked off in one transaction."""
    handled = Handled()
    with _garbage_waiting(), writing([shop_id]):
        messages = inbox.take_new(shop_id, sources=shops.TRACKING_KINDS, limit=limit)
        handled.messages = len(messages)
        readable = _parse(shop_id, messages, now, handled)
        if readable:
            _take(shop_id, readable, now, handled)
    return handled


@contextmanager
def _garbage_waiting() -> Iterator[None]:
    """A batch makes a hundred thousand objects that all live until it is written: looking for cycles among them again
    and again took a fifth of the time. Threads that overlap here only end the pause early."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parse(shop_id: int, messages: Sequence[Stored], now: datetime, handled: Handled) -> dict[int, list[Heard]]:
    """Message → its reports. What can't be read is parked."""
    pushes: dict[str, Any] = {}
    readable: dict[int, list[Heard]] = {}
    for message in messages:
        try:
            push = pushes.get(message.source)
            if push is None:
                push = pushes[message.source] = push_for(shop_id, message.source)
            readable[message.message_id] = [Heard(one, message.received_at) for one in push.parse(message.body)]
        except Refused as refused:
            _park(shop_id, message.message_id, refused.why.code, {}, now, handled)
        except (PushRefused, ValueError, TypeError, KeyError, RecursionError, OverflowError):
            _park(shop_id, message.message_id, "malformed", {}, now, handled)
    return readable


def _take(shop_id: int, readable: Mapping[int, list[Heard]], now: datetime, handled: Handled) -> None:
    """All at once; if that fails, each half by itself, so that a poisonous message harms nobody but itself and a batch
    of hundreds is not taken in one by one for its sake."""
    try:
        with writing([shop_id]):
            _settle(shop_id, readable, now, handled)
        return
    except OperationalError:
        raise  # the database is away or found a deadlock: the same batch is good in a moment
    except Exception as error:
        if len(readable) == 1:
            (message_id,) = readable
            log.exception("a message was put aside", extra={"shop_id": shop_id, "message_id": message_id})
            _park(shop_id, message_id, _code_of(error), {"error": type(error).__qualname__}, now, handled)
            return
        log.warning("a batch failed and is taken apart", extra={"shop_id": shop_id, "code": type(error).__qualname__})
    ids = list(readable)
    for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
        _take(shop_id, {message_id: readable[message_id] for message_id in half}, now, handled)


def _settle(shop_id: int, readable: Mapping[int, list[Heard]], now: datetime, handled: Handled) -> None:
    taken = take_in(shop_id=shop_id, reports=[one for heard in readable.values() for one in heard], now=now)
    unknown = _unknown(readable, taken)
    known = [message_id for message_id in readable if message_id not in unknown]
    inbox.done(shop_id, known, outcome="taken_in", now=now)
    for message_id, numbers in unknown.items():
        _park(shop_id, message_id, inbox.NO_SUCH_PARCEL, {"numbers": numbers}, now, handled)
    handled.done += len(known)
    handled.new_scans += taken.new_scans


def _unknown(readable: Mapping[int, list[Heard]], taken: TakenIn) -> dict[int, list[str]]:
    """Message → numbers in it that no parcel has. What it says of others is in already; reading it again is safe."""
    strangers = {id(report) for report in taken.unknown}
    found = {
        message_id: sorted({clean_number(one.report.number) for one in heard if id(one.report) in strangers})
        for message_id, heard in readable.items()
    }
    return {message_id: numbers for message_id, numbers in found.items() if numbers}


def _park(shop_id: int, message_id: int, code: str, params: Mapping[str, Any], now: datetime, handled: Handled) -> None:
    inbox.park(shop_id, message_id, code=code, params=params, now=now)
    handled.parked += 1


def _code_of(error: Exception) -> str:
    return "unstorable" if isinstance(error, DataError | IntegrityError | DatabaseError) else "poison"


def wake(now: datetime) -> int:
    """Give lost jobs back: shops whose messages have waited too long. Returns how many jobs were added."""
    return sum(inbox.call_handler(shop_id) for shop_id in waiting.stale(shops.all_shop_ids(), now))
