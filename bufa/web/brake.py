"""A brake on what somebody may try only so often. Counted in this process: with more of them it grips later."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable
from threading import Lock

REMEMBERED = 10_000
"""Names that one brake remembers; beyond that the oldest are forgotten."""


class TooManyTries(Exception):
    """Answered with 429. `wait_s`: seconds until it is worth trying again."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many tries, wait {wait_s:.0f} s")
        self.wait_s = wait_s


class Brake:
    """At most `most` failures within `within_s` seconds of the real clock, by whatever names the one who tries."""

    def __init__(self, most: int, within_s: float) -> None:
        self.most, self.within_s = most, within_s
        self._failures: dict[Hashable, deque[float]] = {}
        self._lock = Lock()

    def check(self, who: Hashable, now: float | None = None) -> None:
        """Raises TooManyTries."""
        now = time.monotonic() if now is None else now
        with self._lock:
            failed = self._failures.get(who)
            while failed and failed[0] <= now - self.within_s:
                failed.popleft()
            if failed and len(failed) >= self.most:
                raise TooManyTries(failed[0] + self.within_s - now)

    def failed(self, who: Hashable, now: float | None = None) -> None:
        with self._lock:
            self._failures.setdefault(who, deque(maxlen=self.most)).append(time.monotonic() if now is None else now)
            while len(self._failures) > REMEMBERED:
                del self._failures[next(iter(self._failures))]

    def forget(self, who: Hashable) -> None:
        """It went well."""
        with self._lock:
            self._failures.pop(who, None)


SIGN_IN = Brake(most=10, within_s=300)
