"""Asked of a carrier about a parcel on its way, and what came of it: by mail, by the platform, by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import TimelineEntry
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import intercept
from bufa.apps.negotiations.models import CarrierContact, CarrierMessage
from bufa.apps.parcels.models import ParcelFact
from bufa.domain.cases import Claim
from bufa.domain.kinds import Measure, Role
from bufa.domain.outcome import Refused
from bufa.domain.parcel_requests import RequestKind, RequestState, RequestWay
from bufa.domain.verdict import Source
from bufa.jobs import claims as claim_jobs
from bufa.lib.tenancy import for_shops
from tests.factories import make_report, make_ticket
from tests.factories.sample import Sample

AGENT, WAREHOUSE = Actor(7, "林", Role.AGENT), Actor(6, "陈", Role.WAREHOUSE)


def asked(sample: Sample, name: str = "following", **more: object) -> intercept.Requested:
    given = {"shop_id": sample.shop_id, "case_id": sample.ids[name], "by": AGENT, "now": sample.now} | more
    return intercept.request(**given)  # type: ignore[arg-type]


def test_the_original_is_stopped_after_its_reissue_left_and_that_has_a_price(sample: Sample) -> None:
    with pytest.raises(Refused, match="recall_not_wished") as told:
        asked(sample)
    assert told.value.why.params["cost_fen"] == 2225
    with pytest.raises(Refused, match="not_allowed"):
        asked(sample, by=WAREHOUSE, accept_penalty=True)
    done = asked(sample, accept_penalty=True)
    assert done.way is RequestWay.MAIL
    with pytest.raises(Refused, match="request_is_open"):
        asked(sample, accept_penalty=True)
    [row] = intercept.of_case(sample.shop_id, sample.ids["following"])
    assert (row.kind, row.state, row.penalty_fen, row.number) == ("intercept", "asked", 2225, "73000000000006")
    with for_shops([sample.shop_id]):
        message = CarrierMessage.objects.get(purpose="request")
        assert Effect.objects.get(id=message.effect_id).subject == f"message:{message.pk}"
    intercept.result(
        shop_id=sample.shop_id, request_id=done.request_id, state=RequestState.DONE, by=AGENT, words="已拦下",
        now=sample.now,
    )  # fmt: skip
    [row] = intercept.of_case(sample.shop_id, sample.ids["following"])
    assert (row.state, row.result_by, row.result_words) == ("done", "林", "已拦下")
    with for_shops([sample.shop_id]):
        assert ParcelFact.objects.filter(parcel_id=row.parcel_id, fact="recalled").count() == 1
        kinds = TimelineEntry.objects.filter(case_id=sample.ids["following"], kind__startswith="request_")
        assert sorted(kinds.values_list("kind", flat=True)) == ["request_asked", "request_done"]
    with pytest.raises(Refused, match="request_is_settled"):
        intercept.result(shop_id=sample.shop_id, request_id=done.request_id, state=RequestState.FAILED, by=AGENT)


def test_what_the_buyer_wished_costs_nothing_and_the_track_settles_it(sample: Sample) -> None:
    cases.add_statement(
        shop_id=sample.shop_id, case_id=sample.ids["fresh"], source=Source.CUSTOMER, claim=Claim.STALLED,
        words="不要了", said_at=sample.now, by=AGENT, wish=Measure.INTERCEPT,
    )  # fmt: skip
    done = asked(sample, "fresh")
    [row] = intercept.of_case(sample.shop_id, sample.ids["fresh"])
    assert (row.penalty_fen, row.is_wished) == (0, True)
    assert claim_jobs.watch([sample.shop_id], sample.now) >= 0
    assert intercept.of_case(sample.shop_id, sample.ids["fresh"])[0].state == "asked"
    later = sample.now + timedelta(hours=3)
    scan = (later - timedelta(hours=1), "【武汉市】 快件退回中，原因：拦截退回", "6")
    take_in(shop_id=sample.shop_id, reports=[make_report(row.number, scan)], now=later)
    intercept.settle_by_track(sample.shop_id, later)
    [row] = intercept.of_case(sample.shop_id, sample.ids["fresh"])
    assert (row.request_id, row.state, row.result_by) == (done.request_id, "done", "system")
    with for_shops([sample.shop_id]):
        assert ParcelFact.objects.filter(parcel_id=row.parcel_id, fact="recalled").count() == 0


def test_by_ticket_by_hand_and_taken_back(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        CarrierContact.objects.all().update(is_active=False)
    with pytest.raises(Refused, match="request_words_missing"):
        asked(sample, kind=RequestKind.CHANGE_ADDRESS)
    by_hand = asked(sample, kind=RequestKind.CHANGE_ADDRESS, words="改到公司")
    assert by_hand.way is RequestWay.HAND
    [row] = intercept.of_case(sample.shop_id, sample.ids["following"])
    assert (row.words, row.penalty_fen, row.effect_id) == ("改到公司", 0, None)
    with pytest.raises(Refused, match="not_a_parcel_of_case"):
        asked(sample, parcel_id=10**9, accept_penalty=True)
    case_order = "6900000000000001"
    take_in(shop_id=sample.shop_id, after_sales=[make_ticket("T77", case_order, type=1, status=6)], now=sample.now)
    ticketed = asked(sample, "asking", accept_penalty=True)
    assert ticketed.way is RequestWay.PLATFORM
    [row] = intercept.of_case(sample.shop_id, sample.ids["asking"])
    assert row.ticket == "T77"
    with for_shops([sample.shop_id]):
        effect = Effect.objects.get(id=row.effect_id)
        assert (effect.kind, effect.subject) == ("intercept", f"request:{ticketed.request_id}")
    ids = {"shop_id": sample.shop_id, "request_id": ticketed.request_id, "by": AGENT, "now": sample.now}
    intercept.result(**ids, state=RequestState.WITHDRAWN)
    assert intercept.of_case(sample.shop_id, sample.ids["asking"])[0].state == "withdrawn"
    with for_shops([sample.shop_id]):
        assert Effect.objects.get(id=row.effect_id).state == "cancelled"
