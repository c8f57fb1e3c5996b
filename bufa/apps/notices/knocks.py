"""How often somebody without an account tries something: counted in the database, so that all web processes count as
one, by keyed digests, in windows of real time."""

from __future__ import annotations

from datetime import timedelta

from bufa.apps.notices.models import Knock
from bufa.domain.outcome import Refused
from bufa.lib import clock, crypto
from bufa.lib.db import cursor
from bufa.lib.tenancy import for_shops

KEEP = timedelta(days=2)

_COUNT = """
INSERT INTO notices_knock (shop_id, key, since, count) VALUES (%(shop)s, %(key)s, %(now)s, 1)
ON CONFLICT (shop_id, key) DO UPDATE SET
    count = CASE WHEN notices_knock.since <= %(before)s THEN 1 ELSE notices_knock.count + 1 END,
    since = CASE WHEN notices_knock.since <= %(before)s THEN EXCLUDED.since ELSE notices_knock.since END
RETURNING count
"""


def knock(shop_id: int, what: str, *, most: int, window: timedelta) -> None:
    """Count one try of `what`. Raises Refused too_many_tries (minutes) above `most` in the window.

    Called in a transaction of its own where a refusal afterwards must not take the count back.
    """
    now = clock.real_now()
    key = crypto.blind(shop_id, what, purpose="knock")
    with for_shops([shop_id]), cursor() as cur:
        asked = {"shop": shop_id, "key": key, "now": now, "before": now - window}
        row = cur.execute(_COUNT, asked).fetchone()
    if row is not None and row[0] > most:
        raise Refused("too_many_tries", minutes=max(1, int(window.total_seconds() // 60)))


def forget_old(shop_id: int) -> int:
    """Windows that are over say nothing any more."""
    with for_shops([shop_id]):
        gone, _ = Knock.objects.filter(shop_id=shop_id, since__lt=clock.real_now() - KEEP).delete()
        return gone
