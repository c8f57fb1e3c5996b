"""Doudian's message push: signature, messages, replies (doudian-openapi §11)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bufa.integrations import wire
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.platforms.doudian.signing import push_sign
from bufa.integrations.ports import PushEvent, PushRefused

PROBE = 0
_METHOD_BY_LENGTH = {32: "md5", 64: "hmac-sha256"}


class Push:
    """A ports.CanReceivePush[PushEvent]. Pushes repeat and come out of order: dedupe on `message_id`, then read the
    order or ticket itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check `event-sign` over the raw body (md5 or HMAC, told apart by length) and `app-id`. Raises PushRefused."""
        given = wire.header(headers, "event-sign").strip().lower()
        if not given:
            raise PushRefused("unsigned")
        app_id = wire.header(headers, "app-id").strip()
        method = _METHOD_BY_LENGTH.get(len(given))
        if method is None or (app_id and app_id != self._settings.app_key):
            raise PushRefused("signature")
        right = push_sign(
            app_key=self._settings.app_key, secret=self._settings.app_secret, body=body, sign_method=method
        )
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise PushRefused("signature")

    def parse(self, body: bytes) -> tuple[PushEvent, ...]:
        """The messages of one push, in order. A message whose `data` is no object keeps it as `{"text": …}`: one odd
        message never costs the others. Raises PushRefused when the body is not a list of messages."""
        try:
            value = wire.load_json(body)
        except ValueError:
            raise PushRefused("malformed") from None
        messages = [value] if isinstance(value, dict) else value
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise PushRefused("malformed")
        return tuple(event_of(message) for message in messages)

    def accepted(self, now: datetime) -> bytes:
        return b'{"code":0,"msg":"success"}'

    def refused(self, now: datetime, why: str) -> bytes:
        return '{"code":40041,"message":"解析推送数据失败"}'.encode()


def event_of(message: Mapping[str, Any]) -> PushEvent:
    data = _data(message.get("data"))
    return PushEvent(
        tag=wire.number(message.get("tag"), -1),
        message_id=wire.text(message.get("msg_id")) or wire.text(message.get("msgId")),
        data=data,
        order_number=wire.text(data.get("p_id")) or wire.text(data.get("shop_order_id")),
        after_sale_number=wire.text(data.get("aftersale_id")) or wire.text(data.get("after_sale_id")),
    )


def _data(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            inner = wire.load_json(value)
        except ValueError:
            return {"text": value}
        return inner if isinstance(inner, dict) else {"text": value}
    return value if isinstance(value, dict) else {}
