"""Shops without API: the fields to copy into the platform's page, and the page's own text as the proof afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bufa.apps.cases.actors import Actor
from bufa.apps.orders import address_changes
from bufa.apps.orders.address_changes import ChangeView
from bufa.apps.orders.views import RecipientView, order_view
from bufa.apps.reissues import actions, deliveries
from bufa.apps.reissues.models import CopyMark, Reissue
from bufa.apps.shops import queries as shops
from bufa.domain import carriers, copy_pack
from bufa.domain.copy_pack import FIELDS, Page, Proof
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.tenancy import for_shops, reading, writing


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the platform's page. `copied_at`: this operator copied it then. `text` "" has nothing to copy."""

    name: str
    text: str
    copied_at: datetime | None


def pack(shop_id: int, reissue_id: int, operator_id: int) -> tuple[Field, ...]:
    """The fields in the order of the platform's page; `delivery` is the customer's changed address where there is one.
    The buyer's plain address is not among them: the page has it."""
    with reading([shop_id]):
        row = Reissue.objects.select_related("case").get(shop_id=shop_id, id=reissue_id)
        order = order_view(shop_id, row.case.order_id)
        pickups = {one.pickup_id: one for one in shops.pickup_addresses([shop_id])}
        marks = CopyMark.objects.filter(shop_id=shop_id, reissue_id=reissue_id, operator_id=operator_id)
        copied = dict(marks.values_list("name", "copied_at"))
        order_id = row.case.order_id
        changes = address_changes.of_orders(shop_id, [order_id]).get(order_id, ())
    known = carriers.get(row.carrier)
    titles = {line.line_id: f"{line.title} {line.spec}".strip() for line in order.lines} if order else {}
    pickup = pickups.get(row.pickup_address_id or 0)
    where = (pickup.province, pickup.city, pickup.district, pickup.street, pickup.detail) if pickup else ()
    who = f" {pickup.contact} {pickup.phone}" if pickup else ""
    change = deliveries.change_of(f"change:{row.delivery.get('change', '')}", changes)
    to: RecipientView | ChangeView | None = change or (order.recipient if order else None)
    city = to.city if to and to.city != to.province else ""
    place = f"{to.province}{city}{to.district}{to.town}{to.address_mask}" if to else ""
    texts = {
        "order": order.number if order else "",
        "carrier": known.name if known else row.carrier,
        "number": row.number,
        "items": "；".join(f"{titles.get(str(line), line)}×{count}" for line, count in row.contents),
        "pickup": "".join(where) + who,
        "delivery": f"{to.name_mask} {place}".strip() if to else "",
    }
    return tuple(Field(name, texts[name], copied.get(name)) for name in FIELDS)


def mark(*, shop_id: int, reissue_id: int, name: str, by: Actor) -> None:
    """Remember that this operator copied a field; again is the same."""
    if by.operator_id is None or by.role is None:
        raise Refused("people_only", action="submit")
    check(by.role, Permission.FILL_NUMBER)
    if name not in FIELDS:
        raise Refused("no_such_field")
    with for_shops([shop_id]):
        row = Reissue.objects.get(shop_id=shop_id, id=reissue_id)
        CopyMark.objects.get_or_create(
            shop_id=shop_id,
            reissue=row,
            operator_id=by.operator_id,
            name=name,
            defaults={"copied_at": clock.now()},
        )


def read_back(*, shop_id: int, reissue_id: int, text: str, by: Actor) -> Page:
    """Look for order and number in the text of the platform's page; when both stand there the reissue is settled, also
    where our own reading back could not say. The text holds buyers' data and is not kept. Raises Refused as `prove`
    does."""
    with writing([shop_id]):
        row = Reissue.objects.select_related("case__order").get(shop_id=shop_id, id=reissue_id)
        page = copy_pack.read_page(text, row.case.order.number, row.number)
        if page.proof is Proof.THERE:
            actions.prove(shop_id=shop_id, reissue_id=reissue_id, by=by)
        return page
