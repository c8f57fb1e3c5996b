"""One case whole, as its page shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import QuerySet

from bufa.apps.cases import facts as case_facts
from bufa.apps.cases.actions import entry_place, statement_place
from bufa.apps.cases.files import files_of
from bufa.apps.cases.models import Case, LedgerLine, Remedy, Statement, TimelineEntry
from bufa.apps.cases.remedy_start import way
from bufa.apps.cases.rows import case_row, case_rows, findings_of
from bufa.apps.cases.shapes import (
    ActionView,
    ApprovalView,
    CaseRow,
    CaseView,
    FileView,
    ItemView,
    LedgerView,
    OptionView,
    RemedyView,
    ShareView,
    StatementView,
    StepView,
    TimelineView,
    VerdictView,
)
from bufa.apps.cases.weighing import Weighed, weigh
from bufa.apps.orders.views import OrderView, order_view
from bufa.apps.parcels import lane_counts
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.domain.case_facts import NoticeState, Outcome, ReissueState
from bufa.domain.case_measures import SPENDING
from bufa.domain.cases import Action, CaseFacts, CaseState, can, next_best
from bufa.domain.kinds import Measure, Role, Step
from bufa.domain.measures import Items, Option
from bufa.domain.parcels import ParcelState
from bufa.domain.verdict import DOUBT, Verdict
from bufa.lib.crypto import unseal
from bufa.lib.shelf import together
from bufa.lib.tenancy import reading

_STEPS = tuple(Step)


Beside = Callable[[CaseRow, Sequence[ParcelView]], Sequence[Callable[[], object]]]
"""What a page reads beside its case: functions, given the case and those of its parcels that are known by now."""


def case_page(
    shop_id: int, code: str, role: Role | None, now: datetime, beside: Sequence[Beside] = ()
) -> CaseView | None:
    """Everything about one case that its page shows; None when it is not this shop's.

    On a page that only reads this takes three statements, however long the case. `role` decides which actions are
    open. `beside`: what the page will ask of other rooms, read in the same statements: the first with the case's own
    rows, the second with what hangs on its parcels.
    """
    with reading([shop_id]):
        case = case_rows([shop_id]).filter(code=code).first()
        if case is None:
            return None
        _read_ahead(case, now, beside)
        around = case_facts.look_around(case, now)
        facts = case_facts.read(case, around)
        verdict = case_facts.weigh_all(around, now)
        parcels = parcel_views([shop_id], case_facts.parcel_ids(case), with_scans=True)
        files = files_of(case)
        order = order_view(shop_id, case.order_id)
        if order is None:
            raise LookupError(f"case {code} has no order")
        original = parcels[case.parcel_id]
        reissued = tuple(parcels[key] for key in case_facts.parcel_ids(case)[1:] if key in parcels)
        weighed = weigh(facts, around, order, reissued[-1] if reissued else original, verdict, now)
        open_tickets = [ticket.deadline for ticket in order.after_sales if ticket.status in (6, 8) and ticket.deadline]
        return CaseView(
            row=case_row(case),
            order=order,
            original=original,
            reissue_parcels=reissued,
            findings=findings_of([shop_id], case_facts.parcel_ids(case)),
            statements=tuple(_statement(row, order, files) for row in around.statements),
            verdict=_verdict(case, verdict),
            options=_options(facts, weighed),
            items=_items(weighed.items, order),
            approval=_approval(facts),
            remedy=_remedy(case, around),
            files=tuple(one for one in files if one.statement_id is None),
            recall_fen=weighed.option(Measure.INTERCEPT).payout_fen,
            penalty_fen=0 if facts.wants_recall else weighed.option(Measure.INTERCEPT).payout_fen,
            ledger=_ledger(case),
            steps=_steps(facts),
            actions=_actions(facts, role, now),
            timeline=_timeline(case),
            facts=case.facts,
            ticket_deadline=min(open_tickets, default=None),
        )


def _read_ahead(case: Case, now: datetime, beside: Sequence[Beside]) -> None:
    """What the page needs, in two statements: all that hangs on the case and its order, then what its parcels ask."""
    shop_id, ids, row = case.shop_id, case_facts.parcel_ids(case), case_row(case)
    first, then = (*beside, _nothing, _nothing)[:2]
    together(
        lambda: case_facts.look_around(case, now),
        lambda: parcel_views([shop_id], ids, with_scans=True),
        lambda: order_view(shop_id, case.order_id),
        lambda: findings_of([shop_id], ids),
        lambda: files_of(case),
        lambda: _remedy_row(case),
        lambda: _ledger(case),
        lambda: list(_entries(case)),
        *first(row, ()),
    )
    parcels = parcel_views([shop_id], ids)
    known = [parcels[key] for key in ids if key in parcels]
    last = known[-1]
    together(
        lambda: case_facts.look_around(case, now),
        lambda: lane_counts.eta(
            shop_id, last.carrier, last.origin_province, last.dest_province,
            ParcelState.from_json(last.state).collected_at, now,
        ),
        *then(row, known),
    )  # fmt: skip


def _nothing(row: CaseRow, parcels: Sequence[ParcelView]) -> tuple[Callable[[], object], ...]:
    return ()


def _verdict(case: Case, verdict: Verdict) -> VerdictView:
    return VerdictView(
        claim=verdict.claim.value,
        confidence=verdict.confidence,
        agree=tuple(source.value for source in verdict.agree),
        contradict=tuple(source.value for source in verdict.contradict),
        missing=tuple(source.value for source in verdict.missing),
        confirmed_by=case.verdict.get("confirmed_by", ""),
        shares=tuple(
            ShareView(one.source.value, one.said.value, round(one.weight), round(one.support), round(one.against))
            for one in verdict.shares
        ),
        doubt=DOUBT,
    )


def _options(facts: CaseFacts, weighed: Weighed) -> tuple[OptionView, ...]:
    return tuple(
        OptionView(
            measure=one.measure.value,
            is_proposed=one.measure is weighed.proposed,
            is_chosen=one.measure is facts.measure,
            costs=_costs(one),
            net_fen=one.net_fen,
            outlay_fen=one.outlay_fen,
            act_by=one.until,
            arrives_at=one.eta,
            arrives_late=one.late,
            hours=one.hours,
            needs_second=_needs_second(facts, one),
            why=weighed.why if one.measure is weighed.proposed else None,
            refused=one.why_not,
        )
        for one in weighed.choices
    )


def _needs_second(facts: CaseFacts, one: Option) -> bool:
    limit = facts.approve_over_fen
    return one.measure in SPENDING and limit is not None and one.outlay_fen > limit


def _costs(one: Option) -> dict[str, int]:
    return {
        "goods": one.goods_fen,
        "freight": one.freight_fen,
        "payout": one.payout_fen,
        "recovery": one.recovery_fen,
    }


def _approval(facts: CaseFacts) -> ApprovalView | None:
    if facts.approval_measure is None or facts.approval_at is None:
        return None
    return ApprovalView(
        measure=facts.approval_measure.value,
        cost_fen=facts.approval_fen,
        by_id=facts.approval_by,
        by=facts.approval_name,
        at=facts.approval_at,
        amount_fen=facts.approval_amount_fen,
        payer=facts.approval_payer.value if facts.approval_payer else "",
    )


def _remedy_row(case: Case) -> Remedy | None:
    """The newest thing that a measure of this round does outside."""
    rows = Remedy.objects.filter(shop_id=case.shop_id, case=case, round=case.round).exclude(state="cancelled")
    return rows.order_by("-id").first()


def _remedy(case: Case, around: case_facts.Around) -> RemedyView | None:
    row = _remedy_row(case)
    if row is None:
        return None
    ticket = way(case.shop_id, around, Measure(row.measure)) if row.state in ("todo", "failed") else None
    return RemedyView(
        remedy_id=row.pk,
        measure=row.measure,
        state=row.state,
        amount_fen=row.amount_fen,
        payer=row.payer,
        ticket=row.ticket,
        can_use=ticket.number if ticket else "",
        can_use_fen=ticket.refund_fen if ticket else 0,
        effect_id=row.effect_id,
        reference=row.reference,
        why=row.why,
        by=row.by,
        asked_at=row.asked_at,
        done_at=row.done_at,
        done_by=row.done_by,
    )


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
    Action.REQUEST_APPROVAL: Step.DETERMINE,
    Action.APPROVE: Step.DETERMINE,
    Action.DECLINE: Step.DETERMINE,
    Action.WITHDRAW_REQUEST: Step.DETERMINE,
    Action.REMEDY_DONE: Step.DETERMINE,
    Action.REMEDY_MOVED: Step.DETERMINE,
    Action.PARCEL_MOVED: Step.DETERMINE,
    Action.ASK_CARRIER: Step.NEGOTIATE,
    Action.RECORD_CONSENT: Step.NEGOTIATE,
    Action.RECORD_REFUSAL: Step.NEGOTIATE,
    Action.GO_WITHOUT_CONSENT: Step.NEGOTIATE,
    Action.FILL_NUMBER: Step.NUMBER,
    Action.SUBMIT: Step.NUMBER,
    Action.PROVE_SUBMISSION: Step.NUMBER,
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


def _items(items: Items, order: OrderView) -> tuple[ItemView, ...]:
    titles = {line.line_id: line for line in order.lines}
    return tuple(
        ItemView(line, f"{titles[line].title} {titles[line].spec}".strip(), count, titles[line].quantity)
        for line, count in items
        if line in titles
    )


def _ledger(case: Case) -> tuple[LedgerView, ...]:
    rows = LedgerLine.objects.filter(shop_id=case.shop_id, case=case).order_by("id")
    return tuple(LedgerView(row.kind, row.amount_fen, row.payer, row.at, row.by) for row in rows)


def _statement(row: Statement, order: OrderView, files: Sequence[FileView]) -> StatementView:
    sealed = bytes(row.words)
    place = statement_place(row.case_id, row.recorded_at)
    words = unseal(row.shop_id, sealed, where=place).decode() if sealed else ""
    return StatementView(
        row.pk,
        row.source,
        row.claim,
        words,
        said_at=row.said_at,
        by=row.by,
        wish=row.wish,
        items=_items(tuple((str(line), int(count)) for line, count in row.items), order),
        files=tuple(one for one in files if one.statement_id == row.pk),
    )


def _timeline(case: Case) -> tuple[TimelineView, ...]:
    return tuple(_entry(row) for row in _entries(case))


def _entries(case: Case) -> QuerySet[TimelineEntry]:
    return TimelineEntry.objects.filter(shop_id=case.shop_id, case=case).order_by("-id")


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
