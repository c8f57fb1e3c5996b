"""What carriers lose, break and pay, by carrier, branch and route: counted over each shop's newest parcels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from bufa.domain.scorecards import Key, Level, key_of
from bufa.lib.tenancy import reading

MOST = 20_000
"""Parcels of a shop, the newest: what a page can count while somebody waits."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one carrier, branch or route: parcels that it had, those lost and damaged, and the money of their claims."""

    parcels: int = 0
    lost: int = 0
    damaged: int = 0
    claims: int = 0
    asked_fen: int = 0
    paid_fen: int = 0

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            self.parcels + other.parcels, self.lost + other.lost, self.damaged + other.damaged,
            self.claims + other.claims, self.asked_fen + other.asked_fen, self.paid_fen + other.paid_fen,
        )  # fmt: skip


_COUNT = """
SELECT p.carrier, p.place, p.origin_province, p.dest_province, COUNT(*),
       COUNT(*) FILTER (WHERE c.claim = 'lost'),
       COUNT(*) FILTER (WHERE c.claim IN ('damaged', 'wrong_or_short', 'short', 'wrong', 'empty')),
       COUNT(m.id) FILTER (WHERE m.asked_fen > 0), COALESCE(SUM(m.asked_fen), 0)::bigint,
       COALESCE(SUM(m.paid_fen), 0)::bigint
FROM unnest(%(shops)s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL (
    SELECT t.id, t.shop_id, t.carrier, t.place, t.origin_province, t.dest_province
    FROM parcels_parcel t WHERE t.shop_id = s.shop_id ORDER BY t.id DESC LIMIT %(most)s
) p
LEFT JOIN LATERAL (
    SELECT COALESCE(t.facts ->> 'claim', t.verdict ->> 'claim', '') AS claim
    FROM cases_case t WHERE t.shop_id = p.shop_id AND t.parcel_id = p.id ORDER BY t.id DESC LIMIT 1
) c ON true
LEFT JOIN claims_claim m ON m.parcel_id = p.id AND m.shop_id = p.shop_id
WHERE p.carrier <> ''
GROUP BY 1, 2, 3, 4
"""


def losses(shops: Sequence[int]) -> dict[Level, dict[Key, Losses]]:
    """All three levels at once; one query."""
    found: dict[Level, dict[Key, Losses]] = {level: {} for level in Level}
    with reading(shops), connection.cursor() as cursor:
        cursor.execute(_COUNT, {"shops": list(shops), "most": MOST})
        for carrier, place, origin, destination, *numbers in cursor.fetchall():
            for level in Level:
                key = key_of(level, carrier, place, origin, destination)
                if key is not None:
                    found[level][key] = found[level].get(key, Losses()) + Losses(*map(int, numbers))
    return found
