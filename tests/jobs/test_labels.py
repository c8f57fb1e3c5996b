"""E-waybills against the platform: booked once whatever happens to the answer, put into the form, given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bufa.apps.effects.models import Effect
from bufa.apps.reissues import actions, booking, queries
from bufa.apps.reissues.booking import BookingView
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops.clients import client_for
from bufa.domain.outcome import Refused
from bufa.jobs import effects as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, Filled, connected_shop, forms_filled
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]

BOOK, CANCEL = "logistics.newCreateOrder", "logistics.cancelOrder"


@pytest.fixture
def filled(world: World) -> Filled:
    return forms_filled(world, connected_shop(world), 1, ticket=False)[0]


def calls(world: World, method: str) -> int:
    return len(world.http.get(world.hello["ledger"], params={"method": method}).json())


def book(world: World, filled: Filled) -> None:
    with clock.frozen(world.now):
        booking.book(shop_id=filled.shop_id, case_id=filled.case_id, form=filled.form, by=LEAD)
        jobs.carry_out(filled.shop_id)


def label(filled: Filled) -> BookingView:
    return booking.of_case(filled.shop_id, filled.case_id)[-1]


def draft_number(filled: Filled) -> str:
    with for_shops([filled.shop_id]):
        return Reissue.objects.get(case_id=filled.case_id).number


def state(filled: Filled) -> str:
    with for_shops([filled.shop_id]):
        return Effect.objects.get(id=label(filled).effect_id).state


def test_booked_once_and_its_number_comes_into_the_form_and_is_submitted(world: World, filled: Filled) -> None:
    before = calls(world, BOOK)
    book(world, filled)
    got = label(filled)
    [sent] = queries.of_case(filled.shop_id, filled.case_id)
    assert (got.state, got.pack_id) == ("booked", f"{sent.code.replace('-', '')}_1")
    assert got.number
    assert got.sort_code
    assert draft_number(filled) == got.number
    assert calls(world, BOOK) == before + 1
    with pytest.raises(Refused) as refused:
        book(world, filled)
    assert refused.value.why.code == "label_booked_already"
    told = client_for(filled.shop_id, "doudian").print_data(got.carrier, got.number)
    assert (told.number, bool(told.data), bool(told.sign)) == (got.number, True, True)
    with clock.frozen(world.now):
        form = replace(filled.form, number=got.number)
        where = {"shop_id": filled.shop_id, "case_id": filled.case_id}
        actions.submit(**where, form=form, by=LEAD, override_reason=filled.reason, delay=timedelta(0))
        jobs.carry_out(filled.shop_id)
    assert [one.state for one in queries.of_case(filled.shop_id, filled.case_id)] == ["accepted"]
    with pytest.raises(Refused) as refused:
        booking.cancel(shop_id=filled.shop_id, booking_id=got.booking_id, by=LEAD)
    assert refused.value.why.code == "label_in_use"


@pytest.mark.parametrize("kind", ["reply_lost", "lying", "20000"])
def test_an_answer_lost_is_asked_for_again_and_gives_the_one_number(world: World, filled: Filled, kind: str) -> None:
    world.control("trouble", {"service": "doudian", "method": BOOK, "kind": kind, "times": 1})
    book(world, filled)
    assert (label(filled).state, state(filled), draft_number(filled)) == ("unknown", "unknown", "")
    with clock.frozen(world.now):
        assert jobs.settle_unknown(filled.shop_id, [label(filled).effect_id or 0]) == 1
    got = label(filled)
    assert (got.state, state(filled)) == ("booked", "accepted")
    assert draft_number(filled) == got.number
    booked = [row for row in world.control(f"orders/{filled.order}")["parcels"] if row["role"] == "desk"]
    assert [row["number"] for row in booked if row["number"] == got.number] == [got.number]


def test_given_back_even_when_the_answer_is_lost_and_another_is_booked(world: World, filled: Filled) -> None:
    book(world, filled)
    first = label(filled)
    world.control("trouble", {"service": "doudian", "method": CANCEL, "kind": "reply_lost", "times": 1})
    with clock.frozen(world.now):
        booking.cancel(shop_id=filled.shop_id, booking_id=first.booking_id, by=LEAD)
        jobs.carry_out(filled.shop_id)
        assert label(filled).state == "cancelling"
        jobs.settle_unknown(filled.shop_id, [label(filled).effect_id or 0])  # answers 1102: cancelled already
    assert (label(filled).state, draft_number(filled)) == ("cancelled", "")
    book(world, filled)
    second = label(filled)
    assert (second.state, second.pack_id[-2:]) == ("booked", "_2")
    assert second.number != first.number


def test_what_is_missing_is_said_before_anything_leaves(world: World, filled: Filled) -> None:
    before = calls(world, BOOK)
    bare = replace(filled.form, pickup_id=None, carrier="")
    with pytest.raises(Refused) as refused:
        booking.book(shop_id=filled.shop_id, case_id=filled.case_id, form=bare, by=LEAD)
    assert (refused.value.why.code, refused.value.why.params["checks"]) == ("label_lacks", ["carrier", "pickup"])
    assert calls(world, BOOK) == before
