"""What can be done about a verdict, what each measure costs, and which one the system proposes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bufa.domain.case_facts import Claim
from bufa.domain.kinds import Measure, Stage
from bufa.domain.money import share_half_up
from bufa.domain.outcome import Why
from bufa.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CaseMoney:
    """The money and clocks of one case. All amounts in fen; None where not known.

    `goods_fen`: what has to be sent again (only the items reported, where some were). `risk_fen` at `risk_at`: the
    platform's next step. `loss_chance` 0 to 1. `recovery_fen`: what the carrier is expected to pay when it is at fault.
    `reissue_eta`, `original_eta`: when the customer would hold the goods, `…_late`: nine times in ten by then.
    `refund_fen`: what the open refund ticket asks for. `wish`: what the customer last said they want.
    """

    paid_fen: int | None
    goods_fen: int | None
    freight_fen: int
    stage: Stage
    loss_chance: float = 0.0
    risk_fen: int = 0
    risk_at: datetime | None = None
    recovery_fen: int = 0
    reissue_eta: datetime | None = None
    reissue_late: datetime | None = None
    original_eta: datetime | None = None
    original_late: datetime | None = None
    in_stock: bool | None = None
    buyer_wants_recall: bool = False
    reissue_is_live: bool = False
    refund_fen: int | None = None
    wish: Measure | None = None


@dataclass(frozen=True, slots=True)
class MeasurePolicy:
    """The shop's settings for measures.

    `sure`: the confidence from which a loss is acted on. `first`: what the shop does first about a claim. What was paid
    up to `refund_under_fen` is refunded rather than sent again. `approve_over_fen`: above it a second person approves,
    None: never. `refund_hours`: how long a refund takes to reach the buyer [inferred].
    """

    wait_hours: int = 24
    chase_hours: int = 24
    compensation_percent: int = 5
    recall_penalty_percent: int = 25
    sure: int = 60
    refund_hours: int = 48
    follow_wish: bool = True
    refund_under_fen: int = 0
    approve_over_fen: int | None = None
    first: Mapping[Claim, Measure] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> MeasurePolicy:
        """From the shop's stored policy; entries that make no sense keep the default."""
        known: dict[str, Any] = {}
        for name, (least, most) in _BOUNDS.items():
            value = stored.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
                known[name] = value
        if isinstance(stored.get("follow_wish"), bool):
            known["follow_wish"] = stored["follow_wish"]
        first = stored.get("first")
        if isinstance(first, Mapping):
            known["first"] = {Claim(c): Measure(m) for c, m in first.items() if c in _CLAIMS and m in _MEASURES}
        return cls(**known)


_BOUNDS = {
    "wait_hours": (1, 240),
    "chase_hours": (1, 240),
    "compensation_percent": (0, 100),
    "recall_penalty_percent": (0, 100),
    "sure": (1, 99),
    "refund_hours": (1, 720),
    "refund_under_fen": (0, 100_000_000),
    "approve_over_fen": (0, 100_000_000),
}
_CLAIMS, _MEASURES = frozenset(Claim), frozenset(Measure)


@dataclass(frozen=True, slots=True)
class Option:
    """One measure with its cost in parts. `net_fen` is what the shop is expected to be out of pocket for it,
    `outlay_fen` what it has to lay out for certain. `hours`: how long it takes until something has come of it."""

    measure: Measure
    goods_fen: int
    freight_fen: int
    payout_fen: int
    recovery_fen: int
    until: datetime | None
    eta: datetime | None
    possible: bool
    why_not: Why | None = None
    late: datetime | None = None
    hours: int | None = None

    @property
    def outlay_fen(self) -> int:
        return self.goods_fen + self.freight_fen + self.payout_fen

    @property
    def net_fen(self) -> int:
        return self.outlay_fen - self.recovery_fen


DEFAULT_POLICY = MeasurePolicy()

_HAS_LEFT = frozenset(
    {Stage.COLLECTED, Stage.IN_TRANSIT, Stage.AT_DESTINATION, Stage.OUT_FOR_DELIVERY, Stage.READY_FOR_PICKUP}
)
ITEM_CLAIMS = frozenset({Claim.DAMAGED, Claim.WRONG_OR_SHORT, Claim.SHORT, Claim.WRONG, Claim.EMPTY})
"""Claims about what was in the parcel: they can be about some of its items only."""

_GONE = ITEM_CLAIMS | {Claim.LOST, Claim.RETURNED, Claim.REFUSED, Claim.SIGNED_NOT_RECEIVED}


def options(verdict: Verdict, money: CaseMoney, policy: MeasurePolicy, now: datetime) -> tuple[Option, ...]:
    """Every measure with its cost and clock, in the order of `Measure`; the impossible ones say why."""
    goods = money.goods_fen if money.goods_fen is not None else money.paid_fen or 0
    paid = money.paid_fen or 0
    chance = round(money.loss_chance * 1000)
    soon = (
        money.risk_fen if money.risk_at is not None and money.risk_at <= now + timedelta(hours=policy.wait_hours) else 0
    )
    lost_goods = share_half_up(goods, chance, 1000)
    recall_fen = 0 if money.buyer_wants_recall else share_half_up(paid, policy.recall_penalty_percent, 100)
    # Who never had the parcel in hand owes nothing for it.
    recovery = 0 if money.stage in (Stage.UNSHIPPED, Stage.LABELLED) else money.recovery_fen
    wait_until = now + timedelta(hours=policy.wait_hours)
    chase_until = now + timedelta(hours=policy.chase_hours)

    def option(
        measure: Measure,
        until: datetime | None,
        hours: int | None,
        *,
        arrives: tuple[datetime | None, datetime | None] = (None, None),
        cost: int = 0,
        freight: int = 0,
        payout: int = 0,
    ) -> Option:
        why_not = _why_not(measure, verdict, money)
        back = recovery if measure in (Measure.REISSUE, Measure.REFUND) else 0
        eta, late = arrives
        return Option(measure, cost, freight, payout, back, until, eta, why_not is None, why_not, late, hours)

    same = (money.original_eta, money.original_late)
    again = (money.reissue_eta, money.reissue_late)
    refund = money.refund_fen if money.refund_fen is not None else paid
    gift = share_half_up(paid, policy.compensation_percent, 100)
    return (
        option(Measure.WAIT, wait_until, policy.wait_hours, cost=lost_goods, payout=soon, arrives=same),
        option(Measure.CHASE, chase_until, policy.chase_hours, cost=lost_goods, payout=soon, arrives=same),
        option(
            Measure.INTERCEPT,
            _before(chase_until, money.original_eta, now),
            policy.chase_hours,
            freight=money.freight_fen,
            payout=recall_fen,
        ),
        option(Measure.REDELIVER, chase_until, policy.chase_hours, payout=soon, arrives=same),
        option(
            Measure.REISSUE,
            money.risk_at,
            _hours(now, money.reissue_eta),
            cost=goods,
            freight=money.freight_fen,
            arrives=again,
        ),
        option(Measure.REFUND, money.risk_at, policy.refund_hours, cost=refund),
        option(Measure.COMPENSATE, None, policy.refund_hours, cost=gift, arrives=same),
    )


def _before(until: datetime, delivered: datetime | None, now: datetime) -> datetime:
    """A parcel can be called back until it is handed over."""
    return min(until, delivered) if delivered is not None and delivered > now else until


def _hours(now: datetime, then: datetime | None) -> int | None:
    return None if then is None else max(1, round((then - now).total_seconds() / 3600))


def _why_not(measure: Measure, verdict: Verdict, money: CaseMoney) -> Why | None:
    match measure:
        case Measure.WAIT if verdict.claim in _GONE:
            return Why("waiting_changes_nothing", {"claim": verdict.claim.value})
        case Measure.CHASE if money.stage in (Stage.UNSHIPPED, Stage.CANCELLED):
            return Why("carrier_does_not_have_it", {"stage": money.stage.value})
        case Measure.INTERCEPT if money.stage not in _HAS_LEFT:
            return Why("not_under_way", {"stage": money.stage.value})
        case Measure.REDELIVER if money.stage not in (
            Stage.OUT_FOR_DELIVERY,
            Stage.READY_FOR_PICKUP,
            Stage.AT_DESTINATION,
        ):
            return Why("not_at_destination", {"stage": money.stage.value})
        case Measure.REISSUE if money.stage is Stage.UNSHIPPED:
            return Why("not_sent_yet")
        case Measure.REISSUE if money.reissue_is_live:
            return Why("reissue_is_live")
        case Measure.REISSUE if money.in_stock is False:
            return Why("out_of_stock")
        case _:
            return None


_FIRST_CHOICES: dict[Claim, tuple[Measure, ...]] = {
    Claim.NOT_SHIPPED: (Measure.CHASE, Measure.REISSUE, Measure.WAIT),
    Claim.NOT_PICKED_UP: (Measure.CHASE, Measure.REISSUE),
    Claim.STALLED: (Measure.CHASE, Measure.WAIT),
    Claim.LATE: (Measure.CHASE, Measure.COMPENSATE),
    Claim.LOST: (Measure.REISSUE, Measure.REFUND),
    Claim.DAMAGED: (Measure.REISSUE, Measure.REFUND),
    Claim.REFUSED: (Measure.REDELIVER, Measure.REFUND),
    Claim.RETURNED: (Measure.REISSUE, Measure.REFUND),
    Claim.WRONG_OR_SHORT: (Measure.REISSUE, Measure.COMPENSATE),
    Claim.SHORT: (Measure.REISSUE, Measure.COMPENSATE),
    Claim.WRONG: (Measure.REISSUE, Measure.COMPENSATE),
    Claim.EMPTY: (Measure.REISSUE, Measure.REFUND),
    Claim.SIGNED_NOT_RECEIVED: (Measure.CHASE, Measure.REISSUE),
    Claim.DELIVERED: (Measure.WAIT, Measure.COMPENSATE),
    Claim.MOVING: (Measure.WAIT,),
}


def propose(
    choices: tuple[Option, ...], verdict: Verdict, policy: MeasurePolicy, wish: Measure | None = None
) -> tuple[Measure, Why]:
    """The measure proposed beside a person's choice, and why.

    In this order, whatever is possible: a loss that is not yet sure is asked about first; then what the customer wishes
    for (`wish`); what the shop does first about such a claim; a refund where the goods are worth too little to send
    again; a reissue where waiting costs more; else the first of `_FIRST_CHOICES`.
    """
    by_measure = {option.measure: option for option in choices}
    params = {"claim": verdict.claim.value, "confidence": verdict.confidence}
    if verdict.claim is Claim.LOST and verdict.confidence < policy.sure and by_measure[Measure.CHASE].possible:
        return Measure.CHASE, Why("ask_before_sure", params)
    if policy.follow_wish and wish is not None and by_measure[wish].possible:
        return wish, Why("customer_wishes", params | {"measure": wish.value, "net_fen": by_measure[wish].net_fen})
    first = policy.first.get(verdict.claim)
    if first is not None and by_measure[first].possible:
        return first, Why("shop_does_first", params | {"net_fen": by_measure[first].net_fen})
    refund = by_measure[Measure.REFUND]
    if verdict.claim in _GONE and refund.possible and 0 < refund.goods_fen <= policy.refund_under_fen:
        limit = {"net_fen": refund.net_fen, "limit_fen": policy.refund_under_fen}
        return Measure.REFUND, Why("too_small_to_reissue", params | limit)
    wait, reissue = by_measure[Measure.WAIT], by_measure[Measure.REISSUE]
    if verdict.claim in (Claim.STALLED, Claim.NOT_PICKED_UP) and reissue.possible and reissue.net_fen < wait.net_fen:
        saved = wait.net_fen - reissue.net_fen
        return Measure.REISSUE, Why("cheaper_than_waiting", params | {"saved_fen": saved})
    for measure in _FIRST_CHOICES[verdict.claim]:
        if by_measure[measure].possible:
            return measure, Why("fits_claim", params | {"net_fen": by_measure[measure].net_fen})
    return Measure.REFUND, Why("nothing_else_possible", params)


# --- some items only -------------------------------------------------------------------------------------------------

Items = tuple[tuple[str, int], ...]
"""(line id, quantity) of an order."""


@dataclass(frozen=True, slots=True)
class ItemReport:
    """Which items of a parcel somebody says are damaged, missing or wrong, and when they said so."""

    claim: Claim
    said_at: datetime
    items: Items


def reported_items(reports: Iterable[ItemReport], ordered: Items) -> Items:
    """What has to be sent again by the reports: of each kind of claim the newest counts, the kinds add up, and never
    more than was ordered. Nothing reported: nothing here, so all of it is meant."""
    newest: dict[Claim, ItemReport] = {}
    for report in sorted(reports, key=lambda one: one.said_at):
        if report.claim in ITEM_CLAIMS and report.items:
            newest[report.claim] = report
    wanted: dict[str, int] = {}
    for report in newest.values():
        for line, count in report.items:
            wanted[line] = wanted.get(line, 0) + max(0, count)
    return tuple((line, min(wanted[line], count)) for line, count in ordered if wanted.get(line, 0) > 0)


def goods_of(items: Items, lines: Sequence[tuple[str, int, int]]) -> int:
    """What the buyer paid for these items; `lines`: (line id, quantity, paid fen), a part by its share."""
    counted = dict(items)
    return sum(share_half_up(paid, counted.get(line, 0), count) for line, count, paid in lines if count)


# --- refunds on the platform -----------------------------------------------------------------------------------------

AGREE_REFUND: Mapping[tuple[int, int], int] = {
    (0, 6): 121,
    (0, 27): 121,
    (1, 6): 201,
    (1, 27): 201,
    (2, 6): 401,
    (3, 6): 321,
    (3, 7): 321,
    (3, 11): 321,
    (3, 29): 321,
    (8, 6): 621,
    (8, 7): 621,
    (8, 8): 621,
    (8, 11): 621,
    (8, 27): 621,
    (8, 29): 621,
}
"""(after-sale type, status) → the `afterSale.operate` type that pays the buyer back (doudian-openapi §9.4)."""


def agree_refund_by(type_: int, status: int) -> int | None:
    """How an open after-sale is agreed as a refund; None where the platform has no such step for it."""
    return AGREE_REFUND.get((type_, status))
