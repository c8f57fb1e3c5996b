"""Alibaba Cloud's calls → receipts. Picked up is told; everything else is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bufa.integrations import wire
from bufa.integrations.messages import Receipt

PICKED_UP = "200000"
_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9}|0\d{9,11})")


def is_phone(phone: str) -> bool:
    """A mobile or a landline of the mainland, without an extension."""
    return _PHONE.fullmatch(phone.strip()) is not None


def domestic(phone: str) -> str:
    match = _PHONE.fullmatch(phone.strip())
    return match[1] if match else phone.strip()


def reported(row: Mapping[str, Any]) -> Receipt:
    """One row of a pushed VoiceReport or VoiceCallReport."""
    code = wire.text(row.get("status_code"))[:20]
    reached = code == PICKED_UP
    return Receipt(
        "delivered" if reached else "failed",
        tag=wire.text(row.get("out_id")),
        message_id=wire.text(row.get("call_id")),
        at=wire.china_time(row.get("end_time")) or wire.china_time(row.get("start_time")),
        code="" if reached else code,
        text="" if reached else wire.text(row.get("status_msg"))[:200],
    )


def detail(told: Mapping[str, Any], message_id: str) -> Receipt | None:
    """QueryCallDetailByCallId: `Data` is JSON as text. None while the call is not over."""
    try:
        data = wire.load_json(wire.text(told.get("Data")) or "{}")
    except ValueError:
        return None
    row = data if isinstance(data, dict) else {}
    state = wire.text(row.get("state"))
    if not state:
        return None
    reached = state == PICKED_UP
    return Receipt(
        "delivered" if reached else "failed",
        message_id=message_id,
        at=wire.china_time(row.get("endDate")),
        code="" if reached else state[:20],
        text="" if reached else wire.text(row.get("stateDesc"))[:200],
    )
