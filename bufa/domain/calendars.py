"""Pauses: festivals, areas without service and force majeure, and how they move a clock.

Pauses are plain data of the shop (`Policy.pauses`). A clock does not run while a pause that is about the parcel lasts;
what it was moved by is told with the finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bufa.domain.regions import short_province


class PauseCode(StrEnum):
    """Why clocks stand still."""

    FESTIVAL = "festival"
    NO_SERVICE = "no_service"
    FORCE_MAJEURE = "force_majeure"


class End(StrEnum):
    """Which end of a parcel's way a pause is about."""

    ORIGIN = "origin"
    DESTINATION = "destination"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Area:
    """A province, or a city or district of it; "" means all of it. Names or division codes (provinces), names below."""

    province: str
    city: str = ""
    district: str = ""

    def covers(self, place: Area) -> bool:
        """Whether a parcel's end lies in this area for certain; what is not known of it lies in no city or district."""
        mine = short_province(self.province)
        return (
            bool(mine)
            and mine == short_province(place.province)
            and _same_or_any(self.city, place.city, "市")
            and _same_or_any(self.district, place.district, "区", "县", "市")
        )


def _same_or_any(wanted: str, there: str, *endings: str) -> bool:
    return not wanted or _bare(wanted, endings) == _bare(there, endings)


def _bare(name: str, endings: tuple[str, ...]) -> str:
    name = name.strip()
    return next((name[: -len(one)] for one in endings if name.endswith(one) and len(name) > len(one) + 1), name)


@dataclass(frozen=True, slots=True)
class Pause:
    """Clocks stand still from `begins` to `ends` (aware, `ends` not included).

    No `areas`: everywhere. No `carriers` (company codes): all. No `families` of rules: all. `platform`: whether the
    platform itself stops its clocks; else only the shop's own rules are moved, and no fine is hidden by a holiday that
    the platform does not keep. `source`: where it was announced. `name`: what people call it.
    """

    code: PauseCode
    begins: datetime
    ends: datetime
    name: str = ""
    source: str = ""
    areas: tuple[Area, ...] = ()
    end: End = End.EITHER
    carriers: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    platform: bool = True

    def concerns(self, *, carrier: str, origin: Area, destination: Area, family: str, is_platform_rule: bool) -> bool:
        """Whether this pause is about that parcel and that kind of rule."""
        return self.concerns_rule(family, is_platform_rule) and self.concerns_parcel(carrier, origin, destination)

    def concerns_rule(self, family: str, is_platform_rule: bool) -> bool:
        """Whether it may move clocks of rules of that family."""
        if is_platform_rule and not self.platform:
            return False
        return not self.families or family in self.families

    def concerns_parcel(self, carrier: str, origin: Area, destination: Area) -> bool:
        """Whether it is about a parcel of that carrier between these ends."""
        if self.carriers and carrier not in self.carriers:
            return False
        if not self.areas:
            return True
        ends = {
            End.ORIGIN: (origin,),
            End.DESTINATION: (destination,),
            End.EITHER: (origin, destination),
        }[self.end]
        return any(area.covers(one) for area in self.areas for one in ends)


@dataclass(frozen=True, slots=True)
class Moved:
    """Part of what moved a clock: the pause's code and name, and for how long."""

    code: PauseCode
    name: str
    by: timedelta


def due(start: datetime, limit: timedelta, pauses: Iterable[Pause]) -> tuple[datetime, tuple[Moved, ...]]:
    """When a clock that started at `start` has run for `limit` outside the pauses, and what moved it.

    Pauses that overlap count once, for the one that began first.
    """
    at = start + limit
    moved: list[Moved] = []
    reached = start
    for pause in _in_order(pauses):
        if pause.begins >= at:
            break
        stood = pause.ends - max(pause.begins, reached)
        if stood > timedelta(0):
            at += stood
            reached = pause.ends
            moved.append(Moved(pause.code, pause.name, stood))
    return at, tuple(moved)


def _in_order(pauses: Iterable[Pause]) -> Sequence[Pause]:
    return sorted(pauses, key=lambda pause: (pause.begins, pause.ends, pause.code, pause.name))
