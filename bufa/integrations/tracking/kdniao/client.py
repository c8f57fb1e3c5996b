"""KDNiao: ask once, or ask to be told (tracking-protocols §2.1)."""

from __future__ import annotations

import json
from typing import Any

import httpx

from bufa.integrations import wire
from bufa.integrations.ports import ProviderError, TrackReport
from bufa.integrations.tracking.kdniao import mapping
from bufa.integrations.tracking.kdniao.settings import Settings

_QUERY = "/Ebusiness/EbusinessOrderHandle.aspx"
_SUBSCRIBE = "/api/dist"
# Nothing published lists their refusals; these words occur in the texts of `Reason`.
_WORDS = (
    ("签名", "signature"),
    ("验证", "signature"),
    ("余额", "no_credit"),
    ("套餐", "no_credit"),
    ("不支持", "unsupported"),
    ("编码不存在", "unsupported"),
    ("手机号", "phone"),
    ("商户ID", "denied"),
)

_ALREADY = ("已订阅", "重复订阅")
_NO_TRACE = ("暂无轨迹", "无轨迹", "没有轨迹")


class Client:
    """Implements CanQueryTrack and CanSubscribeTrack. No error here is `unknown`: a repeat spoils nothing."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or wire.shared_http()

    def query(self, carrier: str, number: str, phone_tail: str = "") -> TrackReport:
        """Ask where a parcel is. Raises ProviderError: `unsupported` for a carrier they have no code for, else what
        their text says (`signature`, `no_credit`, `business`)."""
        params = {"OrderCode": "", "ShipperCode": _code(carrier), "LogisticCode": number}
        if phone_tail:
            params["CustomerName"] = phone_tail
        answer, raw = self._ask(_QUERY, "8001" if self._settings.monitor else "1002", params)
        if not wire.truth(answer.get("Success")) and not _says(answer, _NO_TRACE):
            raise _error(answer, raw)
        return mapping.report_of(answer, carrier=carrier, number=number)

    def subscribe(self, carrier: str, number: str, callback_url: str, salt: str, phone_tail: str = "") -> None:
        """Ask for pushes. They go to the address set in their console, signed with our key: `callback_url` travels as
        `CallBack` and comes back in each push; `salt` is not used. Subscribed already is success."""
        params = {"ShipperCode": _code(carrier), "LogisticCode": number, "CallBack": callback_url}
        if phone_tail:
            params["CustomerName"] = phone_tail
        answer, raw = self._ask(_SUBSCRIBE, "8008" if self._settings.monitor else "1008", params)
        if not wire.truth(answer.get("Success")) and not _says(answer, _ALREADY):
            raise _error(answer, raw)

    def _ask(self, path: str, request_type: str, params: dict[str, str]) -> tuple[dict[str, Any], bytes]:
        request_data = json.dumps(params, ensure_ascii=False, separators=(",", ":"))
        form = {
            "RequestData": request_data,
            "EBusinessID": self._settings.business_id,
            "RequestType": request_type,
            "DataSign": mapping.data_sign(request_data, self._settings.app_key),
            "DataType": "2",
        }
        raw = wire.exchange(self._http, self._settings.base_url.rstrip("/") + path, changes=False, form=form)
        return wire.answer_json(raw, changes=False), raw


def _code(carrier: str) -> str:
    code = mapping.their_carrier(carrier)
    if code is None:
        raise ProviderError("unsupported", text=f"no KDNiao code for {carrier}")
    return code


def _says(answer: dict[str, Any], words: tuple[str, ...]) -> bool:
    reason = wire.text(answer.get("Reason"))
    return any(word in reason for word in words)


def _error(answer: dict[str, Any], raw: bytes) -> ProviderError:
    reason = wire.text(answer.get("Reason"))
    why = next((named for word, named in _WORDS if word in reason), "business")
    return ProviderError(why, text=reason, raw=raw)
