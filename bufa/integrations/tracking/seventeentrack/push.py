"""17TRACK's push: bare JSON, signed in the header `sign` (tracking-protocols §6.1)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from bufa.integrations import wire
from bufa.integrations.ports import PushRefused, TrackReport
from bufa.integrations.tracking.seventeentrack import mapping
from bufa.integrations.tracking.seventeentrack.settings import Settings

_EVENTS = frozenset({"TRACKING_UPDATED", "TRACKING_STOPPED"})


class Push:
    """A ports.CanReceivePush[TrackReport]; one push holds one parcel, always its whole track."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.key

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check the header `sign` over the body and our key. Raises PushRefused."""
        given = wire.header(headers, "sign").strip().lower()
        if not given or not self._key:
            raise PushRefused("unsigned")
        if not hmac.compare_digest(given.encode(), mapping.signature(body, self._key).encode()):
            raise PushRefused("signature")

    def parse(self, body: bytes) -> tuple[TrackReport, ...]:
        """The report of one push. `ended` after TRACKING_STOPPED: "signed" for a parcel that arrived, else "aborted"
        (they heard nothing for 30 days). Nothing for events that tell no track. Raises PushRefused."""
        try:
            told = wire.load_json(body)
        except ValueError:
            raise PushRefused("malformed") from None
        if not isinstance(told, dict):
            raise PushRefused("malformed")
        event = wire.text(told.get("event"))
        if event and event not in _EVENTS:
            return ()
        report = mapping.report_of(wire.child(told, "data"), event=event)
        if not event or not report.number:
            raise PushRefused("malformed")
        return (report,)

    def accepted(self, now: datetime) -> bytes:
        return b'{"code":0}'

    def refused(self, now: datetime, why: str) -> bytes:
        """They look at the HTTP status alone: anything but 200 is sent again, three times."""
        return json.dumps({"code": 1, "message": why}, separators=(",", ":")).encode()
