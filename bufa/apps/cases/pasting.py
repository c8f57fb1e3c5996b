"""A trace that a person copied from a carrier's page becomes scans of the parcel, and is judged like any other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bufa.apps.audit import actions as audit
from bufa.apps.cases import queries
from bufa.apps.cases.actions import log
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.models import Parcel
from bufa.apps.parcels.recording import Heard
from bufa.domain import reading
from bufa.domain.outcome import Refused
from bufa.domain.pasted_trace import parse
from bufa.domain.permissions import Permission, check
from bufa.integrations.ports import RawScan, TrackReport
from bufa.lib import clock
from bufa.lib.tenancy import for_shops, writing

PROVIDER = "pasted"


@dataclass(frozen=True, slots=True)
class PastedLine:
    """One scan as it was read: `kind` is `unmapped` where its words are not understood."""

    at: datetime
    text: str = field(repr=False)
    kind: str


@dataclass(frozen=True, slots=True)
class Read:
    """What pasted text holds. `unread`: lines without a time that belongs to them."""

    lines: tuple[PastedLine, ...]
    unread: tuple[str, ...] = field(repr=False)
    new_scans: int = 0

    @property
    def unmapped(self) -> int:
        return sum(line.kind == "unmapped" for line in self.lines)


def look(text: str, carrier: str, now: datetime) -> Read:
    """What the text would become; nothing is kept."""
    found = parse(text, now)
    lines = [
        PastedLine(scan.at, scan.text, reading.read(provider=PROVIDER, carrier=carrier, text=scan.text).kind.value)
        for scan in found.scans
    ]
    return Read(tuple(lines), found.unread)


def paste_trace(*, shop_id: int, parcel_id: int, text: str, by: Actor, now: datetime | None = None) -> Read:
    """Keep what was read as scans said by this person, and judge the parcel.

    Raises Refused: trace_unreadable when no line has a time, parcel_without_number.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with for_shops([shop_id]):
        parcel = Parcel.objects.only("carrier", "number").get(shop_id=shop_id, id=parcel_id)
    if not parcel.number:
        raise Refused("parcel_without_number")
    found = look(text, parcel.carrier, now)
    if not found.lines:
        raise Refused("trace_unreadable", n=len(found.unread))
    provider = f"{PROVIDER}:{by.operator_id}" if by.operator_id else PROVIDER
    scans = tuple(RawScan(line.at, line.text) for line in found.lines)
    report = TrackReport(provider, parcel.carrier, parcel.number, scans)
    with writing([shop_id]):
        new = take_in(shop_id=shop_id, reports=[Heard(report, now)], now=now).new_scans
        audit.record(shop_id, by.ref, "trace.paste", f"parcel:{parcel_id}", {"scans": len(scans), "new": new})
        if involved := queries.involved(shop_id, [parcel_id]):
            case_id, _ = involved[parcel_id]
            said = {"n": len(scans), "unread": len(found.unread)}
            kind = "trace_pasted" if not found.unread else "trace_pasted_partly"
            unread = "\n".join(found.unread)[:2000]
            log(shop_id=shop_id, case_id=case_id, kind=kind, by=by, now=now, data=said, words=unread)
    return Read(found.lines, found.unread, new)
