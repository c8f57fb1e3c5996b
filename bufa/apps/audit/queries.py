"""Read a shop's audit chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bufa.apps.audit.models import AuditEntry
from bufa.lib.tenancy import for_shops


@dataclass(frozen=True, slots=True)
class Act:
    """One entry as pages show it."""

    shop_id: int
    seq: int
    at: datetime
    by: str
    action: str
    subject: str
    data: dict[str, Any]


def newest(shops: Sequence[int], *, subject: str = "", limit: int = 100) -> list[Act]:
    """The newest acts of these shops, newest first; with `subject`, only those about it."""
    with for_shops(shops):
        rows = AuditEntry.objects.filter(shop_id__in=shops)
        if subject:
            rows = rows.filter(subject=subject)
        return [
            Act(row.shop_id, row.seq, row.at, row.by, row.action, row.subject, row.data)
            for row in rows.order_by("-wall_at", "-seq")[:limit]
        ]


@dataclass(frozen=True, slots=True)
class News:
    """One entry that somebody who watches has not seen yet. `at`: real time."""

    shop_id: int
    seq: int
    by: str
    action: str
    subject: str
    at: datetime


def heads(shops: Sequence[int]) -> dict[int, int]:
    """The place of each shop's newest entry, 0 where there is none. One look into an index for each shop."""
    with for_shops(shops), connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, COALESCE((SELECT max(seq) FROM audit_auditentry a WHERE a.shop_id = s.id), 0)"
            " FROM unnest(%s::bigint[]) AS s(id)",
            [list(shops)],
        )
        return {int(shop): int(seq) for shop, seq in cursor.fetchall()}


def after(marks: Mapping[int, int], limit: int = 300) -> list[News]:
    """What was written behind these places (shop → seq), in each shop's order; places grow only when a transaction
    has ended, and a shop has one writer, so that nothing is ever added behind a place that was read."""
    if not marks:
        return []
    with for_shops(marks), connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.shop_id, a.seq, a.by, a.action, a.subject, a.wall_at"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS m(shop, seq)"
            " JOIN audit_auditentry a ON a.shop_id = m.shop AND a.seq > m.seq ORDER BY a.shop_id, a.seq LIMIT %s",
            [list(marks), list(marks.values()), limit],
        )
        return [News(*row) for row in cursor.fetchall()]
