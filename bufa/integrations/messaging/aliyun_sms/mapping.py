"""Alibaba Cloud's rows → receipts and replies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from bufa.integrations import wire
from bufa.integrations.messages import Receipt, Reply

_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_STATUS: Mapping[int, Literal["waiting", "failed", "delivered"]] = {1: "waiting", 2: "failed", 3: "delivered"}


def is_phone(phone: str) -> bool:
    """A mobile number of the mainland. A virtual number with an extension is none: no SMS vendor reaches it."""
    return _PHONE.fullmatch(phone.strip()) is not None


def domestic(phone: str) -> str:
    """`13812345678`, however the country was written."""
    match = _PHONE.fullmatch(phone.strip())
    return match[1] if match else phone.strip()


def details(told: Mapping[str, Any]) -> list[Receipt]:
    """Rows of QuerySendDetails. The text that was sent is left where it is."""
    found = wire.child(told, "SmsSendDetailDTOs").get("SmsSendDetailDTO")
    return [
        Receipt(
            _STATUS.get(wire.number(row.get("SendStatus")), "waiting"),
            tag=wire.text(row.get("OutId")),
            at=wire.china_time(row.get("ReceiveDate")),
            code=_code(row.get("ErrCode")),
        )
        for row in wire.rows(found)
    ]


def reported(row: Mapping[str, Any]) -> Receipt:
    """One row of a pushed SmsReport."""
    success = wire.truth(row.get("success"))
    return Receipt(
        "delivered" if success else "failed",
        tag=wire.text(row.get("out_id")),
        message_id=wire.text(row.get("biz_id")),
        at=wire.china_time(row.get("report_time")),
        code=_code(row.get("err_code")) if not success else "",
        text="" if success else wire.text(row.get("err_msg"))[:200],
        segments=max(0, min(wire.number(row.get("sms_size")), 20)),
    )


def replied(row: Mapping[str, Any]) -> Reply:
    """One row of a pushed SmsUp."""
    return Reply(
        domestic(wire.text(row.get("phone_number"))),
        wire.text(row.get("content"))[:500],
        wire.china_time(row.get("send_time")),
        wire.text(row.get("sequence_id")),
    )


def _code(value: object) -> str:
    said = wire.text(value)[:60]
    return "" if said in {"DELIVERED", "DELIVRD"} else said
