"""How long it takes to take 1,000 due parcels, and how that grows with the number of parcels watched."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median

from bufa.apps.parcels.watching import take_due
from bufa.bench import Figure, ground, superuser, traffic

WATCHED = (10_000, 100_000, 1_000_000, 5_000_000)
DUE = 1_000
SHOPS = 10
TIMES = 9
GOAL = 1.3


def measure(scale: float) -> Figure:
    """The longest over the shortest count watched; the milliseconds of each stand beside. The due are as many at
    each size: a thousand, or half of the smallest where `scale` makes that less."""
    shops = ground.make_shops(SHOPS)
    due = min(DUE, max(50, round(WATCHED[0] * scale)) // 2)
    there = 0
    took: dict[int, float] = {}
    holds = True
    for full in WATCHED:
        watched = max(100, round(full * scale))
        ground.make_parcels(shops, watched - there, first=there)
        there = watched
        times = [_once(shops, watched, due) for _ in range(TIMES)]
        holds &= all(taken == due for taken, _ in times)
        took[watched] = median(seconds for _, seconds in times)
    smallest, largest = min(took), max(took)
    return Figure(
        took[largest] / took[smallest],
        "times",
        GOAL,
        less_is_better=True,
        beside={"milliseconds": {str(watched): round(s * 1000, 2) for watched, s in took.items()}, "shops": SHOPS},
        holds=holds,
    )


def _once(shops: list[int], watched: int, due: int) -> tuple[int, float]:
    """(parcels taken, seconds): as the sweep takes them, 500 at a time until none is left."""
    now = traffic.SHIPPED_AT
    with superuser() as rows:
        rows.execute(
            "UPDATE parcels_parcel SET lease_until = NULL, next_deadline = %(due)s WHERE number = ANY (%(numbers)s)",
            {
                "due": now - timedelta(minutes=1),
                "numbers": [traffic.number(n * (watched // due)) for n in range(due)],
            },
        )
        rows.execute("VACUUM parcels_parcel")
    taken = 0
    begun = time.perf_counter()
    while found := take_due(shops, now):
        taken += len(found)
    seconds = time.perf_counter() - begun
    with superuser() as rows:
        rows.execute(
            "UPDATE parcels_parcel SET lease_until = NULL, next_deadline = %s WHERE next_deadline < %s",
            [now + timedelta(hours=12), now],
        )
    return taken, seconds
