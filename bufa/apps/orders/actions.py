"""Record what the platform or a file says about orders, recipients and after-sales. In bulk; newer wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bufa.apps.orders import people
from bufa.apps.orders.address_changes import by_platform
from bufa.apps.orders.models import AddressChange, AfterSale, Line, Order, Recipient
from bufa.integrations.ports import AfterSaleFact, OrderFact, RecipientFact
from bufa.lib.db import unnest_insert, unnest_update
from bufa.lib.tenancy import for_shops

FROM_PLATFORM = "doudian"
FROM_FILE = "file"

# Cancelled, and wholly refunded before shipping, after shipping, after receipt (doudian-openapi §4.3).
_CLOSED = frozenset({4, 21, 22, 39})
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recorded:
    """`order_ids` by order number, of every fact. `accepted`: the facts that were not older than what we had."""

    order_ids: dict[str, int]
    accepted: tuple[OrderFact, ...]


def record(shop_id: int, facts: Iterable[OrderFact], now: datetime, *, source: str = FROM_PLATFORM) -> Recorded:
    """Store orders with lines and recipients.

    A fact older than what is stored (`updated_at`) changes nothing. A field that the source left out keeps its value.
    A file never overwrites what the platform said of an order; it adds the recipient it knows.
    """
    newest = _newest(facts)
    if not newest:
        return Recorded({}, ())
    with for_shops([shop_id]):
        stored = _locked(shop_id, sorted(newest), now, source)
        accepted = [
            fact
            for number, fact in newest.items()
            if fact.updated_at is None or fact.updated_at >= (stored[number].platform_updated_at or _LONG_AGO)
        ]
        ids = {number: row.pk for number, row in stored.items()}
        said = [fact for fact in accepted if fact.updated_at or stored[fact.number].platform_updated_at is None]
        _write_orders(said, stored, source)
        _write_lines(shop_id, said, ids)
        _write_recipients(shop_id, accepted, ids, now)
    return Recorded(ids, tuple(accepted))


def record_after_sales(shop_id: int, facts: Iterable[AfterSaleFact], now: datetime) -> tuple[list[int], list[str]]:
    """Store tickets; a smaller `update_time` than the stored one changes nothing.

    Returns the ids of the orders they belong to, and the numbers of orders that we don't have: nothing is stored for
    those; read the order, then come again.
    """
    newest: dict[str, AfterSaleFact] = {}
    for fact in facts:
        held = newest.get(fact.number)
        if held is None or fact.update_time >= held.update_time:
            newest[fact.number] = fact
    if not newest:
        return [], []
    with for_shops([shop_id]):
        numbers = {fact.order_number for fact in newest.values()}
        found = Order.objects.filter(shop_id=shop_id, number__in=numbers).values_list("number", "id")
        ids = dict(found)
        rows = sorted((fact for fact in newest.values() if fact.order_number in ids), key=lambda fact: fact.number)
        unnest_insert(
            AfterSale._meta.db_table,
            {
                "shop_id": ("bigint", [shop_id] * len(rows)),
                "order_id": ("bigint", [ids[fact.order_number] for fact in rows]),
                "number": ("text", [fact.number for fact in rows]),
                "type": ("integer", [fact.type for fact in rows]),
                "status": ("integer", [fact.status for fact in rows]),
                "deadline": ("timestamptz", [fact.deadline for fact in rows]),
                "applied_at": ("timestamptz", [fact.applied_at for fact in rows]),
                "update_time": ("bigint", [fact.update_time for fact in rows]),
                "reason": ("text", [fact.reason[:200] for fact in rows]),
                "refund_fen": ("bigint", [fact.refund_fen for fact in rows]),
                "resend_carrier": ("text", [fact.resend_carrier[:40] for fact in rows]),
                "resend_number": ("text", [fact.resend_number[:40] for fact in rows]),
                "recorded_at": ("timestamptz", [now] * len(rows)),
            },
            on_conflict=_TICKET_CONFLICT,
        )
    return sorted({ids[fact.order_number] for fact in rows}), sorted(numbers - set(ids))


# The list answers without the resend's number, the detail with it: what was known stays known.
_TICKET_CONFLICT = """(shop_id, number) DO UPDATE SET
    type = EXCLUDED.type, status = EXCLUDED.status, deadline = EXCLUDED.deadline,
    applied_at = COALESCE(EXCLUDED.applied_at, orders_aftersale.applied_at), update_time = EXCLUDED.update_time,
    reason = COALESCE(NULLIF(EXCLUDED.reason, ''), orders_aftersale.reason),
    refund_fen = COALESCE(NULLIF(EXCLUDED.refund_fen, 0), orders_aftersale.refund_fen),
    resend_carrier = COALESCE(NULLIF(EXCLUDED.resend_carrier, ''), orders_aftersale.resend_carrier),
    resend_number = COALESCE(NULLIF(EXCLUDED.resend_number, ''), orders_aftersale.resend_number),
    recorded_at = EXCLUDED.recorded_at
    WHERE orders_aftersale.update_time <= EXCLUDED.update_time"""

_LINE_CONFLICT = """(order_id, line_id) DO UPDATE SET
    product_id = EXCLUDED.product_id, sku_id = EXCLUDED.sku_id, title = EXCLUDED.title, spec = EXCLUDED.spec,
    quantity = EXCLUDED.quantity, paid_fen = EXCLUDED.paid_fen"""


def _newest(facts: Iterable[OrderFact]) -> dict[str, OrderFact]:
    """One fact per order: the latest said, of equals the one that came last."""
    newest: dict[str, OrderFact] = {}
    for fact in facts:
        held = newest.get(fact.number)
        if held is None or (fact.updated_at or _LONG_AGO) >= (held.updated_at or _LONG_AGO):
            newest[fact.number] = fact
    return newest


def _locked(shop_id: int, numbers: Sequence[str], now: datetime, source: str) -> dict[str, Order]:
    """The rows of these orders, made where missing, locked in one order so that two batches can't wait in a ring."""
    Order.objects.bulk_create(
        [Order(shop_id=shop_id, number=number, source=source, recorded_at=now) for number in numbers],
        ignore_conflicts=True,
    )
    rows = Order.objects.select_for_update().filter(shop_id=shop_id, number__in=numbers).order_by("number")
    return {row.number: row for row in rows}


def _write_orders(facts: Sequence[OrderFact], stored: dict[str, Order], source: str) -> None:
    rows = [(stored[fact.number], fact) for fact in facts]
    columns: dict[str, tuple[str, list[Any]]] = {"id": ("bigint", [row.pk for row, _ in rows])}
    columns["status"] = ("integer", [fact.status for _, fact in rows])
    columns["main_status"] = ("integer", [fact.main_status for _, fact in rows])
    for name in ("created_at", "paid_at", "ship_by", "finished_at"):
        kept = [getattr(fact, name) or getattr(row, name) for row, fact in rows]
        columns[name] = ("timestamptz", kept)
    hours = [row.promise_hours if fact.promise_hours is None else fact.promise_hours for row, fact in rows]
    columns["promise_hours"] = ("integer", hours)
    columns["paid_fen"] = ("bigint", [fact.paid_fen or row.paid_fen for row, fact in rows])
    columns["platform_updated_at"] = ("timestamptz", [fact.updated_at for _, fact in rows])
    closed = [fact.main_status in _CLOSED or fact.status in _CLOSED for _, fact in rows]
    columns["is_closed"] = ("boolean", closed)
    columns["source"] = ("text", [source] * len(rows))
    unnest_update(Order._meta.db_table, columns)


def _write_lines(shop_id: int, facts: Sequence[OrderFact], ids: dict[str, int]) -> None:
    lines = {(ids[fact.number], line.line_id): line for fact in facts for line in fact.lines if line.quantity > 0}
    unnest_insert(
        Line._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(lines)),
            "order_id": ("bigint", [order_id for order_id, _ in lines]),
            "line_id": ("text", [line_id for _, line_id in lines]),
            "product_id": ("text", [line.product_id[:40] for line in lines.values()]),
            "sku_id": ("text", [line.sku_id[:40] for line in lines.values()]),
            "title": ("text", [line.title[:200] for line in lines.values()]),
            "spec": ("text", [line.spec[:120] for line in lines.values()]),
            "quantity": ("integer", [line.quantity for line in lines.values()]),
            "paid_fen": ("bigint", [line.paid_fen for line in lines.values()]),
        },
        on_conflict=_LINE_CONFLICT,
    )


_CLIPPED = {
    "name_cipher": None, "name_mask": 60, "phone_cipher": None, "phone_mask": 40, "address_cipher": None,
    "address_mask": 200, "province": 30, "city": 30, "district": 30, "town": 60, "open_address_id": 80,
}  # fmt: skip
_SEALED = ("plain", "has_email", "blind_index", "phone_index", "phone_tail_index", "moved_at")
_RECIPIENT_CONFLICT = (
    "(order_id) DO UPDATE SET "
    + ", ".join(f"{name} = COALESCE(NULLIF(EXCLUDED.{name}, ''), orders_recipient.{name})" for name in _CLIPPED)
    + ", "
    + ", ".join(f"{name} = EXCLUDED.{name}" for name in _SEALED)
)


def _write_recipients(shop_id: int, facts: Sequence[OrderFact], ids: dict[str, int], now: datetime) -> None:
    order_ids = [ids[fact.number] for fact in facts]
    there = {row.order_id: row for row in Recipient.objects.filter(shop_id=shop_id, order_id__in=order_ids)}
    rows = [_recipient(shop_id, ids[fact.number], fact.recipient, there.get(ids[fact.number])) for fact in facts]
    columns: dict[str, tuple[str, list[Any]]] = {
        "shop_id": ("bigint", [shop_id] * len(rows)),
        "order_id": ("bigint", order_ids),
    }
    for name in _CLIPPED:
        columns[name] = ("text", [getattr(row, name) for row in rows])
    columns["plain"] = ("bytea", [row.plain for row in rows])
    columns["has_email"] = ("boolean", [row.has_email for row in rows])
    for name in ("blind_index", "phone_index", "phone_tail_index"):
        columns[name] = ("text", [getattr(row, name) for row in rows])
    columns["moved_at"] = ("timestamptz", [_moved_at(row, there.get(row.order_id), now) for row in rows])
    moved = [(row, old) for row in rows if (old := there.get(row.order_id)) and _has_moved(row, old)]
    AddressChange.objects.bulk_create(by_platform(row, old, now) for row, old in moved)
    unnest_insert(Recipient._meta.db_table, columns, on_conflict=_RECIPIENT_CONFLICT)


def _moved_at(row: Recipient, there: Recipient | None, now: datetime) -> datetime | None:
    """When the delivery went to somebody or somewhere else than was said first; None while it never did."""
    if there is None:
        return None
    return now if _has_moved(row, there) else there.moved_at


def _has_moved(row: Recipient, there: Recipient) -> bool:
    return bool(there.open_address_id and row.open_address_id) and there.open_address_id != row.open_address_id


def _recipient(shop_id: int, order_id: int, fact: RecipientFact, there: Recipient | None) -> Recipient:
    """The row to write: the platform's words as they are, plain ones sealed, masked and indexed."""
    row = Recipient(shop_id=shop_id, order_id=order_id)
    for name, length in _CLIPPED.items():
        setattr(row, name, getattr(fact, name)[:length])
    given, kept = people.plain_of(fact), people.open_plain(there) if there else people.Plain()
    if fact.open_address_id and there and there.open_address_id not in ("", fact.open_address_id) and not given:
        # The platform moved the delivery elsewhere: what a file said before is no longer where it goes.
        kept = replace(kept, name="", phone="", address="")
    plain = people.Plain(
        given.name or kept.name, given.phone or kept.phone, given.address or kept.address, given.email or kept.email
    )
    if plain:
        row.plain = people.seal_plain(shop_id, order_id, plain)
        row.has_email = bool(plain.email)
        row.name_mask = row.name_mask or people.mask_name(plain.name)
        row.phone_mask = row.phone_mask or people.mask_phone(plain.phone)
        province, city, district = (
            getattr(row, part) or getattr(there, part, "") for part in ("province", "city", "district")
        )
        row.blind_index = people.recipient_index(
            shop_id, plain.name, plain.phone, province, city, district, plain.address
        )
        row.phone_index = people.phone_index(shop_id, plain.phone)
    row.phone_tail_index = people.phone_tail_index(shop_id, plain.phone or row.phone_mask)
    if not (row.phone_tail_index or plain) and there:
        row.phone_tail_index = there.phone_tail_index
    return row
