"""One act on many cases: looked through, then done, each row with its result. Where it stops, it goes on.

A row's outcome is written together with what it did, in one transaction; so whatever dies in between, a row was either
done or not touched. The rows say what is left; a job only hints at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions, putting_off
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.facts import read
from bufa.apps.cases.many import NOTHING_AROUND
from bufa.apps.cases.models import Case, CaseRun, CaseRunRow, Finding, TimelineEntry
from bufa.apps.shops import queries as shops
from bufa.domain import cases as domain
from bufa.domain.kinds import Measure, Role
from bufa.domain.many import ACTION_OF, CAN_BE_UNDONE, MEASURES, MOST, NEEDS_WORDS, ManyAct
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.crypto import seal, unseal
from bufa.lib.db import unnest_insert, unnest_update
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops, writing

RUN = "cases.run"
TOGETHER = frozenset({ManyAct.ASSIGN, ManyAct.NOTE})
"""Acts that change nothing but the row itself: hundreds of cases in one transaction."""

_CHUNK = 500


def look_through(
    *,
    shop_id: int,
    key: str,
    act: ManyAct,
    params: Mapping[str, Any],
    words: str,
    case_ids: Sequence[int],
    by: Actor,
    now: datetime | None = None,
) -> int:
    """Keep what would be done to each case, and where it cannot be, why; nothing is done yet. Returns the run's id.

    The same `key` again is the same run. Raises Refused: not_allowed, nothing_chosen, too_many_cases, parameter_missing
    (reason, owner, measure), parameter_unknown.
    """
    now = now or clock.now()
    role, operator_id = _person(by)
    check(role, Permission.WORK_CASE)
    kept = _checked(shop_id, act, params, words)
    with for_shops([shop_id]):
        known = CaseRun.objects.filter(shop_id=shop_id, key=key).values_list("id", flat=True).first()
        if known is not None:
            return int(known)
        found = list(Case.objects.filter(shop_id=shop_id, id__in=case_ids).select_related("parcel").order_by("id"))
        if not found:
            raise Refused("nothing_chosen")
        if len(found) > MOST:
            raise Refused("too_many_cases", cases=len(found), most=MOST)
        sealed = seal(shop_id, words.strip().encode(), where=_place(key)) if words.strip() else b""
        try:
            with transaction.atomic():
                run = CaseRun.objects.create(
                    shop_id=shop_id, key=key, act=act.value, params=kept, words=sealed, operator_id=operator_id,
                    by=by.name, created_at=now,
                )  # fmt: skip
        except IntegrityError:  # the other window was faster
            return int(CaseRun.objects.values_list("id", flat=True).get(shop_id=shop_id, key=key))
        CaseRunRow.objects.bulk_create(_rows(run, act, kept, found, role, now), batch_size=_CHUNK)
        return run.pk


def start(*, shop_id: int, run_id: int, by: Actor, now: datetime | None = None) -> int:
    """Let the rows that can be done go; returns how many. A run that has begun is left alone (0)."""
    role, operator_id = _person(by)
    check(role, Permission.WORK_CASE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state not in ("checked", "stopped"):
            return 0
        count = run.rows.filter(state__in=("ready", "stopped")).update(state="waiting")
        if not count:
            raise Refused("nothing_chosen")
        run.state, run.operator_id, run.by = "running", operator_id, by.name
        run.started_at = run.started_at or now or clock.now()
        run.save()
        audit.record(shop_id, by.ref, "case.run", f"case_run:{run.pk}", {"act": run.act, "cases": count})
        ask(shop_id, run_id)
        return count


def stop(*, shop_id: int, run_id: int, by: Actor) -> int:
    """Keep back what has not been done yet; returns how many rows."""
    check(_person(by)[0], Permission.WORK_CASE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != "running":
            return 0
        run.state = "stopped"
        run.save(update_fields=["state"])
        return run.rows.filter(state="waiting").update(state="stopped")


def again(*, shop_id: int, run_id: int, by: Actor) -> int:
    """Try what failed once more; returns how many rows."""
    check(_person(by)[0], Permission.WORK_CASE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        count = run.rows.filter(state="failed").update(state="waiting", why={})
        if count:
            run.state, run.ended_at = "running", None
            run.save(update_fields=["state", "ended_at"])
            ask(shop_id, run_id)
        return count


def undo(*, shop_id: int, run_id: int, by: Actor, now: datetime | None = None) -> int:
    """Take back what the run did, where nobody has changed it since; returns how many rows. Raises Refused
    cannot_be_undone for acts that told somebody or began a clock."""
    now = now or clock.now()
    check(_person(by)[0], Permission.WORK_CASE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        act = ManyAct(run.act)
        if act not in CAN_BE_UNDONE:
            raise Refused("cannot_be_undone", act=act.value)
        if run.state == "running":
            raise Refused("run_has_begun")
        back = 0
        for row in run.rows.filter(state="done").select_related("case").order_by("row"):
            if _undo_one(run, act, row, by, now):
                row.state = "undone"
                row.save(update_fields=["state"])
                back += 1
        audit.record(shop_id, by.ref, "case.run_undo", f"case_run:{run.pk}", {"cases": back})
        return back


def do_next(*, shop_id: int, run_id: int) -> bool:
    """Do the next waiting row of a running run (or all that can go together); False when none is left."""
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != "running":
            return False
        act, now = ManyAct(run.act), clock.now()
        size = _CHUNK if act in TOGETHER else 1
        rows = list(run.rows.filter(state="waiting").select_related("case__parcel").order_by("row")[:size])
        if not rows:
            run.state, run.ended_at = "done", now
            run.save(update_fields=["state", "ended_at"])
            return False
        by = Actor(run.operator_id, run.by, shops.role_in(run.operator_id, shop_id))
        if act in TOGETHER:
            _do_together(run, act, rows, by, now)
        else:
            _do_one(run, act, rows[0], by, now)
        return True


def ask(shop_id: int, run_id: int) -> bool:
    """Hint the worker at a run; whether a job was added."""
    return hint(RUN, once=f"{RUN}:{run_id}", shop_id=shop_id, run_id=run_id)


# --- inside ----------------------------------------------------------------------------------------------------------


def _person(by: Actor) -> tuple[Role, int]:
    if by.role is None or by.operator_id is None:
        raise Refused("people_only", action="run")
    return by.role, by.operator_id


def _locked(shop_id: int, run_id: int) -> CaseRun:
    return CaseRun.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=run_id)


def _place(key: str) -> str:
    return f"cases_caserun.words:{key}"


def words_of(run: CaseRun) -> str:
    """The reason or note that goes with each case."""
    sealed = bytes(run.words)
    return unseal(run.shop_id, sealed, where=_place(run.key)).decode() if sealed else ""


def _checked(shop_id: int, act: ManyAct, params: Mapping[str, Any], words: str) -> dict[str, Any]:
    """The parameters that the act takes, as they are kept."""
    if act in NEEDS_WORDS and not words.strip():
        raise Refused("parameter_missing", name="reason")
    match act:
        case ManyAct.ASSIGN:
            owner = params.get("owner")
            people = {one.operator_id for one in shops.members([shop_id]) if one.is_active}
            if owner and int(owner) not in people:
                raise Refused("parameter_unknown", name="owner", value=str(owner))
            return {"owner": int(owner) if owner else None}
        case ManyAct.SNOOZE:
            hours = params.get("hours")
            return {"hours": int(hours) if hours else None}
        case ManyAct.MEASURE:
            measure = params.get("measure", "")
            if measure not in {each.value for each in MEASURES}:
                raise Refused("parameter_unknown", name="measure", value=str(measure))
            return {"measure": measure}
        case _:
            return {}


def _rows(
    run: CaseRun, act: ManyAct, params: Mapping[str, Any], found: Sequence[Case], role: Role, now: datetime
) -> list[CaseRunRow]:
    open_findings = _open_findings(run.shop_id, found) if act is ManyAct.SNOOZE else {}
    made = []
    for at, case in enumerate(found, 1):
        why = _closed(act, params, case, role, now, open_findings.get(case.parcel_id, []))
        before = {"owner": case.owner_id, "claim": case.verdict.get("claim", ""), "measure": case.measure}
        before |= {"findings": len(open_findings.get(case.parcel_id, []))}
        state = "closed" if why else "ready"
        stored = {"code": why.code, "params": dict(why.params)} if why else {}
        made.append(CaseRunRow(shop_id=run.shop_id, run=run, row=at, case=case, state=state, why=stored, before=before))
    return made


def _closed(
    act: ManyAct, params: Mapping[str, Any], case: Case, role: Role, now: datetime, findings: Sequence[int]
) -> Why | None:
    """Why the act is closed to this case, judged by what the case itself keeps."""
    if act is ManyAct.SNOOZE:
        return None if findings else Why("nothing_to_snooze")
    if act is ManyAct.ASSIGN and case.owner_id == params["owner"] and case.state != "closed":
        return Why("already_so")
    if act is ManyAct.CONFIRM and not case.verdict.get("claim"):
        return Why("no_verdict_yet")
    refused = domain.can(read(case, NOTHING_AROUND), ACTION_OF[act], role, now)
    return refused.why if refused else None


def _open_findings(shop_id: int, found: Sequence[Case]) -> dict[int, list[int]]:
    rows = Finding.objects.filter(shop_id=shop_id, parcel_id__in=[case.parcel_id for case in found], state="open")
    by_parcel: dict[int, list[int]] = {}
    for parcel_id, finding_id in rows.order_by("id").values_list("parcel_id", "id"):
        by_parcel.setdefault(parcel_id, []).append(finding_id)
    return by_parcel


def _do_together(run: CaseRun, act: ManyAct, rows: Sequence[CaseRunRow], by: Actor, now: datetime) -> None:
    """The same decision for each, written for all in three statements."""
    words, owner = words_of(run), run.params.get("owner")
    said: dict[str, Any] = {"owner": owner} if act is ManyAct.ASSIGN else {"text": words}
    done, entries = [], []
    cases = {case.pk: case for case in Case.objects.select_for_update().filter(id__in=[row.case_id for row in rows])}
    for row in rows:
        case = cases[row.case_id]
        row.done_at = now
        try:
            decision = domain.decide(read(case, NOTHING_AROUND), ACTION_OF[act], role=by.role, now=now, **said)
        except Refused as refused:
            row.state, row.why = "failed", {"code": refused.why.code, "params": dict(refused.why.params)}
            continue
        row.state = "done"
        row.before = {**row.before, "owner": case.owner_id, "version": case.version + 1}
        done.append(case)
        for entry in decision.entries:
            at = now.astimezone(UTC)
            place = actions.entry_place(case.pk, entry.kind, at)
            sealed = seal(run.shop_id, entry.words.encode(), where=place) if entry.words else b""
            entries.append(
                TimelineEntry(
                    shop_id=run.shop_id, case=case, kind=entry.kind[:40], audience=entry.audience, by=by.name, at=at,
                    data=dict(entry.why.params), words=sealed,
                )
            )  # fmt: skip
    _put_entries(entries)
    columns: dict[str, tuple[str, list[Any]]] = {
        "id": ("bigint", [case.pk for case in done]),
        "shop_id": ("bigint", [run.shop_id] * len(done)),
        "version": ("integer", [case.version + 1 for case in done]),
        "changed_at": ("timestamptz", [now] * len(done)),
    }
    if act is ManyAct.ASSIGN:
        columns["owner_id"] = ("bigint", [owner] * len(done))
    unnest_update(Case._meta.db_table, columns, key=("id", "shop_id"))
    _put_rows(rows)


def _put_entries(entries: Sequence[TimelineEntry]) -> None:
    columns: dict[str, tuple[str, list[Any]]] = {
        "shop_id": ("bigint", [one.shop_id for one in entries]),
        "case_id": ("bigint", [one.case_id for one in entries]),
        "kind": ("text", [one.kind for one in entries]),
        "audience": ("text", [one.audience for one in entries]),
        "by": ("text", [one.by for one in entries]),
        "at": ("timestamptz", [one.at for one in entries]),
        "data": ("jsonb", [json.dumps(one.data, ensure_ascii=False) for one in entries]),
        "words": ("bytea", [bytes(one.words) for one in entries]),
    }
    unnest_insert(TimelineEntry._meta.db_table, columns)


def _put_rows(rows: Sequence[CaseRunRow]) -> None:
    """What came of each row, in one statement; Django's own way of it takes half a second for 500."""
    columns: dict[str, tuple[str, list[Any]]] = {
        "id": ("bigint", [row.pk for row in rows]),
        "shop_id": ("bigint", [row.shop_id for row in rows]),
        "state": ("text", [row.state for row in rows]),
        "why": ("jsonb", [json.dumps(row.why, ensure_ascii=False) for row in rows]),
        "before": ("jsonb", [json.dumps(row.before, ensure_ascii=False) for row in rows]),
        "done_at": ("timestamptz", [row.done_at for row in rows]),
    }
    unnest_update(CaseRunRow._meta.db_table, columns, key=("id", "shop_id"))


def _do_one(run: CaseRun, act: ManyAct, row: CaseRunRow, by: Actor, now: datetime) -> None:
    try:
        with for_shops([run.shop_id]):
            _act(run, act, row, by, now)
    except Refused as refused:
        row.state, row.why = "failed", {"code": refused.why.code, "params": dict(refused.why.params)}
    except (IntegrityError, LookupError):
        row.state, row.why = "failed", {"code": "row_not_done", "params": {}}
    else:
        row.state = "done"
    row.done_at = now
    row.save(update_fields=["state", "why", "before", "done_at"])


def _act(run: CaseRun, act: ManyAct, row: CaseRunRow, by: Actor, now: datetime) -> None:
    shop_id, words = run.shop_id, words_of(run)
    if act is ManyAct.SNOOZE:
        wanted = _open_findings(shop_id, [row.case]).get(row.case.parcel_id, [])
        if not wanted:
            raise Refused("nothing_to_snooze")
        hours = run.params.get("hours")
        until = now + timedelta(hours=hours) if hours else None
        for finding_id in wanted:
            putting_off.snooze(shop_id=shop_id, finding_id=finding_id, by=by, reason=words, until=until, now=now)
        row.before = {**row.before, "snoozed": wanted}
        return
    said: dict[str, Any] = {
        ManyAct.CONFIRM: {"claim": row.case.verdict.get("claim", "")},
        ManyAct.MEASURE: {"measure": Measure(run.params["measure"])} if act is ManyAct.MEASURE else {},
        ManyAct.DISMISS: {"reason": words},
    }[act]
    actions.act(shop_id=shop_id, case_id=row.case_id, action=ACTION_OF[act], by=by, now=now, **said)


def _undo_one(run: CaseRun, act: ManyAct, row: CaseRunRow, by: Actor, now: datetime) -> bool:
    try:
        with for_shops([run.shop_id]):
            if act is ManyAct.ASSIGN:
                if row.case.owner_id != run.params.get("owner"):
                    return False  # somebody else has it by now
                action, owner = ACTION_OF[act], row.before.get("owner")
                actions.act(shop_id=run.shop_id, case_id=row.case_id, action=action, by=by, now=now, owner=owner)
            else:
                for finding_id in row.before.get("snoozed", []):
                    putting_off.bring_back(shop_id=run.shop_id, finding_id=finding_id, by=by, now=now)
    except Refused:
        return False
    return True
