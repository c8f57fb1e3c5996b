"""International tracking services, by the form of their messages (tracking-protocols §6.2 to §6.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bufa.integrations.feeds.china import carrier_of, in_order
from bufa.integrations.ports import RawScan, TrackReport
from bufa.integrations.wire import child, china_time, rows, text


def _aftership(told: Mapping[str, Any]) -> TrackReport | None:
    lines = told.get("checkpoints")
    if not isinstance(lines, list) or "tracking_number" not in told:
        return None
    scans = [
        RawScan(
            china_time(line.get("checkpoint_time")),
            text(line.get("message")) or text(line.get("subtag_message")),
            text(line.get("subtag")) or text(line.get("tag")),
            text(line.get("tag")),
            text(line.get("location")) or text(line.get("city")),
        )
        for line in rows(lines)
    ]
    state = text(told.get("subtag")) or text(told.get("tag"))
    number = text(told.get("tracking_number"))
    return TrackReport("aftership", carrier_of(told.get("slug")), number, in_order(scans), state=state)


def _easypost(told: Mapping[str, Any]) -> TrackReport | None:
    lines = told.get("tracking_details")
    if not isinstance(lines, list) or "tracking_code" not in told:
        return None
    scans = [
        RawScan(
            china_time(line.get("datetime")),
            text(line.get("message")),
            _said(line.get("status_detail")) or text(line.get("status")),
            text(line.get("status")),
            text(child(line, "tracking_location").get("city")),
        )
        for line in rows(lines)
    ]
    state = _said(told.get("status_detail")) or text(told.get("status"))
    number = text(told.get("tracking_code"))
    return TrackReport("easypost", carrier_of(told.get("carrier")), number, in_order(scans), state=state)


def _said(code: object) -> str:
    """A detail that says nothing is none."""
    found = text(code)
    return "" if found in ("unknown", "status_update") else found


def _shippo(told: Mapping[str, Any]) -> TrackReport | None:
    if "tracking_number" not in told or "tracking_history" not in told:
        return None
    lines = rows(told.get("tracking_history")) or [child(told, "tracking_status")]
    scans = [
        RawScan(
            china_time(line.get("status_date")),
            text(line.get("status_details")),
            text(child(line, "substatus").get("code")) or text(line.get("status")),
            text(line.get("status")),
            text(child(line, "location").get("city")),
        )
        for line in lines
        if line
    ]
    state = text(child(told, "tracking_status").get("status"))
    number = text(told.get("tracking_number"))
    return TrackReport("shippo", carrier_of(told.get("carrier")), number, in_order(scans), state=state)


def _karrio(told: Mapping[str, Any]) -> TrackReport | None:
    lines = rows(told.get("events"))
    if not {"tracking_number", "carrier_name", "status"} <= set(told) or not isinstance(told.get("events"), list):
        return None
    scans = [
        RawScan(
            _karrio_time(line),
            text(line.get("description")),
            text(line.get("reason")) or text(line.get("status")) or text(line.get("code")),
            text(line.get("status")),
            text(line.get("location")),
        )
        for line in lines
    ]
    number = text(told.get("tracking_number"))
    return TrackReport(
        "karrio", carrier_of(told.get("carrier_name")), number, in_order(scans), state=text(told.get("status"))
    )


def _karrio_time(line: Mapping[str, Any]) -> datetime | None:
    return china_time(line.get("timestamp")) or china_time(f"{text(line.get('date'))} {text(line.get('time'))}".strip())


READERS = (_aftership, _easypost, _shippo, _karrio)
