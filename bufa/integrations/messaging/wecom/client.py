"""Saying something in a WeCom group. Its address is its only secret: there is no signature."""

from __future__ import annotations

import httpx

from bufa.integrations import robot_wire, wire
from bufa.integrations.messaging.wecom.limits import MOST_BYTES
from bufa.integrations.messaging.wecom.settings import Settings
from bufa.integrations.ports import ProviderError, Sent

VENDOR = "https://qyapi.weixin.qq.com"
ERRORS = {
    -1: ("busy", True),
    45009: ("limited", True),
    45033: ("limited", True),
    93000: ("token", False),
    93004: ("denied", False),
    93008: ("denied", False),
    40008: ("input", False),
    40058: ("input", False),
    44004: ("input", False),
    45002: ("input", False),
}


class Client:
    """Implements CanSpeakInGroup."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._base = robot_wire.check_base(settings.base_url, VENDOR)
        self._http = http or wire.shared_http()

    def say(self, text: str) -> Sent:
        """One text message. Raises ProviderError."""
        if len(text.encode()) > MOST_BYTES:
            raise ProviderError("input", text="too long for a WeCom group")
        body = {"msgtype": "text", "text": {"content": text}}
        answer, raw = robot_wire.post(
            self._http, f"{self._base}/cgi-bin/webhook/send", body, {"key": self._settings.token}
        )
        return robot_wire.judged(answer, raw, "errcode", ERRORS, "errmsg")
