"""The number gate: what a reissue number must pass before it is submitted, and the route it takes.

Every check says one of four things: it will pass, the platform will refuse it, it will be punished later, or we cannot
tell. What we cannot tell is a warning and never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bufa.domain import carriers, waybills
from bufa.domain.address_checks import ADDRESS_RULE, FormAddress, address_check, missing_parts
from bufa.domain.calendars import Pause
from bufa.domain.checks import Answer, Check, said
from bufa.domain.divisions import Divisions
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check, may
from bufa.domain.reach import UNASKED, Reach, area_check, range_check
from bufa.domain.stock import Shortage
from bufa.domain.waybills import NumberState

__all__ = [
    "Answer",
    "Check",
    "Form",
    "FormAddress",
    "FormItem",
    "GateReport",
    "RecipientMatch",
    "RecordedChange",
    "Route",
    "TicketFacts",
    "choose_route",
    "correction_refused",
    "gate",
    "missing_parts",
    "needs_ticket",
]


class Route(StrEnum):
    """How a reissue's number reaches the platform."""

    RESEND = "resend"
    EXTRA_PACKAGE = "extra_package"
    ADD_PACK = "add_pack"
    COPY_PACK = "copy_pack"


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """The customer asked for another recipient or address, and somebody here wrote it down: when it was said, by whom
    it was recorded, whether there is proof of it, and whether the platform's order says the same meanwhile."""

    said_at: datetime
    by: str
    has_proof: bool
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class RecipientMatch:
    """What tells whether the parcel goes to the order's recipient: platform ids, else blind indexes; "" unknown.

    `change`: it goes to a recorded change instead. `unused_change`: there is a newer one, and it does not go there.
    `label_is_older`: its waybill was booked before the platform moved the order's delivery elsewhere.
    """

    order_open_address_id: str = ""
    form_open_address_id: str = ""
    order_blind: str = ""
    form_blind: str = ""
    change: RecordedChange | None = None
    unused_change: RecordedChange | None = None
    label_is_older: bool = False


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """The buyer's after-sale of type 7 (补寄). `status` is the platform's number: 6 asked for, 8 agreed, 13 sent."""

    aftersale_id: str
    status: int
    deadline: datetime | None = None

    @property
    def is_agreed(self) -> bool:
        return self.status == 8


@dataclass(frozen=True, slots=True)
class FormItem:
    """One line of the order and how many of it go out again. `ordered`: how many were bought, None when not known."""

    line_id: str
    quantity: int
    ordered: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """The reissue form as it is to be submitted.

    `used_before`: what the register of used numbers says, None when it was not asked. `order_is_late`: the order missed
    one of the platform's clocks, so that another package without a ticket counts as sending again (重新发货异常).
    `short`: goods of which too few are free on the shelf; `uncounted`: those nobody has counted, None when the shop
    counts none. `shipped`: the platform knows a first package. `order_status`: the platform's number, 0 when not
    known. `collected_at`: the reissue's first track, if it has one already. `reach`: what the platform said of the
    carrier's range. `closed`: the shop's no-service areas that the way leads through today.
    """

    order_number: str
    carrier: str
    number: str
    pickup: FormAddress
    delivery: FormAddress
    recipient: RecipientMatch
    items: tuple[FormItem, ...]
    original_numbers: frozenset[str] = frozenset()
    original_carrier: str = ""
    used_before: bool | None = None
    order_is_late: bool = False
    shipped: bool = True
    ticket: TicketFacts | None = None
    has_api: bool = True
    denied: frozenset[Route] = frozenset()
    collected_at: datetime | None = None
    paid_at: datetime | None = None
    order_status: int = 0
    short: tuple[Shortage, ...] = ()
    uncounted: tuple[str, ...] | None = None
    reach: Reach = UNASKED
    closed: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class GateReport:
    """All checks of one form at one instant, in the order of the form."""

    checks: tuple[Check, ...]
    route: Route

    @property
    def verdict(self) -> Answer:
        """The worst answer: refused, then punished later, then cannot tell."""
        found = {check_.verdict for check_ in self.checks}
        order = (Answer.REFUSED, Answer.PUNISHED_LATER, Answer.CANNOT_TELL)
        return next((answer for answer in order if answer in found), Answer.PASS)

    def of(self, answer: Answer) -> tuple[Check, ...]:
        return tuple(check_ for check_ in self.checks if check_.verdict is answer)

    @property
    def passed(self) -> tuple[Check, ...]:
        return self.of(Answer.PASS)

    def may_submit(self, role: Role, reason: str = "") -> None:
        """Raise Refused unless this role may submit: gate_refused, not_allowed, gate_needs_lead, gate_needs_reason."""
        check(role, Permission.SUBMIT_REISSUE)
        refused = self.of(Answer.REFUSED)
        if refused:
            raise Refused("gate_refused", checks=[check_.code for check_ in refused])
        punished = [check_.code for check_ in self.of(Answer.PUNISHED_LATER)]
        if not punished:
            return
        if not may(role, Permission.OVERRIDE_GATE):
            raise Refused("gate_needs_lead", checks=punished, role=role.value)
        if not reason.strip():
            raise Refused("gate_needs_reason", checks=punished)

    def to_json(self) -> list[dict[str, object]]:
        """Plain JSON, to keep what the gate said when the number was submitted."""
        return [
            {
                "code": check_.code,
                "verdict": check_.verdict.value,
                "why": {"code": check_.why.code, "params": dict(check_.why.params)},
                "rule": check_.rule,
            }
            for check_ in self.checks
        ]


def gate(form: Form, now: datetime, divisions: Divisions | None = None) -> GateReport:
    """Every check of the form. Pure: what was looked up elsewhere (used before, blind indexes) is in the form.

    Without `divisions` nobody can tell whether a typed address is a real place.
    """
    route, _ = choose_route(form.ticket, form.shipped, has_api=form.has_api, denied=form.denied)
    checks = (
        _order_check(form),
        _carrier_check(form),
        _number_check(form),
        _original_check(form),
        _used_check(form),
        _recipient_check(form),
        _pickup_check(form, divisions),
        _delivery_check(form, divisions),
        range_check(form.reach),
        area_check(form.closed),
        _items_check(form),
        _stock_check(form),
        _ticket_check(form, route, now),
        _time_check(form, now),
    )
    return GateReport(checks, route)


def choose_route(
    ticket: TicketFacts | None, shipped: bool, *, has_api: bool = True, denied: frozenset[Route] = frozenset()
) -> tuple[Route, Why]:
    """The platform route of a reissue (design.md §6) and why; an agreed ticket comes first.

    `denied`: routes whose method the platform has not granted the shop's app. Such a one is never swapped for another
    that ends elsewhere (a second parcel instead of the ticket's): a person takes it.
    """
    if not has_api:
        return Route.COPY_PACK, Why("route_no_api")
    route, why = _by_platform(ticket, shipped)
    if route in denied:
        return Route.COPY_PACK, Why("route_denied", {"route": route.value})
    return route, why


def _by_platform(ticket: TicketFacts | None, shipped: bool) -> tuple[Route, Why]:
    if ticket is not None and ticket.is_agreed:
        return Route.RESEND, Why("route_ticket_agreed", {"aftersale_id": ticket.aftersale_id})
    if not shipped:
        return Route.ADD_PACK, Why("route_never_shipped")
    if ticket is not None and ticket.status in (6, 27):
        return Route.EXTRA_PACKAGE, Why("route_ticket_not_agreed", {"aftersale_id": ticket.aftersale_id})
    return Route.EXTRA_PACKAGE, Why("route_no_ticket")


def correction_refused(route: Route | None, *, has_api: bool, denied: bool, under_way: bool) -> Why | None:
    """Why a submitted number can't be corrected through the platform, None where it can. `route`: how the parcel's
    number got there; None for the original. The edit calls know forward packages only (doudian-openapi §5.1)."""
    if not has_api:
        return Why("correct_no_api")
    match route:
        case Route.EXTRA_PACKAGE:
            return Why("correct_extra_package")
        case Route.RESEND:
            return Why("correct_resend")
        case Route.COPY_PACK:
            return Why("correct_by_hand")
    if under_way:
        return Why("correct_under_way")
    return Why("correct_denied") if denied else None


def needs_ticket(order_is_late: bool, shipped: bool) -> bool:
    """Whether the customer should be asked to open a ticket first: without one, a late order is punished."""
    return order_is_late and shipped


_NUMBER_RULE = "tracking 4.2"
_RECIPIENT_RULE = "doudian 12.5"
_NOTHING_TO_SEND = {1: "unpaid", 4: "cancelled"}
"""order_status in which every route refuses a package (60137, 60021)."""

# --- the checks ------------------------------------------------------------------------------------------------------


def _order_check(form: Form) -> Check:
    if not form.order_number.strip():
        return said("order", Answer.REFUSED, "order_missing")
    if form.order_status in _NOTHING_TO_SEND:
        return said("order", Answer.REFUSED, f"order_{_NOTHING_TO_SEND[form.order_status]}", rule="doudian 5.2")
    return said("order", Answer.PASS)


def _carrier_check(form: Form) -> Check:
    if not form.carrier.strip():
        return said("carrier", Answer.REFUSED, "carrier_missing")
    if carriers.get(form.carrier) is None:
        return said("carrier", Answer.CANNOT_TELL, "carrier_unknown", carrier=form.carrier)
    return said("carrier", Answer.PASS, carrier=form.carrier)


def _number_check(form: Form) -> Check:
    """What can't be a number at all is refused, and so is the lettered form of another carrier. The platform checks by
    patterns that it keeps to itself; a number that only our table does not know is therefore "cannot tell"."""
    carrier = form.carrier
    found = waybills.check(carrier, form.number)
    fits = [other for other in waybills.guess(form.number) if other != carrier]
    match found.state:
        case NumberState.OK:
            return said("number", Answer.PASS, "number_fits_carrier", carrier=carrier)
        case NumberState.EMPTY:
            return said("number", Answer.REFUSED, "number_missing")
        case NumberState.PATTERN_MISMATCH if fits and found.number[0].isalpha():
            return said("number", Answer.REFUSED, "number_of_another_carrier", _NUMBER_RULE, carrier=carrier, fits=fits)
        case NumberState.PATTERN_MISMATCH | NumberState.OLD_FORM | NumberState.UNKNOWN_CARRIER:
            why = f"number_{found.state.value}"
            return said("number", Answer.CANNOT_TELL, why, _NUMBER_RULE, carrier=carrier, fits=fits)
        case _:
            return said("number", Answer.REFUSED, f"number_{found.state.value}", _NUMBER_RULE, carrier=carrier)


def _original_check(form: Form) -> Check:
    number = waybills.clean(form.number)
    if number and number in {waybills.clean(other) for other in form.original_numbers}:
        return said("original", Answer.REFUSED, "number_is_the_original", rule="doudian 12.5")
    return said("original", Answer.PASS)


def _used_check(form: Form) -> Check:
    match form.used_before:
        case True:
            return said("used", Answer.REFUSED, "number_taken", rule="doudian 12.5")
        case False:
            return said("used", Answer.PASS)
        case _:
            return said("used", Answer.CANNOT_TELL, "register_not_asked", rule="doudian 12.5")


def _recipient_check(form: Form) -> Check:
    """A waybill whose receiver is not the order's is an abnormal track: 25 per cent of what the buyer paid."""
    match = form.recipient
    if changed := _change_check(match):
        return changed
    if match.order_open_address_id and match.form_open_address_id == match.order_open_address_id:
        return said("recipient", Answer.PASS, "same_open_address")
    if match.order_blind and match.form_blind:
        if match.order_blind == match.form_blind:
            return said("recipient", Answer.PASS, "same_recipient")
        return said("recipient", Answer.PUNISHED_LATER, "recipient_differs", rule="doudian 12.5")
    if match.order_open_address_id and match.form_open_address_id:
        return said("recipient", Answer.CANNOT_TELL, "open_address_differs", rule="doudian 12.5")
    return said("recipient", Answer.CANNOT_TELL, "recipient_unknown", rule="doudian 12.5")


def _change_check(match: RecipientMatch) -> Check | None:
    """What a recorded change makes of it; None where there is none."""
    if (change := match.change) is not None:
        told = {"at": change.said_at.isoformat(), "by": change.by}
        if change.in_order:
            return said("recipient", Answer.PASS, "change_in_order", _RECIPIENT_RULE, **told)
        if change.has_proof:
            return said("recipient", Answer.PASS, "change_recorded", _RECIPIENT_RULE, **told)
        return said("recipient", Answer.CANNOT_TELL, "change_unproved", _RECIPIENT_RULE, **told)
    if (unused := match.unused_change) is not None:
        told = {"at": unused.said_at.isoformat(), "by": unused.by}
        return said("recipient", Answer.CANNOT_TELL, "change_not_used", _RECIPIENT_RULE, **told)
    if match.label_is_older:
        return said("recipient", Answer.PUNISHED_LATER, "label_before_change", _RECIPIENT_RULE)
    return None


def _pickup_check(form: Form, divisions: Divisions | None) -> Check:
    if form.pickup.address_id and form.pickup.province:
        return said("pickup", Answer.PASS, "pickup_known_to_platform", address_id=form.pickup.address_id)
    checked = address_check("pickup", form.pickup, divisions)
    if checked.verdict is Answer.PASS and form.has_api:
        return said("pickup", Answer.CANNOT_TELL, "pickup_without_platform_id", ADDRESS_RULE)
    return checked


def _delivery_check(form: Form, divisions: Divisions | None) -> Check:
    return address_check("delivery", form.delivery, divisions)


def _items_check(form: Form) -> Check:
    if not form.items:
        return said("items", Answer.REFUSED, "items_missing")
    wrong = [item.line_id for item in form.items if item.quantity <= 0]
    if wrong:
        return said("items", Answer.REFUSED, "quantity_not_positive", lines=wrong)
    over = [item.line_id for item in form.items if item.ordered is not None and item.quantity > item.ordered]
    if over:
        return said("items", Answer.REFUSED, "quantity_above_order", lines=over)
    if any(item.ordered is None for item in form.items):
        return said("items", Answer.CANNOT_TELL, "ordered_unknown")
    return said("items", Answer.PASS)


def _stock_check(form: Form) -> Check:
    """Our own rule, not the platform's: a number must not promise what nobody can pack."""
    if form.short:
        first = form.short[0]
        return said("stock", Answer.REFUSED, "stock_short", title=first.title, wanted=first.wanted, free=first.free)
    if form.uncounted is None:
        return said("stock", Answer.CANNOT_TELL, "stock_not_kept")
    if form.uncounted:
        return said("stock", Answer.CANNOT_TELL, "stock_not_counted", goods=list(form.uncounted))
    return said("stock", Answer.PASS)


def _ticket_check(form: Form, route: Route, now: datetime) -> Check:
    if route is Route.RESEND and form.ticket is not None:
        if form.ticket.deadline is not None and form.ticket.deadline <= now:
            return said("ticket", Answer.CANNOT_TELL, "ticket_deadline_over", deadline=form.ticket.deadline.isoformat())
        return said("ticket", Answer.PASS, "ticket_agreed")
    if route is Route.EXTRA_PACKAGE and form.order_is_late:
        waiting = form.ticket is not None and form.ticket.status in (6, 27)
        why = "ticket_to_be_agreed" if waiting else "ticket_to_be_opened"
        return said("ticket", Answer.PUNISHED_LATER, why, rule="doudian 5.3")
    return said("ticket", Answer.PASS, "ticket_not_needed")


def _time_check(form: Form, now: datetime) -> Check:
    """A first track from before the payment is an abnormal track; a reissue's label may be booked but not scanned."""
    if form.collected_at is None:
        return said("time", Answer.PASS, "not_collected_yet")
    if form.paid_at is None:
        return said("time", Answer.CANNOT_TELL, "payment_time_unknown", rule="doudian 12.5")
    if form.collected_at < form.paid_at:
        return said("time", Answer.PUNISHED_LATER, "collected_before_paid", rule="doudian 12.5")
    return said("time", Answer.PASS)
