"""What can be done about a verdict, what each measure costs, and which one the system proposes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.domain.case_facts import Claim
from bufa.domain.kinds import Measure, Stage
from bufa.domain.money import share_half_up
from bufa.domain.outcome import Why
from bufa.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CaseMoney:
    """The money and clocks of one case. All amounts in fen; None where not known.

    `risk_fen` at `risk_at`: the platform's next step. `loss_chance` 0 to 1. `recovery_fen`: what the carrier is
    expected to pay when it is at fault. `reissue_eta`, `original_eta`: when the customer would hold the goods.
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
    original_eta: datetime | None = None
    in_stock: bool | None = None
    buyer_wants_recall: bool = False
    reissue_is_live: bool = False


@dataclass(frozen=True, slots=True)
class MeasurePolicy:
    """The shop's settings for measures. `sure` is the confidence above which a loss is acted on."""

    wait_hours: int = 24
    chase_hours: int = 24
    compensation_percent: int = 5
    recall_penalty_percent: int = 25
    sure: int = 60


@dataclass(frozen=True, slots=True)
class Option:
    """One measure with its cost in parts. `net_fen` is what the shop is expected to be out of pocket for it."""

    measure: Measure
    goods_fen: int
    freight_fen: int
    payout_fen: int
    recovery_fen: int
    until: datetime | None
    eta: datetime | None
    possible: bool
    why_not: Why | None = None

    @property
    def net_fen(self) -> int:
        return self.goods_fen + self.freight_fen + self.payout_fen - self.recovery_fen


DEFAULT_POLICY = MeasurePolicy()

_HAS_LEFT = frozenset(
    {Stage.COLLECTED, Stage.IN_TRANSIT, Stage.AT_DESTINATION, Stage.OUT_FOR_DELIVERY, Stage.READY_FOR_PICKUP}
)
_GONE = frozenset(
    {Claim.LOST, Claim.DAMAGED, Claim.WRONG_OR_SHORT, Claim.RETURNED, Claim.REFUSED, Claim.SIGNED_NOT_RECEIVED}
)


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
        eta: datetime | None,
        *,
        cost: int = 0,
        freight: int = 0,
        payout: int = 0,
    ) -> Option:
        why_not = _why_not(measure, verdict, money)
        back = recovery if measure in (Measure.REISSUE, Measure.REFUND) else 0
        return Option(measure, cost, freight, payout, back, until, eta, why_not is None, why_not)

    return (
        option(Measure.WAIT, wait_until, money.original_eta, cost=lost_goods, payout=soon),
        option(Measure.CHASE, chase_until, money.original_eta, cost=lost_goods, payout=soon),
        option(Measure.INTERCEPT, chase_until, None, freight=money.freight_fen, payout=recall_fen),
        option(Measure.REDELIVER, chase_until, money.original_eta, payout=soon),
        option(Measure.REISSUE, money.risk_at, money.reissue_eta, cost=goods, freight=money.freight_fen),
        option(Measure.REFUND, money.risk_at, None, cost=paid),
        option(
            Measure.COMPENSATE, None, money.original_eta, cost=share_half_up(paid, policy.compensation_percent, 100)
        ),
    )


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
    Claim.SIGNED_NOT_RECEIVED: (Measure.CHASE, Measure.REISSUE),
    Claim.DELIVERED: (Measure.WAIT, Measure.COMPENSATE),
    Claim.MOVING: (Measure.WAIT,),
}


def propose(choices: tuple[Option, ...], verdict: Verdict, policy: MeasurePolicy) -> tuple[Measure, Why]:
    """The measure proposed beside a person's choice, and why.

    By claim there is an order of measures (`_FIRST_CHOICES`); the first possible one is proposed. A loss that is not
    yet sure is chased first, and a stall that is surely one where a reissue costs less than waiting is reissued.
    """
    by_measure = {option.measure: option for option in choices}
    order = _FIRST_CHOICES[verdict.claim]
    params = {"claim": verdict.claim.value, "confidence": verdict.confidence}
    if verdict.claim is Claim.LOST and verdict.confidence < policy.sure and by_measure[Measure.CHASE].possible:
        return Measure.CHASE, Why("ask_before_sure", params)
    wait, reissue = by_measure[Measure.WAIT], by_measure[Measure.REISSUE]
    if verdict.claim in (Claim.STALLED, Claim.NOT_PICKED_UP) and reissue.possible and reissue.net_fen < wait.net_fen:
        saved = wait.net_fen - reissue.net_fen
        return Measure.REISSUE, Why("cheaper_than_waiting", params | {"saved_fen": saved})
    for measure in order:
        if by_measure[measure].possible:
            return measure, Why("fits_claim", params | {"net_fen": by_measure[measure].net_fen})
    return Measure.REFUND, Why("nothing_else_possible", params)
