"""A parcel's newest movements (`ParcelState.trail`): the gaps between them, nodes that come again and again, and ways
that no parcel makes.

All are functions of the set of scans: the trail keeps the newest movements whatever order they were heard in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import sub

from bufa.domain.parcels import MINUTE_AT, PROVINCE_AT, ParcelState
from bufa.domain.speed import PROVINCES, too_fast

_NODE, _HUB, _PROVINCE = 0xFFFF, 1, 0x7F
_IN_A_ROW = 3
_VISITS = 3


def gaps(state: ParcelState, since: datetime, until: datetime | None = None) -> Iterator[tuple[datetime, datetime]]:
    """The spans between two movements that follow one another, from the movement at `since` on, oldest first.

    Spans that begin at `until` or later are left out. Times are exact to the minute.
    """
    before: datetime | None = None
    first = since.replace(second=0, microsecond=0)
    for movement in state.trail:
        at = _at(movement)
        if at < first:
            continue
        if until is not None and before is not None and before >= until.replace(second=0, microsecond=0):
            return
        if before is not None and at > before:
            yield before, at
        before = at


def longest_gap(state: ParcelState) -> timedelta:
    """The longest span between two movements that follow one another; no span of `gaps` is longer."""
    minutes = [movement >> MINUTE_AT for movement in state.trail]
    return timedelta(minutes=max(map(sub, minutes[1:], minutes), default=0))


def first_after(state: ParcelState, at: datetime) -> datetime | None:
    """The first movement remembered after that instant (to the minute), or None."""
    return next((when for movement in state.trail if (when := _at(movement)) > at), None)


def repeated_at(state: ParcelState) -> datetime | None:
    """When the track first repeated itself, or None: one node for the third time in a row, a hub reached for the third
    time, or two hubs in turns (A B A B). Nodes without a place are never repeats."""
    row, last_node = 0, 0
    hubs: list[int] = []
    for movement in state.trail:
        node = movement & _NODE
        row = row + 1 if node and node == last_node else 1
        last_node = node
        if node and row >= _IN_A_ROW:
            return _at(movement)
        if node & _HUB and (not hubs or hubs[-1] != node):
            hubs.append(node)
            in_turns = len(hubs) >= 4 and hubs[-4:-2] == hubs[-2:]
            if in_turns or hubs.count(node) >= _VISITS:
                return _at(movement)
    return None


def too_fast_at(state: ParcelState) -> datetime | None:
    """When the track became faster than any parcel (`speed.too_fast`), or None; by the provinces that are known."""
    seen = {movement >> PROVINCE_AT & _PROVINCE for movement in state.trail}
    if len(seen) < PROVINCES:  # nearly always
        return None
    found = too_fast((_at(one), str(one >> PROVINCE_AT & _PROVINCE or "")) for one in state.trail)
    return found.at if found else None


def _at(movement: int) -> datetime:
    return datetime.fromtimestamp((movement >> MINUTE_AT) * 60, UTC)
