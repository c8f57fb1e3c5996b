"""Alarms and lead on the parcels of a simulated shop: with provinces, uploads and late news, and a known end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bufa.bench import reading_watch
from bufa.bench.lane_lives import scan_of, told_parcels
from bufa.bench.reading_watch import Course

ORDERS_PER_DAY = 60
SEED = 31
START = datetime(2026, 9, 20, tzinfo=UTC)
UNTIL = datetime(2026, 11, 4, tzinfo=UTC)
ORIGIN = "陕西"
BAD = ("lost", "damaged", "returned", "never_collected")
"""Outcomes that a parcel's own track can tell. One that was signed for and is not there, or is short, cannot be seen in
it: the customer's word opens those cases."""


def watched() -> dict[str, Any]:
    """A shop's parcels over six weeks, good and bad. The shop is a new one: its lanes have taught nothing yet."""
    told = [one for one in told_parcels(START, UNTIL, orders_per_day=ORDERS_PER_DAY, seed=SEED) if _is_over(one)]
    good = [_course(one, one["scans"][-1][1]) for one in told if one["outcome"] == "delivered"]
    bad = {name: [_course(one, one["trouble_at"]) for one in told if one["outcome"] == name] for name in BAD}
    return {
        "data": f"invented: seed {SEED}, {len(told)} parcels; lead is counted back from when the customer notices",
        "good_parcels": reading_watch.noise(good),
        "bad_parcels": reading_watch.lead(course for courses in bad.values() for course in courses),
        "bad_by_outcome": {name: reading_watch.lead(courses) for name, courses in bad.items() if courses},
    }


def _is_over(told: dict[str, Any]) -> bool:
    """Originals whose course is known to its end; of the bad ones those whose customer has noticed by now."""
    if told["role"] != "original" or not told["ended"]:
        return False
    return bool(told["scans"]) if told["outcome"] == "delivered" else told["trouble_at"] is not None


def _course(told: dict[str, Any], end: str) -> Course:
    began = datetime.fromisoformat(told["started_at"])
    scans = tuple(scan_of(told["carrier"], *row) for row in told["scans"])
    return Course(
        scans, max(datetime.fromisoformat(end), began), began, began, ORIGIN, told["province"], told["carrier"]
    )
