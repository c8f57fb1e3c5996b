"""Kuaidi100's answers → track reports (tracking-protocols §1). Their carrier codes are Doudian's, in lower case."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bufa.integrations.ports import RawScan, TrackReport
from bufa.integrations.wire import china_time, rows, text

NAME = "kuaidi100"


def signature(*parts: str) -> str:
    """Upper-case MD5 of the parts as they are sent: param + key + customer for a query, param + salt for a push."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest().upper()


def carrier_code(told: object) -> str:
    return text(told).lower()


def scans_of(data: object) -> tuple[RawScan, ...]:
    """The lines of a track, oldest first whichever way they came; lines of one second keep the list's sense."""
    found = [scan_of(row) for row in rows(data)]
    known = [scan.scanned_at for scan in found if scan.scanned_at is not None]
    ascending = bool(known) and known[0] < known[-1]
    return tuple(found if ascending else reversed(found))


def scan_of(row: Mapping[str, Any]) -> RawScan:
    """One line. Its own `statusCode` and status name only: the parcel's state belongs to the parcel, and sticking it on
    the newest line would make one scan read differently from push to push."""
    told = row.get
    return RawScan(
        china_time(told("time")) or china_time(told("ftime")),
        text(told("context")),
        text(told("statusCode")),
        text(told("status")),
        text(told("areaName")) or text(told("location")),
    )


def report_of(result: Mapping[str, Any], *, carrier: str = "", number: str = "") -> TrackReport:
    """A query's answer, or a push's `lastResult`. What was asked fills in what the answer leaves out."""
    scans = scans_of(result.get("data"))
    return TrackReport(
        provider=NAME,
        carrier=carrier_code(result.get("com")) or carrier,
        number=text(result.get("nu")) or number,
        scans=scans,
        # State 0 without a line means "no trace", not "in transit".
        state=text(result.get("state")) if scans else "",
    )
