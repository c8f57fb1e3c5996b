"""A wrong number put right: by order, by package after 70011, read back, or told why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bufa.apps.cases.models import Case
from bufa.apps.effects.models import Effect, Pace
from bufa.apps.parcels.models import Parcel
from bufa.apps.reissues import corrections
from bufa.apps.reissues.models import Reissue
from bufa.domain.outcome import Refused
from bufa.jobs import effects as jobs
from bufa.jobs import sync
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, Ready, connected_shop, first_shipment_ready, reissue_ready
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def shop(world: World) -> int:
    return connected_shop(world)


def label(world: World, order: str) -> str:
    return str(world.control("waybills", {"carrier": "zhongtong", "order_id": order})["number"])


def ask(ready: Ready, parcel_id: int, number: str) -> int:
    return corrections.correct(
        shop_id=ready.shop_id,
        case_id=ready.case_id,
        parcel_id=parcel_id,
        carrier="zhongtong",
        number=number,
        reason="扫错了一单",
        by=LEAD,
        delay=timedelta(0),
    )


def methods(world: World, order: str) -> list[str]:
    return [each["method"] for each in world.control(f"orders/{order}")["submissions"]]


def number_of(shop: int, parcel_id: int) -> str:
    with for_shops([shop]):
        return Parcel.objects.get(id=parcel_id).number


def original(ready: Ready) -> int:
    with for_shops([ready.shop_id]):
        return Case.objects.get(id=ready.case_id).parcel_id


def state(shop: int, effect_id: int) -> str:
    with for_shops([shop]):
        return Effect.objects.get(id=effect_id).state


@pytest.fixture
def whole(world: World, shop: int) -> Ready:
    """An order shipped whole, with a reissue under way as an extra package."""
    ready = reissue_ready(world, shop, ticket=False)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    return ready


def test_an_order_shipped_whole_is_corrected_whole(world: World, whole: Ready) -> None:
    right = label(world, whole.order)
    with clock.frozen(world.now):
        effect_id = ask(whole, original(whole), right)
        jobs.carry_out(whole.shop_id)
    assert state(whole.shop_id, effect_id) == "accepted"
    assert methods(world, whole.order)[-1] == "order.logisticsEdit"
    assert number_of(whole.shop_id, original(whole)) == right
    with clock.frozen(world.advance(minutes=10)):
        sync.sync(whole.shop_id)
    with for_shops([whole.shop_id]):
        assert sorted(Parcel.objects.filter(order__number=whole.order).values_list("number", flat=True)) == sorted(
            [right, whole.number]
        )


def test_a_package_is_corrected_by_package_after_70011(world: World, shop: int) -> None:
    ready = first_shipment_ready(world, shop)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    with clock.frozen(world.advance(minutes=10)):
        sync.sync(shop)
        with for_shops([shop]):
            parcel_id = Reissue.objects.get(id=ready.reissue_id).parcel_id
        assert parcel_id is not None
        right = label(world, ready.order)
        effect_id = ask(ready, parcel_id, right)
        jobs.carry_out(shop)
    assert state(shop, effect_id) == "accepted"
    assert methods(world, ready.order)[-1] == "order.logisticsEditByPack"
    assert number_of(shop, parcel_id) == right
    with for_shops([shop]):
        assert Reissue.objects.get(id=ready.reissue_id).number == right


@pytest.mark.parametrize(("kind", "arrived"), [("reply_lost", True), ("20000", False)])
def test_a_lost_answer_is_read_back(world: World, whole: Ready, kind: str, arrived: bool) -> None:
    right = label(world, whole.order)
    trouble: dict[str, Any] = {"service": "doudian", "method": "order.logisticsEdit", "kind": kind, "times": 1}
    world.control("trouble", trouble)
    with clock.frozen(world.now):
        effect_id = ask(whole, original(whole), right)
        jobs.carry_out(whole.shop_id)
        assert state(whole.shop_id, effect_id) == "unknown"
        jobs.settle_unknown(whole.shop_id, [effect_id])
        assert state(whole.shop_id, effect_id) == ("accepted" if arrived else "unknown")
        if not arrived:
            corrections.release(shop_id=whole.shop_id, parcel_id=original(whole), is_there=False, by=LEAD)
            assert state(whole.shop_id, effect_id) == "rejected"
    assert (number_of(whole.shop_id, original(whole)) == right) is arrived


def test_an_extra_package_says_why_it_cannot_be_corrected(world: World, whole: Ready) -> None:
    with for_shops([whole.shop_id]):
        extra = Reissue.objects.get(id=whole.reissue_id).parcel_id
    assert extra is not None
    found = {each.parcel_id: each.why_not for each in corrections.of_case(whole.shop_id, whole.case_id)}
    assert found[original(whole)] is None
    why = found[extra]
    assert why is not None
    assert why.code == "correct_extra_package"
    with pytest.raises(Refused, match="correct_extra_package"):
        ask(whole, extra, "75990000000001")


def test_a_refused_correction_may_be_tried_again_and_a_used_number_not(world: World, whole: Ready) -> None:
    right = label(world, whole.order)
    world.control("platform", {"forbidden": ["order.logisticsEdit"]})
    with clock.frozen(world.now):
        effect_id = ask(whole, original(whole), right)
        jobs.carry_out(whole.shop_id)
        assert state(whole.shop_id, effect_id) == "rejected"
        with pytest.raises(Refused, match="correct_denied"):
            ask(whole, original(whole), right)
        with for_shops([whole.shop_id]):
            Pace.objects.update(denied_at=None)
        world.control("platform", {"forbidden": []})
        with pytest.raises(Refused, match="number_taken"):
            ask(whole, original(whole), whole.number)
        assert ask(whole, original(whole), right) != effect_id
        jobs.carry_out(whole.shop_id)
    assert number_of(whole.shop_id, original(whole)) == right
