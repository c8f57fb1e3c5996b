"""Doudian's order objects → facts (doudian-openapi §4). Any field may be missing: permission packages cut them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bufa.integrations.ports import LineFact, OrderFact, PackageFact, Page, RecipientFact
from bufa.integrations.wire import child, instant, number, rows, text

_CIPHER_STARTS = ("#", "$", "~")


def order_page(data: Any, page: int, size: int) -> Page[OrderFact]:
    """The answer of order.searchList, which says `total` but not whether more follows."""
    orders = tuple(order_fact(row) for row in rows(child(data).get("shop_order_list")))
    total = number(child(data).get("total"))
    return Page(orders, total, has_more=bool(orders) and (page + 1) * size < total)


def order_fact(row: Mapping[str, Any]) -> OrderFact:
    """One parent order, out of searchList or orderDetail."""
    lines = rows(row.get("sku_order_list"))
    paid_at = instant(row.get("pay_time"))
    ship_by = instant(row.get("exp_ship_time")) or min(
        (due for line in lines if (due := instant(line.get("exp_ship_time")))), default=None
    )
    return OrderFact(
        number=text(row.get("order_id")),
        status=number(row.get("order_status")),
        main_status=number(row.get("main_status")),
        created_at=instant(row.get("create_time")),
        paid_at=paid_at,
        ship_by=ship_by,
        promise_hours=promise_hours(paid_at, ship_by),
        paid_fen=number(row.get("pay_amount")),
        updated_at=instant(row.get("update_time")),
        finished_at=instant(row.get("finish_time")),
        lines=tuple(line_fact(line) for line in lines),
        recipient=recipient_fact(row),
        packages=tuple(_shipped(box) for box in rows(row.get("logistics_info")) if text(box.get("tracking_no"))),
    )


def promise_hours(paid_at: datetime | None, ship_by: datetime | None) -> int | None:
    """Hours promised from payment to shipping, rounded up; None when either is unknown or the order makes no sense.

    The platform's `promise_info` is undocumented text, so the promise is derived; a time agreed with the buyer counts.
    """
    if paid_at is None or ship_by is None or ship_by < paid_at:
        return None
    return -(-int((ship_by - paid_at).total_seconds()) // 3600)


def line_fact(row: Mapping[str, Any]) -> LineFact:
    spec = "; ".join(f"{text(part.get('name'))}:{text(part.get('value'))}" for part in rows(row.get("spec")))
    return LineFact(
        line_id=text(row.get("order_id")),
        product_id=text(row.get("product_id_str")) or text(row.get("product_id")),
        sku_id=text(row.get("sku_id")),
        title=text(row.get("product_name")),
        spec=spec,
        quantity=number(row.get("item_num")),
        paid_fen=number(row.get("pay_amount")),
    )


def recipient_fact(row: Mapping[str, Any], address: str = "post_addr", phone: str = "post_tel") -> RecipientFact:
    """The recipient of an order, or (with other field names) of an after-sale ticket. Plain text never comes through:
    a legacy `post_receiver` that is no cipher is dropped unless it is masked."""
    place, masked = child(row, address), child(row, f"mask_{address}")
    where = place or masked
    return RecipientFact(
        name_cipher=_cipher(row.get("encrypt_post_receiver")) or _cipher(row.get("post_receiver")),
        name_mask=_mask(row.get("mask_post_receiver")) or _mask(row.get("post_receiver")),
        phone_cipher=_cipher(row.get(f"encrypt_{phone}")) or _cipher(row.get(phone)),
        phone_mask=_mask(row.get(f"mask_{phone}")) or _mask(row.get("mask_post_tel")) or _mask(row.get(phone)),
        address_cipher=_cipher(place.get("encrypt_detail")) or _cipher(place.get("detail")),
        address_mask=_mask(masked.get("detail")) or _mask(place.get("detail")),
        province=place_name(where.get("province")),
        city=place_name(where.get("city")),
        district=place_name(where.get("town")),  # the platform's "town" is the district (区县),
        town=place_name(where.get("street")),  # its "street" the township (街道)
        open_address_id=text(row.get("open_address_id")),
    )


def place_name(value: object) -> str:
    """A division, sent as `{id, name}` or as text."""
    return text(child(value).get("name")) if isinstance(value, dict) else text(value)


def _cipher(value: object) -> str:
    told = text(value)
    return told if told.startswith(_CIPHER_STARTS) and len(told) > 8 else ""


def _mask(value: object) -> str:
    told = text(value)
    return told if "*" in told and not _cipher(told) else ""


def _shipped(box: Mapping[str, Any]) -> PackageFact:
    return PackageFact(
        package_id=text(box.get("delivery_id")),
        carrier=text(box.get("company")),
        number=text(box.get("tracking_no")),
        shipped_at=instant(box.get("ship_time")),
        lines=tuple(
            (line, number(item.get("product_count"), 1))
            for item in rows(box.get("product_info"))
            if (line := text(item.get("sku_order_id")))
        ),
    )
