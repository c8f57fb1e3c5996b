"""Reading cases: today, the list, one case whole, search. Every query names its shops first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, F, Min, Q, Sum, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from bufa.apps.cases import facts as case_facts
from bufa.apps.cases.incident_views import OPEN_AS_JSON, IncidentRow, from_json
from bufa.apps.cases.lists import SHOP_ZONE, case_list, find, tailed
from bufa.apps.cases.models import Case, Remedy
from bufa.apps.cases.page import case_page
from bufa.apps.cases.rows import case_row, case_rows, findings_of
from bufa.apps.cases.shapes import (
    ApprovalRow,
    CaseFilters,
    CaseRow,
    MoneyNext,
    PastCase,
    RecipientHistory,
    StepCount,
    Today,
    Yesterday,
)
from bufa.apps.cases.weighing import items_of
from bufa.apps.orders import queries as orders_q
from bufa.apps.orders.views import order_view
from bufa.apps.parcels import money as parcel_money
from bufa.apps.parcels.models import Parcel
from bufa.domain import money_ahead
from bufa.domain.kinds import Step
from bufa.domain.measures import Items
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

__all__ = [
    "COUNTED",
    "CaseFilters",
    "case_by_code",
    "case_list",
    "case_page",
    "cases_by_code",
    "cases_by_id",
    "cases_of_parcels",
    "claims_of_recipient",
    "due_waits",
    "find",
    "findings_of",
    "involved",
    "mine",
    "of_orders",
    "remedy_effects",
    "reported_items",
    "silences_over",
    "step_counts",
    "tailed",
    "today",
    "unanswered",
    "waiting_approvals",
    "with_todo",
]

HISTORY_DAYS = 180
OPEN = ~Q(state="closed")


def today(shops: Sequence[int], now: datetime, operator_id: int | None = None, limit: int = 20) -> Today:
    """What needs doing today: the five steps, what will cost money next, my cases, and yesterday."""
    with reading(shops):
        steps = _steps(shops, now)
        money = _money_next(shops, now, limit)
        watched, open_findings, yesterday, incidents = _numbers(shops, now)
        ahead = parcel_money.ahead(shops, now)
        return Today(
            at=now,
            steps=steps,
            money=money,
            ahead=ahead,
            day=money_ahead.today(ahead, now),
            mine=mine(shops, operator_id, limit) if operator_id is not None else (),
            incidents=incidents,
            watched=watched,
            open_cases=sum(step.count for step in steps),
            open_findings=open_findings,
            yesterday=yesterday,
        )


# Before anything is joined: each shop's first ones from the index, however many cases somebody has.
_FIRST_OF = """
SELECT x.id FROM unnest(%s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL (
    SELECT t.id FROM cases_case t WHERE t.shop_id = s.shop_id AND t.owner_id = %s AND t.state <> 'closed'
    ORDER BY t.due_at, t.id LIMIT %s
) x
"""


def mine(shops: Sequence[int], operator_id: int, limit: int = 20) -> tuple[CaseRow, ...]:
    """Open cases of an operator, what is due first."""
    with reading(shops):
        few = RawSQL(_FIRST_OF, [f"{{{','.join(map(str, shops))}}}", operator_id, limit])  # noqa: S611 - our own text, values beside it
        rows = case_rows(shops).filter(OPEN, id__in=few)
        return tuple(case_row(row) for row in rows.order_by(F("due_at").asc(nulls_last=True), "id")[:limit])


def step_counts(shops: Sequence[int], now: datetime) -> tuple[StepCount, ...]:
    """Open cases by step, for the tabs of the list."""
    with reading(shops):
        return _steps(shops, now)


def _steps(shops: Sequence[int], now: datetime) -> tuple[StepCount, ...]:
    overdue = Count("id", filter=Q(due_at__lt=now))
    sums = (
        Case.objects.filter(OPEN, shop_id__in=shops)
        .values("step")
        .annotate(count=Count("id"), overdue=overdue, oldest=Min("due_at"), risk=Coalesce(Sum("risk_fen"), Value(0)))
    )
    found = {row["step"]: row for row in sums}
    return tuple(
        StepCount(step.value, row["count"], row["overdue"], row["oldest"], row["risk"])
        if (row := found.get(step.value))
        else StepCount(step.value, 0, 0, None, 0)
        for step in Step
    )


_MONEY = """
SELECT p.risk_at, p.shop_id, p.id, p.carrier, p.number, o.number, p.stage, p.place, p.risk_fen,
       COALESCE(c.code, ''), COALESCE(c.headline, ''), COALESCE(c.next_action, ''), p.cost_fen, p.risk_rule,
       p.risk_moved
FROM (
    SELECT x.* FROM unnest(%(shops)s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL (
        SELECT * FROM parcels_parcel t
        WHERE t.shop_id = s.shop_id AND t.risk_at > %(now)s AND t.risk_fen > 0 AND t.is_watched
        ORDER BY t.risk_at LIMIT %(limit)s
    ) x ORDER BY x.risk_at, x.id LIMIT %(limit)s
) p
JOIN orders_order o ON o.id = p.order_id AND o.shop_id = p.shop_id
LEFT JOIN cases_case c ON c.parcel_id = p.id AND c.shop_id = p.shop_id AND c.state <> 'closed'
ORDER BY p.risk_at, p.id
"""


def _money_next(shops: Sequence[int], now: datetime, limit: int) -> tuple[MoneyNext, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_MONEY, {"shops": list(shops), "now": now, "limit": limit})
        return tuple(replace(MoneyNext(*row[:-1]), moved=_parts(row[-1])) for row in cursor.fetchall())


def _parts(stored: str | None) -> tuple[dict[str, Any], ...]:
    return tuple(orjson.loads(stored)) if stored else ()


COUNTED = 10_000
"""Counts that nobody reads to the last digit stop here."""

# One round trip; each number still uses its own index.
_NUMBERS = """
SELECT
    (SELECT COUNT(*) FROM (SELECT 1 FROM parcels_parcel
     WHERE shop_id = ANY (%(shops)s) AND next_deadline IS NOT NULL LIMIT %(most)s) few),
    (SELECT COUNT(*) FROM (SELECT 1 FROM cases_finding
     WHERE shop_id = ANY (%(shops)s) AND state = 'open' LIMIT %(most)s) few),
    (SELECT COUNT(*) FROM cases_case
     WHERE shop_id = ANY (%(shops)s) AND opened_at >= %(since)s AND opened_at < %(day)s),
    (SELECT COUNT(*) FROM cases_case
     WHERE shop_id = ANY (%(shops)s) AND state = 'closed' AND closed_at >= %(since)s AND closed_at < %(day)s),
    (SELECT COUNT(*) FROM cases_case WHERE shop_id = ANY (%(shops)s) AND state = 'closed'
     AND closed_at >= %(since)s AND closed_at < %(day)s AND outcome = 'reissue_delivered'),
    (SELECT COALESCE(SUM(payout_fen), 0) FROM cases_finding WHERE shop_id = ANY (%(shops)s)
     AND payout_fen > 0 AND since >= %(since)s AND since < %(day)s AND state <> 'dismissed')
"""
_NUMBERS_AND_INCIDENTS = f"{_NUMBERS}, ({OPEN_AS_JSON})"


def _numbers(shops: Sequence[int], now: datetime) -> tuple[int, int, Yesterday, tuple[IncidentRow, ...]]:
    """Parcels with a clock that runs and open findings (`COUNTED` + 1 for more), the day before, and the largest
    incidents."""
    day = _day_start(now)
    since = day - timedelta(days=1)
    bounds: dict[str, Any] = {
        "shops": list(shops),
        "day": day,
        "since": since,
        "limit": 5,
        "most": COUNTED + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS_AND_INCIDENTS, bounds)
        ((*row, incidents),) = cursor.fetchall()
    watched, findings, opened, closed, delivered, payout = (int(number) for number in row)
    before = Yesterday(since.astimezone(SHOP_ZONE).date(), opened, closed, delivered, payout)
    return watched, findings, before, from_json(json.loads(incidents))


@remembered
def case_by_code(shops: Sequence[int], code: str) -> CaseRow | None:
    """One case as a row, or None when it is not these shops'."""
    with reading(shops):
        row = case_rows(shops).filter(code=code).first()
        return case_row(row) if row else None


def cases_by_code(shops: Sequence[int], codes: Sequence[str]) -> list[CaseRow]:
    """Cases by code, of all these shops."""
    with reading(shops):
        return [case_row(row) for row in case_rows(shops).filter(code__in=codes).order_by("id")]


@remembered
def cases_by_id(shops: Sequence[int], case_ids: Sequence[int]) -> dict[int, CaseRow]:
    """Cases by id."""
    with reading(shops):
        return {row.pk: case_row(row) for row in case_rows(shops).filter(id__in=case_ids)}


def cases_of_parcels(shops: Sequence[int], parcel_ids: Sequence[int]) -> dict[int, CaseRow]:
    """Parcel → its newest case, for the original parcels named."""
    with reading(shops):
        return {
            row.parcel_id: case_row(row) for row in case_rows(shops).filter(parcel_id__in=parcel_ids).order_by("id")
        }


def of_orders(shops: Sequence[int], order_ids: Sequence[int]) -> dict[int, CaseRow]:
    """Order → its newest case."""
    with reading(shops):
        rows = case_rows(shops).filter(order_id__in=order_ids).order_by("id")
        return {row.order_id: case_row(row) for row in rows}


def waiting_orders(shop_id: int) -> frozenset[int]:
    """Orders with an open case: their customers wait for news of every parcel of it."""
    with reading([shop_id]):
        rows = Case.objects.filter(shop_id=shop_id).exclude(state="closed")
        return frozenset(rows.values_list("order_id", flat=True))


def involved(shop_id: int, parcel_ids: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """Parcel → (its open case, is it the case's newest reissue), for original parcels and all reissues alike."""
    with reading([shop_id]):
        wanted = set(parcel_ids)
        orders = Parcel.objects.filter(shop_id=shop_id, id__in=wanted).values("order_id")
        found: dict[int, tuple[int, bool]] = {}
        rows = Case.objects.filter(OPEN, shop_id=shop_id, order_id__in=orders).order_by("id")
        for case_id, parcel_id, facts in rows.values_list("id", "parcel_id", "facts"):
            found[parcel_id] = (case_id, False)
            reissues = facts.get("reissue_parcels", [])
            for reissue in reissues:
                found[reissue] = (case_id, reissue == reissues[-1])
        return {parcel_id: one for parcel_id, one in found.items() if parcel_id in wanted}


def waiting_approvals(shops: Sequence[int], limit: int = 50) -> tuple[ApprovalRow, ...]:
    """Measures that wait for a second person, the oldest first."""
    with reading(shops):
        rows = Case.objects.filter(OPEN, shop_id__in=shops, approval_at__isnull=False).select_related("order")
        return tuple(
            ApprovalRow(
                shop_id=row.shop_id,
                code=row.code,
                order_number=row.order.number,
                measure=str(row.facts.get("approval_measure", "")),
                cost_fen=int(row.facts.get("approval_fen") or 0),
                by_id=row.facts.get("approval_by"),
                by=str(row.facts.get("approval_name", "")),
                at=row.approval_at,
            )
            for row in rows.order_by("approval_at", "id")[:limit]
            if row.approval_at is not None
        )


def claims_of_recipient(shop_id: int, order_id: int, now: datetime, days: int = HISTORY_DAYS) -> RecipientHistory:
    """What the same person or address had before: orders, cases, how they ended. Shown to people, read by no rule."""
    since = now - timedelta(days=days)
    with reading([shop_id]):
        others = orders_q.same_recipient(shop_id, order_id, since)
        rows = Case.objects.filter(shop_id=shop_id, order_id__in=list(others)).order_by("-opened_at", "-id")
        past = tuple(
            PastCase(
                code=row.code,
                order_number=others[row.order_id],
                opened_at=row.opened_at,
                claim=str(row.facts.get("claim") or row.verdict.get("claim", "")),
                measure=row.measure,
                outcome=row.outcome,
                is_open=row.state != "closed",
            )
            for row in rows[:20]
        )
        return RecipientHistory(days, len(others), past)


def remedy_effects(shop_id: int, case_id: int) -> list[int]:
    """Effects of what the case's measures do outside."""
    with reading([shop_id]):
        rows = Remedy.objects.filter(shop_id=shop_id, case_id=case_id, effect_id__isnull=False)
        return [effect_id for effect_id in rows.values_list("effect_id", flat=True) if effect_id]


@remembered
def reported_items(shop_id: int, case_id: int, now: datetime) -> Items:
    """Which items of the parcel were reported as damaged, missing or wrong: what a reissue has to hold; () for all."""
    with reading([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        order = order_view(shop_id, case.order_id)
        return items_of(case_facts.look_around(case, now), order) if order is not None else ()


def due_waits(shops: Sequence[int], now: datetime, limit: int = 200) -> list[tuple[int, int]]:
    """(shop, case) of cases whose waiting is over."""
    with reading(shops):
        rows = Case.objects.filter(
            shop_id__in=shops, state="waiting", next_action="wait_over", due_at__lte=now
        ).order_by("due_at", "id")
        return list(rows.values_list("shop_id", "id")[:limit])


def silences_over(shops: Sequence[int], now: datetime, limit: int = 200) -> list[tuple[int, int]]:
    """(shop, case) of cases whose customer has said nothing for as long as the shop waits."""
    with reading(shops):
        rows = Case.objects.filter(OPEN, shop_id__in=shops, next_action="silence_over", due_at__lte=now)
        return list(rows.order_by("due_at", "id").values_list("shop_id", "id")[:limit])


def unanswered(shops: Sequence[int], now: datetime, limit: int = 200) -> list[tuple[int, int]]:
    """(shop, case) of cases that waited for somebody else until a moment which has passed since they were looked at."""
    with reading(shops):
        rows = Case.objects.filter(OPEN, shop_id__in=shops, due_at__lte=now, changed_at__lt=F("due_at"))
        others = rows.exclude(waiting_for="shop").exclude(state="waiting")
        return list(others.order_by("due_at", "id").values_list("shop_id", "id")[:limit])


def with_todo(shops: Sequence[int], limit: int = 500) -> dict[int, list[int]]:
    """Shop → cases that asked other rooms for something which nobody has done yet."""
    with reading(shops):
        found: dict[int, list[int]] = {}
        rows = Case.objects.filter(~Q(todo=[]), shop_id__in=shops).order_by("id")
        for shop_id, case_id in rows.values_list("shop_id", "id")[:limit]:
            found.setdefault(shop_id, []).append(case_id)
        return found


def _day_start(now: datetime) -> datetime:
    return now.astimezone(SHOP_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
