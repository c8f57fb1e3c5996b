"""The platform's rules as dated data (rulebooks/*.toml). The data file's head explains the fields."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from bufa.domain.kinds import Kind, Stage
from bufa.domain.money import percent_in_whole_yuan
from bufa.domain.regions import Distance

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
DEFAULT_PROMISE_HOURS = 48


class Certainty(StrEnum):
    """How sure a finding is."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"


class Mark(StrEnum):
    """Where a rule comes from. `shop` is the shop's own policy, not the platform's."""

    SEEN = "seen"
    INFERRED = "inferred"
    MEMORY = "memory"
    SHOP = "shop"


@dataclass(frozen=True, slots=True)
class PayClass:
    """The pay-out for orders whose promise lies in (over_hours, to_hours]; `to_hours` None means no limit."""

    over_hours: int
    to_hours: int | None
    percent: int
    min_fen: int
    max_fen: int

    def covers(self, promise_hours: int) -> bool:
        return self.over_hours < promise_hours and (self.to_hours is None or promise_hours <= self.to_hours)


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one rule, in force for breaches on shop days in [valid_from, valid_to)."""

    id: str
    family: str
    mark: Mark
    source: str
    valid_from: date
    valid_to: date | None
    starts: str
    hours: Mapping[Distance, int]
    ends: tuple[str, ...]
    stops_in: frozenset[Stage]
    doubt: tuple[str, ...]
    certainty: Certainty
    warn_hours: int
    pay: tuple[PayClass, ...]
    replaces: tuple[str, ...]
    adds: tuple[str, ...]
    opens_case: bool

    @property
    def is_silence(self) -> bool:
        """True when time alone makes the finding; False when a scan says it."""
        return max(self.hours.values()) > 0 or self.starts == "ship_by"

    @property
    def by_distance(self) -> bool:
        return len(set(self.hours.values())) > 1

    def limit(self, distance: Distance | None) -> timedelta:
        """How long the clock runs; an unknown distance is read as far."""
        return timedelta(hours=self.hours[distance or Distance.FAR])

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All versions of all rules of one platform."""

    rules: tuple[Rule, ...]

    def at(self, when: date | datetime) -> Rulebook:
        """The rules in force on that shop day."""
        day = shop_day(when) if isinstance(when, datetime) else when
        return Rulebook(tuple(rule for rule in self.rules if rule.in_force(day)))

    def rule(self, rule_id: str) -> Rule:
        """The newest version of a rule in this book; KeyError when there is none."""
        versions = [rule for rule in self.rules if rule.id == rule_id]
        if not versions:
            raise KeyError(rule_id)
        return max(versions, key=lambda rule: rule.valid_from)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.id for rule in self.rules))


def shop_day(when: datetime) -> date:
    """The shop's calendar day (Asia/Shanghai) of an aware instant."""
    return when.astimezone(SHOP_ZONE).date()


def payout_fen(rule: Rule, paid_fen: int | None, promise_hours: int | None) -> int:
    """What a breach of the rule costs this order, in fen: whole yuan, half up, between minimum and maximum.

    0 when the rule costs nothing or the amount paid is not known. A promise that is not known is read as 48 h.
    """
    if paid_fen is None:
        return 0
    promise = max(1, DEFAULT_PROMISE_HOURS if promise_hours is None else promise_hours)
    for pay in rule.pay:
        if pay.covers(promise):
            return percent_in_whole_yuan(paid_fen, pay.percent, min_fen=pay.min_fen, max_fen=pay.max_fen)
    return 0


def _hours(raw: int | dict[str, int]) -> dict[Distance, int]:
    if isinstance(raw, int):
        return dict.fromkeys(Distance, raw)
    return {distance: raw[distance.value] for distance in Distance}


_WORDS = frozenset(
    {"ship_by", "uploaded", "collected", "transit", "notice", "returned", "after_delivered", "moved", "hub"}
)


def _check_words(raw: Mapping[str, Any]) -> None:
    """A misspelt kind in the data must fail at start, not stay silent."""
    words = [raw["starts"], *raw.get("ends", [])]
    for word in words:
        head, _, tail = word.partition(":")
        if tail and tail != "any" and head != "attempts":
            Kind(tail)
        elif not tail and head not in _WORDS:
            raise ValueError(f"rule {raw['id']}: unknown word {word!r}")


def _rule(raw: Mapping[str, Any]) -> Rule:
    _check_words(raw)
    return Rule(
        id=raw["id"],
        family=raw["family"],
        mark=Mark(raw["mark"]),
        source=raw["source"],
        valid_from=raw["valid_from"],
        valid_to=raw.get("valid_to"),
        starts=raw["starts"],
        hours=_hours(raw["hours"]),
        ends=tuple(raw.get("ends", [])),
        stops_in=frozenset(Stage(stage) for stage in raw.get("stops_in", [])),
        doubt=tuple(raw.get("doubt", [])),
        certainty=Certainty(raw["certainty"]),
        warn_hours=raw.get("warn_hours", 0),
        pay=tuple(
            PayClass(pay["over_hours"], pay["to_hours"] or None, pay["percent"], pay["min_fen"], pay["max_fen"])
            for pay in raw.get("pay", [])
        ),
        replaces=tuple(raw.get("replaces", [])),
        adds=tuple(raw.get("adds", [])),
        opens_case=raw.get("opens_case", True),
    )


def parse(text: str) -> Rulebook:
    """A rule book from its TOML text; ValueError or KeyError names what is wrong."""
    book = Rulebook(tuple(_rule(raw) for raw in tomllib.loads(text)["rule"]))
    known = set(book.ids)
    for rule in book.rules:
        unknown = (set(rule.replaces) | set(rule.adds)) - known
        if unknown:
            raise ValueError(f"rule {rule.id}: unknown rules {sorted(unknown)}")
    return book


@cache
def load(name: str = "doudian-2026") -> Rulebook:
    """The rule book of that name, read once."""
    return parse((files("bufa.domain") / "rulebooks" / f"{name}.toml").read_text("utf-8"))
