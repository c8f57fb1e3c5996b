"""KDNiao's push (RequestType 101 basic, 102 monitored): many parcels in one (tracking-protocols §2.2)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from bufa.integrations import wire
from bufa.integrations.ports import PushRefused, TrackReport
from bufa.integrations.tracking.kdniao import mapping
from bufa.integrations.tracking.kdniao.settings import Settings

_TYPES = frozenset({"101", "102", ""})


class Push:
    """A ports.CanReceivePush[TrackReport]."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check `DataSign` over the text of `RequestData`, url-encoded once more or not. A body that is bare JSON has
        no signature and is believed only with `allow_unsigned`. Raises PushRefused."""
        form = _form(body)
        given = form.get("DataSign", "").strip()
        if not given:
            if not self._settings.allow_unsigned:
                raise PushRefused("unsigned")
        else:
            right = mapping.data_sign(form["RequestData"], self._settings.app_key)
            told = unquote(given) if "%" in given else given
            if not hmac.compare_digest(told.encode(), right.encode()):
                raise PushRefused("signature")
        if wire.text(_told(form).get("EBusinessID")) != self._settings.business_id:
            raise PushRefused("signature")

    def parse(self, body: bytes) -> tuple[TrackReport, ...]:
        """Every parcel of one push that has a number; `Count` is not believed. Raises PushRefused."""
        told = _told(_form(body))
        if not isinstance(told.get("Data"), list):
            raise PushRefused("malformed")
        reports = (mapping.report_of(item) for item in wire.rows(told["Data"]))
        return tuple(report for report in reports if report.number)

    def accepted(self, now: datetime) -> bytes:
        return self._reply(now, success=True, reason="")

    def refused(self, now: datetime, why: str) -> bytes:
        return self._reply(now, success=False, reason=why)

    def _reply(self, now: datetime, *, success: bool, reason: str) -> bytes:
        told = {
            "EBusinessID": self._settings.business_id,
            "UpdateTime": wire.china_text(now),
            "Success": success,
            "Reason": reason,
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _form(body: bytes) -> dict[str, str]:
    """The fields of a push; a body that is JSON itself becomes its `RequestData`."""
    try:
        if body.lstrip().startswith(b"{"):
            return {"RequestData": body.decode()}
        form = wire.form(body)
    except ValueError:
        raise PushRefused("malformed") from None
    if "RequestData" not in form or form.get("RequestType", "") not in _TYPES:
        raise PushRefused("malformed")
    return form


def _told(form: Mapping[str, str]) -> dict[str, Any]:
    try:
        told = wire.load_json(form["RequestData"])
    except ValueError:
        raise PushRefused("malformed") from None
    if not isinstance(told, dict):
        raise PushRefused("malformed")
    return told
