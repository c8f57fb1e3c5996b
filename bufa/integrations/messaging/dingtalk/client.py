"""Saying something in a DingTalk group, signed where the robot wants it."""

from __future__ import annotations

import time

import httpx

from bufa.integrations import robot_wire, wire
from bufa.integrations.messaging.dingtalk.limits import MOST_BYTES
from bufa.integrations.messaging.dingtalk.settings import Settings
from bufa.integrations.messaging.dingtalk.signing import sign
from bufa.integrations.ports import ProviderError, Sent

VENDOR = "https://oapi.dingtalk.com"
ERRORS = {
    -1: ("busy", True),
    130101: ("limited", True),
    410100: ("limited", True),
    300001: ("token", False),
    300005: ("token", False),
    310000: ("denied", False),
    400101: ("token", False),
    400102: ("denied", False),
    400105: ("input", False),
    400106: ("token", False),
    430101: ("input", False),
    430102: ("input", False),
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
            raise ProviderError("input", text="too long for a DingTalk group")
        params = {"access_token": self._settings.token}
        if self._settings.secret:
            millis = int(time.time() * 1000)
            params |= {"timestamp": str(millis), "sign": sign(self._settings.secret, millis)}
        body = {"msgtype": "text", "text": {"content": text}}
        answer, raw = robot_wire.post(self._http, f"{self._base}/robot/send", body, params)
        return robot_wire.judged(answer, raw, "errcode", ERRORS, "errmsg")
