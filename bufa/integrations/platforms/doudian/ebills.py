"""E-waybills: parameters and answers of logistics.newCreateOrder, cancelOrder, waybillApply and getOutRange
(doudian-openapi §7)."""

from __future__ import annotations

from typing import Any

from bufa.integrations.ebills import LabelOrder, PrintData, Range
from bufa.integrations.ports import PickupAddressFact, ProviderError, RecipientFact
from bufa.integrations.wire import child, rows, text, truth

ALREADY_CANCELLED = "1102"


def create_params(label: LabelOrder) -> dict[str, Any]:
    """One label. The receiver goes as ciphers, which only the platform opens; as plain text where a customer changed
    the address and told only us."""
    sender, receiver = label.sender, label.receiver
    return {
        "logistics_code": label.carrier,
        "sender_info": {
            "address": _sender(sender),
            "contact": {"name": sender.name, "mobile": sender.phone},
        },
        "order_infos": [
            {
                "order_id": label.order_number,
                "pack_id": label.pack_id,
                "receiver_info": {
                    "address": _receiver(receiver),
                    "contact": {
                        "name": receiver.name_cipher or receiver.name,
                        "mobile": receiver.phone_cipher or receiver.phone,
                    },
                },
                "items": [{"item_name": name, "item_count": count} for name, count in label.items],
            }
        ],
    }


_BOTH_ENDS = 0


def range_params(carrier: str, sender: PickupAddressFact, receiver: RecipientFact) -> dict[str, Any]:
    """One question about both ends of the way."""
    return {
        "logistics_code": carrier,
        "type": _BOTH_ENDS,
        "sender_address": _sender(sender),
        "receiver_address": _receiver(receiver),
    }


def ranged(data: Any, *, log_id: str, raw: bytes) -> Range:
    """What the platform says. Raises ProviderError for an answer that says neither yes nor no."""
    answer = child(data)
    if "is_out_range" not in answer:
        raise ProviderError("malformed", log_id=log_id, raw=raw)
    return Range(truth(answer["is_out_range"]), text(answer.get("out_range_reason")))


def _sender(sender: PickupAddressFact) -> dict[str, str]:
    return {
        "country_code": "CHN",
        "province_name": sender.province,
        "city_name": sender.city,
        "district_name": sender.district or sender.city,
        "street_name": sender.street,
        "detail_address": sender.detail,
    }


def _receiver(receiver: RecipientFact) -> dict[str, str]:
    return {
        "country_code": "CHN",
        "province_name": receiver.province,
        "city_name": receiver.city,
        "district_name": receiver.district,
        "street_name": receiver.town,
        "detail_address": receiver.address_cipher or receiver.address,
    }


def booked(data: Any, pack_id: str, *, log_id: str, raw: bytes) -> dict[str, str]:
    """What was booked under this pack_id. Raises ProviderError: a plain no of the item, or an answer about neither."""
    answer = child(data)
    for row in rows(answer.get("ebill_infos")):
        if text(row.get("pack_id")) == pack_id and text(row.get("track_no")):
            return {
                "track_no": text(row.get("track_no")),
                "sort_code": text(row.get("sort_code")),
                "hint": text(row.get("hint_msg")),
            }
    for row in rows(answer.get("err_infos")):
        if text(row.get("pack_id")) == pack_id:
            code = text(row.get("err_code"))
            raise ProviderError("business", sub_code=code, log_id=log_id, text=text(row.get("err_msg")), raw=raw)
    raise ProviderError("malformed", unknown=True, log_id=log_id, raw=raw)


def print_data(data: Any, number: str, *, log_id: str, raw: bytes) -> PrintData:
    """The print data of one waybill. Raises ProviderError when the platform has none."""
    answer = child(data)
    for row in rows(answer.get("waybill_infos")):
        if text(row.get("track_no")) == number:
            return PrintData(number, text(row.get("print_data")), text(row.get("sign")))
    said = next((row for row in rows(answer.get("err_infos"))), {})
    code, words = text(said.get("err_code")), text(said.get("err_msg"))
    raise ProviderError("business", sub_code=code, log_id=log_id, text=words, raw=raw)
