"""Asking for a shop's new messages to be handled, not more often than it helps.

A job that handles two messages costs nearly as much as one that handles fifty. So the first message rings at once, and
those that follow within `PAUSE` seconds share one ring at its end. Where a shop's messages come faster than
`MANY_PER_S` that would still be many small jobs, and they would take the processor from those who store the next
messages: then a pause lasts `LONG_PAUSE`. Should this process die before its end, the sweep finds what waits, as it
finds everything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction

from bufa.apps.inbox.actions import call_handler

PAUSE, LONG_PAUSE = 0.25, 1.0
MANY_PER_S = 100

log = logging.getLogger(__name__)


class Bell:
    """One a process; its thread begins with the first ring that has to wait."""

    def __init__(
        self, call: Callable[[int], object] = call_handler, pause: float = PAUSE, long_pause: float = LONG_PAUSE
    ) -> None:
        self._call, self._pause, self._long_pause = call, pause, long_pause
        self._changed = threading.Condition()
        self._next_at: dict[int, float] = {}
        self._waiting: set[int] = set()
        self._heard: dict[int, tuple[int, float]] = {}
        self._thread: threading.Thread | None = None

    def ring(self, shop_id: int, messages: int = 1) -> None:
        """For so many new messages, once the transaction around us has committed: now, or together with the next."""
        if connection.in_atomic_block:
            transaction.on_commit(partial(self._ring, shop_id, messages))
        else:
            self._ring(shop_id, messages)

    def _ring(self, shop_id: int, messages: int = 1) -> None:
        now = time.monotonic()
        with self._changed:
            heard, since = self._heard.get(shop_id, (0, 0.0))
            self._heard[shop_id] = heard + messages, since
            at_once = self._next_at.get(shop_id, 0.0) <= now
            if at_once:
                self._rests(shop_id, now)
            else:
                self._waiting.add(shop_id)
                self._begin()
                self._changed.notify()
        if at_once:
            self._call(shop_id)

    def _rests(self, shop_id: int, now: float) -> None:
        """It rings now; the next time no sooner than how fast messages came since the last makes worth it."""
        heard, since = self._heard.pop(shop_id, (0, 0.0))
        is_many = heard > MANY_PER_S * (now - since)
        self._next_at[shop_id] = now + (self._long_pause if is_many else self._pause)
        self._heard[shop_id] = 0, now

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # a fork leaves threads behind
            self._thread = threading.Thread(target=self._later, name="bell", daemon=True)
            self._thread.start()

    def _later(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                shop_id = min(self._waiting, key=lambda each: self._next_at[each])
                wait = self._next_at[shop_id] - time.monotonic()
                if wait <= 0:
                    self._waiting.discard(shop_id)
                    self._rests(shop_id, time.monotonic())
            if wait > 0:
                time.sleep(wait)
                continue
            try:
                self._call(shop_id)
            except (DatabaseError, RuntimeError):  # the latter where the process, or a test, is at its end
                log.warning("nobody could be asked to read new messages; the sweep will", extra={"shop_id": shop_id})
            finally:
                close_old_connections()
