"""A parcel's scans as lines to draw: newest first, silences as gaps, the next clock as a ghost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.apps.parcels.views import ParcelView, ScanView
from bufa.domain.regions import province_of
from bufa.domain.speed import TooFast, too_fast

GAP = timedelta(hours=24)
"""A silence longer than this is drawn."""

OVER = frozenset({"delivered", "returned", "cancelled"})
GOOD = frozenset({"delivered", "ready_for_pickup"})
WRONG = frozenset(
    {"lost", "damaged", "refused", "returning", "returned", "attempt_failed", "held", "intercepted", "cancelled"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `css`: ghost (not yet), gap (silence), hot (newest), good, wrong or nothing.

    `fast`: with this scan the track is faster than any parcel. `dated`: the time that a scan claims and that cannot be,
    since it was told before; `at` is then when it was told.
    """

    css: str
    at: datetime | None
    kind: str = ""
    reason: str = ""
    text: str = ""
    place: str = ""
    span: timedelta | None = None
    dated: datetime | None = None
    pasted: bool = False
    fast: TooFast | None = None


def track(parcel: ParcelView | None, now: datetime, limit: int = 40) -> tuple[Line, ...]:
    """All lines of a parcel, newest first."""
    if parcel is None:
        return ()
    return tuple(_lines(parcel, now))[:limit]


def _lines(parcel: ParcelView, now: datetime) -> Iterator[Line]:
    scans = sorted(parcel.scans, key=lambda scan: (scan.believed_at, scan.usable), reverse=True)
    usable = [scan for scan in scans if scan.usable]
    if parcel.next_deadline is not None and parcel.next_deadline > now:
        yield Line("ghost", parcel.next_deadline, kind="deadline")
    newest = usable[0].scanned_at if usable else parcel.uploaded_at
    if newest is not None and parcel.stage not in OVER and now - newest > GAP:
        yield Line("gap", None, span=now - newest)
    after: datetime | None = None
    fast = too_fast((scan.scanned_at, province_of(scan.place)) for scan in usable)
    for scan in scans:
        if not scan.usable:
            told = (scan.kind, scan.reason, scan.text, scan.place)
            yield Line("", scan.received_at, *told, dated=scan.scanned_at, pasted=_is_pasted(scan))
            continue
        if after is not None and after - scan.scanned_at > GAP:
            yield Line("gap", None, span=after - scan.scanned_at)
        hot = "hot" if scan is usable[0] else ""
        css = "good" if scan.kind in GOOD else "wrong" if scan.kind in WRONG else hot
        said = fast if fast is not None and scan.scanned_at == fast.at else None
        told = (scan.kind, scan.reason, scan.text, scan.place)
        yield Line(css, scan.scanned_at, *told, pasted=_is_pasted(scan), fast=said)
        after = scan.scanned_at
    if parcel.uploaded_at is not None:
        yield Line("", parcel.uploaded_at, kind="uploaded")


def _is_pasted(scan: ScanView) -> bool:
    """A person copied it from the carrier's page."""
    return scan.provider.partition(":")[0] == "pasted"
