"""Incidents: many parcels, one cause. Open findings are grouped by what they share; a group is one work item.

The causes tried, the narrowest first: a hub or branch (a place of a carrier), a lane (two provinces of a carrier), a
carrier's day. Each parcel is in at most one group, so that nothing is worked on twice. A group's id is made of its
cause and first day alone: the same incident keeps its id while parcels join and leave it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files

from bufa.domain.lexicon import names_carrier_hub
from bufa.domain.rulebook import shop_day


class Cause(StrEnum):
    """What the parcels of an incident share."""

    HUB = "hub"
    BRANCH = "branch"
    LANE = "lane"
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class Stuck:
    """One open finding with where its parcel is: carrier (company code), newest place, provinces of the lane.

    `since`: when the silence began or the problem was scanned; `payout_fen`: what the breach costs by itself.
    """

    parcel_id: int
    rule_id: str
    family: str
    since: datetime
    carrier: str
    place: str = ""
    origin_province: str = ""
    dest_province: str = ""
    payout_fen: int = 0


@dataclass(frozen=True, slots=True)
class IncidentGroup:
    """Parcels with one cause. `key` is what names it (a place, `A>B`, or ""), `family` the rules' family.

    `first_day` and `last_day` are shop days of `since`; `parcel_ids` are in order; `cost_fen` is the sum of pay-outs,
    `since` when the first of its findings began.
    """

    id: str
    cause: Cause
    carrier: str
    key: str
    family: str
    first_day: date
    last_day: date
    parcel_ids: tuple[int, ...]
    cost_fen: int
    since: datetime = field(compare=False)

    @property
    def size(self) -> int:
        return len(self.parcel_ids)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on many parcels are one incident (rulebooks/incidents.toml). `times`: how many `min_parcels` a cause
    takes; `keeps`: as long as so many are left, an incident that is one goes on; `families` of rules that have a cause
    outside of the single parcel."""

    min_parcels: int
    keeps: int
    families: frozenset[str]
    recent: timedelta
    neighbours: timedelta
    times: Mapping[Cause, int]


@cache
def thresholds() -> Thresholds:
    """The thresholds of the data file; ValueError or KeyError names what is wrong there."""
    data = tomllib.loads((files("bufa.domain") / "rulebooks" / "incidents.toml").read_text("utf-8"))
    return Thresholds(
        data["min_parcels"],
        data["keeps"],
        frozenset(data["families"]),
        timedelta(days=data["recent_days"]),
        timedelta(days=data["neighbour_days"]),
        {cause: data["times"][cause.value] for cause in Cause},
    )


_Key = tuple[str, str, str]


def group(
    findings: Iterable[Stuck], now: datetime, min_size: int | None = None, before: Iterable[IncidentGroup] = ()
) -> tuple[IncidentGroup, ...]:
    """The incidents among open findings at `now`, the largest first. ValueError for a size below 2.

    `min_size`: the shop's own number of parcels, else that of the data file. `before`: the incidents so far; one that
    was large enough stays an incident while `keeps` of its parcels are left, so that it does not come and go.

    A parcel whose finding is cleared is not handed in any more, and so leaves; below `min_size` a group ends.
    """
    limits = thresholds()
    min_size = limits.min_parcels if min_size is None else min_size
    if min_size < 2:
        raise ValueError("an incident takes at least two parcels")
    left = [
        one
        for one in findings
        if one.carrier and one.family in limits.families and now - limits.recent <= one.since <= now
    ]
    left.sort(key=lambda one: (one.since, one.parcel_id, one.rule_id, one.place, one.carrier, one.family))
    groups: list[IncidentGroup] = []
    taken: set[int] = set()
    known: dict[tuple[Cause, _Key], set[int]] = {}
    for one in before:
        known.setdefault((one.cause, (one.carrier, one.key, one.family)), set()).update(one.parcel_ids)
    for cause in Cause:
        free = [one for one in left if one.parcel_id not in taken]
        found = _by_cause(cause, free, min_size * limits.times[cause], known)
        groups += found
        taken |= {parcel_id for one in found for parcel_id in one.parcel_ids}
    return tuple(sorted(groups, key=lambda one: (-one.size, one.first_day, one.id)))


def _by_cause(
    cause: Cause, findings: Sequence[Stuck], min_size: int, known: Mapping[tuple[Cause, _Key], set[int]]
) -> list[IncidentGroup]:
    gathered: dict[_Key, dict[int, Stuck]] = {}
    for one in findings:
        key = _key(cause, one)
        if key is None:
            continue
        there = gathered.setdefault((one.carrier, key, one.family), {})
        first = there.get(one.parcel_id)  # of several findings of a parcel the first says when it began
        there[one.parcel_id] = one if first is None else replace(first, payout_fen=first.payout_fen + one.payout_fen)
    found: list[IncidentGroup] = []
    taken: set[int] = set()
    # Largest first: of two families at one place a parcel belongs to the one that more parcels share.
    for shared, ones in sorted(gathered.items(), key=lambda item: (-len(item[1]), item[0])):
        so_far = known.get((cause, shared), set())
        for run in _runs([one for one in ones.values() if one.parcel_id not in taken]):
            still = sum(one.parcel_id in so_far for one in run)
            if len(run) >= min_size or still >= thresholds().keeps:
                found.append(_made(cause, shared, run))
                taken |= {one.parcel_id for one in run}
    return found


def _key(cause: Cause, one: Stuck) -> str | None:
    is_hub = bool(one.place) and _is_hub(one.place)
    match cause:
        case Cause.HUB:
            return one.place if is_hub else None
        case Cause.BRANCH:
            # A city alone is no branch: half a shop's parcels may be there.
            return one.place if one.place and not is_hub and not one.place.endswith(("市", "省", "自治区")) else None
        case Cause.LANE:
            ends = one.origin_province, one.dest_province
            return ">".join(ends) if all(ends) else None
        case Cause.CARRIER:
            return ""


@lru_cache(maxsize=16_384)
def _is_hub(place: str) -> bool:
    return names_carrier_hub(f"【{place}】")


def _runs(ones: Sequence[Stuck]) -> list[list[Stuck]]:
    """Split where days without any lie between two findings."""
    runs: list[list[Stuck]] = []
    for one in ones:
        if runs and one.since - runs[-1][-1].since <= thresholds().neighbours:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _made(cause: Cause, key: _Key, run: Sequence[Stuck]) -> IncidentGroup:
    carrier, name, family = key
    first, last = shop_day(run[0].since), shop_day(run[-1].since)
    return IncidentGroup(
        id=incident_id(cause, carrier, name, family, first),
        cause=cause,
        carrier=carrier,
        key=name,
        family=family,
        first_day=first,
        last_day=last,
        parcel_ids=tuple(sorted(one.parcel_id for one in run)),
        cost_fen=sum(one.payout_fen for one in run),
        since=run[0].since,
    )


def incident_id(cause: Cause, carrier: str, key: str, family: str, first_day: date) -> str:
    """16 hex characters for one cause from one day on."""
    said = f"{cause.value}|{carrier}|{key}|{family}|{first_day.isoformat()}"
    return blake2b(said.encode(), digest_size=8).hexdigest()


def carry_over(groups: Iterable[IncidentGroup], before: Iterable[IncidentGroup]) -> dict[str, str]:
    """Which of today's ids stands for which of the ids before: {new: old}, for groups whose first parcels have left.

    A group continues one of the same cause, carrier, key and family when the two share a parcel or a day.
    """
    olds: dict[tuple[Cause, str, str, str], list[tuple[IncidentGroup, frozenset[int]]]] = {}
    for old in before:
        olds.setdefault(_named(old), []).append((old, frozenset(old.parcel_ids)))
    found: dict[str, str] = {}
    for one in groups:
        same = [
            old
            for old, members in olds.get(_named(one), ())
            if old.first_day <= one.first_day <= old.last_day or not members.isdisjoint(one.parcel_ids)
        ]
        if same:
            found[one.id] = min(same, key=lambda old: (old.first_day, old.id)).id
    return found


def _named(one: IncidentGroup) -> tuple[Cause, str, str, str]:
    return one.cause, one.carrier, one.key, one.family
