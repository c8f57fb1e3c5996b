"""The calls of e-waybills. Both may be repeated: the booking by its pack_id, the cancelling because twice is once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bufa.apps.orders import address_changes
from bufa.apps.orders.people import Plain
from bufa.integrations.ebills import LabelOrder
from bufa.integrations.ports import PickupAddressFact, ProviderError, RecipientFact, Sent
from bufa.jobs.shipping import PlainNo

KINDS = ("book_label", "cancel_label")


def call(platform: Any, kind: str, intent: Mapping[str, Any], shop_id: int) -> Sent:
    """Make the call of an intent."""
    if kind == "cancel_label":
        cancelled: Sent = platform.cancel_label(intent["carrier"], intent["number"])
        return cancelled
    sent: Sent = platform.book_label(_order(intent, shop_id))
    return sent


def again(platform: Any, kind: str, intent: Mapping[str, Any], shop_id: int) -> Sent:
    """Settle an unknown outcome by the same call: what it gives now it gave then; a plain no means nothing was done."""
    try:
        return call(platform, kind, intent, shop_id)
    except ProviderError as error:
        if error.unknown or error.retryable:
            raise
        raise PlainNo(error) from None


def _order(intent: Mapping[str, Any], shop_id: int) -> LabelOrder:
    contact, phone, province, city, district, street, detail = intent["sender"]
    name, mobile, address = intent["receiver"]
    to_province, to_city, to_district, to_town = intent["place"]
    plain = address_changes.open_change(shop_id, intent["change"])[0] if intent.get("change") else Plain()
    return LabelOrder(
        order_number=intent["order"],
        pack_id=intent["pack_id"],
        carrier=intent["carrier"],
        sender=PickupAddressFact("", contact, phone, province, city, district, street, detail, False),
        receiver=RecipientFact(
            name_cipher="" if plain.name else name,
            phone_cipher="" if plain.phone else mobile,
            address_cipher="" if plain.address else address,
            name=plain.name,
            phone=plain.phone,
            address=plain.address,
            province=to_province,
            city=to_city,
            district=to_district,
            town=to_town,
        ),
        items=tuple((str(title), int(pieces)) for title, pieces in intent["items"]),
    )
