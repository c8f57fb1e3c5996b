"""How many scans a second go in: from a provider's signed JSON in the inbox to parcel state, finding and next deadline.

The path is the production one: `inbox.keep_all` seals and stores the raw pushes, the job's batches read, judge and
commit them, as the application's role under row-level security. Several worker processes share several shops, as web
and workers do. Each parcel is told of by its track so far (7 to 10 scans); whole pushes come shuffled, and a fifth of
them comes again. Beside it, in the same run: plain COPY of the very same rows into the very same table with its
indexes, the plainest loop over models, and Karrio where it is installed (`make karrio`).
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from django.apps import apps

from bufa.apps.inbox import actions as inbox
from bufa.apps.shops import queries as shops_queries
from bufa.bench import Figure, crew, ground, karrio, server_cpu_s, superuser, traffic
from bufa.jobs.inbox import handle_tracking
from bufa.lib import clock
from bufa.lib.tenancy import for_shops

PARCELS = 100_000
REPEATED = 0.2
SHOPS = 6
WORKERS = 3
KEPT_AT_ONCE = 50
LOOP_PUSHES = 100
KARRIO_TRACKS = 400
GOAL_PER_S = 25_000
GOAL_OF_COPY = 0.15


def measure(scale: float) -> Figure:
    """Scans heard a second, repeated ones included; the share of COPY's rate counts new scans alone."""
    parcels = max(40, round(PARCELS * scale))
    shops = ground.make_shops(SHOPS)
    ground.make_parcels(shops, parcels)
    members = [
        crew.Member(f"{__name__}:worker", {"shops": shops, "mine": list(range(n, SHOPS, WORKERS)), "parcels": parcels})
        for n in range(WORKERS)
    ]
    with crew.Crew(members) as workers:
        server_cpu, begun = server_cpu_s(), workers.begin()
        did = [Did(*one) for one in workers.answers()]
        whole_s = time.perf_counter() - begun
        server_cpu = server_cpu_s() - server_cpu
    all_of = Did(*map(sum, zip(*did, strict=True)))
    copied, copy_s = _copy()
    with clock.frozen(traffic.NOW):
        loop_per_s = _loop(shops[0], _pushes(0, parcels)[0][:LOOP_PUSHES])
    of_copy = (all_of.new / whole_s) / (copied / copy_s)
    cpu = {"bufa": all_of.cpu_s / all_of.heard * 1e6, "postgresql": server_cpu / all_of.heard * 1e6}
    return Figure(
        all_of.heard / whole_s,
        "scans/s",
        GOAL_PER_S,
        beside={
            "heard": all_of.heard,
            "new": all_of.new,
            "parcels": parcels,
            "pushes": all_of.pushes,
            "shops": SHOPS,
            "worker_processes": WORKERS,
            "parked": all_of.parked,
            "new_per_s": round(all_of.new / whole_s),
            "copy_rows_per_s": round(copied / copy_s),
            "of_copy": round(of_copy, 3),
            "of_copy_goal": GOAL_OF_COPY,
            "cpu_us_per_scan": {name: round(spent, 1) for name, spent in cpu.items()},
            "if_both_cores_were_ours_per_s": round(2e6 / sum(cpu.values())),
            "peak_mb": max(one.peak_mb for one in did),
            "model_loop_per_s": round(loop_per_s),
            "karrio": karrio.measure(_tracks(0, parcels)[:KARRIO_TRACKS]),
        },
        holds=all_of.new == all_of.expected == copied and not all_of.parked and of_copy >= GOAL_OF_COPY,
    )


class Did(NamedTuple):
    """What a worker process came to."""

    heard: int
    new: int
    expected: int
    parked: int
    pushes: int
    cpu_s: float
    peak_mb: int


def worker(shops: list[int], mine: list[int], parcels: int) -> Callable[[], Did]:
    """A process that keeps and handles what is pushed for its shops, as web and worker do."""
    told = [(shops[index], *_pushes(index, parcels)) for index in mine]

    def work() -> Did:
        cpu, new, parked = time.process_time(), 0, 0
        with clock.frozen(traffic.NOW):
            for shop_id, pushes, _, _ in told:
                keep(shop_id, pushes)
                more, aside = handle(shop_id)
                new, parked = new + more, parked + aside
        return Did(
            heard=sum(heard for *_, heard, _ in told),
            new=new,
            expected=sum(expected for *_, expected in told),
            parked=parked,
            pushes=sum(len(pushes) for _, pushes, _, _ in told),
            cpu_s=time.process_time() - cpu,
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )

    shops_queries.policy(shops[mine[0]], traffic.NOW)  # a connection, and what is read once a process
    return work


def _pushes(shop: int, parcels: int) -> tuple[list[bytes], int, int]:
    """What is pushed to the shop at that place: (bodies, scans in them, different scans among those)."""
    told = traffic.tracks(range(shop, parcels, SHOPS), REPEATED, random.Random(7))  # noqa: S311 - nothing to guess
    bodies = [traffic.kuaidi100_push(parcel, range(steps)) for parcel, steps in told]
    return bodies, sum(steps for _, steps in told), sum(dict(told).values())


def _tracks(shop: int, parcels: int) -> list[karrio.Track]:
    """What `_pushes` push, as anybody's software would take it: number and (day, time, text, code) of each scan."""
    told = traffic.tracks(range(shop, parcels, SHOPS), REPEATED, random.Random(7))  # noqa: S311 - nothing to guess
    return [
        (
            traffic.number(parcel),
            [
                (row["AcceptTime"][:10], row["AcceptTime"][11:16], row["AcceptStation"], row["Action"])
                for row in (traffic.scan_of(parcel, step) for step in range(steps))
            ],
        )
        for parcel, steps in told
    ]


def keep(shop_id: int, pushes: Sequence[bytes]) -> None:
    """As the hooks keep them, a few dozen to a transaction."""
    for first in range(0, len(pushes), KEPT_AT_ONCE):
        raws = [inbox.Raw("kuaidi100", "push", "", body, traffic.NOW) for body in pushes[first : first + KEPT_AT_ONCE]]
        inbox.keep_all(shop_id, raws, call=False)


def handle(shop_id: int) -> tuple[int, int]:
    """(new scans, messages put aside)."""
    new = parked = 0
    while (handled := handle_tracking(shop_id, traffic.NOW)).messages:
        new += handled.new_scans
        parked += handled.parked
    return new, parked


def _copy() -> tuple[int, float]:
    """The scans just written, taken out and copied into their emptied table again: (rows, seconds)."""
    with superuser() as rows, rows.cursor() as cursor:
        with cursor.copy("COPY parcels_scan TO STDOUT") as out:
            data = [bytes(block) for block in out]
        cursor.execute("TRUNCATE parcels_scan")
        begun = time.perf_counter()
        with cursor.copy("COPY parcels_scan FROM STDIN") as into:
            for block in data:
                into.write(block)
        return cursor.rowcount, time.perf_counter() - begun


def _loop(shop_id: int, pushes: Sequence[bytes]) -> float:
    """Scans a second as anybody would write it first: one model after the other, a transaction a push, no rules."""
    parcel_model, scan_model = apps.get_model("parcels", "Parcel"), apps.get_model("parcels", "Scan")
    with for_shops([shop_id]):
        scan_model.objects.filter(shop_id=shop_id).delete()
    heard = 0
    begun = time.perf_counter()
    for body in pushes:
        told = json.loads(parse_qs(body.decode())["param"][0])["lastResult"]
        with for_shops([shop_id]):
            parcel = parcel_model.objects.get(shop_id=shop_id, number=told["nu"])
            for line in told["data"]:
                heard += 1
                at = datetime.fromisoformat(line["time"] + "+08:00")
                is_new = _add(scan_model, parcel, at, line["context"])
                if is_new and (parcel.last_scan_at is None or at > parcel.last_scan_at):
                    parcel.last_scan_at, parcel.stage = at, "in_transit"
                    parcel.save()
    return heard / (time.perf_counter() - begun)


def _add(scans: Any, parcel: Any, at: datetime, text: str) -> bool:
    _, is_new = scans.objects.get_or_create(
        parcel=parcel,
        minute=at.replace(second=0),
        digest=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        defaults={
            "shop_id": parcel.shop_id,
            "scanned_at": at,
            "received_at": traffic.NOW,
            "kind": "in_transit",
            "text": text,
            "provider": "kuaidi100",
        },
    )
    return bool(is_new)
