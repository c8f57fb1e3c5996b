"""Where a reissue goes: to the order's recipient, or to a change that somebody recorded; and what tells which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from bufa.apps.orders.address_changes import CUSTOMER, ChangeView, newest_unknown
from bufa.apps.orders.views import OrderView
from bufa.apps.reissues.models import LabelBooking
from bufa.domain.reissues import FormAddress, RecipientMatch, RecordedChange

FROM_ORDER, FROM_TICKET, FROM_CHANGE = "order", "ticket", "change"


def name_of(change_id: int) -> str:
    """A change as a form names it."""
    return f"{FROM_CHANGE}:{change_id}"


def standing(changes: Iterable[ChangeView]) -> list[ChangeView]:
    """What customers asked for and nobody took back, oldest first."""
    return [one for one in changes if one.source == CUSTOMER and not one.taken_back]


def change_of(delivery: str, changes: Iterable[ChangeView]) -> ChangeView | None:
    """The recorded change that a form names; None for the order's own recipient."""
    kind, _, number = delivery.partition(":")
    if kind != FROM_CHANGE or not number.isdigit():
        return None
    return next((one for one in standing(changes) if one.change_id == int(number)), None)


def proposed(row: Mapping[str, Any], changes: Sequence[ChangeView]) -> str:
    """What the form opens with: what the draft says, else the newest change that the order does not know yet."""
    if said := str(row.get("from", "")):
        if change := row.get("change"):
            return name_of(int(change)) if change_of(name_of(int(change)), changes) else FROM_ORDER
        return said
    newest = newest_unknown(changes)
    return name_of(newest.change_id) if newest else FROM_ORDER


def kept(delivery: str, ticket: str) -> dict[str, Any]:
    """How a reissue's row remembers it."""
    kind, _, number = delivery.partition(":")
    return {"from": kind, "ticket": ticket} | ({"change": int(number)} if number.isdigit() else {})


def match(
    order: OrderView,
    delivery: str,
    changes: Sequence[ChangeView],
    booked_at: datetime | None,
    moved_at: datetime | None,
) -> RecipientMatch:
    """What tells whether the parcel goes to the right one. `booked_at`: when the waybill was printed here, if it was;
    `moved_at`: when the platform moved the order's delivery last."""
    change = change_of(delivery, changes)
    if change is not None:
        return RecipientMatch(change=_recorded(change))
    if delivery == FROM_TICKET:
        return RecipientMatch(order_open_address_id=order.recipient.open_address_id)
    index, same = order.recipient.blind_index, order.recipient.open_address_id
    unused = newest_unknown(changes)
    return RecipientMatch(
        same,
        same,
        index,
        index,
        unused_change=_recorded(unused) if unused else None,
        label_is_older=booked_at is not None and moved_at is not None and booked_at < moved_at,
    )


def change_address(change: ChangeView) -> FormAddress:
    """A changed address for the gate. The person stays the order's where the customer named no other."""
    return FormAddress(
        province=change.province,
        city=change.city,
        district=change.district,
        has_detail=bool(change.address_mask),
        has_name=bool(change.name_mask),
        has_phone=bool(change.phone_mask),
    )


def booked_at(shop_id: int, pairs: AbstractSet[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """When e-waybills of these (carrier, number) were booked here to an order's recipient."""
    numbers = [number for _, number in pairs if number]
    if not numbers:
        return {}
    rows = LabelBooking.objects.filter(shop_id=shop_id, number__in=numbers, state__in=["booked", "cancelling"])
    return {(row.carrier, row.number): row.created_at for row in rows if not row.details.get("change")}


def _recorded(change: ChangeView) -> RecordedChange:
    return RecordedChange(change.said_at, change.by, change.has_proof, change.in_order)
