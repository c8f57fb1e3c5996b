"""How long it takes to group a shop's open findings into incidents, and whether ten times as many take ten times that.

A carrier's bad week: findings at hubs, at branches and on lanes, over ten days. The first round opens all incidents; a
round that finds nothing new is what the sweep does every few minutes, and what is held against the goal.
"""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median
from typing import Any

from bufa.apps.cases import incidents
from bufa.bench import Figure, ground, superuser, traffic

FINDINGS = 100_000
SHARE_OF_FEW = 10
ROUNDS = 3
GOAL = 1.5  # they are sorted once, and memory that is no longer near costs more
NOW = traffic.SHIPPED_AT + timedelta(days=11)

_SCANS = """
INSERT INTO parcels_scan (shop_id, parcel_id, scanned_at, minute, received_at, kind, reason, place, text, digest,
                          provider, code, fineness, platform_hub)
SELECT shop_id, id, %(at)s, %(at)s, %(at)s, 'arrived_hub', '', '',
       CASE n %% 10 WHEN 0 THEN '快件已离开' ELSE
           '快件已到达【'
           || CASE WHEN n %% 10 < 5 THEN 'H' || n %% 97 || '转运中心' ELSE 'B' || n %% 1999 || '网点' END || '】'
       END, 'd' || n, 'kuaidi100', '', 1, false
FROM (SELECT shop_id, id, row_number() OVER (ORDER BY id) AS n FROM parcels_parcel WHERE shop_id = %(shop)s) AS p
"""
_FINDINGS = """
INSERT INTO cases_finding (shop_id, parcel_id, rule, certainty, state, since, found_at, evidence, payout_fen,
                           dismissed_by, dismissed_why, snoozed_by, snoozed_why)
SELECT shop_id, id, CASE n %% 3 WHEN 0 THEN 'delivery_stalled' ELSE 'transit_timeout' END, 'confirmed', 'open',
       %(at)s::timestamptz + n %% 240 * interval '1 h', %(at)s::timestamptz + n %% 240 * interval '1 h', '{}', 300,
       '', '', '', ''
FROM (SELECT shop_id, id, row_number() OVER (ORDER BY id) AS n FROM parcels_parcel WHERE shop_id = %(shop)s) AS p
"""


def measure(scale: float) -> Figure:
    """Time a finding with all of them over that with a tenth; the seconds stand beside."""
    many = max(500, round(FINDINGS * scale))
    few = max(50, many // SHARE_OF_FEW)
    small, large = ground.make_shops(2)
    _fill(small, few, first=0)
    _fill(large, many, first=few)
    opened = {shop_id: _round(shop_id) for shop_id in (small, large)}
    again: dict[int, list[float]] = {small: [], large: []}
    for _ in range(ROUNDS):
        for shop_id, took in again.items():
            took.append(_round(shop_id)[0])
    seconds = {shop_id: median(took) for shop_id, took in again.items()}
    return Figure(
        (seconds[large] / many) / (seconds[small] / few),
        "times",
        GOAL,
        less_is_better=True,
        beside={
            "findings": many,
            "of_few": few,
            "incidents": opened[large][1].opened,
            "parcels_in_them": opened[large][1].joined,
            "seconds_a_round": {str(few): round(seconds[small], 3), str(many): round(seconds[large], 3)},
            "seconds_per_100_000": round(seconds[large] / many * 100_000, 2),
            "first_round_s": {str(few): round(opened[small][0], 3), str(many): round(opened[large][0], 3)},
        },
        holds=opened[large][1].opened > 0,
    )


def _round(shop_id: int) -> tuple[float, Any]:
    begun = time.perf_counter()
    done = incidents.regroup(shop_id=shop_id, now=NOW)
    return time.perf_counter() - begun, done


def _fill(shop_id: int, count: int, *, first: int) -> None:
    ground.make_parcels([shop_id], count, first=first)
    at = traffic.SHIPPED_AT + timedelta(hours=12)
    with superuser() as rows:
        rows.execute(_SCANS, {"shop": shop_id, "at": at})
        rows.execute(_FINDINGS, {"shop": shop_id, "at": at})
        rows.execute("UPDATE parcels_parcel SET last_scan_at = %s WHERE shop_id = %s", [at, shop_id])
        rows.execute("VACUUM ANALYZE parcels_parcel, parcels_scan, cases_finding")
