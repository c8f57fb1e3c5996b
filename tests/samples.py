"""The shared sample set, where it lies: BUFA_SAMPLES, by default ../shared/samples beside the repository."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = Path(os.environ.get("BUFA_SAMPLES") or ROOT.parent / "shared" / "samples")

needs_samples = pytest.mark.skipif(
    not (SAMPLES / "tracking-samples-open.jsonl").is_file(),
    reason=f"the shared samples are not at {SAMPLES}; set BUFA_SAMPLES",
)

KINDS_OF_LABEL: dict[str, frozenset[str]] = {
    "pending_pickup": frozenset({"label_created"}),
    "in_transit": frozenset(
        {"collected", "arrived_hub", "in_transit", "arrived_destination", "forwarded", "customs", "eta"}
    ),
    "out_for_delivery": frozenset({"out_for_delivery"}),
    "bad_number": frozenset({"out_for_delivery"}),
    "at_pickup_point": frozenset({"ready_for_pickup"}),
    "delivered": frozenset({"delivered"}),
    "delivery_failed": frozenset({"attempt_failed"}),
    "refused": frozenset({"refused"}),
    "returning": frozenset({"returning"}),
    "returned": frozenset({"returned"}),
    "damaged": frozenset({"damaged"}),
    "lost": frozenset({"lost"}),
    "stuck": frozenset({"held"}),
    "exception_other": frozenset({"held"}),
}
"""Which kinds of the last dated scan agree with a history's label. A dummy's mixed track ends out for delivery."""


def histories(*, origin: str | None = None) -> Iterator[dict[str, Any]]:
    """The labelled histories of the open set, all or those of one origin."""
    with (SAMPLES / "tracking-samples-open.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if origin is None or row["origin"] == origin:
                yield row


def last_dated(history: dict[str, Any]) -> dict[str, Any] | None:
    """The newest scan with a time; of several at one instant the one listed last."""
    newest: dict[str, Any] | None = None
    for event in history["events"]:
        if event["time"] and (newest is None or event["time"] >= newest["time"]):
            newest = event
    return newest


def score(read: Any, *, origin: str = "captured") -> dict[str, Any]:
    """How `read(text) -> kind` does: {histories, agree, texts, unmapped, wrong: [(id, label, kind, text)], alarms}.

    `alarms` are texts of delivered histories that are read as damaged or lost.
    """
    wrong, alarms = [], []
    counts: Counter[str] = Counter()
    for history in histories(origin=origin):
        for event in history["events"]:
            kind = read(event["text"])
            counts["texts"] += 1
            counts["unmapped"] += kind == "unmapped"
            if history["label"] == "delivered" and kind in ("damaged", "lost"):
                alarms.append((history["id"], event["text"]))
        newest = last_dated(history)
        if newest is None:
            continue
        counts["histories"] += 1
        kind = read(newest["text"])
        if kind in KINDS_OF_LABEL[history["label"]]:
            counts["agree"] += 1
        else:
            wrong.append((history["id"], history["label"], str(kind), newest["text"]))
    return {**counts, "unmapped": counts["unmapped"], "wrong": wrong, "alarms": alarms}
