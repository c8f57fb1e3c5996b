"""Alibaba Cloud voice over the wire."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx

from bufa.integrations import aliyun, wire
from bufa.integrations.messages import Receipt, Telling
from bufa.integrations.messaging.aliyun_voice import mapping
from bufa.integrations.messaging.aliyun_voice.settings import Settings
from bufa.integrations.ports import ProviderError, Sent

VERSION = "2017-05-25"
PRODUCT = "11000000300006"  # calls by text
MOST_PARAMS = 250


class Client:
    """Implements CanTell: a call that reads a text aloud."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or wire.shared_http()

    def tell(self, message: Telling) -> Sent:
        """SingleCallByTts. How it went comes as a push with our tag; asking needs the id that they gave."""
        said = json.dumps(dict(message.params), ensure_ascii=False, separators=(",", ":"))
        if not message.template_id or not mapping.is_phone(message.phone):
            raise ProviderError("input", text="the number or the template is missing or wrong")
        if len(said) >= MOST_PARAMS or "://" in said:
            raise ProviderError("input", text="too long to be read aloud, or an address is in it")
        params = {
            "CalledNumber": mapping.domestic(message.phone),
            "TtsCode": message.template_id,
            "TtsParam": said,
            "PlayTimes": str(self._settings.play_times),
            "OutId": message.tag,
        } | ({"CalledShowNumber": self._settings.show_number} if self._settings.show_number else {})
        told = self._call("SingleCallByTts", params, changes=True)
        return Sent(wire.text(told.get("RequestId")), wire.text(told.get("CallId")), told["_raw"])

    def receipt(self, phone: str, tag: str, message_id: str, since: datetime, until: datetime) -> Receipt | None:
        """QueryCallDetailByCallId. Without their id nothing can be asked."""
        if not message_id:
            return None
        day = since.astimezone(wire.CHINA).replace(hour=12, minute=0, second=0, microsecond=0)
        params = {"CallId": message_id, "ProdId": PRODUCT, "QueryDate": str(int(day.timestamp() * 1000))}
        return mapping.detail(self._call("QueryCallDetailByCallId", params), message_id)

    def check(self) -> None:
        """Ask for a call that nobody made: refused with a wrong key only."""
        day = str(int(datetime.now(wire.CHINA).timestamp() * 1000))
        try:
            self._call("QueryCallDetailByCallId", {"CallId": "0", "ProdId": PRODUCT, "QueryDate": day})
        except ProviderError as error:
            if error.why not in {"business", "input"}:
                raise

    def _call(self, action: str, params: dict[str, str], *, changes: bool = False) -> dict[str, Any]:
        settings = self._settings
        return aliyun.call(
            self._http,
            base_url=settings.base_url,
            key_id=settings.key_id,
            secret=settings.key_secret,
            action=action,
            version=VERSION,
            params=params,
            changes=changes,
        )
