"""The clocks of one parcel that still run, with what moved them: worked out when a page asks."""

from __future__ import annotations

from datetime import datetime

from bufa.apps.parcels import watching
from bufa.apps.shops import queries as shops
from bufa.domain import rulebook, watch
from bufa.domain.watch import Warning_
from bufa.lib.tenancy import reading


def running(shop_id: int, parcel_id: int, now: datetime) -> tuple[Warning_, ...]:
    """The soonest first; () for a parcel that nobody waits for, or that is not this shop's."""
    with reading([shop_id]):
        rows = watching.load(shop_id, [parcel_id], now, lock=False)
        if not rows:
            return ()
        return watch.ahead(rows[0].watched, rulebook.load(), shops.policy(shop_id, now), now)
