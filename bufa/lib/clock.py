"""The one source of "now" for apps and pages, and the real clock beside it.

By default the two are the same. In the demo `BUFA_CLOCK_URL` names the simulator's clock, which answers
`{"now": ISO-8601, "speed": float, "stepping": bool}`: while it steps (history goes by in jumps) it is asked each
time, else every five real seconds, and the time between is counted at its speed.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from bufa.lib import http

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
        self._client = http.client(timeout_s=5.0)
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
            answer = self._client.get(self.url).raise_for_status().json()
            now = datetime.fromisoformat(str(answer["now"]))
            speed, stepping = float(answer["speed"]), bool(answer["stepping"])
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise ClockSilent(f"the clock at {self.url} does not answer as it should: {error!r}") from error
        if now.tzinfo is None:
            raise ClockSilent(f"the clock at {self.url} gives a time without a zone: {answer['now']}")
        return _Reading(now.astimezone(UTC), 0.0 if stepping else speed, stepping, before)


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
