"""Saying something in a Feishu group; time and signature go into the body."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import httpx

from bufa.integrations import robot_wire, wire
from bufa.integrations.messaging.feishu.limits import MOST_BYTES
from bufa.integrations.messaging.feishu.settings import Settings
from bufa.integrations.messaging.feishu.signing import sign
from bufa.integrations.ports import ProviderError, Sent

VENDOR = "https://open.feishu.cn"
ERRORS = {
    9499: ("input", False),
    11232: ("limited", True),
    11246: ("limited", True),
    19001: ("token", False),
    19002: ("input", False),
    19021: ("denied", False),
    19022: ("denied", False),
    19024: ("denied", False),
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
            raise ProviderError("input", text="too long for a Feishu group")
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if self._settings.secret:
            seconds = int(time.time())
            body |= {"timestamp": str(seconds), "sign": sign(self._settings.secret, seconds)}
        url = f"{self._base}/open-apis/bot/v2/hook/{quote(self._settings.token, safe='')}"
        answer, raw = robot_wire.post(self._http, url, body, {})
        return robot_wire.judged(answer, raw, "code", ERRORS, "msg")
