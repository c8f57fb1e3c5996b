"""What a carrier owes, wants and promises: dated rows with source and mark, and a shop's own rows over them.

Rows are data (rulebooks/carrier_rules.toml). A shop's row takes the place of the row with the same id, or stands by
itself; it comes in as the same plain mapping that the file holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.case_facts import Claim
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE


class Topic(StrEnum):
    """What a rule is about."""

    WINDOW = "window"
    AMOUNT = "amount"
    PAPERS = "papers"
    ANSWER = "answer"
    TERMS = "terms"
    CONTACT = "contact"


class Mark(StrEnum):
    """How far a rule can be trusted: a law, public compilations, our reading, the shop's own contract."""

    VERIFIED = "verified"
    SEEN = "seen"
    INFERRED = "inferred"
    OWN = "own"


class Paper(StrEnum):
    """A document that a carrier wants."""

    APPLICATION = "application"
    ORDER_INFO = "order_info"
    WAYBILL_PHOTO = "waybill_photo"
    SIX_SIDES = "six_sides"
    UNBOXING = "unboxing"
    VALUE_PROOF = "value_proof"
    CHATS = "chats"
    INSURANCE = "insurance"
    TRACKS = "tracks"


class Basis(StrEnum):
    """What an amount is reckoned from."""

    MULTIPLE = "multiple"
    FREIGHT = "freight"
    VALUE = "value"


class From(StrEnum):
    """Where a window begins."""

    DELIVERED = "delivered"
    COLLECTED = "collected"


CLAIMABLE = frozenset(
    {
        Claim.NOT_PICKED_UP,
        Claim.STALLED,
        Claim.LATE,
        Claim.LOST,
        Claim.DAMAGED,
        Claim.RETURNED,
        Claim.WRONG_OR_SHORT,
        Claim.SHORT,
        Claim.WRONG,
        Claim.EMPTY,
        Claim.SIGNED_NOT_RECEIVED,
    }
)
"""What a carrier may have to pay for. A refused parcel or one that moves or arrived is nobody's fault here."""


@dataclass(frozen=True, slots=True)
class CarrierRule:
    """One row. `carriers`, `claims` empty: all. What a topic needs is set, the rest keeps its default.

    `hours` from `begins` for a window, from the question for an answer; `low`, `high`: multiples of the freight;
    `percent` of the goods' value, at most `cap_fen` (0: no cap); `then`: where to go when no answer comes.
    """

    rule_id: str
    topic: Topic
    zh: str
    en: str
    source: str
    mark: Mark
    since: date
    carriers: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    hours: int = 0
    begins: From | None = None
    papers: tuple[Paper, ...] = ()
    basis: Basis | None = None
    low: int = 0
    high: int = 0
    percent: int = 100
    cap_fen: int = 0
    then: str = ""
    phone: str = ""

    def text(self, language: Language) -> str:
        return self.zh if language is Language.ZH else self.en or self.zh

    def fits(self, carrier: str, claim: Claim | None, on: date) -> bool:
        """Whether it is about this carrier and kind of case on that day; None is every kind."""
        return (
            self.since <= on
            and (not self.carriers or carrier in self.carriers)
            and (not self.claims or claim is None or claim in self.claims)
        )


@dataclass(frozen=True, slots=True)
class Library:
    """All rules that hold for a shop."""

    rules: tuple[CarrierRule, ...]

    def of(self, carrier: str, claim: Claim | None, on: date, topic: Topic | None = None) -> tuple[CarrierRule, ...]:
        """What fits, by topic; within one the nearest first: own, named kind, named carrier, the later."""
        order = list(Topic)
        found = [one for one in self.rules if one.fits(carrier, claim, on) and topic in (None, one.topic)]
        return tuple(sorted(found, key=lambda one: (order.index(one.topic), *_nearness(one))))

    def first(self, topic: Topic, carrier: str, claim: Claim | None, on: date) -> CarrierRule | None:
        """The one that decides."""
        return next(iter(self.of(carrier, claim, on, topic)), None)

    def get(self, rule_id: str) -> CarrierRule | None:
        return next((one for one in self.rules if one.rule_id == rule_id), None)


def _nearness(one: CarrierRule) -> tuple[bool, bool, bool, int, str]:
    return (one.mark is not Mark.OWN, not one.claims, not one.carriers, -one.since.toordinal(), one.rule_id)


@cache
def defaults() -> Library:
    """The rows that come with the product."""
    data = tomllib.loads(files("bufa.domain").joinpath("rulebooks/carrier_rules.toml").read_text(encoding="utf-8"))
    return Library(tuple(read_rule(row) for row in data["rule"]))


def library(own: Iterable[CarrierRule]) -> Library:
    """The product's rows with a shop's over them: the same id takes the place of the row."""
    mine = {one.rule_id: one for one in own}
    kept = [mine.pop(one.rule_id, one) for one in defaults().rules]
    return Library((*kept, *mine.values()))


_MOST_HOURS = 24 * 366 * 3


def read_rule(row: Mapping[str, Any]) -> CarrierRule:
    """A row as it is stored. Raises Refused: rule_text_missing, rule_hours, rule_papers_missing, rule_multiple,
    rule_percent, parameter_unknown (name, value)."""
    topic = _one(Topic, "topic", row.get("topic"))
    rule = CarrierRule(
        rule_id=str(row["id"]),
        topic=topic,
        zh=str(row.get("zh", "")).strip(),
        en=str(row.get("en", "")).strip(),
        source=str(row.get("source", "")).strip(),
        mark=_one(Mark, "mark", row.get("mark")),
        since=_day(row.get("since")),
        carriers=tuple(str(one) for one in row.get("carriers", ())),
        claims=tuple(_one(Claim, "claim", one) for one in row.get("claims", ())),
        hours=int(row.get("hours") or 0),
        begins=_one(From, "from", row["from"]) if row.get("from") else None,
        papers=tuple(_one(Paper, "paper", one) for one in row.get("papers", ())),
        basis=_one(Basis, "basis", row["basis"]) if row.get("basis") else None,
        low=int(row.get("low") or 0),
        high=int(row.get("high") or 0),
        percent=int(row.get("percent", 100)),
        cap_fen=int(row.get("cap_fen") or 0),
        then=str(row.get("then", "")),
        phone=str(row.get("phone", "")),
    )
    _check(rule)
    return rule


def _check(rule: CarrierRule) -> None:
    if not rule.zh:
        raise Refused("rule_text_missing")
    if rule.topic in (Topic.WINDOW, Topic.ANSWER) and not 1 <= rule.hours <= _MOST_HOURS:
        raise Refused("rule_hours", most=_MOST_HOURS)
    if rule.topic is Topic.WINDOW and rule.begins is None:
        raise Refused("parameter_unknown", name="from", value="")
    if rule.topic is Topic.PAPERS and not rule.papers:
        raise Refused("rule_papers_missing")
    if rule.topic is Topic.AMOUNT:
        if rule.basis is None:
            raise Refused("parameter_unknown", name="basis", value="")
        if rule.basis is Basis.MULTIPLE and not 1 <= rule.low <= rule.high <= 100:
            raise Refused("rule_multiple")
        if not 1 <= rule.percent <= 100 or rule.cap_fen < 0:
            raise Refused("rule_percent")


def _one(kind: Any, name: str, value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise Refused("parameter_unknown", name=name, value=str(value)) from None


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


@dataclass(frozen=True, slots=True)
class Moments:
    """When the parcel was collected and delivered, as far as is known."""

    collected_at: datetime | None = None
    delivered_at: datetime | None = None


THOROUGH_DELAY = timedelta(days=10)
"""Domestic, other city (GB/T 27917): from the day after collection; then a late parcel is paid as a lost one."""


def claimed_as(claim: Claim, moments: Moments, now: datetime) -> Claim:
    """The kind that is asked for: late and stalled parcels become lost ones once the delay is thorough."""
    if claim not in (Claim.LATE, Claim.STALLED) or moments.collected_at is None or moments.delivered_at is not None:
        return claim
    begins = moments.collected_at.astimezone(SHOP_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return Claim.LOST if now >= begins + timedelta(days=1) + THOROUGH_DELAY else claim


@dataclass(frozen=True, slots=True)
class Window:
    """Until when a claim must be made: `ends` None while the moment that it begins at is not known."""

    rule: CarrierRule
    begins: datetime | None
    ends: datetime | None


def window(book: Library, carrier: str, claim: Claim, moments: Moments, now: datetime) -> Window | None:
    """The window that decides for this case: of all that fit, of the nearest kind, the one that ends first.

    None when no rule tells one, or the carrier owes nothing for this kind.
    """
    if claim not in CLAIMABLE:
        return None
    rules = book.of(carrier, claim, now.date(), Topic.WINDOW)
    if not rules:
        return None
    near = _nearness(rules[0])[:3]
    found = [_window(one, moments) for one in rules if _nearness(one)[:3] == near]
    known = [one for one in found if one.ends is not None]
    return min(known, key=lambda one: one.ends or now) if known else found[0]


def _window(rule: CarrierRule, moments: Moments) -> Window:
    begins = moments.delivered_at if rule.begins is From.DELIVERED else moments.collected_at
    return Window(rule, begins, begins + timedelta(hours=rule.hours) if begins else None)


@dataclass(frozen=True, slots=True)
class Amount:
    """What can be asked for: `ask_fen` the loss itself; `low_fen` to `high_fen` what the carrier's terms give."""

    ask_fen: int
    low_fen: int
    high_fen: int
    rule: CarrierRule | None


def amount(
    book: Library,
    carrier: str,
    claim: Claim,
    *,
    value_fen: int,
    freight_fen: int,
    now: datetime,
    insured_fen: int | None = None,
    whole_value_fen: int | None = None,
) -> Amount:
    """The amount by rule. `value_fen`: what was lost; `whole_value_fen`: the whole parcel's worth (for a partial loss);
    `insured_fen`: None without insurance. No term gives more than the loss, but for a delay, which refunds freight."""
    whole = max(whole_value_fen or value_fen, value_fen)
    rule = book.first(Topic.AMOUNT, carrier, claim, now.date())
    if insured_fen is not None and claim not in (Claim.LATE, Claim.STALLED, Claim.NOT_PICKED_UP):
        paid = value_fen if insured_fen >= whole else value_fen * insured_fen // max(whole, 1)
        insured = min(paid, insured_fen)
        return Amount(insured, insured, insured, book.get("amount_insured"))
    if rule is None:
        return Amount(value_fen, 0, value_fen, None)
    if rule.basis is Basis.FREIGHT:
        return Amount(freight_fen, freight_fen, freight_fen, rule)
    if rule.basis is Basis.VALUE:
        share = value_fen * rule.percent // 100
        share = min(share, rule.cap_fen) if rule.cap_fen else share
        return Amount(share, share, share, rule)
    low, high = (min(times * freight_fen, value_fen) for times in (rule.low, rule.high))
    return Amount(value_fen, low, high, rule)


def papers(book: Library, carrier: str, claim: Claim | None, now: datetime) -> tuple[Paper, ...]:
    """The checklist for this carrier and kind of case; () when no rule tells one."""
    rule = book.first(Topic.PAPERS, carrier, claim or Claim.LATE, now.date())
    return rule.papers if rule else ()


def shown(rules: Sequence[CarrierRule]) -> tuple[CarrierRule, ...]:
    """What is shown beside a case: of window, amount, papers and answer the deciding row, of the others all."""
    seen: set[Topic] = set()
    found = []
    for one in rules:
        if one.topic in (Topic.WINDOW, Topic.AMOUNT, Topic.PAPERS, Topic.ANSWER, Topic.CONTACT):
            if one.topic in seen:
                continue
            seen.add(one.topic)
        found.append(one)
    return tuple(found)
