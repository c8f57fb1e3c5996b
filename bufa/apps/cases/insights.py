"""What became of things between two days: read within bounds, however long the past is.

Each shop gives at most its part of `MOST` rows, the newest; where that was not all, `is_cut` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from bufa.apps.cases.lists import SHOP_ZONE
from bufa.apps.cases.models import TimelineEntry
from bufa.domain import insights
from bufa.lib.tenancy import reading

MOST = 10_000
LONGEST = timedelta(days=92)
TIMELINES = 2_000
"""Cases whose waiting is split by party, the newest closed."""

BRANCHES = 12


@dataclass(frozen=True, slots=True)
class Group:
    """A carrier or a branch: its cases, those closed, how long they took (median), how many were lost or damaged."""

    key: str
    carrier: str
    cases: int
    closed: int
    took: timedelta | None
    lost: int
    damaged: int
    cost_fen: int


@dataclass(frozen=True, slots=True)
class RuleSum:
    rule: str
    findings: int
    dismissed: int
    payout_fen: int


@dataclass(frozen=True, slots=True)
class DaySum:
    """A day: cases opened and closed, what breaches cost, what carriers paid."""

    day: date
    opened: int
    closed: int
    lost_fen: int
    saved_fen: int


@dataclass(frozen=True, slots=True)
class Insights:
    """`took`: the median from the first missed clock to the goods in hand (or the money paid) of the `whole` cases."""

    first: date
    last: date
    opened: int
    closed: int
    whole: int
    took: timedelta | None
    waits: Mapping[str, timedelta]
    waits_of: int
    rules: tuple[RuleSum, ...]
    days: tuple[DaySum, ...]
    carriers: tuple[Group, ...]
    branches: tuple[Group, ...]
    is_cut: bool

    @property
    def lost_fen(self) -> int:
        return sum(day.lost_fen for day in self.days)

    @property
    def saved_fen(self) -> int:
        return sum(day.saved_fen for day in self.days)


_CASES = """
SELECT x.id, x.opened_at, x.closed_at, x.outcome, x.headline, x.claim, p.carrier, p.place, p.cost_fen,
       LEAST(x.opened_at, x.missed_at), LEAST(x.closed_at, x.signed_at)
FROM unnest(%(shops)s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL (
    SELECT t.id, t.shop_id, t.parcel_id, t.opened_at, t.closed_at, t.outcome, t.headline,
           COALESCE(t.facts ->> 'claim', t.verdict ->> 'claim', '') AS claim,
           (t.facts ->> 'signed_at')::timestamptz AS signed_at,
           (SELECT MIN(f.since) FROM cases_finding f WHERE f.shop_id = t.shop_id AND f.case_id = t.id
            AND f.state <> 'dismissed') AS missed_at
    FROM cases_case t
    WHERE t.shop_id = s.shop_id AND t.opened_at >= %(since)s AND t.opened_at < %(until)s
    ORDER BY t.opened_at DESC LIMIT %(each)s
) x JOIN parcels_parcel p ON p.id = x.parcel_id AND p.shop_id = x.shop_id
"""

_RULES = """
SELECT x.rule, (x.since AT TIME ZONE 'Asia/Shanghai')::date, COUNT(*), COUNT(*) FILTER (WHERE x.state = 'dismissed'),
       COALESCE(SUM(x.payout_fen) FILTER (WHERE x.state <> 'dismissed'), 0)::bigint
FROM unnest(%(shops)s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL (
    SELECT t.rule, t.since, t.state, t.payout_fen FROM cases_finding t
    WHERE t.shop_id = s.shop_id AND t.since >= %(since)s AND t.since < %(until)s
    ORDER BY t.since DESC LIMIT %(each)s
) x GROUP BY 1, 2
"""


def read(shops: Sequence[int], first: date, last: date, saved: Mapping[date, int] | None = None) -> Insights:
    """All of it, for the shop days from `first` to `last`; `saved`: what carriers paid, by day. Three queries."""
    bounds = _bounds(shops, first, last)
    with reading(shops):
        with connection.cursor() as cursor:
            cursor.execute(_CASES, bounds)
            cases = cursor.fetchall()
            cursor.execute(_RULES, bounds)
            found = cursor.fetchall()
        ended = ((row[0], row[9], row[10]) for row in cases if row[2] is not None)
        closed = sorted(ended, key=lambda one: (one[2], one[0]), reverse=True)[:TIMELINES]
        waits = _waits(shops, closed)
    whole = [row for row in cases if row[2] is not None and row[3] not in ("dismissed", "")]
    return Insights(
        first=first,
        last=last,
        opened=len(cases),
        closed=sum(row[2] is not None for row in cases),
        whole=len(whole),
        took=insights.middle([row[10] - row[9] for row in whole]),
        waits=waits,
        waits_of=len(closed),
        rules=_rules(found),
        days=_days(first, last, cases, found, saved or {}),
        carriers=_groups(cases, lambda row: (row[6], row[6])),
        branches=_groups([row for row in cases if row[7]], lambda row: (row[7], row[6]))[:BRANCHES],
        is_cut=len(cases) >= bounds["each"] or sum(row[2] for row in found) >= bounds["each"],
    )


def instants(first: date, last: date) -> tuple[datetime, datetime]:
    """From the beginning of the first shop day to the end of the last, as `read` takes them."""
    bounds = _bounds([0], first, last)
    return bounds["since"], bounds["until"]


def _bounds(shops: Sequence[int], first: date, last: date) -> dict[str, Any]:
    last = min(last, first + LONGEST)
    return {
        "shops": list(shops),
        "since": datetime.combine(first, time(), SHOP_ZONE),
        "until": datetime.combine(last + timedelta(days=1), time(), SHOP_ZONE),
        "each": max(200, MOST // max(1, len(shops))),
    }


def _waits(shops: Sequence[int], closed: Sequence[tuple[int, datetime, datetime]]) -> dict[str, timedelta]:
    """The mean wait for each party, over the cases given."""
    lines: dict[int, list[tuple[str, datetime]]] = {}
    rows = TimelineEntry.objects.filter(shop_id__in=shops, case_id__in=[case_id for case_id, _, _ in closed])
    for case_id, kind, at in rows.values_list("case_id", "kind", "at"):
        lines.setdefault(case_id, []).append((kind, at))
    spans = [insights.waits(opened, ended, lines.get(case_id, ())) for case_id, opened, ended in closed]
    return {party: insights.mean([span[party] for span in spans]) or timedelta() for party in insights.PARTIES}


def _rules(found: Sequence[tuple[Any, ...]]) -> tuple[RuleSum, ...]:
    sums: dict[str, list[int]] = {}
    for rule, _, count, dismissed, payout in found:
        total = sums.setdefault(rule, [0, 0, 0])
        for at, value in enumerate((count, dismissed, payout)):
            total[at] += value
    made = [RuleSum(rule, *total) for rule, total in sums.items()]
    return tuple(sorted(made, key=lambda one: (-one.findings, one.rule)))


def _days(
    first: date,
    last: date,
    cases: Sequence[tuple[Any, ...]],
    found: Sequence[tuple[Any, ...]],
    saved: Mapping[date, int],
) -> tuple[DaySum, ...]:
    opened: dict[date, int] = {}
    closed: dict[date, int] = {}
    lost: dict[date, int] = {}
    for row in cases:
        day = row[1].astimezone(SHOP_ZONE).date()
        opened[day] = opened.get(day, 0) + 1
        if row[2] is not None:
            ended = row[2].astimezone(SHOP_ZONE).date()
            closed[ended] = closed.get(ended, 0) + 1
    for _, day, _, _, payout in found:
        lost[day] = lost.get(day, 0) + payout
    span = (min(last, first + LONGEST) - first).days + 1
    days = [first + timedelta(days=at) for at in range(span)]
    return tuple(
        DaySum(day, opened.get(day, 0), closed.get(day, 0), lost.get(day, 0), saved.get(day, 0)) for day in days
    )


def _groups(cases: Sequence[tuple[Any, ...]], key: Any) -> tuple[Group, ...]:
    grouped: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in cases:
        grouped.setdefault(key(row), []).append(row)
    made = []
    for (name, carrier), rows in grouped.items():
        ended = [row for row in rows if row[2] is not None]
        took = insights.middle([row[10] - row[9] for row in ended if row[3] != "dismissed"])
        lost = sum(row[5] == "lost" for row in rows)
        damaged = sum(row[5] == "damaged" for row in rows)
        cost = sum(row[8] or 0 for row in rows)
        made.append(Group(name, carrier, len(rows), len(ended), took, lost, damaged, cost))
    return tuple(sorted(made, key=lambda one: (-one.cases, one.key)))
