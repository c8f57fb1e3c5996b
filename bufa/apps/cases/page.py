"""One case whole, as its page shows it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bufa.apps.cases import facts as case_facts
from bufa.apps.cases.actions import entry_place, statement_place
from bufa.apps.cases.models import Case, Statement, TimelineEntry
from bufa.apps.cases.rows import case_row, case_rows, findings_of
from bufa.apps.cases.shapes import (
    ActionView,
    CaseView,
    OptionView,
    StatementView,
    StepView,
    TimelineView,
    VerdictView,
)
from bufa.apps.orders.views import OrderView, order_view
from bufa.apps.parcels import lane_counts
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain.case_facts import NoticeState, Outcome, ReissueState
from bufa.domain.cases import Action, CaseFacts, CaseState, can, next_best
from bufa.domain.kinds import Measure, Role, Stage, Step
from bufa.domain.measures import CaseMoney, MeasurePolicy, Option, options, propose
from bufa.domain.parcels import ParcelState
from bufa.domain.verdict import Verdict
from bufa.lib.crypto import unseal
from bufa.lib.tenancy import reading

_STEPS = tuple(Step)
_FREIGHT_FEN = 800
"""What sending one parcel costs where the shop has not said: an ordinary 1 to 5 kg box between provinces."""


def case_page(shop_id: int, code: str, role: Role | None, now: datetime) -> CaseView | None:
    """Everything about one case that its page shows; None when it is not this shop's.

    About fifteen queries, however long the case. `role` decides which actions are open.
    """
    with reading([shop_id]):
        case = case_rows([shop_id]).filter(code=code).first()
        if case is None:
            return None
        around = case_facts.look_around(case, now)
        facts = case_facts.read(case, around)
        verdict = case_facts.weigh_all(around, now)
        parcels = parcel_views([shop_id], case_facts.parcel_ids(case), with_scans=True)
        order = order_view(shop_id, case.order_id)
        if order is None:
            raise LookupError(f"case {code} has no order")
        original = parcels[case.parcel_id]
        reissued = tuple(parcels[key] for key in case_facts.parcel_ids(case)[1:] if key in parcels)
        open_tickets = [ticket.deadline for ticket in order.after_sales if ticket.status in (6, 8) and ticket.deadline]
        return CaseView(
            row=case_row(case),
            order=order,
            original=original,
            reissue_parcels=reissued,
            findings=findings_of([shop_id], list(parcels)),
            statements=tuple(_statement(row) for row in around.statements),
            verdict=_verdict(case, verdict),
            options=_options(case, facts, verdict, around, order, reissued[-1] if reissued else original, now),
            steps=_steps(facts),
            actions=_actions(facts, role, now),
            timeline=_timeline(case),
            facts=case.facts,
            ticket_deadline=min(open_tickets, default=None),
        )


def _verdict(case: Case, verdict: Verdict) -> VerdictView:
    return VerdictView(
        claim=verdict.claim.value,
        confidence=verdict.confidence,
        agree=tuple(source.value for source in verdict.agree),
        contradict=tuple(source.value for source in verdict.contradict),
        missing=tuple(source.value for source in verdict.missing),
        confirmed_by=case.verdict.get("confirmed_by", ""),
    )


def _options(
    case: Case,
    facts: CaseFacts,
    verdict: Verdict,
    around: case_facts.Around,
    order: OrderView,
    current: ParcelView,
    now: datetime,
) -> tuple[OptionView, ...]:
    policy, money = weigh_money(case.shop_id, facts, around, order, current, now)
    choices = options(verdict, money, policy, now)
    proposed, why = propose(choices, verdict, policy)
    return tuple(
        OptionView(
            measure=one.measure.value,
            is_proposed=one.measure is proposed,
            is_chosen=one.measure is facts.measure,
            costs=_costs(one),
            net_fen=one.net_fen,
            act_by=one.until,
            arrives_at=one.eta,
            arrives_late=None,
            why=why if one.measure is proposed else None,
            refused=one.why_not,
        )
        for one in choices
    )


def _costs(one: Option) -> dict[str, int]:
    return {
        "goods": one.goods_fen,
        "freight": one.freight_fen,
        "payout": one.payout_fen,
        "recovery": one.recovery_fen,
    }


def weigh_money(
    shop_id: int,
    facts: CaseFacts,
    around: case_facts.Around,
    order: OrderView,
    current: ParcelView,
    now: datetime,
) -> tuple[MeasurePolicy, CaseMoney]:
    """What the measures cost here: the shop's settings and the money and clocks of the case."""
    stored = shops.policy_json(shop_id)
    given = {name: stored[name] for name in ("wait_hours", "chase_hours", "compensation_percent") if name in stored}
    goods = sum(line.paid_fen for line in order.lines)
    state = ParcelState.from_json(current.state)
    origin, destination = current.origin_province, current.dest_province
    again = lane_counts.eta(shop_id, current.carrier, origin, destination, None, now)
    same = lane_counts.eta(shop_id, current.carrier, origin, destination, state.collected_at, now)
    money = CaseMoney(
        paid_fen=order.paid_fen or None,
        goods_fen=goods or None,
        freight_fen=int(stored.get("freight_fen", _FREIGHT_FEN)),
        stage=Stage(current.stage),
        loss_chance=around.loss,
        risk_fen=around.risk_fen,
        risk_at=around.risk_at,
        recovery_fen=goods if facts.carrier_pays else 0,
        reissue_eta=again.p50,
        original_eta=same.p50,
        reissue_is_live=facts.reissue_is_live,
    )
    return MeasurePolicy(**given), money


def proposed_measure(shop_id: int, case_id: int, now: datetime) -> tuple[Measure, datetime | None]:
    """The system's proposal for a case, and until when it is good (for waiting: until when to wait)."""
    with reading([shop_id]):
        case = case_rows([shop_id]).get(id=case_id)
        around = case_facts.look_around(case, now)
        facts = case_facts.read(case, around)
        verdict = case_facts.weigh_all(around, now)
        order = order_view(shop_id, case.order_id)
        ids = case_facts.parcel_ids(case)
        parcels = parcel_views([shop_id], ids)
        if order is None:
            raise LookupError(f"case {case.code} has no order")
        policy, money = weigh_money(shop_id, facts, around, order, parcels[ids[-1]], now)
        choices = options(verdict, money, policy, now)
        measure, _ = propose(choices, verdict, policy)
        until = next(one.until for one in choices if one.measure is measure)
        return measure, until or now + timedelta(hours=policy.wait_hours)


def _steps(facts: CaseFacts) -> tuple[StepView, ...]:
    """Each step's state; one that the case passed by without anything done there is `skipped`, not done."""
    here = len(_STEPS) if facts.state is CaseState.CLOSED or facts.step is None else _STEPS.index(facts.step)
    words = [
        ("done" if _was_gone(facts, step) else "skipped") if at < here else "now" if at == here else "later"
        for at, step in enumerate(_STEPS)
    ]
    return tuple(StepView(step.value, word) for step, word in zip(_STEPS, words, strict=True))


def _was_gone(facts: CaseFacts, step: Step) -> bool:
    match step:
        case Step.NEGOTIATE:
            return facts.carrier_asked_at is not None or facts.consent is not None
        case Step.NUMBER:
            return facts.reissue_state not in (ReissueState.NONE, ReissueState.DRAFT)
        case Step.NOTIFY:
            return facts.told_at is not None or facts.notice_state is NoticeState.SENT
        case Step.FOLLOW:
            return facts.outcome is not Outcome.DISMISSED
        case _:
            return True


_STEP_OF_ACTION: dict[Action, Step] = {
    Action.CONFIRM_VERDICT: Step.DETERMINE,
    Action.CHOOSE_MEASURE: Step.DETERMINE,
    Action.CHANGE_MEASURE: Step.DETERMINE,
    Action.WAIT_OVER: Step.DETERMINE,
    Action.DISMISS: Step.DETERMINE,
    Action.PARCEL_MOVED: Step.DETERMINE,
    Action.ASK_CARRIER: Step.NEGOTIATE,
    Action.RECORD_CONSENT: Step.NEGOTIATE,
    Action.RECORD_REFUSAL: Step.NEGOTIATE,
    Action.GO_WITHOUT_CONSENT: Step.NEGOTIATE,
    Action.FILL_NUMBER: Step.NUMBER,
    Action.SUBMIT: Step.NUMBER,
    Action.RELEASE_UNKNOWN: Step.NUMBER,
    Action.TELL_CUSTOMER: Step.NOTIFY,
    Action.CUSTOMER_TOLD: Step.NOTIFY,
    Action.NOTICE_FAILED: Step.NOTIFY,
    Action.SKIP_NOTICE: Step.NOTIFY,
}


def _actions(facts: CaseFacts, role: Role | None, now: datetime) -> tuple[ActionView, ...]:
    """What a person may do here and now, and why not; facts that only come in by themselves are left out."""
    best = next_best(facts, now).action
    found = []
    for action in Action:
        refused = can(facts, action, role, now)
        if refused is not None and refused.why.code in ("system_only", "action_not_here"):
            continue
        step = _STEP_OF_ACTION.get(action, Step.FOLLOW)
        why = refused.why if refused else None
        found.append(ActionView(action.value, step.value, refused is None, why, action is best))
    return tuple(found)


def _statement(row: Statement) -> StatementView:
    sealed = bytes(row.words)
    place = statement_place(row.case_id, row.recorded_at)
    words = unseal(row.shop_id, sealed, where=place).decode() if sealed else ""
    return StatementView(row.pk, row.source, row.claim, words, said_at=row.said_at, by=row.by)


def _timeline(case: Case) -> tuple[TimelineView, ...]:
    rows = TimelineEntry.objects.filter(shop_id=case.shop_id, case=case).order_by("-id")
    return tuple(_entry(row) for row in rows)


def _entry(row: TimelineEntry) -> TimelineView:
    sealed = bytes(row.words)
    place = entry_place(row.case_id, row.kind, row.at)
    words = unseal(row.shop_id, sealed, where=place).decode() if sealed else ""
    return TimelineView(
        entry_id=row.pk,
        kind=row.kind,
        audience=row.audience,
        by=row.by,
        at=row.at,
        data=row.data,
        words=words,
        effect_id=row.effect_id,
    )
