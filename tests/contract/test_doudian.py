"""Doudian's client against the platform of the simulator."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bufa.integrations.platforms.doudian.client import Client
from bufa.integrations.platforms.doudian.push import Push
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.ports import CarrierFact, OrderFact, ProviderError, PushEvent, Tokens
from bufa.lib.http import client as http_client
from tests.contract.conftest import Hook, World
from tests.integrations.support import Keeper


def settings(world: World, **changed: Any) -> Settings:
    told, sms = world.hello["doudian"], world.hello["sms"]
    fields = {key: told[key] for key in ("app_key", "app_secret", "shop_id", "base_url")}
    return Settings(**(fields | {"sms_account": sms["account"], "sms_sign": sms["sign"]} | changed))


@pytest.fixture
def http():
    with http_client() as made:
        yield made


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def client(world: World, http: httpx.Client, keeper: Keeper) -> Client:
    return Client(settings(world), keeper, http)


def flags(error: ProviderError) -> tuple[str, bool, bool]:
    return error.why, error.retryable, error.unknown


def new_order(world: World, **how: Any) -> dict[str, Any]:
    made = world.post("/orders", **({"fate": "delivered", "carrier": "yuantong"} | how))
    truth: dict[str, Any] = world.get(f"/orders/{made['order_id']}")
    return truth


def label(world: World, order: dict[str, Any], carrier: str = "yuantong") -> str:
    return str(world.post("/waybills", order_id=order["order_id"], carrier=carrier)["number"])


# ── connecting ──


def test_an_own_app_connects_and_keeps_its_tokens(world: World, client: Client, keeper: Keeper):
    tokens = client.connect()
    assert tokens.shop_id == world.hello["doudian"]["shop_id"]
    assert tokens.shop_name == world.hello["doudian"]["shop_name"]
    assert tokens == keeper.current()
    assert timedelta(0) < tokens.expires_at - datetime.now(UTC) <= timedelta(days=7)


def test_a_tool_app_connects_by_the_code_of_a_consent(world: World, http: httpx.Client, keeper: Keeper):
    page = http.post(world.hello["doudian"]["authorize_url"])
    found = re.search(r"<code>(\w+)</code>", page.text)
    assert found is not None
    tool = Client(settings(world, app_kind="tool"), keeper, http)
    assert tool.connect(found[1]).shop_id == world.hello["doudian"]["shop_id"]
    with pytest.raises(ProviderError, match="code_invalid"):
        tool.connect(found[1])


@pytest.mark.parametrize("how", ["hmac-sha256", "md5"])
def test_both_signatures_hold(world: World, http: httpx.Client, how: str):
    assert Client(settings(world, sign_method=how), Keeper(), http).carriers()


def test_a_wrong_secret_is_a_signature_error(world: World, http: httpx.Client):
    with pytest.raises(ProviderError) as caught:
        Client(settings(world, app_secret="wrong"), Keeper(), http).carriers()
    assert flags(caught.value) == ("signature", False, False)
    assert caught.value.log_id


@pytest.mark.parametrize("state", ["last_hour", "access", "refresh"])
def test_tokens_that_grew_old_are_renewed_unseen(world: World, client: Client, keeper: Keeper, state: str):
    client.connect()
    world.post("/tokens", state=state)
    if state == "last_hour":  # as another process would have seen it
        told = keeper.tokens
        assert told is not None
        keeper.tokens = Tokens(told.access, told.refresh, datetime.now(UTC) + timedelta(minutes=30), told.shop_id)
    assert client.carriers()
    assert keeper.renewals == 2


def test_a_refresh_that_meets_another_is_called_again(world: World, client: Client):
    client.connect()
    world.post("/tokens", state="access")
    world.post("/tokens", state="busy")
    assert client.carriers()


# ── reading ──


def test_an_order_is_what_the_platform_knows(world: World, client: Client):
    truth = new_order(world, paid_fen=5980)
    order = client.order(truth["order_id"])
    assert (order.number, order.status, order.paid_fen) == (truth["order_id"], 3, truth["paid_fen"])
    assert order.paid_at == datetime.fromisoformat(truth["paid_at"])
    assert [(line.line_id, line.title, line.quantity) for line in order.lines] == [
        (line["sub_id"], line["name"], line["count"]) for line in truth["lines"]
    ]
    assert sum(line.paid_fen for line in order.lines) == order.paid_fen
    assert [(p.carrier, p.number, p.package_id) for p in order.packages] == [
        (p["carrier"], p["number"], p["deliver_id"]) for p in truth["packages"]
    ]
    recipient = order.recipient
    assert truth["address"].startswith(recipient.province + recipient.city + recipient.district + recipient.town)
    assert recipient.name_cipher
    assert recipient.phone_cipher.startswith("$")
    assert recipient.address_cipher
    assert recipient.open_address_id
    assert "*" in recipient.name_mask
    assert "*" in recipient.phone_mask
    assert truth["phone"] not in repr(order)
    assert truth["name"] not in repr(order)
    assert order.ship_by is not None
    assert order.promise_hours is not None


def test_an_order_nobody_has_is_not_found(client: Client):
    with pytest.raises(ProviderError) as caught:
        client.order("6900000000000000000")
    assert caught.value.why == "not_found"


def test_a_walk_finds_every_order_once(world: World, client: Client):
    since = world.now()
    made = {world.post("/orders", shipped=False)["order_id"] for _ in range(120)}  # more than a page
    found: list[OrderFact] = []
    steps = list(client.walk_orders(since, world.now() + timedelta(seconds=1)))
    for step in steps:
        found.extend(step.items)
    numbers = [order.number for order in found]
    assert made <= set(numbers)
    assert len(numbers) == len(set(numbers))
    assert steps[-1].done == len(numbers)


def test_carriers_and_addresses(world: World, client: Client):
    known = {CarrierFact(code, told["name"]) for code, told in world.hello["carriers"].items()}
    assert set(client.carriers()) == known
    addresses = client.addresses()
    assert [address.is_default for address in addresses] == [True, False]
    assert all(address.platform_id and address.province and address.detail for address in addresses)


# ── after-sales and submissions ──


def ticket(world: World, order: dict[str, Any]) -> str:
    return str(world.post("/after-sales", order_id=order["order_id"], type=7)["aftersale_id"])


def agreed(world: World, client: Client, order: dict[str, Any]) -> str:
    number = ticket(world, order)
    client.agree_resend(number, client.after_sale(number).update_time)
    return number


def test_a_ticket_from_application_to_resend(world: World, client: Client):
    order = new_order(world)
    since = world.now()
    number = ticket(world, order)
    listed = [
        item
        for step in client.walk_after_sales(since, world.now() + timedelta(seconds=1))
        for item in step.items
        if item.number == number
    ]
    assert [(item.type, item.status, item.order_number) for item in listed] == [(7, 6, order["order_id"])]
    seen = client.after_sale(number)
    assert (seen.order_number, seen.resend_number) == (order["order_id"], "")
    assert seen.deadline is not None
    assert seen.recipient is not None
    assert seen.recipient.open_address_id == client.order(order["order_id"]).recipient.open_address_id

    with pytest.raises(ProviderError) as stale:
        client.agree_resend(number, seen.update_time - 1)
    assert (flags(stale.value), stale.value.sub_code[-8:]) == (("business", False, False), "20309541")

    client.agree_resend(number, seen.update_time)
    assert client.after_sale(number).status == 8

    waybill = label(world, order)
    client.fill_resend(number, "yuantong", waybill)
    filled = client.after_sale(number)
    assert (filled.status, filled.resend_carrier, filled.resend_number) == (13, "yuantong", waybill)

    with pytest.raises(ProviderError) as again:
        client.fill_resend(number, "yuantong", label(world, order))
    assert flags(again.value) == ("business", False, False)


def test_a_ticket_is_refused_with_one_of_the_platforms_reasons(world: World, client: Client):
    number = ticket(world, new_order(world))
    reason = client.reject_reasons(number)[0]
    client.refuse_resend(number, client.after_sale(number).update_time, reason.text, reason.code)
    assert client.after_sale(number).status == 27


def test_an_extra_package_shows_among_the_packages(world: World, client: Client):
    order = new_order(world)
    waybill = label(world, order)
    line = (order["lines"][0]["sub_id"], 1)
    sent = client.add_extra_package(order["order_id"], (line,), "yuantong", waybill, client.addresses()[0].platform_id)
    assert [
        (p.package_id, p.carrier, p.lines, p.is_extra)
        for p in client.packages(order["order_id"])
        if p.number == waybill
    ] == [(sent.message_id, "yuantong", (line,), True)]


def test_a_number_of_the_wrong_shape_is_rejected_not_unknown(world: World, client: Client):
    order = new_order(world)
    with pytest.raises(ProviderError) as caught:
        client.add_extra_package(order["order_id"], ((order["lines"][0]["sub_id"], 1),), "yuantong", "12")
    assert flags(caught.value) == ("input", False, False)


# ── trouble ──

# kind -> the error, and whether the package was added all the same
TROUBLES = {
    "20000": (("unavailable", False, True), False),
    "60000": (("limited", True, False), False),
    "cut": (("cut", False, True), False),
    "http500": (("http", False, True), False),
    "reply_lost": (("cut", False, True), True),
}


@pytest.mark.parametrize("kind", TROUBLES)
def test_an_extra_package_in_trouble_is_sent_once_and_settled_by_reading(world: World, client: Client, kind: str):
    order = new_order(world)
    waybill = label(world, order)
    client.connect()
    mark = world.mark()
    world.trouble(kind, "order.uploadextrapackage")
    with pytest.raises(ProviderError) as caught:
        client.add_extra_package(order["order_id"], ((order["lines"][0]["sub_id"], 1),), "yuantong", waybill)
    expected, arrived = TROUBLES[kind]
    assert flags(caught.value) == expected
    assert len(world.ledger(mark, "order.uploadextrapackage")) == 1
    assert [p.number for p in client.packages(order["order_id"]) if p.number == waybill] == [waybill] * arrived


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_resend_in_trouble_is_sent_once_and_settled_by_reading(world: World, client: Client, kind: str):
    order = new_order(world)
    number = agreed(world, client, order)
    waybill = label(world, order)
    mark = world.mark()
    world.trouble(kind, "afterSale.fillLogistics")
    with pytest.raises(ProviderError) as caught:
        client.fill_resend(number, "yuantong", waybill)
    expected, arrived = TROUBLES[kind]
    assert flags(caught.value) == expected
    assert len(world.ledger(mark, "afterSale.fillLogistics")) == 1
    assert client.after_sale(number).resend_number == (waybill if arrived else "")


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_reading_call_in_trouble_may_be_repeated(world: World, client: Client, kind: str):
    client.connect()
    world.trouble(kind, "order.logisticsCompanyList")
    with pytest.raises(ProviderError) as caught:
        client.carriers()
    assert (caught.value.retryable, caught.value.unknown) == (True, False)
    assert client.carriers()


def test_an_answer_that_is_only_slow_is_waited_for(world: World, client: Client):
    world.trouble("slow", "order.logisticsCompanyList", seconds=0.5)
    assert client.carriers()


@pytest.mark.slow
def test_ten_seconds_of_silence_are_unknown(world: World, client: Client):
    order = new_order(world)
    waybill = label(world, order)
    client.connect()
    mark = world.mark()
    world.trouble("slow", "order.uploadextrapackage", seconds=11)
    with pytest.raises(ProviderError) as caught:
        client.add_extra_package(order["order_id"], ((order["lines"][0]["sub_id"], 1),), "yuantong", waybill)
    assert flags(caught.value) == ("timeout", False, True)
    assert len(world.ledger(mark, "order.uploadextrapackage")) == 1


def test_a_stale_token_does_not_send_a_change_twice(world: World, client: Client):
    order = new_order(world)
    waybill = label(world, order)
    client.connect()
    world.post("/tokens", state="access")
    client.add_extra_package(order["order_id"], ((order["lines"][0]["sub_id"], 1),), "yuantong", waybill)
    assert [p.number for p in client.packages(order["order_id"])].count(waybill) == 1


# ── SMS ──


def test_an_sms_by_the_cipher_and_its_receipt(world: World, client: Client):
    order = new_order(world)
    cipher = client.order(order["order_id"]).recipient.phone_cipher
    since = world.now()
    sent = client.send_sms(cipher, "ST_7a3arrived", {"order_tail": "1234", "number": "YT1"}, "case:1:arrived")
    assert sent.message_id
    said = world.get(f"/orders/{order['order_id']}")["sms"]
    assert said == ["【青禾鲜果】您的订单1234补发的商品（YT1）已送达，给您添麻烦了。"]
    world.advance(minutes=2)
    receipts = client.sms_receipts(since, world.now()).items
    mine = [receipt for receipt in receipts if receipt.message_id == sent.message_id]
    assert [(receipt.tag, receipt.status in {"delivered", "failed"}) for receipt in mine] == [("case:1:arrived", True)]


def test_an_sms_the_account_may_not_send_is_rejected(world: World, client: Client):
    cipher = client.order(new_order(world)["order_id"]).recipient.phone_cipher
    with pytest.raises(ProviderError) as caught:
        client.send_sms(cipher, "ST_nobody", {})
    assert (flags(caught.value), caught.value.sub_code) == (("business", False, False), "7")


# ── pushes ──


@pytest.mark.parametrize("how", ["md5", "hmac"])
def test_pushes_are_verified_and_name_their_order(world: World, hook: Hook, how: str):
    receiver = Push(settings(world))
    assert world.post("/push", url=hook.url, sign=how)["registered"] is True
    order = new_order(world)
    number = ticket(world, order)
    world.advance(minutes=1)
    world.post("/push", url="")
    events: list[PushEvent] = []
    for headers, body in hook.got:
        receiver.verify(headers, body)
        events.extend(receiver.parse(body))
    assert (events[0].tag, events[0].message_id) == (0, "0")
    mine = [event for event in events if event.order_number == order["order_id"]]
    assert {101, 102, 200} <= {event.tag for event in mine}
    assert {event.after_sale_number for event in mine if event.tag == 200} == {number}
    assert all(event.message_id for event in mine)
