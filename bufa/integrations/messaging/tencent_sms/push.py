"""What Tencent Cloud pushes: receipts (an array) and replies (an object), without a signature.

Nothing in them proves who sent them: the secret address does, and a receipt counts only with a number that we were
given on sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bufa.integrations import wire
from bufa.integrations.messages import Receipt, Reply
from bufa.integrations.messaging.tencent_sms import mapping
from bufa.integrations.messaging.tencent_sms.settings import Settings
from bufa.integrations.ports import PushRefused

MOST_ROWS = 1000
THANKS = b'{"result":0,"errmsg":"OK"}'


class Push:
    """Implements CanReceivePush[Receipt | Reply]."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Nothing to check: they do not sign."""

    def parse(self, body: bytes) -> tuple[Receipt | Reply, ...]:
        """Raises PushRefused("malformed") for what is neither."""
        try:
            told = wire.load_json(body)
        except ValueError:
            raise PushRefused("malformed") from None
        rows = told if isinstance(told, list) else [told]
        if not rows or len(rows) > MOST_ROWS or not all(isinstance(row, dict) for row in rows):
            raise PushRefused("malformed")
        return tuple(self._one(row) for row in rows)

    @staticmethod
    def _one(row: dict[str, object]) -> Receipt | Reply:
        if row.get("report_status") and row.get("sid"):
            return mapping.reported(row)
        if row.get("text") is not None and row.get("mobile"):
            return mapping.replied(row)
        raise PushRefused("malformed")

    def accepted(self, now: datetime) -> bytes:
        return THANKS

    def refused(self, now: datetime, why: str) -> bytes:
        return b'{"result":1,"errmsg":"%s"}' % why.encode()
