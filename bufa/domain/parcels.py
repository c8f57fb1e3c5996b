"""Parcels: a parcel's state is a function of the *set* of its scans.

Arrival order, repeats and batch size never change it. The state keeps, per kind, the first and the last scan time
and a few more sums; the stage is computed from those by the one table `PRECEDENCE`.

How callers use it: store scans under `same_scan_key`. When a batch brings only scans with new keys, `add` them to the
stored state. When a repeat changed a stored scan (`merge(stored, new) != stored`), `fold` the parcel's scans again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from bufa.domain.kinds import Kind, Reason, Stage
from bufa.domain.regions import province_number

FUTURE_SLACK = timedelta(minutes=10)
"""A scan dated more than this after it was (last) received announces something; it is kept and not used."""

ORDER_SLACK = timedelta(minutes=10)
"""Stations enter scans late and out of order: an earlier leg must be newer by more than this to pull the stage back."""

SIGNATURE_SETTLES = timedelta(hours=6)
"""A signature may be followed by a failure and by the true signature; until then it is not final."""

TRAIL = 32
"""How many movements a state remembers, the newest ones: enough for gaps and loops, bounded for storage."""

_ON_THE_ROAD = frozenset({Kind.COLLECTED, Kind.ARRIVED_HUB, Kind.IN_TRANSIT, Kind.ARRIVED_DESTINATION})

SILENT = frozenset({Kind.ETA, Kind.NOTE, Kind.UNMAPPED})
"""Kinds that never move the stage."""

KIND_RANK: Mapping[Kind, int] = {
    kind: rank
    for rank, kind in enumerate(
        (
            Kind.UNMAPPED,
            Kind.NOTE,
            Kind.ETA,
            Kind.LABEL_CREATED,
            Kind.CANCELLED,
            Kind.COLLECTED,
            Kind.IN_TRANSIT,
            Kind.ARRIVED_HUB,
            Kind.CUSTOMS,
            Kind.FORWARDED,
            Kind.ARRIVED_DESTINATION,
            Kind.HELD,
            Kind.INTERCEPTED,
            Kind.OUT_FOR_DELIVERY,
            Kind.READY_FOR_PICKUP,
            Kind.ATTEMPT_FAILED,
            Kind.REFUSED,
            Kind.DELIVERED,
            Kind.DAMAGED,
            Kind.LOST,
            Kind.RETURNING,
            Kind.RETURNED,
        )
    )
}
"""Breaks ties between scans of one instant: the higher rank is taken as the later one."""

_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}  # several times faster than `Kind(word)`
_SHOP_ZONE = ZoneInfo("Asia/Shanghai")
_ATTEMPT_NUMBER = re.compile(r"第\s*([1-9])\s*次\s*(?:派|配|投)")


class Scan(NamedTuple):
    """One dated fact about a parcel, as a provider told it.

    `scanned_at` and `received_at` (the latest time we were told) are aware UTC. `text` has names and phones cut out,
    `digest` is `reading.text_digest` of the original text. `fineness`: 2 fine code, 1 text, 0 coarse state.
    `platform_hub`: the text places the parcel at a hub by one of the platform's four words.
    """

    scanned_at: datetime
    received_at: datetime
    kind: Kind
    reason: Reason | None = None
    place: str = ""
    text: str = ""
    digest: str = ""
    provider: str = ""
    code: str = ""
    fineness: int = 0
    platform_hub: bool = False

    @property
    def usable(self) -> bool:
        """False for a scan dated in the future of its own arrival."""
        return self.scanned_at <= self.received_at + FUTURE_SLACK


ScanKey = tuple[datetime, str]


def same_scan_key(scan: Scan) -> ScanKey:
    """(minute in UTC, digest): within one parcel, two messages with equal keys are the same scan."""
    at = scan.scanned_at
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).replace(second=0, microsecond=0), scan.digest


def _preference(scan: Scan) -> tuple[Any, ...]:
    """Smaller is better. Total over all fields but received_at, so that merging never depends on order."""
    return (
        -scan.fineness,
        scan.provider,
        scan.code,
        scan.scanned_at,
        scan.kind,
        scan.reason or "",
        scan.place,
        scan.text,
        scan.platform_hub,
    )


def merge(one: Scan, other: Scan) -> Scan:
    """The one scan that two messages about the same scan make: the finer code wins, else the smaller
    (provider, code); it was received when the later of the two was."""
    winner = min(one, other, key=_preference)
    received_at = max(one.received_at, other.received_at)
    return winner if winner.received_at == received_at else winner._replace(received_at=received_at)


def dedupe(scans: Iterable[Scan]) -> list[Scan]:
    """One scan per key, oldest first."""
    kept: dict[ScanKey, Scan] = {}
    for scan in scans:
        key = same_scan_key(scan)
        there = kept.get(key)
        kept[key] = scan if there is None else merge(there, scan)
    return sorted(kept.values(), key=lambda scan: (scan.scanned_at, KIND_RANK[scan.kind], scan.digest))


def attempt_number(text: str) -> int:
    """The number in 第N次派件, or 0. Carriers go out a second time without a scan for the first failure."""
    if "第" not in text:
        return 0
    found = _ATTEMPT_NUMBER.search(text)
    return int(found.group(1)) if found else 0


_AGREED = re.compile(
    r"(20\d\d)(?:-(\d\d)-(\d\d)[ t](\d\d):(\d\d)(?::\d\d)?|(\d\d)(\d\d)(\d\d)(\d\d))(?!\d)", re.IGNORECASE
)
_AGREED_AHEAD = timedelta(days=30)


def agreed_time(text: str, said_at: datetime) -> datetime | None:
    """The time that a failed attempt's text agrees on for the next one, as YYYYMMDDhhmm or YYYY-MM-DD hh:mm(:ss) in the
    shop's zone; None without one, or when it lies before the scan or more than 30 days ahead."""
    found = _AGREED.search(text)
    if found is None:
        return None
    numbers = [int(part) for part in found.groups() if part is not None]
    try:
        at = datetime(*numbers, tzinfo=_SHOP_ZONE).astimezone(UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    return at if said_at < at <= said_at + _AGREED_AHEAD else None


class Newest(NamedTuple):
    """The newest scan that carried something; compared as it stands, it says which of two is newer."""

    at: datetime
    rank: int
    digest: str
    value: str


@dataclass(frozen=True, slots=True)
class ParcelState:
    """What the scans of one parcel add up to. Every field is a sum, a least or a greatest over the set of scans.

    `first`, `last`, `counts` are per kind and only of usable scans; `scans`, `unmapped`, `unusable` count all.
    `reasons` holds the last time of each reason. `out_number` is the highest N of 第N次派件; `failed_days` are the
    shop's days (YYYY-MM-DD) with a failed attempt. `trail` holds the newest `TRAIL` movements, each as one number
    (`trail.py` reads it): what is left out is only ever the oldest. `agreed_at` is the latest time agreed for another
    attempt. Treat as immutable; compare with ==.
    """

    first: Mapping[Kind, datetime] = field(default_factory=dict)
    last: Mapping[Kind, datetime] = field(default_factory=dict)
    counts: Mapping[Kind, int] = field(default_factory=dict)
    reasons: Mapping[Reason, datetime] = field(default_factory=dict)
    newest_place: Newest | None = None
    newest_kind: Newest | None = None
    first_platform_hub_at: datetime | None = None
    out_number: int = 0
    failed_days: tuple[str, ...] = ()
    scans: int = 0
    unmapped: int = 0
    unusable: int = 0
    trail: tuple[int, ...] = ()
    agreed_at: datetime | None = None

    @property
    def stage(self) -> Stage:
        """The stage of a parcel that has a waybill number."""
        return stage_of(self, has_number=True)

    @property
    def place(self) -> str:
        """The newest place named by a usable scan, or ""."""
        return self.newest_place.value if self.newest_place else ""

    @property
    def newest_at(self) -> datetime | None:
        """When the newest usable scan was made that says something about the parcel (promises and notes do not;
        an unread scan does: something happened)."""
        return self.newest_kind.at if self.newest_kind else None

    @property
    def collected_at(self) -> datetime | None:
        """The first sign that the carrier holds the parcel: its pickup, or any later leg where no pickup was told."""
        return self.first.get(Kind.COLLECTED) or _least(self.first.get(kind) for kind in HELD_BY_CARRIER)

    @property
    def delivered_at(self) -> datetime | None:
        """The last signature, whether it is final or not."""
        return self.last.get(Kind.DELIVERED)

    @property
    def attempts(self) -> int:
        """Delivery attempts known to have failed: days with a failure, or what 第N次派件 gives away."""
        return max(len(self.failed_days), self.out_number - 1, 0)

    @property
    def signed_then_failed(self) -> bool:
        """A failure came after the last signature: the signature is not to be believed yet."""
        return _undone(self)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for a jsonb column; times as ISO 8601 in UTC."""
        return {
            "first": {kind._value_: at.isoformat() for kind, at in sorted(self.first.items())},
            "last": {kind._value_: at.isoformat() for kind, at in sorted(self.last.items())},
            "counts": {kind._value_: count for kind, count in sorted(self.counts.items())},
            "reasons": {reason._value_: at.isoformat() for reason, at in sorted(self.reasons.items())},
            "newest_place": _newest_json(self.newest_place),
            "newest_kind": _newest_json(self.newest_kind),
            "first_platform_hub_at": self.first_platform_hub_at.isoformat() if self.first_platform_hub_at else None,
            "out_number": self.out_number,
            "failed_days": list(self.failed_days),
            "scans": self.scans,
            "unmapped": self.unmapped,
            "unusable": self.unusable,
            "trail": list(self.trail),
            "agreed_at": self.agreed_at.isoformat() if self.agreed_at else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> ParcelState:
        """The state that `to_json` wrote; an empty mapping or None is the state without scans."""
        if not data:
            return EMPTY
        hub, agreed = data.get("first_platform_hub_at"), data.get("agreed_at")
        return cls(
            first={_KINDS[kind]: datetime.fromisoformat(at) for kind, at in data["first"].items()},
            last={_KINDS[kind]: datetime.fromisoformat(at) for kind, at in data["last"].items()},
            counts={_KINDS[kind]: count for kind, count in data["counts"].items()},
            reasons={Reason(reason): datetime.fromisoformat(at) for reason, at in data["reasons"].items()},
            newest_place=_newest_from(data.get("newest_place")),
            newest_kind=_newest_from(data.get("newest_kind")),
            first_platform_hub_at=datetime.fromisoformat(hub) if hub else None,
            out_number=data.get("out_number", 0),
            failed_days=tuple(data.get("failed_days", ())),
            scans=data.get("scans", 0),
            unmapped=data.get("unmapped", 0),
            unusable=data.get("unusable", 0),
            trail=_trail_from(data.get("trail", [])),
            agreed_at=datetime.fromisoformat(agreed) if agreed else None,
        )


EMPTY = ParcelState()


def fold(scans: Iterable[Scan]) -> ParcelState:
    """The state of a parcel with exactly these scans, in any order, repeats allowed."""
    return add(EMPTY, scans)


def add(state: ParcelState, scans: Iterable[Scan]) -> ParcelState:
    """The state after scans whose keys the state has not seen. Repeats among `scans` themselves are allowed."""
    return _total(state, dedupe(scans))


def add_distinct(state: ParcelState, scans: list[Scan]) -> ParcelState:
    """`add`, for scans that are known to differ in their keys among themselves as well."""
    return _total(state, scans)


def _total(state: ParcelState, scans: list[Scan]) -> ParcelState:
    if not scans:
        return state
    first, last, counts = dict(state.first), dict(state.last), dict(state.counts)
    reasons = dict(state.reasons)
    place, newest = state.newest_place, state.newest_kind
    hub_at, out_number, days = state.first_platform_hub_at, state.out_number, set(state.failed_days)
    unmapped, unusable = state.unmapped, state.unusable
    trail, agreed_at = set(state.trail), state.agreed_at
    for scan in scans:
        kind, at = scan.kind, scan.scanned_at
        unmapped += kind is Kind.UNMAPPED
        if not scan.usable:
            unusable += 1
            continue
        if kind in counts:
            first[kind] = min(first[kind], at)
            last[kind] = max(last[kind], at)
            counts[kind] += 1
        else:
            first[kind] = last[kind] = at
            counts[kind] = 1
        if scan.reason is not None:
            reasons[scan.reason] = max(reasons.get(scan.reason, at), at)
            if scan.reason is Reason.RESCHEDULED and (agreed := agreed_time(scan.text, at)) is not None:
                agreed_at = agreed if agreed_at is None else max(agreed_at, agreed)
        if kind is not Kind.ETA and kind is not Kind.NOTE:
            newest = _newer(newest, scan, kind._value_)
            place = _newer(place, scan, scan.place) if scan.place else place
            trail.add(_movement(scan))
        if scan.platform_hub:
            hub_at = at if hub_at is None else min(hub_at, at)
        if kind is Kind.OUT_FOR_DELIVERY:
            out_number = max(out_number, attempt_number(scan.text))
        elif kind is Kind.ATTEMPT_FAILED or kind is Kind.REFUSED:
            days.add(at.astimezone(_SHOP_ZONE).date().isoformat())
    return ParcelState(
        first=first,
        last=last,
        counts=counts,
        reasons=reasons,
        newest_place=place,
        newest_kind=newest,
        first_platform_hub_at=hub_at,
        out_number=out_number,
        failed_days=tuple(sorted(days)),
        scans=state.scans + len(scans),
        unmapped=unmapped,
        unusable=unusable,
        trail=tuple(sorted(trail)[-TRAIL:]),
        agreed_at=agreed_at,
    )


MINUTE_AT, PROVINCE_AT = 23, 16
"""Where in a movement its parts begin: minutes since 1970, 7 bits that are the province's number (0: not known), and 16
that name the node: kind and place; the lowest bit says "arrived at a hub"."""

_OLDER_THAN = 1 << 44
"""Movements below it were stored before they knew provinces: their minutes begin at bit 16."""


def _movement(scan: Scan) -> int:
    minute = (scan.scanned_at - _EPOCH) // _MINUTE
    return minute << MINUTE_AT | (_where(scan.kind, scan.place) if scan.place else 0)


_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)


@lru_cache(maxsize=16_384)
def _where(kind: Kind, place: str) -> int:
    province = province_number(place) << PROVINCE_AT
    if kind not in _ON_THE_ROAD:
        return province
    return province | (crc32(f"{kind}|{place}".encode()) & 0xFFFE or 2) | (kind is Kind.ARRIVED_HUB)


def _trail_from(stored: list[int]) -> tuple[int, ...]:
    if not stored or stored[0] >= _OLDER_THAN:
        return tuple(stored)
    return tuple((one >> 16) << MINUTE_AT | one & 0xFFFF if one < _OLDER_THAN else one for one in stored)


# --- the stage -------------------------------------------------------------------------------------------------------

LEGS: tuple[tuple[Stage, frozenset[Kind]], ...] = (
    (Stage.READY_FOR_PICKUP, frozenset({Kind.READY_FOR_PICKUP})),
    (Stage.OUT_FOR_DELIVERY, frozenset({Kind.OUT_FOR_DELIVERY, Kind.ATTEMPT_FAILED, Kind.REFUSED})),
    (Stage.AT_DESTINATION, frozenset({Kind.ARRIVED_DESTINATION})),
    (Stage.IN_TRANSIT, frozenset({Kind.ARRIVED_HUB, Kind.IN_TRANSIT, Kind.FORWARDED, Kind.CUSTOMS})),
)
"""The legs between pickup and signature, furthest first. A failed or refused attempt happened out for delivery."""

HELD_BY_CARRIER = frozenset(Kind) - SILENT - {Kind.LABEL_CREATED, Kind.CANCELLED}
"""Any of these proves that the carrier has, or had, the parcel."""


def stage_of(state: ParcelState, *, has_number: bool) -> Stage:
    """How far the parcel is. The first row of `PRECEDENCE` that holds decides; without any, the number does."""
    for stage, holds in PRECEDENCE:
        if holds(state):
            return stage
    return Stage.LABELLED if has_number or state.scans else Stage.UNSHIPPED


def is_final(state: ParcelState, now: datetime) -> bool:
    """Whether nothing more is expected: returned, cancelled, or signed long enough ago without a later failure."""
    stage = state.stage
    if stage is Stage.DELIVERED:
        return state.last[Kind.DELIVERED] + SIGNATURE_SETTLES <= now
    return stage in (Stage.RETURNED, Stage.CANCELLED)


def _returned(state: ParcelState) -> bool:
    """Back at the sender: it says so, or it was signed for after the way back began."""
    if Kind.RETURNED in state.last:
        return True
    back, signed = state.first.get(Kind.RETURNING), state.last.get(Kind.DELIVERED)
    return back is not None and signed is not None and signed > back


def _undone(state: ParcelState) -> bool:
    signed = state.last.get(Kind.DELIVERED)
    failed = _greatest(state.last.get(kind) for kind in (Kind.ATTEMPT_FAILED, Kind.REFUSED))
    return signed is not None and failed is not None and failed > signed


def _cancelled(state: ParcelState) -> bool:
    """Called off, and the carrier has not been seen with it since."""
    off = state.last.get(Kind.CANCELLED)
    if off is None:
        return False
    seen = _greatest(state.last.get(kind) for kind in HELD_BY_CARRIER)
    return seen is None or off >= seen


def _on_leg(leg: Stage) -> Callable[[ParcelState], bool]:
    def holds(state: ParcelState) -> bool:
        at = _leg_at(state, leg)
        if at is None:
            return False
        earlier = _greatest(_leg_at(state, other) for other in _LEGS_BEFORE[leg])
        return earlier is None or earlier <= at + ORDER_SLACK

    return holds


def _leg_at(state: ParcelState, leg: Stage) -> datetime | None:
    times = [state.last.get(kind) for kind in _LEG_KINDS[leg]]
    if leg is Stage.READY_FOR_PICKUP:
        times.append(state.reasons.get(Reason.PICKUP_OVERDUE))  # nobody fetched it: so it does lie there
    return _greatest(times)


_LEG_KINDS = dict(LEGS)
_LEGS_BEFORE = {leg: tuple(other for other, _ in LEGS[at + 1 :]) for at, (leg, _) in enumerate(LEGS)}

PRECEDENCE: tuple[tuple[Stage, Callable[[ParcelState], bool]], ...] = (
    # Returned beats delivered, whichever came first: the old number is often signed twice on the way back.
    (Stage.RETURNED, _returned),
    # Once the way back began, a signature before it was none.
    (Stage.RETURNING, lambda state: Kind.RETURNING in state.last),
    # A signature that a failure follows is not final: the legs below decide.
    (Stage.DELIVERED, lambda state: Kind.DELIVERED in state.last and not _undone(state)),
    (Stage.CANCELLED, _cancelled),
    # Refused, held, damaged, lost, intercepted are findings about a parcel, not places it can be at.
    *((leg, _on_leg(leg)) for leg, _ in LEGS),
    # A pickup entered late never pulls a parcel back from a leg above.
    (Stage.COLLECTED, lambda state: any(kind in state.last for kind in HELD_BY_CARRIER)),
)
"""The one table of stages, most telling first."""


def _least(times: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)


def _greatest(times: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in times if at is not None), default=None)


def _newer(held: Newest | None, scan: Scan, value: str) -> Newest:
    if held is not None and held.at > scan.scanned_at:
        return held
    new = Newest(scan.scanned_at, KIND_RANK[scan.kind], scan.digest, value)
    return new if held is None or new > held else held


def _newest_json(newest: Newest | None) -> list[Any] | None:
    return None if newest is None else [newest.at.isoformat(), newest.rank, newest.digest, newest.value]


def _newest_from(data: list[Any] | None) -> Newest | None:
    return None if data is None else Newest(datetime.fromisoformat(data[0]), data[1], data[2], data[3])
