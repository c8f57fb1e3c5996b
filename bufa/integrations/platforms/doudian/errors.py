"""Doudian's codes → what the caller may do next (doudian-openapi §3.2).

The rule for calls that change things: a plain "no" of a check is a rejection; a fault behind the gateway (20000, 20001,
90000, a code we do not know) may have come after the change was made, so it is unknown and is read back.
"""

from __future__ import annotations

from datetime import timedelta

from bufa.integrations.ports import ProviderError

SUCCESS = 10000
LIMITED_WAIT = timedelta(seconds=5)
BUSY_WAIT = timedelta(seconds=30)
ORDER_READ_WAIT = timedelta(seconds=6)

STALE_TOKEN = frozenset({"isv.access-token-expired", "isv.access-token-no-existed"})
REFRESH_TOKEN_GONE = "31009"  # noqa: S105 (a number of the platform)
CONCURRENT_REFRESH = "31012"


def _numbers(told: str) -> frozenset[str]:
    return frozenset(told.split())


_FAULTS = {20000: "unavailable", 20001: "unavailable", 90000: "unavailable", 10001: "partial"}
_PLAIN_NO = {
    30001: "denied",
    30002: "denied",
    40001: "input",
    40002: "input",
    40003: "input",
    40004: "input",
    50001: "token",
    50002: "business",
    70000: "unsupported",
    80000: "denied",
}
_SUB = {
    "isv.signature-invalid": "signature",
    "isv.timestamp-invalid": "signature",
    "isv.timestamp-format-error": "signature",
    "isv.app-id-invalid": "denied",
    "isv.app-id-expired": "denied",
    "isv.authorization-type-invalid": "denied",
    "isv.access-token-expired": "token",
    "isv.access-token-no-existed": "token",
    "isv.access-token-invalid": "token",
    "isv.access-token-missing": "token",
    "dop.token-generate-failed:code-expired": "code_expired",
    "dop.token-generate-failed:code-invalid": "code_invalid",
}
# Numbers of 50002 whose own text says "try again later", by the family of the method.
_LATER = {
    "order.logistics": _numbers("8888 60106 60114 60118 60121 60124 60125 60132 70009 70011 70013 70016 120032"),
    "logistics.": _numbers("4007 4009 4029 -10006 8018"),
    "afterSale.Detail": _numbers("10002"),
    "order.ordeReportList": _numbers("88888"),
}
# After an edit, 70011 and 70013 are answers ("not this way", "number refused"), not a passing fault.
_NEVER_LATER = {"order.logisticsEdit": _numbers("70011 70013")}
_ORDER_READ_LATER = frozenset({"20004", "20005"})


def number_of(sub_code: str) -> str:
    """`isv.business-failed:31012` → `31012`; "" when there is none."""
    return sub_code.rpartition(":")[2].strip() if ":" in sub_code else ""


def error_of(
    method: str, code: int, sub_code: str, *, changes: bool, text: str, log_id: str, raw: bytes
) -> ProviderError:
    """The error for an answer that is no success. `changes`: the call may alter something."""
    number = number_of(sub_code)
    wait: timedelta | None = None
    retryable = unknown = False
    if code == 60000:
        why, retryable, wait = "limited", True, LIMITED_WAIT
    elif method in {"order.searchList", "order.orderDetail"} and number in _ORDER_READ_LATER:
        why, retryable, wait = "busy", True, ORDER_READ_WAIT
    elif code in _FAULTS:
        why, unknown, retryable, wait = _FAULTS[code], changes, not changes, None if changes else LIMITED_WAIT
    elif code in _PLAIN_NO:
        why = _SUB.get(sub_code, _PLAIN_NO[code])
        if code == 50002 and _says_later(method, number):
            why, retryable, wait = "busy", True, BUSY_WAIT
    else:
        why, unknown, retryable = "unavailable", changes, not changes
    return ProviderError(
        why,
        retryable=retryable,
        wait=wait,
        unknown=unknown,
        code=str(code),
        sub_code=sub_code,
        log_id=log_id,
        text=text,
        raw=raw,
    )


def _says_later(method: str, number: str) -> bool:
    if number in _NEVER_LATER.get(method, ()):
        return False
    if number == CONCURRENT_REFRESH and method == "token.refresh":
        return True
    return any(method.startswith(family) and number in numbers for family, numbers in _LATER.items())
