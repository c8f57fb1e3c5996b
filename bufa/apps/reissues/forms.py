"""The reissue form: what is proposed, what people filled in, and what the gate says to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases.facts import is_late
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.orders.views import AfterSaleView, OrderView, RecipientView, order_view
from bufa.apps.parcels.models import Parcel
from bufa.apps.parcels.numbers import clean_number, is_used
from bufa.apps.parcels.views import ParcelView, parcels_of_order
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import queries as shops
from bufa.apps.shops import stock
from bufa.apps.shops.queries import PickupInfo
from bufa.domain import lanes
from bufa.domain.outcome import Why
from bufa.domain.parcels import ParcelState
from bufa.domain.reissues import (
    Form,
    FormAddress,
    FormItem,
    GateReport,
    RecipientMatch,
    Route,
    TicketFacts,
    choose_route,
    gate,
    needs_ticket,
)
from bufa.domain.stock import gathered, shortages, unknown_goods
from bufa.lib.divisions import divisions
from bufa.lib.tenancy import for_shops

FROM_ORDER, FROM_TICKET = "order", "ticket"


@dataclass(frozen=True, slots=True)
class ReissueForm:
    """What people fill in. `items`: (line id, quantity). `pickup_id`: one of the shop's pickup addresses.
    `delivery`: the order's recipient (`order`) or that of the after-sale ticket (`ticket`)."""

    carrier: str
    number: str
    items: tuple[tuple[str, int], ...]
    pickup_id: int | None
    delivery: str = FROM_ORDER


@dataclass(frozen=True, slots=True)
class Draft:
    """The form as the page opens it: prefilled, with what can be chosen from. `ticket`: the 补寄 ticket it will answer,
    or that waits for an answer; `asks_for_ticket`: without one the platform punishes this order."""

    form: ReissueForm
    order: OrderView
    recipient: RecipientView
    pickups: tuple[PickupInfo, ...]
    ticket: AfterSaleView | None
    route: str
    route_why: Why
    asks_for_ticket: bool
    eta_from: datetime
    eta_to: datetime


@dataclass(frozen=True, slots=True)
class Checked:
    """A form with all that was looked up for it, and the gate's report."""

    form: Form
    report: GateReport
    order: OrderView
    pickup: PickupInfo | None
    ticket: AfterSaleView | None
    asks_for_ticket: bool
    eta_from: datetime
    eta_to: datetime
    known_number: bool

    @property
    def route(self) -> Route:
        return self.report.route


def open_draft(shop_id: int, case_id: int, now: datetime) -> Draft:
    """The form prefilled: what was in the bad parcel, the usual pickup address, the order's recipient, the route."""
    with for_shops([shop_id]):
        case, order, parcels = _case(shop_id, case_id)
        pickups = tuple(shops.pickup_addresses([shop_id]))
        kept = Reissue.objects.filter(shop_id=shop_id, case_id=case_id, state="draft").first()
        _, ids, _ = cases.about(shop_id=shop_id, case_id=case_id)
        bad = next((parcel for parcel in parcels if parcel.parcel_id == ids[-1]), parcels[0])
        items = bad.contents or tuple((line.line_id, line.quantity) for line in order.lines)
        form = ReissueForm(
            carrier=kept.carrier if kept else bad.carrier,
            number=kept.number if kept else "",
            items=tuple((str(line), int(count)) for line, count in kept.contents) if kept else items,
            pickup_id=(kept.pickup_address_id if kept else None) or (pickups[0].pickup_id if pickups else None),
            delivery=str(kept.delivery.get("from", FROM_ORDER)) if kept else FROM_ORDER,
        )
        checked = _check(case, order, parcels, form, now)
        _, why = choose_route(_ticket_facts(checked.ticket), checked.form.shipped, has_api=checked.form.has_api)
        return Draft(
            form=form,
            order=order,
            recipient=order.recipient,
            pickups=pickups,
            ticket=checked.ticket,
            route=checked.route.value,
            route_why=why,
            asks_for_ticket=checked.asks_for_ticket,
            eta_from=checked.eta_from,
            eta_to=checked.eta_to,
        )


def check_form(shop_id: int, case_id: int, form: ReissueForm, now: datetime) -> Checked:
    """Look everything up and let the gate judge; changes nothing."""
    with for_shops([shop_id]):
        case, order, parcels = _case(shop_id, case_id)
        return _check(case, order, parcels, form, now)


def _case(shop_id: int, case_id: int) -> tuple[CaseRow, OrderView, tuple[ParcelView, ...]]:
    case = cases_by_id([shop_id], [case_id])[case_id]
    order = order_view(shop_id, case.order_id)
    if order is None:
        raise LookupError(f"case {case.code} has no order")
    return case, order, parcels_of_order(shop_id, case.order_id)


def _check(
    case: CaseRow, order: OrderView, parcels: tuple[ParcelView, ...], form: ReissueForm, now: datetime
) -> Checked:
    shop_id = case.shop_id
    carrier, number = form.carrier.strip(), clean_number(form.number)
    pickup = next((one for one in shops.pickup_addresses([shop_id]) if one.pickup_id == form.pickup_id), None)
    has_api = shops.connection(shop_id, "doudian") is not None
    ticket = order.resend_ticket(8) or order.resend_ticket(6, 27)
    shipped = any(parcel.number and parcel.role == "original" for parcel in parcels)
    late = is_late(shop_id, order.order_id)
    own = _tried_before(case, carrier, number)
    known = Parcel.objects.filter(shop_id=shop_id, carrier=carrier, number=number).first() if number else None
    ordered = {line.line_id: line.quantity for line in order.lines}
    filled = Form(
        order_number=order.number,
        carrier=carrier,
        number=number,
        pickup=_pickup_address(pickup),
        delivery=_delivery_address(order.recipient),
        recipient=_match(order, form.delivery),
        items=tuple(FormItem(line, count, ordered.get(line, 0)) for line, count in form.items if count),
        original_numbers=frozenset(parcel.number for parcel in parcels if parcel.number and parcel.role == "original"),
        original_carrier=case.carrier,
        used_before=None if not number else (not own and is_used(carrier, number)),
        order_is_late=late,
        shipped=shipped,
        ticket=_ticket_facts(ticket),
        has_api=has_api,
        collected_at=ParcelState.from_json(known.state).collected_at if known else None,
        paid_at=order.paid_at,
        order_status=order.status,
        **_on_the_shelf(order, form.items),
    )
    eta = lanes.eta(carrier, pickup.province if pickup else "", order.recipient.province, None, now)
    agreed = ticket is not None and ticket.status == 8
    return Checked(
        form=filled,
        report=gate(filled, now, divisions()),
        order=order,
        pickup=pickup,
        ticket=ticket,
        asks_for_ticket=has_api and needs_ticket(late, shipped) and not agreed,
        eta_from=eta.p50,
        eta_to=eta.p90,
        known_number=own,
    )


def _tried_before(case: CaseRow, carrier: str, number: str) -> bool:
    """This very case tried the number and the platform has not taken it: it may be tried again."""
    mine = Reissue.objects.filter(shop_id=case.shop_id, case_id=case.case_id, carrier=carrier, number=number)
    return bool(number) and mine.filter(state__in=["rejected", "cancelled"]).exists()


def goods_wanted(order: OrderView, items: Iterable[tuple[str, int]]) -> dict[stock.Goods, int]:
    """Items of an order as goods on the shelf, pieces by goods."""
    lines = {line.line_id: stock.Goods(line.sku_id, line.title, line.spec) for line in order.lines}
    wanted: dict[stock.Goods, int] = {}
    for line_id, pieces in items:
        if pieces > 0 and line_id in lines:
            wanted[lines[line_id]] = wanted.get(lines[line_id], 0) + pieces
    return wanted


def _on_the_shelf(order: OrderView, items: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """What the gate is told of the shelf. Goods found under two names of one order are counted together."""
    wanted = goods_wanted(order, items)
    there = stock.levels(order.shop_id, list(wanted))
    if not there and not stock.is_kept(order.shop_id):
        return {"short": (), "uncounted": None}
    named = {goods: goods.label for goods in wanted}
    pieces = gathered([(named[goods], count) for goods, count in wanted.items()])
    levels = {named[goods]: level for goods, level in there.items()}
    return {"short": shortages(pieces, levels), "uncounted": unknown_goods(pieces, levels)}


def _ticket_facts(ticket: AfterSaleView | None) -> TicketFacts | None:
    return TicketFacts(ticket.number, ticket.status, ticket.deadline) if ticket else None


def _pickup_address(pickup: PickupInfo | None) -> FormAddress:
    if pickup is None:
        return FormAddress()
    return FormAddress(
        province=pickup.province,
        city=pickup.city,
        district=pickup.district,
        has_detail=bool(pickup.detail),
        has_name=bool(pickup.contact),
        has_phone=bool(pickup.phone),
        address_id=pickup.platform_id,
    )


def _delivery_address(recipient: RecipientView) -> FormAddress:
    whole = recipient.has_plain or recipient.has_cipher
    return FormAddress(
        province=recipient.province,
        city=recipient.city,
        district=recipient.district,
        has_detail=bool(recipient.address_mask) or whole,
        has_name=bool(recipient.name_mask) or whole,
        has_phone=bool(recipient.phone_mask) or whole,
        from_platform=recipient.has_cipher or bool(recipient.open_address_id),
    )


def _match(order: OrderView, delivery: str) -> RecipientMatch:
    """The waybill goes to the order's own recipient, or to the one the customer named in the ticket: unknown to us."""
    if delivery != FROM_ORDER:
        return RecipientMatch(order_open_address_id=order.recipient.open_address_id)
    index = order.recipient.blind_index
    same = order.recipient.open_address_id
    return RecipientMatch(same, same, index, index)
