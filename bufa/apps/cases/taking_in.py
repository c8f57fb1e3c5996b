"""The one front door for facts: recorded, folded, judged, and turned into findings and case moves, in one transaction.

Whoever brings facts (pushes, polls, files, the sweep) calls `take_in` once per batch or `rejudge`, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError

from bufa.apps.cases import actions, findings, queries, remedies
from bufa.apps.cases.incidents import HELPED
from bufa.apps.cases.models import Case
from bufa.apps.orders import actions as orders_in
from bufa.apps.orders import queries as orders_q
from bufa.apps.parcels import boxes, recording, taking, templates, told, watching
from bufa.apps.parcels.models import Parcel, ParcelRole
from bufa.apps.parcels.recording import Heard, Moved
from bufa.apps.shops import queries as shops
from bufa.domain import rulebook, teaching
from bufa.domain.buyer_words import says_not_received
from bufa.domain.cases import Action, CaseState
from bufa.domain.kinds import Kind, Stage
from bufa.domain.rulebook import Fact
from bufa.domain.watch import judge
from bufa.integrations.ports import AfterSaleFact, OrderFact, TrackReport
from bufa.lib.tenancy import writing

log = logging.getLogger(__name__)

_ON_ITS_WAY = frozenset(
    {Kind.COLLECTED, Kind.ARRIVED_HUB, Kind.IN_TRANSIT, Kind.ARRIVED_DESTINATION, Kind.OUT_FOR_DELIVERY}
)


@dataclass(slots=True)
class TakenIn:
    """What a batch came to. `unknown`: reports about numbers that no parcel has; the caller keeps their messages.
    `missing_orders`: numbers of orders that after-sales named and we don't have."""

    order_ids: dict[str, int] = field(default_factory=dict)
    missing_orders: list[str] = field(default_factory=list)
    unknown: list[TrackReport] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    new_scans: int = 0
    opened_findings: int = 0
    case_ids: set[int] = field(default_factory=set)


def take_in(
    *,
    shop_id: int,
    orders: Sequence[OrderFact] = (),
    after_sales: Sequence[AfterSaleFact] = (),
    reports: Sequence[TrackReport | Heard] = (),
    now: datetime,
    by: str = "system",
    source: str = orders_in.FROM_PLATFORM,
) -> TakenIn:
    """Take a batch of facts in, all of it or nothing. A repeated batch changes nothing.

    A report without its own time of arrival arrived `now`. `source` is where orders come from: "doudian" or "file".
    """
    result = TakenIn()
    with writing([shop_id]):
        recorded = orders_in.record(shop_id, orders, now, source=source)
        result.order_ids = recorded.order_ids
        ensured = boxes.ensure(
            shop_id, recorded.accepted, recorded.order_ids, now, from_platform=source != orders_in.FROM_FILE, by=by
        )
        result.touched |= ensured.touched
        ticketed = _after_sales(shop_id, after_sales, now, result)
        heard = [one if isinstance(one, Heard) else Heard(one, now) for one in reports]
        scans = recording.record_scans(shop_id, heard, now)
        result.unknown = [one.report for one in scans.unknown]
        result.new_scans = scans.new_scans
        result.touched |= {moved.parcel_id for moved in scans.moved}
        rows = watching.load(shop_id, result.touched, now, moved=scans.moved)
        changed = _judge(shop_id, rows, now, result, scans.moved)
        _tell_cases(shop_id, changed, scans.moved, ticketed, now, result)
    return result


def rejudge(*, shop_id: int, taken: Iterable[taking.Due], now: datetime) -> TakenIn:
    """Judge parcels whose deadline came, if it is still the one that was taken (see `taking.take_due`).

    All at once, and then their lease ends; when one of them can't be judged, one by one, so that it holds up nobody
    else. It is logged, and taken again when the lease is over.
    """
    mine = [due for due in taken if due.shop_id == shop_id]
    deadlines: dict[int, datetime] = {due.parcel_id: due.deadline for due in mine}
    try:
        return _rejudge(shop_id, deadlines, now, {due.lease_id for due in mine if due.lease_id})
    except OperationalError:
        raise
    except Exception:
        if len(deadlines) == 1:
            log.exception("a parcel cannot be judged", extra={"shop_id": shop_id, "parcel_id": next(iter(deadlines))})
            return TakenIn()
    together = TakenIn()
    for parcel_id, deadline in deadlines.items():
        one = rejudge(shop_id=shop_id, taken=[taking.Due(shop_id, parcel_id, deadline)], now=now)
        together.touched |= one.touched
        together.case_ids |= one.case_ids
        together.opened_findings += one.opened_findings
    return together


def _rejudge(shop_id: int, deadlines: Mapping[int, datetime], now: datetime, leases: Collection[int]) -> TakenIn:
    result = TakenIn()
    with writing([shop_id]):
        rows = taking.still_due(watching.load(shop_id, deadlines, now), deadlines)
        result.touched = {row.watched.parcel_id for row in rows}
        changed = _judge(shop_id, rows, now, result)
        _tell_cases(shop_id, changed, (), (), now, result)
        taking.release(shop_id, leases)
    return result


def judge_again(*, shop_id: int, parcel_ids: Iterable[int], now: datetime) -> TakenIn:
    """Judge parcels whatever their deadline: the shop's policy, an order or a case around them changed."""
    result = TakenIn(touched=set(parcel_ids))
    with writing([shop_id]):
        changed = _judge(shop_id, watching.load(shop_id, result.touched, now), now, result)
        _tell_cases(shop_id, changed, (), (), now, result)
    return result


def reread(*, shop_id: int, now: datetime, limit: int = 200) -> TakenIn | None:
    """Read some parcels again whose texts were taught, or are not any more (`parcels.templates`): their scans, their
    state, their findings and cases, together. None when none is left."""
    result = TakenIn()
    with writing([shop_id]):
        found = templates.next_to_reread(shop_id, limit)
        if found is None:
            return None
        readings = templates.readings_of(shop_id)
        moved = recording.read_again(shop_id, found[1], lambda scan: teaching.reread(scan, readings))
        result.touched = {one.parcel_id for one in moved}
        rows = watching.load(shop_id, result.touched, now, moved=moved)
        changed = _judge(shop_id, rows, now, result, moved)
        _tell_cases(shop_id, changed, moved, (), now, result)
    return result


def _after_sales(shop_id: int, facts: Sequence[AfterSaleFact], now: datetime, result: TakenIn) -> list[int]:
    """Tickets in; the parcel of a resend that was shipped elsewhere is followed like any other. Returns order ids."""
    order_ids, result.missing_orders = orders_in.record_after_sales(shop_id, facts, now)
    for fact in facts:
        if fact.resend_number and fact.resend_carrier and fact.order_number not in result.missing_orders:
            order_id = orders_q.ids_of(shop_id, [fact.order_number])[fact.order_number]
            parcel_id = boxes.add_reissue(
                shop_id=shop_id,
                order_id=order_id,
                carrier=fact.resend_carrier,
                number=fact.resend_number,
                uploaded_at=fact.updated_at,
                now=now,
            )
            result.touched.add(parcel_id)
    _not_received(shop_id, facts, now, result)
    return order_ids


def _not_received(shop_id: int, facts: Sequence[AfterSaleFact], now: datetime, result: TakenIn) -> None:
    """A ticket that says nothing came, about a parcel that was signed for: the customer and the track contradict."""
    said = {one.order_number: one.applied_at or now for one in facts if says_not_received(one.reason)}
    if not said:
        return
    rows = Parcel.objects.filter(shop_id=shop_id, order__number__in=list(said), stage=Stage.DELIVERED)
    signed = list(rows.order_by("id").values_list("id", "order__number"))
    news = [(parcel_id, Fact.NOT_RECEIVED, said[number]) for parcel_id, number in signed]
    told.put(shop_id, news, source=told.AFTER_SALE, by="system", now=now, keep=True)
    result.touched |= {parcel_id for parcel_id, _ in signed}


def _judge(
    shop_id: int,
    rows: Sequence[watching.ToJudge],
    now: datetime,
    result: TakenIn,
    moved: Sequence[Moved] = (),
) -> _Changed:
    book, policy = rulebook.load(), shops.policy(shop_id, now)
    judged = [(row, judge(row.watched, book, policy, now)) for row in rows]
    newest = {row.watched.parcel_id: row.watched.state.newest_at for row in rows}
    settled = findings.settle(shop_id, [(row.watched.parcel_id, said) for row, said in judged], now, newest)
    money = watching.write(shop_id, judged, settled.wakes, moved)
    result.opened_findings += settled.opened
    return _Changed(settled, set(money))


@dataclass(frozen=True, slots=True)
class _Changed:
    """`findings` as they were settled; `money`: parcels whose risk changed."""

    findings: findings.Settled
    money: set[int]


def _tell_cases(
    shop_id: int,
    changed: _Changed,
    moved: Sequence[Moved],
    ticketed: Sequence[int],
    now: datetime,
    result: TakenIn,
) -> None:
    """Open cases for parcels that need work; let open ones know what happened to their parcels."""
    about = changed.findings.changed | changed.money | {one.parcel_id for one in moved}
    known = queries.involved(shop_id, sorted(about))
    for parcel_id in sorted(changed.findings.need_work - set(known)):
        if (case_id := _open_case(shop_id, parcel_id, now)) is not None:
            result.case_ids.add(case_id)
    for one in moved:
        if one.parcel_id in known:
            case_id, is_reissue = known[one.parcel_id]
            _moved(shop_id, case_id, one, is_reissue=is_reissue, now=now)
            result.case_ids.add(case_id)
    for parcel_id in sorted((changed.findings.changed | changed.money) & set(known)):
        case_id, is_reissue = known[parcel_id]
        if is_reissue and parcel_id in changed.findings.need_work:
            actions.react(shop_id=shop_id, case_id=case_id, event=Action.REISSUE_WRONG, now=now)
        actions.react(shop_id=shop_id, case_id=case_id, event=actions.FINDINGS_CHANGED, now=now)
        result.case_ids.add(case_id)
    with_ticket = Case.objects.filter(shop_id=shop_id, order_id__in=ticketed).exclude(state=CaseState.CLOSED)
    for case_id in with_ticket.order_by("id").values_list("id", flat=True):
        remedies.settle_by_ticket(shop_id=shop_id, case_id=case_id, now=now)
        if case_id not in result.case_ids:
            actions.react(shop_id=shop_id, case_id=case_id, event=actions.FINDINGS_CHANGED, now=now)
            result.case_ids.add(case_id)


def _open_case(shop_id: int, parcel_id: int, now: datetime) -> int | None:
    """The case of a parcel that needs work and has none; None where the buyer was helped in another way already."""
    row = Parcel.objects.only("role", "order_id").get(shop_id=shop_id, id=parcel_id)
    if row.role == ParcelRole.ORIGINAL:
        helped = Case.objects.filter(shop_id=shop_id, parcel_id=parcel_id, state=CaseState.CLOSED, outcome__in=HELPED)
        # A lost box stays lost; once its reissue is there, nobody waits for it any more.
        return None if helped.exists() else actions.open_case(shop_id=shop_id, parcel_id=parcel_id, now=now)
    originals = Parcel.objects.filter(shop_id=shop_id, order_id=row.order_id, role=ParcelRole.ORIGINAL)
    original = originals.order_by("id").values_list("id", flat=True).first()
    if original is None:
        return None
    case_id = actions.open_case(shop_id=shop_id, parcel_id=original, now=now)
    actions.update_facts(shop_id=shop_id, case_id=case_id, now=now, reissue_parcel=parcel_id)
    return case_id


def _moved(shop_id: int, case_id: int, one: Moved, *, is_reissue: bool, now: datetime) -> None:
    """What the new scans of a parcel mean to its case."""
    if one.stage is Stage.DELIVERED and one.stage_before is not Stage.DELIVERED:
        event = Action.REISSUE_DELIVERED if is_reissue else Action.PARCEL_DELIVERED
        actions.react(shop_id=shop_id, case_id=case_id, event=event, now=now)
        return
    if not is_reissue and _came_back(one):
        actions.react(shop_id=shop_id, case_id=case_id, event=Action.PARCEL_CAME_BACK, now=now, stage=one.stage.value)
        return
    newest, before = one.state.newest_kind, one.before.newest_kind
    went_on = newest is not None and (before is None or newest.at > before.at) and Kind(newest.value) in _ON_ITS_WAY
    if went_on and not is_reissue:
        actions.react(shop_id=shop_id, case_id=case_id, event=Action.PARCEL_MOVED, now=now)


def _came_back(one: Moved) -> bool:
    """Has the parcel turned round, or reached the shop again, with this batch?"""
    back = (Stage.RETURNING, Stage.RETURNED)
    return one.stage in back and one.stage is not one.stage_before
