"""Messages that arrive at the same time are committed at the same time: the disk is waited for once, not once each.

Each thread brings its own and returns when it is safe. Whoever has the turn takes along all that wait by then.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import Error as DatabaseError
from django.db import OperationalError

from bufa.apps.inbox.actions import Raw, keep_for

GATHERS = 0.004
BUSY = 0.02
"""Real seconds: where the last messages were stored less than `BUSY` ago, more are on their way, and the turn waits
`GATHERS` for them. A message that comes alone never waits."""


@dataclass(slots=True, eq=False)
class _Letter:
    """`word` is let go when somebody has a word for whoever waits: it is settled, or it is their turn."""

    shop_id: int
    messages: Sequence[Raw]
    is_kept: bool = False
    error: DatabaseError | None = None
    word: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_settled(self) -> bool:
        return self.is_kept or self.error is not None


class Letterbox:
    """One a process. `keep` stores what several shops were sent in one transaction.

    Each waits for a word of its own. Were they all to wait for the turn, each would have to take it once only to see
    that it is done, one after the other, before the next could post.
    """

    def __init__(self, keep: Callable[[Mapping[int, Sequence[Raw]]], object] = keep_for) -> None:
        self._keep = keep
        self._waiting: deque[_Letter] = deque()
        self._changing = threading.Lock()
        self._is_taken = False
        self._busy_until = 0.0

    def put(self, shop_id: int, messages: Sequence[Raw]) -> None:
        """Return when these are committed; raises the django.db.Error that kept them out."""
        if not messages:
            return
        letter = _Letter(shop_id, messages)
        letter.word.acquire()
        with self._changing:
            self._waiting.append(letter)
            is_ours, self._is_taken = not self._is_taken, True
        if not is_ours:
            letter.word.acquire()
        if not letter.is_settled:
            self._take_turn()
        if letter.error is not None:
            raise letter.error

    def _take_turn(self) -> None:
        """Post all that wait, give each the word, and the turn to the first of those that came meanwhile."""
        letters: list[_Letter] = []
        try:
            if time.monotonic() < self._busy_until:
                time.sleep(GATHERS)
            with self._changing:
                letters = list(self._waiting)
                self._waiting.clear()
            self._post(letters)
        finally:
            self._busy_until = time.monotonic() + BUSY
            with self._changing:
                self._is_taken = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].word.release()
            for letter in letters:
                letter.word.release()

    def _post(self, letters: Sequence[_Letter]) -> None:
        """All together; where that fails by one of them, each by itself, so that it fails alone."""
        try:
            self._store(letters)
        except DatabaseError as error:
            if len(letters) == 1 or isinstance(error, OperationalError):  # the database is away: for every one of them
                for letter in letters:
                    letter.error = error
            else:
                for letter in letters:
                    self._post([letter])
        finally:
            for letter in letters:  # whatever else happened to this thread, nobody waits for it or thinks he is safe
                if not letter.is_settled:
                    letter.error = OperationalError("not stored")

    def _store(self, letters: Sequence[_Letter]) -> None:
        by_shop: dict[int, list[Raw]] = {}
        for letter in letters:
            by_shop.setdefault(letter.shop_id, []).extend(letter.messages)
        self._keep(by_shop)
        for letter in letters:
            letter.is_kept = True
