"""The reissue form and its gate, the one number that is used for ever, tickets, and what the case learns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.models import ProtectedError

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import Effect
from bufa.apps.orders.models import AfterSale
from bufa.apps.parcels.models import Parcel, Subscription
from bufa.apps.reissues import actions, queries, tickets
from bufa.apps.reissues.models import Reissue
from bufa.apps.reissues.queries import ReissueForm
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops.models import Connection
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.reissue_numbers import valid_reissue_number
from bufa.domain.reissues import Answer
from bufa.lib.tenancy import for_shops
from tests.factories import make_ticket
from tests.factories.sample import Sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)
WHY = "客户急用，先发"
FRESH = "YT8888000000001"


def ids(sample: Sample, name: str) -> dict[str, int]:
    return {"shop_id": sample.shop_id, "case_id": sample.ids[name]}


def case(sample: Sample, name: str) -> Case:
    with for_shops([sample.shop_id]):
        return Case.objects.select_related("order", "parcel").get(id=sample.ids[name])


def reissue(sample: Sample, name: str) -> Reissue:
    with for_shops([sample.shop_id]):
        return Reissue.objects.filter(case_id=sample.ids[name]).latest("id")


def form(sample: Sample, name: str = "numbering", number: str = FRESH) -> ReissueForm:
    draft = queries.open_draft(**ids(sample, name), now=sample.now)
    return replace(draft.form, carrier="yuantong", number=number)


def submit(sample: Sample, name: str = "numbering", number: str = FRESH, by: Actor = LEAD) -> actions.Submitted:
    return actions.submit(**ids(sample, name), form=form(sample, name, number), by=by, override_reason=WHY)


def told(row: Reissue, state: str, **error: str) -> Settled:
    effect_id = row.effect_id or 0
    return Settled(row.shop_id, effect_id, "extra_package", f"reissue:{row.pk}", state, error=error, by="answer")


# --- the form --------------------------------------------------------------------------------------------------------


def test_the_form_opens_filled_in(sample: Sample) -> None:
    draft = queries.open_draft(**ids(sample, "numbering"), now=sample.now)
    assert draft.form.items == (("numbering-1", 1),)
    assert [one.pickup_id for one in draft.pickups] == [draft.form.pickup_id]
    assert draft.form.carrier == "zhongtong"
    assert draft.form.number == ""
    assert (draft.route, draft.route_why.code) == ("extra_package", "route_no_ticket")
    assert draft.asks_for_ticket is True  # late already: without a ticket the platform punishes it
    assert sample.now < draft.eta_from <= draft.eta_to


@pytest.mark.parametrize(
    ("number", "check", "answer"),
    [
        (FRESH, "number", Answer.PASS),
        ("", "number", Answer.REFUSED),
        ("!!", "number", Answer.REFUSED),
        ("original", "original", Answer.REFUSED),
        ("used", "used", Answer.REFUSED),
    ],
)
def test_the_gate_looks_at_the_number(sample: Sample, number: str, check: str, answer: Answer) -> None:
    real = {"original": case(sample, "numbering").parcel.number, "used": reissue(sample, "telling").number}
    checked = queries.check_form(
        **ids(sample, "numbering"), form=form(sample, number=real.get(number, number)), now=sample.now
    )
    assert {one.code: one.verdict for one in checked.report.checks}[check] is answer


@pytest.mark.parametrize(
    ("changed", "check", "why"),
    [
        ({"pickup_id": None}, "pickup", "pickup_incomplete"),
        ({"items": ()}, "items", "items_missing"),
        ({"items": (("numbering-1", 2),)}, "items", "quantity_above_order"),
        ({"items": (("someone-elses", 1),)}, "items", "quantity_above_order"),
    ],
)
def test_the_gate_refuses_what_is_incomplete(sample: Sample, changed: dict[str, object], check: str, why: str) -> None:
    filled = replace(form(sample), **changed)  # type: ignore[arg-type]
    checked = queries.check_form(**ids(sample, "numbering"), form=filled, now=sample.now)
    found = next(one for one in checked.report.checks if one.code == check)
    assert (found.verdict, found.why.code) == (Answer.REFUSED, why)
    with pytest.raises(Refused) as refused:
        actions.submit(**ids(sample, "numbering"), form=filled, by=LEAD, override_reason=WHY)
    assert refused.value.why.code == "gate_refused"
    with for_shops([sample.shop_id]):
        assert not Reissue.objects.filter(case_id=sample.ids["numbering"]).exists()


def test_sent_to_someone_else_is_a_warning_never_a_pass(sample: Sample) -> None:
    filled = replace(form(sample), delivery="ticket")
    checked = queries.check_form(**ids(sample, "numbering"), form=filled, now=sample.now)
    assert {one.code: one.verdict for one in checked.report.checks}["recipient"] is Answer.CANNOT_TELL


# --- submitting ------------------------------------------------------------------------------------------------------


def test_what_will_be_punished_needs_a_lead_and_a_reason(sample: Sample) -> None:
    with pytest.raises(Refused) as refused:
        actions.submit(**ids(sample, "numbering"), form=form(sample), by=AGENT)
    assert refused.value.why.code == "gate_needs_lead"
    with pytest.raises(Refused) as refused:
        actions.submit(**ids(sample, "numbering"), form=form(sample), by=LEAD)
    assert refused.value.why.code == "gate_needs_reason"
    assert case(sample, "numbering").state == "numbering"
    done = submit(sample)
    row = reissue(sample, "numbering")
    assert valid_reissue_number(done.code)
    assert (row.state, row.route, row.override_reason, row.number, row.round) == (
        "submitting",
        "extra_package",
        WHY,
        FRESH,
        1,
    )
    assert {one["code"] for one in row.gate} >= {"number", "used", "recipient", "pickup", "delivery"}
    with for_shops([sample.shop_id]):
        effect = Effect.objects.get(id=done.effect_id)
        assert (effect.kind, effect.lane, effect.state) == (
            "extra_package",
            f"order:{case(sample, 'numbering').order.number}",
            "ready",
        )
        assert effect.next_at is not None


def test_a_number_is_used_once_for_ever_in_every_shop(sample: Sample) -> None:
    submit(sample)
    with pytest.raises(Refused) as refused:
        submit(sample, "fresh")
    assert refused.value.why.code in {"gate_refused", "action_not_here"}
    checked = queries.check_form(**ids(sample, "fresh"), form=form(sample, "fresh"), now=sample.now)
    assert {one.code: one.verdict for one in checked.report.checks}["used"] is Answer.REFUSED


def test_stopped_in_time_the_same_number_may_be_tried_again(sample: Sample) -> None:
    done = submit(sample)
    actions.stop(shop_id=sample.shop_id, reissue_id=done.reissue_id, by=AGENT)
    assert (reissue(sample, "numbering").state, case(sample, "numbering").state) == ("cancelled", "numbering")
    with pytest.raises(Refused) as refused:
        actions.stop(shop_id=sample.shop_id, reissue_id=done.reissue_id, by=AGENT)
    assert refused.value.why.code == "already_left"
    again = submit(sample)
    assert again.reissue_id != done.reissue_id
    with for_shops([sample.shop_id]):
        assert Effect.objects.filter(subject__startswith="reissue:", state="ready").count() == 2  # and the sample's


def test_accepted_is_a_parcel_that_is_followed(sample: Sample) -> None:
    submit(sample)
    row = reissue(sample, "numbering")
    actions.on_effect(told(row, "accepted"))
    actions.on_effect(told(row, "accepted"))
    row = reissue(sample, "numbering")
    found = case(sample, "numbering")
    with for_shops([sample.shop_id]):
        parcel = Parcel.objects.get(id=row.parcel_id)
        assert (row.state, parcel.role, parcel.number, parcel.contents) == (
            "accepted",
            "reissue",
            FRESH,
            [["numbering-1", 1]],
        )
        assert Parcel.objects.filter(number=FRESH).count() == 1
        assert Subscription.objects.get(parcel=parcel).state == "wanted"
    assert (found.state, found.step, found.facts["reissue_parcels"]) == ("telling", "notify", [parcel.pk])
    assert found.facts["promise_at"] == row.eta_to.isoformat()  # type: ignore[union-attr]


def test_rejected_comes_back_with_the_platforms_words(sample: Sample) -> None:
    submit(sample)
    actions.on_effect(told(reissue(sample, "numbering"), "rejected", why="business", text="运单号校验失败"))
    found = case(sample, "numbering")
    assert (reissue(sample, "numbering").state, found.state, found.why["code"]) == (
        "rejected",
        "numbering",
        "number_rejected",
    )
    with for_shops([sample.shop_id]):
        assert submit(sample, number="YT8888000000002").effect_id is not None


@pytest.mark.parametrize(
    ("is_there", "state", "reissue_state"), [(True, "telling", "accepted"), (False, "numbering", "rejected")]
)
def test_a_lead_says_what_the_platform_shows(sample: Sample, is_there: bool, state: str, reissue_state: str) -> None:
    row = reissue(sample, "unknown")
    choice = {"shop_id": sample.shop_id, "reissue_id": row.pk, "is_there": is_there, "reason": "后台看过了"}
    with pytest.raises(Refused) as refused:
        actions.release(**choice, by=AGENT)  # type: ignore[arg-type]
    assert refused.value.why.code == "not_allowed"
    assert reissue(sample, "unknown").state == "unknown"
    with for_shops([sample.shop_id]):
        assert Effect.objects.get(id=row.effect_id).state == "unknown"
    actions.release(**choice, by=LEAD)  # type: ignore[arg-type]
    assert (case(sample, "unknown").state, reissue(sample, "unknown").state) == (state, reissue_state)
    with for_shops([sample.shop_id]):
        effect = Effect.objects.get(id=row.effect_id)
        assert (effect.state, effect.settled_by) == ("accepted" if is_there else "rejected", "周")
    with pytest.raises(Refused) as refused:
        actions.release(**choice, by=LEAD)  # type: ignore[arg-type]
    assert refused.value.why.code == "submission_not_unknown"


def test_without_access_a_person_enters_it_and_says_so(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        Connection.objects.filter(kind="doudian").delete()
    done = submit(sample)
    assert done.effect_id is None
    row = reissue(sample, "numbering")
    assert (row.route, row.state, case(sample, "numbering").state) == ("copy_pack", "unknown", "submitting")
    actions.release(shop_id=sample.shop_id, reissue_id=row.pk, is_there=True, reason="已在后台填写", by=LEAD)
    assert case(sample, "numbering").state == "telling"


# --- following -------------------------------------------------------------------------------------------------------


def test_a_reissue_gone_wrong_opens_the_next_round_in_the_same_case(sample: Sample) -> None:
    before = case(sample, "following")
    cases.react(**ids(sample, "following"), event=Action.REISSUE_WRONG)
    actions.follow(**ids(sample, "following"))
    found = case(sample, "following")
    assert (found.code, found.round, found.state, found.measure) == (before.code, 2, "determining", "")
    assert reissue(sample, "following").state == "wrong"
    assert found.facts["notice_state"] == found.facts["reissue_state"] == ""


def test_a_reissue_that_arrived_closes_the_case(sample: Sample) -> None:
    cases.react(**ids(sample, "following"), event=Action.REISSUE_DELIVERED)
    actions.follow(**ids(sample, "following"))
    found = case(sample, "following")
    assert (found.state, found.outcome, found.closed_by) == ("closed", "reissue_delivered", "system")
    assert reissue(sample, "following").state == "delivered"


def test_found_by_its_own_number(sample: Sample) -> None:
    row = reissue(sample, "following")
    (hit,) = queries.find([sample.shop_id], row.code.lower())
    assert (hit.case_code, hit.number) == (sample.cases["following"], row.number)
    assert queries.find([sample.shop_id], "R2") == ()
    with for_shops([sample.shop_id]):
        Reissue.objects.filter(id=row.pk).update(code="RZBS-22SB-2")  # of the alphabet before
    for typed in ("RZBS-22SB-2", "rzbs22sb", "RZBS22SB2", "RZBS"):
        assert [hit.code for hit in queries.find([sample.shop_id], typed)] == ["RZBS-22SB-2"]


def test_cases_accepted_before_the_number_was_kept_learn_it(sample: Sample) -> None:
    row, kept = reissue(sample, "telling"), case(sample, "telling")
    without = {name: value for name, value in kept.facts.items() if name != "reissue_code"}
    with for_shops([sample.shop_id]):
        Case.objects.filter(id=kept.pk).update(facts=without)
    fill = import_module("bufa.apps.reissues.migrations.0004_tell_the_number").FILL
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in fill.strip().split(";\n")[:2]:
            cursor.execute(statement)
    assert case(sample, "telling").facts == {**without, "reissue_code": row.code}


# --- tickets ---------------------------------------------------------------------------------------------------------


def ticket(sample: Sample, status: int = 6) -> str:
    order = case(sample, "numbering").order.number
    fact = make_ticket("7100", order, status=status, update_time=1234, deadline=sample.now + timedelta(hours=20))
    take_in(shop_id=sample.shop_id, after_sales=[fact], now=sample.now)
    return "7100"


def test_a_tickets_deadline_is_the_cases_while_it_is_open(sample: Sample) -> None:
    ticket(sample)
    assert case(sample, "numbering").due_at == sample.now + timedelta(hours=20)
    order = case(sample, "numbering").order.number
    withdrawn = make_ticket("7100", order, status=28, update_time=1235, deadline=sample.now + timedelta(hours=20))
    take_in(shop_id=sample.shop_id, after_sales=[withdrawn], now=sample.now)
    assert case(sample, "numbering").due_at != sample.now + timedelta(hours=20)


def test_a_ticket_is_agreed_once_with_its_update_time(sample: Sample) -> None:
    number = ticket(sample)
    one = tickets.answer_ticket(shop_id=sample.shop_id, number=number, agree=True, by=AGENT)
    assert tickets.answer_ticket(shop_id=sample.shop_id, number=number, agree=True, by=LEAD) == one
    with for_shops([sample.shop_id]):
        effect = Effect.objects.get(id=one)
        row = AfterSale.objects.get(number=number)
        assert (effect.kind, effect.key) == ("agree_resend", f"ticket:{number}:1234:agree_resend")
    settled = Settled(sample.shop_id, one, "agree_resend", f"ticket:{row.pk}", "accepted", by="answer")
    tickets.on_effect(settled)
    draft = queries.open_draft(**ids(sample, "numbering"), now=sample.now)
    assert (draft.route, draft.asks_for_ticket) == ("resend", False)
    done = actions.submit(**ids(sample, "numbering"), form=form(sample), by=AGENT)
    with for_shops([sample.shop_id]):
        assert Effect.objects.get(id=done.effect_id).kind == "resend"
    assert reissue(sample, "numbering").after_sale_number == number


@pytest.mark.parametrize(
    ("status", "agree", "reason", "code"),
    [(8, True, "", "ticket_not_open"), (27, False, "不行", "ticket_not_open"), (6, False, " ", "parameter_missing")],
)
def test_tickets_that_can_not_be_answered_so(sample: Sample, status: int, agree: bool, reason: str, code: str) -> None:
    number = ticket(sample, status)
    with pytest.raises(Refused) as refused:
        tickets.answer_ticket(shop_id=sample.shop_id, number=number, agree=agree, reason=reason, by=AGENT)
    assert refused.value.why.code == code


def test_a_refused_ticket_may_still_be_agreed(sample: Sample) -> None:
    number = ticket(sample, 27)
    assert tickets.answer_ticket(shop_id=sample.shop_id, number=number, agree=True, by=AGENT) > 0
    with pytest.raises(Refused) as refused:
        tickets.answer_ticket(shop_id=sample.shop_id, number="0", agree=True, by=AGENT)
    assert refused.value.why.code == "no_such_ticket"


def test_a_pickup_address_that_a_reissue_used_stays(sample: Sample) -> None:
    pickup = reissue(sample, "telling").pickup_address_id or 0
    with pytest.raises(ProtectedError):
        shop_actions.remove_pickup_address(shop_id=sample.shop_id, pickup_id=pickup, by="test")
