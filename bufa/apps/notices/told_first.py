"""Who spoke first: we, or the customer. Read within bounds, as all insights are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from bufa.lib.tenancy import reading

MOST = 10_000

_FIRST = """
SELECT COUNT(*) FILTER (WHERE told IS NOT NULL AND (asked IS NULL OR told <= asked)),
       COUNT(*) FILTER (WHERE told IS NOT NULL OR asked IS NOT NULL)
FROM unnest(%(shops)s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL (
    SELECT (SELECT MIN(n.sent_at) FROM notices_notice n WHERE n.shop_id = t.shop_id AND n.case_id = t.id
            AND n.state IN ('sent', 'delivered', 'done')) AS told,
           LEAST((SELECT MIN(w.said_at) FROM cases_statement w WHERE w.shop_id = t.shop_id AND w.case_id = t.id
                  AND w.source = 'customer'),
                 (SELECT MIN(a.applied_at) FROM orders_aftersale a WHERE a.shop_id = t.shop_id
                  AND a.order_id = t.order_id)) AS asked
    FROM (SELECT id, shop_id, order_id FROM cases_case WHERE shop_id = s.shop_id AND opened_at >= %(since)s
          AND opened_at < %(until)s ORDER BY opened_at DESC LIMIT %(each)s) t
) x
"""


@dataclass(frozen=True, slots=True)
class ToldFirst:
    """Of the cases in which anybody said anything, how many began with us."""

    told_first: int
    spoken: int

    @property
    def share(self) -> float | None:
        return self.told_first / self.spoken if self.spoken else None


def read(shops: Sequence[int], since: datetime, until: datetime) -> ToldFirst:
    """Cases opened between two instants; of each shop the newest part of `MOST`."""
    with reading(shops), connection.cursor() as cursor:
        each = max(200, MOST // max(1, len(shops)))
        cursor.execute(_FIRST, {"shops": list(shops), "since": since, "until": until, "each": each})
        first, spoken = cursor.fetchone()
    return ToldFirst(first, spoken)
