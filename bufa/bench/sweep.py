"""How long it takes to take 1,000 due parcels, and how that grows with the number of parcels watched.

Each size has a database of its own in the same server. They are measured in turns, round after round, so that whatever
else the machine does meanwhile touches all of them alike; what counts is each one's median.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any, cast

from django.db import connection

from bufa.apps.parcels.taking import take_due
from bufa.bench import Figure, ground, superuser, traffic

WATCHED = (10_000, 100_000, 1_000_000, 5_000_000)
DUE = 1_000
SHOPS = 10
ROUNDS = 15
GOAL = 1.3
_FIRST = "bufa"


def measure(scale: float) -> Figure:
    """The median at the largest count watched over that at the smallest; the milliseconds of each stand beside. The
    smallest is 10,000 at every scale that leaves more than that, and so are the 1,000 due."""
    smallest = max(200, min(WATCHED[0], round(WATCHED[-1] * scale)))
    sizes = sorted({smallest, *(watched for full in WATCHED if (watched := round(full * scale)) > smallest)})
    due = min(DUE, sizes[0] // 4)
    shops = ground.make_shops(SHOPS)
    databases = {watched: _database(n, shops, watched) for n, watched in enumerate(sizes)}
    took: dict[int, list[float]] = {watched: [] for watched in sizes}
    holds = True
    for turn in range(ROUNDS):
        for watched in sizes if turn % 2 else sizes[::-1]:
            _connect(databases[watched])
            taken, seconds = _once(databases[watched], shops, watched, due)
            holds &= taken == due
            took[watched].append(seconds)
    _connect(_FIRST)
    medians = {watched: median(times) for watched, times in took.items()}
    return Figure(
        medians[sizes[-1]] / medians[sizes[0]],
        "times",
        GOAL,
        less_is_better=True,
        beside={
            "due": due,
            "median_ms": {str(watched): round(seconds * 1000, 2) for watched, seconds in medians.items()},
            "least_ms": {str(watched): round(min(times) * 1000, 2) for watched, times in took.items()},
            "rounds": ROUNDS,
            "shops": SHOPS,
        },
        holds=holds,
    )


def _database(n: int, shops: Sequence[int], watched: int) -> str:
    """A copy of the database with the shops in it, and that many parcels; its name."""
    name = f"{_FIRST}_{n}"
    _hang_up()  # a copy is made of what nobody is connected to
    with superuser("postgres") as rows:
        rows.execute(f"CREATE DATABASE {name} TEMPLATE {_FIRST}".encode())
    with superuser(name) as rows:
        ground.fill(rows, shops, watched)
    return name


def _connect(name: str) -> None:
    _hang_up()
    connection.settings_dict["NAME"] = name


def _hang_up() -> None:
    connection.close()
    cast("Any", connection).close_pool()


def _once(database: str, shops: Sequence[int], watched: int, due: int) -> tuple[int, float]:
    """(parcels taken, seconds): as the sweep takes them, 500 at a time until none is left."""
    now, step = traffic.SHIPPED_AT, watched // due
    with superuser(database) as rows:
        rows.execute(
            "UPDATE parcels_parcel SET next_deadline = %(due)s WHERE number = ANY (%(numbers)s)",
            {
                "due": now - timedelta(minutes=1),
                "numbers": [traffic.number(n * step + n % min(step, SHOPS)) for n in range(due)],  # of all shops
            },
        )
        _tidy(rows)
    assert not take_due(shops, now - timedelta(days=1))  # noqa: S101 - connects, and reads what everybody reads
    taken = 0
    begun = time.perf_counter()
    while found := take_due(shops, now):
        taken += len(found)
    seconds = time.perf_counter() - begun
    with superuser(database) as rows:
        rows.execute("DELETE FROM parcels_parcellease")  # as judging does
        rows.execute(
            "UPDATE parcels_parcel SET next_deadline = %s WHERE next_deadline < %s",
            [now + timedelta(hours=12), now],
        )
    return taken, seconds


def _tidy(rows: Any) -> None:
    """What autovacuum does on a server that lives longer than a benchmark."""
    rows.execute("VACUUM parcels_parcel, parcels_parcellease")
