"""What waits in the inbox, and what was put aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from bufa.apps.inbox.models import Message, MessageState
from bufa.lib.tenancy import for_shops

STALE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that was put aside; its body stays sealed."""

    shop_id: int
    message_id: int
    source: str
    kind: str
    received_at: datetime
    attempts: int
    code: str
    params: Mapping[str, Any]
    discarded_by: str = ""
    discarded_why: str = ""
    discarded_at: datetime | None = None


def counts(shops: Sequence[int]) -> dict[str, int]:
    """Messages by state, every state named."""
    with for_shops(shops):
        found = dict(
            Message.objects.filter(shop_id__in=shops).values_list("state").annotate(count=Count("id")).order_by()
        )
    return {state: found.get(state, 0) for state in MessageState.values}


def parked(shops: Sequence[int], *, limit: int = 100) -> list[Parked]:
    """Newest first."""
    return _aside(shops, MessageState.PARKED, limit)


def discarded(shops: Sequence[int], *, limit: int = 100) -> list[Parked]:
    """What people said means nothing, newest first."""
    return _aside(shops, MessageState.DISCARDED, limit)


def _aside(shops: Sequence[int], state: MessageState, limit: int) -> list[Parked]:
    with for_shops(shops):
        rows = Message.objects.filter(shop_id__in=shops, state=state).order_by("-id")[:limit]
        return [_parked(row) for row in rows]


def _parked(row: Message) -> Parked:
    gone = row.why_parked.get("discarded", {})
    return Parked(
        shop_id=row.shop_id,
        message_id=row.pk,
        source=row.source,
        kind=row.kind,
        received_at=row.received_at,
        attempts=row.attempts,
        code=row.why_parked.get("code", ""),
        params=row.why_parked.get("params", {}),
        discarded_by=gone.get("by", ""),
        discarded_why=gone.get("why", ""),
        discarded_at=datetime.fromisoformat(gone["at"]) if gone else None,
    )


def stale(shops: Sequence[int], now: datetime) -> list[int]:
    """Shops with new messages that have waited longer than a job should take: their job was lost."""
    with for_shops(shops):
        late = Message.objects.filter(shop_id__in=shops, state=MessageState.NEW, received_at__lt=now - STALE_AFTER)
        return sorted(late.values_list("shop_id", flat=True).distinct())
