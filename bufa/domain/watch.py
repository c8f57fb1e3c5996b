"""Watching: a parcel's state, the rules and now make findings, warnings, the next deadline and the money at risk.

Everything here is a function of its arguments: the same state, rules and instant give the same answer, and between
`now` and `next_deadline` nothing changes unless a new fact comes in. So a parcel needs looking at only twice: when a
fact about it arrives, and when its deadline is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from bufa.domain import calendars
from bufa.domain.calendars import Area, Pause
from bufa.domain.kinds import Kind, Stage, Step
from bufa.domain.outcome import Why
from bufa.domain.parcels import ParcelState
from bufa.domain.regions import Distance, distance
from bufa.domain.rulebook import (
    Certainty,
    Fact,
    Mark,
    OrderClass,
    Rule,
    Rulebook,
    RuleKind,
    payout_fen,
)
from bufa.domain.starts import Start, end_of, start_of, starter, stopped_at
from bufa.domain.trail import gaps, longest_gap


class ParcelRole(StrEnum):
    """Whether a box is the one first sent or a replacement for it."""

    ORIGINAL = "original"
    REISSUE = "reissue"


@dataclass(frozen=True, slots=True)
class Watched:
    """One parcel with everything that judging it needs.

    `uploaded_at`: when its number was given to the platform. `paid_fen`: what the buyer paid for the order, None when
    not known. Provinces are names or division codes. `notice_at`: when the platform told of a track-abnormal penalty.
    `is_closed`: the order is cancelled or refunded, nobody waits for this parcel any more.
    Optional facts, each "" or empty when not known: the ends' cities and districts, the `carrier` (company code), what
    class of goods it is, when numbers were uploaded to the order (`number_uploads`, all of them), and `facts`: since
    when something is so that no scan tells. `allowed_silence`: how long the lane's own history lets a parcel be silent
    in this stage, None while too little is known of it.
    """

    parcel_id: int
    stage: Stage
    state: ParcelState
    has_number: bool = False
    uploaded_at: datetime | None = None
    ship_by: datetime | None = None
    paid_at: datetime | None = None
    promise_hours: int | None = None
    paid_fen: int | None = None
    origin_province: str = ""
    dest_province: str = ""
    role: ParcelRole = ParcelRole.ORIGINAL
    notice_at: datetime | None = None
    is_closed: bool = False
    carrier: str = ""
    origin_city: str = ""
    origin_district: str = ""
    dest_city: str = ""
    dest_district: str = ""
    order_class: OrderClass = OrderClass.ORDINARY
    number_uploads: tuple[datetime, ...] = ()
    facts: Mapping[Fact, datetime] = field(default_factory=dict)
    allowed_silence: timedelta | None = None

    @property
    def distance(self) -> Distance | None:
        return distance(self.origin_province, self.dest_province)

    @property
    def origin(self) -> Area:
        return Area(self.origin_province, self.origin_city, self.origin_district)

    @property
    def destination(self) -> Area:
        return Area(self.dest_province, self.dest_city, self.dest_district)


@dataclass(frozen=True, slots=True)
class Policy:
    """The shop's own settings. `warn_hours` and `hours` are by rule id; `hours` moves only the shop's own rules.

    `pauses`: festivals, areas without service, force majeure; a clock stands still while one that concerns it lasts.
    """

    warn_hours: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, int] = field(default_factory=dict)
    muted: frozenset[str] = frozenset()
    pauses: tuple[Pause, ...] = ()
    _by_rule: dict[str, tuple[Pause, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def warning_time(self, rule: Rule) -> timedelta:
        own = self.warn_hours.get(rule.id)
        return rule.warn_time if own is None else timedelta(hours=own)

    def limit(self, rule: Rule, watched: Watched, between: Distance | None) -> timedelta:
        """The shop's own hours, else what the lane has taught where the rule asks for that, else the rule's."""
        if rule.mark is Mark.SHOP and rule.is_silence and rule.id in self.hours:
            return timedelta(hours=self.hours[rule.id])
        if rule.learned and watched.allowed_silence is not None:
            return watched.allowed_silence
        return rule.limit(between)

    def due(
        self, rule: Rule, watched: Watched, start: datetime, limit: timedelta
    ) -> tuple[datetime, tuple[calendars.Moved, ...]]:
        """When the rule's clock runs out for that parcel, and by which pauses it was moved."""
        if not self.pauses or not limit:
            return start + limit, ()
        possible = self._pauses_of(rule)
        concerned = [
            pause
            for pause in possible
            if pause.ends > start  # over before the clock began: most of a year's festivals
            and pause.concerns_parcel(watched.carrier, watched.origin, watched.destination)
        ]
        return calendars.due(start, limit, concerned) if concerned else (start + limit, ())

    def _pauses_of(self, rule: Rule) -> tuple[Pause, ...]:
        """The pauses that may move that rule's clocks: asked for millions of times, worked out once."""
        found = self._by_rule.get(rule.id)
        if found is None:
            is_platform = rule.mark is not Mark.SHOP
            found = tuple(pause for pause in self.pauses if pause.concerns_rule(rule.family, is_platform))
            self._by_rule[rule.id] = found
        return found


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's statement that something is wrong, with its evidence.

    `since`: when it became true. `payout_fen`: what this breach costs the order by itself. `cleared_at`: set on
    breaches that are over (`Judgement.past`), None on open ones.
    """

    rule_id: str
    certainty: Certainty
    since: datetime
    evidence: Why
    payout_fen: int
    step: Step
    opens_case: bool
    is_silence: bool
    replaces: tuple[str, ...] = ()
    cleared_at: datetime | None = None
    kind: RuleKind = RuleKind.PENALTY


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 - Warning is Python's own
    """A finding that will come at `at` if nothing happens; of kind `score` it costs points instead of money."""

    rule_id: str
    at: datetime
    payout_fen: int
    evidence: Why
    kind: RuleKind = RuleKind.PENALTY

    def hours_left(self, now: datetime) -> float:
        """Hours from now until it comes, never below 0."""
        return max(0.0, (self.at - now).total_seconds() / 3600)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong with a parcel now, what comes next, and what that costs.

    `findings` are open. `past` are breaches of the platform's clocks that are over but may have cost money.
    `next_deadline` is later than now, or None when time alone changes nothing any more. `risk_fen` is what the order
    costs more than now at `risk_at`, the next step of the clock that costs anything, by the rule `risk_rule`;
    `risk_moved`: what made that clock stand still (code, name, hours).
    """

    findings: tuple[Finding, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    next_deadline: datetime | None = None
    risk_fen: int = 0
    risk_at: datetime | None = None
    past: tuple[Finding, ...] = ()
    risk_rule: str = ""
    risk_moved: tuple[Mapping[str, Any], ...] = ()

    @property
    def opens_case(self) -> bool:
        return any(finding.opens_case for finding in self.findings)

    @property
    def cost_fen(self) -> int:
        """What the open findings cost together."""
        return sum(finding.payout_fen for finding in self.findings)


def judge(watched: Watched, rulebook: Rulebook, policy: Policy, now: datetime) -> Judgement:
    """Everything the rules say about this parcel at `now`."""
    if watched.is_closed:
        return Judgement()
    between = watched.distance
    starts = {word: begun for word, start in _starts(rulebook.start_words) if (begun := start(watched)) is not None}
    clocks = [
        clock
        for rule in rulebook.rules
        if rule.starts in starts and (clock := _clock(watched, rule, policy, starts[rule.starts], between)) is not None
    ]
    running = [clock for clock in clocks if clock.ended_at is None]
    findings = _standing(running, watched, now)
    coming = [clock for clock in running if clock.since > now]
    warnings = tuple(
        Warning_(clock.rule.id, clock.since, clock.payout_fen(watched), clock.evidence(watched), clock.rule.kind)
        for clock in sorted(coming, key=_order)
        if clock.warn_at <= now < clock.since and not _hub_in_doubt(watched, clock.rule)  # nothing to be done: no noise
    )
    instants = [at for clock in coming for at in (clock.warn_at, clock.since) if at > now]
    risk_fen, risk_at, dearest = _risk(running, coming, watched, now)
    return Judgement(
        findings=findings,
        warnings=warnings,
        next_deadline=min(instants, default=None),
        risk_fen=risk_fen,
        risk_at=risk_at,
        past=_past(clocks, watched, policy, now),
        risk_rule=dearest.rule.id if dearest else "",
        risk_moved=dearest.moved_by if dearest else (),
    )


@cache
def _starts(words: tuple[str, ...]) -> tuple[tuple[str, Start], ...]:
    return tuple((word, starter(word)) for word in words)


def ahead(watched: Watched, rulebook: Rulebook, policy: Policy, now: datetime) -> tuple[Warning_, ...]:
    """Every clock that runs and has not run out, the soonest first, with why it was moved: for a page that shows them.

    Among them are those whose warning time has not begun; `judge` needs them only for its next deadline.
    """
    if watched.is_closed:
        return ()
    between = watched.distance
    found = [
        clock
        for rule in rulebook.rules
        if (start := start_of(rule.starts, watched)) is not None
        and (clock := _clock(watched, rule, policy, start, between)) is not None
        and clock.ended_at is None
        and clock.since > now
    ]
    return tuple(
        Warning_(clock.rule.id, clock.since, clock.payout_fen(watched), clock.evidence(watched), clock.rule.kind)
        for clock in sorted(found, key=_order)
    )


# --- clocks ----------------------------------------------------------------------------------------------------------


class _Clock(NamedTuple):
    rule: Rule
    start: datetime
    since: datetime
    warn_at: datetime
    ended_at: datetime | None
    limit: timedelta
    moved: tuple[calendars.Moved, ...] = ()

    def payout_fen(self, watched: Watched) -> int:
        return payout_fen(self.rule, watched.paid_fen, watched.promise_hours, watched.order_class)

    def evidence(self, watched: Watched) -> Why:
        state = watched.state
        params: dict[str, Any] = {
            "start": self.start.isoformat(),
            "hours": int(self.limit.total_seconds() // 3600),
            "starts": self.rule.starts,
        }
        if self.rule.by_distance:
            params["distance"] = watched.distance.value if watched.distance else ""
        if state.place:
            params["place"] = state.place
        if state.newest_at is not None:
            params["newest_at"] = state.newest_at.isoformat()
        if not self.rule.is_silence and state.reasons:
            params["reason"] = max(state.reasons, key=lambda reason: (state.reasons[reason], reason.value)).value
        if self.rule.learned and watched.allowed_silence == self.limit:
            params["learned"] = True
        if self.moved:
            params["moved_by"] = list(self.moved_by)
        return Why(self.rule.id, params)

    @property
    def moved_by(self) -> tuple[Mapping[str, Any], ...]:
        """What made it stand still, as evidence holds it."""
        return tuple(
            {"code": moved.code.value, "name": moved.name, "hours": round(moved.by.total_seconds() / 3600, 1)}
            for moved in self.moved
        )

    def finding(self, watched: Watched, cleared_at: datetime | None = None) -> Finding:
        return Finding(
            rule_id=self.rule.id,
            certainty=_certainty(watched, self.rule),
            since=self.since,
            evidence=self.evidence(watched),
            payout_fen=self.payout_fen(watched),
            step=Step.FOLLOW if watched.role is ParcelRole.REISSUE else Step.DETERMINE,
            # A hub under another name has very likely seen it: money may be asked, but there is nothing to work on.
            opens_case=self.rule.opens_case and not _hub_in_doubt(watched, self.rule),
            is_silence=self.rule.is_silence,
            replaces=self.rule.replaces,
            cleared_at=cleared_at,
            kind=self.rule.kind,
        )


def _order(clock: _Clock) -> tuple[datetime, str]:
    return clock.since, clock.rule.id


def _clock(watched: Watched, rule: Rule, policy: Policy, start: datetime, between: Distance | None) -> _Clock | None:
    """The rule's clock that began at `start`, or None when it says nothing or this version is not in force."""
    if rule.id in policy.muted or (watched.stage in rule.stops_in and not rule.is_silence):
        return None  # a clock of silence that has stopped may still have cost money
    ended_at = _ended(rule, watched, start)
    if ended_at is not None and (rule.warns_only or not rule.is_silence):
        return None
    limit = policy.limit(rule, watched, between)
    since, moved = _due(watched, rule, policy, start, limit)
    if not rule.holds_at(since):
        return None
    return _Clock(rule, start, since, since - policy.warning_time(rule), ended_at, limit, moved)


def _due(
    watched: Watched, rule: Rule, policy: Policy, start: datetime, limit: timedelta
) -> tuple[datetime, tuple[calendars.Moved, ...]]:
    """A promise runs from the payment on, so what stood still before its deadline moves it as well."""
    if rule.starts == "ship_by" and watched.paid_at is not None and watched.paid_at < start:
        return policy.due(rule, watched, watched.paid_at, start - watched.paid_at + limit)
    return policy.due(rule, watched, start, limit)


def _hub_in_doubt(watched: Watched, rule: Rule) -> bool:
    """Did a hub scan it whose name is not one of the platform's four words?"""
    return "hub_like" in rule.doubt and start_of("hub_like", watched) is not None


def _certainty(watched: Watched, rule: Rule) -> Certainty:
    if rule.by_distance and watched.distance is None:
        return Certainty.SUSPECTED
    if _hub_in_doubt(watched, rule):
        return Certainty.SUSPECTED
    return rule.certainty


def _past(clocks: Iterable[_Clock], watched: Watched, policy: Policy, now: datetime) -> tuple[Finding, ...]:
    """Breaches of clocks that are over, oldest first: what they cost may have been taken already."""
    found: list[tuple[tuple[datetime, str], Finding]] = []
    for clock in clocks:
        if clock.rule.warns_only or not clock.rule.is_silence:
            continue
        if clock.ended_at is not None and clock.since < clock.ended_at <= now:
            found.append((_order(clock), clock.finding(watched, cleared_at=clock.ended_at)))
        if clock.rule.starts == "transit" and clock.rule.mark is not Mark.SHOP:
            found += [(_order(gap), gap.finding(watched, gap.ended_at)) for gap in _gaps(clock, watched, policy, now)]
    return tuple(finding for _, finding in sorted(found, key=lambda one: one[0]))


def _gaps(clock: _Clock, watched: Watched, policy: Policy, now: datetime) -> Iterator[_Clock]:
    """The clock of each span between two movements since the first hub that was too long."""
    state = watched.state
    if longest_gap(state) < clock.limit:
        return
    begun = [at for at in (state.first_platform_hub_at, start_of("hub_like", watched)) if at is not None]
    if not begun:
        return
    over = [state.first[kind] for kind in _NO_LONGER_IN_TRANSIT if kind in state.first]
    for start, end in gaps(state, min(begun), min(over, default=None)):
        if end - start < clock.limit or end > now:
            continue
        since, moved = policy.due(clock.rule, watched, start, clock.limit)
        if since < end and clock.rule.holds_at(since):
            yield clock._replace(start=start, since=since, warn_at=since, ended_at=end, moved=moved)


_NO_LONGER_IN_TRANSIT = (Kind.DELIVERED, Kind.READY_FOR_PICKUP, Kind.RETURNING, Kind.RETURNED)


def _standing(running: Iterable[_Clock], watched: Watched, at: datetime) -> tuple[Finding, ...]:
    """The open findings at an instant, without those that another one takes the place of; of a group that pays once
    only the first pays."""
    return tuple(
        clock.finding(watched) if pays else replace(clock.finding(watched), payout_fen=0)
        for clock, pays in _breached(running, at)
    )


def _breached(running: Iterable[_Clock], at: datetime) -> list[tuple[_Clock, bool]]:
    """The clocks of the open findings at an instant, each with whether it pays."""
    over = [clock for clock in running if clock.since <= at and not clock.rule.warns_only]
    if not over:
        return []
    replaced = {rule_id for clock in over for rule_id in clock.rule.replaces}
    found: list[tuple[_Clock, bool]] = []
    paid: set[str] = set()
    for clock in sorted(over, key=_order):
        if clock.rule.id in replaced:
            continue
        group = clock.rule.once
        found.append((clock, group not in paid))
        if group:
            paid.add(group)
    return found


def _risk(
    running: list[_Clock], coming: list[_Clock], watched: Watched, now: datetime
) -> tuple[int, datetime | None, _Clock | None]:
    cost_now = sum(fen for _, fen in _costs(running, watched, now))
    for at in sorted({clock.since for clock in coming}):
        then = _costs(running, watched, at)
        more = sum(fen for _, fen in then) - cost_now
        if more > 0:
            newly = [(clock, fen) for clock, fen in then if clock.since == at]
            return more, at, max(newly, key=lambda one: one[1])[0]
    return 0, None, None


def _costs(running: Iterable[_Clock], watched: Watched, at: datetime) -> list[tuple[_Clock, int]]:
    return [(clock, clock.payout_fen(watched) if pays else 0) for clock, pays in _breached(running, at)]


# --- ends ------------------------------------------------------------------------------------------------------------


def _ended(rule: Rule, watched: Watched, start: datetime) -> datetime | None:
    """When the rule stopped speaking about this parcel, or None while it still does."""
    earliest = stopped_at(watched) or start if watched.stage in rule.stops_in else None
    for word in rule.ends:
        at = end_of(word, watched.state, start)
        if at is not None and (earliest is None or at < earliest):
            earliest = at
    return earliest
