"""Taking what is due: each parcel by one sweep at a time, for as long as its lease lasts.

What was taken stands in one row a shop, beside the parcels, and the index of deadlines holds all that taking asks for:
the front of that index is read and a row written, whether ten thousand are watched or millions. Sweeps take in turns
(a lock for the milliseconds that it lasts), so that none has to look at what another is about to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.apps.parcels.models import ParcelLease
from bufa.apps.parcels.watching import ToJudge
from bufa.lib.db import cursor
from bufa.lib.tenancy import for_shops

LEASE = timedelta(seconds=60)
"""How long a taken parcel is left alone, by the database's clock, before another worker may take it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A parcel whose deadline has come, as it was when it was taken. `lease_id`: by which lease."""

    shop_id: int
    parcel_id: int
    deadline: datetime
    lease_id: int = 0


_TURN = 0x64756500  # the advisory lock's key, so that no other lock of ours can meet it ("due")
_HELD = "SELECT unnest(parcel_ids) FROM parcels_parcellease WHERE shop_id = ANY (%s) AND until >= %s"
_TAKE = """
WITH due AS MATERIALIZED (
    SELECT soonest.* FROM unnest(%(shops)s::bigint[]) AS shop (id) CROSS JOIN LATERAL (
        SELECT p.shop_id, p.id, p.next_deadline FROM parcels_parcel p
        WHERE p.shop_id = shop.id AND p.next_deadline <= %(now)s AND p.id <> ALL (%(held)s::bigint[])
        ORDER BY p.next_deadline LIMIT %(limit)s
    ) AS soonest
    ORDER BY soonest.next_deadline LIMIT %(limit)s
), lease AS (
    INSERT INTO parcels_parcellease (shop_id, parcel_ids, until)
    SELECT shop_id, array_agg(id), %(until)s FROM due GROUP BY shop_id
    RETURNING id, shop_id
)
SELECT due.shop_id, due.id, due.next_deadline, lease.id FROM due JOIN lease ON lease.shop_id = due.shop_id
"""


def take_due(shop_ids: Sequence[int], now: datetime, limit: int = 500) -> list[Due]:
    """Take parcels whose deadline has come, soonest first, for `LEASE`. Two sweeps never take the same one.

    `now` is the shop's clock; the lease counts by the database's. Whoever takes gives back (`release`), or the lease
    runs out.
    """
    shops = list(shop_ids)
    with for_shops(shops), cursor() as cur:
        # A lease that a crash forgets was a dead sweep's: nobody waits for the disk to have it.
        cur.execute("SELECT pg_advisory_xact_lock(%s), set_config('synchronous_commit', 'off', true)", [_TURN])
        (wall,) = cur.execute("SELECT clock_timestamp()").fetchall()[0]
        held = [parcel_id for (parcel_id,) in cur.execute(_HELD, [shops, wall]).fetchall()]
        asked = {"shops": shops, "now": now, "held": held, "until": wall + LEASE, "limit": limit}
        found = cur.execute(_TAKE, asked).fetchall()
    return sorted((Due(*row) for row in found), key=lambda due: (due.deadline, due.parcel_id))


def still_due(rows: Iterable[ToJudge], taken: Mapping[int, datetime]) -> list[ToJudge]:
    """Those whose deadline is the one that was taken: the others were judged by somebody else in between."""
    return [row for row in rows if row.next_deadline == taken.get(row.watched.parcel_id)]


def release(shop_id: int, lease_ids: Iterable[int]) -> None:
    """Give back what was taken, all of it being judged; inside the transaction that judged it."""
    ParcelLease.objects.filter(shop_id=shop_id, id__in=list(lease_ids)).delete()


def forget_leases(shop_ids: Sequence[int]) -> int:
    """Rows of sweeps that died with what they had taken: they keep nothing back any more. Returns how many."""
    with for_shops(shop_ids), cursor() as cur:
        over = "DELETE FROM parcels_parcellease WHERE shop_id = ANY (%s) AND until < clock_timestamp()"
        return cur.execute(over, [list(shop_ids)]).rowcount
