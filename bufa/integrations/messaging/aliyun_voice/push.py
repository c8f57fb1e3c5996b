"""What Alibaba Cloud pushes of calls: VoiceReport and VoiceCallReport, JSON arrays without a signature.

They push again after 1, 5 and 10 minutes and then never; what got lost is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bufa.integrations import wire
from bufa.integrations.messages import Receipt
from bufa.integrations.messaging.aliyun_voice import mapping
from bufa.integrations.messaging.aliyun_voice.settings import Settings
from bufa.integrations.ports import PushRefused

MOST_ROWS = 1000
THANKS = '{"code":0,"msg":"接收成功"}'.encode()


class Push:
    """Implements CanReceivePush[Receipt]."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Nothing to check: they do not sign."""

    def parse(self, body: bytes) -> tuple[Receipt, ...]:
        """Raises PushRefused("malformed") for what is no array of calls."""
        try:
            told = wire.load_json(body)
        except ValueError:
            raise PushRefused("malformed") from None
        rows = told if isinstance(told, list) else [told]
        if not rows or len(rows) > MOST_ROWS or not all(isinstance(row, dict) for row in rows):
            raise PushRefused("malformed")
        if not all(row.get("status_code") and (row.get("out_id") or row.get("call_id")) for row in rows):
            raise PushRefused("malformed")
        return tuple(mapping.reported(row) for row in rows)

    def accepted(self, now: datetime) -> bytes:
        return THANKS

    def refused(self, now: datetime, why: str) -> bytes:
        return b'{"code":1,"msg":"%s"}' % why.encode()
