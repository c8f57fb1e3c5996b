"""The chase ladder: who is asked next about a parcel, and when.

A carrier that stays silent is reminded once, then the next level is asked: the branch, its head office, the platform.
Clocks run only while whoever was asked works; festivals stop them. Nobody gets two messages about one parcel on one
day. Only the decisions: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from bufa.domain.calendars import Pause
from bufa.domain.carrier_cases import WAITING, Event, Talk, TalkState
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE

DAY_MINUTES = 24 * 60
MOST_HOURS = 240
_FURTHEST = 400  # days: longer than any festival that a shop can enter


class Level(StrEnum):
    """How high up a contact is."""

    BRANCH = "branch"
    HEAD_OFFICE = "head_office"
    PLATFORM = "platform"


LEVELS = tuple(Level)


class Rung(StrEnum):
    """What a message of the ladder is."""

    ASK = "ask"
    REMIND = "remind"
    BRANCH = "branch"
    HEAD_OFFICE = "head_office"
    PLATFORM = "platform"

    @property
    def event(self) -> Event:
        return {Rung.ASK: Event.ASK, Rung.REMIND: Event.REMIND}.get(self, Event.ESCALATE)


class Stop(StrEnum):
    """Why no rung comes next."""

    NOT_WAITING = "not_waiting"
    STOPPED = "stopped"
    SWITCHED_OFF = "switched_off"
    TO_COPY = "to_copy"
    NOBODY_LEFT = "nobody_left"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a contact works, in the shop's time: minutes after midnight, ISO weekdays, and whether festivals are free.
    `closes` after `opens`, at most 1440."""

    opens: int = 0
    closes: int = DAY_MINUTES
    days: frozenset[int] = frozenset(range(1, 8))
    rests_on_festivals: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= DAY_MINUTES or not self.days or not self.days <= set(range(1, 8)):
            raise Refused("contact_hours")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom we can ask. `is_reachable`: our last message to them did not come back."""

    contact_id: int
    level: Level
    hours: Hours = field(default_factory=Hours)
    is_reachable: bool = True


@dataclass(frozen=True, slots=True)
class Ladder:
    """A shop's policy: how many working hours each rung's message is given, and how often a level is reminded."""

    is_on: bool = True
    reminders: int = 1
    hours: Mapping[Rung, int] = field(
        default_factory=lambda: {
            Rung.ASK: 24,
            Rung.REMIND: 12,
            Rung.BRANCH: 12,
            Rung.HEAD_OFFICE: 24,
            Rung.PLATFORM: 48,
        }
    )

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Ladder:
        """As a shop's policy keeps it; what makes no sense there is the default."""
        own, usual = dict(stored.get("ladder") or {}), cls()
        hours = {rung: _whole(own.get(rung.value), 1, MOST_HOURS, usual.hours[rung]) for rung in Rung}
        return cls(bool(own.get("is_on", True)), _whole(own.get("reminders"), 0, 5, usual.reminders), hours)

    def stored(self) -> dict[str, Any]:
        return {"is_on": self.is_on, "reminders": self.reminders} | {r.value: self.hours[r] for r in Rung}


def _whole(value: Any, least: int, most: int, usual: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else usual


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of this talk. `counts`: it left, or may have; `waits`: a person has to send it by hand."""

    contact_id: int
    level: Level
    at: datetime
    counts: bool = True
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The next rung: what, to whom, not before when, and until when an answer is expected."""

    rung: Rung
    contact_id: int
    at: datetime
    answer_by: datetime


def next_step(
    talk: Talk,
    sent: Sequence[Sent],
    contacts: Sequence[Contact],
    ladder: Ladder,
    festivals: Iterable[Pause],
    now: datetime,
    *,
    is_stopped: bool = False,
    asks_first: bool = False,
) -> Step | Stop:
    """The rung that comes next, or why none does. `contacts`: those for this parcel, the nearest of a level first.
    `sent` in order. `asks_first`: also the first question is ours to ask (a reissue that went wrong again)."""
    if talk.state is TalkState.OPENED and not asks_first and not sent:
        return Stop.NOT_WAITING
    if talk.state not in WAITING and talk.state is not TalkState.OPENED:
        return Stop.NOT_WAITING
    if not ladder.is_on:
        return Stop.SWITCHED_OFF
    if is_stopped:
        return Stop.STOPPED
    if any(one.waits for one in sent):
        return Stop.TO_COPY
    chosen = _choose(sent, contacts, ladder)
    if chosen is None:
        return Stop.NOBODY_LEFT
    rung, contact = chosen
    begins = talk.due if talk.due is not None and talk.state is not TalkState.OPENED else (talk.since or now)
    free = list(festivals)
    at = working_from(begins, contact.hours, free)
    same = [one.at.astimezone(SHOP_ZONE).date() for one in sent if one.contact_id == contact.contact_id]
    if same and at.astimezone(SHOP_ZONE).date() <= max(same):
        at = working_from(_midnight(max(same) + timedelta(days=1)), contact.hours, free)
    leaves = max(at, working_from(now, contact.hours, free))
    return Step(rung, contact.contact_id, at, working_after(leaves, ladder.hours[rung], contact.hours, free))


def _choose(sent: Sequence[Sent], contacts: Sequence[Contact], ladder: Ladder) -> tuple[Rung, Contact] | None:
    """Remind whoever was asked last, else go up to the nearest level that can be reached."""
    left = [one for one in sent if one.counts]
    reachable = [one for one in contacts if one.is_reachable]
    if left:
        last = left[-1]
        here = [one for one in left if one.level is last.level]
        again = next((one for one in reachable if one.contact_id == last.contact_id), None)
        if again is not None and len(here) <= ladder.reminders:
            return Rung.REMIND, again
        reached = max(LEVELS.index(one.level) for one in left)
        begins = reached + 1 if again is not None else reached  # whoever is gone has colleagues
    else:
        begins = 0
    tried = {one.contact_id for one in sent}
    for level in LEVELS[begins:]:
        fitting = [one for one in reachable if one.level is level]
        fresh = next((one for one in fitting if one.contact_id not in tried), None)
        found = fresh or (next(iter(fitting), None) if not left else None)
        if found is not None:
            return (Rung(level.value) if sent else Rung.ASK), found
    return None


# --- working time ----------------------------------------------------------------------------------------------------


def working_from(at: datetime, hours: Hours, festivals: Iterable[Pause] = ()) -> datetime:
    """`at` itself while the contact works, else the next moment at which they begin."""
    free = list(festivals)
    for begins, ends in _spans(at, hours, free):
        if at < ends:
            return max(at, begins)
    return at


def working_after(at: datetime, limit: int, hours: Hours, festivals: Iterable[Pause] = ()) -> datetime:
    """When `limit` hours of the contact's working time have passed since `at`."""
    left = timedelta(hours=limit)
    for begins, ends in _spans(at, hours, list(festivals)):
        room = ends - max(at, begins)
        if room >= left:
            return max(at, begins) + left
        if room > timedelta(0):
            left -= room
    return at + timedelta(days=_FURTHEST)


def _spans(at: datetime, hours: Hours, festivals: Sequence[Pause]) -> Iterable[tuple[datetime, datetime]]:
    """The contact's working spans from the day of `at` on."""
    first = at.astimezone(SHOP_ZONE).date()
    for ahead in range(_FURTHEST):
        day = first + timedelta(days=ahead)
        start = _midnight(day)
        if day.isoweekday() not in hours.days:
            continue
        if hours.rests_on_festivals and any(one.begins <= start < one.ends for one in festivals):
            continue
        yield start + timedelta(minutes=hours.opens), start + timedelta(minutes=hours.closes)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHOP_ZONE)


# --- whom to ask -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """For which parcels a contact is there: a branch by name, a route by its provinces; "" is all."""

    contact_id: int
    level: Level
    branch: str = ""
    origin: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """What a parcel's contacts are chosen by: its newest place and the provinces at its ends, as short names."""

    place: str = ""
    origin: str = ""
    destination: str = ""


def order(contacts: Iterable[Reach], way: Way) -> list[Reach]:
    """Those for this parcel first: the branch where it lies, branches of its route, head office, platform; behind them
    all others, so that a person can still choose them."""
    return sorted(contacts, key=lambda one: (not fits(one, way), *_nearness(one, way), one.contact_id))


def fits(contact: Reach, way: Way) -> bool:
    """Whether the ladder may ask this contact about a parcel on this way."""
    by_route = _end(contact.origin, way.origin) and _end(contact.destination, way.destination)
    if contact.level is not Level.BRANCH or not contact.branch:
        return by_route
    return by_route and bool(way.place) and (contact.branch in way.place or way.place in contact.branch)


def _end(wanted: str, there: str) -> bool:
    return not wanted or wanted == there


def _nearness(one: Reach, way: Way) -> tuple[int, int, bool]:
    routed = (not one.origin) + (not one.destination)
    return LEVELS.index(one.level), routed, not one.branch
