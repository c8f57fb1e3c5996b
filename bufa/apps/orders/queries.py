"""Read orders, recipients and tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bufa.apps.orders import people
from bufa.apps.orders.models import AfterSale, Order, Recipient
from bufa.lib.tenancy import for_shops

RESEND = 7
AGREED = 8


def ids_of(shop_id: int, numbers: Sequence[str]) -> dict[str, int]:
    """Order ids by order number, of those we have."""
    with for_shops([shop_id]):
        return dict(Order.objects.filter(shop_id=shop_id, number__in=numbers).values_list("number", "id"))


def number_of(shop_id: int, order_id: int) -> str:
    with for_shops([shop_id]):
        number: str = Order.objects.values_list("number", flat=True).get(shop_id=shop_id, id=order_id)
        return number


def open_plain(shop_id: int, order_id: int) -> people.Plain:
    """The recipient in plain text, where a file or the customer gave it. The caller logs why it looked."""
    with for_shops([shop_id]):
        row = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        return people.open_plain(row) if row else people.Plain()


def ciphers(shop_id: int, order_id: int) -> dict[str, str]:
    """The platform's ciphers of a recipient: `name`, `phone`, `address`, and `phone_mask`; empty without a recipient."""
    with for_shops([shop_id]):
        row = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        if row is None:
            return {}
        return {
            "name": row.name_cipher,
            "phone": row.phone_cipher,
            "address": row.address_cipher,
            "phone_mask": row.phone_mask,
        }


def orders_by_phone_tail(shops: Sequence[int], tail: str, *, limit: int = 50) -> list[tuple[int, int]]:
    """(shop id, order id) of recipients whose phone ends in these four digits, newest first."""
    found: list[tuple[int, int]] = []
    with for_shops(shops):
        for shop_id in shops:
            index = people.phone_tail_index(shop_id, tail)
            if index:
                rows = Recipient.objects.filter(shop_id=shop_id, phone_tail_index=index).order_by("-id")
                found += rows.values_list("shop_id", "order_id")[:limit]
    return found[:limit]


def open_resends(shop_id: int, order_id: int) -> list[tuple[str, int, datetime | None]]:
    """(ticket number, update_time, deadline) of agreed 补寄 tickets of this order that wait for a number."""
    with for_shops([shop_id]):
        rows = AfterSale.objects.filter(shop_id=shop_id, order_id=order_id, type=RESEND, status=AGREED)
        return list(rows.order_by("id").values_list("number", "update_time", "deadline"))
