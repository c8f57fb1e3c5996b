"""What a lenient platform would let pass: types, permissions, rates, lag, spoilt numbers, corrections."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from tests.simulator.conftest import Wire
from tests.simulator.test_gateway import order, said


def label(wire: Wire, order_id: str, carrier: str = "yuantong") -> str:
    return str(wire.control("waybills", {"order_id": order_id, "carrier": carrier})["number"])


def lines(wire: Wire, order_id: str) -> list[dict[str, Any]]:
    return list(wire.control(f"orders/{order_id}")["lines"])


def extra(wire: Wire, order_id: str, number: str, carrier: str = "yuantong") -> dict[str, Any]:
    products = [{"product_order_id": row["sub_id"], "product_count": row["count"]} for row in lines(wire, order_id)]
    given = {"shop_order_id": order_id, "product_orders": products, "tracking_no": number, "company_code": carrier}
    return wire.doudian("order/uploadextrapackage", given)


def pack(wire: Wire, order_id: str, number: str, request_id: str) -> dict[str, Any]:
    shipped = [{"shipped_order_id": row["sub_id"], "shipped_num": row["count"]} for row in lines(wire, order_id)]
    boxes = [{"shipped_order_info": shipped, "logistics_code": number, "company_code": "yuantong"}]
    given = {"order_id": order_id, "request_id": request_id, "pack_list": boxes}
    return wire.doudian("order/logisticsAddMultiPack", given)


def shown(wire: Wire, order_id: str) -> list[str]:
    answer = wire.doudian("order/queryOrderPackageInfo", {"order_id": order_id})
    boxes = answer["data"]["order_package_info"]["package_info"]
    return [box["delivery_info"][0]["track_no"] for box in boxes]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("afterSale/fillLogistics", {"aftersale_id": "12", "send_type": 1, "company_code": "x", "tracking_no": "y"}),
        ("order/uploadextrapackage", {"shop_order_id": 12, "tracking_no": "x", "company_code": "y"}),
        ("order/logisticsAddMultiPack", {"order_id": "1", "request_id": "r", "pack_list": {}}),
        ("order/logisticsAddSinglePack", {"order_id_list": "1", "request_id": "r"}),
        ("order/queryOrderPackageInfo", {"order_id": 1}),
        ("afterSale/fillLogistics", {"aftersale_id": 12, "send_type": True}),
    ],
)
def test_a_number_is_no_text_and_a_text_no_number(wire: Wire, path: str, params: dict[str, Any]) -> None:
    assert said(wire.doudian(path, params)) == (40004, "isv.parameter-invalid:1")


def test_what_was_not_granted_is_refused_until_it_is(wire: Wire) -> None:
    one = order(wire)["order_id"]
    wire.control("platform", {"forbidden": ["order.uploadextrapackage"]})
    refused = extra(wire, one, label(wire, one))
    assert said(refused) == (30001, "isv.app-permissions-insufficient")
    assert wire.control("truth")["submissions"] == {}
    wire.control("platform", {"forbidden": []})
    assert said(extra(wire, one, label(wire, one)))[0] == 10000


def test_more_calls_than_a_second_allows_are_refused(wire: Wire) -> None:
    one = order(wire)["order_id"]
    wire.control("platform", {"limits": {"order.queryOrderPackageInfo": 3}})
    time.sleep(1.0 - time.time() % 1 + 0.02)  # the platform counts whole seconds
    codes = [said(wire.doudian("order/queryOrderPackageInfo", {"order_id": one}))[0] for _ in range(5)]
    assert codes == [10000, 10000, 10000, 60000, 60000]
    wire.control("platform", {"limits": {}})


def test_reads_lag_behind_what_was_submitted(wire: Wire) -> None:
    wire.control("platform", {"lag": 60})
    numbers, orders = [], [order(wire)["order_id"] for _ in range(6)]
    for one in orders:
        number = label(wire, one)
        assert said(extra(wire, one, number))[0] == 10000
        numbers.append(number)
    early = sum(number in shown(wire, one) for one, number in zip(orders, numbers, strict=True))
    assert early < 6
    wire.advance(61 / 3600)
    assert all(number in shown(wire, one) for one, number in zip(orders, numbers, strict=True))
    wire.control("platform", {"lag": 0})


@pytest.mark.parametrize(
    ("problem", "number"), [("used", 70022), ("receiver", 70020), ("recalled", 70018), ("too_early", 70019)]
)
def test_a_spoilt_number_is_refused_for_what_it_is(wire: Wire, problem: str, number: int) -> None:
    one = order(wire)["order_id"]
    waybill = label(wire, one)
    wire.control("numbers", {"carrier": "yuantong", "number": waybill, "problem": problem})
    assert said(extra(wire, one, waybill)) == (50002, f"isv.business-failed:{number}")


def test_a_number_of_another_carrier_is_named(wire: Wire) -> None:
    one = order(wire)["order_id"]
    answer = extra(wire, one, label(wire, one, "jtexpress"), "yuantong")
    assert said(answer) == (50002, "isv.business-failed:60128")
    assert "jtexpress" in answer["sub_msg"]
    assert said(extra(wire, one, "abc")) == (40004, "isv.parameter-invalid:60017")


def test_an_order_shipped_whole_is_edited_by_order_only(wire: Wire) -> None:
    one = order(wire)
    detail = wire.doudian("order/orderDetail", {"shop_order_id": one["order_id"]})["data"]["shop_order_detail"]
    (box,) = detail["logistics_info"]
    new = label(wire, one["order_id"])
    change = {"order_id": one["order_id"], "company_code": "yuantong", "logistics_code": new}
    by_pack = wire.doudian("order/logisticsEditByPack", {**change, "pack_id": box["delivery_id"]})
    assert said(by_pack) == (50002, "isv.business-failed:70011")
    assert said(wire.doudian("order/logisticsEdit", {**change, "logistics_code": ""}))[1].endswith(":60014")
    bad = wire.doudian("order/logisticsEdit", {**change, "logistics_code": "abc"})
    assert said(bad) == (50002, "isv.business-failed:70013")
    assert said(wire.doudian("order/logisticsEdit", change))[0] == 10000
    assert shown(wire, one["order_id"]) == [new]


def test_a_package_of_its_own_is_edited_by_package_only(wire: Wire) -> None:
    one = order(wire, shipped=False)["order_id"]
    first = label(wire, one)
    made = pack(wire, one, first, "r1")
    assert said(pack(wire, one, label(wire, one), "r2")) == (50002, "isv.business-failed:60110")
    assert pack(wire, one, first, "r1")["data"] == made["data"]  # the same request: the first answer, nothing shipped
    new = label(wire, one)
    change = {"order_id": one, "company_code": "yuantong", "logistics_code": new}
    assert said(wire.doudian("order/logisticsEdit", change)) == (50002, "isv.business-failed:70011")
    pack_id = made["data"]["pack_list"][0]["pack_id"]
    assert said(wire.doudian("order/logisticsEditByPack", {**change, "pack_id": "9"}))[1].endswith(":60102")
    assert said(wire.doudian("order/logisticsEditByPack", {**change, "pack_id": pack_id}))[0] == 10000
    assert shown(wire, one) == [new]


def test_an_extra_package_cannot_be_edited(wire: Wire) -> None:
    one = order(wire)["order_id"]
    made = extra(wire, one, label(wire, one))
    change = {"order_id": one, "pack_id": made["data"]["deliver_id"], "logistics_code": label(wire, one)}
    assert said(wire.doudian("order/logisticsEditByPack", change)) == (50002, "isv.business-failed:70011")


def test_one_package_for_orders_of_one_recipient_only(wire: Wire) -> None:
    one, other = order(wire, shipped=False)["order_id"], order(wire, shipped=False)["order_id"]
    shipped = [
        {"shipped_order_id": row["sub_id"], "shipped_num": row["count"]}
        for each in (one, other)
        for row in lines(wire, each)
    ]
    given = {
        "order_id_list": [one, other], "shipped_order_info": shipped, "request_id": "s1",
        "logistics_code": label(wire, one), "company_code": "yuantong",
    }  # fmt: skip
    assert said(wire.doudian("order/logisticsAddSinglePack", given)) == (50002, "isv.business-failed:70020")
    alone = {**given, "order_id_list": [one], "shipped_order_info": shipped[: len(lines(wire, one))]}
    first = wire.doudian("order/logisticsAddSinglePack", alone)
    assert said(first)[0] == 10000
    assert wire.doudian("order/logisticsAddSinglePack", alone)["data"] == first["data"]
    assert len(wire.control(f"orders/{one}")["submissions"]) == 1


def test_ciphers_fail_one_by_one_and_phones_may_be_virtual(wire: Wire) -> None:
    one = order(wire)["order_id"]
    detail = wire.doudian("order/orderDetail", {"shop_order_id": one})["data"]["shop_order_detail"]
    infos = [{"auth_id": one, "cipher_text": detail[name]} for name in ("encrypt_post_receiver", "encrypt_post_tel")]
    wire.control("platform", {"broken": ["name"], "virtual": True})
    data = wire.doudian("order/batchDecrypt", {"cipher_infos": infos})["data"]
    name, phone = data["decrypt_infos"]
    assert (name["err_no"], name["decrypt_text"], data["custom_err"]["err_code"]) == (300003, "", 300008)
    assert phone["is_virtual_tel"] is True
    assert phone["decrypt_text"] == f"{phone['phone_no_a']}-{phone['phone_no_b']}"
    assert len(phone["phone_no_b"]) == 4
    wire.control("platform", {"broken": [], "virtual": False})


@pytest.mark.parametrize("kind", ["reply_lost", "accept_reset", "half", "garbage", "lying"])
def test_it_was_done_whatever_the_answer_looks_like(wire: Wire, kind: str) -> None:
    one = order(wire)["order_id"]
    number = label(wire, one)
    wire.control("trouble", {"service": "doudian", "method": "order.uploadextrapackage", "kind": kind})
    try:
        assert extra(wire, one, number)["code"] == 20000
        assert kind == "lying"
    except (httpx.HTTPError, ValueError):
        assert kind != "lying"
    assert [row["number"] for row in wire.control(f"orders/{one}")["submissions"]] == [number]


def test_an_answer_that_comes_late_was_done_at_once(wire: Wire) -> None:
    one = order(wire)["order_id"]
    number = label(wire, one)
    wire.control("trouble", {"service": "doudian", "method": "order.uploadextrapackage", "kind": "late", "seconds": 3})
    impatient = wire.client
    wire.client = httpx.Client(timeout=0.5, trust_env=False)
    try:
        with pytest.raises(httpx.ReadTimeout):
            extra(wire, one, number)
    finally:
        wire.client.close()
        wire.client = impatient
    assert shown(wire, one)[-1] == number


@pytest.mark.parametrize(("kind", "code"), [("10001", 10001), ("20000", 20000), ("20001", 20001), ("90000", 90000)])
def test_a_fault_with_http_200_did_nothing(wire: Wire, kind: str, code: int) -> None:
    one = order(wire)["order_id"]
    wire.control("trouble", {"service": "doudian", "method": "order.uploadextrapackage", "kind": kind})
    assert extra(wire, one, label(wire, one))["code"] == code
    assert wire.control(f"orders/{one}")["submissions"] == []


def test_of_two_refreshes_at_once_one_is_told_to_come_back(wire: Wire) -> None:
    pair = wire.sign_in()
    given = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    answers: list[tuple[int, str]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(said(wire.doudian("token/refresh", given)))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (50002, "isv.business-failed:31012") in answers
