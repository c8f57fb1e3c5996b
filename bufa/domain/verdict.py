"""Three kinds of evidence make a verdict: tracking, the carrier's word, the customer's report.

The formula: each statement and each open finding speaks for one claim with a weight (table `WEIGHT`), halved for every
three days of age of words. Of one source's words for one claim the strongest speaks. A claim's support is the sum over
sources; what a claim implies (table `IMPLIES`) supports it by half. The verdict is the claim with the
most support; confidence = 100 × support / (support + contradiction + DOUBT), rounded down, where contradiction is what
speaks for claims that exclude it, and DOUBT stands for what nobody has said yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bufa.domain.case_facts import Claim
from bufa.domain.rulebook import Certainty
from bufa.domain.watch import Finding

__all__ = ["CLAIM_OF_RULE", "DOUBT", "Claim", "Share", "Source", "Statement", "Verdict", "claim_of", "weigh"]


class Source(StrEnum):
    """Who says something about a parcel."""

    TRACKING = "tracking"
    CARRIER = "carrier"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Statement:
    """One dated fact that somebody said. `weight` None: the table's."""

    source: Source
    claim: Claim
    said_at: datetime
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one source adds to a verdict: `support` for its claim and `against` it; `said` is its own strongest claim
    with that claim's weight, aged."""

    source: Source
    said: Claim
    weight: float
    support: float
    against: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likeliest claim, which sources agree, contradict or have not spoken, and how sure: 0 to 100.

    `shares` is the reckoning behind `confidence`: 100 × Σ support / (Σ support + Σ against + DOUBT), rounded down.
    """

    claim: Claim
    agree: tuple[Source, ...]
    contradict: tuple[Source, ...]
    missing: tuple[Source, ...]
    confidence: int
    shares: tuple[Share, ...] = field(default=(), compare=False)


CLAIM_OF_RULE: Mapping[str, Claim] = {
    "late_shipping": Claim.NOT_SHIPPED,
    "out_of_stock_late": Claim.NOT_SHIPPED,
    "out_of_stock_track": Claim.NOT_PICKED_UP,
    "out_of_stock_notice": Claim.LATE,
    "pickup_timeout": Claim.NOT_PICKED_UP,
    "pickup_abnormal": Claim.NOT_PICKED_UP,
    "pickup_cancelled": Claim.NOT_PICKED_UP,
    "dispatch_timeout": Claim.STALLED,
    "dispatch_abnormal": Claim.STALLED,
    "transit_timeout": Claim.STALLED,
    "lost_suspected": Claim.LOST,
    "delivery_stalled": Claim.LATE,
    "station_overdue": Claim.LATE,
    "attempt_failed": Claim.LATE,
    "attempts_failed": Claim.LATE,
    "held": Claim.STALLED,
    "refused": Claim.REFUSED,
    "returning": Claim.RETURNED,
    "returned": Claim.RETURNED,
    "intercepted": Claim.RETURNED,
    "damaged": Claim.DAMAGED,
    "lost": Claim.LOST,
    "signed_then_failed": Claim.SIGNED_NOT_RECEIVED,
    "signed_not_received": Claim.SIGNED_NOT_RECEIVED,
    "wrong_city": Claim.SIGNED_NOT_RECEIVED,
    "original_revived": Claim.LATE,
    "several_numbers": Claim.LATE,
    "repeated_nodes": Claim.STALLED,
    "impossible_speed": Claim.NOT_SHIPPED,
    "scan_before_payment": Claim.NOT_SHIPPED,
    "receiver_differs": Claim.NOT_SHIPPED,
    "number_used_before": Claim.NOT_SHIPPED,
    "not_received": Claim.LATE,
    "recalled": Claim.RETURNED,
    "asked_unanswered": Claim.LATE,
    "out_of_stock_said": Claim.NOT_SHIPPED,
    "order_closed_unshipped": Claim.NOT_SHIPPED,
    "pickup_norm": Claim.NOT_PICKED_UP,
    "fraud_judged": Claim.WRONG_OR_SHORT,
}
"""What a rule's finding claims."""

DOUBT = 40
CONFIRMED, SUSPECTED = 70, 35

WEIGHT: Mapping[Source, Mapping[Claim, int]] = {
    # A carrier that admits something against itself is believed; that it "is moving" is believed less.
    Source.CARRIER: dict.fromkeys(Claim, 90) | {Claim.MOVING: 45, Claim.DELIVERED: 50, Claim.REFUSED: 60},
    # Only the customer knows what was in the box, and whether it came.
    Source.CUSTOMER: dict.fromkeys(Claim, 50)
    | {
        Claim.WRONG_OR_SHORT: 75,
        Claim.SHORT: 75,
        Claim.WRONG: 75,
        Claim.EMPTY: 75,
        Claim.DAMAGED: 75,
        Claim.SIGNED_NOT_RECEIVED: 60,
        Claim.DELIVERED: 95,
        Claim.MOVING: 10,
    },
    Source.TRACKING: dict.fromkeys(Claim, 70),
}

IMPLIES: Mapping[Claim, frozenset[Claim]] = {
    Claim.LOST: frozenset({Claim.STALLED, Claim.LATE, Claim.SIGNED_NOT_RECEIVED}),
    Claim.STALLED: frozenset({Claim.LATE}),
    Claim.NOT_PICKED_UP: frozenset({Claim.NOT_SHIPPED, Claim.LATE}),
    Claim.NOT_SHIPPED: frozenset({Claim.LATE}),
    Claim.RETURNED: frozenset({Claim.REFUSED, Claim.LATE, Claim.STALLED}),
    Claim.REFUSED: frozenset({Claim.LATE}),
    Claim.DAMAGED: frozenset({Claim.LATE, Claim.DELIVERED, Claim.STALLED}),
    Claim.WRONG_OR_SHORT: frozenset({Claim.DELIVERED, Claim.LATE}),
    Claim.SHORT: frozenset({Claim.WRONG_OR_SHORT, Claim.DELIVERED, Claim.LATE}),
    Claim.WRONG: frozenset({Claim.WRONG_OR_SHORT, Claim.DELIVERED, Claim.LATE}),
    Claim.EMPTY: frozenset({Claim.WRONG_OR_SHORT, Claim.SHORT, Claim.DELIVERED, Claim.LATE}),
    Claim.SIGNED_NOT_RECEIVED: frozenset({Claim.DELIVERED, Claim.LATE}),
    Claim.LATE: frozenset({Claim.MOVING}),
}
"""Claims that are true as well when the key is: what speaks for them speaks for the graver one."""


def claim_of(rule_id: str) -> Claim:
    """What a finding of the rule claims; a rule without an entry says the parcel is late."""
    return CLAIM_OF_RULE.get(rule_id, Claim.LATE)


def weigh(statements: Iterable[Statement], findings: Iterable[Finding], loss_chance: float, now: datetime) -> Verdict:
    """The verdict of all evidence at `now`. `loss_chance` (0 to 1) speaks as tracking's suspicion of a loss."""
    voices = _voices(statements, findings, loss_chance, now)
    if not voices:
        return Verdict(Claim.LATE, (), (), tuple(Source), 0)
    claims = sorted(
        {claim for said in voices.values() for claim in said}, key=lambda claim: (-_gravity(claim), claim.value)
    )
    best = max(claims, key=lambda claim: sum(_support(voices, claim).values()))
    support = _support(voices, best)
    against = {source: weight for source, said in voices.items() if (weight := _against(said, best)) > 0}
    total = sum(support.values())
    confidence = int(100 * total / (total + sum(against.values()) + DOUBT))
    return Verdict(
        claim=best,
        agree=tuple(source for source in Source if source in support and support[source] >= against.get(source, 0)),
        contradict=tuple(source for source in Source if against.get(source, 0) > support.get(source, 0)),
        missing=tuple(source for source in Source if source not in voices),
        confidence=confidence,
        shares=_shares(voices, support, against),
    )


Voices = dict[Source, dict[Claim, float]]


def _shares(voices: Voices, support: Mapping[Source, float], against: Mapping[Source, float]) -> tuple[Share, ...]:
    shares = []
    for source in Source:
        if source in voices:
            said = max(sorted(voices[source]), key=lambda claim: voices[source][claim])
            weight = voices[source][said]
            shares.append(Share(source, said, weight, support.get(source, 0.0), against.get(source, 0.0)))
    return tuple(shares)


def _voices(statements: Iterable[Statement], findings: Iterable[Finding], loss_chance: float, now: datetime) -> Voices:
    voices: Voices = {}
    for said in statements:
        base = WEIGHT[said.source][said.claim] if said.weight is None else said.weight
        days = max(0.0, (now - said.said_at).total_seconds() / 86400)
        _speak(voices, said.source, said.claim, base * 0.5 ** (days / 3))
    for finding in findings:
        weight = CONFIRMED if finding.certainty is Certainty.CONFIRMED else SUSPECTED
        _speak(voices, Source.TRACKING, claim_of(finding.rule_id), weight)
    if loss_chance >= 0.5:
        _speak(voices, Source.TRACKING, Claim.LOST, CONFIRMED * loss_chance)
    return voices


def _speak(voices: Voices, source: Source, claim: Claim, weight: float) -> None:
    said = voices.setdefault(source, {})
    said[claim] = max(said.get(claim, 0.0), weight)


def _support(voices: Voices, claim: Claim) -> dict[Source, float]:
    """By source: its weight for the claim itself plus half of its strongest for what the claim implies, at most 100."""
    support = {}
    for source, said in voices.items():
        implied = max((said.get(other, 0.0) for other in IMPLIES.get(claim, frozenset())), default=0.0)
        weight = min(100.0, said.get(claim, 0.0) + implied / 2)
        if weight > 0:
            support[source] = weight
    return support


def _against(said: Mapping[Claim, float], claim: Claim) -> float:
    """What a source says that can't be true together with the claim."""
    return max((weight for other, weight in said.items() if not _together(claim, other)), default=0.0)


def _together(one: Claim, other: Claim) -> bool:
    return one is other or other in IMPLIES.get(one, frozenset()) or one in IMPLIES.get(other, frozenset())


def _gravity(claim: Claim) -> int:
    return len(IMPLIES.get(claim, frozenset()))
