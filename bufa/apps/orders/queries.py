"""Read orders, recipients and tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from bufa.apps.orders import people
from bufa.apps.orders.models import AfterSale, Order, Recipient
from bufa.lib import crypto
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

RESEND = 7
TO_ANSWER = 6
AGREED = 8


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One 补寄 ticket in a list; `status` and `deadline` are the platform's."""

    shop_id: int
    number: str
    order_id: int
    order_number: str
    status: int
    deadline: datetime | None
    applied_at: datetime | None
    reason: str
    resend_carrier: str
    resend_number: str


def ids_of(shop_id: int, numbers: Sequence[str]) -> dict[str, int]:
    """Order ids by order number, of those we have."""
    with reading([shop_id]):
        return dict(Order.objects.filter(shop_id=shop_id, number__in=numbers).values_list("number", "id"))


def number_of(shop_id: int, order_id: int) -> str:
    with reading([shop_id]):
        number: str = Order.objects.values_list("number", flat=True).get(shop_id=shop_id, id=order_id)
        return number


@remembered
def open_plain(shop_id: int, order_id: int) -> people.Plain:
    """The recipient in plain text, where a file or the customer gave it. The caller logs why it looked."""
    with reading([shop_id]):
        row = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        return people.open_plain(row) if row else people.Plain()


@remembered
def ciphers(shop_id: int, order_id: int) -> dict[str, str]:
    """The platform's ciphers of a recipient: `name`, `phone`, `address`, and `phone_mask`; empty without one."""
    with reading([shop_id]):
        row = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        if row is None:
            return {}
        return {
            "name": row.name_cipher,
            "phone": row.phone_cipher,
            "address": row.address_cipher,
            "phone_mask": row.phone_mask,
        }


@remembered
def person_key(shop_id: int, order_id: int) -> str:
    """A keyed digest of who receives this order, equal for all of their orders as far as we know: by the phone where a
    file or the customer gave it, else by the platform's id of the address. "" when neither is known."""
    with reading([shop_id]):
        row = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        if row is None:
            return ""
        if row.phone_index or not row.open_address_id:
            return row.phone_index
        return crypto.blind(shop_id, row.open_address_id, purpose="person")


def key_of_phone(shop_id: int, phone: str) -> str:
    """The same digest for a phone, "" for what is none."""
    return people.phone_index(shop_id, phone)


def orders_by_phone_tail(shops: Sequence[int], tail: str, *, limit: int = 50) -> list[tuple[int, int]]:
    """(shop id, order id) of recipients whose phone ends in these four digits, newest first."""
    with reading(shops):
        # Each shop's index is its own, so no shop's rows answer another's.
        wanted = [index for shop_id in shops if (index := people.phone_tail_index(shop_id, tail))]
        rows = Recipient.objects.filter(shop_id__in=shops, phone_tail_index__in=wanted).order_by("-id")
        return list(rows.values_list("shop_id", "order_id")[:limit]) if wanted else []


def open_resends(shop_id: int, order_id: int) -> list[tuple[str, int, datetime | None]]:
    """(ticket number, update_time, deadline) of agreed 补寄 tickets of this order that wait for a number."""
    with reading([shop_id]):
        rows = AfterSale.objects.filter(shop_id=shop_id, order_id=order_id, type=RESEND, status=AGREED)
        return list(rows.order_by("id").values_list("number", "update_time", "deadline"))


def resend_tickets(shops: Sequence[int], *, open_only: bool = True, limit: int = 100) -> list[TicketRow]:
    """补寄 tickets by the platform's clock: those to answer first, then those to ship; else newest first."""
    with reading(shops):
        rows = AfterSale.objects.filter(shop_id__in=shops, type=RESEND).select_related("order")
        if open_only:
            rows = rows.filter(status__in=[TO_ANSWER, AGREED]).order_by(
                "status", F("deadline").asc(nulls_last=True), "id"
            )
        else:
            rows = rows.order_by("-id")
        return [
            TicketRow(
                shop_id=row.shop_id,
                number=row.number,
                order_id=row.order_id,
                order_number=row.order.number,
                status=row.status,
                deadline=row.deadline,
                applied_at=row.applied_at,
                reason=row.reason,
                resend_carrier=row.resend_carrier,
                resend_number=row.resend_number,
            )
            for row in rows[:limit]
        ]


def tickets_to_answer(shops: Sequence[int], *, limit: int = 20) -> list[TicketRow]:
    """补寄 tickets that wait for the shop's answer, the most urgent first."""
    return [row for row in resend_tickets(shops, limit=limit * 2) if row.status == TO_ANSWER][:limit]


def same_recipient(shop_id: int, order_id: int, since: datetime, *, limit: int = 200) -> dict[int, str]:
    """Other orders (id → number) of the same person or address since then, newest first: equal platform address id,
    or equal blind index of the phone or of the whole recipient. Nothing readable is compared."""
    with reading([shop_id]):
        me = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        same = Q()
        for name in ("open_address_id", "phone_index", "blind_index"):
            if me is not None and (value := getattr(me, name)):
                same |= Q(**{name: value})
        if not same:
            return {}
        rows = Recipient.objects.filter(same, shop_id=shop_id).exclude(order_id=order_id)
        rows = rows.filter(Q(order__paid_at__gte=since) | Q(order__paid_at=None, order__recorded_at__gte=since))
        return dict(rows.order_by("-order_id").values_list("order_id", "order__number")[:limit])
