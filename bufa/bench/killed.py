"""Pushes that were thanked for and are gone: none, however often web server, worker and database are killed meanwhile.

Clients push as providers do (what got no thanks is sent again) while one of the three after the other dies by SIGKILL
and comes back. Afterwards every push that was thanked for is looked for in the inbox, one by one.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from datetime import datetime
from typing import Any

from bufa.bench import Figure, crew, push, running, superuser, traffic
from bufa.bench.pushing import SCANS
from bufa.bench.whole import Whole

SECONDS = 60
OFFERED_PER_S = 200
BETWEEN_KILLS_S = 2.5
LEAST_KILLS = 3
KINDS = ("web", "worker", "postgres")


def measure(scale: float) -> Figure:
    """Pushes lost. `scale` shortens the time; each of the three dies at least once."""
    seconds = max(LEAST_KILLS * BETWEEN_KILLS_S * 1.5, SECONDS * scale)
    count = round(OFFERED_PER_S * seconds)
    _, paths, shipped_at = push.prepare(count)
    with crew.Crew(push.clients(paths, count, OFFERED_PER_S, shipped_at, again=True)) as pushing:
        reaper = _Reaper(running())
        reaper.start()
        pushing.begin()
        did = pushing.answers()
        reaper.enough.set()
        reaper.join()
    running().wait_until_it_answers()
    thanked = [parcel for one in did for parcel, _ in one["thanked"]]
    lost = _lost(thanked, shipped_at)
    killed = {kind: reaper.killed[kind] for kind in KINDS}
    return Figure(
        len(lost),
        "pushes",
        0,
        less_is_better=True,
        beside={
            "seconds": round(max(one["seconds"] for one in did), 1),
            "pushed": count,
            "thanked": len(thanked),
            "without_thanks_in_the_end": count - len(thanked),
            "sent_again": sum(one["refused"] + one["broken"] for one in did),
            "killed": killed,
            "lost": lost[:20],
        },
        holds=min(killed.values()) > 0 and len(thanked) > 0,
    )


class _Reaper(threading.Thread):
    def __init__(self, whole: Whole) -> None:
        super().__init__(daemon=True)
        self._whole = whole
        self.killed: Counter[str] = Counter()
        self.enough = threading.Event()

    def run(self) -> None:
        turn = 0
        while not self.enough.wait(BETWEEN_KILLS_S):
            kind = KINDS[turn % len(KINDS)]
            if not self._whole.answers():
                continue  # it has not come back yet from the last time
            if self._whole.kill(kind):
                self.killed[kind] += 1
                turn += 1


def _lost(thanked: list[int], shipped_at: datetime) -> list[int]:
    """Parcels of the pushes that no message in the inbox is of; known by the digest of the whole push."""
    with superuser() as rows:
        kept: set[Any] = {row[0] for row in rows.execute("SELECT external_id FROM inbox_message")}
    return sorted(
        parcel
        for parcel in thanked
        if "sha256:" + hashlib.sha256(traffic.kuaidi100_push(parcel, range(SCANS), shipped_at)).hexdigest() not in kept
    )
