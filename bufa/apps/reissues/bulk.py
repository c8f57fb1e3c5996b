"""Many reissues at once: looked through, then submitted one by one, each row in a transaction of its own.

A row's outcome is written together with the submission itself. So whatever dies in between, a row was either done or
was not touched, and the run goes on where it stood: the rows say what is left, a job only hints at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.effects.actions import real_now
from bufa.apps.reissues import actions, ranges
from bufa.apps.reissues.bulk_check import CheckedRow, SheetRow, check_rows
from bufa.apps.reissues.forms import ReissueForm
from bufa.apps.reissues.models import BulkRow, BulkRun
from bufa.apps.shops import queries as shops
from bufa.domain import bulk, caps
from bufa.domain.bulk import RowState, RunState
from bufa.domain.effects import TAKE_BACK
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check, may
from bufa.domain.reissues import Answer
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops, writing

RUN = "reissues.bulk"


def look_through(
    *, shop_id: int, key: str, name: str, rows: Sequence[SheetRow], by: Actor, now: datetime | None = None
) -> int:
    """Check a sheet and keep what was found, as a run that waits for a person; returns its id. Nothing leaves.

    The same `key` again is the same run. Raises Refused: not_allowed, sheet_empty, sheet_too_long.
    """
    now = now or clock.now()
    role, operator_id = _person(by)
    check(role, Permission.SUBMIT_REISSUE)
    if not rows:
        raise Refused("sheet_empty")
    if len(rows) > bulk.MOST_ROWS:
        raise Refused("sheet_too_long", rows=len(rows), most=bulk.MOST_ROWS)
    with for_shops([shop_id]):
        known = BulkRun.objects.filter(shop_id=shop_id, key=key).values_list("id", flat=True).first()
        if known is not None:
            return int(known)
        found = check_rows(shop_id, rows, role, now)
    with writing([shop_id]):
        try:
            with transaction.atomic():
                run = BulkRun.objects.create(
                    shop_id=shop_id, key=key, name=name[:120], operator_id=operator_id, by=by.name, created_at=now
                )
        except IntegrityError:  # the other window was faster
            return int(BulkRun.objects.values_list("id", flat=True).get(shop_id=shop_id, key=key))
        BulkRow.objects.bulk_create([_row(run, one) for one in found], batch_size=500)
        said = {"run": run.pk, "rows": len(found), "ready": sum(one.state is RowState.READY for one in found)}
        audit.record(shop_id, by.ref, "reissue.bulk_check", f"bulk:{run.pk}", said)
        ranges.want(shop_id, [one.way for one in found if one.way], now)
        return run.pk


def choose(*, shop_id: int, run_id: int, by: Actor, take: bool, row: int = 0, verdict: str = "") -> int:
    """Take a row (or all rows of one verdict) into the run or leave it out; returns how many changed."""
    role, _ = _person(by)
    check(role, Permission.SUBMIT_REISSUE)
    with for_shops([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != RunState.CHECKED:
            raise Refused("run_has_begun")
        rows = run.rows.filter(state=RowState.LEFT_OUT if take else RowState.READY)
        rows = rows.filter(row=row) if row else rows.filter(verdict=verdict)
        return rows.update(state=RowState.READY if take else RowState.LEFT_OUT)


def start(*, shop_id: int, run_id: int, by: Actor, override_reason: str = "", now: datetime | None = None) -> int:
    """Let the chosen rows go, one after the other; returns how many. A run that has begun is left alone (0).

    Raises Refused: not_allowed, nothing_chosen, bulk_needs_second (many rows, and who starts them brought them),
    gate_needs_reason (rows that will be punished, without a reason).
    """
    role, operator_id = _person(by)
    check(role, Permission.SUBMIT_REISSUE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != RunState.CHECKED:
            return 0
        chosen = run.rows.filter(state=RowState.READY)
        _seen_by_two(run, chosen.count(), operator_id)
        if chosen.filter(verdict=Answer.PUNISHED_LATER).exists():
            check(role, Permission.OVERRIDE_GATE)
            if not override_reason.strip():
                raise Refused("gate_needs_reason", checks=[])
        count = chosen.update(state=RowState.WAITING)
        if not count:
            raise Refused("nothing_chosen")
        run.operator_id, run.by = operator_id, by.name
        run.state, run.started_at = RunState.RUNNING, now or clock.now()
        run.override_reason = override_reason.strip()[:200]
        run.save()
        audit.record(shop_id, by.ref, "reissue.bulk_start", f"bulk:{run.pk}", {"rows": count})
        ask(shop_id, run_id)
        return count


def _seen_by_two(run: BulkRun, rows: int, operator_id: int) -> None:
    limits = caps.Caps.read(shops.policy_json(run.shop_id))
    people = (one for one in shops.members([run.shop_id]) if one.is_active)
    able = sum(may(one.role, Permission.SUBMIT_REISSUE) for one in people)
    caps.check_second(limits, rows=rows, brought_by=run.operator_id, by=operator_id, able=able)


def submit_next(*, shop_id: int, run_id: int) -> bool:
    """Submit the next waiting row of a running run; False when there is none (the run is then done).

    Who started the run must still be allowed to: the role is asked for each row.
    """
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != RunState.RUNNING:
            return False
        row = run.rows.filter(state=RowState.WAITING).order_by("row").first()
        now = clock.now()
        if row is None:
            run.state, run.ended_at = RunState.DONE, now
            run.save(update_fields=["state", "ended_at"])
            return False
        by = Actor(run.operator_id, run.by, shops.role_in(run.operator_id, shop_id))
        real = real_now()
        leaves = bulk.leaves_at(run.last_leaves_at, real, TAKE_BACK)
        try:
            with for_shops([shop_id]):
                if row.case_id is None:
                    raise Refused("no_case_there", reference=row.reference)
                punished = row.verdict == Answer.PUNISHED_LATER
                done = actions.submit(
                    shop_id=shop_id,
                    case_id=row.case_id,
                    form=_form(row),
                    by=by,
                    override_reason=run.override_reason if punished else "",
                    now=now,
                    delay=leaves - real,
                )
        except Refused as refused:
            row.state, row.whys = RowState.FAILED, [_stored(refused.why.code, dict(refused.why.params))]
        except (IntegrityError, LookupError):
            row.state, row.whys = RowState.FAILED, [_stored("row_not_done", {})]
        else:
            row.state, row.reissue_id = RowState.SUBMITTED, done.reissue_id
            run.last_leaves_at = leaves
            run.save(update_fields=["last_leaves_at"])
        row.done_at = now
        row.save(update_fields=["state", "whys", "reissue", "done_at"])
        return True


def stop(*, shop_id: int, run_id: int, by: Actor) -> tuple[int, int]:
    """Stop a run: rows that wait are kept back, and what has not left yet is taken back, each by itself. Returns how
    many of each; what has left stays, with its result."""
    role, _ = _person(by)
    check(role, Permission.SUBMIT_REISSUE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state not in (RunState.RUNNING, RunState.DONE):
            return 0, 0
        kept = run.rows.filter(state=RowState.WAITING).update(state=RowState.STOPPED)
        if run.state == RunState.RUNNING:
            run.state = RunState.STOPPED
            run.save(update_fields=["state"])
        going = run.rows.filter(state=RowState.SUBMITTED, reissue__state="submitting")
        rows = list(going.order_by("-row").values_list("row", flat=True))
        audit.record(shop_id, by.ref, "reissue.bulk_stop", f"bulk:{run.pk}", {"kept": kept})
    return kept, sum(take_back(shop_id=shop_id, run_id=run_id, row=row, by=by) for row in rows)


def take_back(*, shop_id: int, run_id: int, row: int, by: Actor) -> bool:
    """Take one row's submission back before it leaves. False when it has left already."""
    role, _ = _person(by)
    check(role, Permission.SUBMIT_REISSUE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        mine = run.rows.filter(row=row, state=RowState.SUBMITTED).first()
        if mine is None or mine.reissue_id is None:
            return False
        try:
            with for_shops([shop_id]):
                actions.stop(shop_id=shop_id, reissue_id=mine.reissue_id, by=by)
        except Refused:
            return False
        mine.state = RowState.STOPPED
        mine.save(update_fields=["state"])
        if run.state == RunState.DONE:
            run.state, run.ended_at = RunState.STOPPED, None
            run.save(update_fields=["state", "ended_at"])
        return True


def go_on(*, shop_id: int, run_id: int, by: Actor) -> int:
    """Let a stopped run's rows go again; returns how many."""
    role, operator_id = _person(by)
    check(role, Permission.SUBMIT_REISSUE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != RunState.STOPPED:
            return 0
        count = run.rows.filter(state=RowState.STOPPED).update(state=RowState.WAITING)
        if run.rows.filter(state=RowState.WAITING, verdict=Answer.PUNISHED_LATER).exists():
            check(role, Permission.OVERRIDE_GATE)
        run.operator_id, run.by, run.state, run.ended_at = operator_id, by.name, RunState.RUNNING, None
        run.save()
        audit.record(shop_id, by.ref, "reissue.bulk_go_on", f"bulk:{run.pk}", {"rows": count})
        ask(shop_id, run_id)
        return count


def ask(shop_id: int, run_id: int) -> bool:
    """Hint the worker at a run; whether a job was added."""
    return hint(RUN, once=f"{RUN}:{run_id}", shop_id=shop_id, run_id=run_id)


# --- inside ----------------------------------------------------------------------------------------------------------


def _person(by: Actor) -> tuple[Role, int]:
    if by.role is None or by.operator_id is None:
        raise Refused("people_only", action="submit")
    return by.role, by.operator_id


def _locked(shop_id: int, run_id: int) -> BulkRun:
    return BulkRun.objects.select_for_update().get(shop_id=shop_id, id=run_id)


def _stored(code: str, params: dict[str, object]) -> dict[str, object]:
    return {"code": code, "params": params}


def _row(run: BulkRun, found: CheckedRow) -> BulkRow:
    form = found.form
    return BulkRow(
        shop_id=run.shop_id,
        run=run,
        row=found.sheet.row,
        reference=found.sheet.reference[:40],
        case_id=found.case.case_id if found.case else None,
        carrier=(form.carrier if form else found.sheet.carrier)[:40],
        number=(form.number if form else found.sheet.number)[:40],
        contents=[list(item) for item in form.items] if form else [],
        pickup_id=form.pickup_id if form else None,
        delivery=form.delivery if form else "order",
        asks_range=found.way is not None,
        to_whom=found.way.to if found.way else "",
        state=found.state,
        verdict=found.verdict,
        whys=[_stored(_asked_now(why.code, found), dict(why.params)) for why in found.whys],
    )


def _asked_now(code: str, found: CheckedRow) -> str:
    """Looking through is what asks: from now on it is being asked."""
    return "range_waiting" if found.way and code in bulk.ASKS_RANGE else code


def _form(row: BulkRow) -> ReissueForm:
    items = tuple((str(line), int(count)) for line, count in row.contents)
    return ReissueForm(row.carrier, row.number, items, row.pickup_id, row.delivery)
