"""Carriers, addresses, packages and routes of Doudian → facts (doudian-openapi §5, §6, §8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bufa.integrations.platforms.doudian.orders import place_name
from bufa.integrations.ports import CarrierFact, PackageFact, PickupAddressFact, RawScan, TrackReport
from bufa.integrations.wire import child, instant, number, rows, text, truth

NO_TRACK_YET = "-10004"

_PHONES = ("mobile", "receiver_mobile", "receiver_tel", "receiver_phone", "phone", "fixed_phone")


def carriers(data: Any) -> tuple[CarrierFact, ...]:
    """order.logisticsCompanyList: its `data` is a list."""
    return tuple(CarrierFact(code, text(row.get("name"))) for row in rows(data) if (code := text(row.get("code"))))


def addresses(data: Any) -> tuple[PickupAddressFact, ...]:
    """One page of address.list (field names are the platform's own spelling)."""
    return tuple(_address(row) for row in rows(child(data).get("address_list")))


def _address(row: Mapping[str, Any]) -> PickupAddressFact:
    return PickupAddressFact(
        platform_id=text(row.get("address_id")),
        name=text(row.get("reciever_name")) or text(row.get("receiver_name")),
        phone=next((told for key in _PHONES if (told := text(row.get(key)))), ""),
        province=place_name(row.get("receiver_provinc")) or place_name(row.get("receiver_province")),
        city=place_name(row.get("receiver_city")),
        district=place_name(row.get("receiver_district")),
        street=place_name(row.get("receiver_street")),
        detail=text(row.get("receiver_detail")),
        is_default=truth(row.get("is_send_default")),
    )


def packages(data: Any) -> tuple[PackageFact, ...]:
    """order.queryOrderPackageInfo: one fact a waybill (a package may travel as several)."""
    found = rows(child(data, "order_package_info").get("package_info"))
    return tuple(
        _package(box, delivery)
        for box in found
        for delivery in rows(box.get("delivery_info"))
        if text(delivery.get("track_no"))
    )


def _package(box: Mapping[str, Any], delivery: Mapping[str, Any]) -> PackageFact:
    company = delivery.get("company_info")
    known = child(company)
    return PackageFact(
        package_id=text(delivery.get("deliver_id")),
        carrier=text(company)
        or next((told for k in ("company_code", "code", "company") if (told := text(known.get(k)))), ""),
        number=text(delivery.get("track_no")),
        shipped_at=instant(delivery.get("create_time")),
        lines=tuple(
            (line, number(item.get("num"), 1))
            for item in rows(box.get("product_info"))
            if (line := text(item.get("sku_order_id")))
        ),
        is_extra=truth(box.get("is_complement_deliver")),
    )


def route(data: Any, carrier: str, track_no: str) -> TrackReport:
    """logistics.trackNoRouteDetail. The list's name has one underscore or two; its state codes are not published, so
    `code` is kept as it came and the description goes to `state`."""
    answer = child(data)
    nodes = rows(answer.get("route_node_list")) or rows(answer.get("route__node_list"))
    scans = [
        RawScan(
            scanned_at=instant(node.get("timestamp")),
            text=text(node.get("content")),
            code=text(node.get("state")),
            state=text(node.get("state_description")),
            place=text(node.get("site_name")),
        )
        for node in nodes
    ]
    known = [scan.scanned_at for scan in scans if scan.scanned_at is not None]
    if known and known[0] > known[-1]:
        scans.reverse()
    return TrackReport("doudian", carrier, track_no, tuple(scans))


def extra_package_params(
    order_number: str, lines: Sequence[tuple[str, int]], carrier: str, track_no: str, send_address_id: str
) -> dict[str, Any]:
    """The parameters of order.uploadextrapackage; `lines` are (sub-order id, quantity)."""
    return {
        "shop_order_id": order_number,
        "product_orders": [{"product_order_id": line, "product_count": count} for line, count in lines],
        "tracking_no": track_no,
        "company_code": carrier,
        "send_address_id": number(send_address_id) or None,
    }


def first_package_params(
    order_number: str,
    lines: Sequence[tuple[str, int]],
    carrier: str,
    track_no: str,
    request_id: str,
    send_address_id: str,
) -> dict[str, Any]:
    """The parameters of order.logisticsAddMultiPack with one box. Its `address_id` is a text, unlike elsewhere."""
    box = {"shipped_order_info": _shipped_info(lines), "logistics_code": track_no, "company_code": carrier}
    return {
        "order_id": order_number,
        "pack_list": [box],
        "request_id": request_id,
        "address_id": send_address_id or None,
    }


def joint_package_params(
    order_numbers: Sequence[str],
    lines: Sequence[tuple[str, int]],
    carrier: str,
    track_no: str,
    request_id: str,
    send_address_id: str,
) -> dict[str, Any]:
    """The parameters of order.logisticsAddSinglePack: several orders of one recipient in one box."""
    return {
        "order_id_list": list(order_numbers),
        "shipped_order_info": _shipped_info(lines),
        "logistics_code": track_no,
        "company_code": carrier,
        "request_id": request_id,
        "address_id": send_address_id or None,
    }


def _shipped_info(lines: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"shipped_order_id": line, "shipped_num": count} for line, count in lines]
