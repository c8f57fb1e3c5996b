"""Money at risk as the pages and `bufa status` show it: the next steps of all clocks, counted by hour and rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bufa.domain.money_ahead import MoneyStep
from bufa.lib.db import cursor
from bufa.lib.tenancy import reading

AHEAD = timedelta(hours=48)

_STEPS = """
SELECT shop_id, MIN(risk_at), MAX(risk_at), risk_rule, COUNT(*),
       MIN(cost_fen), MAX(cost_fen), MIN(cost_fen + risk_fen), MAX(cost_fen + risk_fen), SUM(risk_fen)::bigint
FROM parcels_parcel
WHERE shop_id = ANY (%(shops)s) AND risk_at > %(now)s AND risk_at <= %(until)s AND risk_fen > 0 AND is_watched
GROUP BY shop_id, date_trunc('hour', risk_at), risk_rule
ORDER BY 2, 1, 4
"""


def ahead(shops: Sequence[int], now: datetime, until: datetime | None = None) -> tuple[MoneyStep, ...]:
    """The steps from `now` to `until` (48 hours on), in time order; one query."""
    with reading(shops), cursor() as cur:
        asked = {"shops": list(shops), "now": now, "until": until or now + AHEAD}
        return tuple(MoneyStep(*row) for row in cur.execute(_STEPS, asked).fetchall())
