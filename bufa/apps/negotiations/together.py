"""One deed for all parcels of an incident: take them, write to the carrier, put them off. Looked at first, done row by
row with what became of each, once however often it is pressed, and taken back where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases import incident_views, putting_off
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.incident_views import IncidentRow
from bufa.apps.cases.incidents import rules_of
from bufa.apps.cases.models import Case, Finding, IncidentRun
from bufa.apps.cases.queries import involved
from bufa.apps.negotiations import posting, rounds
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_rounds import MOST_LINES
from bufa.domain.cases import Action, CaseState
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check, may
from bufa.domain.personal import strip_personal
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import writing

RUN = "incidents.run"
A_BATCH = 50
"""Rows of one transaction; a mail's rows are in one with the mail."""

Row = dict[str, Any]


class Deed(StrEnum):
    TAKE = "take"
    ASK = "ask"
    SNOOZE = "snooze"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. TAKE: `owner_id` · ASK: `contact_id`, `due`, `extra` · SNOOZE: `until` (None: the next scan),
    `reason`."""

    deed: Deed
    owner_id: int | None = None
    contact_id: int = 0
    due: datetime | None = None
    extra: str = ""
    until: datetime | None = None
    reason: str = ""


def check_wish(incident: IncidentRow, wish: Wish, by: Actor, now: datetime) -> None:
    """Raise Refused when nothing of it could be done: incident_is_over, not_allowed, no_such_member, no_such_contact,
    no_mail_sender, answer_due_is_past, parameter_missing (reason), until_is_past, snooze_too_long."""
    if not incident.is_open:
        raise Refused("incident_is_over")
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    if wish.deed is Deed.TAKE:
        if wish.owner_id not in {each for each, _ in workers(incident.shop_id)}:
            raise Refused("no_such_member")
    elif wish.deed is Deed.ASK:
        if posting.contact(incident.shop_id, wish.contact_id).carrier != incident.carrier:
            raise Refused("no_such_contact")
        posting.check_reach(incident.shop_id, posting.contact(incident.shop_id, wish.contact_id))
        if wish.due is None or wish.due <= now:
            raise Refused("answer_due_is_past", answer_due=wish.due.isoformat() if wish.due else "")
    else:
        if not wish.reason.strip():
            raise Refused("parameter_missing", name="reason")
        if wish.until is not None and wish.until <= now:
            raise Refused("until_is_past", until=wish.until.isoformat())
        if wish.until is not None and wish.until > now + putting_off.LONGEST:
            raise Refused("snooze_too_long", days=putting_off.LONGEST.days)


def workers(shop_id: int) -> list[tuple[int, str]]:
    """Whom cases can be given to: active members who work on cases."""
    return [
        (each.operator_id, each.display_name or each.login)
        for each in shops.members([shop_id])
        if each.is_active and may(each.role, Permission.WORK_CASE)
    ]


def start(
    *, shop_id: int, code: str, key: str, wish: Wish, by: Actor, now: datetime | None = None, batch: int = A_BATCH
) -> int:
    """Begin the deed for all parcels in the incident now and return the run; the same `key` again is the same run.

    The first batch is done at once; the rest is a job's, or the sweep's. Raises Refused as `check_wish`.
    """
    now = now or clock.now()
    with writing([shop_id]):
        known = IncidentRun.objects.filter(shop_id=shop_id, key=key).values_list("id", flat=True).first()
        if known is not None:
            return known
        incident = _incident(shop_id, code)
        check_wish(incident, wish, by, now)
        rows: list[Row] = [
            {"parcel": row.parcel_id, "number": row.number or row.order_number, "code": row.case_code, "state": "todo"}
            for row in incident_views.members(shop_id, incident.incident_id, limit=100_000)
        ]
        run = IncidentRun.objects.create(
            shop_id=shop_id,
            incident_id=incident.incident_id,
            key=key[:40],
            deed=wish.deed.value,
            params=_params(shop_id, wish),
            rows=rows,
            todo=len(rows),
            by=by.name,
            operator_id=by.operator_id,
            role=by.role.value if by.role else "",
            at=now,
        )
        said = {"deed": wish.deed.value, "parcels": len(rows), "run": run.pk}
        audit.record(shop_id, by.ref, "incident.together", f"incident:{incident.incident_id}", said)
    if not carry_on(shop_id=shop_id, run_id=run.pk, limit=batch):
        ask(shop_id, run.pk)
    return run.pk


def ask(shop_id: int, run_id: int) -> bool:
    """Ask for the rest to be done by a job."""
    return hint(RUN, once=f"{RUN}:{run_id}", shop_id=shop_id, run_id=run_id)


def carry_on(*, shop_id: int, run_id: int, limit: int = A_BATCH, now: datetime | None = None) -> bool:
    """Do some more rows, all in one transaction. Whether none is left."""
    now = now or clock.now()
    with writing([shop_id]):
        run = IncidentRun.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=run_id)
        undoing = run.undone_at is not None
        wanted = "undo" if undoing else "todo"
        many = MOST_LINES if run.deed == Deed.ASK and not undoing else limit
        some = [row for row in run.rows if row["state"] == wanted][:many]
        if some:
            incident = _incident(shop_id, run.incident.code)
            try:
                with transaction.atomic():
                    (_undo_some if undoing else _do_some)(incident, run, some, now)
            except Refused as refused:  # the mail itself: its contact was removed meanwhile, say
                for row in some:
                    _refuse(row, refused)
        run.todo = sum(row["state"] == wanted for row in run.rows)
        run.save(update_fields=["rows", "params", "todo"])
        return run.todo == 0


def undo(*, shop_id: int, run_id: int, by: Actor, now: datetime | None = None, batch: int = A_BATCH) -> None:
    """Take a run back: cases go back to whoever had them, findings come back, a mail that has not left is not sent.

    Raises Refused `run_undone_already`, `run_still_going`, `already_left` (a mail that is on its way).
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        run = IncidentRun.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=run_id)
        if run.undone_at is not None:
            raise Refused("run_undone_already")
        if run.todo:
            raise Refused("run_still_going")
        back = set(range(len(run.rows)))
        if run.deed == Deed.ASK:
            effects = [each for each in run.params.get("effects", ()) if _stop_mail(shop_id, each, by)]
            if not effects:
                raise Refused("already_left")
            back = {at for at, row in enumerate(run.rows) if row.get("effect") in effects}
        for at, row in enumerate(run.rows):
            if at in back and row["state"] == "done":
                row["state"] = "undo"
        run.undone_at, run.undone_by, run.todo = now, by.name, sum(row["state"] == "undo" for row in run.rows)
        run.params = run.params | {"undone_by": [by.operator_id, by.role.value if by.role else ""]}
        run.save()
        audit.record(shop_id, by.ref, "incident.undo", f"incident:{run.incident_id}", {"run": run.pk})
    if not carry_on(shop_id=shop_id, run_id=run_id, limit=batch):
        ask(shop_id, run_id)


# --- row by row ------------------------------------------------------------------------------------------------------


def _do_some(incident: IncidentRow, run: IncidentRun, some: Sequence[Row], now: datetime) -> None:
    by = Actor(run.operator_id, run.by, Role(run.role) if run.role else None)
    asked: list[tuple[Row, rounds.AskedOne]] = []
    for row in some:

        def one(row: Row = row) -> None:
            if run.deed == Deed.SNOOZE:
                _snooze(incident, run, row, by, now)
                return
            case_id = _case(incident.shop_id, row, by, now)
            if run.deed == Deed.TAKE:
                _take(incident.shop_id, case_id, row, run.params["owner"], by, now)
            else:
                due = datetime.fromisoformat(run.params["due"])
                said = rounds.ask_one(
                    shop_id=incident.shop_id, case_id=case_id, contact_id=run.params["contact"], due=due, by=by, now=now
                )
                row["before"] = said.before
                asked.append((row, said))

        _guarded(row, "done", one)
    if asked:
        _send(incident, run, asked, by, now)


def _guarded(row: Row, state: str, work: Callable[[], None]) -> None:
    """One row whole or not at all; why not stands in it."""
    try:
        with transaction.atomic():
            work()
    except Refused as refused:
        _refuse(row, refused)
    except (ObjectDoesNotExist, IntegrityError):
        row |= {"state": "refused", "why": {"code": "row_not_done", "params": {}}}
    else:
        row["state"] = state


def _refuse(row: Row, refused: Refused) -> None:
    for made in ("case", "opened", "before", "effect"):  # what was made for it is undone with it
        row.pop(made, None)
    row |= {"state": "refused", "why": {"code": refused.why.code, "params": dict(refused.why.params)}}


def _case(shop_id: int, row: Row, by: Actor, now: datetime) -> int:
    known = involved(shop_id, [row["parcel"]]).get(row["parcel"])
    if known is not None:
        case_id = known[0]
    else:
        case_id = cases.open_case(shop_id=shop_id, parcel_id=row["parcel"], now=now, by=by)
        row["opened"] = True
    row["case"] = case_id
    row["code"] = Case.objects.values_list("code", flat=True).get(shop_id=shop_id, id=case_id)
    return case_id


def _take(shop_id: int, case_id: int, row: Row, owner: int, by: Actor, now: datetime) -> None:
    before = Case.objects.values_list("owner_id", flat=True).get(shop_id=shop_id, id=case_id)
    if before == owner:
        raise Refused("has_this_owner")
    cases.act(shop_id=shop_id, case_id=case_id, action=Action.TAKE, by=by, now=now, owner=owner)
    row["before"] = {"owner": before}


def _snooze(incident: IncidentRow, run: IncidentRun, row: Row, by: Actor, now: datetime) -> None:
    until = datetime.fromisoformat(run.params["until"]) if run.params.get("until") else None
    found = list(_open_findings(incident, [row["parcel"]]).values_list("id", flat=True))
    if not found:
        raise Refused("nothing_to_put_off")
    for finding_id in found:
        putting_off.snooze(
            shop_id=incident.shop_id, finding_id=finding_id, by=by, reason=run.params["reason"], until=until, now=now
        )
    row["before"] = {"findings": found}


def _open_findings(incident: IncidentRow, parcel_ids: Sequence[int]) -> Any:
    return Finding.objects.filter(
        shop_id=incident.shop_id, parcel_id__in=parcel_ids, state="open", rule__in=rules_of(incident.family)
    )


def _send(
    incident: IncidentRow, run: IncidentRun, asked: Sequence[tuple[Row, rounds.AskedOne]], by: Actor, now: datetime
) -> None:
    number = len(run.params.get("effects", ())) + 1
    effect_id = rounds.send(
        incident=incident,
        key=f"round:{run.pk}:{number}",
        contact_id=run.params["contact"],
        asked=[said for _, said in asked],
        due=datetime.fromisoformat(run.params["due"]),
        extra=run.params.get("extra", ""),
        by=by,
        now=now,
    )
    run.params = run.params | {"effects": [*run.params.get("effects", ()), effect_id]}
    for row, _ in asked:
        row["effect"] = effect_id


def _stop_mail(shop_id: int, effect_id: int, by: Actor) -> bool:
    return rounds.take_back(shop_id=shop_id, effect_id=effect_id, by=by)


def _undo_some(incident: IncidentRow, run: IncidentRun, some: Sequence[Row], now: datetime) -> None:
    operator_id, role = run.params["undone_by"]
    who = Actor(operator_id, run.undone_by, Role(role) if role else None)
    for row in some:

        def one(row: Row = row) -> None:
            shop_id, before = incident.shop_id, row.get("before", {})
            if run.deed == Deed.SNOOZE:
                _bring_back(shop_id, before.get("findings", ()), who, now)
            elif run.deed == Deed.TAKE:
                _give_back(shop_id, row["case"], run.params["owner"], before.get("owner"), who, now)
            else:
                rounds.forget_one(shop_id=shop_id, case_id=row["case"], before=before, by=who, now=now)

        _guarded(row, "undone", one)


def _bring_back(shop_id: int, findings: Sequence[int], by: Actor, now: datetime) -> None:
    for finding_id in findings:
        row = Finding.objects.filter(shop_id=shop_id, id=finding_id).values_list("state", flat=True).first()
        if row == "snoozed":  # else it came back, or ended, by itself
            putting_off.bring_back(shop_id=shop_id, finding_id=finding_id, by=by, now=now)


def _give_back(shop_id: int, case_id: int, given_to: int, before: int | None, by: Actor, now: datetime) -> None:
    owner, state = Case.objects.values_list("owner_id", "state").get(shop_id=shop_id, id=case_id)
    if owner != given_to or state == CaseState.CLOSED:
        raise Refused("gone_on_meanwhile")
    cases.act(shop_id=shop_id, case_id=case_id, action=Action.TAKE, by=by, now=now, owner=before)


def _incident(shop_id: int, code: str) -> IncidentRow:
    found = incident_views.incident(shop_id, code)
    if found is None:
        raise Refused("no_such_incident")
    return found


def _params(shop_id: int, wish: Wish) -> dict[str, Any]:
    if wish.deed is Deed.TAKE:
        return {"owner": wish.owner_id, "owner_name": shops.operator_name(wish.owner_id or 0)}
    if wish.deed is Deed.ASK:
        to = posting.contact(shop_id, wish.contact_id)
        due = wish.due.isoformat() if wish.due else ""
        return {"contact": to.pk, "email": to.email, "due": due, "extra": strip_personal(wish.extra.strip())[:1000]}
    until = wish.until.isoformat() if wish.until else ""
    return {"until": until, "reason": strip_personal(wish.reason.strip())[:200]}
