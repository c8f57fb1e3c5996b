"""How many scans a second go in: from a provider's signed JSON in the inbox to parcel state, finding and next deadline.

The path is the production one: `inbox.keep_all` seals and stores the raw pushes, the job's batches read, judge and
commit them, as the application's role under row-level security. Each parcel is told of by its track so far (7 to 10
scans); whole pushes come shuffled, and a fifth of them comes again. Beside it, in the same run: plain COPY of the very
same rows into the very same table with its indexes, and the plainest loop over models.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.apps import apps

from bufa.apps.inbox import actions as inbox
from bufa.bench import Figure, server_cpu_s, superuser, traffic
from bufa.jobs.inbox import handle_tracking
from bufa.lib import clock
from bufa.lib.tenancy import for_shops

PARCELS = 100_000
REPEATED = 0.2
KEPT_AT_ONCE = 50
LOOP_PUSHES = 200
GOAL_PER_S = 25_000
GOAL_OF_COPY = 0.15


def measure(scale: float) -> Figure:
    """Scans heard a second, repeated ones included; the share of COPY's rate counts new scans alone."""
    parcels = max(40, round(PARCELS * scale))
    (shop_id,) = traffic.make_shops(1)
    traffic.make_parcels([shop_id], parcels)
    told = traffic.tracks(range(parcels), REPEATED, random.Random(7))  # noqa: S311 - nothing to guess
    pushes = [traffic.kuaidi100_push(parcel, range(steps)) for parcel, steps in told]
    heard = sum(steps for _, steps in told)
    expected = sum(dict(told).values())
    with clock.frozen(traffic.NOW):
        cpu, server_cpu, begun = time.process_time(), server_cpu_s(), time.perf_counter()
        _keep(shop_id, pushes)
        kept_s = time.perf_counter() - begun
        new, parked = _handle(shop_id)
        whole_s = time.perf_counter() - begun
        cpu, server_cpu = time.process_time() - cpu, server_cpu_s() - server_cpu
    copied, copy_s = _copy()
    with clock.frozen(traffic.NOW):
        loop_per_s = _loop(shop_id, pushes[:LOOP_PUSHES])
    of_copy = (new / whole_s) / (copied / copy_s)
    return Figure(
        heard / whole_s,
        "scans/s",
        GOAL_PER_S,
        beside={
            "heard": heard,
            "new": new,
            "parcels": parcels,
            "pushes": len(pushes),
            "parked": parked,
            "new_per_s": round(new / whole_s),
            "kept_per_s": round(heard / kept_s),
            "copy_rows_per_s": round(copied / copy_s),
            "of_copy": round(of_copy, 3),
            "of_copy_goal": GOAL_OF_COPY,
            "cpu_us_per_scan": {"bufa": round(cpu / heard * 1e6, 1), "postgresql": round(server_cpu / heard * 1e6, 1)},
            "if_cpu_alone_per_s": round(heard / max(cpu, server_cpu)),
            "model_loop_per_s": round(loop_per_s),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        },
        holds=new == expected == copied and not parked and of_copy >= GOAL_OF_COPY,
    )


def _keep(shop_id: int, pushes: Sequence[bytes]) -> None:
    for first in range(0, len(pushes), KEPT_AT_ONCE):
        raws = [inbox.Raw("kuaidi100", "push", "", body, traffic.NOW) for body in pushes[first : first + KEPT_AT_ONCE]]
        inbox.keep_all(shop_id, raws, call=False)


def _handle(shop_id: int) -> tuple[int, int]:
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
