"""E-waybills: booked for a reissue's draft, put into its form, cancelled while the number is not used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.orders import address_changes
from bufa.apps.orders import queries as orders
from bufa.apps.orders.address_changes import ChangeView
from bufa.apps.orders.views import OrderView, RecipientView
from bufa.apps.reissues import deliveries
from bufa.apps.reissues.actions import save_draft
from bufa.apps.reissues.forms import Checked, ReissueForm, check_form
from bufa.apps.reissues.models import LabelBooking, Reissue
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading, writing

_LIVE = ("wanted", "unknown", "booked", "cancelling")


@dataclass(frozen=True, slots=True)
class BookingView:
    """One e-waybill as the case page shows it."""

    booking_id: int
    reissue_id: int
    pack_id: str
    carrier: str
    state: str
    number: str
    sort_code: str
    error: dict[str, Any]
    effect_id: int | None
    by: str
    created_at: datetime
    in_use: bool


def book(
    *, shop_id: int, case_id: int, form: ReissueForm, by: Actor, version: int | None = None, now: datetime | None = None
) -> int:
    """Ask the platform for an e-waybill for this reissue; its number comes into the draft. Returns the booking's id.

    Raises Refused: not_connected, label_booked_already, label_lacks (parts), and the draft's own reasons.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SUBMIT_REISSUE)
    with writing([shop_id]):
        if shops.connection(shop_id, "doudian") is None:
            raise Refused("not_connected", kind="doudian")
        bare = replace(form, number="")
        checked = check_form(shop_id, case_id, bare, now)
        intent = _intent(shop_id, checked, form.delivery)
        reissue_id = save_draft(shop_id=shop_id, case_id=case_id, form=bare, by=by, version=version, now=now)
        row = Reissue.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=reissue_id)
        earlier = LabelBooking.objects.filter(shop_id=shop_id, reissue=row)
        if earlier.filter(state__in=_LIVE).exists():
            raise Refused("label_booked_already")
        booking = LabelBooking.objects.create(
            shop_id=shop_id,
            reissue=row,
            pack_id=f"{row.code.replace('-', '')}_{earlier.count() + 1}",
            carrier=row.carrier,
            details={"change": intent["change"]} if intent.get("change") else {},
            by=by.name,
            created_at=now,
        )
        booking.effect_id = effects.want(
            shop_id=shop_id,
            kind=EffectKind.BOOK_LABEL,
            key=f"label:{booking.pk}",
            lane=f"order:{checked.order.number}",
            subject=f"label:{booking.pk}",
            intent={**intent, "pack_id": booking.pack_id},
            by=by.name,
        )
        booking.save(update_fields=["effect_id"])
        audit.record(shop_id, by.ref, "label.book", f"label:{booking.pk}", {"pack_id": booking.pack_id})
        _log(booking, "label_asked", by, now)
        return booking.pk


def cancel(*, shop_id: int, booking_id: int, by: Actor, now: datetime | None = None) -> int:
    """Give an e-waybill back that no submission uses. Returns the effect's id. Raises Refused: label_not_booked,
    label_in_use."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SUBMIT_REISSUE)
    with writing([shop_id]):
        booking = _locked(shop_id, booking_id)
        if booking.state != "booked":
            raise Refused("label_not_booked")
        if _in_use(booking):
            raise Refused("label_in_use", number=booking.number)
        booking.state = "cancelling"
        booking.effect_id = effects.want(
            shop_id=shop_id,
            kind=EffectKind.CANCEL_LABEL,
            key=f"label:{booking.pk}:cancel:{booking.effect_id}",
            lane=f"order:{booking.reissue.case.order.number}",
            subject=f"label:{booking.pk}",
            intent={"carrier": booking.carrier, "number": booking.number},
            by=by.name,
        )
        booking.save(update_fields=["state", "effect_id"])
        audit.record(shop_id, by.ref, "label.cancel", f"label:{booking.pk}", {"number": booking.number})
        return booking.effect_id


def on_effect(settled: Settled) -> None:
    """What the platform said: a number for the form, a refusal, or a question that the same call settles."""
    with writing([settled.shop_id]):
        booking = _locked(settled.shop_id, settled.owner[1])
        if settled.effect_id != booking.effect_id:
            return
        now = clock.now()
        before = booking.state
        told = {name: settled.error.get(name, "") for name in ("why", "text", "sub_code")}
        if settled.kind == EffectKind.BOOK_LABEL:
            _booked(booking, settled, told, now)
        elif settled.state == EffectState.ACCEPTED:
            booking.state, booking.ended_at = "cancelled", now
            _into_the_form(booking, booking.number, "")
        elif settled.state == EffectState.REJECTED:
            booking.state, booking.error = "booked", told
        booking.save()
        if booking.state != before:
            kind = "label_kept" if before == "cancelling" and booking.state == "booked" else f"label_{booking.state}"
            _log(booking, kind, SYSTEM, now, why=told["text"] or told["why"])


def _booked(booking: LabelBooking, settled: Settled, told: dict[str, Any], now: datetime) -> None:
    match settled.state:
        case EffectState.ACCEPTED:
            booking.state, booking.error = "booked", {}
            booking.number = str(settled.outcome.get("message_id", ""))
            booking.details = {**booking.details, **settled.outcome.get("details", {})}
            _into_the_form(booking, "", booking.number)
        case EffectState.REJECTED:
            booking.state, booking.error, booking.ended_at = "failed", told, now
        case EffectState.UNKNOWN:
            booking.state = "unknown"


@prepared
def _of_case(shop_id: int, case_id: int) -> QuerySet[LabelBooking]:
    rows = LabelBooking.objects.filter(shop_id=shop_id, reissue__case_id=case_id)
    return rows.select_related("reissue").order_by("id")


@remembered
def of_case(shop_id: int, case_id: int) -> tuple[BookingView, ...]:
    """A case's e-waybills, oldest first."""
    with reading([shop_id]):
        return tuple(
            BookingView(
                booking_id=row.pk,
                reissue_id=row.reissue_id,
                pack_id=row.pack_id,
                carrier=row.carrier,
                state=row.state,
                number=row.number,
                sort_code=str(row.details.get("sort_code", "")),
                error=row.error,
                effect_id=row.effect_id,
                by=row.by,
                created_at=row.created_at,
                in_use=_in_use(row),
            )
            for row in _of_case(shop_id, case_id)
        )


# --- inside ----------------------------------------------------------------------------------------------------------


def _intent(shop_id: int, checked: Checked, delivery: str) -> dict[str, Any]:
    """What the call needs. The receiver as the platform's own ciphers: we never open them for this. Where a customer
    changed the address, the intent names the change, and only the call itself opens it."""
    order, pickup = checked.order, checked.pickup
    change = deliveries.change_of(
        delivery, address_changes.of_orders(shop_id, [order.order_id]).get(order.order_id, ())
    )
    who: RecipientView | ChangeView = change or order.recipient
    secret = orders.ciphers(shop_id, order.order_id)
    lacking = [name for name, there in (("carrier", checked.form.carrier), ("pickup", pickup)) if not there]
    if not all(secret.get(name) for name in ("name", "phone", "address")):
        lacking.append("receiver")
    items = _items(order, checked)
    if not items:
        lacking.append("items")
    if lacking or pickup is None:
        raise Refused("label_lacks", checks=lacking)
    return {
        "order": order.number,
        "carrier": checked.form.carrier,
        "sender": [
            *(pickup.contact, pickup.phone),
            *(pickup.province, pickup.city, pickup.district, pickup.street, pickup.detail),
        ],
        "receiver": [secret["name"], secret["phone"], secret["address"]],
        "change": change.change_id if change else 0,
        "place": [who.province, who.city, who.district, who.town],
        "items": items,
    }


def _items(order: OrderView, checked: Checked) -> list[list[Any]]:
    names = {line.line_id: f"{line.title} {line.spec}".strip()[:60] for line in order.lines}
    return [[names[item.line_id], item.quantity] for item in checked.form.items if item.line_id in names]


def _locked(shop_id: int, booking_id: int) -> LabelBooking:
    rows = LabelBooking.objects.select_for_update(of=("self",)).select_related("reissue__case__order")
    return rows.get(shop_id=shop_id, id=booking_id)


def _in_use(booking: LabelBooking) -> bool:
    row = booking.reissue
    return bool(booking.number) and row.number == booking.number and row.state not in ("draft", "rejected", "cancelled")


def _into_the_form(booking: LabelBooking, was: str, number: str) -> None:
    """The draft takes the number, unless somebody put another one there meanwhile."""
    drafts = Reissue.objects.filter(
        shop_id=booking.shop_id, id=booking.reissue_id, state="draft", carrier=booking.carrier, number=was
    )
    drafts.update(number=number)


def _log(booking: LabelBooking, kind: str, by: Actor, now: datetime, **said: Any) -> None:
    cases.log(
        shop_id=booking.shop_id,
        case_id=booking.reissue.case_id,
        kind=kind,
        by=by,
        now=now,
        data={"carrier": booking.carrier, "number": booking.number, "pack": booking.pack_id, **said},
        effect_id=booking.effect_id,
    )
