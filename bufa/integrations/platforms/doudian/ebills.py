"""E-waybills: parameters and answers of logistics.newCreateOrder, cancelOrder and waybillApply (doudian-openapi §7)."""

from __future__ import annotations

from typing import Any

from bufa.integrations.ebills import LabelOrder, PrintData
from bufa.integrations.ports import ProviderError
from bufa.integrations.wire import child, rows, text

ALREADY_CANCELLED = "1102"


def create_params(label: LabelOrder) -> dict[str, Any]:
    """One label. The receiver goes as ciphers, which only the platform opens."""
    sender, receiver = label.sender, label.receiver
    return {
        "logistics_code": label.carrier,
        "sender_info": {
            "address": {
                "country_code": "CHN",
                "province_name": sender.province,
                "city_name": sender.city,
                "district_name": sender.district or sender.city,
                "street_name": sender.street,
                "detail_address": sender.detail,
            },
            "contact": {"name": sender.name, "mobile": sender.phone},
        },
        "order_infos": [
            {
                "order_id": label.order_number,
                "pack_id": label.pack_id,
                "receiver_info": {
                    "address": {
                        "country_code": "CHN",
                        "province_name": receiver.province,
                        "city_name": receiver.city,
                        "district_name": receiver.district,
                        "street_name": receiver.town,
                        "detail_address": receiver.address_cipher,
                    },
                    "contact": {"name": receiver.name_cipher, "mobile": receiver.phone_cipher},
                },
                "items": [{"item_name": name, "item_count": count} for name, count in label.items],
            }
        ],
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
