"""Three weeks in less than a minute: time steps on, pushes come in by the front door, and all work is done here.

The live worker and sweeper start only when history is done, so this process takes every message and every effect by
itself; it calls what their jobs call.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bufa.apps.cases import queries as case_queries
from bufa.apps.shops import actions as shop_actions
from bufa.demo.agents import Agents
from bufa.demo.shop import SENDER, Shop
from bufa.demo.world import World
from bufa.jobs import cases as case_jobs
from bufa.jobs import chasing, inbox, incidents, platform_events, sweep, sync, tracking
from bufa.jobs import effects as effect_jobs
from bufa.jobs.status import status
from bufa.lib import clock

STEP = timedelta(hours=3)
KIND = "doudian"


@dataclass(slots=True)
class History:
    """One run from the world's present to `until`."""

    shop: Shop
    world: World
    until: datetime
    say: Callable[[str], None]
    spent: Counter[str] = field(default_factory=Counter)
    pushes: int = 0

    def run(self) -> Agents:
        """Step until `until`; returns the agents with what they did. Safe to start again where it was cut off."""
        begins = now = self.world.now()
        agents = Agents(self.shop, self.world, self.until, self.settle)
        self.world.forget(SENDER)  # nothing, unless an earlier run was cut off
        days = max(1, round((self.until - begins) / timedelta(days=1)))
        day = 0
        with clock.frozen(now):
            sync.sync(self.shop.shop_id)
        while now < self.until:
            until = min(now + STEP, self.until)
            with self._timed("advance"):
                self.pushes += self.world.advance(until)
            now = until
            with clock.frozen(now):
                self._take_in(now)
                with self._timed("agents"):
                    agents.work(now)
                gone = min(days, (now - begins) // timedelta(days=1))
                if gone > day or now == self.until:
                    day = gone
                    with self._timed("sync"):  # pushes get lost; once a day what changed is asked for
                        sync.sync(self.shop.shop_id)
                    self._progress(day, days, now)
        with clock.frozen(now):
            self.settle(now)
            self._note("done", days, days, now)
        return agents

    def settle(self, now: datetime) -> None:
        """Everything that somebody asked for leaves, and its owner learns what became of it."""
        shop_id = self.shop.shop_id
        with self._timed("effects"):
            while True:
                todo = case_queries.with_todo([shop_id]).get(shop_id, [])
                done = case_jobs.do_todo(shop_id, todo) if todo else 0
                if not done + effect_jobs.carry_out(shop_id):
                    return

    def _take_in(self, now: datetime) -> None:
        shop_id = self.shop.shop_id
        with self._timed("platform"):
            while platform_events.handle_events(shop_id, now, limit=500):
                pass
        with self._timed("subscribe"):
            while tracking.subscribe_some(shop_id, now):
                pass
        with self._timed("tracking"):
            while inbox.handle_tracking(shop_id, now).messages:
                pass
        with self._timed("sweep"):
            sweep.due_parcels([shop_id], now)
            case_jobs.end_waits([shop_id])
            incidents.regroup([shop_id], now)
        with self._timed("chase"):
            chasing.follow([shop_id], now)
            chasing.climb([shop_id], now)
        self.settle(now)

    def _progress(self, day: int, days: int, now: datetime) -> None:
        parcels, open_cases = self._counts()
        self.say(f"历史 第 {day}/{days} 天 · {parcels} 个包裹 · {open_cases} 个案件")
        self._note("history", day, days, now)

    def _note(self, phase: str, done: int, total: int, now: datetime) -> None:
        said = {"phase": phase, "done": done, "total": total, "at": now.isoformat()}
        shop_actions.set_sync(shop_id=self.shop.shop_id, kind=KIND, progress=said)

    def _counts(self) -> tuple[int, int]:
        totals = status([self.shop.shop_id])["totals"]
        return totals["parcels"], totals["cases"]

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.spent[name] += round((time.monotonic() - began) * 1000)
