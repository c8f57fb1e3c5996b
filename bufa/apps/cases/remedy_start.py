"""What a chosen measure wants done outside, from the case's side: which way it goes, and the row that keeps it.

Written in the transaction of the decision. Ways: the platform's own after-sale by its API, or a person's hand.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.facts import Around, parcel_ids
from bufa.apps.cases.models import Case, Remedy
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import EffectKind
from bufa.apps.orders.models import AfterSale
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.models import Connection
from bufa.domain.cases import CaseFacts, Claim, RemedyState
from bufa.domain.kinds import Measure
from bufa.domain.measures import agree_refund_by

LIVE = ("under_way", "todo", "unknown")
REFUSED_TO_SIGN = 203
"""Agreeing a refund-only after the buyer refused the parcel has a number of its own (doudian-openapi §9.4)."""


def way(shop_id: int, around: Around, measure: Measure | None) -> AfterSale | None:
    """The after-sale through which the platform does this by itself; None: a person has to."""
    if measure not in (Measure.REFUND, Measure.INTERCEPT):
        return None
    ticket = around.refund_ticket if measure is Measure.REFUND else around.any_ticket
    if ticket is None or not Connection.objects.filter(shop_id=shop_id, kind="doudian").exclude(state="off").exists():
        return None
    return ticket


def begin(case: Case, facts: CaseFacts, around: Around, by: Actor, now: datetime, delay: timedelta) -> Remedy:
    """The row of what is to be done; its effect with it where the platform does it. Earlier ones are taken back."""
    stop(case, by, now)
    measure = facts.measure
    if measure is None:
        raise ValueError("there is no measure to begin")
    ticket = way(case.shop_id, around, measure)
    row = Remedy.objects.create(
        shop_id=case.shop_id,
        case=case,
        round=facts.round,
        measure=measure.value,
        state=(RemedyState.UNDER_WAY if ticket else RemedyState.TODO).value,
        amount_fen=facts.amount_fen or 0,
        payer=facts.payer.value if facts.payer else "",
        by=by.name,
        asked_at=now,
    )
    if ticket is not None:
        want(row, ticket, facts, by, delay)
    return row


def want(row: Remedy, ticket: AfterSale, facts: CaseFacts, by: Actor, delay: timedelta) -> None:
    """Let the platform do it: one effect, with ten seconds to take it back."""
    order = ticket.order.number
    intent: dict[str, Any] = {"after_sale": ticket.number, "update_time": ticket.update_time, "order": order}
    if row.measure == Measure.INTERCEPT:
        kind = EffectKind.INTERCEPT
        parcel = Parcel.objects.get(shop_id=row.shop_id, id=parcel_ids(row.case)[-1])
        intent |= {"carrier": parcel.carrier, "number": parcel.number}
    else:
        kind = EffectKind.AGREE_REFUND
        refused = facts.claim is Claim.REFUSED and (ticket.type, ticket.status) == (1, 6)
        intent["kind"] = REFUSED_TO_SIGN if refused else agree_refund_by(ticket.type, ticket.status)
    row.ticket, row.state = ticket.number, RemedyState.UNDER_WAY.value
    # What was refused, taken back or not there may be asked for again; the row's state lets only one ask at a time.
    row.effect_id = effects.want(
        shop_id=row.shop_id,
        kind=kind,
        key=f"remedy:{row.pk}:{ticket.update_time}:{row.effect_id or 0}",
        lane=f"order:{order}",
        subject=f"remedy:{row.pk}",
        intent=intent,
        by=by.name,
        delay=delay,
    )
    row.save(update_fields=["ticket", "state", "effect_id"])


def stop(case: Case, by: Actor, now: datetime) -> None:
    """Another measure was chosen: what has not left is taken back; the machine lets nothing else get here."""
    for row in Remedy.objects.select_for_update(of=("self",)).filter(case=case, shop_id=case.shop_id, state__in=LIVE):
        if row.effect_id is not None and row.state == RemedyState.UNDER_WAY:
            effects.cancel(shop_id=case.shop_id, effect_id=row.effect_id, by=by.name)
        row.state, row.done_at, row.done_by = "cancelled", now, by.name
        row.save(update_fields=["state", "done_at", "done_by"])
