"""A track that is faster than any carrier: provinces in an order and a time that no parcel manages.

Such a track belongs to a dummy or a recycled number: its scans are somebody else's (tracking-protocols.md §8.2, 12).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

WITHIN = timedelta(hours=6)
"""A flight with pickup and hand-over at both ends; by road it is less than one province."""

PROVINCES = 4
"""Two ends, and one province in which a flight is changed, are three."""


@dataclass(frozen=True, slots=True)
class TooFast:
    """The first moment at which the track cannot be one parcel's: so many provinces in `span` up to `at`."""

    at: datetime
    provinces: tuple[str, ...]
    span: timedelta


def too_fast(points: Iterable[tuple[datetime, str]]) -> TooFast | None:
    """Where a track of (time, province) first is impossible, or None. Unknown provinces ("") say nothing."""
    known = sorted((at, province) for at, province in points if province)
    for last, (at, _) in enumerate(known):
        near = [(when, province) for when, province in known[: last + 1] if at - when <= WITHIN]
        seen = tuple(dict.fromkeys(province for _, province in near))
        if len(seen) >= PROVINCES:
            return TooFast(at, seen, at - near[0][0])
    return None
