"""How well scan texts are read, and how early and how quietly parcels are watched, on the shared samples.

Reading: the kind of a history's last dated scan, by its text alone, against the history's label. Watching: `now` moves
along each history, and the rules say what they would have said then; beside it the plain rule that many shops use, an
alarm after 24 hours without a scan (`reading_watch`). The samples tell neither provinces nor uploads, so all lanes are
read as far ones and nothing is known about pickups. A parcel that went wrong is followed for ten days after its last
scan, when a domestic parcel counts as lost (GB/T 27917); lead is counted back from there. The simulator's parcels
(`reading_world`) have all of that, and lead is counted back from when the customer would have noticed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bufa.bench import Figure, reading_watch, reading_world
from bufa.domain.kinds import Kind
from bufa.domain.parcels import Scan
from bufa.domain.reading import read, to_scan
from bufa.host.trouble import Trouble

GOAL_SHARE = 0.97
MOST_UNMAPPED = 0.02
ONE_SHOP = "caoguo-2020-09"
AFTERWARDS = timedelta(days=10)

_ZONE = ZoneInfo("Asia/Shanghai")
_ROOT = Path(__file__).resolve().parents[2]

KINDS_OF_LABEL: dict[str, frozenset[Kind]] = {
    "pending_pickup": frozenset({Kind.LABEL_CREATED}),
    "in_transit": frozenset({Kind.COLLECTED, Kind.ARRIVED_HUB, Kind.IN_TRANSIT, Kind.ARRIVED_DESTINATION, Kind.ETA}),
    "out_for_delivery": frozenset({Kind.OUT_FOR_DELIVERY}),
    "bad_number": frozenset({Kind.OUT_FOR_DELIVERY}),
    "at_pickup_point": frozenset({Kind.READY_FOR_PICKUP}),
    "delivered": frozenset({Kind.DELIVERED}),
    "delivery_failed": frozenset({Kind.ATTEMPT_FAILED}),
    "refused": frozenset({Kind.REFUSED}),
    "returning": frozenset({Kind.RETURNING}),
    "returned": frozenset({Kind.RETURNED}),
    "damaged": frozenset({Kind.DAMAGED}),
    "lost": frozenset({Kind.LOST}),
    "stuck": frozenset({Kind.HELD}),
    "exception_other": frozenset({Kind.HELD}),
}
"""Which kinds of the last dated scan agree with a label. A dummy's mixed track ("bad_number") ends out for delivery."""

GOOD = frozenset({"delivered"})
BAD = frozenset({"delivery_failed", "refused", "returning", "returned", "damaged", "lost", "stuck", "exception_other"})


def measure() -> Figure:
    """The smaller of the two shares read right, with and without the one shop's group; it holds only if unread scans
    are few and no delivered parcel is read as damaged or lost."""
    captured = [history for history in histories() if history["origin"] == "captured"]
    whole, others = score(captured), score([one for one in captured if one.get("group") != ONE_SHOP])
    everything = score(list(histories()))
    return Figure(
        min(whole["share"], others["share"]),
        "share read right",
        GOAL_SHARE,
        holds=whole["unmapped_share"] <= MOST_UNMAPPED and not whole["damaged_or_lost"],
        beside={
            "captured": whole,
            "captured_without_one_shop": others,
            "all_origins": everything,
            "good_parcels": quiet(captured, GOOD),
            "bad_parcels": early([one for one in histories() if one["label"] in BAD]),
            "simulator": reading_world.watched(),
            "own_texts": own_texts(),
        },
    )


def own_texts(path: Path = _ROOT / "tests" / "domain" / "data" / "trade_texts.jsonl") -> dict[str, str]:
    """Texts in the carriers' manner, labelled by us before they were read: by writing, how many are read right (kind),
    and how many were when they were read first, where that was kept. Nothing where the tests are not there."""
    if not path.is_file():
        return {}
    found: dict[int, list[tuple[bool, bool | None]]] = {}
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        kinds = {one.partition(".")[0] for one in row["is"]}
        first = row["first"].partition(".")[0] in kinds if "first" in row else None
        found.setdefault(row["written"], []).append((_kind(row["text"]).value in kinds, first))
    said = {}
    for written, rows in sorted(found.items()):
        unseen = [first for _, first in rows if first is not None]
        at_first = f", {sum(unseen)} when first read" if unseen else ""
        said[f"writing {written}"] = f"{sum(now for now, _ in rows)} of {len(rows)}{at_first}"
    return said


def histories() -> Iterator[dict[str, Any]]:
    """The labelled histories, from BUFA_SAMPLES or ../shared/samples beside the repository."""
    there = os.environ.get("BUFA_SAMPLES") or _ROOT.parent / "shared" / "samples"
    path = Path(there) / "tracking-samples-open.jsonl"
    if not path.is_file():
        raise Trouble(f"There are no samples at {path}; set BUFA_SAMPLES to where they are.")
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


# --- reading ---------------------------------------------------------------------------------------------------------


def score(chosen: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Histories read right, texts unread, and texts of delivered parcels read as damaged or lost; by text alone."""
    right = judged = texts = unmapped = damaged_or_lost = 0
    wrong: Counter[str] = Counter()
    for history in chosen:
        for event in history["events"]:
            kind = _kind(event["text"])
            texts += 1
            unmapped += kind is Kind.UNMAPPED
            damaged_or_lost += history["label"] in GOOD and kind in (Kind.DAMAGED, Kind.LOST)
        newest = _last_dated(history)
        if newest is None:
            continue
        judged += 1
        kind = _kind(newest["text"])
        if kind in KINDS_OF_LABEL.get(history["label"], ()):
            right += 1
        else:
            wrong[f"{history['label']} as {kind.value}"] += 1
    return {
        "share": round(right / judged, 4) if judged else 0.0,
        "histories": judged,
        "texts": texts,
        "unmapped_share": round(unmapped / texts, 4) if texts else 0.0,
        "damaged_or_lost": damaged_or_lost,
        "wrong": dict(wrong.most_common()),
    }


def _kind(text: str) -> Kind:
    return read(provider="file", text=text).kind


def _last_dated(history: dict[str, Any]) -> dict[str, Any] | None:
    newest: dict[str, Any] | None = None
    for event in history["events"]:
        if event["time"] and (newest is None or event["time"] >= newest["time"]):
            newest = event
    return newest


# --- watching --------------------------------------------------------------------------------------------------------


def quiet(chosen: Iterable[dict[str, Any]], labels: frozenset[str]) -> dict[str, Any]:
    """Alarms per 1,000 parcels of the samples that arrived; see `reading_watch.noise`."""
    courses = (_course(history, goes_on=False) for history in chosen if history["label"] in labels)
    return reading_watch.noise(course for course in courses if course is not None)


def early(chosen: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """For parcels of the samples that went wrong: hours of lead; see `reading_watch.lead`."""
    courses = (_course(history, goes_on=True) for history in chosen)
    return reading_watch.lead(course for course in courses if course is not None)


def _course(history: dict[str, Any], *, goes_on: bool) -> reading_watch.Course | None:
    """None without dated scans."""
    scans = sorted(_scans(history), key=lambda scan: scan.scanned_at)
    if not scans:
        return None
    end = scans[-1].scanned_at + (AFTERWARDS if goes_on else timedelta(0))
    return reading_watch.Course(tuple(scans), end, scans[0].scanned_at)


def _scans(history: dict[str, Any]) -> Iterator[Scan]:
    for event in history["events"]:
        if not event["time"]:
            continue
        local = datetime.fromisoformat(event["time"]).replace(tzinfo=_ZONE)
        at = _moved(local.astimezone(UTC), history)
        yield to_scan(provider="file", scanned_at=at, received_at=at, text=event["text"])


def _moved(at: datetime, history: dict[str, Any]) -> datetime:
    """The history as if it had happened in autumn 2026, when all rules were in force: whole days, so that nights and
    gaps stay what they were."""
    oldest = min(event["time"] for event in history["events"] if event["time"])
    begun = datetime.fromisoformat(oldest).replace(tzinfo=_ZONE).astimezone(UTC)
    return at + timedelta(days=(datetime(2026, 9, 20, tzinfo=UTC) - begun).days)
