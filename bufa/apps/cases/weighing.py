"""What the measures cost in one case: the shop's policy, the money and clocks of the case, and what is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.cases import facts as case_facts
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.remedy_start import way
from bufa.apps.cases.rows import case_rows
from bufa.apps.orders.models import AfterSale
from bufa.apps.orders.views import OrderView, order_view
from bufa.apps.parcels import lane_counts
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.domain.cases import Action, CaseFacts, Payer
from bufa.domain.kinds import Measure, Stage
from bufa.domain.measures import CaseMoney, Items, MeasurePolicy, Option, goods_of, options, propose, reported_items
from bufa.domain.outcome import Why
from bufa.domain.parcels import ParcelState
from bufa.domain.verdict import Verdict
from bufa.lib.tenancy import reading

FREIGHT_FEN = 800
"""What sending one parcel costs where the shop has not said: an ordinary 1 to 5 kg box between provinces."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The measures of one case with their cost, the proposed one and why. `items`: those reported, () for all."""

    policy: MeasurePolicy
    money: CaseMoney
    verdict: Verdict
    choices: tuple[Option, ...]
    proposed: Measure
    why: Why
    items: Items

    def option(self, measure: Measure) -> Option:
        return next(one for one in self.choices if one.measure is measure)


def weigh_case(case: Case, facts: CaseFacts, around: case_facts.Around, now: datetime) -> Weighed:
    """Everything read fresh: the order and the parcel that the case is about now."""
    order = order_view(case.shop_id, case.order_id)
    ids = case_facts.parcel_ids(case)
    if order is None:
        raise LookupError(f"case {case.code} has no order")
    current = parcel_views([case.shop_id], ids)[ids[-1]]
    return weigh(facts, around, order, current, case_facts.weigh_all(around, now), now)


def weigh(
    facts: CaseFacts,
    around: case_facts.Around,
    order: OrderView,
    current: ParcelView,
    verdict: Verdict,
    now: datetime,
) -> Weighed:
    policy, items = around.policy, items_of(around, order)
    money = _money(facts, around, order, current, items, now)
    choices = options(verdict, money, policy, now)
    proposed, why = propose(choices, verdict, policy, around.wish)
    return Weighed(policy, money, verdict, choices, proposed, why, items)


def items_of(around: case_facts.Around, order: OrderView) -> Items:
    return reported_items(around.reports, tuple((line.line_id, line.quantity) for line in order.lines))


def _money(
    facts: CaseFacts, around: case_facts.Around, order: OrderView, current: ParcelView, items: Items, now: datetime
) -> CaseMoney:
    lines = [(line.line_id, line.quantity, line.paid_fen) for line in order.lines]
    whole = sum(line.paid_fen for line in order.lines)
    goods = goods_of(items, lines) if items else whole
    state = ParcelState.from_json(current.state)
    origin, destination = current.origin_province, current.dest_province
    again = lane_counts.eta(order.shop_id, current.carrier, origin, destination, None, now)
    same = lane_counts.eta(order.shop_id, current.carrier, origin, destination, state.collected_at, now)
    ticket = around.refund_ticket
    return CaseMoney(
        paid_fen=order.paid_fen or None,
        goods_fen=goods or None,
        freight_fen=int(around.stored_policy.get("freight_fen", FREIGHT_FEN)),
        stage=Stage(current.stage),
        loss_chance=around.loss,
        risk_fen=around.risk_fen,
        risk_at=around.risk_at,
        recovery_fen=goods if facts.carrier_pays else 0,
        reissue_eta=again.p50,
        reissue_late=again.p90,
        original_eta=same.p50,
        original_late=same.p90,
        reissue_is_live=facts.reissue_is_live,
        buyer_wants_recall=facts.wants_recall,
        refund_fen=ticket.refund_fen if ticket is not None and ticket.refund_fen else None,
        wish=around.wish,
    )


SPENDS = frozenset({Action.CHOOSE_MEASURE, Action.CHANGE_MEASURE, Action.REQUEST_APPROVAL, Action.APPROVE})


def complete(
    case: Case,
    facts: CaseFacts,
    around: case_facts.Around,
    action: Action,
    params: Mapping[str, Any],
    by: Actor,
    now: datetime,
) -> dict[str, Any]:
    """The parameters of a choice with what the world around the case says: its cost, which way it goes, the policy.

    How much and who pays are filled in where nobody said so: what the measure costs, and who is thought to be at fault.
    """
    asked = facts.approval_measure if action is Action.APPROVE else params.get("measure")
    if action not in SPENDS or asked is None or str(asked) not in frozenset(Measure):
        return dict(params)
    measure = Measure(asked)
    weighed = weigh_case(case, facts, around, now)
    option = weighed.option(measure)
    said: dict[str, Any] = dict(params)
    if measure in (Measure.REFUND, Measure.COMPENSATE):
        if not said.get("amount_fen") and action is not Action.APPROVE:
            said["amount_fen"] = option.goods_fen or None
        said["payer"] = said.get("payer") or (Payer.CARRIER if facts.carrier_pays else Payer.SHOP)
    cost = said.get("amount_fen") if measure in (Measure.REFUND, Measure.COMPENSATE) else None
    ticket = way(case.shop_id, around, measure)
    return said | {
        "cost_fen": option.outlay_fen if cost is None else max(cost, _asked_back(ticket, measure)),
        "recall_fen": weighed.option(Measure.INTERCEPT).payout_fen,
        "by_platform": ticket is not None,
        "consent_policy": around.consent_policy,
        "operator": by.operator_id,
        "operator_name": by.name,
    }


def _asked_back(ticket: AfterSale | None, measure: Measure) -> int:
    """Agreeing a ticket pays what the ticket says, whatever was typed."""
    return ticket.refund_fen if ticket is not None and measure is Measure.REFUND else 0


def proposed_measure(shop_id: int, case_id: int, now: datetime) -> tuple[Measure, datetime | None]:
    """The system's proposal for a case, and until when it is good (for waiting: until when to wait)."""
    with reading([shop_id]):
        case = case_rows([shop_id]).get(id=case_id)
        around = case_facts.look_around(case, now)
        weighed = weigh_case(case, case_facts.read(case, around), around, now)
        until = weighed.option(weighed.proposed).until
        return weighed.proposed, until or now + timedelta(hours=weighed.policy.wait_hours)
