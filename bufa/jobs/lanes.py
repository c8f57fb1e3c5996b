"""Lanes learn from parcels that came to an end: a batch at a time, each parcel once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bufa.apps.parcels import lane_counts

BATCHES = 4
"""How many batches one round of the sweep may take: learning never holds up what is due."""


def learn(everyone: Sequence[int], now: datetime) -> int:
    """Parcels that arrived since the last round. Returns how many were counted."""
    counted = 0
    for _ in range(BATCHES):
        if not (done := lane_counts.learn(everyone, now)):
            break
        counted += done
    return counted


def learn_losses(everyone: Sequence[int], now: datetime) -> int:
    """Once a day: parcels that were given up, all shops through; and months that are too old go."""
    counted, after = 0, 0
    while True:
        done, last = lane_counts.learn_losses(everyone, now, after)
        counted += done
        if last is None:
            break
        after = last
    lane_counts.prune(everyone, now)
    return counted
