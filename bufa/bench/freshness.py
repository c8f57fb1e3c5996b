"""How long it takes from a scan being pushed until its warning can be seen: over HTTP into the inbox, read by the
worker, judged, its case opened, and found by the query that the desk's pages ask, while scans keep coming in."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bufa.apps.cases import queries as cases
from bufa.apps.parcels import queries as parcels
from bufa.bench import Figure, crew, push, traffic
from bufa.bench.pushing import SCANS

SECONDS = 60
SCANS_PER_S = 2_000
EVERY = 20
TEXT = "【广州市】包裹破损,内件受损,已做问题件登记"
GOAL_S = 2.0
_LOOKS_EVERY_S = 0.05
_PATIENCE_S = 60.0


def measure(scale: float) -> Figure:
    """Seconds within which 99 of 100 warnings could be seen. `scale` shortens the time and leaves the pace."""
    per_s = SCANS_PER_S / SCANS
    count = round(per_s * max(2.0, SECONDS * scale))
    shops, paths, shipped_at = push.prepare(count)
    marked = [parcel for parcel in range(count) if parcel % EVERY == 0]
    ending = [(datetime.now(UTC) - timedelta(minutes=2)).isoformat(), TEXT]
    with crew.Crew(push.clients(paths, count, per_s, shipped_at, ending=ending, every=EVERY)) as pushing:
        eye = _Eye(shops, marked)
        eye.start()
        pushing.begin()
        did = pushing.answers()
        eye.join(_PATIENCE_S)
        eye.enough.set()
        eye.join()
    sent = {parcel: at for one in did for parcel, at in one["thanked"]}
    took = sorted(at - sent[parcel] for parcel, at in eye.seen.items() if parcel in sent)
    thanked = len(sent)
    return Figure(
        push.percentile(took, 0.99),
        "s",
        GOAL_S,
        less_is_better=True,
        beside={
            "scans_per_s": round(thanked * SCANS / max(one["seconds"] for one in did)),
            "pushes": count,
            "thanked": thanked,
            "warnings": len(marked),
            "seen": len(took),
            "p50_s": round(push.percentile(took, 0.5), 3),
            "p95_s": round(push.percentile(took, 0.95), 3),
            "most_s": round(took[-1], 3) if took else None,
            "looked_every_s": _LOOKS_EVERY_S,
        },
        holds=len(took) == len(marked) and thanked == count,
    )


class _Eye(threading.Thread):
    """Asks again and again which of the marked parcels have a case by now."""

    def __init__(self, shops: Sequence[int], marked: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self._shops = shops
        self._marked = marked
        self.seen: dict[int, float] = {}
        self.enough = threading.Event()

    def run(self) -> None:
        waits: dict[int, int] = {}
        for n, shop_id in enumerate(self._shops):
            mine = {traffic.number(one): one for one in self._marked if one % len(self._shops) == n}
            found = parcels.parcel_ids(shop_id, list(mine))
            waits |= {parcel_id: mine[number] for number, parcel_id in found.items()}
        while waits and not self.enough.wait(_LOOKS_EVERY_S):
            found_now = cases.cases_of_parcels(self._shops, list(waits))
            now = time.monotonic()
            for parcel_id in found_now:
                if parcel_id in waits:
                    self.seen[waits.pop(parcel_id)] = now
