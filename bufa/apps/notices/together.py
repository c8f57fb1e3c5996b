"""One text for all parcels of an incident: looked at first, sent a few a minute, each with its own numbers, stoppable.

Each row is told through the same door as a single case, so whoever was told already, wants to be left alone, or would
be the one too many today is passed over with the reason, and nobody is told twice however often it is pressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases import incident_views
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.queries import cases_by_id, involved
from bufa.apps.notices import planning, wordings
from bufa.apps.notices.making import OWN, Telling, chosen, make
from bufa.apps.notices.models import Notice, TellingRun
from bufa.domain.cases import Action, Purpose
from bufa.domain.effects import TAKE_BACK
from bufa.domain.kinds import Role
from bufa.domain.notice_plan import shop_date
from bufa.domain.notices import Channel, Language, Wording
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import reading, writing

RUN = "notices.tell_many"
PURPOSES = (Purpose.EARLY_WARNING, Purpose.APOLOGY)
"""What an incident is told for: nothing is decided for its parcels yet."""
MOST = 2000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be told. `channel` None: by the shop's order. `text` "": the shop's usual one. `per_minute`: the pace,
    by the shop's clock."""

    purpose: Purpose
    channel: Channel | None = None
    text: str = ""
    per_minute: int = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """One row of a preview: the message as it would leave, or why not. `code` "": a case is opened for it."""

    parcel_id: int
    number: str
    code: str
    channel: str
    text: str
    segments: int
    cost_li: int
    hold_until: datetime | None
    refused: Why | None


@dataclass(frozen=True, slots=True)
class Preview:
    rows: tuple[Seen, ...]
    total: int
    can: int
    cost_li: int
    minutes: int
    held: int


@dataclass(frozen=True, slots=True)
class RunView:
    run_id: int
    purpose: str
    channel: str
    text: str
    per_minute: int
    rows: tuple[Row, ...]
    todo: int
    state: str
    by: str
    at: datetime
    ended_at: datetime | None

    @property
    def told(self) -> int:
        return sum(row["state"] == "told" for row in self.rows)

    @property
    def refused(self) -> int:
        return sum(row["state"] == "refused" for row in self.rows)


def check_wish(wish: Wish, by: Actor) -> None:
    """Raise Refused: not_allowed, parameter_unknown (purpose, pace), wording_* (the text)."""
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    if wish.purpose not in PURPOSES:
        raise Refused("parameter_unknown", name="purpose", value=wish.purpose.value)
    if not 1 <= wish.per_minute <= 600:
        raise Refused("parameter_unknown", name="per_minute", value=str(wish.per_minute))
    if wish.text.strip():
        found = wordings.problems_of(wish.purpose, wish.channel or Channel.SMS, wish.text.strip(), "")
        if found:
            raise Refused(found[0].code, **found[0].params)


def preview(shop_id: int, code: str, wish: Wish, by: Actor, now: datetime, limit: int = 40) -> Preview:
    """What would leave, parcel by parcel; nothing is done. The first `limit` rows are drawn, with their cost counted
    down from the day's budget, so the preview stops where the money does."""
    check_wish(wish, by)
    incident = _incident(shop_id, code)
    with reading([shop_id]):
        inside = incident_views.members(shop_id, incident.incident_id, limit=MOST)
        known = involved(shop_id, [row.parcel_id for row in inside[:limit]])
        shown: list[Seen] = []
        cost = 0
        for member in inside[:limit]:
            one = _seen(shop_id, member, known.get(member.parcel_id), wish, by, now)
            budget = planning.rules_of(shop_id).budget_li
            spent = planning.spent(shop_id, shop_date(now)) + cost
            if one.refused is None and budget is not None and one.cost_li and spent + one.cost_li > budget:
                one = replace(one, refused=Why("notice_budget_spent", {"spent_li": spent, "budget_li": budget}))
            cost += one.cost_li if one.refused is None else 0
            shown.append(one)
    can = sum(one.refused is None for one in shown)
    held = sum(one.refused is None and one.hold_until is not None for one in shown)
    return Preview(tuple(shown), len(inside), can, cost, -(-len(inside) // wish.per_minute), held)


def _seen(shop_id: int, member: Any, case: tuple[int, bool] | None, wish: Wish, by: Actor, now: datetime) -> Seen:
    number = member.number or member.order_number
    if case is None:
        # The case opens with the message; until then there is nothing to fill the text with.
        return Seen(member.parcel_id, number, "", "", "", 0, 0, None, None)
    row = cases_by_id([shop_id], [case[0]])[case[0]]
    said = Notice.objects.filter(shop_id=shop_id, case_id=case[0], purpose=wish.purpose.value, round=row.round)
    there = said.exclude(state__in=planning.NOBODY).first()
    wanted = Telling(
        shop_id, case[0], wish.purpose, by, now, channel=wish.channel, delay=TAKE_BACK,
        wording=Wording(wish.text.strip()) if wish.text.strip() else None,
    )  # fmt: skip
    plan, drawn, _ = chosen(wanted, row, frozenset())
    why = Why("already_told", {"channel": there.channel, "state": there.state}) if there else None
    if why is None and plan.channel is None:
        why = plan.skipped[wish.channel] if wish.channel else next(iter(plan.skipped.values()), Why("no_channel_open"))
    return Seen(
        member.parcel_id, number, row.code, plan.channel.value if plan.channel else "", drawn.text, drawn.segments,
        plan.cost_li, plan.hold_until, why,
    )  # fmt: skip


def start(*, shop_id: int, code: str, key: str, wish: Wish, by: Actor, now: datetime | None = None) -> int:
    """Begin telling all parcels that are in the incident now; the same `key` again is the same run. Raises Refused as
    `check_wish`, and incident_is_over."""
    now = now or clock.now()
    check_wish(wish, by)
    with writing([shop_id]):
        known = TellingRun.objects.filter(shop_id=shop_id, key=key).values_list("id", flat=True).first()
        if known is not None:
            return int(known)
        incident = _incident(shop_id, code)
        rows: list[Row] = [
            {"parcel": row.parcel_id, "number": row.number or row.order_number, "code": row.case_code, "state": "todo"}
            for row in incident_views.members(shop_id, incident.incident_id, limit=MOST)
        ]
        run = TellingRun.objects.create(
            shop_id=shop_id,
            incident_id=incident.incident_id,
            key=key[:40],
            purpose=wish.purpose.value,
            channel=wish.channel.value if wish.channel else "",
            text=wish.text.strip(),
            per_minute=wish.per_minute,
            rows=rows,
            todo=len(rows),
            next_at=now,
            by=by.name,
            operator_id=by.operator_id,
            role=by.role.value if by.role else "",
            at=now,
        )
        said = {"purpose": wish.purpose.value, "parcels": len(rows), "run": run.pk}
        audit.record(shop_id, by.ref, "incident.tell", f"incident:{incident.incident_id}", said)
        hint(RUN, once=f"{RUN}:{run.pk}", shop_id=shop_id, run_id=run.pk)
        return run.pk


def stop(*, shop_id: int, run_id: int, by: Actor, now: datetime | None = None) -> int:
    """Tell nobody more; returns how many were left. What has left stays told."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state != "running":
            return 0
        run.state, run.ended_at, run.next_at = "stopped", now, None
        run.save(update_fields=["state", "ended_at", "next_at"])
        audit.record(shop_id, by.ref, "incident.tell_stop", f"incident:{run.incident_id}", {"run": run.pk})
        return run.todo


def go_on(*, shop_id: int, run_id: int, by: Actor, now: datetime | None = None) -> int:
    """Go on with what was stopped, and try once more what was refused; returns how many rows."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state == "running":
            return 0
        for row in run.rows:
            if row["state"] == "refused":
                row["state"] = "todo"
                row.pop("why", None)
        run.todo = sum(row["state"] == "todo" for row in run.rows)
        if run.todo:
            run.state, run.ended_at, run.next_at = "running", None, now
        run.save()
        return run.todo


def carry_on(*, shop_id: int, run_id: int, now: datetime | None = None) -> int:
    """This minute's rows, one transaction each; returns how many were come to. What dies in between tells nobody
    twice: a row and its notice are written together."""
    now = now or clock.now()
    done = 0
    while done < _share(shop_id, run_id, now) and _one(shop_id, run_id, now):
        done += 1
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        if run.state == "running" and run.next_at is not None and run.next_at <= now:
            run.next_at = now + timedelta(minutes=1)
            if not run.todo:
                run.state, run.ended_at, run.next_at = "done", now, None
            run.save(update_fields=["state", "ended_at", "next_at"])
    return done


def _share(shop_id: int, run_id: int, now: datetime) -> int:
    with reading([shop_id]):
        run = TellingRun.objects.only("state", "next_at", "per_minute").get(shop_id=shop_id, id=run_id)
        due = run.state == "running" and run.next_at is not None and run.next_at <= now
        return run.per_minute if due else 0


def _one(shop_id: int, run_id: int, now: datetime) -> bool:
    """The next row; False when none is left or the run was stopped."""
    with writing([shop_id]):
        run = _locked(shop_id, run_id)
        row = next((row for row in run.rows if row["state"] == "todo"), None)
        if run.state != "running" or row is None:
            return False
        try:
            with transaction.atomic():
                _tell(run, row, now)
            row["state"] = "told"
        except Refused as refused:
            row |= {"state": "refused", "why": {"code": refused.why.code, "params": dict(refused.why.params)}}
        except ObjectDoesNotExist:
            row |= {"state": "refused", "why": {"code": "row_not_done", "params": {}}}
        run.todo = sum(each["state"] == "todo" for each in run.rows)
        run.save(update_fields=["rows", "todo"])
        return True


def _tell(run: TellingRun, row: Row, now: datetime) -> None:
    by = Actor(run.operator_id, run.by, Role(run.role) if run.role else None)
    known = involved(run.shop_id, [row["parcel"]]).get(row["parcel"])
    case_id = known[0] if known else cases.open_case(shop_id=run.shop_id, parcel_id=row["parcel"], now=now, by=by)
    row["code"] = Case.objects.values_list("code", flat=True).get(shop_id=run.shop_id, id=case_id)
    channel = Channel(run.channel) if run.channel else None
    cases.act(
        shop_id=run.shop_id,
        case_id=case_id,
        action=Action.TELL_CUSTOMER,
        by=by,
        now=now,
        carries_out=OWN,
        purpose=run.purpose,
        channel=run.channel,
    )
    wanted = Telling(
        run.shop_id, case_id, Purpose(run.purpose), by, now, channel=channel, delay=TAKE_BACK,
        wording=Wording(run.text, _subject(run)) if run.text else None,
    )  # fmt: skip
    notice = make(wanted)
    row |= {"notice": notice.pk, "channel": notice.channel, "held": notice.state == "held"}


def _subject(run: TellingRun) -> str:
    usual = wordings.wording_of(run.shop_id, Purpose(run.purpose), Channel.EMAIL, Language.ZH)
    return usual.subject


def due(shop_ids: Sequence[int], now: datetime) -> list[tuple[int, int]]:
    """(shop, run) that may go on now."""
    with reading(shop_ids):
        rows = TellingRun.objects.filter(shop_id__in=shop_ids, state="running", next_at__lte=now)
        return list(rows.order_by("id").values_list("shop_id", "id"))


def of_incident(shop_id: int, incident_id: int, limit: int = 10) -> tuple[RunView, ...]:
    """The incident's runs, newest first."""
    with reading([shop_id]):
        rows = TellingRun.objects.filter(shop_id=shop_id, incident_id=incident_id).order_by("-id")[:limit]
        return tuple(
            RunView(
                row.pk, row.purpose, row.channel, row.text, row.per_minute, tuple(row.rows), row.todo, row.state,
                row.by, row.at, row.ended_at,
            )
            for row in rows
        )  # fmt: skip


def _incident(shop_id: int, code: str) -> incident_views.IncidentRow:
    found = incident_views.incident(shop_id, code)
    if found is None or not found.is_open:
        raise Refused("incident_is_over")
    return found


def _locked(shop_id: int, run_id: int) -> TellingRun:
    return TellingRun.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=run_id)
