"""Chasing carriers: rungs that are due are sent, and carrier cases follow what their cases became."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from procrastinate.contrib.django import app

from bufa.apps.negotiations import carrier_cases, ladder
from bufa.lib import clock


@app.task(name=ladder.RUN)
def run(shop_id: int) -> None:
    """Send what is due in one shop."""
    ladder.climb(shop_id=shop_id, now=clock.now())


def climb(everyone: Sequence[int], now: datetime) -> int:
    """Send what is due in these shops, now and here."""
    return sum(ladder.climb(shop_id=shop_id, now=now) for shop_id in ladder.due(everyone, now))


def follow(everyone: Sequence[int], now: datetime) -> int:
    """Open carrier cases for cases that came to the talk, and close those whose case or round ended."""
    done = 0
    for shop_id, case_ids in carrier_cases.stale(everyone).items():
        carrier_cases.refresh(shop_id=shop_id, case_ids=case_ids, now=now)
        done += len(case_ids)
    return done
