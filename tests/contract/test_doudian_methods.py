"""Every method of Doudian's client is held against the platform: the ones that test_doudian.py does not meet on its
way, and a test that fails for a method that no contract test calls."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bufa.integrations.ciphers import Look
from bufa.integrations.ebills import LabelOrder
from bufa.integrations.platforms.doudian.client import Client
from bufa.integrations.ports import PickupAddressFact, ProviderError, RecipientFact
from tests.contract.conftest import World
from tests.contract.test_doudian import client, flags, http, keeper, label, new_order, settings
from tests.integrations.support import Keeper

__all__ = ["client", "http", "keeper"]

AGREE_REFUND = 201


def lines(order: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((line["sub_id"], line["count"]) for line in order["lines"])


def pickup(client: Client) -> PickupAddressFact:
    return client.addresses()[0]


def receiver(client: Client, order: dict[str, Any]) -> RecipientFact:
    return client.order(order["order_id"]).recipient


def test_no_method_goes_without_a_contract() -> None:
    methods = {name for name, found in vars(Client).items() if callable(found) and not name.startswith("_")}
    called: set[str] = set()
    for path in Path(__file__).parent.glob("test_doudian*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called.add(node.func.attr)
    assert methods - called == set()


def test_a_tool_app_sends_its_owner_to_the_platform(world: World, http: httpx.Client, keeper: Keeper):
    tool = Client(settings(world, app_kind="tool", service_id="11"), keeper, http)
    assert tool.authorize_url("a b").endswith("service_id=11&state=a+b")


def test_one_page_of_orders_and_of_tickets(world: World, client: Client):
    since = world.now()
    order = new_order(world)
    number = str(world.post("/after-sales", order_id=order["order_id"], type=7)["aftersale_id"])
    until = world.now() + timedelta(seconds=1)
    page = client.list_orders(since, until)
    assert [one.number for one in page.items if one.number == order["order_id"]] == [order["order_id"]]
    tickets = client.list_after_sales(since, until)
    assert [one.status for one in tickets.items if one.number == number] == [6]


def test_a_refund_that_the_buyer_asks_for_is_agreed(world: World, client: Client):
    order = new_order(world)
    number = str(world.post("/after-sales", order_id=order["order_id"], type=1, refund_fen=500)["aftersale_id"])
    seen = client.after_sale(number)
    assert (seen.type, seen.refund_fen) == (1, 500)
    client.agree_refund(number, AGREE_REFUND, seen.update_time)
    assert client.after_sale(number).status == 12


def test_an_intercept_says_parcel_by_parcel_what_becomes_of_it(world: World, client: Client):
    order = new_order(world, fate="lost")
    number = str(world.post("/after-sales", order_id=order["order_id"], type=1)["aftersale_id"])
    waybill = order["packages"][0]["number"]
    early = client.intercept(number, "yuantong", waybill)
    assert (early.can, early.accepted, early.code) == (False, False, "2")
    assert early.why
    world.advance(hours=24)
    taken = client.intercept(number, "yuantong", waybill)
    assert (taken.number, taken.can, taken.accepted, taken.code) == (waybill, True, True, "")


# ── shipping for the first time, and putting numbers right ──


def test_a_first_package_ships_once_however_often_it_is_sent(world: World, client: Client):
    order = new_order(world, shipped=False)
    waybill = label(world, order)
    asked = (order["order_id"], lines(order), "yuantong", waybill, f"first-{waybill}")
    sent = client.add_first_package(*asked)
    assert client.add_first_package(*asked).message_id == sent.message_id
    shipped = client.order(order["order_id"])
    assert (shipped.status, [box.number for box in shipped.packages]) == (3, [waybill])


def test_part_of_an_order_is_shipped_and_the_rest_waits(world: World, client: Client):
    made = (new_order(world, shipped=False) for _ in range(60))
    order = next(one for one in made if sum(count for _, count in lines(one)) > 1)
    first = lines(order)[0][0]
    waybill = label(world, order)
    client.add_first_package(order["order_id"], ((first, 1),), "yuantong", waybill, f"part-{waybill}")
    shipped = client.order(order["order_id"])
    assert (shipped.status, [box.lines for box in shipped.packages]) == (101, [((first, 1),)])


def test_orders_of_one_recipient_go_in_one_box(world: World, client: Client):
    order = new_order(world, shipped=False)
    waybill = label(world, order)
    asked = ((order["order_id"],), lines(order), "yuantong", waybill, f"joint-{waybill}")
    sent = client.add_joint_package(*asked)
    assert client.add_joint_package(*asked).message_id == sent.message_id
    assert [box.number for box in client.packages(order["order_id"])] == [waybill]


def test_a_number_is_put_right_whole_or_by_package(world: World, client: Client):
    whole = new_order(world)
    right = label(world, whole)
    client.edit_whole(whole["order_id"], "yuantong", right)
    assert [box.number for box in client.order(whole["order_id"]).packages] == [right]

    order = new_order(world, shipped=False)
    typed, right = label(world, order), label(world, order)
    sent = client.add_first_package(order["order_id"], lines(order), "yuantong", typed, f"edit-{typed}")
    with pytest.raises(ProviderError) as caught:
        client.edit_whole(order["order_id"], "yuantong", right)
    assert caught.value.sub_code.endswith("70011")
    assert not caught.value.retryable
    client.edit_package(order["order_id"], sent.message_id, "yuantong", right)
    assert [box.number for box in client.order(order["order_id"]).packages] == [right]


# ── e-waybills: range, booking, printing, cancelling, track ──


def booking(client: Client, order: dict[str, Any], pack_id: str) -> LabelOrder:
    bought = tuple((line["name"], line["count"]) for line in order["lines"])
    return LabelOrder(order["order_id"], pack_id, "yuantong", pickup(client), receiver(client, order), bought)


def test_an_e_waybill_from_booking_to_cancelling(world: World, client: Client):
    order = new_order(world)
    wanted = booking(client, order, "R1_1")
    booked = client.book_label(wanted)
    assert client.book_label(wanted).message_id == booked.message_id
    printed = client.print_data("yuantong", booked.message_id)
    assert printed.data
    assert printed.sign
    client.cancel_label("yuantong", booked.message_id)
    client.cancel_label("yuantong", booked.message_id)  # cancelled already counts as done
    with pytest.raises(ProviderError, match="business"):
        client.print_data("yuantong", booked.message_id)


def test_whether_a_carrier_delivers_there_is_asked_before_booking(world: World, client: Client):
    order = new_order(world, province="西藏自治区")
    to = receiver(client, order)
    assert to.address_cipher
    here = pickup(client)
    assert client.out_of_range("yuantong", here, to).is_out is False
    world.post("/platform", out_of_range={"yuantong": [[to.province, to.city]]})
    try:
        answer = client.out_of_range("yuantong", here, to)
        assert (answer.is_out, answer.reason) == (True, f"{to.province}{to.city} 不在派送范围内")
        assert client.out_of_range("zhongtong", here, to).is_out is False
        world.post("/platform", out_of_range={"yuantong": [[here.province]]})
        assert client.out_of_range("yuantong", here, to).reason.endswith("不在揽收范围内")
    finally:
        world.post("/platform", out_of_range={})


def test_a_range_that_nobody_can_tell_is_an_error_and_no_answer(world: World, client: Client):
    order = new_order(world)
    with pytest.raises(ProviderError) as caught:
        client.out_of_range("nobody", pickup(client), receiver(client, order))
    assert flags(caught.value) == ("business", False, False)
    with pytest.raises(ProviderError) as caught:
        client.out_of_range("yuantong", pickup(client), RecipientFact())
    assert flags(caught.value) == ("input", False, False)
    world.trouble("60000", "logistics.getOutRange")
    with pytest.raises(ProviderError) as caught:
        client.out_of_range("yuantong", pickup(client), receiver(client, order))
    assert flags(caught.value) == ("limited", True, False)


def test_the_track_of_an_e_waybill_once_it_was_shipped_with(world: World, client: Client):
    order = new_order(world, shipped=False)
    number = client.book_label(booking(client, order, "T1_1")).message_id
    with pytest.raises(ProviderError) as caught:
        client.query("yuantong", number)
    assert caught.value.sub_code.endswith("10015")
    client.add_first_package(order["order_id"], lines(order), "yuantong", number, f"track-{number}")
    assert client.query("yuantong", number).scans == ()  # no line yet is no error
    world.advance(hours=30)
    scans = client.query("yuantong", number).scans
    assert scans
    assert all(scan.scanned_at and scan.text and scan.state for scan in scans)
    assert [scan.scanned_at for scan in scans] == sorted(scan.scanned_at for scan in scans if scan.scanned_at)
    with pytest.raises(ProviderError):
        client.query("yuantong", new_order(world)["packages"][0]["number"])


# ── buyers' ciphers ──


def test_ciphers_are_opened_and_the_look_is_reported(world: World, client: Client):
    order = new_order(world)
    to = receiver(client, order)
    ciphers = {"name": to.name_cipher, "phone": to.phone_cipher, "address": to.address_cipher}
    opened = client.decrypt(order["order_id"], ciphers)
    assert opened.plain["name"] == order["name"]
    assert order["address"].endswith(opened.plain["address"])
    assert opened.failed == {}
    seen = len(world.get("/security"))
    look = Look(
        "ev-1", "lin", order["order_id"], world.now(), "https://desk", "127.0.0.1", "agent", "https://desk", ciphers
    )
    client.report_view(look)
    assert len(world.get("/security")) == seen + 1
