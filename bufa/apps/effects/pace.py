"""How fast a shop may make changes of one kind, learned from what the platform says; kept under the shop's lock.

Read when an attempt begins and written when it ends, both inside `writing`: two workers never take the same turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.effects.models import Pace
from bufa.domain.effects import Result, next_pause

_NOT_GRANTED = "30001"


def take_turn(shop_id: int, kind: str, real: datetime) -> datetime | None:
    """Take the next turn; or when it will be, where it is not now."""
    row = Pace.objects.select_for_update().filter(shop_id=shop_id, kind=kind).first()
    if row is None:
        return None
    if row.free_at > real:
        return row.free_at
    if row.pause_ms:
        row.free_at = real + timedelta(milliseconds=row.pause_ms)
        row.save(update_fields=["free_at"])
    return None


def learn(
    shop_id: int, kind: str, result: Result, error: Mapping[str, Any], real: datetime, wait: timedelta | None
) -> None:
    """Slower after "too fast", faster after a yes; a method that was not granted is noted, and forgotten when it is."""
    limited = error.get("why") == "limited"
    denied = error.get("code") == _NOT_GRANTED
    row = Pace.objects.select_for_update().filter(shop_id=shop_id, kind=kind).first()
    if row is None:
        if not limited and not denied:
            return
        row = Pace(shop_id=shop_id, kind=kind, free_at=real)
    if limited:
        row.pause_ms = next_pause(row.pause_ms, limited=True)
        row.free_at = real + max(timedelta(milliseconds=row.pause_ms), wait or timedelta(0))
    elif result is Result.ACCEPTED:
        row.pause_ms = next_pause(row.pause_ms, limited=False)
    if denied:
        row.denied_at = real
    elif result is Result.ACCEPTED:
        row.denied_at = None
    row.save()
