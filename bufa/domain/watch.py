"""Watching: a parcel's state, the rules and now make findings, warnings, the next deadline and the money at risk.

Everything here is a function of its arguments: the same state, rules and instant give the same answer, and between
`now` and `next_deadline` nothing changes unless a new fact comes in. So a parcel needs looking at only twice: when a
fact about it arrives, and when its deadline is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bufa.domain.kinds import Kind, Stage, Step
from bufa.domain.outcome import Why
from bufa.domain.parcels import ParcelState
from bufa.domain.regions import Distance, distance
from bufa.domain.rulebook import Certainty, Mark, Rule, Rulebook, payout_fen, shop_day


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

    @property
    def distance(self) -> Distance | None:
        return distance(self.origin_province, self.dest_province)


@dataclass(frozen=True, slots=True)
class Policy:
    """The shop's own settings. `warn_hours` and `hours` are by rule id; `hours` moves only the shop's own rules."""

    warn_hours: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, int] = field(default_factory=dict)
    muted: frozenset[str] = frozenset()

    def warning_time(self, rule: Rule) -> timedelta:
        return timedelta(hours=self.warn_hours.get(rule.id, rule.warn_hours))

    def limit(self, rule: Rule, between: Distance | None) -> timedelta:
        if rule.mark is Mark.SHOP and rule.is_silence and rule.id in self.hours:
            return timedelta(hours=self.hours[rule.id])
        return rule.limit(between)


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


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 - Warning is Python's own
    """A finding that will come at `at` if nothing happens."""

    rule_id: str
    at: datetime
    payout_fen: int
    evidence: Why

    def hours_left(self, now: datetime) -> float:
        """Hours from now until it comes, never below 0."""
        return max(0.0, (self.at - now).total_seconds() / 3600)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong with a parcel now, what comes next, and what that costs.

    `findings` are open. `past` are breaches of the platform's clocks that are over but may have cost money.
    `next_deadline` is later than now, or None when time alone changes nothing any more. `risk_fen` is what the order
    costs more than now at `risk_at`, the next step of the clock that costs anything.
    """

    findings: tuple[Finding, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    next_deadline: datetime | None = None
    risk_fen: int = 0
    risk_at: datetime | None = None
    past: tuple[Finding, ...] = ()

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
    clocks = [clock for rule in rulebook.rules if (clock := _clock(watched, rule, policy)) is not None]
    running = [clock for clock in clocks if clock.ended_at is None]
    findings = _standing(running, watched, now)
    coming = [clock for clock in running if clock.since > now]
    warnings = tuple(
        Warning_(clock.rule.id, clock.since, clock.payout_fen(watched), clock.evidence(watched))
        for clock in sorted(coming, key=_order)
        if clock.warn_at <= now < clock.since
    )
    instants = [at for clock in coming for at in (clock.warn_at, clock.since) if at > now]
    risk_fen, risk_at = _risk(running, coming, watched, now)
    return Judgement(
        findings=findings,
        warnings=warnings,
        next_deadline=min(instants, default=None),
        risk_fen=risk_fen,
        risk_at=risk_at,
        past=tuple(
            clock.finding(watched, cleared_at=clock.ended_at)
            for clock in sorted(clocks, key=_order)
            if clock.ended_at is not None and clock.since < clock.ended_at <= now and clock.rule.is_silence
        ),
    )


# --- clocks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Clock:
    rule: Rule
    start: datetime
    since: datetime
    warn_at: datetime
    ended_at: datetime | None
    certainty: Certainty
    limit: timedelta

    def payout_fen(self, watched: Watched) -> int:
        return payout_fen(self.rule, watched.paid_fen, watched.promise_hours)

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
        return Why(self.rule.id, params)

    def finding(self, watched: Watched, cleared_at: datetime | None = None) -> Finding:
        return Finding(
            rule_id=self.rule.id,
            certainty=self.certainty,
            since=self.since,
            evidence=self.evidence(watched),
            payout_fen=self.payout_fen(watched),
            step=Step.FOLLOW if watched.role is ParcelRole.REISSUE else Step.DETERMINE,
            opens_case=self.rule.opens_case,
            is_silence=self.rule.is_silence,
            replaces=self.rule.replaces,
            cleared_at=cleared_at,
        )


def _order(clock: _Clock) -> tuple[datetime, str]:
    return clock.since, clock.rule.id


def _clock(watched: Watched, rule: Rule, policy: Policy) -> _Clock | None:
    """The rule's clock for this parcel, or None when it never started or this version is not in force."""
    start = None if rule.id in policy.muted else _start(rule.starts, watched)
    if start is None:
        return None
    between = watched.distance
    limit = policy.limit(rule, between)
    since = start + limit
    if not rule.in_force(shop_day(since)):
        return None
    certainty = rule.certainty
    if (rule.by_distance and between is None) or ("hub_like" in rule.doubt and _hub_like_at(watched.state)):
        certainty = Certainty.SUSPECTED
    ended_at = _ended(rule, watched, start)
    return _Clock(rule, start, since, since - policy.warning_time(rule), ended_at, certainty, limit)


def _standing(running: Iterable[_Clock], watched: Watched, at: datetime) -> tuple[Finding, ...]:
    """The open findings at an instant, without those that another one takes the place of."""
    breached = [clock for clock in running if clock.since <= at]
    replaced = {rule_id for clock in breached for rule_id in clock.rule.replaces}
    return tuple(clock.finding(watched) for clock in sorted(breached, key=_order) if clock.rule.id not in replaced)


def _risk(running: list[_Clock], coming: list[_Clock], watched: Watched, now: datetime) -> tuple[int, datetime | None]:
    cost_now = sum(finding.payout_fen for finding in _standing(running, watched, now))
    for at in sorted({clock.since for clock in coming}):
        more = sum(finding.payout_fen for finding in _standing(running, watched, at)) - cost_now
        if more > 0:
            return more, at
    return 0, None


# --- the words of the rule book --------------------------------------------------------------------------------------

_HUB_LIKE = (
    Kind.ARRIVED_HUB,
    Kind.ARRIVED_DESTINATION,
    Kind.OUT_FOR_DELIVERY,
    Kind.ATTEMPT_FAILED,
    Kind.READY_FOR_PICKUP,
)


def _hub_like_at(state: ParcelState) -> datetime | None:
    """The first scan that shows the parcel beyond its first branch, whatever the station is called."""
    return min((state.first[kind] for kind in _HUB_LIKE if kind in state.first), default=None)


def _start(word: str, watched: Watched) -> datetime | None:
    """When the clock named by the rule's `starts` began; the words are explained in the data file."""
    state = watched.state
    head, _, tail = word.partition(":")
    match head:
        case "ship_by":
            return watched.ship_by
        case "uploaded":
            return watched.uploaded_at if watched.has_number else None
        case "collected":
            return state.collected_at
        case "transit":
            return state.newest_at if state.first_platform_hub_at or _hub_like_at(state) else None
        case "notice":
            return watched.notice_at
        case "returned":
            return _returned_at(watched)
        case "after_delivered":
            return _last_failure(state) if state.signed_then_failed else None
        case "attempts":
            return _last_failure(state) if state.attempts >= int(tail) else None
        case "first":
            return state.first.get(Kind(tail))
        case _:
            return state.last.get(Kind(tail))


def _last_failure(state: ParcelState) -> datetime | None:
    return max((state.last[kind] for kind in (Kind.ATTEMPT_FAILED, Kind.REFUSED) if kind in state.last), default=None)


def _returned_at(watched: Watched) -> datetime | None:
    """Some carriers scan the way back's end as a signature, so the stage says it, not the kind."""
    if watched.stage is not Stage.RETURNED:
        return None
    return watched.state.first.get(Kind.RETURNED) or watched.state.delivered_at


def _ended(rule: Rule, watched: Watched, start: datetime) -> datetime | None:
    """When the rule stopped speaking about this parcel, or None while it still does."""
    ends = [at for word in rule.ends if (at := _end(word, watched.state, start)) is not None]
    if watched.stage in rule.stops_in:
        ends.append(_stopped_at(watched) or start)
    return min(ends, default=None)


def _end(word: str, state: ParcelState, start: datetime) -> datetime | None:
    head, _, tail = word.partition(":")
    if head == "moved":
        return state.collected_at
    if head == "hub":
        return state.first_platform_hub_at
    at = state.newest_at if tail == "any" else state.last.get(Kind(tail))
    return at if at is not None and at > start else None


def _stopped_at(watched: Watched) -> datetime | None:
    state = watched.state
    if watched.stage is Stage.READY_FOR_PICKUP:
        return state.first.get(Kind.READY_FOR_PICKUP, state.newest_at)
    if watched.stage is Stage.RETURNING:
        return state.first.get(Kind.RETURNING, state.newest_at)
    return state.delivered_at or state.newest_at
