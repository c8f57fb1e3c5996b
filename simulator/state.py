"""The records of the world: orders, packages, parcels, after-sales, mails, messages. Times are seconds, money fen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.goods import Goods, Person
from simulator.lives import Life

Json = dict[str, Any]

# order_status of the platform
UNPAID, TO_SHIP, SHIPPED, CANCELLED, FINISHED, PARTLY = 1, 2, 3, 4, 5, 101
# aftersale_status of the platform
WAITING, TO_RESEND, SUCCESS, RESENT, RESEND_DONE, REFUSED_ONCE, CLOSED = 6, 8, 12, 13, 14, 27, 28
TO_RETURN, RETURNED, RETURN_REFUSED = 7, 11, 29
# aftersale_type of the platform
RETURN, REFUND_ONLY, REFUND_UNSHIPPED, EXCHANGE, RESEND = 0, 1, 2, 3, 7
REFUNDS = frozenset({RETURN, REFUND_ONLY, REFUND_UNSHIPPED})


@dataclass
class Line:
    sub_id: str
    goods: Goods
    count: int
    pay_fen: int
    shipped: int = 0


@dataclass
class Package:
    """One shipment of an order as the platform keeps it."""

    deliver_id: str
    number: str
    carrier: str
    created_at: int
    items: list[tuple[str, int]]
    extra: bool = False
    send_type: int = 4
    send_address_id: int = 0
    how: str = (
        "whole"  # logisticsAdd: edited by order; "pack" (MultiPack, SinglePack): edited by pack; "extra": neither
    )
    seen_at: int = 0  # reads show it from then on


@dataclass
class Parcel:
    """A waybill that lives. ``role`` is original, extra, resend, split or desk (handed out, not yet submitted)."""

    carrier: str
    number: str
    order_id: str
    started_at: int
    role: str
    life: Life
    submitted_at: int = 0


@dataclass
class AfterSale:
    aftersale_id: int
    order_id: str
    sub_id: str
    type: int
    status: int
    reason: str
    reason_code: int
    apply_at: int
    update_at: int
    deadline: int
    final_at: int = 0
    refund_fen: int = 0
    resend: Json | None = None
    resend_seen_at: int = 0  # reads show the waybill of the resend from then on
    logs: list[Json] = field(default_factory=list)


@dataclass
class Order:
    """An order and what the world has in mind for it: fate, the customer's manner, the carrier's answer."""

    order_id: str
    buyer: Person
    lines: list[Line]
    pay_fen: int
    created_at: int
    paid_at: int
    promise_hours: int
    carrier: str
    fate: str
    reissue_fate: str
    customer: str
    carrier_answer: str
    seed: str
    status: int = UNPAID
    update_at: int = 0
    ship_at: int = 0
    finish_at: int = 0
    cancel_reason: str = ""
    packages: list[Package] = field(default_factory=list)
    aftersales: list[int] = field(default_factory=list)
    remark: str = ""
    fixed_fate: bool = False
    noticed: set[str] = field(default_factory=set)

    @property
    def exp_ship_at(self) -> int:
        return self.paid_at + self.promise_hours * 3600 if self.paid_at else 0

    def line(self, sub_id: str) -> Line | None:
        return next((x for x in self.lines if x.sub_id == sub_id), None)


@dataclass
class Feed:
    """Something a customer says or does, as the shop's staff would see it in a chat."""

    at: int
    order_id: str
    kind: str
    text: str


@dataclass
class Sms:
    message_id: str
    order_id: str
    phone: str
    mask: str
    sign: str
    template_id: str
    param: str
    content: str
    at: int
    receipt_at: int
    ok: bool
    tag: str


@dataclass
class Mail:
    """A mail in a mailbox: ``box`` is the address whose mailbox it lies in."""

    at: int
    box: str
    sender: str
    to: list[str]
    subject: str
    text: str
    message_id: str
    in_reply_to: str = ""
    size: int = 0
    reply_to: str = ""
    returned: tuple[str, str] = ("", "")  # a bounce: the address that nobody has, the Message-ID that came back
