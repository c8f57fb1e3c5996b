"""An order that was never shipped: shipped once, whatever happens to the answers, by one request id."""

from __future__ import annotations

from typing import Any

import pytest

from bufa.apps.effects.models import Attempt, Effect
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops.clients import client_for
from bufa.jobs import effects as jobs
from bufa.jobs import sync
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import Ready, connected_shop, first_shipment_ready
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]
METHOD = "order.logisticsAddMultiPack"


@pytest.fixture
def shop(world: World) -> int:
    return connected_shop(world)


def state(ready: Ready) -> tuple[str, str]:
    with for_shops([ready.shop_id]):
        return Effect.objects.get(id=ready.effect_id).state, Reissue.objects.get(id=ready.reissue_id).state


def effect(ready: Ready) -> Effect:
    with for_shops([ready.shop_id]):
        return Effect.objects.get(id=ready.effect_id)


def sent(world: World, ready: Ready) -> list[str]:
    return [each["number"] for each in world.control(f"orders/{ready.order}")["submissions"]]


def asked(world: World) -> list[dict[str, Any]]:
    return world.http.get(world.hello["ledger"], params={"method": METHOD}).json()


def trouble(world: World, kind: str, times: int = 1) -> None:
    world.control("trouble", {"service": "doudian", "method": METHOD, "kind": kind, "times": times})


def test_a_first_shipment_is_submitted_by_itself(world: World, shop: int) -> None:
    ready = first_shipment_ready(world, shop)
    with clock.frozen(world.now):
        assert jobs.carry_out(shop) == 1
    assert state(ready) == ("accepted", "accepted")
    assert (sent(world, ready), len(asked(world))) == ([ready.number], 1)
    with for_shops([shop]):
        request = Attempt.objects.get(effect_id=ready.effect_id).request
    assert request["method"] == METHOD
    assert request["fields"]["number"] == ready.number
    assert request["fields"]["request_id"] == asked(world)[0]["request_id"]


@pytest.mark.parametrize("kind", ["reply_lost", "20000", "http500"])
def test_a_lost_answer_is_settled_by_the_same_request_id(world: World, shop: int, kind: str) -> None:
    ready = first_shipment_ready(world, shop)
    world.control("platform", {"lag": 60})
    trouble(world, kind)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        assert state(ready) == ("unknown", "unknown")
        assert jobs.carry_out(shop) == 0
        jobs.settle_unknown(shop, [ready.effect_id])
    assert state(ready) == ("accepted", "accepted")
    assert effect(ready).settled_by == "read_back"
    assert sent(world, ready) == [ready.number]
    calls = asked(world)
    assert len(calls) <= 2  # where reading shows it already, nothing is asked again
    assert (kind == "reply_lost") or len(calls) == 2
    assert len({call["request_id"] for call in calls if "request_id" in call}) == 1


def test_a_plain_no_to_the_repeat_is_a_no_with_the_platforms_words(world: World, shop: int) -> None:
    ready = first_shipment_ready(world, shop)
    trouble(world, "20000")
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        world.control("numbers", {"carrier": "zhongtong", "number": ready.number, "problem": "recalled"})
        jobs.settle_unknown(shop, [ready.effect_id])
    assert state(ready) == ("rejected", "rejected")
    assert effect(ready).error["sub_code"] == "isv.business-failed:70018"
    assert [look["found"] for look in effect(ready).looks] == ["rejected"]
    assert sent(world, ready) == []


def test_a_repeat_that_fails_too_leaves_it_unknown(world: World, shop: int) -> None:
    ready = first_shipment_ready(world, shop)
    trouble(world, "20000", times=4)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        for _ in range(3):
            jobs.settle_unknown(shop, [ready.effect_id])
    assert state(ready) == ("unknown", "unknown")
    assert effect(ready).needs_person is True
    assert [(look["found"], look["why"]) for look in effect(ready).looks] == [("", "unavailable")] * 3


def test_a_number_typed_at_the_platform_meanwhile_is_ours(world: World, shop: int) -> None:
    """The no says "already shipped", and the order holds this very number: done, not refused."""
    ready = first_shipment_ready(world, shop)
    with clock.frozen(world.now):
        platform = client_for(shop, "doudian")
        lines = tuple((line.line_id, line.quantity) for line in platform.order(ready.order).lines)
        platform.add_first_package(ready.order, lines, "zhongtong", ready.number, "typed by a person")
        jobs.carry_out(shop)
    assert state(ready) == ("accepted", "accepted")


def test_a_sync_between_call_and_answer_makes_no_second_parcel(world: World, shop: int) -> None:
    ready = first_shipment_ready(world, shop)
    trouble(world, "reply_lost")
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    with clock.frozen(world.advance(minutes=1)):
        sync.sync(shop)
        jobs.settle_unknown(shop, [ready.effect_id])
        sync.sync(shop)
    with for_shops([shop]):
        row = Reissue.objects.get(id=ready.reissue_id)
        assert row.parcel is not None
        assert (row.parcel.role, row.parcel.number, row.case.state) == ("reissue", ready.number, "telling")
