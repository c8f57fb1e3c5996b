"""What there is, counted, and what must never be: the same numbers for a person, a script and a test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from bufa.apps.cases import queries as cases
from bufa.apps.parcels import asking, money
from bufa.apps.shops import queries as shops
from bufa.domain import money_ahead
from bufa.lib import clock
from bufa.lib.tenancy import for_shops

_BY: dict[str, str] = {
    "orders": "SELECT source, count(*) FROM orders_order WHERE shop_id = ANY(%s) GROUP BY 1",
    "parcels": "SELECT stage, count(*) FROM parcels_parcel WHERE shop_id = ANY(%s) GROUP BY 1",
    "parcels_by_role": "SELECT role, count(*) FROM parcels_parcel WHERE shop_id = ANY(%s) GROUP BY 1",
    "scans": "SELECT kind, count(*) FROM parcels_scan WHERE shop_id = ANY(%s) GROUP BY 1",
    "subscriptions": "SELECT state, count(*) FROM parcels_subscription WHERE shop_id = ANY(%s) GROUP BY 1",
    "inbox": "SELECT state, count(*) FROM inbox_message WHERE shop_id = ANY(%s) GROUP BY 1",
    "findings": "SELECT state || '.' || certainty, count(*) FROM cases_finding WHERE shop_id = ANY(%s) GROUP BY 1",
    "cases": "SELECT state, count(*) FROM cases_case WHERE shop_id = ANY(%s) GROUP BY 1",
    "cases_by_step": "SELECT step, count(*) FROM cases_case WHERE state <> 'closed' AND shop_id = ANY(%s) GROUP BY 1",
    "effects": "SELECT kind || '.' || state, count(*) FROM effects_effect WHERE shop_id = ANY(%s) GROUP BY 1",
    "reissues": "SELECT state, count(*) FROM reissues_reissue WHERE shop_id = ANY(%s) GROUP BY 1",
    "notices": "SELECT channel || '.' || state, count(*) FROM notices_notice WHERE shop_id = ANY(%s) GROUP BY 1",
}

INVARIANTS: dict[str, str] = {
    "one_open_case_per_parcel": (
        "SELECT parcel_id FROM cases_case WHERE state <> 'closed' AND shop_id = ANY(%s)"
        " GROUP BY parcel_id HAVING count(*) > 1"
    ),
    "accepted_effect_has_an_attempt_or_a_person": (
        "SELECT e.id FROM effects_effect e WHERE e.state = 'accepted' AND e.shop_id = ANY(%s)"
        " AND NOT EXISTS (SELECT 1 FROM effects_attempt a WHERE a.effect_id = e.id)"
    ),
    "accepted_reissue_has_its_parcel": (
        "SELECT id FROM reissues_reissue WHERE state IN ('accepted', 'delivered', 'wrong') AND parcel_id IS NULL"
        " AND shop_id = ANY(%s)"
    ),
    "submitting_reissue_has_its_effect": (
        "SELECT id FROM reissues_reissue WHERE state IN ('submitting', 'unknown') AND effect_id IS NULL"
        " AND route <> 'copy_pack' AND shop_id = ANY(%s)"
    ),
    "a_waybill_is_submitted_once": (
        "SELECT carrier || ':' || number FROM reissues_reissue WHERE number <> ''"
        " AND state NOT IN ('draft', 'rejected', 'cancelled') AND shop_id = ANY(%s)"
        " GROUP BY 1 HAVING count(*) > 1"
    ),
    "closed_case_has_no_live_reissue": (
        "SELECT c.id FROM cases_case c JOIN reissues_reissue r ON r.case_id = c.id"
        " WHERE c.state = 'closed' AND r.state IN ('submitting', 'unknown') AND c.shop_id = ANY(%s)"
    ),
    "open_finding_has_a_watched_parcel": (
        "SELECT f.id FROM cases_finding f JOIN orders_order o ON o.id = (SELECT order_id FROM parcels_parcel"
        " WHERE id = f.parcel_id) WHERE f.state = 'open' AND o.is_closed AND f.shop_id = ANY(%s)"
    ),
    "a_message_is_told_once": (
        "SELECT case_id || ':' || purpose || ':' || round FROM notices_notice"
        " WHERE state IN ('sent', 'delivered', 'unknown', 'queued', 'sending') AND shop_id = ANY(%s)"
        " GROUP BY case_id, purpose, recipient, round HAVING count(*) > 1"
    ),
    "a_day_costs_what_its_messages_cost": (
        "SELECT s.id FROM notices_spending s WHERE s.shop_id = ANY(%s) AND s.cost_li - s.tests_li <>"
        " (SELECT COALESCE(SUM(n.cost_li), 0) FROM notices_notice n WHERE n.shop_id = s.shop_id AND n.day = s.day)"
    ),
    "queued_notice_has_its_effect": (
        "SELECT id FROM notices_notice WHERE state IN ('queued', 'sending', 'unknown') AND channel <> 'phone'"
        " AND effect_id IS NULL AND shop_id = ANY(%s)"
    ),
}
"""Name → query of the rows that break it. An empty answer is the only good one."""


def status(wanted: Sequence[int] | None = None) -> dict[str, Any]:
    """Counts by state over the shops named (None: all), and `violations`: broken invariants with up to ten ids."""
    ids = list(wanted) if wanted is not None else shops.all_shop_ids()
    now = clock.now()
    report: dict[str, Any] = {"now": now.isoformat(), "shops": len(ids)}
    with for_shops(ids), connection.cursor() as cursor:
        for name, query in _BY.items():
            cursor.execute(query, [ids])
            report[name] = dict(sorted(cursor.fetchall()))
        report["unmapped_scans"] = report["scans"].get("unmapped", 0)
        report["totals"] = {name: sum(report[name].values()) for name in ("orders", "parcels", "scans", "cases")}
        report["money"] = [_money(shop_id, now) for shop_id in ids]
        report["asking"] = [told for shop_id in ids if (told := _asking(shop_id, now))]
        report["violations"] = _violations(cursor, ids)
    return report


def _money(shop_id: int, now: datetime) -> dict[str, Any]:
    """What a shop's day still costs if nothing is done, and the next steps of its clocks; fen, times of the shop."""
    steps = money.ahead([shop_id], now)
    day = money_ahead.today(steps, now)
    return {
        "shop": shop_id,
        "day": now.astimezone(money_ahead.SHOP_ZONE).date().isoformat(),
        "at_risk_fen": day.fen,
        "parcels": day.parcels,
        "by": _local(day.by) if day.by else None,
        "next": [
            {
                "at": _local(one.at),
                "hours_left": round((one.at - now).total_seconds() / 3600, 2),
                "rule": one.rule,
                "parcels": one.parcels,
                "each_before_fen": [one.before_min, one.before_max],
                "each_after_fen": [one.after_min, one.after_max],
                "more_fen": one.more_fen,
            }
            for one in steps
        ],
    }


def _asking(shop_id: int, now: datetime) -> dict[str, Any] | None:
    """The plan of questions to a shop's tracking provider; None where nothing is asked by plan."""
    plan = asking.plan(shop_id, now, cases.waiting_orders(shop_id), limit=10)
    if not plan.how.per_hour:
        return None
    return {
        "shop": shop_id,
        "provider": plan.how.kind,
        "pushes": plan.how.pushes,
        "per_hour": plan.how.per_hour,
        "spent": plan.spent,
        "parcels": plan.wanting,
        "paused_until": _local(plan.paused_until) if plan.paused_until else None,
        "paused_by": plan.paused_by,
        "next": [
            {
                "parcel": one.turn.parcel_id,
                "number": one.number,
                "at": _local(one.turn.at),
                "why": one.turn.why.value,
                "deadline": _local(one.turn.deadline) if one.turn.deadline else None,
            }
            for one in plan.coming
        ],
    }


def _local(at: datetime) -> str:
    return at.astimezone(money_ahead.SHOP_ZONE).isoformat()


def _violations(cursor: Any, ids: list[int]) -> list[dict[str, Any]]:
    found = []
    for name, query in INVARIANTS.items():
        cursor.execute(query, [ids])
        if rows := cursor.fetchall():
            found.append({"invariant": name, "rows": len(rows), "first": [str(row[0]) for row in rows[:10]]})
    return found
