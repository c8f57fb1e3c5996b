"""Asking tracking providers about parcels: what is wanted, within the limits they set, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bufa.apps.parcels.models import Parcel, Subscription
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Stage
from bufa.lib.tenancy import for_shops

BETWEEN_QUERIES = timedelta(minutes=30)
"""Between two questions about one number (tracking-protocols §1.1: sooner, and the provider locks the number)."""

CLAIM = timedelta(minutes=10)
"""How long a parcel that is being subscribed is left alone by other workers."""

LONG_AGO = timedelta(days=30)
"""A parcel whose last scan is older is history (an imported file), not worth a paid subscription."""

OVER = (Stage.DELIVERED, Stage.RETURNED, Stage.CANCELLED)
_STATES = ("wanted", "aborted", "failed")
TRIES_KEPT = 12


@dataclass(frozen=True, slots=True)
class ToFollow:
    """A parcel that should be subscribed now. `tries`: when that was tried before, oldest first."""

    shop_id: int
    parcel_id: int
    order_id: int
    carrier: str
    number: str
    state: str
    tries: tuple[datetime, ...]

    def tries_since(self, month_start: datetime) -> int:
        return sum(at >= month_start for at in self.tries)


def claim_wanted(shop_id: int, now: datetime, *, limit: int = 50) -> list[ToFollow]:
    """Take parcels that want to be followed; two workers never take the same one."""
    with for_shops([shop_id]):
        rows = list(
            Subscription.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(shop_id=shop_id, state__in=_STATES, next_at__lte=now)
            .select_related("parcel")
            .order_by("next_at", "id")[:limit]
        )
        found = [_to_follow(row) for row in rows if not _is_over(row.parcel, now)]
        over = [row.pk for row in rows if _is_over(row.parcel, now)]
        Subscription.objects.filter(shop_id=shop_id, id__in=over).update(state="ended", next_at=None)
        taken = [one.parcel_id for one in found]
        Subscription.objects.filter(shop_id=shop_id, parcel_id__in=taken).update(next_at=now + CLAIM)
    return found


def _is_over(parcel: Parcel, now: datetime) -> bool:
    silent = parcel.last_scan_at is not None and now - parcel.last_scan_at > LONG_AGO
    return parcel.stage in OVER or not parcel.is_watched or silent


def shops_with_wanted(shop_ids: Sequence[int], now: datetime) -> list[int]:
    """Shops with parcels that want to be followed, and a provider to do it: what a sweep asks."""
    with for_shops(shop_ids):
        rows = Subscription.objects.filter(shop_id__in=shop_ids, state__in=_STATES, next_at__lte=now)
        found = sorted(rows.values_list("shop_id", flat=True).distinct())
    return shops.pushing_shops(found) if found else []


def followed(shop_id: int, parcel_id: int, provider: str, now: datetime) -> None:
    """The provider follows it and will push."""
    _settle(shop_id, parcel_id, state="active", provider=provider, next_at=None, error="", tried_at=now)


def not_followed(
    shop_id: int, parcel_id: int, provider: str, *, error: str, again_at: datetime | None, tried_at: datetime | None
) -> None:
    """It is not followed. `again_at` None: nothing that time heals (carrier not supported, phone unknown)."""
    state = "failed" if again_at is not None or error != "unsupported" else "unsupported"
    _settle(shop_id, parcel_id, state=state, provider=provider, next_at=again_at, error=error[:120], tried_at=tried_at)


def to_query(shop_id: int, parcel_id: int) -> ToFollow | None:
    """What asking about this parcel needs; None when it has no number."""
    with for_shops([shop_id]):
        row = Subscription.objects.filter(shop_id=shop_id, parcel_id=parcel_id).select_related("parcel").first()
        return _to_follow(row) if row and row.parcel.number else None


def _to_follow(row: Subscription) -> ToFollow:
    tries = tuple(datetime.fromisoformat(at) for at in row.tries)
    parcel = row.parcel
    return ToFollow(row.shop_id, parcel.pk, parcel.order_id, parcel.carrier, parcel.number, row.state, tries)


def _settle(
    shop_id: int,
    parcel_id: int,
    *,
    state: str,
    provider: str,
    next_at: datetime | None,
    error: str,
    tried_at: datetime | None,
) -> None:
    with for_shops([shop_id]):
        row = Subscription.objects.select_for_update().filter(shop_id=shop_id, parcel_id=parcel_id).first()
        if row is None:
            return
        row.state, row.provider, row.next_at, row.error = state, provider, next_at, error
        if tried_at is not None:
            row.tries = [*row.tries, tried_at.astimezone(UTC).isoformat()][-TRIES_KEPT:]
        row.save(update_fields=["state", "provider", "next_at", "error", "tries"])
