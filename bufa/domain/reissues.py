"""The number gate: what a reissue number must pass before it is submitted, and the route it takes.

Every check says one of four things: it will pass, the platform will refuse it, it will be punished later, or we cannot
tell. What we cannot tell is a warning and never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bufa.domain import addresses, carriers, waybills
from bufa.domain.divisions import Divisions, Finding, Fit
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check, may
from bufa.domain.stock import Shortage
from bufa.domain.waybills import NumberState


class Answer(StrEnum):
    """What a check says."""

    PASS = "pass"  # noqa: S105 - an answer, not a secret
    REFUSED = "refused"
    PUNISHED_LATER = "punished_later"
    CANNOT_TELL = "cannot_tell"


class Route(StrEnum):
    """How a reissue's number reaches the platform."""

    RESEND = "resend"
    EXTRA_PACKAGE = "extra_package"
    ADD_PACK = "add_pack"
    COPY_PACK = "copy_pack"


@dataclass(frozen=True, slots=True)
class FormAddress:
    """An address on the form, without plain text where that is not needed: `has_*` say whether it is there.

    A pickup address also needs `address_id`, the platform's `send_address_id`, unless the shop has no API access.
    `from_platform`: the platform itself gave this address, partly as ciphers, so that it knows what we may not.
    """

    province: str = ""
    city: str = ""
    district: str = ""
    has_detail: bool = False
    has_name: bool = False
    has_phone: bool = False
    address_id: str = ""
    from_platform: bool = False


@dataclass(frozen=True, slots=True)
class RecipientMatch:
    """What tells whether the parcel goes to the order's recipient: platform ids, else blind indexes; "" unknown."""

    order_open_address_id: str = ""
    form_open_address_id: str = ""
    order_blind: str = ""
    form_blind: str = ""


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
    known. `collected_at`: the reissue's first track, if it has one already.
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


@dataclass(frozen=True, slots=True)
class Check:
    """One check's answer, with the reason and the rule it rests on."""

    code: str
    verdict: Answer
    why: Why
    rule: str = ""


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
_ADDRESS_RULE = "doudian 5.2"
_DIVISION_RULE = "GB/T 2260"
_NOTHING_TO_SEND = {1: "unpaid", 4: "cancelled"}
"""order_status in which every route refuses a package (60137, 60021)."""

_SOME_DETAIL = "路1号楼101室"
"""Stands for a detail that we hold masked or as a cipher only."""

# --- the checks ------------------------------------------------------------------------------------------------------


def _said(code: str, answer: Answer, why: str = "", rule: str = "", **params: object) -> Check:
    return Check(code, answer, Why(why or f"{code}_{answer.value}", params), rule)


def _order_check(form: Form) -> Check:
    if not form.order_number.strip():
        return _said("order", Answer.REFUSED, "order_missing")
    if form.order_status in _NOTHING_TO_SEND:
        return _said("order", Answer.REFUSED, f"order_{_NOTHING_TO_SEND[form.order_status]}", rule="doudian 5.2")
    return _said("order", Answer.PASS)


def _carrier_check(form: Form) -> Check:
    if not form.carrier.strip():
        return _said("carrier", Answer.REFUSED, "carrier_missing")
    if carriers.get(form.carrier) is None:
        return _said("carrier", Answer.CANNOT_TELL, "carrier_unknown", carrier=form.carrier)
    return _said("carrier", Answer.PASS, carrier=form.carrier)


def _number_check(form: Form) -> Check:
    """What can't be a number at all is refused, and so is the lettered form of another carrier. The platform checks by
    patterns that it keeps to itself; a number that only our table does not know is therefore "cannot tell"."""
    carrier = form.carrier
    found = waybills.check(carrier, form.number)
    fits = [other for other in waybills.guess(form.number) if other != carrier]
    match found.state:
        case NumberState.OK:
            return _said("number", Answer.PASS, "number_fits_carrier", carrier=carrier)
        case NumberState.EMPTY:
            return _said("number", Answer.REFUSED, "number_missing")
        case NumberState.PATTERN_MISMATCH if fits and found.number[0].isalpha():
            return _said(
                "number", Answer.REFUSED, "number_of_another_carrier", _NUMBER_RULE, carrier=carrier, fits=fits
            )
        case NumberState.PATTERN_MISMATCH | NumberState.OLD_FORM | NumberState.UNKNOWN_CARRIER:
            why = f"number_{found.state.value}"
            return _said("number", Answer.CANNOT_TELL, why, _NUMBER_RULE, carrier=carrier, fits=fits)
        case _:
            return _said("number", Answer.REFUSED, f"number_{found.state.value}", _NUMBER_RULE, carrier=carrier)


def _original_check(form: Form) -> Check:
    number = waybills.clean(form.number)
    if number and number in {waybills.clean(other) for other in form.original_numbers}:
        return _said("original", Answer.REFUSED, "number_is_the_original", rule="doudian 12.5")
    return _said("original", Answer.PASS)


def _used_check(form: Form) -> Check:
    match form.used_before:
        case True:
            return _said("used", Answer.REFUSED, "number_used_before", rule="doudian 12.5")
        case False:
            return _said("used", Answer.PASS)
        case _:
            return _said("used", Answer.CANNOT_TELL, "register_not_asked", rule="doudian 12.5")


def _recipient_check(form: Form) -> Check:
    """A waybill whose receiver is not the order's is an abnormal track: 25 per cent of what the buyer paid."""
    match = form.recipient
    if match.order_open_address_id and match.form_open_address_id == match.order_open_address_id:
        return _said("recipient", Answer.PASS, "same_open_address")
    if match.order_blind and match.form_blind:
        if match.order_blind == match.form_blind:
            return _said("recipient", Answer.PASS, "same_recipient")
        return _said("recipient", Answer.PUNISHED_LATER, "recipient_differs", rule="doudian 12.5")
    if match.order_open_address_id and match.form_open_address_id:
        return _said("recipient", Answer.CANNOT_TELL, "open_address_differs", rule="doudian 12.5")
    return _said("recipient", Answer.CANNOT_TELL, "recipient_unknown", rule="doudian 12.5")


def missing_parts(address: FormAddress, divisions: Divisions | None = None) -> tuple[str, ...]:
    """What an address lacks, out of province, city, district, detail, name, phone, in this order.

    With `divisions`, a city or district that the place does not have (仙桃市, Hong Kong) is not missed.
    """
    detail = _SOME_DETAIL if address.has_detail else ""
    why = addresses.complete(address.province, address.city, address.district, detail)
    missing = list(why.params.get("missing", ["province"])) if why else []
    missing += [name for name, there in (("name", address.has_name), ("phone", address.has_phone)) if not there]
    if divisions is not None and _where(address, divisions).fit in (Fit.REAL, Fit.FORMER, Fit.NOT_LISTED):
        missing = [name for name in missing if name not in ("city", "district")]
    return tuple(missing)


def _where(address: FormAddress, divisions: Divisions) -> Finding:
    return divisions.check(address.province, address.city, address.district)


def _address_check(code: str, address: FormAddress, divisions: Divisions | None) -> Check:
    """A courier finds most places without a district, so that alone does not refuse the form."""
    missing = missing_parts(address, divisions)
    if address.from_platform and set(missing) & {"province", "city"}:
        return _said(code, Answer.CANNOT_TELL, "divisions_hidden", _ADDRESS_RULE, missing=list(missing))
    if set(missing) - {"district"}:
        return _said(code, Answer.REFUSED, f"{code}_incomplete", _ADDRESS_RULE, missing=list(missing))
    found = _where(address, divisions) if divisions is not None else None
    if missing and (found is None or found.fit is Fit.NO_DISTRICT):
        return _said(code, Answer.CANNOT_TELL, "district_missing", _ADDRESS_RULE, missing=list(missing))
    if found is None:
        return _said(code, Answer.CANNOT_TELL, "divisions_not_checked", _DIVISION_RULE)
    return _division_check(code, address, found)


def _division_check(code: str, address: FormAddress, found: Finding) -> Check:
    """Whether province, city and district are real and belong together. Our table and the platform's differ for months
    after a change, so a name that ours lacks is doubted; what contradicts itself is refused, unless the platform wrote
    it."""
    meant = [one.province + one.city.removeprefix(one.province) + one.district for one in found.meant[:6]]
    written = address.province + address.city + address.district
    worst = Answer.CANNOT_TELL if address.from_platform else Answer.REFUSED
    match found.fit:
        case Fit.REAL:
            return _said(code, Answer.PASS)
        case Fit.FORMER if len(found.meant) == 1:
            return _said(code, Answer.PASS, "division_renamed", _DIVISION_RULE, written=written, now=meant[0])
        case Fit.FORMER:
            why, answer = "division_dissolved", Answer.CANNOT_TELL
        case Fit.ZONE:
            why, answer = "zone_no_division", Answer.CANNOT_TELL
        case Fit.NOT_LISTED:
            why, answer = "outside_mainland", Answer.CANNOT_TELL
        case Fit.DISTRICT_UNKNOWN | Fit.NO_DISTRICT:
            why, answer = "district_unknown", Answer.CANNOT_TELL
        case Fit.DISAGREE:
            why, answer = "divisions_disagree", worst
        case _:
            why, answer = "divisions_unknown", worst
    zone, province = address.district, address.province
    return _said(code, answer, why, _DIVISION_RULE, written=written, candidates=meant, zone=zone, province=province)


def _pickup_check(form: Form, divisions: Divisions | None) -> Check:
    if form.pickup.address_id and form.pickup.province:
        return _said("pickup", Answer.PASS, "pickup_known_to_platform", address_id=form.pickup.address_id)
    checked = _address_check("pickup", form.pickup, divisions)
    if checked.verdict is Answer.PASS and form.has_api:
        return _said("pickup", Answer.CANNOT_TELL, "pickup_without_platform_id", _ADDRESS_RULE)
    return checked


def _delivery_check(form: Form, divisions: Divisions | None) -> Check:
    return _address_check("delivery", form.delivery, divisions)


def _items_check(form: Form) -> Check:
    if not form.items:
        return _said("items", Answer.REFUSED, "items_missing")
    wrong = [item.line_id for item in form.items if item.quantity <= 0]
    if wrong:
        return _said("items", Answer.REFUSED, "quantity_not_positive", lines=wrong)
    over = [item.line_id for item in form.items if item.ordered is not None and item.quantity > item.ordered]
    if over:
        return _said("items", Answer.REFUSED, "quantity_above_order", lines=over)
    if any(item.ordered is None for item in form.items):
        return _said("items", Answer.CANNOT_TELL, "ordered_unknown")
    return _said("items", Answer.PASS)


def _stock_check(form: Form) -> Check:
    """Our own rule, not the platform's: a number must not promise what nobody can pack."""
    if form.short:
        first = form.short[0]
        return _said("stock", Answer.REFUSED, "stock_short", title=first.title, wanted=first.wanted, free=first.free)
    if form.uncounted is None:
        return _said("stock", Answer.CANNOT_TELL, "stock_not_kept")
    if form.uncounted:
        return _said("stock", Answer.CANNOT_TELL, "stock_not_counted", goods=list(form.uncounted))
    return _said("stock", Answer.PASS)


def _ticket_check(form: Form, route: Route, now: datetime) -> Check:
    if route is Route.RESEND and form.ticket is not None:
        if form.ticket.deadline is not None and form.ticket.deadline <= now:
            return _said(
                "ticket", Answer.CANNOT_TELL, "ticket_deadline_over", deadline=form.ticket.deadline.isoformat()
            )
        return _said("ticket", Answer.PASS, "ticket_agreed")
    if route is Route.EXTRA_PACKAGE and form.order_is_late:
        waiting = form.ticket is not None and form.ticket.status in (6, 27)
        why = "ticket_to_be_agreed" if waiting else "ticket_to_be_opened"
        return _said("ticket", Answer.PUNISHED_LATER, why, rule="doudian 5.3")
    return _said("ticket", Answer.PASS, "ticket_not_needed")


def _time_check(form: Form, now: datetime) -> Check:
    """A first track from before the payment is an abnormal track; a reissue's label may be booked but not scanned."""
    if form.collected_at is None:
        return _said("time", Answer.PASS, "not_collected_yet")
    if form.paid_at is None:
        return _said("time", Answer.CANNOT_TELL, "payment_time_unknown", rule="doudian 12.5")
    if form.collected_at < form.paid_at:
        return _said("time", Answer.PUNISHED_LATER, "collected_before_paid", rule="doudian 12.5")
    return _said("time", Answer.PASS)
