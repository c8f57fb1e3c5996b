"""The simulated clock and the line of events that hangs on it. Times are whole seconds since 1970 (UTC)."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone

HOUR = 3600
DAY = 24 * HOUR
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")

Event = Callable[[], None]


def beijing(at: float) -> datetime:
    """The given instant as a Beijing date and time."""
    return datetime.fromtimestamp(at, BEIJING)


def stamp(at: float) -> str:
    """``2026-01-31 08:05:00`` in Beijing time, as the Chinese services write it."""
    return beijing(at).strftime("%Y-%m-%d %H:%M:%S")


def iso(at: float) -> str:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def parse_iso(text: str) -> int:
    """Seconds of an ISO 8601 text; without an offset it is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def midnight(at: float) -> int:
    """The start of the Beijing day in which ``at`` lies."""
    return int(beijing(at).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def between_hours(at: float, first: int, last: int, spread: int = 0) -> int:
    """``at`` when its Beijing hour is in [first, last), otherwise ``spread`` seconds after the next ``first``."""
    hour = beijing(at).hour
    if first <= hour < last:
        return int(at)
    start = midnight(at) + first * HOUR
    if hour >= last:
        start += DAY
    return start + spread


class Clock:
    """Says what time it is in the simulated world: standing still (stepping) or running at a speed."""

    def __init__(self, start: float, *, speed: float = 1.0, stepping: bool = False) -> None:
        self.speed = speed
        self.stepping = stepping
        self._base = float(start)
        self._wall = time.monotonic()
        self._event: float | None = None
        self._held: ContextVar[float | None] = ContextVar("held", default=None)

    def running(self) -> float:
        """The time of the world as a whole, whatever event is at work."""
        held = self._held.get()
        if held is not None:
            return held
        if self.stepping:
            return self._base
        return self._base + (time.monotonic() - self._wall) * self.speed

    def now(self) -> int:
        """The time that everything is stamped with; inside an event, the event's own time."""
        return int(self.running() if self._event is None else self._event)

    def during(self, at: float | None) -> None:
        """Say which event's time holds; None when no event is at work."""
        self._event = at

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let one moment last until this task is done with a call: what it changes then bears one time."""
        token = self._held.set(self.running())
        try:
            yield
        finally:
            self._held.reset(token)

    def set(self, at: float) -> None:
        """Move a standing clock forward. It never goes back."""
        self._base = max(self._base, float(at))
        self._wall = time.monotonic()

    def change(self, *, stepping: bool | None = None, speed: float | None = None) -> None:
        """Stop it, let it run, or change its speed, without a jump."""
        self._base, self._wall = self.running(), time.monotonic()
        if stepping is not None:
            self.stepping = stepping
        if speed is not None:
            self.speed = speed


class Wall:
    """Real seconds since 1970; held at one moment while a world is lived again."""

    def __init__(self) -> None:
        self._held: float | None = None

    def __call__(self) -> float:
        return time.time() if self._held is None else self._held

    def hold(self, at: float | None) -> None:
        self._held = at


class Timeline:
    """Events by time; equal times run in the order in which they were planned."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[int, int, Event]] = []
        self._count = 0
        self.ran = 0

    def at(self, when: float, event: Event) -> None:
        """Plan an event. One that lies in the past runs as soon as the line moves."""
        self._count += 1
        heapq.heappush(self._heap, (int(when), self._count, event))

    def after(self, seconds: float, event: Event) -> None:
        self.at(self.clock.now() + seconds, event)

    def next_at(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def run(self, until: float) -> int:
        """Run everything due up to ``until`` in order; returns how many events that were."""
        before = self.ran
        while self._heap and self._heap[0][0] <= until:
            self._run_next()
        return self.ran - before

    def run_until_ran(self, count: int) -> None:
        """Run events until so many have run since the world began."""
        while self._heap and self.ran < count:
            self._run_next()

    def _run_next(self) -> None:
        when, _, event = heapq.heappop(self._heap)
        self.ran += 1
        self.clock.during(when)
        try:
            event()
        finally:
            self.clock.during(None)
