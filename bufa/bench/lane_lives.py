"""Parcels whose end is known: Olist's orders and Cargo 2000's transports (real), and the simulator's (invented)."""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx

from bufa.bench.lane_trials import Life
from bufa.domain.histograms import Histogram
from bufa.domain.kinds import Stage
from bufa.domain.lanes import EVERYTHING, Leg, ladder
from bufa.domain.parcels import SIGNATURE_SETTLES, Scan, fold
from bufa.domain.passing import Fate, How, is_silence, lessons, measure, month_of
from bufa.domain.passing import fate_of as fate_by_now
from bufa.domain.reading import to_scan
from bufa.domain.regions import distance
from bufa.host.trouble import Trouble
from bufa.lib import http

OLIST_GIVEN_UP = timedelta(days=60)
"""Of Olist's parcels that were out for 60 days, 84 % never arrived; only 1.1 % of all are out for so long."""

_PAGE = 2000


def rows(name: str) -> list[dict[str, str]]:
    """A table of the shared data sets. Raises Trouble when it is not there."""
    there = os.environ.get("BUFA_SAMPLES") or Path(__file__).resolve().parents[2].parent / "shared" / "samples"
    path = Path(there) / "data" / name
    if not path.is_file():
        raise Trouble(f"There are no samples at {path}; set BUFA_SAMPLES to where they are.")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def olist(*, only_all_statuses: bool) -> list[Life]:
    """Orders from the hand-over to the carrier. Levels: seller and state, state, everything; no carrier is told.

    One silence a parcel, from hand-over to signature: that is all that is told. Who was not delivered by the end of the
    data is lost after 60 days; who was handed over later than that is left out. Losses are true only in the part with
    all statuses.
    """
    found, end = [], datetime.min.replace(tzinfo=UTC)
    kept = []
    for row in rows("olist-sample/olist_delivery.csv.gz"):
        taken, signed = _moment(row["order_delivered_carrier_date"]), _moment(row["order_delivered_customer_date"])
        end = max(end, taken or end, signed or end)
        if taken is None or (signed is not None and signed <= taken):
            continue
        if only_all_statuses and row["sample"] != "all_status_4k":
            continue
        keys = (f"{row['seller_id']}>{row['customer_state']}", row["customer_state"], EVERYTHING)
        kept.append((keys, taken, signed))
    for keys, taken, signed in kept:
        if signed is None and taken > end - OLIST_GIVEN_UP:
            continue
        hours = None if signed is None else (signed - taken).total_seconds() / 3600
        known_at = signed or taken + OLIST_GIVEN_UP
        silence = Histogram(never=1) if hours is None else Histogram.of([hours])
        taught = {(key, Leg.SILENT_IN_TRANSIT, month_of(taken)): silence for key in keys}
        if hours is not None:
            taught |= {(key, Leg.TOTAL, month_of(known_at)): Histogram.of([hours]) for key in keys}
        silent = ((Stage.IN_TRANSIT, math.inf if hours is None else hours),)
        found.append(Life(keys, None, taken, hours, known_at, taught, silent))
    return found


def cargo2000(learned_on: datetime) -> tuple[list[Life], datetime]:
    """Transport legs of air freight, and when the later half of them begins. Levels: pair of airports, number of hops,
    everything. The data have no dates: rows stand in for time, a minute each, and the first half is learned at once."""
    events = rows("cargo2000/c2k_events.csv.gz")
    found = []
    half = max(int(row["nr"]) for row in events) // 2
    for (nr, _), those in groupby(events, key=lambda row: (int(row["nr"]), row["leg"])):
        leg = list(those)
        places = [row["place"] for row in leg if row["place"]]
        hours = sum(int(row["effective_min"]) for row in leg) / 60
        if len(places) < 2 or hours <= 0:
            continue
        keys = (f"{places[0]}>{places[-1]}", f"{len(places)} stops", EVERYTHING)
        began = learned_on + timedelta(minutes=nr)
        taught = {(key, Leg.TOTAL, month_of(learned_on)): Histogram.of([hours]) for key in keys}
        found.append(Life(keys, None, began, hours, learned_on if nr <= half else None, taught))
    return found, learned_on + timedelta(minutes=half + 1)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


# --- the simulator ---------------------------------------------------------------------------------------------------


def simulated(start: datetime, end: datetime, *, orders_per_day: int, seed: int) -> list[Life]:
    """The lives of a simulated shop's parcels, read from their texts as the desk reads them; the simulator says only
    which of them are lost."""
    told = told_parcels(start, end, orders_per_day=orders_per_day, seed=seed)
    return [life for one in told if (life := _life(one, end)) is not None]


def told_parcels(start: datetime, end: datetime, *, orders_per_day: int, seed: int) -> Iterator[dict[str, Any]]:
    """The parcels of a simulated shop, as its control tells them at the end."""
    own = httpx.HTTPTransport()  # a simulator of our own stands on this machine, where no provider may be
    with _world(start, orders_per_day, seed) as control, http.client(timeout_s=900.0, transport=own) as client:
        client.post(f"{control}/clock", json={"advance_to": end.isoformat()}).raise_for_status()
        since, total = 0, 1
        while since < total:
            page = client.get(f"{control}/parcels", params={"since": since, "count": _PAGE}).raise_for_status().json()
            since, total = since + _PAGE, page["total"]
            yield from page["parcels"]


@contextmanager
def _world(start: datetime, orders_per_day: int, seed: int) -> Iterator[str]:
    """A simulator of its own, for as long as it is needed; gives the address of its controls."""
    command = [sys.executable, "-m", "simulator", "--start", start.isoformat(), "--seed", str(seed)]
    with subprocess.Popen(
        [*command, "--orders-per-day", str(orders_per_day)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("{"):
                raise Trouble("The simulator did not start.")
            yield json.loads(line)["control"]
        finally:
            process.terminate()


def _life(told: dict[str, Any], end: datetime) -> Life | None:
    """A parcel of the simulator; None for one that the carrier never had, that broke, or whose end is still open."""
    scans = [scan_of(told["carrier"], *row) for row in told["scans"]]
    state = fold(scans)
    began = state.collected_at
    if began is None or told["role"] != "original" or state.newest_at is None:
        return None
    is_lost = told["outcome"] == "lost"
    fate = fate_by_now(state, end)
    if not is_lost and fate is not Fate.ARRIVED:
        return None
    keys = ladder(told["carrier"], "陕西", told["province"])
    measured = measure(scans, Fate.LOST if is_lost else Fate.ARRIVED, end)
    silent = [
        (Stage(one.leg.removeprefix("silent_")), math.inf if one.how is How.NEVER else one.hours)
        for one in measured
        if is_silence(one.leg)
    ]
    arrived = next((one.hours for one in measured if one.leg is Leg.TOTAL and one.how is How.ENDED), None)
    # What the desk itself makes of it, and when: it is not told who is lost.
    known_at = state.newest_at + (SIGNATURE_SETTLES if fate is Fate.ARRIVED else timedelta(days=30))
    taught = lessons(scans, fate, end, keys)
    return Life(
        keys, distance("陕西", told["province"]), began, arrived, known_at if taught else None, taught, tuple(silent)
    )


def scan_of(carrier: str, at: str, known_at: str, code: str, text: str) -> Scan:
    return to_scan(
        provider="kuaidi100",
        carrier=carrier,
        scanned_at=datetime.fromisoformat(at),
        received_at=datetime.fromisoformat(known_at),
        code=code,
        text=text,
    )
