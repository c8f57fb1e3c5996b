"""The one source of "now" for apps and pages, and the real clock beside it.

By default the two are the same. In the demo `BUFA_CLOCK_URL` names the simulator's clock, which answers
`{"now": ISO-8601, "speed": float, "stepping": bool}`: while it steps (history goes by in jumps) it is asked each
time, else every five real seconds, and the time between is counted at its speed.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

_ASK_EVERY_S = 5.0


class ClockSilent(RuntimeError):
    """The clock that we were told to follow does not answer. Real time would be a wrong answer, so there is none."""


@dataclass(frozen=True, slots=True)
class _Reading:
    now: datetime
    speed: float
    stepping: bool
    read_at: float  # monotonic seconds

    def at(self, monotonic: float) -> datetime:
        return self.now + timedelta(seconds=(monotonic - self.read_at) * self.speed)


class _Followed:
    """A clock elsewhere, asked seldom. Never runs backwards at an unchanged speed because of a slow answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        there = urlsplit(url)
        self._path = there.path + (f"?{there.query}" if there.query else "")
        # Asked for every push while history goes by: one kept connection and nothing around it.
        self._connection = http.client.HTTPConnection(there.netloc, timeout=5.0)
        self._lock = threading.Lock()
        self._last: _Reading | None = None

    def now(self) -> datetime:
        last = self._last
        monotonic = time.monotonic()
        if last is None or last.stepping or monotonic - last.read_at > _ASK_EVERY_S:
            with self._lock:
                last = self._last = self._ask()
            monotonic = time.monotonic()
        return last.at(monotonic)

    def _ask(self) -> _Reading:
        before = time.monotonic()
        try:
            answer = json.loads(self._get())
            now = datetime.fromisoformat(str(answer["now"]))
            speed, stepping = float(answer["speed"]), bool(answer["stepping"])
        except (OSError, http.client.HTTPException, KeyError, TypeError, ValueError) as error:
            raise ClockSilent(f"the clock at {self.url} does not answer as it should: {error!r}") from error
        if now.tzinfo is None:
            raise ClockSilent(f"the clock at {self.url} gives a time without a zone: {answer['now']}")
        return _Reading(now.astimezone(UTC), 0.0 if stepping else speed, stepping, before)

    def close(self) -> None:
        self._connection.close()

    def _get(self) -> bytes:
        """The answer; a kept connection that was closed meanwhile is opened once more."""
        for again in (True, False):
            try:
                self._connection.request("GET", self._path)
                answer = self._connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if again and isinstance(error, http.client.BadStatusLine | ConnectionError):
                    continue
                raise
            if answer.status != 200:
                raise OSError(f"HTTP {answer.status}")
            return body
        raise AssertionError("the second try returns or raises")


_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)
_followed: _Followed | None = None


def now() -> datetime:
    """The shop's time as an aware UTC datetime: every stamp, deadline and page uses this one.

    Raises ClockSilent when the clock to follow can't be read.
    """
    global _followed
    if (frozen_at := _frozen.get()) is not None:
        return frozen_at
    url = os.environ.get("BUFA_CLOCK_URL")
    if not url:
        return real_now()
    if _followed is None or _followed.url != url:
        if _followed is not None:
            _followed.close()
        _followed = _Followed(url)
    return _followed.now()


def real_now() -> datetime:
    """Wall time, aware UTC: for tokens, signatures, leases, HTTP and the audit log, whatever the shop's time is."""
    return datetime.now(UTC)


def is_simulated() -> bool:
    """Does the shop's time come from elsewhere than the wall clock?"""
    return bool(os.environ.get("BUFA_CLOCK_URL"))


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold `now()` at one aware instant (in this thread or task); for tests and for replaying a file."""
    if at.tzinfo is None:
        raise ValueError("a frozen time needs a zone")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
