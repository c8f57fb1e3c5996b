"""Kuaidi100: ask once, or ask to be told (tracking-protocols §1.1–1.3)."""

from __future__ import annotations

import json
from typing import Any

import httpx

from bufa.integrations import wire
from bufa.integrations.ports import ProviderError, TrackReport
from bufa.integrations.tracking.kuaidi100 import mapping
from bufa.integrations.tracking.kuaidi100.limits import BETWEEN_QUERIES
from bufa.integrations.tracking.kuaidi100.settings import Settings

_NO_TRACE = frozenset({"500", "201"})
# code → (why, may be asked again)
_ERRORS = {
    "400": ("input", False),
    "408": ("phone", False),
    "501": ("busy", True),
    "502": ("busy", True),
    "503": ("signature", False),
    "600": ("denied", False),
    "601": ("no_credit", False),
    "700": ("unsupported", False),
}
_SUBSCRIBED_ALREADY = "501"


class Client:
    """Implements CanQueryTrack and CanSubscribeTrack. Neither call changes anything outside that a repeat would spoil,
    so no error here is ever `unknown`."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or wire.shared_http()

    def query(self, carrier: str, number: str, phone_tail: str = "") -> TrackReport:
        """Ask where a parcel is. The caller keeps the 30 minutes between two questions (see limits). Raises
        ProviderError: `phone` when SF or ZTO got no or the wrong phone, `no_credit`, `signature`, `input`, `busy`."""
        param = _compact(
            {
                "com": carrier,
                "num": number,
                "phone": phone_tail,
                "from": "",
                "to": "",
                "resultv2": self._settings.resultv2,
                "show": "0",
                "order": "desc",
                "lang": "zh",
            }
        )
        sign = mapping.signature(param, self._settings.key, self._settings.customer)
        form = {"customer": self._settings.customer, "sign": sign, "param": param}
        answer, raw = self._ask("/poll/query.do", form)
        if isinstance(answer.get("data"), list) and wire.text(answer.get("status")) in {"200", ""}:
            return mapping.report_of(answer, carrier=carrier, number=number)
        code = wire.text(answer.get("returnCode")) or wire.text(answer.get("status"))
        if code in _NO_TRACE:
            return TrackReport(mapping.NAME, carrier, number, note=wire.text(answer.get("message")))
        raise _error(code, answer, raw)

    def subscribe(self, carrier: str, number: str, callback_url: str, salt: str, phone_tail: str = "") -> None:
        """Ask for pushes to `callback_url`, signed with `salt`. Subscribed already is success. Raises ProviderError:
        `unsupported` for a carrier they do not follow."""
        param = {
            "company": carrier,
            "number": number,
            "from": "",
            "to": "",
            "key": self._settings.key,
            "parameters": {
                "callbackurl": callback_url,
                "salt": salt,
                "resultv2": self._settings.resultv2,
                "autoCom": "0",
                "interCom": "0",
                "phone": phone_tail,
            },
        }
        answer, raw = self._ask("/poll", {"schema": "json", "param": _compact(param)})
        code = wire.text(answer.get("returnCode"))
        if code not in {"200", _SUBSCRIBED_ALREADY}:
            raise _error(code, answer, raw)

    def _ask(self, path: str, form: dict[str, str]) -> tuple[dict[str, Any], bytes]:
        raw = wire.exchange(self._http, self._settings.base_url.rstrip("/") + path, changes=False, form=form)
        return wire.answer_json(raw, changes=False), raw


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _error(code: str, answer: dict[str, Any], raw: bytes) -> ProviderError:
    why, again = _ERRORS.get(code, ("business", False))
    # A waybill asked about again within half an hour is locked; "busy" may be that lock itself.
    wait = BETWEEN_QUERIES if again else None
    return ProviderError(why, retryable=again, wait=wait, code=code, text=wire.text(answer.get("message")), raw=raw)
