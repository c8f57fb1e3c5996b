"""One thread a web process reads what is new, once a second while anybody listens, and hands it to all who do.

Why not LISTEN/NOTIFY: see docs/adr/0005. A database that is gone is asked again until it is back; the marks are kept,
so that nothing which happened meanwhile is missed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import Error, connection

from bufa.apps.cases import news
from bufa.apps.cases.news import Change, Marks
from bufa.apps.shops import presence
from bufa.apps.shops.presence import Viewer

log = logging.getLogger(__name__)

EVERY_S = 1.0
LINGERS_S = 30.0
LONGEST_PAUSE_S = 5.0


@dataclass(eq=False)
class Listener:
    """One open page. `shops`: what it may hear about; `marks`: how far it has read; `subject`: what it shows
    ("case:12", or ""). `viewers` stays None until somebody comes or goes."""

    shops: frozenset[int]
    marks: Marks
    subject: str = ""
    operator_id: int = 0
    changes: list[Change] = field(default_factory=list)
    looking: tuple[Viewer, ...] = ()
    viewers: tuple[Viewer, ...] | None = None
    is_over: bool = False


class Watcher:
    """Reads for all listeners together; each gets only what is of its own shops."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._news = threading.Condition()
        self._listeners: set[Listener] = set()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._listeners)

    def of(self, operator_id: int) -> int:
        """How many pages of this person listen."""
        with self._news:
            return sum(each.operator_id == operator_id for each in self._listeners)

    def join(self, listener: Listener) -> None:
        with self._news:
            self._listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="live", daemon=True)
                self._thread.start()

    def part(self, listener: Listener) -> None:
        with self._news:
            self._listeners.discard(listener)

    def wait(self, listener: Listener, seconds: float) -> tuple[list[Change], tuple[Viewer, ...] | None, Marks]:
        """What is new for this listener: changes, viewers where they changed (else None), and the marks reached."""
        with self._news:
            self._news.wait_for(lambda: listener.changes or listener.viewers is not None or listener.is_over, seconds)
            changes, listener.changes = listener.changes, []
            viewers, listener.viewers = listener.viewers, None
            return changes, viewers, listener.marks

    def close(self) -> None:
        """Let all streams end, and the thread with them; the next one that joins begins anew."""
        with self._news:
            for each in self._listeners:
                each.is_over = True
            thread, self._thread = self._thread, None
            self._news.notify_all()
        if thread is not None:
            thread.join()

    # --- the thread -----------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        pause, lonely_since = self._every_s, time.monotonic()
        while True:
            with self._news:
                self._news.wait_for(lambda: self._thread is not threading.current_thread(), pause)
                if self._thread is not threading.current_thread():
                    return
                listeners = list(self._listeners)
                if listeners:
                    lonely_since = time.monotonic()
                elif time.monotonic() - lonely_since > LINGERS_S:
                    self._thread = None
                    return
            if not listeners:
                continue
            try:
                self._read(listeners)
                pause = self._every_s
            except Error as error:
                # Away for now: restarted, or out of connections. Pages keep their line open meanwhile.
                log.warning("cannot read what is new: %s", error)
                pause = min(LONGEST_PAUSE_S, pause * 2)
            finally:
                connection.close()

    def _read(self, listeners: Sequence[Listener]) -> None:
        changes, reached = news.since(_earliest(listeners))
        looking = presence.viewers(sorted(reached.places))
        with self._news:
            for each in listeners:
                _hand(each, changes, reached, looking)
            self._news.notify_all()


def _earliest(listeners: Sequence[Listener]) -> Marks:
    """Where whoever is furthest behind has read to. Nothing of our own is remembered: a database that was brought back
    from a backup is followed as soon as the first page asks it anew."""
    places: dict[int, int] = {}
    for each in listeners:
        for shop, seq in each.marks.places.items():
            places[shop] = min(seq, places.get(shop, seq))
    return Marks(places, min(each.marks.finding for each in listeners))


def _hand(listener: Listener, changes: Sequence[Change], reached: Marks, looking: Sequence[Viewer]) -> None:
    listener.changes += [one for one in changes if one.shop_id in listener.shops and one.is_behind(listener.marks)]
    listener.marks = Marks({shop: reached.places[shop] for shop in listener.shops}, reached.finding)
    here = tuple(one for one in looking if listener.subject and _is_beside(one, listener))
    if {one.operator_id for one in here} != {one.operator_id for one in listener.looking}:
        listener.viewers = here
    listener.looking = here


def _is_beside(viewer: Viewer, listener: Listener) -> bool:
    same = viewer.subject == listener.subject and viewer.shop_id in listener.shops
    return same and viewer.operator_id != listener.operator_id


watcher = Watcher()
