"""`bufa read`: what a provider's message says, line by line, for people who build on it or check our reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from bufa.domain.parcels import Scan, fold
from bufa.domain.reading import read, to_scan
from bufa.integrations.feeds import recognise
from bufa.integrations.ports import RawScan, TrackReport

_FIELDS = ("provider", "carrier", "code", "state", "text")
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # one scan's stage doesn't depend on when it was


def read_lines(lines: Iterable[str]) -> Iterator[str]:
    """One JSON object out for each line in: `kind`, `stage`, `reason`, `why`. A line that is a whole message of a
    tracking service (its answer or push as it came) is read whole: these are of its newest scan, beside them
    `provider`, `carrier`, `number` and every scan; of several tracks the first, and `tracks` has them all.

    Any of the fields may be missing. A line that is no JSON object gives `{"error": …}`, so that the n-th line out
    always answers the n-th line in; an empty line does, too.
    """
    for line in lines:
        yield json.dumps(_answer(line), ensure_ascii=False)


def _answer(line: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except json.JSONDecodeError as error:
        return {"error": f"not JSON: {error.msg}"}
    if told := recognise(given):
        tracks = [_track(report) for report in told]
        return tracks[0] if len(tracks) == 1 else {**tracks[0], "tracks": tracks}
    if not isinstance(given, dict):
        return {"error": "not a JSON object"}
    wrong = [name for name in _FIELDS if not isinstance(given.get(name) or "", str | int)]
    if wrong:
        return {"error": f"not a text: {', '.join(wrong)}"}
    provider, carrier, code, state, text = (
        str(given.get(name) if given.get(name) is not None else "") for name in _FIELDS
    )
    reading = read(provider=provider, carrier=carrier, code=code, state=state, text=text)
    scan = to_scan(
        provider=provider,
        scanned_at=_ANY_TIME,
        received_at=_ANY_TIME,
        carrier=carrier,
        code=code,
        state=state,
        text=text,
    )
    return {
        "kind": reading.kind.value,
        "stage": fold([scan]).stage.value,
        "reason": reading.reason.value if reading.reason else None,
        "why": reading.why,
    }


def _track(report: TrackReport) -> dict[str, Any]:
    """A whole track as it is read, oldest scan first; undated lines are read, but decide nothing."""
    last = max((raw.scanned_at for raw in report.scans if raw.scanned_at), default=None)
    lines = [
        # The state of the whole parcel speaks of its newest scan only.
        raw._replace(state=raw.state or (report.state if raw.scanned_at == last and not raw.code else ""))
        for raw in report.scans
    ]
    pairs = [(raw, _as_scan(report, raw)) for raw in lines]
    usable = [scan for raw, scan in pairs if raw.scanned_at is not None]
    newest = max(usable, key=lambda scan: scan.scanned_at, default=None)
    why = {id(scan): _why(report, raw) for raw, scan in pairs}
    return {
        "provider": report.provider,
        "carrier": report.carrier,
        "number": report.number,
        "kind": newest.kind.value if newest else None,
        "stage": fold(usable).stage.value if usable else None,
        "reason": newest.reason.value if newest and newest.reason else None,
        "why": why[id(newest)] if newest else "no_scan",
        "scans": [
            {
                "at": raw.scanned_at.isoformat() if raw.scanned_at else None,
                "kind": scan.kind.value,
                "reason": scan.reason.value if scan.reason else None,
                "why": why[id(scan)],
                "text": scan.text,
            }
            for raw, scan in pairs
        ],
    }


def _as_scan(report: TrackReport, raw: RawScan) -> Scan:
    at = raw.scanned_at or _ANY_TIME
    return to_scan(
        provider=report.provider,
        scanned_at=at,
        received_at=at,
        carrier=report.carrier,
        code=raw.code,
        state=raw.state,
        text=raw.text,
        place=raw.place,
    )


def _why(report: TrackReport, raw: RawScan) -> str:
    return read(provider=report.provider, code=raw.code, state=raw.state, text=raw.text).why
