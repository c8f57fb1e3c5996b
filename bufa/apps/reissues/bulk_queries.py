"""Reading runs of many reissues: what was found, what goes on now, and what came of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from bufa.apps.effects import queries as effects
from bufa.apps.effects.actions import real_now
from bufa.apps.effects.queries import EffectView
from bufa.apps.reissues.models import BulkRow, BulkRun
from bufa.domain.bulk import RowState, RunState
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading

GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "pass": ("pass",),
    "cannot_tell": ("cannot_tell",),
    "punished_later": ("punished_later",),
    "refused": ("refused",),
}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its counts. `results`: result → rows, see `RowView.result`; `verdicts`: what the gate said before;
    `asking`: rows of which the platform has not said yet whether their carrier goes there."""

    shop_id: int
    run_id: int
    name: str
    state: str
    by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    override_reason: str
    rows: int
    states: Mapping[str, int]
    verdicts: Mapping[str, int]
    results: Mapping[str, int]
    chosen_punished: int
    asking: int

    @property
    def is_checked(self) -> bool:
        return self.state == RunState.CHECKED

    @property
    def chosen(self) -> int:
        return self.states.get(RowState.READY, 0)

    @property
    def taking_part(self) -> int:
        return sum(self.states.get(each, 0) for each in ("waiting", "submitted", "failed", "stopped"))

    @property
    def settled(self) -> int:
        """Rows of which nothing more is expected without a person."""
        return sum(self.results.get(each, 0) for each in ("accepted", "rejected", "failed", "unknown"))

    @property
    def not_done(self) -> int:
        """Rows that a person should look at: refused before or by the platform, failed, or not known."""
        return sum(self.results.get(each, 0) for each in ("refused", "rejected", "failed", "unknown"))

    @property
    def is_moving(self) -> bool:
        return self.state == RunState.RUNNING or bool(self.results.get("submitting"))


@dataclass(frozen=True, slots=True)
class RowView:
    """One row. `result`: its own state, and once it is submitted, that of its reissue (submitting, unknown, accepted,
    rejected, cancelled). `seconds`: real seconds in which it can still be taken back, 0 for none. `said`: the
    platform's own words where it refused."""

    row: int
    reference: str
    case_id: int | None
    case_code: str
    order_number: str
    carrier: str
    number: str
    contents: tuple[tuple[str, int], ...]
    state: str
    verdict: str
    whys: tuple[Why, ...]
    result: str
    reissue_code: str
    said: str
    failure: str
    seconds: int
    done_at: datetime | None


def run_view(shop_id: int, run_id: int) -> RunView | None:
    """One run; None when it is not this shop's."""
    with reading([shop_id]):
        run = BulkRun.objects.filter(shop_id=shop_id, id=run_id).first()
        return _run(run) if run else None


def newest(shops: Sequence[int], limit: int = 20) -> tuple[RunView, ...]:
    """The last runs, newest first."""
    with reading(shops):
        return tuple(_run(run) for run in BulkRun.objects.filter(shop_id__in=shops).order_by("-id")[:limit])


def running(shops: Sequence[int], limit: int = 100) -> list[tuple[int, int]]:
    """(shop, run) of runs that have rows to submit."""
    with reading(shops):
        rows = BulkRun.objects.filter(shop_id__in=shops, state="running").order_by("id")
        return list(rows.values_list("shop_id", "id")[:limit])


def rows_of(shop_id: int, run_id: int, group: str = "all", first: int = 0, limit: int = 100) -> tuple[RowView, ...]:
    """A run's rows in the order of the sheet, from the `first`-th; `group` is a verdict, or a result once it runs."""
    with reading([shop_id]):
        rows = _grouped(BulkRow.objects.filter(shop_id=shop_id, run_id=run_id), group)
        found = list(rows.select_related("case__order", "reissue").order_by("row")[first : first + limit])
        sent = [row.reissue.effect_id for row in found if row.reissue and row.reissue.effect_id]
        known = effects.by_id([shop_id], sent) if sent else {}
        real = real_now() if any(effect.can_cancel for effect in known.values()) else None
    return tuple(_row(row, known, real) for row in found)


def _grouped(rows: QuerySet[BulkRow], group: str) -> QuerySet[BulkRow]:
    if group in GROUPS:
        return rows.filter(verdict__in=GROUPS[group]) if GROUPS[group] else rows
    if group in {each.value for each in RowState if each is not RowState.SUBMITTED}:
        return rows.filter(state=group)
    return rows.filter(state=RowState.SUBMITTED, reissue__state__in=_REISSUE.get(group, (group,)))


_REISSUE = {"accepted": ("accepted", "delivered", "wrong")}


def _run(run: BulkRun) -> RunView:
    states: dict[str, int] = {}
    verdicts: dict[str, int] = {}
    results: dict[str, int] = {}
    punished = total = asking = 0
    counted = run.rows.filter(shop_id=run.shop_id).order_by().values("state", "verdict", "asks_range", "reissue__state")
    for one in counted.annotate(n=Count("id")):
        state, verdict, n = one["state"], one["verdict"], one["n"]
        total += n
        asking += n if one["asks_range"] and run.state == RunState.CHECKED else 0
        states[state] = states.get(state, 0) + n
        verdicts[verdict] = verdicts.get(verdict, 0) + n
        result = _result(state, one["reissue__state"] or "")
        results[result] = results.get(result, 0) + n
        punished += n if (state, verdict) == (RowState.READY, "punished_later") else 0
    return RunView(
        shop_id=run.shop_id,
        run_id=run.pk,
        name=run.name,
        state=run.state,
        by=run.by,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        override_reason=run.override_reason,
        rows=total,
        states=states,
        verdicts=verdicts,
        results=results,
        chosen_punished=punished,
        asking=asking,
    )


def _result(state: str, reissue: str) -> str:
    if state != RowState.SUBMITTED:
        return state
    return "accepted" if reissue in _REISSUE["accepted"] else reissue


def _row(row: BulkRow, known: Mapping[int, EffectView], real: datetime | None) -> RowView:
    reissue = row.reissue
    effect = known.get(reissue.effect_id or 0) if reissue else None
    result = _result(row.state, reissue.state if reissue else "")
    error = effect.error if effect and result == "rejected" else {}
    left = 0.0
    if effect and effect.can_cancel and effect.next_at and real and result == "submitting":
        left = max((effect.next_at - real).total_seconds(), 0)
    return RowView(
        row=row.row,
        reference=row.reference,
        case_id=row.case_id,
        case_code=row.case.code if row.case else "",
        order_number=row.case.order.number if row.case else "",
        carrier=row.carrier,
        number=row.number,
        contents=tuple((str(line), int(count)) for line, count in row.contents),
        state=row.state,
        verdict=row.verdict,
        whys=tuple(Why(str(one["code"]), dict(one["params"])) for one in row.whys),
        result=result,
        reissue_code=reissue.code if reissue else "",
        said=str(error.get("text", "")),
        failure=str(error.get("why", "")),
        seconds=int(left),
        done_at=row.done_at,
    )
