"""A measure does something when it is chosen: the second person, refunds and payments, what they leave in the books."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from bufa.apps.audit import queries as audit
from bufa.apps.cases import actions, queries, remedies
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case, LedgerLine, Remedy
from bufa.apps.cases.shapes import CaseView
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries as effect_queries
from bufa.apps.notices import actions as notices
from bufa.apps.orders.models import Line, Recipient
from bufa.apps.reissues.queries import open_draft
from bufa.apps.shops import actions as shops
from bufa.domain.cases import Action, CaseState, Claim, Payer, RemedyState
from bufa.domain.effects import Result
from bufa.domain.kinds import Measure, Role
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused
from bufa.domain.verdict import Source
from bufa.jobs.effects import tell_owner
from bufa.lib.tenancy import for_shops
from tests.factories import make_ticket
from tests.factories.sample import Sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)
OTHER_LEAD = Actor(9, "吴", Role.LEAD)


def ids(sample: Sample, name: str = "fresh") -> dict[str, int]:
    return {"shop_id": sample.shop_id, "case_id": sample.ids[name]}


def page(sample: Sample, name: str = "fresh") -> CaseView:
    found = queries.case_page(sample.shop_id, sample.cases[name], Role.LEAD, sample.now)
    assert found is not None
    return found


def act(sample: Sample, action: Action, by: Actor = AGENT, **params: Any) -> actions.Acted:
    return actions.act(**ids(sample), action=action, by=by, **params)


def confirm(sample: Sample, claim: Claim = Claim.LOST) -> None:
    act(sample, Action.CONFIRM_VERDICT, claim=claim)


def limit(sample: Sample, fen: int | None) -> None:
    shops.change_policy(shop_id=sample.shop_id, changes={"approve_over_fen": fen}, by="test")


def refund_ticket(
    sample: Sample, status: int = 6, *, number: str = "8801", update_time: int = 5, fen: int = 8900
) -> None:
    with for_shops([sample.shop_id]):
        order = Case.objects.select_related("order").get(id=sample.ids["fresh"]).order.number
    ticket = make_ticket(number, order, type=1, status=status, update_time=update_time, refund_fen=fen)
    take_in(shop_id=sample.shop_id, after_sales=[ticket], now=sample.now)


def refused(sample: Sample, action: Action, by: Actor = AGENT, **params: Any) -> str:
    with pytest.raises(Refused) as told:
        act(sample, action, by, **params)
    return told.value.why.code


def ledger(sample: Sample) -> list[tuple[str, int, str]]:
    with for_shops([sample.shop_id]):
        return [(row.kind, row.amount_fen, row.payer) for row in LedgerLine.objects.order_by("id")]


# --- the second person -----------------------------------------------------------------------------------------------


def test_what_costs_too_much_for_one_is_asked_for_and_approved_by_another(sample: Sample) -> None:
    limit(sample, 5000)
    confirm(sample)
    assert refused(sample, Action.CHOOSE_MEASURE, LEAD, measure=Measure.REISSUE) == "approval_needed"
    act(sample, Action.REQUEST_APPROVAL, LEAD, measure=Measure.REISSUE, reason="客户周四要用")
    asked = page(sample)
    assert asked.row.state == CaseState.DETERMINING
    assert asked.row.next_action == Action.APPROVE
    assert asked.approval is not None
    assert (asked.approval.measure, asked.approval.cost_fen, asked.approval.by) == ("reissue", 8900 + 800, "周")
    assert [row.code for row in queries.waiting_approvals([sample.shop_id])] == [asked.row.code]

    assert refused(sample, Action.APPROVE, LEAD) == "own_request"
    assert refused(sample, Action.APPROVE, AGENT) == "not_allowed"
    assert refused(sample, Action.REQUEST_APPROVAL, LEAD, measure=Measure.REFUND, reason="x") == "approval_is_asked"
    acted = act(sample, Action.APPROVE, OTHER_LEAD)
    assert acted.facts.measure is Measure.REISSUE
    assert acted.state is CaseState.ASKING  # the carrier pays, so its consent is wanted
    assert queries.waiting_approvals([sample.shop_id]) == ()
    said = [entry.action for entry in audit.newest([sample.shop_id], subject=f"case:{sample.ids['fresh']}", limit=3)]
    assert said[:2] == ["case.approve", "case.request_approval"]


def test_a_request_can_be_taken_back_or_declined(sample: Sample) -> None:
    limit(sample, 5000)
    confirm(sample)
    for way, by, more in ((Action.WITHDRAW_REQUEST, AGENT, {}), (Action.DECLINE, OTHER_LEAD, {"reason": "先催件"})):
        act(sample, Action.REQUEST_APPROVAL, measure=Measure.REISSUE, reason="客户周四要用")
        acted = act(sample, way, by, **more)
        assert acted.facts.approval_measure is None
        assert acted.facts.measure is None
    assert refused(sample, Action.APPROVE, OTHER_LEAD) == "no_approval_asked"


def test_without_a_limit_nobody_is_asked(sample: Sample) -> None:
    confirm(sample)
    assert act(sample, Action.CHOOSE_MEASURE, measure=Measure.REISSUE).facts.measure is Measure.REISSUE


def test_splitting_the_amount_over_hands_does_not_get_around_the_limit(sample: Sample) -> None:
    limit(sample, 5000)
    confirm(sample)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.REFUND, amount_fen=3000)
    with pytest.raises(Refused) as told:
        remedies.done_by_hand(**ids(sample), by=AGENT, amount_fen=8900)
    assert told.value.why.code == "approval_needed"
    refund_ticket(sample, fen=8900)
    with pytest.raises(Refused) as told:
        remedies.by_platform(**ids(sample), by=AGENT)
    assert told.value.why.code == "approval_needed"


# --- refund ----------------------------------------------------------------------------------------------------------


def test_a_refund_goes_through_the_customers_ticket_and_is_told_when_it_is_done(sample: Sample) -> None:
    refund_ticket(sample)
    confirm(sample)
    acted = act(sample, Action.CHOOSE_MEASURE, measure=Measure.REFUND, delay=timedelta(0))
    assert acted.facts.remedy is RemedyState.UNDER_WAY
    (effect_id,) = queries.remedy_effects(sample.shop_id, sample.ids["fresh"])
    with pytest.raises(Refused) as told:
        notices.send(**ids(sample), channel=Channel.PHONE, by=AGENT)
    assert told.value.why.code == "remedy_not_done"
    assert refused(sample, Action.CHANGE_MEASURE, measure=Measure.REISSUE, reason="x") == "remedy_has_left"

    settle(sample, effect_id, Result.ACCEPTED)
    assert page(sample).row.state == CaseState.TELLING
    assert ledger(sample) == [("refund", 8900, "carrier")]
    call = notices.send(**ids(sample), channel=Channel.PHONE, by=AGENT)
    notices.finish_call(shop_id=sample.shop_id, notice_id=call, outcome="reached", by=AGENT)
    assert page(sample).row.outcome == "refunded"


def settle(sample: Sample, effect_id: int, result: Result, **error: str) -> None:
    begun = effects.begin(shop_id=sample.shop_id, effect_id=effect_id)
    assert begun is not None
    assert (begun.kind, begun.intent["kind"], begun.intent["update_time"]) == ("agree_refund", 201, 5)
    with for_shops([sample.shop_id]):
        done = effects.finish(
            shop_id=sample.shop_id, effect_id=effect_id, attempt=begun.attempt, result=result, error=error
        )
        assert done is not None
        tell_owner(done)


def test_a_refund_that_the_platform_refuses_is_tried_another_way(sample: Sample) -> None:
    refund_ticket(sample)
    confirm(sample)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.REFUND, delay=timedelta(0))
    (effect_id,) = queries.remedy_effects(sample.shop_id, sample.ids["fresh"])
    settle(sample, effect_id, Result.REJECTED, why="business", text="售后单状态已变化")
    found = page(sample)
    assert (found.row.next_action, found.row.why.code) == (Action.CHANGE_MEASURE, "remedy_failed")
    assert found.remedy is not None
    assert (found.remedy.state, found.remedy.why, found.remedy.can_use) == ("failed", "售后单状态已变化", "8801")

    refund_ticket(sample, update_time=6)
    again = remedies.by_platform(**ids(sample), by=AGENT)
    assert again != effect_id
    assert effect_queries.by_id([sample.shop_id], [again])[again].state == "ready"
    remedies.take_back(shop_id=sample.shop_id, remedy_id=found.remedy.remedy_id, by=AGENT)
    assert page(sample).row.why.code == "remedy_todo"
    remedies.done_by_hand(**ids(sample), by=AGENT, reference="2026112012345", amount_fen=5000)
    assert ledger(sample) == [("refund", 5000, "carrier")]


def test_without_a_ticket_a_refund_is_a_task_that_the_platforms_own_refund_ends(sample: Sample) -> None:
    confirm(sample)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.REFUND)
    assert page(sample).row.why.code == "remedy_todo"
    refund_ticket(sample, status=12, fen=8000)
    found = page(sample)
    assert found.remedy is not None
    assert (found.remedy.state, found.remedy.ticket, found.remedy.done_by) == ("done", "8801", SYSTEM.name)
    assert ledger(sample) == [("refund", 8000, "carrier")]


def test_an_unknown_refund_is_settled_by_a_person_and_never_sent_again(sample: Sample) -> None:
    refund_ticket(sample)
    confirm(sample)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.REFUND, delay=timedelta(0))
    (effect_id,) = queries.remedy_effects(sample.shop_id, sample.ids["fresh"])
    settle(sample, effect_id, Result.UNKNOWN)
    assert effects.begin(shop_id=sample.shop_id, effect_id=effect_id) is None
    found = page(sample)
    assert (found.row.why.code, found.row.waiting_for) == ("remedy_unknown", "shop")
    assert found.remedy is not None
    with pytest.raises(Refused):
        remedies.release(shop_id=sample.shop_id, remedy_id=found.remedy.remedy_id, is_done=True, by=AGENT)
    remedies.release(shop_id=sample.shop_id, remedy_id=found.remedy.remedy_id, is_done=True, by=LEAD)
    assert ledger(sample) == [("refund", 8900, "carrier")]


# --- compensate, intercept, wait --------------------------------------------------------------------------------------


def test_compensation_says_how_much_and_who_pays(sample: Sample) -> None:
    confirm(sample, Claim.LATE)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.COMPENSATE, amount_fen=1200, payer=Payer.SHOP)
    assert refused(sample, Action.SKIP_NOTICE, reason="x") == "remedy_not_done"
    remedies.done_by_hand(**ids(sample), by=AGENT, reference="T1")
    assert ledger(sample) == [("compensation", 1200, "shop")]
    with pytest.raises(Refused) as told:
        remedies.done_by_hand(**ids(sample), by=AGENT)
    assert told.value.why.code == "no_remedy_waits"
    assert act(sample, Action.SKIP_NOTICE, reason="客户在线").facts.outcome == "compensated"


def test_the_ledger_takes_no_change(sample: Sample) -> None:
    confirm(sample, Claim.LATE)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.COMPENSATE)
    remedies.done_by_hand(**ids(sample), by=AGENT)
    with for_shops([sample.shop_id]), connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(current_user, 'cases_ledgerline', 'UPDATE')")
        assert cursor.fetchone() == (False,)


def test_a_recall_shows_its_cost_unless_the_buyer_wished_for_it(sample: Sample) -> None:
    confirm(sample, Claim.STALLED)
    with pytest.raises(Refused) as told:
        act(sample, Action.CHOOSE_MEASURE, measure=Measure.INTERCEPT)
    assert (told.value.why.code, told.value.why.params["cost_fen"]) == ("recall_not_wished", 2225)
    actions.add_statement(
        **ids(sample), source=Source.CUSTOMER, claim=Claim.STALLED, words="不要了，退回去吧",
        said_at=sample.now, wish=Measure.INTERCEPT, by=AGENT,
    )  # fmt: skip
    assert page(sample).penalty_fen == 0
    acted = act(sample, Action.CHOOSE_MEASURE, measure=Measure.INTERCEPT)
    assert acted.state is CaseState.ASKING
    with for_shops([sample.shop_id]):
        assert [one["kind"] for one in Case.objects.get(id=sample.ids["fresh"]).todo] == ["write_to_carrier"]


def test_with_a_ticket_the_platform_calls_it_back(sample: Sample) -> None:
    refund_ticket(sample)
    confirm(sample, Claim.STALLED)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.INTERCEPT, accept_penalty=True, delay=timedelta(0))
    (effect_id,) = queries.remedy_effects(sample.shop_id, sample.ids["fresh"])
    begun = effects.begin(shop_id=sample.shop_id, effect_id=effect_id)
    assert begun is not None
    assert (begun.kind, begun.intent["after_sale"], begun.intent["carrier"]) == ("intercept", "8801", "zhongtong")
    with for_shops([sample.shop_id]):
        done = effects.finish(
            shop_id=sample.shop_id, effect_id=effect_id, attempt=begun.attempt, result=Result.ACCEPTED,
            outcome={"cost_fen": 500},
        )  # fmt: skip
        assert done is not None
        tell_owner(done)
    assert page(sample).row.state == CaseState.FOLLOWING
    assert ledger(sample) == [("intercept_fee", 500, "shop")]


def test_another_measure_takes_back_what_waits(sample: Sample) -> None:
    confirm(sample)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.REFUND)
    act(sample, Action.CHANGE_MEASURE, measure=Measure.REISSUE, reason="客户改主意")
    with for_shops([sample.shop_id]):
        assert [(row.measure, row.state) for row in Remedy.objects.all()] == [("refund", "cancelled")]


# --- reports by item, wishes, consent ---------------------------------------------------------------------------------


def test_a_report_by_item_makes_a_part_reissue_and_its_price(sample: Sample) -> None:
    line = page(sample).order.lines[0]
    with pytest.raises(Refused) as told:
        report(sample, ((line.line_id, line.quantity + 1),))
    assert told.value.why.code == "items_not_ordered"
    with for_shops([sample.shop_id]):
        Line.objects.filter(line_id=line.line_id).update(quantity=4)
    report(sample, ((line.line_id, 1),))
    found = page(sample)
    assert [(item.quantity, item.ordered) for item in found.items] == [(1, 4)]
    costs = {option.measure: option.costs["goods"] for option in found.options}
    assert (costs["reissue"], costs["refund"]) == (2225, 8900)
    confirm(sample, Claim.SHORT)
    act(sample, Action.CHOOSE_MEASURE, measure=Measure.REISSUE)
    assert open_draft(sample.shop_id, sample.ids["fresh"], sample.now).form.items == ((line.line_id, 1),)


def report(sample: Sample, items: tuple[tuple[str, int], ...]) -> int:
    return actions.add_statement(
        **ids(sample), source=Source.CUSTOMER, claim=Claim.SHORT, words="少了一件", said_at=sample.now,
        items=items, by=AGENT,
    )  # fmt: skip


def test_what_the_customer_wishes_is_proposed(sample: Sample) -> None:
    actions.add_statement(
        **ids(sample), source=Source.CUSTOMER, claim=Claim.LATE, words="退钱", said_at=sample.now,
        wish=Measure.REFUND, by=AGENT,
    )  # fmt: skip
    proposed = next(option for option in page(sample).options if option.is_proposed)
    assert (proposed.measure, proposed.why and proposed.why.code) == ("refund", "customer_wishes")
    with pytest.raises(Refused) as told:
        actions.add_statement(
            **ids(sample), source=Source.CARRIER, claim=Claim.LATE, words="x", said_at=sample.now,
            wish=Measure.REFUND, by=AGENT,
        )  # fmt: skip
    assert told.value.why.code == "wish_is_customers"


@pytest.mark.parametrize(
    ("consent", "state"),
    [("always", CaseState.ASKING), ("never", CaseState.NUMBERING), ("carrier_pays", CaseState.NUMBERING)],
)
def test_the_policy_at_the_time_of_choosing_says_whose_consent_is_needed(
    sample: Sample, consent: str, state: CaseState
) -> None:
    shops.change_policy(shop_id=sample.shop_id, changes={"consent": consent}, by="test")
    confirm(sample)
    assert act(sample, Action.CHOOSE_MEASURE, measure=Measure.REISSUE, carrier_pays=False).state is state


def test_a_change_of_policy_is_kept_with_what_it_was(sample: Sample) -> None:
    shops.change_policy(shop_id=sample.shop_id, changes={"consent": "always"}, by="zhou")
    assert shops.change_policy(shop_id=sample.shop_id, changes={"consent": "always"}, by="zhou") == {}
    (last, *_) = audit.newest([sample.shop_id], subject=f"shop:{sample.shop_id}")
    assert (last.by, last.action, last.data) == ("zhou", "policy.change", {"changed": {"consent": [None, "always"]}})


def test_the_same_recipients_past_is_shown_and_judges_nothing(sample: Sample) -> None:
    before = page(sample).verdict
    with for_shops([sample.shop_id]):
        orders = [page(sample, name).row.order_id for name in ("fresh", "closed", "asking")]
        Recipient.objects.filter(order_id__in=orders).update(open_address_id="same")
    past = queries.claims_of_recipient(sample.shop_id, orders[0], sample.now)
    assert past.orders == 2
    assert {case.code for case in past.cases} == {sample.cases["closed"], sample.cases["asking"]}
    assert page(sample).verdict == before
