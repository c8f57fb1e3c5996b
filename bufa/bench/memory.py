"""What a worker process holds while millions of scans pass through it: kept, read, judged and committed, chunk by
chunk, its memory looked at after each."""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import mean
from typing import Any

from bufa.bench import Figure, crew, ground, ingest, traffic
from bufa.bench.whole import resident_mb
from bufa.lib import clock

SCANS = 5_000_000
PER_PARCEL = traffic.STEPS
CHUNK = 1_000
SHOPS = 4
GOAL_MB = 300.0
GROWS_AT_MOST = 1.10


def measure(scale: float) -> Figure:
    """The most megabytes resident; flat means that the last third holds no more than a tenth over the third before."""
    parcels = max(200, round(SCANS * scale / PER_PARCEL))
    chunk = min(CHUNK, max(20, parcels // 12))
    shops = ground.make_shops(SHOPS)
    ground.make_parcels(shops, parcels)
    told = {"shops": shops, "parcels": parcels, "chunk": chunk}
    ((did,), seconds) = crew.run([crew.Member(f"{__name__}:worker", told)])
    held: list[float] = did["held_mb"]
    third = max(1, len(held) // 3)
    before, last = mean(held[-2 * third : -third] or held), mean(held[-third:])
    return Figure(
        max(held),
        "MB",
        GOAL_MB,
        less_is_better=True,
        beside={
            "scans": did["scans"],
            "parcels": parcels,
            "at_the_start_mb": round(did["start_mb"], 1),
            "after_mb": {
                f"{share}%": round(held[max(0, len(held) * share // 100 - 1)], 1) for share in (10, 25, 50, 75, 100)
            },
            "last_third_over_the_one_before": round(last / before, 3),
            "grows_at_most": GROWS_AT_MOST,
            "seconds": round(seconds, 1),
        },
        holds=last <= before * GROWS_AT_MOST and did["scans"] == parcels * PER_PARCEL,
    )


def worker(shops: list[int], parcels: int, chunk: int) -> Callable[[], dict[str, Any]]:
    """A process through which all of it goes."""

    def work() -> dict[str, Any]:
        held, new = [], 0
        start_mb = resident_mb(os.getpid())
        with clock.frozen(traffic.NOW):
            for first in range(0, parcels, chunk):
                for n, shop_id in enumerate(shops):
                    numbers = [
                        parcel for parcel in range(first, min(parcels, first + chunk)) if parcel % len(shops) == n
                    ]
                    ingest.keep(shop_id, [traffic.kuaidi100_push(parcel, range(PER_PARCEL)) for parcel in numbers])
                    new += ingest.handle(shop_id)[0]
                held.append(resident_mb(os.getpid()))
        return {"held_mb": held, "start_mb": start_mb, "scans": new}

    return work
