"""What is wanted outside and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from bufa.apps.effects.actions import read_intent
from bufa.apps.effects.models import Attempt, Effect, EffectState, Pace
from bufa.domain.effects import DENIED_FOR, GRACE
from bufa.lib import clock
from bufa.lib.keyset import starts
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class AttemptView:
    number: int
    request_id: str
    started_at: datetime
    finished_at: datetime | None
    result: str
    error: dict[str, Any]
    request: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EffectView:
    """One change outside as people see it: state, tries, what the other side said. No buyer data.

    `can_cancel_until` is real time: None once it left or was settled.
    """

    shop_id: int
    effect_id: int
    kind: str
    subject: str
    state: str
    attempt: int
    needs_person: bool
    error: dict[str, Any]
    outcome: dict[str, Any]
    asked_by: str
    asked_at: datetime
    settled_at: datetime | None
    settled_by: str
    next_at: datetime | None
    reads: int
    attempts: tuple[AttemptView, ...] = ()
    looks: tuple[dict[str, Any], ...] = ()

    @property
    def can_cancel(self) -> bool:
        return self.state == EffectState.READY and self.attempt == 0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An unknown effect with all that a read-back needs. `intent` is plain."""

    shop_id: int
    effect_id: int
    kind: str
    subject: str
    attempt: int
    asked_at: datetime
    intent: dict[str, Any] = field(repr=False)


_DUE_READY = """
SELECT shop_id, array_agg(id ORDER BY id)
FROM (
    SELECT e.shop_id, e.id
    FROM effects_effect e
    WHERE e.shop_id = ANY (%(shops)s) AND e.state = 'ready' AND (e.next_at IS NULL OR e.next_at <= clock_timestamp())
      AND NOT EXISTS (SELECT 1 FROM shops_shop s WHERE s.id = e.shop_id AND s.outbound_paused_at IS NOT NULL)
      AND (e.lane = '' OR NOT EXISTS (
          SELECT 1 FROM effects_effect o
          WHERE o.shop_id = e.shop_id AND o.lane = e.lane AND o.id <> e.id
            AND (o.state IN ('sending', 'unknown') OR (o.state = 'ready' AND o.id < e.id))))
    ORDER BY e.next_at NULLS FIRST, e.id
    LIMIT %(limit)s
) due
GROUP BY shop_id
"""

_DUE_READS = """
SELECT shop_id, array_agg(id ORDER BY id)
FROM (
    SELECT shop_id, id
    FROM effects_effect
    WHERE shop_id = ANY (%(shops)s) AND state = 'unknown' AND next_at <= clock_timestamp()
    ORDER BY next_at
    LIMIT %(limit)s
) due
GROUP BY shop_id
"""


def due_ready(shops: Sequence[int], limit: int = 200) -> dict[int, list[int]]:
    """Shop → effects that may be sent now, oldest first, at most one per lane."""
    return _by_shop(_DUE_READY, shops, limit)


def due_reads(shops: Sequence[int], limit: int = 200) -> dict[int, list[int]]:
    """Shop → unknown effects whose next read-back is due."""
    return _by_shop(_DUE_READS, shops, limit)


def with_lost_workers(shops: Sequence[int], real: datetime) -> list[int]:
    """Shops with an effect whose sender has not come back in time."""
    with reading(shops):
        lost = Effect.objects.filter(shop_id__in=shops, state="sending", lease_until__lt=real - GRACE)
        return sorted(lost.values_list("shop_id", flat=True).distinct())


def _by_shop(sql: str, shops: Sequence[int], limit: int) -> dict[int, list[int]]:
    with reading(shops), connection.cursor() as cursor:
        cursor.execute(sql, {"shops": list(shops), "limit": limit})
        return {shop_id: list(ids) for shop_id, ids in cursor.fetchall()}


def unsettled(shop_id: int, effect_ids: Sequence[int]) -> list[Unsettled]:
    """Those of the effects named that are unknown, with their plain intent."""
    with reading([shop_id]):
        rows = Effect.objects.filter(shop_id=shop_id, id__in=effect_ids, state=EffectState.UNKNOWN).order_by("id")
        return [
            Unsettled(
                shop_id=shop_id,
                effect_id=row.pk,
                kind=row.kind,
                subject=row.subject,
                attempt=row.attempt,
                asked_at=row.asked_at,
                intent=read_intent(shop_id, row.key, row.intent),
            )
            for row in rows
        ]


def by_id(shops: Sequence[int], effect_ids: Sequence[int]) -> dict[int, EffectView]:
    """The effects named, with their attempts."""
    wanted = [effect_id for effect_id in effect_ids if effect_id]
    if not wanted:
        return {}
    with reading(shops):
        attempts: dict[int, list[AttemptView]] = {}
        tries = Attempt.objects.filter(shop_id__in=shops, effect_id__in=wanted).order_by("effect_id", "number")
        for row in tries.defer("answer"):
            attempts.setdefault(row.effect_id, []).append(
                AttemptView(
                    number=row.number,
                    request_id=row.request_id,
                    started_at=row.started_at,
                    finished_at=row.finished_at,
                    result=row.result,
                    error=row.error,
                    request=row.request,
                )
            )
        rows = Effect.objects.filter(shop_id__in=shops, id__in=wanted).defer("intent").order_by("id")
        return {row.pk: _view(row, tuple(attempts.get(row.pk, ()))) for row in rows}


def of_subjects(shop_id: int, subjects: Sequence[str]) -> dict[str, EffectView]:
    """The newest effect of each subject that has one."""
    with reading([shop_id]):
        newest = dict(
            Effect.objects.filter(shop_id=shop_id, subject__in=subjects).order_by("id").values_list("subject", "id")
        )
    return {view.subject: view for view in by_id([shop_id], sorted(newest.values())).values()}


@remembered
def denied(shop_id: int) -> frozenset[str]:
    """Kinds of change that the platform has not granted this shop's app, as far as it said so lately."""
    with reading([shop_id]):
        # To the minute, so that a page which asks twice asks the same question.
        since = clock.real_now().replace(second=0, microsecond=0) - DENIED_FOR
        return frozenset(Pace.objects.filter(shop_id=shop_id, denied_at__gte=since).values_list("kind", flat=True))


def waiting_for_a_person(shops: Sequence[int], limit: int = 50) -> list[EffectView]:
    """Effects that only a person can settle, oldest first."""
    with reading(shops):
        rows = Effect.objects.filter(shop_id__in=shops, needs_person=True).defer("intent").order_by("id")[:limit]
        return [_view(row, ()) for row in rows]


def _view(row: Effect, attempts: tuple[AttemptView, ...]) -> EffectView:
    return EffectView(
        shop_id=row.shop_id,
        effect_id=row.pk,
        kind=row.kind,
        subject=row.subject,
        state=row.state,
        attempt=row.attempt,
        needs_person=row.needs_person,
        error=row.error,
        outcome=row.outcome,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        next_at=row.next_at,
        reads=row.reads,
        attempts=attempts,
        looks=tuple(row.looks),
    )


def ids_of(shop_id: int, key_start: str) -> tuple[int, ...]:
    """The effects whose keys begin so, oldest first: what one press came to."""
    with reading([shop_id]):
        rows = Effect.objects.filter(starts("key", key_start), shop_id=shop_id).order_by("id")
        return tuple(rows.values_list("id", flat=True))
