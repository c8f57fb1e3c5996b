"""Changing cases. One front door each: keyword-only, one transaction, a locked row, an audit entry, `by=`.

The trade decides (`domain.cases.decide`); this writes the decision, its timeline and what it asks of other rooms
together. What it asks is either carried out by the caller in the same transaction (`carries_out`) or kept in the
case's `todo` until a job, or the sweep, does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import facts as case_facts
from bufa.apps.cases import remedy_start
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case, Finding, Statement, TimelineEntry
from bufa.apps.cases.weighing import complete
from bufa.apps.orders.models import Line
from bufa.apps.parcels.models import Parcel, ParcelRole
from bufa.apps.shops.models import Shop
from bufa.domain.cases import (
    Action,
    CaseFacts,
    CaseState,
    Claim,
    ConsentPolicy,
    Decision,
    EffectKind,
    EffectWanted,
    Outcome,
    after,
    decide,
    next_best,
)
from bufa.domain.effects import TAKE_BACK
from bufa.domain.kinds import Measure
from bufa.domain.measures import Items
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check
from bufa.domain.verdict import Source
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.keyset import starts
from bufa.lib.queue import hint
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading, writing

CARRY_OUT = "cases.carry_out"
FINDINGS_CHANGED = "findings_changed"

_SHOP_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Acted:
    """What an action made of a case. `effects` are those that the caller has to carry out (see `carries_out`)."""

    case_id: int
    code: str
    state: CaseState
    round: int
    version: int
    facts: CaseFacts
    effects: tuple[EffectWanted, ...]


def open_case(*, shop_id: int, parcel_id: int, now: datetime | None = None, by: Actor = SYSTEM) -> int:
    """Open a case on an original parcel and return its id; the open one if there is one already.

    Raises Refused `not_an_original` for a reissue's parcel: that belongs to the case it was sent for.
    """
    now = now or clock.now()
    with writing([shop_id]):
        known = Case.objects.filter(shop_id=shop_id, parcel_id=parcel_id).exclude(state=CaseState.CLOSED)
        if found := known.values_list("id", flat=True).first():
            return found
        parcel = Parcel.objects.get(shop_id=shop_id, id=parcel_id)
        if parcel.role != ParcelRole.ORIGINAL:
            raise Refused("not_an_original")
        shop = Shop.objects.select_for_update(of=("self",)).get(id=shop_id)
        policy = ConsentPolicy(shop.policy.get("consent", ConsentPolicy.CARRIER_PAYS))
        case = Case(
            shop_id=shop_id,
            code=_next_code(shop_id, now),
            parcel=parcel,
            order_id=parcel.order_id,
            opened_at=now,
            changed_at=now,
        )
        around = case_facts.look_around(case, now)
        case.facts = {"consent_policy": policy.value}
        _put(case, case_facts.read(case, around), around, now)
        try:
            with transaction.atomic():
                case.save(force_insert=True)
        except IntegrityError:
            # Opened by someone else a moment ago: the database lets only one through.
            return known.values_list("id", flat=True).get()
        Finding.objects.filter(shop_id=shop_id, parcel_id=parcel_id, case=None, state="open").update(case=case)
        write_entry(case, "opened", by, now, {"rule": case.headline})
        audit.record(shop_id, by.ref, "case.open", f"case:{case.pk}", {"code": case.code})
        return case.pk


def _next_code(shop_id: int, now: datetime) -> str:
    """The next case code of the shop's day; the caller holds the shop's row, so none is given twice."""
    prefix = f"C-{now.astimezone(_SHOP_ZONE):%Y%m%d}-"
    return f"{prefix}{Case.objects.filter(starts('code', prefix), shop_id=shop_id).count() + 1:04d}"


def act(
    *,
    shop_id: int,
    case_id: int,
    action: Action,
    by: Actor,
    now: datetime | None = None,
    version: int | None = None,
    carries_out: frozenset[EffectKind] = frozenset(),
    effect_id: int | None = None,
    delay: timedelta = TAKE_BACK,
    **params: Any,
) -> Acted:
    """Do one thing to a case. Parameters by action: see `domain.cases.decide`; what a measure costs, who pays and which
    way it goes are filled in (`weighing.complete`). `delay`: real time in which what it does outside can be taken back.

    `version`: what the person saw; Refused `changed_meanwhile` (by, at) when somebody was faster. Raises Refused with
    the trade's reason otherwise. Case.DoesNotExist for a case that is not this shop's.
    """
    now = now or clock.now()
    with writing([shop_id]):
        case = _lock(shop_id, case_id, version)
        around = case_facts.look_around(case, now)
        facts = case_facts.read(case, around)
        if action is Action.REOPEN:
            _refuse_second_open_case(case)
        said = complete(case, facts, around, action, params, by, now)
        decision = decide(facts, action, role=by.role, now=now, **said)
        new = after(facts, decision.changes)
        if action is Action.CONFIRM_VERDICT:
            case.verdict = {**case.verdict, "confirmed_by": by.name}
        _close_together(case, new, by, now)
        effect_id = _start_remedy(case, facts, new, decision, around, by, now, delay) or effect_id
        wanted = _sort_out(case, decision, carries_out)
        _put(case, new, around, now)
        case.version += 1
        case.save()
        for entry in decision.entries:
            # Free text may name people: it is sealed, and never stands in the entry's data.
            write_entry(case, entry.kind, by, now, entry.why.params, entry.words, effect_id, entry.audience)
        audit.record(shop_id, by.ref, f"case.{action.value}", f"case:{case.pk}", {"state": case.state})
        if case.todo:
            hint(CARRY_OUT, once=f"{CARRY_OUT}:{case.pk}", shop_id=shop_id, case_ids=[case.pk])
        return Acted(case.pk, case.code, new.state, case.round, case.version, new, wanted)


def react(
    *, shop_id: int, case_id: int, event: Action | str, now: datetime | None = None, **params: Any
) -> Acted | None:
    """A fact that came in: an action the system may do, or `findings_changed`. None: it means nothing to this case."""
    if event == FINDINGS_CHANGED:
        return look_again(shop_id=shop_id, case_id=case_id, now=now)
    try:
        return act(shop_id=shop_id, case_id=case_id, action=Action(event), by=SYSTEM, now=now, **params)
    except Refused:
        return None


def look_again(*, shop_id: int, case_id: int, now: datetime | None = None) -> Acted | None:
    """Findings, tickets or money around the case changed: verdict, next best action and deadline are made new.

    A case that nobody has touched and that has nothing wrong any more closes itself as recovered.
    """
    now = now or clock.now()
    with writing([shop_id]):
        case = _lock(shop_id, case_id, None)
        ids = case_facts.parcel_ids(case)
        Finding.objects.filter(shop_id=shop_id, parcel_id__in=ids, case=None).update(case=case)
        if case.state == CaseState.CLOSED:
            return None
        around = case_facts.look_around(case, now)
        facts = case_facts.read(case, around)
        untouched = case.state == CaseState.DETERMINING and not facts.verdict_confirmed and case.owner_id is None
        nothing_left = not around.findings and around.snoozed_until is None and not around.statements
        if untouched and case.round == 1 and nothing_left:
            said_none = Finding.objects.filter(shop_id=shop_id, parcel_id__in=ids, state="dismissed").exists()
            return react(
                shop_id=shop_id,
                case_id=case_id,
                event=Action.CLOSE,
                now=now,
                reason="findings_dismissed" if said_none else "findings_cleared",
                outcome=(Outcome.DISMISSED if said_none else Outcome.RECOVERED).value,
            )
        _put(case, facts, around, now)
        case.save()
        return Acted(case.pk, case.code, facts.state, case.round, case.version, facts, ())


def add_statement(
    *,
    shop_id: int,
    case_id: int,
    source: Source,
    claim: Claim,
    words: str,
    said_at: datetime,
    by: Actor,
    items: Items = (),
    wish: Measure | None = None,
    now: datetime | None = None,
) -> int:
    """Record what the carrier or the customer says; the verdict is weighed again.

    `items`: (line id, quantity) that it is about, () for all of the parcel. `wish`: the measure the customer asks for.
    Raises Refused: tracking_speaks_for_itself, said_in_the_future, items_not_ordered (ordered), wish_is_customers.
    """
    now = (now or clock.now()).astimezone(UTC)
    if source is Source.TRACKING:
        raise Refused("tracking_speaks_for_itself")
    if said_at > now:
        raise Refused("said_in_the_future", said_at=said_at.isoformat())
    if wish is not None and source is not Source.CUSTOMER:
        raise Refused("wish_is_customers")
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        case = _lock(shop_id, case_id, None)
        row = Statement.objects.create(
            shop_id=shop_id,
            case=case,
            source=source.value,
            claim=claim.value,
            words=seal(shop_id, words.encode(), where=statement_place(case_id, now)) if words else b"",
            items=_checked_items(case, items),
            wish=wish.value if wish else "",
            said_at=said_at,
            recorded_at=now,
            by=by.name,
        )
        around = case_facts.look_around(case, now)
        _put(case, case_facts.read(case, around), around, now)
        case.version += 1
        case.save()
        told = {"source": source.value, "claim": claim.value} | ({"measure": wish.value} if wish else {})
        write_entry(case, "statement_wish" if wish else "statement", by, now, told)
        audit.record(shop_id, by.ref, "case.statement", f"case:{case_id}", {"source": source.value})
        return row.pk


def update_facts(*, shop_id: int, case_id: int, now: datetime | None = None, **known: Any) -> None:
    """Let the rooms above say what only they know: `reissue_parcel` (one more parcel of this case), `reissue_code` (our
    number of the newest reissue) and `promise_from` (the first day promised)."""
    now = now or clock.now()
    with writing([shop_id]):
        case = _lock(shop_id, case_id, None)
        if (parcel_id := known.pop("reissue_parcel", None)) is not None:
            there = case.facts.get("reissue_parcels", [])
            case.facts = {**case.facts, "reissue_parcels": [*there, parcel_id] if parcel_id not in there else there}
        if "reissue_code" in known:
            case.facts = {**case.facts, "reissue_code": known.pop("reissue_code")}
        if "promise_from" in known:
            case.facts = {**case.facts, "promise_from": known.pop("promise_from").astimezone(UTC).isoformat()}
        around = case_facts.look_around(case, now)
        _put(case, after(case_facts.read(case, around), known), around, now)
        case.save()


@remembered
def about(*, shop_id: int, case_id: int) -> tuple[CaseFacts, list[int], str]:
    """For the rooms above: the facts, the parcels (original first, newest reissue last) and the claim as weighed."""
    with reading([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        around = case_facts.look_around(case, case.changed_at)
        return case_facts.read(case, around), case_facts.parcel_ids(case), str(case.verdict.get("claim", ""))


@remembered
def kept_facts(*, shop_id: int, case_id: int) -> dict[str, Any]:
    """The row's own facts as JSON, with what other rooms keep beside them."""
    with reading([shop_id]):
        kept: dict[str, Any] = Case.objects.values_list("facts", flat=True).get(shop_id=shop_id, id=case_id)
        return kept


def take_todo(*, shop_id: int, case_id: int) -> tuple[EffectWanted, ...]:
    """Empty a case's to-do list and return it: the caller does these things in the same transaction."""
    with writing([shop_id]):
        case = _lock(shop_id, case_id, None)
        wanted = tuple(EffectWanted(EffectKind(one["kind"]), one["params"]) for one in case.todo)
        if wanted:
            case.todo = []
            case.save(update_fields=["todo"])
        return wanted


def log(
    *,
    shop_id: int,
    case_id: int,
    kind: str,
    by: Actor,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    words: str = "",
    effect_id: int | None = None,
) -> None:
    """A line of the timeline that changes nothing else; `data` holds no buyer data, `words` are sealed."""
    with writing([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        write_entry(case, kind, by, now, data or {}, words, effect_id)


def overtaken(*, shop_id: int, case_id: int, version: int) -> Why | None:
    """Who was faster, and when, where the case is no longer what a person saw; None where it is."""
    with reading([shop_id]):
        case = Case.objects.filter(shop_id=shop_id, id=case_id).exclude(version=version).first()
        return _changed(case).why if case else None


# --- inside ----------------------------------------------------------------------------------------------------------


def _checked_items(case: Case, items: Items) -> list[list[Any]]:
    ordered = dict(Line.objects.filter(shop_id=case.shop_id, order_id=case.order_id).values_list("line_id", "quantity"))
    for line, count in items:
        if not 0 < count <= ordered.get(line, 0):
            raise Refused("items_not_ordered", ordered=ordered.get(line, 0))
    return [[line, count] for line, count in items]


def _lock(shop_id: int, case_id: int, version: int | None) -> Case:
    case = Case.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=case_id)
    if version is not None and case.version != version:
        raise _changed(case)
    return case


def _changed(case: Case) -> Refused:
    last = TimelineEntry.objects.filter(shop_id=case.shop_id, case=case).order_by("-id").first()
    return Refused("changed_meanwhile", by=last.by if last else "", at=case.changed_at.isoformat())


def _refuse_second_open_case(case: Case) -> None:
    others = Case.objects.filter(shop_id=case.shop_id, parcel_id=case.parcel_id).exclude(state=CaseState.CLOSED)
    if other := others.first():
        raise Refused("other_case_open", case_code=other.code)


def _close_together(case: Case, new: CaseFacts, by: Actor, now: datetime) -> None:
    if new.state is CaseState.CLOSED and case.closed_at is None:
        case.closed_at, case.closed_by = now, by.name
    elif new.state is not CaseState.CLOSED:
        case.closed_at, case.closed_by = None, ""


def _start_remedy(
    case: Case,
    before: CaseFacts,
    new: CaseFacts,
    decision: Decision,
    around: case_facts.Around,
    by: Actor,
    now: datetime,
    delay: timedelta,
) -> int | None:
    """What the measure does outside begins with the decision; one that another measure did ends with it."""
    if any(effect.kind is EffectKind.START_REMEDY for effect in decision.effects):
        return remedy_start.begin(case, new, around, by, now, delay).effect_id
    if new.measure is not before.measure or new.outcome is not None:
        remedy_start.stop(case, by, now)
    return None


def _sort_out(case: Case, decision: Decision, carries_out: frozenset[EffectKind]) -> tuple[EffectWanted, ...]:
    """Give the caller what it said it would carry out; keep the rest on the case."""
    own = tuple(effect for effect in decision.effects if effect.kind in carries_out)
    # Reading back needs nobody's hint: an unknown effect carries its own schedule.
    done = (EffectKind.READ_BACK, EffectKind.START_REMEDY)
    rest = [e for e in decision.effects if e.kind not in carries_out and e.kind not in done]
    case.todo = [*case.todo, *({"kind": e.kind.value, "params": dict(e.params)} for e in rest)]
    return own


def _put(case: Case, facts: CaseFacts, around: case_facts.Around, now: datetime) -> None:
    """Write facts and what follows from them (verdict, why, next action, its time) into the row."""
    case_facts.write(case, facts, around, case_facts.weigh_all(around, now))
    best = next_best(facts, now)
    case.why = {"code": best.why.code, "params": dict(best.why.params)}
    case.next_action = best.action.value
    case.waiting_for = best.waiting_for
    case.due_at = case_facts.due(facts, around, best.due)
    case.changed_at = now


def write_entry(
    case: Case,
    kind: str,
    by: Actor,
    now: datetime,
    data: Mapping[str, Any],
    words: str = "",
    effect_id: int | None = None,
    audience: str = "staff",
) -> None:
    """Append one line to a case's timeline."""
    at = now.astimezone(UTC)
    TimelineEntry.objects.create(
        shop_id=case.shop_id,
        case=case,
        kind=kind[:40],
        audience=audience,
        by=by.name,
        at=at,
        data=dict(data),
        words=seal(case.shop_id, words.encode(), where=entry_place(case.pk, kind, at)) if words else b"",
        effect_id=effect_id,
    )


def entry_place(case_id: int, kind: str, at: datetime) -> str:
    """Where a timeline entry's sealed words belong; entries are append-only, so their id can't be part of it."""
    return f"cases_timelineentry.words:{case_id}.{kind[:40]}.{at.astimezone(UTC).isoformat()}"


def statement_place(case_id: int, recorded_at: datetime) -> str:
    """Where a statement's sealed words belong."""
    return f"cases_statement.words:{case_id}.{recorded_at.astimezone(UTC).isoformat()}"
