"""The calls of e-waybills. Both may be repeated: the booking by its pack_id, the cancelling because twice is once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bufa.integrations.ebills import LabelOrder
from bufa.integrations.ports import PickupAddressFact, ProviderError, RecipientFact, Sent
from bufa.jobs.shipping import PlainNo

KINDS = ("book_label", "cancel_label")


def call(platform: Any, kind: str, intent: Mapping[str, Any]) -> Sent:
    """Make the call of an intent."""
    if kind == "cancel_label":
        cancelled: Sent = platform.cancel_label(intent["carrier"], intent["number"])
        return cancelled
    sent: Sent = platform.book_label(_order(intent))
    return sent


def again(platform: Any, kind: str, intent: Mapping[str, Any]) -> Sent:
    """Settle an unknown outcome by the same call: what it gives now it gave then; a plain no means nothing was done."""
    try:
        return call(platform, kind, intent)
    except ProviderError as error:
        if error.unknown or error.retryable:
            raise
        raise PlainNo(error) from None


def _order(intent: Mapping[str, Any]) -> LabelOrder:
    contact, phone, province, city, district, street, detail = intent["sender"]
    name, mobile, address = intent["receiver"]
    to_province, to_city, to_district, to_town = intent["place"]
    return LabelOrder(
        order_number=intent["order"],
        pack_id=intent["pack_id"],
        carrier=intent["carrier"],
        sender=PickupAddressFact("", contact, phone, province, city, district, street, detail, False),
        receiver=RecipientFact(
            name_cipher=name,
            phone_cipher=mobile,
            address_cipher=address,
            province=to_province,
            city=to_city,
            district=to_district,
            town=to_town,
        ),
        items=tuple((str(title), int(pieces)) for title, pieces in intent["items"]),
    )
