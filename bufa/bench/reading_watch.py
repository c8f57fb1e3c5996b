"""What the rules would have said along the course of parcels whose end is known, beside an alarm after 24 hours of
silence: how often they cry for nothing, and how early they speak when something is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from bufa.domain import rulebook
from bufa.domain.kinds import Stage
from bufa.domain.parcels import ParcelState, Scan, fold
from bufa.domain.rulebook import Certainty, RuleKind
from bufa.domain.watch import DEFAULT_POLICY, Watched, judge

PLAIN_SILENCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Course:
    """One parcel: its `scans` (known from their `received_at` on), and until when it is watched. `end` is also the
    instant from which lead is counted back. `begins`: from when it is watched, before the first scan where the upload
    is known (`uploaded_at`)."""

    scans: tuple[Scan, ...]
    end: datetime
    begins: datetime
    uploaded_at: datetime | None = None
    origin: str = ""
    destination: str = ""
    carrier: str = ""


@dataclass(slots=True)
class Told:
    """When the rules and the plain rule first spoke about a parcel. `ours`: rule -> when it first opened a case."""

    end: datetime
    ours: dict[str, datetime] = field(default_factory=dict)
    silences: set[str] = field(default_factory=set)
    fines: set[str] = field(default_factory=set)
    warned: dict[str, datetime] = field(default_factory=dict)
    plain_at: datetime | None = None

    @property
    def first(self) -> datetime | None:
        return min(self.ours.values(), default=None)


def noise(courses: Iterable[Course]) -> dict[str, Any]:
    """Alarms per 1,000 parcels that arrived: any of ours, ours by silence alone, those that are a breach for certain
    which the platform fines though the parcel arrives, and the plain rule's."""
    told = [watch(course) for course in courses]
    by_rule = Counter(rule for one in told for rule in one.ours)
    return {
        "parcels": len(told),
        "alarms_per_1000": _per_1000(sum(bool(one.ours) for one in told), len(told)),
        "silence_alarms_per_1000": _per_1000(sum(bool(one.silences) for one in told), len(told)),
        "of_these_fined_by_the_platform_per_1000": _per_1000(sum(bool(one.fines) for one in told), len(told)),
        "neither_fined_nor_true_per_1000": _per_1000(sum(bool(one.ours) and not one.fines for one in told), len(told)),
        "warned_per_1000": _per_1000(sum(bool(one.warned) for one in told), len(told)),
        "plain_24h_alarms_per_1000": _per_1000(sum(one.plain_at is not None for one in told), len(told)),
        "by_rule": dict(by_rule.most_common()),
        "warned_by_rule": dict(Counter(rule for one in told for rule in one.warned).most_common()),
    }


def lead(courses: Iterable[Course]) -> dict[str, Any]:
    """For parcels that went wrong: hours of lead of the first alarm, ours and the plain rule's."""
    told = [watch(course) for course in courses]
    return {
        "parcels": len(told),
        "found": sum(one.first is not None for one in told),
        "found_by_plain_24h": sum(one.plain_at is not None for one in told),
        "median_lead_hours": _lead((one.end, one.first) for one in told),
        "median_lead_hours_of_plain_24h": _lead((one.end, one.plain_at) for one in told),
        "warned_before": sum(bool(one.warned) for one in told),
        "first_rules": dict(Counter(min(one.ours, key=one.ours.__getitem__) for one in told if one.ours)),
    }


def watch(course: Course) -> Told:
    """Move `now` along a course: at each scan that becomes known, and at each deadline before the next one."""
    told, book = Told(course.end), rulebook.load()
    times = sorted({course.begins, *(scan.received_at for scan in course.scans if scan.received_at < course.end)})
    for now, until in zip(times, [*times[1:], course.end], strict=True):
        if until - now > PLAIN_SILENCE and told.plain_at is None:
            told.plain_at = now + PLAIN_SILENCE
        known = [scan for scan in course.scans if scan.received_at <= now]
        _judge(told, book, _watched(course, fold(known), known=bool(known)), now, until)
    return told


def _watched(course: Course, state: ParcelState, *, known: bool) -> Watched:
    return Watched(
        1,
        state.stage if known else Stage.LABELLED,
        state,
        has_number=True,
        uploaded_at=course.uploaded_at,
        origin_province=course.origin,
        dest_province=course.destination,
        carrier=course.carrier,
    )


def _judge(told: Told, book: rulebook.Rulebook, watched: Watched, now: datetime, until: datetime) -> None:
    at: datetime | None = now
    while at is not None and (at < until or at == now):
        said = judge(watched, book, DEFAULT_POLICY, at)
        for finding in said.findings:
            if finding.opens_case:
                told.ours.setdefault(finding.rule_id, at)
                if finding.is_silence:
                    told.silences.add(finding.rule_id)
                if finding.kind is RuleKind.PENALTY and finding.certainty is Certainty.CONFIRMED:
                    told.fines.add(finding.rule_id)
        for warning in said.warnings:
            told.warned.setdefault(warning.rule_id, at)
        at = said.next_deadline


def _lead(pairs: Iterable[tuple[datetime, datetime | None]]) -> float | None:
    hours = [(end - at) / timedelta(hours=1) for end, at in pairs if at is not None]
    return round(median(hours), 1) if hours else None


def _per_1000(part: int, whole: int) -> float:
    return round(1000 * part / whole, 1) if whole else 0.0
