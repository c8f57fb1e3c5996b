"""The platform's rules as dated data (rulebooks/*.toml). The data file's head explains the fields."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, partial
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from bufa.domain.kinds import Kind, Stage
from bufa.domain.money import percent_in_whole_yuan
from bufa.domain.promises import PromiseClass
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


class RuleKind(StrEnum):
    """What a breach touches: money that the platform takes, the experience score, or only the shop's own work."""

    PENALTY = "penalty"
    SCORE = "score"
    SHOP = "shop"


class OrderClass(StrEnum):
    """Goods for which some rules pay differently."""

    ORDINARY = "ordinary"
    PRECIOUS_METAL = "precious_metal"
    SECOND_HAND_3C = "second_hand_3c"
    PET_SELF_DELIVERY = "pet_self_delivery"


class Fact(StrEnum):
    """Things that happened around a parcel and that no scan tells; `Watched.facts` says when."""

    NOT_RECEIVED = "not_received"
    RECEIVER_DIFFERS = "receiver_differs"
    NUMBER_USED = "number_used"
    RECALLED = "recalled"
    ASKED_UNANSWERED = "asked_unanswered"
    OUT_OF_STOCK_SAID = "out_of_stock_said"
    FRAUD_JUDGED = "fraud_judged"
    REISSUED = "reissued"
    PENALTY_NOTICE = "penalty_notice"


TOLD_BY_PEOPLE = (
    Fact.PENALTY_NOTICE,
    Fact.NOT_RECEIVED,
    Fact.RECEIVER_DIFFERS,
    Fact.NUMBER_USED,
    Fact.RECALLED,
    Fact.ASKED_UNANSWERED,
    Fact.OUT_OF_STOCK_SAID,
    Fact.FRAUD_JUDGED,
)
"""What a person or a file may say of a parcel, in the order in which forms offer it."""


@dataclass(frozen=True, slots=True)
class PayClass:
    """The pay-out for orders whose promise lies in (over_hours, to_hours]; `to_hours` None means no limit.

    `order_class` None: all goods that no other row of the rule names. `under_fen`: only orders paid less than that.
    """

    over_hours: int
    to_hours: int | None
    percent: int
    min_fen: int
    max_fen: int
    order_class: OrderClass | None = None
    under_fen: int | None = None

    def covers(self, promise_hours: int) -> bool:
        return self.over_hours < promise_hours and (self.to_hours is None or promise_hours <= self.to_hours)

    def covers_price(self, paid_fen: int) -> bool:
        return self.under_fen is None or paid_fen < self.under_fen


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one rule, in force for breaches on shop days in [valid_from, valid_to).

    `once`: of the open breaches of one such group only the first pays. `also`: what else a breach brings, as codes.
    `warns_only`: it is told beforehand and never becomes a finding. `learned`: its hours are what the lane's own
    history allows, as soon as that is known well enough.
    """

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
    kind: RuleKind = RuleKind.PENALTY
    once: str = ""
    also: tuple[str, ...] = ()
    warns_only: bool = False
    learned: bool = False

    is_silence: bool = field(init=False)
    """True when time alone makes the finding; False when a scan or a fact says it."""
    by_distance: bool = field(init=False)
    """True when the hours depend on the two provinces."""
    warn_time: timedelta = field(init=False, repr=False)
    """How long before the breach its warning begins, unless the shop says otherwise."""
    _limits: Mapping[Distance | None, timedelta] = field(init=False, repr=False)
    _holds_from: datetime = field(init=False, repr=False)
    _holds_to: datetime | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)  # frozen: worked out once, asked for millions of times
        put("is_silence", max(self.hours.values()) > 0 or self.starts in ("ship_by", "norm"))
        put("by_distance", len(set(self.hours.values())) > 1)
        put("warn_time", timedelta(hours=self.warn_hours))
        limits: dict[Distance | None, timedelta] = {each: timedelta(hours=hours) for each, hours in self.hours.items()}
        put("_limits", limits | {None: limits[Distance.FAR]})
        put("_holds_from", _begin_of(self.valid_from))
        put("_holds_to", _begin_of(self.valid_to) if self.valid_to else None)

    def limit(self, distance: Distance | None) -> timedelta:
        """How long the clock runs; an unknown distance is read as far."""
        return self._limits[distance]

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def holds_at(self, when: datetime) -> bool:
        """Whether this version is in force on the shop day of an aware instant."""
        return self._holds_from <= when and (self._holds_to is None or when < self._holds_to)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which share of a day's orders the platform acts against the whole shop.

    `counts`: families of rules, or groups paying once, whose orders count. `over`: the share must be over `percent`,
    else it may equal it. `days`: so many days running. `measure`: what the platform does, as a code.
    """

    id: str
    mark: Mark
    source: str
    valid_from: date
    valid_to: date | None
    counts: tuple[str, ...]
    percent: int
    over: bool
    at_least: int
    days: int
    measure: str

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def counts_rule(self, rule: Rule) -> bool:
        """Whether a breach of that rule adds to the share."""
        return rule.family in self.counts or (bool(rule.once) and rule.once in self.counts)

    def is_passed(self, days: Sequence[tuple[int, int]]) -> bool:
        """`days`: (breaches, orders) of days that follow one another, the newest last."""
        newest = days[-self.days :]
        return len(newest) == self.days and all(self._passed_on(breaches, orders) for breaches, orders in newest)

    def _passed_on(self, breaches: int, orders: int) -> bool:
        share, limit = breaches * 100, self.percent * orders
        return breaches >= self.at_least and (share > limit if self.over else share >= limit)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All versions of all rules of one platform, its classes of promise and its thresholds for whole shops."""

    rules: tuple[Rule, ...]
    promises: tuple[PromiseClass, ...] = ()
    thresholds: tuple[Threshold, ...] = ()

    start_words: tuple[str, ...] = field(init=False, repr=False)
    """Each word by which clocks begin: several rules share one, and it is worked out once a parcel."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_words", tuple(dict.fromkeys(rule.starts for rule in self.rules)))

    def at(self, when: date | datetime) -> Rulebook:
        """The rules in force on that shop day."""
        day = shop_day(when) if isinstance(when, datetime) else when
        return Rulebook(
            tuple(rule for rule in self.rules if rule.in_force(day)),
            tuple(one for one in self.promises if one.valid_from <= day and (not one.valid_to or day < one.valid_to)),
            tuple(one for one in self.thresholds if one.in_force(day)),
        )

    def promise(self, promise_id: str) -> PromiseClass:
        """The newest version of a class of promise; KeyError when there is none."""
        versions = [one for one in self.promises if one.id == promise_id]
        if not versions:
            raise KeyError(promise_id)
        return max(versions, key=lambda one: one.valid_from)

    def rule(self, rule_id: str) -> Rule:
        """The newest version of a rule in this book; KeyError when there is none."""
        versions = [rule for rule in self.rules if rule.id == rule_id]
        if not versions:
            raise KeyError(rule_id)
        return max(versions, key=lambda rule: rule.valid_from)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.id for rule in self.rules))


def _begin_of(day: date) -> datetime:
    return datetime.combine(day, time(), SHOP_ZONE).astimezone(UTC)


def shop_day(when: datetime) -> date:
    """The shop's calendar day (Asia/Shanghai) of an aware instant."""
    return when.astimezone(SHOP_ZONE).date()


def payout_fen(
    rule: Rule,
    paid_fen: int | None,
    promise_hours: int | None,
    order_class: OrderClass = OrderClass.ORDINARY,
) -> int:
    """What a breach of the rule costs this order, in fen: whole yuan, half up, between minimum and maximum.

    0 when the rule costs nothing or the amount paid is not known. A promise that is not known is read as 48 h.
    """
    if paid_fen is None or not rule.pay:
        return 0
    promise = max(1, DEFAULT_PROMISE_HOURS if promise_hours is None else promise_hours)
    own = [pay for pay in rule.pay if pay.order_class is order_class]
    for pay in own or [pay for pay in rule.pay if pay.order_class is None]:
        if pay.covers(promise) and pay.covers_price(paid_fen):
            return percent_in_whole_yuan(paid_fen, pay.percent, min_fen=pay.min_fen, max_fen=pay.max_fen)
    return 0


def _hours(raw: int | dict[str, int]) -> dict[Distance, int]:
    if isinstance(raw, int):
        return dict.fromkeys(Distance, raw)
    return {distance: raw[distance.value] for distance in Distance}


_WORDS = frozenset(
    {
        "ship_by",
        "paid",
        "norm",
        "uploaded",
        "collected",
        "transit",
        "quiet",
        "at_door",
        "notice",
        "returned",
        "after_delivered",
    }
    | {
        "renumbered",
        "before_payment",
        "repeated",
        "too_fast",
        "wrong_city",
        "signed_not_received",
        "revived",
        "moved",
        "hub",
    }
)


def _check_words(raw: Mapping[str, Any]) -> None:
    """A misspelt kind in the data must fail at start, not stay silent."""
    words = [raw["starts"], *raw.get("ends", [])]
    for word in words:
        head, _, tail = word.partition(":")
        if head == "fact":
            Fact(tail)
        elif tail and tail != "any" and head != "attempts":
            Kind(tail)
        elif not tail and head not in _WORDS:
            raise ValueError(f"rule {raw['id']}: unknown word {word!r}")


def _rule(raw: Mapping[str, Any]) -> Rule:
    _check_words(raw)
    mark = Mark(raw["mark"])
    return Rule(
        id=raw["id"],
        family=raw["family"],
        mark=mark,
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
        pay=tuple(_pay(pay) for pay in raw.get("pay", [])),
        replaces=tuple(raw.get("replaces", [])),
        adds=tuple(raw.get("adds", [])),
        opens_case=raw.get("opens_case", True),
        kind=RuleKind(raw.get("kind", RuleKind.SHOP if mark is Mark.SHOP else RuleKind.PENALTY)),
        once=raw.get("once", ""),
        also=tuple(raw.get("also", [])),
        warns_only=raw.get("warns_only", False),
        learned=raw.get("learned", False),
    )


def _pay(raw: Mapping[str, Any]) -> PayClass:
    return PayClass(
        raw.get("over_hours", 0),
        raw.get("to_hours") or None,
        raw["percent"],
        raw["min_fen"],
        raw["max_fen"],
        OrderClass(raw["order_class"]) if "order_class" in raw else None,
        raw.get("under_fen"),
    )


def _promise(raw: Mapping[str, Any]) -> PromiseClass:
    return PromiseClass(
        id=raw["id"],
        mark=Mark(raw["mark"]),
        source=raw["source"],
        valid_from=raw["valid_from"],
        valid_to=raw.get("valid_to"),
        days=raw.get("days"),
        cutoff=raw.get("cutoff"),
        hours=raw.get("hours"),
    )


def _threshold(raw: Mapping[str, Any]) -> Threshold:
    return Threshold(
        id=raw["id"],
        mark=Mark(raw["mark"]),
        source=raw["source"],
        valid_from=raw["valid_from"],
        valid_to=raw.get("valid_to"),
        counts=tuple(raw["counts"]),
        percent=raw["percent"],
        over=raw["over"],
        at_least=raw["at_least"],
        days=raw.get("days", 1),
        measure=raw["measure"],
    )


def parse(text: str) -> Rulebook:
    """A rule book from its TOML text; ValueError or KeyError names what is wrong."""
    data = tomllib.loads(text)
    book = Rulebook(
        tuple(_rule(raw) for raw in data["rule"]),
        tuple(_promise(raw) for raw in data.get("promise", [])),
        tuple(_threshold(raw) for raw in data.get("threshold", [])),
    )
    known, families = set(book.ids), {name for rule in book.rules for name in (rule.family, rule.once)}
    for rule in book.rules:
        unknown = (set(rule.replaces) | set(rule.adds)) - known
        if unknown:
            raise ValueError(f"rule {rule.id}: unknown rules {sorted(unknown)}")
    for threshold in book.thresholds:
        if not set(threshold.counts) <= families:
            raise ValueError(f"threshold {threshold.id}: unknown families {threshold.counts}")
    return book


@cache
def load(name: str = "doudian-2026") -> Rulebook:
    """The rule book of that name, read once."""
    return parse((files("bufa.domain") / "rulebooks" / f"{name}.toml").read_text("utf-8"))
