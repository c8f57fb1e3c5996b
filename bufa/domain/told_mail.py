"""When somebody who wants it is written to: how often at most, and at which hours not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.domain.rulebook import SHOP_ZONE

EVERY_MINUTES = (15, 30, 60, 120, 240, 480)
"""What can be chosen: at most one mail in so many minutes."""

HOURS = range(24)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`quiet_from`, `quiet_to`: hours of the shop's day, the second one no longer quiet; equal ones mean none."""

    every: timedelta
    quiet_from: int = 0
    quiet_to: int = 0

    def is_quiet(self, now: datetime) -> bool:
        hour, begin, end = now.astimezone(SHOP_ZONE).hour, self.quiet_from, self.quiet_to
        return begin <= hour < end if begin <= end else hour >= begin or hour < end

    def may_write(self, now: datetime, last: datetime | None) -> bool:
        """Whether a mail may leave at `now`, the last one having left at `last`."""
        return not self.is_quiet(now) and (last is None or now - last >= self.every)
