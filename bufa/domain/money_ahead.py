"""Money at risk of a shop: what the clocks of all its parcels will cost, hour by hour, if nothing happens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SHOP_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class MoneyStep:
    """In one hour one rule makes so many parcels dearer.

    `at`: the first of them, `last`: the last. Amounts in fen: what one parcel costs before and after, from the cheapest
    to the dearest; `more_fen` is the sum of what is added.
    """

    shop_id: int
    at: datetime
    last: datetime
    rule: str
    parcels: int
    before_min: int
    before_max: int
    after_min: int
    after_max: int
    more_fen: int

    @property
    def is_uniform(self) -> bool:
        """Do all its parcels make the same step, such as ¥3 to ¥25?"""
        return self.before_min == self.before_max and self.after_min == self.after_max


@dataclass(frozen=True, slots=True)
class DayMoney:
    """What a shop day still costs if nothing is done: `fen` in all, the last of it at `by` (None: nothing)."""

    fen: int
    parcels: int
    by: datetime | None


def day_end(now: datetime) -> datetime:
    """When the shop's day ends that `now` lies in."""
    midnight = now.astimezone(SHOP_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def today(steps: Iterable[MoneyStep], now: datetime, shop_id: int | None = None) -> DayMoney:
    """What is left of the shop's day; of one shop, or of all that the steps are about.

    The day ends at midnight; a step that begins before counts whole where it is dated by its hour.
    """
    mine = [one for one in steps if one.at < day_end(now) and shop_id in (None, one.shop_id)]
    return DayMoney(
        sum(one.more_fen for one in mine),
        sum(one.parcels for one in mine),
        max((one.last for one in mine), default=None),
    )
