"""What a parcel teaches when it has passed: the hours of its legs and of its silences, ready to be counted.

Counts are kept by the month of the shop. Hours of legs belong to the month in which the parcel ended, so that the last
months show how things go now. Silences belong to the month in which it set out, and a month is asked only when its lost
parcels are known too: those take a month to be given up, and before that a lane would look safer than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from bufa.domain.histograms import Histogram, total
from bufa.domain.kinds import Kind, Stage
from bufa.domain.lanes import Learned, Leg, settings, silent_leg
from bufa.domain.parcels import HELD_BY_CARRIER, ParcelState, Scan, is_final

_SHOP_ZONE = ZoneInfo("Asia/Shanghai")

CountKey = tuple[str, Leg, date]
"""Key of a level, leg, first day of the month: what one kept histogram is for."""


class Fate(StrEnum):
    """How a parcel counts. `arrived`: it reached someone, the sender included; `open`: nobody knows yet; `moot`: it
    ended for another reason than the carrier's pace (called off, broken, never fetched) and teaches nothing."""

    ARRIVED = "arrived"
    LOST = "lost"
    OPEN = "open"
    MOOT = "moot"


class How(StrEnum):
    """How a duration counts: seen to its end, last seen going on, or never to end."""

    ENDED = "ended"
    CENSORED = "censored"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Measured:
    """One duration of one parcel, in hours."""

    leg: Leg
    hours: float
    how: How = How.ENDED


_STAGE_AFTER: Mapping[Kind, Stage] = {
    Kind.LABEL_CREATED: Stage.LABELLED,
    Kind.COLLECTED: Stage.COLLECTED,
    Kind.ARRIVED_HUB: Stage.IN_TRANSIT,
    Kind.IN_TRANSIT: Stage.IN_TRANSIT,
    Kind.FORWARDED: Stage.IN_TRANSIT,
    Kind.CUSTOMS: Stage.IN_TRANSIT,
    Kind.ARRIVED_DESTINATION: Stage.AT_DESTINATION,
    Kind.OUT_FOR_DELIVERY: Stage.OUT_FOR_DELIVERY,
    Kind.ATTEMPT_FAILED: Stage.OUT_FOR_DELIVERY,
    Kind.REFUSED: Stage.OUT_FOR_DELIVERY,
    Kind.READY_FOR_PICKUP: Stage.READY_FOR_PICKUP,
    Kind.DELIVERED: Stage.DELIVERED,
}
"""The stage in which a silence begins after a scan; other kinds leave the stage as it was."""

OUT = Kind.OUT_FOR_DELIVERY
"""With this scan the last leg begins."""

_NO_SIGN_OF_LIFE = frozenset({Kind.ETA, Kind.NOTE, Kind.LOST, Kind.DAMAGED})
_FAILED = frozenset({Kind.ATTEMPT_FAILED, Kind.REFUSED})
_MAY_BE_LOST = frozenset({Stage.COLLECTED, Stage.IN_TRANSIT, Stage.AT_DESTINATION, Stage.OUT_FOR_DELIVERY})


def fate_of(state: ParcelState, now: datetime) -> Fate:
    """How a parcel with this state counts by now."""
    if Kind.CANCELLED in state.last:
        return Fate.MOOT
    if state.newest_at is None:
        return Fate.OPEN
    if is_final(state, now):
        return Fate.ARRIVED
    moved = (at for kind, at in state.last.items() if kind not in _NO_SIGN_OF_LIFE or kind is Kind.LOST)
    silent = now - max(moved, default=state.newest_at)
    long_silent = silent >= timedelta(days=settings()["lost_when_silent_days"])
    if Kind.LOST in state.last and silent >= timedelta(days=settings()["lost_when_said_days"]):
        return Fate.LOST
    if not long_silent:
        return Fate.OPEN
    return Fate.LOST if state.stage in _MAY_BE_LOST and Kind.DAMAGED not in state.last else Fate.MOOT


def measure(scans: Iterable[Scan], fate: Fate, until: datetime) -> list[Measured]:
    """The durations of a parcel, from all its scans; `until` is how far we have looked (it ends an open silence).

    The way back is not measured: a parcel that turned round was on its way for so long, and would have been longer.
    """
    if fate is Fate.MOOT:
        return []
    told = sorted((s for s in scans if s.usable and s.kind not in _NO_SIGN_OF_LIFE), key=lambda scan: scan.scanned_at)
    turned_at = next((scan.scanned_at for scan in told if scan.kind is Kind.RETURNING), None)
    if turned_at is not None:
        told = [scan for scan in told if scan.scanned_at < turned_at]
    failed_at = max((scan.scanned_at for scan in told if scan.kind in _FAILED), default=None)
    signed_at = next(
        (s.scanned_at for s in told if s.kind is Kind.DELIVERED and (failed_at is None or s.scanned_at > failed_at)),
        None,
    )
    if signed_at is not None:
        told = [scan for scan in told if scan.scanned_at <= signed_at]
    if not told:
        return []
    open_until = None if signed_at is not None else turned_at if turned_at is not None else until
    is_over = signed_at is not None or turned_at is not None
    return [*_legs(told, fate, open_until, signed_at), *_silences(told, fate, is_over, turned_at or until)]


def _legs(told: list[Scan], fate: Fate, open_until: datetime | None, signed_at: datetime | None) -> list[Measured]:
    collected_at = _first(told, {Kind.COLLECTED}) or _first(told, HELD_BY_CARRIER)
    found: list[Measured] = []
    if collected_at is None:
        return found

    def leg(which: Leg, since: datetime, ended_at: datetime | None) -> None:
        if ended_at is not None:
            found.append(Measured(which, _hours(since, ended_at)))
        elif fate is not Fate.LOST and open_until is not None and open_until > since:
            found.append(Measured(which, _hours(since, open_until), How.CENSORED))

    leg(Leg.TOTAL, collected_at, signed_at)
    hubs = [scan.scanned_at for scan in told if scan.kind is Kind.ARRIVED_HUB and scan.scanned_at >= collected_at]
    if hubs:
        leg(Leg.FIRST_HUB, collected_at, hubs[0])
    found += [Measured(Leg.HUB_GAP, _hours(one, other)) for one, other in pairwise(hubs) if other > one]
    out_at = _first(told, {Kind.OUT_FOR_DELIVERY})
    if out_at is not None:
        leg(Leg.DELIVERY, out_at, signed_at)
    return found


def _silences(told: list[Scan], fate: Fate, is_over: bool, until: datetime) -> list[Measured]:
    """The longest silence in each stage; of the last stage it is going on, or will never end."""
    longest: dict[Stage, float] = {}
    stage = Stage.LABELLED
    for at, scan in enumerate(told):
        stage = _STAGE_AFTER.get(scan.kind, stage)
        if at + 1 < len(told):
            longest[stage] = max(longest.get(stage, 0.0), _hours(scan.scanned_at, told[at + 1].scanned_at))
    if not is_over or (until > told[-1].scanned_at and stage is not Stage.DELIVERED):
        longest[stage] = max(longest.get(stage, 0.0), _hours(told[-1].scanned_at, until))
    found = []
    for in_stage, hours in longest.items():
        leg, going_on = silent_leg(in_stage), in_stage is stage and not is_over
        if leg is not None:
            how = How.ENDED if not going_on else How.NEVER if fate is Fate.LOST else How.CENSORED
            found.append(Measured(leg, hours, how))
    return found


def counted(measured: Iterable[Measured]) -> dict[Leg, Histogram]:
    """One histogram a leg, ready to be added to what is kept."""
    by_leg: dict[Leg, list[Measured]] = {}
    for one in measured:
        by_leg.setdefault(one.leg, []).append(one)
    return {
        leg: Histogram.of(
            (one.hours for one in those if one.how is How.ENDED),
            (one.hours for one in those if one.how is How.CENSORED),
            sum(one.how is How.NEVER for one in those),
        )
        for leg, those in by_leg.items()
    }


def lessons(scans: Sequence[Scan], fate: Fate, until: datetime, keys: Iterable[str]) -> dict[CountKey, Histogram]:
    """All that one parcel adds to what is kept, on each of its levels. Empty for an open or a moot one."""
    told = [s.scanned_at for s in scans if s.usable and s.kind not in _NO_SIGN_OF_LIFE]
    if fate in (Fate.OPEN, Fate.MOOT) or not told:
        return {}
    by_leg = counted(measure(scans, fate, until))
    months = {leg: month_of(min(told) if is_silence(leg) else max(told)) for leg in by_leg}
    return {(key, leg, months[leg]): histogram for key in keys for leg, histogram in by_leg.items()}


def learned(kept: Iterable[tuple[CountKey, Histogram]], now: datetime) -> Learned:
    """What may be believed at `now` of what is kept: the last months' hours, and the silences of months gone by."""
    first_time, (first_silence, last_silence) = times_from(now), silences_from_to(now)
    times: dict[tuple[str, Leg], list[Histogram]] = {}
    silences: dict[tuple[str, Leg], list[Histogram]] = {}
    for (key, leg, month), histogram in kept:
        if is_silence(leg):
            if first_silence <= month <= last_silence:
                silences.setdefault((key, leg), []).append(histogram)
        elif month >= first_time:
            times.setdefault((key, leg), []).append(histogram)
    return Learned(
        {key: total(parts) for key, parts in times.items()}, {key: total(parts) for key, parts in silences.items()}
    )


def is_silence(leg: Leg) -> bool:
    """Whether the leg counts silences."""
    return leg.startswith("silent_")


def month_of(at: datetime) -> date:
    """The first day of the shop's month."""
    return at.astimezone(_SHOP_ZONE).date().replace(day=1)


def times_from(now: datetime) -> date:
    """The first month whose hours still count."""
    return _months_before(month_of(now), settings()["months_of_times"] - 1)


def silences_from_to(now: datetime) -> tuple[date, date]:
    """The first and the last month whose silences count: the last one's lost parcels must be known."""
    last = _months_before(month_of(now - timedelta(days=settings()["mature_days"])), 1)
    return _months_before(last, settings()["months_of_silences"] - 1), last


def _months_before(month: date, back: int) -> date:
    at = month.year * 12 + month.month - 1 - back
    return date(at // 12, at % 12 + 1, 1)


def _first(told: list[Scan], kinds: Iterable[Kind]) -> datetime | None:
    among = frozenset(kinds)
    return next((scan.scanned_at for scan in told if scan.kind in among), None)


def _hours(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds() / 3600)
