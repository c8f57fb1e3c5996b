"""Orders as the pages show them: lines, the recipient behind masks, the platform's after-sales. Plain values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import QuerySet

from bufa.apps.orders.models import AfterSale, Line, Order, Recipient
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered, together
from bufa.lib.tenancy import reading

AFTER_SALE_RESEND = 7
"""补寄. Its statuses: 6 to answer, 8 agreed and to ship, 13 shipped, 14 received, 27 refused, 28 closed."""


@dataclass(frozen=True, slots=True)
class LineView:
    line_id: str
    title: str
    spec: str
    quantity: int
    paid_fen: int
    sku_id: str = ""


@dataclass(frozen=True, slots=True)
class RecipientView:
    """Masks and places only. Plain values are revealed one by one, with a log entry, never listed."""

    name_mask: str = ""
    phone_mask: str = ""
    address_mask: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    town: str = ""
    has_email: bool = False
    has_plain: bool = False
    has_cipher: bool = False
    open_address_id: str = ""
    blind_index: str = ""


@dataclass(frozen=True, slots=True)
class AfterSaleView:
    """One ticket. `deadline` is the platform's clock on it; `update_time` is what an answer must send back."""

    number: str
    type: int
    status: int
    deadline: datetime | None
    applied_at: datetime | None
    update_time: int
    reason: str
    resend_carrier: str
    resend_number: str
    refund_fen: int = 0

    @property
    def is_resend(self) -> bool:
        return self.type == AFTER_SALE_RESEND


@dataclass(frozen=True, slots=True)
class OrderView:
    shop_id: int
    order_id: int
    number: str
    status: int
    main_status: int
    created_at: datetime | None
    paid_at: datetime | None
    ship_by: datetime | None
    promise_hours: int | None
    paid_fen: int
    is_closed: bool
    lines: tuple[LineView, ...]
    recipient: RecipientView
    after_sales: tuple[AfterSaleView, ...]

    def resend_ticket(self, *statuses: int) -> AfterSaleView | None:
        """The newest 补寄 ticket in one of the statuses, else None."""
        fitting = [ticket for ticket in self.after_sales if ticket.is_resend and ticket.status in statuses]
        return fitting[-1] if fitting else None


def order_view(shop_id: int, order_id: int) -> OrderView | None:
    """One order with everything a case page shows of it; None when it is not this shop's."""
    return order_views([shop_id], [order_id]).get(order_id)


@prepared
def _items(shops: Sequence[int], order_ids: Sequence[int]) -> QuerySet[Line]:
    return Line.objects.filter(shop_id__one_of=shops, order_id__one_of=order_ids).order_by("id")


@prepared
def _asked(shops: Sequence[int], order_ids: Sequence[int]) -> QuerySet[AfterSale]:
    return AfterSale.objects.filter(shop_id__one_of=shops, order_id__one_of=order_ids).order_by("id")


@prepared
def _whom(shops: Sequence[int], order_ids: Sequence[int]) -> QuerySet[Recipient]:
    return Recipient.objects.filter(shop_id__one_of=shops, order_id__one_of=order_ids)


@prepared
def _orders(shops: Sequence[int], order_ids: Sequence[int]) -> QuerySet[Order]:
    return Order.objects.filter(shop_id__one_of=shops, id__one_of=order_ids)


@remembered
def order_views(shops: Sequence[int], order_ids: Sequence[int]) -> dict[int, OrderView]:
    """Orders by id, in four queries however many; in one statement on a page that only reads."""
    with reading(shops):
        together(*(partial(ask, shops, order_ids) for ask in (_items, _asked, _whom, _orders)))
        lines: dict[int, list[LineView]] = {}
        for line in _items(shops, order_ids):
            shown = LineView(line.line_id, line.title, line.spec, line.quantity, line.paid_fen, line.sku_id)
            lines.setdefault(line.order_id, []).append(shown)
        tickets: dict[int, list[AfterSaleView]] = {}
        for row in _asked(shops, order_ids):
            tickets.setdefault(row.order_id, []).append(_ticket(row))
        people = {row.order_id: _recipient(row) for row in _whom(shops, order_ids)}
        return {
            order.pk: OrderView(
                shop_id=order.shop_id,
                order_id=order.pk,
                number=order.number,
                status=order.status,
                main_status=order.main_status,
                created_at=order.created_at,
                paid_at=order.paid_at,
                ship_by=order.ship_by,
                promise_hours=order.promise_hours,
                paid_fen=order.paid_fen,
                is_closed=order.is_closed,
                lines=tuple(lines.get(order.pk, ())),
                recipient=people.get(order.pk, RecipientView()),
                after_sales=tuple(tickets.get(order.pk, ())),
            )
            for order in _orders(shops, order_ids)
        }


def order_lines(shop_id: int, order_ids: Sequence[int]) -> dict[int, dict[str, LineView]]:
    """Lines by order and line id: for who needs the goods and nothing else; one query."""
    found: dict[int, dict[str, LineView]] = {}
    with reading([shop_id]):
        for line in Line.objects.filter(shop_id=shop_id, order_id__in=order_ids).order_by("id"):
            shown = LineView(line.line_id, line.title, line.spec, line.quantity, line.paid_fen, line.sku_id)
            found.setdefault(line.order_id, {})[line.line_id] = shown
    return found


def _ticket(row: AfterSale) -> AfterSaleView:
    return AfterSaleView(
        number=row.number,
        type=row.type,
        status=row.status,
        deadline=row.deadline,
        applied_at=row.applied_at,
        update_time=row.update_time,
        reason=row.reason,
        resend_carrier=row.resend_carrier,
        resend_number=row.resend_number,
        refund_fen=row.refund_fen,
    )


def _recipient(row: Recipient) -> RecipientView:
    return RecipientView(
        name_mask=row.name_mask,
        phone_mask=row.phone_mask,
        address_mask=row.address_mask,
        province=row.province,
        city=row.city,
        district=row.district,
        town=row.town,
        has_email=row.has_email,
        has_plain=bool(row.plain),
        has_cipher=bool(row.phone_cipher),
        open_address_id=row.open_address_id,
        blind_index=row.blind_index,
    )
