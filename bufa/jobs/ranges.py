"""Asking the platform whether a carrier goes there, one way after the other, at the platform's pace."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from procrastinate.contrib.django import app

from bufa.apps.effects import actions as effects
from bufa.apps.reissues import bulk_ranges, ranges
from bufa.apps.shops.clients import client_for
from bufa.domain.outcome import Refused
from bufa.integrations.ports import ProviderError
from bufa.lib.queue import hint

SECONDS_A_JOB = 10.0
LONGEST_NAP = 1.0
HEARS_EVERY_S = 2.0
"""How often the rows of a sheet are told what came in."""


@app.task(name=ranges.ASK)
def ask(shop_id: int) -> None:
    """What waits in a shop, as far as this job's time goes; the rest is the next job's."""
    if not work_off(shop_id):
        hint(ranges.ASK, once=f"{ranges.ASK}:{shop_id}", shop_id=shop_id)


def work_off(shop_id: int, seconds: float = SECONDS_A_JOB) -> bool:
    """Whether nothing can be asked any more for now. The rows of sheets hear their answers meanwhile and at the end."""
    try:
        return _asking(shop_id, time.monotonic() + seconds)
    finally:
        bulk_ranges.hear(shop_id)


def _asking(shop_id: int, ends: float) -> bool:
    client: Any = None
    hears = time.monotonic() + HEARS_EVERY_S
    while time.monotonic() < ends:
        if time.monotonic() >= hears:
            bulk_ranges.hear(shop_id)
            hears = time.monotonic() + HEARS_EVERY_S
        asked = ranges.begin(shop_id, effects.real_now())
        if asked is None:
            return True
        if isinstance(asked, datetime):
            nap = (asked - effects.real_now()).total_seconds()
            if nap > LONGEST_NAP:
                return True  # the sweep wakes us
            time.sleep(max(nap, 0.01))
            continue
        client = _put(shop_id, asked, client)
    return False


def _put(shop_id: int, asked: ranges.Asked, client: Any) -> Any:
    try:
        client = client or client_for(shop_id, "doudian")
        said = client.out_of_range(asked.carrier, asked.sender, asked.receiver)
    except ProviderError as error:
        told = {"why": error.why, "code": error.code, "text": error.text}
        ranges.not_answered(
            shop_id, asked, error=told, retryable=error.retryable, wait=error.wait, real=effects.real_now()
        )
    except Refused as refused:
        ranges.not_answered(
            shop_id, asked, error={"why": refused.why.code}, retryable=False, wait=None, real=effects.real_now()
        )
    else:
        ranges.answered(shop_id, asked, is_out=said.is_out, reason=said.reason, real=effects.real_now())
    return client


def wake(everyone: Sequence[int]) -> int:
    """Questions whose job was lost, or whose turn comes now; and rows that their answers never reached."""
    due = {*ranges.waiting(everyone, effects.real_now()), *bulk_ranges.waiting(everyone)}
    return sum(hint(ranges.ASK, once=f"{ranges.ASK}:{one}", shop_id=one) for one in sorted(due))
