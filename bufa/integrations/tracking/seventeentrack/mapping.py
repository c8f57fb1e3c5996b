"""17TRACK's answers → track reports, and its carrier numbers ↔ Doudian's (tracking-protocols §6.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from bufa.integrations.ports import RawScan, TrackReport
from bufa.integrations.wire import child, china_time, number, rows, text

NAME = "17track"

# From their public carrier list as found in working code; a number that changed shows as -18019910 (`unsupported`).
_THEIRS = {
    "shunfeng": 100012,
    "zhongtong": 190455,
    "yuantong": 190157,
    "shentong": 190324,
    "yunda": 190341,
    "jtexpress": 190442,
    "huitongkuaidi": 190259,
    "youzhengguonei": 3011,
    "ems": 3013,
    "danniao": 190271,
}
_OURS = {theirs: ours for ours, theirs in _THEIRS.items()}

_STOPPED = "TRACKING_STOPPED"
_OVER = frozenset({"Delivered", "Exception_Returned"})


def their_carrier(carrier: str) -> int | None:
    """17TRACK's number of a Doudian company_code, or None when it is not known."""
    return _THEIRS.get(carrier)


def our_carrier(told: object) -> str:
    """Doudian's company_code of a 17TRACK carrier; an unknown one stays the number that came, "" for none."""
    theirs = number(told)
    return _OURS.get(theirs, str(theirs)) if theirs else ""


def signature(body: bytes, key: str) -> str:
    """Lower-case hex SHA-256 over the body as it was sent, a slash and the key."""
    return hashlib.sha256(body + b"/" + key.encode()).hexdigest()


def report_of(item: Mapping[str, Any], *, carrier: str = "", number: str = "", event: str = "") -> TrackReport:
    """One tracked number, as a query's `accepted` and a push's `data` hold it.

    A way with two carriers has two `providers`; their lines become one track. `note` names a carrier that they could
    not ask just now (`latest_sync_status`): then no news is not a silence of the parcel.
    """
    info = child(item, "track_info")
    legs = rows(child(info, "tracking").get("providers"))
    scans = sorted(_lines(legs), key=lambda scan: scan.scanned_at or datetime.min.replace(tzinfo=UTC))
    status = child(info, "latest_status")
    state = text(status.get("sub_status")) or text(status.get("status"))
    return TrackReport(
        provider=NAME,
        carrier=our_carrier(item.get("carrier")) or carrier,
        number=text(item.get("number")) or number,
        scans=tuple(scans),
        ended=_ended(event, text(status.get("status")), state),
        note=_note(event, legs),
        state=state if scans else "",
    )


def _lines(legs: list[dict[str, Any]]) -> list[RawScan]:
    """Lines come newest first within a leg; lines of one second keep the list's sense."""
    return [scan_of(row) for leg in reversed(legs) for row in reversed(rows(leg.get("events")))]


def scan_of(row: Mapping[str, Any]) -> RawScan:
    """One line: its sub-status where there is one, else its stage, which is coarser."""
    stage = text(row.get("stage"))
    return RawScan(
        scanned_at=_when(row),
        text=text(row.get("description")),
        code=text(row.get("sub_status")) or stage,
        state=stage,
        place=text(row.get("location")) or _place(child(row, "address")),
    )


def _when(row: Mapping[str, Any]) -> datetime | None:
    """`time_utc`, else `time_iso`; else the carrier's own words for it, which have no zone: the clock on a Chinese
    wall, as of the domestic carriers that write so."""
    raw = child(row, "time_raw")
    words = f"{text(raw.get('date'))} {text(raw.get('time'))}".strip()
    return china_time(row.get("time_utc")) or china_time(row.get("time_iso")) or china_time(words)


def _place(address: Mapping[str, Any]) -> str:
    return ",".join(part for name in ("state", "city") if (part := text(address.get(name))))


def _ended(event: str, status: str, state: str) -> Literal["", "signed", "aborted"]:
    """They go on asking for a while after a signature; only a stop is an end."""
    if event != _STOPPED:
        return ""
    return "signed" if status in _OVER or state in _OVER else "aborted"


def _note(event: str, legs: list[dict[str, Any]]) -> str:
    if event == _STOPPED:
        return "tracking stopped"
    away = [leg for leg in legs if text(leg.get("latest_sync_status")) not in ("", "Success")]
    return "; ".join(
        f"{text(child(leg, 'provider').get('name'))}: {text(leg.get('latest_sync_status'))}" for leg in away
    )
