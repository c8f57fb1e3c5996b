"""Kuaidi100's push: a form with `param` (JSON) and `sign` (tracking-protocols §1.3)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from bufa.integrations import wire
from bufa.integrations.ports import PushRefused, TrackReport
from bufa.integrations.tracking.kuaidi100 import mapping
from bufa.integrations.tracking.kuaidi100.settings import Settings


class Push:
    """A ports.CanReceivePush[TrackReport]; one push holds one parcel, always its whole track."""

    def __init__(self, settings: Settings) -> None:
        self._salt = settings.salt

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check `sign` over the `param` text with our salt. Raises PushRefused."""
        form = _form(body)
        given = form.get("sign", "").strip().upper()
        if not given or not self._salt:
            raise PushRefused("unsigned")
        right = mapping.signature(form.get("param", ""), self._salt)
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise PushRefused("signature")

    def parse(self, body: bytes) -> tuple[TrackReport, ...]:
        """The report of one push. `ended` "signed" after shutdown, "aborted" after abort, with their message as note;
        `carrier_was` when they found that the parcel travels with another carrier. Raises PushRefused."""
        try:
            told = wire.load_json(_form(body).get("param", ""))
        except ValueError:
            raise PushRefused("malformed") from None
        last = wire.child(told, "lastResult")
        report = mapping.report_of(last)
        if not isinstance(told, dict) or not report.number:
            raise PushRefused("malformed")
        ended = _ended(wire.text(told.get("status")))
        was, new = mapping.carrier_code(told.get("comOld")), mapping.carrier_code(told.get("comNew"))
        return (
            TrackReport(
                provider=report.provider,
                carrier=new or report.carrier,
                number=report.number,
                scans=report.scans,
                ended=ended,
                note=wire.text(told.get("message")) if ended else "",
                state=report.state,
                carrier_was=was if new and was != new else "",
            ),
        )

    def accepted(self, now: datetime) -> bytes:
        return '{"result":true,"returnCode":"200","message":"成功"}'.encode()

    def refused(self, now: datetime, why: str) -> bytes:
        """Anything but the accepted reply makes them push again: three times, about every 30 minutes."""
        told = {"result": False, "returnCode": "500", "message": f"失败: {why}"}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _ended(status: str) -> Literal["", "signed", "aborted"]:
    if status == "shutdown":
        return "signed"
    return "aborted" if status == "abort" else ""


def _form(body: bytes) -> dict[str, str]:
    try:
        return wire.form(body)
    except ValueError:
        raise PushRefused("malformed") from None
