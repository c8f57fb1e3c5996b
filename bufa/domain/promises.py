"""Promises of shipping: until when an order must be with its carrier (doudian-openapi.md §12.1), and the score's norm.

The classes are dated data of the rule book (`[[promise]]`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_ZONE = ZoneInfo("Asia/Shanghai")
_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class PromiseClass:
    """One way to promise. By hours: `hours` after payment, None where the merchant sets them. By days: the end of the
    shop day `days` after the payment's, one more when paid at or after `cutoff`."""

    id: str
    mark: str
    source: str
    valid_from: date
    valid_to: date | None
    days: int | None
    cutoff: time | None
    hours: int | None

    def ship_by(self, paid_at: datetime, hours: int | None = None) -> datetime:
        """The last instant to ship; `hours` are the merchant's own. ValueError when none are known."""
        if self.days is None:
            set_hours = self.hours if hours is None else hours
            if set_hours is None:
                raise ValueError(f"promise {self.id}: how many hours?")
            return paid_at + timedelta(hours=set_hours)
        local = paid_at.astimezone(_ZONE)
        late = self.cutoff is not None and local.time() >= self.cutoff
        return _end_of_day(local.date() + timedelta(days=self.days + late))


def ship_by(promised: Iterable[datetime], agreed: datetime | None = None) -> datetime | None:
    """What holds of several promises: the time agreed with the buyer, else the earliest; None without any."""
    return agreed or min(promised, default=None)


def promise_hours(paid_at: datetime, by: datetime) -> int:
    """The promise's length in hours, rounded up, at least 1: by it the pay-outs are told apart."""
    return max(1, -int(-(by - paid_at).total_seconds() // 3600))


def pickup_norm(paid_at: datetime) -> datetime:
    """By when the experience score wants the pickup: the end of the shop day after the payment's."""
    return _end_of_day(paid_at.astimezone(_ZONE).date() + timedelta(days=1))


def score_start(paid_at: datetime) -> datetime:
    """From when the score counts the time to pickup: what is paid from 18:00 to 06:00 counts from 06:00."""
    local = paid_at.astimezone(_ZONE)
    if time(6) <= local.time() < time(18):
        return paid_at
    day = local.date() + timedelta(days=local.time() >= time(18))
    return datetime.combine(day, time(6), _ZONE).astimezone(UTC)


def _end_of_day(day: date) -> datetime:
    return datetime.combine(day, _LAST_SECOND, _ZONE).astimezone(UTC)
