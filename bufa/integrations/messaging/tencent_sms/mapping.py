"""Tencent Cloud's codes → what may be done next; its rows → receipts and replies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bufa.integrations import wire
from bufa.integrations.messages import Receipt, Reply
from bufa.integrations.ports import ProviderError

_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_WHY = {
    "FailedOperation.PhoneNumberInBlacklist": "opted_out",
    "FailedOperation.InsufficientBalanceInSmsPackage": "no_credit",
    "FailedOperation.NotEnterpriseCertification": "denied",
    "FailedOperation.SignatureIncorrectOrUnapproved": "template",
    "FailedOperation.TemplateIncorrectOrUnapproved": "template",
    "FailedOperation.TemplateUnapprovedOrNotExist": "template",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": "template",
    "FailedOperation.MissingTemplateList": "template",
    "FailedOperation.ContainSensitiveWord": "input",
    "FailedOperation.FailResolvePacket": "input",
    "FailedOperation.JsonParseFail": "input",
    "FailedOperation.MarketingSendTimeConstraint": "limited",
    "InvalidParameterValue.IncorrectPhoneNumber": "bad_phone",
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": "bad_phone",
}
_FAMILIES = (
    ("LimitExceeded.", "limited"),
    ("InvalidParameter", "input"),
    ("MissingParameter", "input"),
    ("UnknownParameter", "input"),
    ("AuthFailure.", "denied"),
    ("UnauthorizedOperation", "denied"),
    ("UnsupportedOperation", "unsupported"),
    ("UnsupportedRegion", "input"),
    ("InvalidAction", "input"),
    ("NoSuchVersion", "input"),
    ("NoSuchProduct", "input"),
    ("ResourceInsufficient", "no_credit"),
    ("FailedOperation.", "business"),
)
_SHORT = {"LimitExceeded.PhoneNumberThirtySecondLimit": 30, "LimitExceeded.DeliveryFrequencyLimit": 5}


def is_phone(phone: str) -> bool:
    """A mobile number of the mainland, without an extension."""
    return _PHONE.fullmatch(phone.strip()) is not None


def international(phone: str) -> str:
    """`+8613812345678`, as they want it."""
    match = _PHONE.fullmatch(phone.strip())
    return f"+86{match[1]}" if match else phone.strip()


def error_of(code: str, message: str, request_id: str, raw: bytes, *, changes: bool) -> ProviderError:
    """The error that a code means: never sent (for good, or until later), or nobody knows."""

    def made(why: str, **more: Any) -> ProviderError:
        return ProviderError(why, code=code, text=message, log_id=request_id, raw=raw, **more)

    if code == "RequestLimitExceeded" or code.startswith("RequestLimitExceeded."):
        return made("limited", retryable=True, wait=timedelta(seconds=5))
    if code in _SHORT:
        return made("limited", retryable=True, wait=timedelta(seconds=_SHORT[code]))
    why = _WHY.get(code) or next((why for start, why in _FAMILIES if code.startswith(start)), "")
    if why:
        return made(why)
    return made("busy" if code.startswith("InternalError") else "malformed", unknown=changes, retryable=not changes)


def pulled(told: Mapping[str, Any]) -> list[Receipt]:
    """Rows of PullSmsSendStatusByPhoneNumber."""
    return [
        _receipt(row, "ReportStatus", "Description", "SerialNo", wire.instant(row.get("UserReceiveTime")))
        for row in wire.rows(told.get("PullSmsSendStatusSet"))
    ]


def reported(row: Mapping[str, Any]) -> Receipt:
    """One row of a pushed receipt. It carries no tag, only the number that they gave on sending."""
    return _receipt(row, "report_status", "description", "sid", wire.china_time(row.get("user_receive_time")))


def _receipt(row: Mapping[str, Any], status: str, said: str, serial: str, at: Any) -> Receipt:
    success = wire.text(row.get(status)).upper() == "SUCCESS"
    return Receipt(
        "delivered" if success else "failed",
        tag=wire.text(row.get("SessionContext")),
        message_id=wire.text(row.get(serial)),
        at=at,
        code="" if success else wire.text(row.get("errmsg") or row.get(status))[:60],
        text="" if success else wire.text(row.get(said))[:200],
    )


def replied(row: Mapping[str, Any]) -> Reply:
    """A pushed reply."""
    match = _PHONE.fullmatch(wire.text(row.get("mobile")))
    at = wire.instant(row.get("time"))
    return Reply(match[1] if match else "", wire.text(row.get("text"))[:500], at, wire.text(row.get("sid")))
