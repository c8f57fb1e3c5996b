"""Refunds, payments and interceptions on their way: what became of them, and what people do about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases import facts as case_facts
from bufa.apps.cases import remedy_start
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case, LedgerLine, Remedy
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectState
from bufa.apps.orders.models import AfterSale
from bufa.domain.cases import Action, Payer, RemedyState
from bufa.domain.effects import TAKE_BACK, Result
from bufa.domain.kinds import Measure
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.tenancy import writing

_BY_EFFECT = {
    EffectState.ACCEPTED: RemedyState.DONE,
    EffectState.REJECTED: RemedyState.FAILED,
    EffectState.UNKNOWN: RemedyState.UNKNOWN,
    EffectState.CANCELLED: RemedyState.TODO,
}
_PAYS_BACK, _SUCCESS = (0, 1, 2), 12
_KINDS = {Measure.REFUND: "refund", Measure.COMPENSATE: "compensation"}


def by_platform(
    *, shop_id: int, case_id: int, by: Actor, now: datetime | None = None, delay: timedelta = TAKE_BACK
) -> int:
    """Do by the platform's after-sale what waits for a person or has failed: a ticket came, or changed meanwhile.

    Returns the effect's id. Raises Refused: no_remedy_waits, no_such_ticket.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.OPERATE_AFTERSALE)
    with writing([shop_id]):
        row = _newest(shop_id, case_id)
        around = case_facts.look_around(row.case, now)
        facts = case_facts.read(row.case, around)
        ticket = remedy_start.way(shop_id, around, facts.measure)
        if ticket is None:
            raise Refused("no_such_ticket")
        cost, limit = ticket.refund_fen, facts.approve_over_fen
        if row.measure == Measure.REFUND and limit is not None and cost > max(limit, row.amount_fen):
            # What was approved, or needed no approval, was less than what the ticket would pay.
            raise Refused("approval_needed", measure=row.measure, cost_fen=cost, limit_fen=limit)
        if row.measure == Measure.REFUND and ticket.refund_fen:
            row.amount_fen = ticket.refund_fen
            row.save(update_fields=["amount_fen"])
        remedy_start.want(row, ticket, facts, by, delay)
        _tell_moved(row, RemedyState.UNDER_WAY, by, now, ticket=ticket.number)
        return row.effect_id or 0


def done_by_hand(
    *,
    shop_id: int,
    case_id: int,
    by: Actor,
    reference: str = "",
    amount_fen: int | None = None,
    version: int | None = None,
    now: datetime | None = None,
) -> None:
    """A person paid it back, or had the parcel stopped. `amount_fen`: what it was in the end, else as decided.

    Raises Refused: no_remedy_waits, amount_not_positive, approval_needed when more was paid than one person may.
    """
    now = now or clock.now()
    with writing([shop_id]):
        row = _newest(shop_id, case_id)
        if amount_fen is not None:
            _check_amount(row, amount_fen, now)
            row.amount_fen = amount_fen
        row.reference = reference.strip()[:80]
        _done(row, by, now, version=version)


def _check_amount(row: Remedy, amount_fen: int, now: datetime) -> None:
    if amount_fen <= 0:
        raise Refused("amount_not_positive")
    limit = case_facts.look_around(row.case, now).policy.approve_over_fen
    if limit is not None and amount_fen > max(limit, row.amount_fen):
        raise Refused("approval_needed", measure=row.measure, cost_fen=amount_fen, limit_fen=limit)


def take_back(*, shop_id: int, remedy_id: int, by: Actor, now: datetime | None = None) -> None:
    """Stop it before it leaves: it waits for a person then. Raises Refused `already_left`."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.OPERATE_AFTERSALE)
    with writing([shop_id]):
        row = Remedy.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=remedy_id)
        if row.effect_id is None or not effects.cancel(shop_id=shop_id, effect_id=row.effect_id, by=by.name):
            raise Refused("already_left")
        _move(row, RemedyState.TODO, by, now, {"taken_back_by": by.name})
        audit.record(shop_id, by.ref, "remedy.take_back", f"remedy:{row.pk}")


def release(*, shop_id: int, remedy_id: int, is_done: bool, by: Actor, now: datetime | None = None) -> None:
    """A person looked at the platform: it is done there, or it is not. Settles the unknown effect with it."""
    if by.role is not None:
        check(by.role, Permission.SETTLE_EFFECT)
    with writing([shop_id]):
        row = Remedy.objects.get(shop_id=shop_id, id=remedy_id)
        result = Result.ACCEPTED if is_done else Result.REJECTED
        error = {} if is_done else {"why": "person_says_absent"}
        settled = effects.settle(shop_id=shop_id, effect_id=row.effect_id or 0, result=result, by=by.name, error=error)
        on_effect(settled, by=by, now=now)
        audit.record(shop_id, by.ref, "remedy.release", f"remedy:{row.pk}", {"done": is_done})


def settle_by_ticket(*, shop_id: int, case_id: int, now: datetime) -> bool:
    """A refund that waits for a person, or failed, was done at the platform meanwhile: by the platform's own clock, or
    by somebody in its back office. True when the case learned it."""
    with writing([shop_id]):
        try:
            row = _newest(shop_id, case_id)
        except Refused:
            return False
        paid = AfterSale.objects.filter(
            shop_id=shop_id,
            order_id=row.case.order_id,
            type__in=_PAYS_BACK,
            status=_SUCCESS,
            recorded_at__gte=row.asked_at,
        ).first()
        if row.measure != Measure.REFUND or paid is None:
            return False
        row.ticket, row.amount_fen = paid.number, paid.refund_fen or row.amount_fen
        _done(row, SYSTEM, now, ticket=paid.number)
        return True


def on_effect(settled: Settled, *, by: Actor = SYSTEM, now: datetime | None = None) -> None:
    """What the platform made of it. An interception that it takes on is believed when the track says so, too."""
    state = _BY_EFFECT.get(EffectState(settled.state))
    if state is None or state is RemedyState.TODO:
        return
    with writing([settled.shop_id]):
        row = Remedy.objects.select_for_update(of=("self",)).get(shop_id=settled.shop_id, id=settled.owner[1])
        if row.effect_id != settled.effect_id or row.state in (state.value, RemedyState.DONE):
            return
        now = now or clock.now()
        if state is RemedyState.DONE:
            _done(row, by, now, fee_fen=int(settled.outcome.get("cost_fen") or 0), effect_id=settled.effect_id)
            return
        row.why = str(settled.error.get("text") or settled.error.get("why") or "")[:200]
        said = {"why": settled.error.get("why", ""), "said": row.why}
        _move(row, state, by, now, said if state is RemedyState.FAILED else {})


def _done(row: Remedy, by: Actor, now: datetime, *, fee_fen: int = 0, version: int | None = None, **told: Any) -> None:
    """It has happened: the row, the money and the case say so together."""
    row.state, row.done_at, row.done_by = RemedyState.DONE.value, now, by.name
    row.save()
    _to_ledger(row, by, now, fee_fen)
    cases.act(
        shop_id=row.shop_id,
        case_id=row.case_id,
        action=Action.REMEDY_DONE,
        by=by,
        now=now,
        version=version,
        measure=Measure(row.measure),
        paid_fen=row.amount_fen,
        **told,
    )


def _move(row: Remedy, state: RemedyState, by: Actor, now: datetime, told: Mapping[str, str]) -> None:
    row.state = state.value
    row.save(update_fields=["state", "why"])
    _tell_moved(row, state, by, now, **told)


def _tell_moved(row: Remedy, state: RemedyState, by: Actor, now: datetime, **told: Any) -> None:
    cases.act(
        shop_id=row.shop_id,
        case_id=row.case_id,
        action=Action.REMEDY_MOVED,
        by=by,
        now=now,
        effect_id=row.effect_id,
        remedy=state,
        measure=Measure(row.measure),
        **told,
    )


def _newest(shop_id: int, case_id: int) -> Remedy:
    """What the case's measure waits for, locked."""
    case = Case.objects.get(shop_id=shop_id, id=case_id)
    rows = Remedy.objects.select_for_update(of=("self",)).select_related("case")
    row = rows.filter(shop_id=shop_id, case_id=case_id, round=case.round, measure=case.measure).order_by("-id").first()
    if row is None or row.state not in ("todo", "failed"):
        raise Refused("no_remedy_waits")
    return row


def _to_ledger(row: Remedy, by: Actor, now: datetime, fee_fen: int = 0) -> None:
    """Money that moved, once: what was paid back or paid, or what calling the parcel back costs."""
    kind, amount = _KINDS.get(Measure(row.measure), "intercept_fee"), row.amount_fen
    if row.measure == Measure.INTERCEPT:
        amount = fee_fen
    if amount <= 0:
        return
    payer = row.payer or Payer.SHOP.value
    LedgerLine.objects.create(
        shop_id=row.shop_id,
        case_id=row.case_id,
        remedy=row,
        kind=kind,
        amount_fen=amount,
        payer=payer,
        at=now,
        by=by.name,
    )
    told = {"kind": kind, "amount_fen": amount, "payer": payer}
    audit.record(row.shop_id, by.ref, "ledger.add", f"case:{row.case_id}", told)
