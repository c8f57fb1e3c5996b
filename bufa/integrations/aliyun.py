"""Calling Alibaba Cloud's message services: one signed call, and what its answers mean.

SMS and voice share the protocol and the families of codes: `isv.` is the caller's mistake and nothing was sent, `isp.`
is theirs and leaves the question open. A code that nobody has seen leaves it open, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from bufa.integrations import acs3, wire
from bufa.integrations.ports import ProviderError
from bufa.lib import clock

MINUTE, HOUR_OF_FLOW, DAY_OF_FLOW = "分钟", "小时", "天"

_WHYS: Mapping[str, tuple[str, ...]] = {
    "bad_phone": ("isv.MOBILE_NUMBER_ILLEGAL", "isv.CALLED_NUMBER_ILLEGAL", "isv.INVALID_CALLED_NUMBER"),
    "opted_out": ("isv.BLACK_LIST", "isv.PhoneNumberInBlacklist", "PhoneNumberInBlacklist", "isv.USER_BLACK_LIST"),
    "template": (
        "isv.SMS_TEMPLATE_ILLEGAL", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.SMS_SIGN_ILLEGAL", "isv.SIGN_STATE_ILLEGAL", "isv.SMS_OVER_LIMIT", "isv.TTS_TEMPLATE_ILLEGAL",
        "isv.TEMPLATE_PARAMS_ILLEGAL", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.SHOW_NUMBER_ILLEGAL",
    ),
    "no_credit": ("isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.ACCOUNT_ABNORMAL"),
    "denied": (
        "isv.ACCOUNT_NOT_EXISTS", "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE", "isp.RAM_PERMISSION_DENY",
        "isv.DENY_IP_RANGE", "NoPermission", "Forbidden.RAM", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId",
        "InvalidAccessKeyId.Inactive", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidTimeStamp.Expired",
        "InvalidSecurityToken.Expired",
    ),
    "limited": ("isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE"),
    "input": (
        "isv.INVALID_PARAMETERS", "isv.INVALID_JSON_PARAM", "isv.PARAM_LENGTH_LIMIT", "isv.PARAM_NOT_SUPPORT_URL",
        "isv.BLACK_KEY_CONTROL_LIMIT", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.EXTEND_CODE_ERROR", "isv.OUT_ID_ILLEGAL",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED", "isv.INVALID_PLAY_TIMES", "MissingParameter", "InvalidParameter",
        "InvalidVersion", "InvalidAction.NotFound", "UnsupportedHTTPMethod",
    ),
}  # fmt: skip
_WHY = {code: why for why, codes in _WHYS.items() for code in codes}


def call(
    http: httpx.Client,
    *,
    base_url: str,
    key_id: str,
    secret: str,
    action: str,
    version: str,
    params: Mapping[str, str],
    changes: bool,
) -> dict[str, Any]:
    """One call whose answer says OK, as its fields, what came under "_raw". Raises ProviderError for everything else: a
    call that their gateway refuses arrives as HTTP 4xx with a code of its own, others as HTTP 200 with another code."""
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/") + "/"
    signed = acs3.headers(
        key_id=key_id,
        secret=secret,
        host=parts.netloc,
        action=action,
        version=version,
        params=params,
        moment=clock.real_now(),
        nonce=uuid4().hex,
        path=path,
    )
    url = f"{parts.scheme}://{parts.netloc}{path}?{acs3.query_string(params)}"
    try:
        raw = wire.exchange(http, url, changes=changes, content=b"", headers=signed)
    except ProviderError as error:
        raise _refused(error, changes=changes) from None
    told = wire.answer_json(raw, changes=changes)
    code = wire.text(told.get("Code"))
    if code != "OK":
        raise error_of(code, wire.text(told.get("Message")), wire.text(told.get("RequestId")), raw, changes=changes)
    return told | {"_raw": raw}


def _refused(error: ProviderError, *, changes: bool) -> ProviderError:
    """What stands in the body of an HTTP error says more than its status."""
    if error.why not in {"http", "limited"} or not error.raw:
        return error
    try:
        told = wire.load_json(error.raw)
    except ValueError:
        return error
    code = wire.text(told.get("Code")) if isinstance(told, dict) else ""
    if not code:
        return error
    return error_of(code, wire.text(told.get("Message")), wire.text(told.get("RequestId")), error.raw, changes=changes)


def error_of(code: str, message: str, request_id: str, raw: bytes, *, changes: bool) -> ProviderError:
    """The error that a code means: never sent (for good, or until later), or nobody knows."""

    def made(why: str, **more: Any) -> ProviderError:
        return ProviderError(why, code=code, text=message, log_id=request_id, raw=raw, **more)

    if code.startswith("Throttling"):
        return made("limited", retryable=True, wait=timedelta(seconds=5))
    if code in {"isv.BUSINESS_LIMIT_CONTROL", "isv.CALL_LIMIT"}:
        # One a minute may be waited for; who has had an hour's or a day's share is told in another way.
        short = MINUTE in message
        return made("limited", retryable=short, wait=timedelta(seconds=60) if short else None)
    if code in _WHY:
        return made(_WHY[code])
    if code.startswith(("Missing", "Invalid")):
        return made("input")
    if code.startswith("Forbidden"):
        return made("denied")
    if code.startswith("isv."):
        return made("business")
    return made("busy" if code.startswith("isp.") else "malformed", unknown=changes, retryable=not changes)
