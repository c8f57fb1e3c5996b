"""Promises with clocks, the next round, the customer's word before a case closes, two parcels on their way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases import doubles
from bufa.apps.cases import queries as case_queries
from bufa.apps.cases.models import Case, Finding, TimelineEntry
from bufa.apps.cases.taking_in import take_in
from bufa.apps.claims import actions as claim_actions
from bufa.apps.claims import queries as claims
from bufa.apps.negotiations.models import CarrierMessage
from bufa.apps.notices import actions as notices
from bufa.apps.notices import customer_page, links, promises, told_first
from bufa.apps.notices import queries as notice_queries
from bufa.apps.notices.models import Notice, Promise
from bufa.apps.orders.models import Line
from bufa.apps.parcels.models import Parcel
from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import actions as shops
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain.cases import Purpose
from bufa.domain.claims import ClaimAct
from bufa.domain.customer_says import Answer
from bufa.domain.double_delivery import Way
from bufa.domain.kinds import Role
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused
from bufa.jobs import cases as case_jobs
from bufa.jobs import claims as claim_jobs
from bufa.jobs import doubles as guard
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_report
from tests.factories.sample import Sample

DAY = timedelta(days=1)
SIGNED = "【深圳市】 已签收，签收人：本人"


def case_of(sample: Sample, name: str = "following") -> Case:
    with for_shops([sample.shop_id]):
        return Case.objects.select_related("parcel").get(id=sample.ids[name])


def boxes(sample: Sample, name: str = "following") -> list[Parcel]:
    case = case_of(sample, name)
    with for_shops([sample.shop_id]):
        rows = {row.pk: row for row in Parcel.objects.filter(order_id=case.order_id)}
    return [rows[key] for key in (case.parcel_id, *case.facts.get("reissue_parcels", []))]


def scan(sample: Sample, box: Parcel, text: str, code: str, hours: float = 0) -> None:
    at = sample.now + timedelta(hours=hours)
    report = make_report(box.number, (at, text, code), carrier=box.carrier)
    with clock.frozen(at + timedelta(minutes=5)):
        take_in(shop_id=sample.shop_id, reports=[report], now=at + timedelta(minutes=5))


def arrives(sample: Sample, hours: float = 1) -> None:
    """The reissue of the followed case is collected and signed for."""
    box = boxes(sample)[-1]
    scan(sample, box, "【杭州市】 快件已由【杭州余杭】揽收", "103", hours - 0.9)
    scan(sample, box, SIGNED, "301", hours)


def lines(sample: Sample, name: str = "following") -> list[str]:
    with for_shops([sample.shop_id]):
        rows = TimelineEntry.objects.filter(case_id=sample.ids[name]).order_by("id")
        return list(rows.values_list("kind", flat=True))


def promised(sample: Sample) -> list[tuple[str, bool]]:
    with for_shops([sample.shop_id]):
        rows = Promise.objects.filter(case_id=sample.ids["following"]).order_by("id")
        return [(row.state, row.warned_at is not None) for row in rows]


# --- the promise ledger ----------------------------------------------------------------------------------------------


def test_a_date_told_is_a_promise_that_is_told_anew_before_it_breaks(sample: Sample) -> None:
    shop, case_id = sample.shop_id, sample.ids["following"]
    assert promised(sample) == [("running", False)]
    assert promises.look([shop], sample.now) == 1
    [told] = promises.of_case(shop, case_id)
    late = told.until - timedelta(hours=20)
    with clock.frozen(late):
        assert promises.look([shop], late) == 1
        assert promises.look([shop], late) == 0
        assert promised(sample) == [("running", True)]
        case = case_of(sample)
        assert (case.why["code"], case.next_action, case.waiting_for) == ("promise_breaks", "tell_customer", "shop")
        assert [row.case_id for row in promises.breaking([shop])] == [case_id]
        assert lines(sample)[-1] == "promise_breaks"
        [call] = [one for one in notice_queries.proposals(shop, case_id) if one.channel == "phone"]
        assert (call.purpose, call.refused) == ("new_promise", None)
        sent = notices.send(shop_id=shop, case_id=case_id, channel=Channel.PHONE, by=sample.actor())
        notices.finish_call(shop_id=shop, notice_id=sent, outcome="reached", by=sample.actor())
        promises.look([shop], late)
        assert promised(sample) == [("moved", True), ("running", False)]
        new = promises.of_case(shop, case_id)[-1]
        assert new.until > told.until
        assert case_of(sample).why["code"] == "reissue_under_way"
        assert promises.breaking([shop]) == ()
    arrives(sample, (late - sample.now) / timedelta(hours=1) + 2)
    promises.look([shop], new.until)
    assert promised(sample) == [("moved", True), ("kept", False)]
    ledger = promises.ledger([shop], sample.now, new.until)
    assert (ledger.kept, ledger.moved, ledger.broken, ledger.share) == (1, 1, 0, 1.0)


def test_a_promise_that_nobody_told_anew_is_broken_and_counted(sample: Sample) -> None:
    [told] = promises.of_case(sample.shop_id, sample.ids["following"])
    promises.look([sample.shop_id], told.until + DAY)
    assert promised(sample) == [("broken", False)]
    assert lines(sample)[-1] == "promise_broken"
    assert promises.ledger([sample.shop_id], sample.now, told.until).share == 0.0
    assert promises.ledger([sample.shop_id], told.until, told.until + DAY).settled == 0


# --- follow: the next round ------------------------------------------------------------------------------------------


def test_a_reissue_that_fails_goes_back_to_its_carrier_and_the_customer_hears_it(sample: Sample) -> None:
    shop, case_id = sample.shop_id, sample.ids["following"]
    box = boxes(sample)[-1]
    scan(sample, box, "【杭州市】 快件已由【杭州余杭】揽收", "103", 1)
    scan(sample, box, "【武汉市】 快件遗失，联系客服理赔", "1203", 30)
    case = case_of(sample)
    assert (case.state, case.round) == ("determining", 2)
    assert case_jobs.do_todo(shop, [case_id]) >= 1
    case_jobs.do_todo(shop, [case_id])
    with for_shops([shop]):
        told = list(Notice.objects.filter(case_id=case_id, round=2).values_list("purpose", flat=True))
        asked = list(CarrierMessage.objects.filter(case_id=case_id, round=2).values_list("contact__carrier", flat=True))
    assert told == ["reissue_trouble"]
    assert asked == [box.carrier]
    found = reissues.success([shop], sample.now - DAY, sample.now + DAY)
    assert (found.failed, found.arrived) == (1, 0)


# --- closing needs proof ---------------------------------------------------------------------------------------------


@pytest.fixture
def with_proof(sample: Sample) -> Sample:
    shops.change_policy(shop_id=sample.shop_id, changes={"proof_days": 3}, by="test")
    return sample


def say(sample: Sample, answer: Answer, **told: Any) -> None:
    path = links.keep(shop_id=sample.shop_id, case_id=sample.ids["following"], now=clock.now())
    customer_page.answer(token=path.split("/")[2], answer=answer, now=clock.now(), **told)


def test_a_signature_is_enough_where_the_shop_asks_no_more(sample: Sample) -> None:
    arrives(sample)
    case = case_of(sample)
    assert (case.state, case.outcome) == ("closed", "reissue_delivered")
    assert reissues.success([sample.shop_id], sample.now - DAY, sample.now + DAY).under_way == 2  # one is to be told
    case_jobs.do_todo(sample.shop_id, [case.pk])
    assert reissues.success([sample.shop_id], sample.now - DAY, sample.now + DAY).arrived == 1
    assert reissues.success([sample.shop_id], sample.now - DAY, sample.now + DAY).share == 1.0


def test_the_customers_yes_closes_a_signed_case(with_proof: Sample) -> None:
    arrives(with_proof)
    case = case_of(with_proof)
    assert (case.state, case.waiting_for, case.why["code"]) == ("following", "customer", "waits_for_word")
    say(with_proof, Answer.RECEIVED)
    assert (case_of(with_proof).state, case_of(with_proof).outcome) == ("closed", "reissue_delivered")


def test_days_of_silence_close_it_and_a_no_does_not(with_proof: Sample) -> None:
    arrives(with_proof)
    over = with_proof.now + timedelta(days=3, hours=2)
    with clock.frozen(over - DAY):
        case_jobs.end_waits([with_proof.shop_id])
        assert case_of(with_proof).state == "following"
        say(with_proof, Answer.NOT_RECEIVED)
    case = case_of(with_proof)
    assert (case.state, case.waiting_for, case.next_action) == ("following", "shop", "reissue_wrong")
    with clock.frozen(over):
        case_jobs.end_waits([with_proof.shop_id])
        assert case_of(with_proof).state == "following"
        cases.act(shop_id=with_proof.shop_id, case_id=case.pk, action=cases.Action.REISSUE_WRONG, by=with_proof.actor())
    assert (case_of(with_proof).state, case_of(with_proof).round) == ("determining", 2)


def test_silence_is_a_yes_after_the_shops_days(with_proof: Sample) -> None:
    arrives(with_proof)
    with clock.frozen(with_proof.now + timedelta(days=3, hours=2)):
        assert case_jobs.end_waits([with_proof.shop_id]) >= 1
    assert (case_of(with_proof).state, case_of(with_proof).outcome) == ("closed", "reissue_delivered")
    assert lines(with_proof)[-1] == "silence_over"


# --- two parcels on their way ----------------------------------------------------------------------------------------


@pytest.fixture
def revived(sample: Sample) -> Iterator[Sample]:
    """The reissue has left, and the first parcel moves again; it is four hours later."""
    first, again = boxes(sample)
    scan(sample, again, "【杭州市】 快件已由【杭州余杭】揽收", "103", 1)
    scan(sample, first, "【武汉市】 快件已发往 【深圳转运中心】", "1002", 3)
    assert doubles.standing(sample.shop_id, first.pk)
    with clock.frozen(sample.now + timedelta(hours=4)):
        yield sample


def choose(sample: Sample, way: Way, role: Role = Role.LEAD, **more: Any) -> None:
    code = sample.cases["following"]
    guard.choose(shop_id=sample.shop_id, code=code, way=way, by=sample.actor(role), now=clock.now(), **more)


def test_the_lead_sees_both_and_chooses_and_can_take_it_back(revived: Sample) -> None:
    shop, case_id = revived.shop_id, revived.ids["following"]
    with pytest.raises(Refused):
        choose(revived, Way.REFUSE_ONE, Role.AGENT)
    found = case_queries.case_page(shop, revived.cases["following"], Role.LEAD, revived.now)
    assert found is not None
    double = guard.compare(found, revived.now)
    assert double is not None
    assert double.proposed is Way.REFUSE_ONE
    assert double.option(Way.STOP_ORIGINAL).penalty_fen == 2225
    choose(revived, Way.REFUSE_ONE)
    first = boxes(revived)[0]
    assert doubles.standing(shop, first.pk) == []
    with for_shops([shop]):
        notice = Notice.objects.get(case_id=case_id, purpose=Purpose.REFUSE_ONE)
    [shown] = [one for one in notice_queries.of_case(shop, case_id) if one.notice_id == notice.pk]
    assert first.number in shown.text
    with pytest.raises(Refused) as caught:
        choose(revived, Way.KEEP_BOTH)
    assert caught.value.why.code == "chosen_already"
    assert guard.undo(shop_id=shop, case_id=case_id, by=revived.actor(Role.LEAD)) is True
    with for_shops([shop]):
        assert Notice.objects.get(id=notice.pk).state == "cancelled"
        assert Finding.objects.filter(parcel=first, rule=doubles.RULE, state="open").exists()
    assert [line for line in lines(revived) if line.startswith("double")] == ["double_chosen", "double_undone"]


def test_stopping_the_first_parcel_writes_to_its_carrier_and_says_what_it_costs(revived: Sample) -> None:
    with pytest.raises(Refused) as caught:
        choose(revived, Way.STOP_ORIGINAL)
    assert caught.value.why.code == "recall_not_wished"
    choose(revived, Way.STOP_ORIGINAL, accept_penalty=True)
    first = boxes(revived)[0]
    with for_shops([revived.shop_id]):
        asked = CarrierMessage.objects.filter(case_id=revived.ids["following"]).order_by("-id").first()
        assert asked is not None
        assert asked.contact is not None
        assert asked.contact.carrier == first.carrier


def test_a_returned_parcel_goes_back_to_stock_and_its_claim_is_put_right(sample: Sample) -> None:
    shop, code, case_id = sample.shop_id, sample.cases["following"], sample.ids["following"]
    first = boxes(sample)[0]
    claim_jobs.watch([shop], sample.now)
    [claim] = [one for one in claims.of_case(shop, case_id) if one.number == first.number]
    claim_actions.act(shop_id=shop, claim_id=claim.claim_id, act=ClaimAct.ASK, amount_fen=8900, by=sample.actor())
    with pytest.raises(Refused):
        guard.goods_back(shop_id=shop, code=code, by=sample.actor())
    with for_shops([shop]):
        line = Line.objects.get(order_id=first.order_id)
    goods = Goods(line.sku_id, line.title, line.spec)
    stock.count(shop_id=shop, goods=goods, on_hand=5, by="test")
    scan(sample, first, "【武汉市】 快件退回中", "1401", 2)
    scan(sample, first, "【杭州市】 退回件已签收，签收人：发件人", "304", 20)
    assert boxes(sample)[0].stage == "returned"
    assert guard.goods_back(shop_id=shop, code=code, by=sample.actor()) == 1
    assert stock.levels(shop, [goods])[goods].on_hand == 6
    assert claims.claim(shop, claim.claim_id).state == "waived"  # type: ignore[union-attr]
    guard.goods_out_again(shop_id=shop, case_id=case_id, by=sample.actor())
    assert stock.levels(shop, [goods])[goods].on_hand == 5
    assert claims.claim(shop, claim.claim_id).state == "asked"  # type: ignore[union-attr]


def test_who_spoke_first(sample: Sample) -> None:
    found = told_first.read([sample.shop_id], sample.now - 30 * DAY, sample.now + DAY)
    assert (found.told_first, found.spoken) == (1, 2)  # one was told; in another the customer had written
    say(sample, Answer.WAIT)
    assert told_first.read([sample.shop_id], sample.now - 30 * DAY, sample.now + DAY) == found
