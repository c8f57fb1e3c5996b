"""The reissue form: what is proposed, what people filled in, and what the gate says to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases.facts import late_orders
from bufa.apps.cases.queries import cases_by_id, reported_items
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.effects import queries as effects
from bufa.apps.orders import address_changes
from bufa.apps.orders.address_changes import ChangeView
from bufa.apps.orders.views import AfterSaleView, OrderView, RecipientView
from bufa.apps.parcels import lane_counts
from bufa.apps.parcels.models import Parcel
from bufa.apps.parcels.numbers import clean_number, used_among
from bufa.apps.reissues import basis, deliveries, ranges
from bufa.apps.reissues.basis import Basis
from bufa.apps.reissues.deliveries import FROM_ORDER
from bufa.apps.reissues.models import Reissue
from bufa.apps.reissues.ranges import Way
from bufa.apps.shops import pauses, stock
from bufa.apps.shops import queries as shops
from bufa.apps.shops.queries import PickupInfo
from bufa.domain import lanes
from bufa.domain.calendars import Area, Pause
from bufa.domain.outcome import Why
from bufa.domain.parcels import ParcelState
from bufa.domain.reach import UNASKED, Coverage, Reach, closed_now
from bufa.domain.reissues import (
    Form,
    FormAddress,
    FormItem,
    GateReport,
    Route,
    TicketFacts,
    choose_route,
    gate,
    needs_ticket,
)
from bufa.domain.stock import Level, gathered, shortages, unknown_goods
from bufa.lib.divisions import divisions
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class ReissueForm:
    """What people fill in. `items`: (line id, quantity). `pickup_id`: one of the shop's pickup addresses.
    `delivery`: the order's recipient (`order`), that of the after-sale ticket (`ticket`) or a recorded change
    (`change:<id>`)."""

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
    changes: tuple[ChangeView, ...]
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
    way: Way

    @property
    def asks_range(self) -> bool:
        """Whether the platform is being asked about the carrier's range: look again in a moment."""
        return self.form.reach.coverage in (Coverage.WAITING, Coverage.NOT_ASKED) and self.way.pickup_id > 0

    @property
    def route(self) -> Route:
        return self.report.route


@remembered
def open_draft(shop_id: int, case_id: int, now: datetime) -> Draft:
    """The form prefilled: what was in the bad parcel, the usual pickup address, the order's recipient, the route."""
    with reading([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        found = basis.read(shop_id, [case])
        order, parcels = found.order_of(case_id), found.parcels[case.order_id]
        kept = Reissue.objects.filter(shop_id=shop_id, case_id=case_id, state="draft").first()
        _, ids, _ = cases.about(shop_id=shop_id, case_id=case_id)
        bad = next((parcel for parcel in parcels if parcel.parcel_id == ids[-1]), parcels[0])
        items = reported_items(shop_id, case_id, now) or found.in_the_box(case.order_id, bad.parcel_id)
        changes = found.changes.get(case.order_id, ())
        form = ReissueForm(
            carrier=kept.carrier if kept else bad.carrier,
            number=kept.number if kept else "",
            items=tuple((str(line), int(count)) for line, count in kept.contents) if kept else items,
            pickup_id=(kept.pickup_address_id if kept else None) or found.usual_pickup,
            delivery=deliveries.proposed(kept.delivery if kept else {}, changes),
        )
        checked = check_forms(shop_id, [(case_id, form)], now, found)[0]
        _, why = choose_route(
            _ticket_facts(checked.ticket),
            checked.form.shipped,
            has_api=checked.form.has_api,
            denied=checked.form.denied,
        )
        return Draft(
            form=form,
            order=order,
            recipient=order.recipient,
            pickups=found.pickups,
            changes=changes,
            ticket=checked.ticket,
            route=checked.route.value,
            route_why=why,
            asks_for_ticket=checked.asks_for_ticket,
            eta_from=checked.eta_from,
            eta_to=checked.eta_to,
        )


def check_form(shop_id: int, case_id: int, form: ReissueForm, now: datetime) -> Checked:
    """Look everything up and let the gate judge; changes nothing. Raises LookupError for a case of nobody's."""
    return check_forms(shop_id, [(case_id, form)], now)[0]


def check_forms(
    shop_id: int, forms: Sequence[tuple[int, ReissueForm]], now: datetime, known: Basis | None = None
) -> list[Checked]:
    """`check_form` for many (case, form) pairs, in their order: a dozen queries however many forms there are. `known`:
    what the caller has read of these cases already."""
    with reading([shop_id]):
        if known is None:
            asked = sorted({case_id for case_id, _ in forms})
            known = basis.read(shop_id, list(cases_by_id([shop_id], asked).values()))
        found = _look_up(shop_id, forms, known, now)
        return [_check(found, known.cases[case_id], form, now) for case_id, form in forms]


@dataclass(frozen=True, slots=True)
class _Found:
    """All that the gate wants to know about some forms, looked up at once. `used`, `tried` and `seen` go by carrier
    and number: used before by anyone, tried by this very case, and the first scan of a parcel that we know already.
    `shelf`: what lies there of the goods, None in a shop that does not count them here."""

    basis: Basis
    has_api: bool
    denied: frozenset[Route]
    late: AbstractSet[int]
    used: AbstractSet[tuple[str, str]]
    tried: AbstractSet[tuple[int, str, str]]
    seen: Mapping[tuple[str, str], datetime | None]
    shelf: Mapping[stock.Goods, Level] | None
    held: Mapping[int, Mapping[stock.Goods, int]]
    learned: lanes.Learned
    reach: Mapping[Way, Reach]
    closed: tuple[Pause, ...]
    booked_at: Mapping[tuple[str, str], datetime]
    moved_at: Mapping[int, datetime]


def _look_up(shop_id: int, forms: Sequence[tuple[int, ReissueForm]], known: Basis, now: datetime) -> _Found:
    ordered = [(known.order_of(case_id), form) for case_id, form in forms]
    case_ids, order_ids = ({case_id for case_id, _ in forms}, {order.order_id for order, _ in ordered})
    pairs = {pair for _, form in forms if (pair := _waybill(form))[1]}
    ways = {_way(form, order, known.changes.get(order.order_id, ())) for order, form in ordered}
    has_api = shops.connection(shop_id, "doudian") is not None
    lanes_asked = {_lane(form, known.pickups, order) for order, form in ordered}
    levels = {key for lane in lanes_asked for key in lanes.ladder(*lane)}
    return _Found(
        basis=known,
        has_api=has_api,
        denied=frozenset(Route(kind) for kind in effects.denied(shop_id) if kind in {each.value for each in Route}),
        late=late_orders(shop_id, sorted(order_ids)),
        used=used_among(pairs),
        tried=_tried_before(shop_id, sorted(case_ids), pairs),
        seen=_seen(shop_id, pairs),
        shelf=_shelf(shop_id, [(order, form.items) for order, form in ordered]),
        held=_held(shop_id, sorted(case_ids)),
        learned=lane_counts.learned(shop_id, levels, (lanes.Leg.TOTAL,), now),
        reach=ranges.known(shop_id, ways, now) if has_api else {},
        closed=pauses.standing(shop_id, now),
        booked_at=deliveries.booked_at(shop_id, pairs),
        moved_at={order_id: changed[-1].said_at for order_id, changed in _by_platform(known.changes).items()},
    )


def _by_platform(changes: Mapping[int, tuple[ChangeView, ...]]) -> dict[int, tuple[ChangeView, ...]]:
    told = {
        order: tuple(one for one in found if one.source == address_changes.PLATFORM) for order, found in changes.items()
    }
    return {order: found for order, found in told.items() if found}


def _way(form: ReissueForm, order: OrderView, changes: Sequence[ChangeView]) -> Way:
    """Which question about the carrier's range this form asks."""
    change = deliveries.change_of(form.delivery, changes)
    to = f"change:{change.change_id}" if change else order.recipient.open_address_id
    return Way(form.carrier.strip(), form.pickup_id or 0, order.order_id, to)


def _waybill(form: ReissueForm) -> tuple[str, str]:
    return form.carrier.strip(), clean_number(form.number)


def _lane(form: ReissueForm, pickups: Sequence[PickupInfo], order: OrderView) -> tuple[str, str, str]:
    """Carrier, province it is collected in, province it goes to."""
    pickup = next((one for one in pickups if one.pickup_id == form.pickup_id), None)
    return form.carrier.strip(), pickup.province if pickup else "", order.recipient.province


def _check(found: _Found, case: CaseRow, form: ReissueForm, now: datetime) -> Checked:
    known = found.basis
    order, parcels = known.order_of(case.case_id), known.parcels.get(case.order_id, ())
    carrier, number = waybill = _waybill(form)
    pickup = next((one for one in known.pickups if one.pickup_id == form.pickup_id), None)
    ticket = order.resend_ticket(8) or order.resend_ticket(6, 27)
    shipped = any(parcel.number and parcel.role == "original" for parcel in parcels)
    late = order.order_id in found.late
    own = (case.case_id, *waybill) in found.tried
    ordered = {line.line_id: line.quantity for line in order.lines}
    changes = known.changes.get(case.order_id, ())
    change = deliveries.change_of(form.delivery, changes)
    way = _way(form, order, changes)
    delivery = deliveries.change_address(change) if change else _delivery_address(order.recipient)
    booked, moved = found.booked_at.get(waybill), found.moved_at.get(order.order_id)
    filled = Form(
        order_number=order.number,
        carrier=carrier,
        number=number,
        pickup=_pickup_address(pickup),
        delivery=delivery,
        recipient=deliveries.match(order, form.delivery, changes, booked, moved),
        items=tuple(FormItem(line, count, ordered.get(line, 0)) for line, count in form.items if count),
        original_numbers=frozenset(parcel.number for parcel in parcels if parcel.number and parcel.role == "original"),
        original_carrier=case.carrier,
        used_before=None if not number else (not own and waybill in found.used),
        order_is_late=late,
        shipped=shipped,
        ticket=_ticket_facts(ticket),
        has_api=found.has_api,
        denied=found.denied,
        collected_at=found.seen.get(waybill),
        paid_at=order.paid_at,
        order_status=order.status,
        reach=found.reach.get(way, UNASKED) if found.has_api else Reach(Coverage.NO_API),
        closed=closed_now(found.closed, carrier, _area(pickup), _area(change or order.recipient), now),
        **_on_the_shelf(found, case.case_id, order, form.items),
    )
    eta = lanes.eta(*_lane(form, known.pickups, order), None, now, learned=found.learned)
    agreed = ticket is not None and ticket.status == 8
    return Checked(
        form=filled,
        report=gate(filled, now, divisions()),
        order=order,
        pickup=pickup,
        ticket=ticket,
        asks_for_ticket=found.has_api and needs_ticket(late, shipped) and not agreed,
        eta_from=eta.p50,
        eta_to=eta.p90,
        known_number=own,
        way=way,
    )


def _area(place: Any) -> Area:
    return Area(place.province, place.city, place.district) if place is not None else Area("")


def _tried_before(
    shop_id: int, case_ids: Sequence[int], pairs: AbstractSet[tuple[str, str]]
) -> frozenset[tuple[int, str, str]]:
    """(case, carrier, number) that the case tried and the platform has not taken: it may be tried again."""
    numbers = [number for _, number in pairs]
    mine = Reissue.objects.filter(shop_id=shop_id, case_id__in=case_ids, number__in=numbers)
    return frozenset(mine.filter(state__in=["rejected", "cancelled"]).values_list("case_id", "carrier", "number"))


def _seen(shop_id: int, pairs: AbstractSet[tuple[str, str]]) -> dict[tuple[str, str], datetime | None]:
    """When the carrier collected a parcel that we know by its number."""
    rows = Parcel.objects.filter(shop_id=shop_id, number__in=[number for _, number in pairs]).order_by("-id")
    known = {(row.carrier, row.number): ParcelState.from_json(row.state).collected_at for row in rows}
    return {pair: at for pair, at in known.items() if pair in pairs}


def goods_wanted(order: OrderView, items: Iterable[tuple[str, int]]) -> dict[stock.Goods, int]:
    """Items of an order as goods on the shelf, pieces by goods."""
    lines = {line.line_id: stock.Goods(line.sku_id, line.title, line.spec) for line in order.lines}
    wanted: dict[stock.Goods, int] = {}
    for line_id, pieces in items:
        if pieces > 0 and line_id in lines:
            wanted[lines[line_id]] = wanted.get(lines[line_id], 0) + pieces
    return wanted


def _shelf(
    shop_id: int, wanted: Iterable[tuple[OrderView, Iterable[tuple[str, int]]]]
) -> dict[stock.Goods, Level] | None:
    goods = {one for order, items in wanted for one in goods_wanted(order, items)}
    there = stock.levels(shop_id, list(goods))
    return there if there or stock.is_kept(shop_id) else None


def _held(shop_id: int, case_ids: Sequence[int]) -> dict[int, dict[stock.Goods, int]]:
    """What the drafts of these cases hold already: it is theirs, not somebody else's."""
    drafts = dict(
        Reissue.objects.filter(shop_id=shop_id, case_id__in=case_ids, state="draft").values_list("id", "case_id")
    )
    if not drafts:
        return {}
    held = stock.held_goods(shop_id, [f"reissue:{one}" for one in drafts])
    return {case_id: held[name] for one, case_id in drafts.items() if (name := f"reissue:{one}") in held}


def _on_the_shelf(found: _Found, case_id: int, order: OrderView, items: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """What the gate is told of the shelf. Goods found under two names of one order are counted together."""
    if found.shelf is None:
        return {"short": (), "uncounted": None}
    wanted = goods_wanted(order, items)
    named = {goods: goods.label for goods in wanted}
    pieces = gathered([(named[goods], count) for goods, count in wanted.items()])
    own = found.held.get(case_id, {})
    levels = {
        named[goods]: Level(level.on_hand, level.reserved - stock.of_goods(own, goods))
        for goods in wanted
        if (level := found.shelf.get(goods)) is not None
    }
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
