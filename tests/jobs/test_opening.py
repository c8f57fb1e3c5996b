"""Buyers' data opened at the moment of use: recorded before, reported after, field by field, never kept."""

from __future__ import annotations

from typing import Any

import pytest

from bufa.apps.audit import queries as audit
from bufa.apps.effects.models import Effect
from bufa.apps.orders import opening
from bufa.apps.orders import queries as orders
from bufa.apps.orders.models import Recipient
from bufa.jobs import effects as jobs
from bufa.jobs import sync
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import connected_shop
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]

WHERE = opening.Where("https://desk.example/cases/1/C-1/reveal/", "203.0.113.7", "Firefox", "https://desk.example/")


@pytest.fixture
def shop(world: World) -> int:
    return connected_shop(world)


@pytest.fixture
def order(world: World, shop: int) -> dict[str, Any]:
    made = world.control("orders", {"carrier": "zhongtong", "fate": "delivered"})
    with clock.frozen(world.advance(hours=1)):
        sync.sync(shop)
    truth: dict[str, Any] = world.control(f"orders/{made['order_id']}")
    return truth


def look(shop: int, order: dict[str, Any], **more: Any) -> opening.Seen:
    (order_id,) = orders.ids_of(shop, [order["order_id"]]).values()
    return opening.look(
        shop_id=shop,
        order_id=order_id,
        by="operator:7",
        action="buyer.reveal",
        subject="case:1",
        where=WHERE,
        **more,
    )


def reports(world: World) -> list[dict[str, Any]]:
    return list(world.control("security"))


def test_a_look_opens_all_is_recorded_and_is_reported_once(world: World, shop: int, order: dict[str, Any]) -> None:
    seen = look(shop, order)
    assert (seen.plain.name, seen.plain.phone) == (order["name"], order["phone"])
    assert seen.plain.address
    assert order["address"].endswith(seen.plain.address)
    assert (seen.failed, seen.why) == ({}, "")
    assert order["phone"] not in repr(seen)
    entry = next(each for each in audit.newest([shop]) if each.action == "buyer.reveal")
    assert entry.by == "operator:7"
    assert entry.data["fields"] == ["name", "phone", "address"]
    assert order["phone"] not in str(entry.data)
    with clock.frozen(world.now):
        assert jobs.carry_out(shop) == 1
        assert jobs.carry_out(shop) == 0
    (event,) = reports(world)
    assert (event["account_id"], event["ip"], event["operation_type"]) == ("operator:7", "203.0.113.7", 1)
    assert event["order_ids"] == [order["order_id"]]
    assert sorted(row["name"] for row in event["identify_info_list"]) == ["address", "name", "phone"]
    with for_shops([shop]):
        assert not Recipient.objects.get(order__number=order["order_id"]).plain


def test_a_field_that_fails_is_named_and_the_others_are_shown(world: World, shop: int, order: dict[str, Any]) -> None:
    world.control("platform", {"broken": ["phone"]})
    seen = look(shop, order)
    assert (seen.plain.name, seen.plain.phone) == (order["name"], "")
    assert seen.failed == {"phone": "解密失败，请稍后重试"}
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    assert sorted(row["name"] for row in reports(world)[0]["identify_info_list"]) == ["address", "name"]


def test_nothing_opened_is_nothing_to_report(world: World, shop: int, order: dict[str, Any]) -> None:
    world.control("platform", {"broken": ["phone", "name", "address"]})
    seen = look(shop, order)
    assert not seen.plain
    assert set(seen.failed) == {"name", "phone", "address"}
    with clock.frozen(world.now):
        assert jobs.carry_out(shop) == 0
    assert reports(world) == []


def test_a_method_that_was_not_granted_is_said(world: World, shop: int, order: dict[str, Any]) -> None:
    world.control("platform", {"forbidden": ["order.batchDecrypt"]})
    assert look(shop, order).why == "denied"


def test_a_virtual_phone_comes_with_its_end(world: World, shop: int, order: dict[str, Any]) -> None:
    world.control("platform", {"virtual": True})
    seen = look(shop, order, fields=("phone",))
    main, _, extension = seen.plain.phone.partition("-")
    assert (len(main), len(extension), seen.is_virtual) == (11, 4, True)
    assert seen.virtual_until is not None
    assert seen.virtual_until > world.now


@pytest.mark.parametrize("kind", ["reply_lost", "20000"])
def test_a_report_that_got_lost_is_told_again_as_the_same_event(
    world: World, shop: int, order: dict[str, Any], kind: str
) -> None:
    look(shop, order)
    method = "security.batchReportOrderSecurityEvent"
    world.control("trouble", {"service": "doudian", "method": method, "kind": kind, "times": 1})
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        with for_shops([shop]):
            effect = Effect.objects.get(kind="report_view")
        assert effect.state == "unknown"
        jobs.settle_unknown(shop, [effect.pk])
    with for_shops([shop]):
        assert Effect.objects.get(kind="report_view").state == "accepted"
    assert len(reports(world)) == 1
