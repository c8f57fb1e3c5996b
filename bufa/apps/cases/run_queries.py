"""Reading runs: what one act on many cases does, case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count

from bufa.apps.cases.models import CaseRun, CaseRunRow
from bufa.apps.cases.rows import case_row, why_from
from bufa.apps.cases.runs import words_of
from bufa.apps.cases.shapes import CaseRow
from bufa.domain.many import CAN_BE_UNDONE, ManyAct
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading

SHOWN = 200
"""Rows of a run on its page; the rest is counted."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One case of a run. `state`: ready, closed (cannot be done), waiting, done, failed, stopped, undone."""

    row: int
    case: CaseRow
    state: str
    why: Why | None
    before: Mapping[str, Any]
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run of one shop. `counts`: rows by state."""

    shop_id: int
    run_id: int
    key: str
    act: str
    params: Mapping[str, Any]
    words: str = field(repr=False)
    state: str = ""
    by: str = ""
    created_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[RunRow, ...] = ()

    @property
    def is_checked(self) -> bool:
        return self.state == "checked"

    @property
    def is_moving(self) -> bool:
        return self.state == "running"

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def count(self, *states: str) -> int:
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def can_undo(self) -> bool:
        return ManyAct(self.act) in CAN_BE_UNDONE and not self.is_moving and bool(self.counts.get("done"))


def by_key(shops: Sequence[int], key: str, *, with_rows: bool = True) -> tuple[Run, ...]:
    """The runs that were asked for together, a shop each, with their first rows unless told otherwise."""
    with reading(shops):
        runs = list(CaseRun.objects.filter(shop_id__in=shops, key=key).order_by("shop_id"))
        counts: dict[int, dict[str, int]] = {}
        ids = [run.pk for run in runs]
        for run_id, state, n in (
            CaseRunRow.objects.filter(shop_id__in=shops, run_id__in=ids)
            .values_list("run_id", "state")
            .annotate(n=Count("id"))
            .order_by()
        ):
            counts.setdefault(run_id, {})[state] = n
        rows: dict[int, list[RunRow]] = {}
        shown = CaseRunRow.objects.filter(shop_id__in=shops, run_id__in=ids).select_related(
            "case__order", "case__parcel", "case__owner"
        )
        for row in shown.order_by("run_id", "row")[: SHOWN * max(1, len(runs))] if with_rows else ():
            why = why_from(row.why) if row.why else None
            rows.setdefault(row.run_id, []).append(
                RunRow(row.row, case_row(row.case), row.state, why, row.before, row.done_at)
            )
        return tuple(
            Run(
                run.shop_id, run.pk, run.key, run.act, run.params, words_of(run), run.state, run.by, run.created_at,
                counts.get(run.pk, {}), tuple(rows.get(run.pk, ())),
            )
            for run in runs
        )  # fmt: skip


def running(shops: Sequence[int]) -> list[tuple[int, int]]:
    """(shop, run) of runs that are under way."""
    with reading(shops):
        rows = CaseRun.objects.filter(shop_id__in=shops, state="running").order_by("id")
        return list(rows.values_list("shop_id", "id"))
