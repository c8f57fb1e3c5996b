"""E-waybills of the platform: one number per order and pack_id, strict about who sends what to whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import Wire
from tests.simulator.test_gateway import order, said

SENDER = {
    "address": {
        "country_code": "CHN",
        "province_name": "浙江省",
        "city_name": "杭州市",
        "district_name": "余杭区",
        "detail_address": "未来路 1 号",
    },
    "contact": {"name": "陈", "mobile": "13800000000"},
}


def receiver(wire: Wire, order_id: str) -> dict[str, Any]:
    detail = wire.doudian("order/orderDetail", {"shop_order_id": order_id})["data"]["shop_order_detail"]
    address = {
        "country_code": "CHN",
        "province_name": "北京市",
        "city_name": "北京市",
        "detail_address": detail["post_addr"]["encrypt_detail"],
    }
    return {
        "address": address,
        "contact": {"name": detail["encrypt_post_receiver"], "mobile": detail["encrypt_post_tel"]},
    }


def book(
    wire: Wire, order_id: str, pack_id: str, to: dict[str, Any], changed: dict[str, Any] | None = None
) -> dict[str, Any]:
    info = {
        "order_id": order_id,
        "pack_id": pack_id,
        "receiver_info": to,
        "items": [{"item_name": "杯", "item_count": 1}],
    }
    info |= changed or {}
    given = {"logistics_code": "yuantong", "sender_info": SENDER, "order_infos": [info]}
    return wire.doudian("logistics/newCreateOrder", given)


def number(answer: dict[str, Any]) -> str:
    assert answer["code"] == 10000, answer
    [found] = answer["data"]["ebill_infos"]
    return str(found["track_no"])


def cancel(wire: Wire, track_no: str) -> dict[str, Any]:
    return wire.doudian("logistics/cancelOrder", {"logistics_code": "yuantong", "track_no": track_no})


def test_the_same_pack_id_gives_the_old_number_another_a_new_one(wire: Wire) -> None:
    one = order(wire)["order_id"]
    to = receiver(wire, one)
    first = number(book(wire, one, "R7K429HXR_1", to))
    assert number(book(wire, one, "R7K429HXR_1", to)) == first
    assert number(book(wire, one, "r7k429hxr_1", to)) != first  # case matters


def test_cancelled_once_never_used_again(wire: Wire) -> None:
    one = order(wire)["order_id"]
    track_no = number(book(wire, one, "a_1", receiver(wire, one)))
    printed = {"waybill_applies": [{"logistics_code": "yuantong", "track_no": track_no}]}
    assert wire.doudian("logistics/waybillApply", printed)["data"]["waybill_infos"][0]["track_no"] == track_no
    assert cancel(wire, track_no)["data"] == {"cancel_result": {"success": True}}
    assert said(cancel(wire, track_no)) == (50002, "isv.business-failed:1102")
    assert said(cancel(wire, "YT0000000000000")) == (50002, "isv.business-failed:10711")
    answer = wire.doudian("logistics/waybillApply", printed)["data"]
    assert (answer["waybill_infos"], answer["err_infos"][0]["err_code"]) == ([], 10015)


def test_a_receiver_of_another_order_and_an_empty_balance_are_refused(wire: Wire) -> None:
    one, other = order(wire)["order_id"], order(wire)["order_id"]
    answer = book(wire, one, "a_1", receiver(wire, other))
    assert [row["err_code"] for row in answer["data"]["err_infos"]] == ["15003"]
    wire.control("platform", {"balance": {"yuantong": 1}})
    number(book(wire, one, "a_2", receiver(wire, one)))
    answer = book(wire, one, "a_3", receiver(wire, one))
    assert [row["err_code"] for row in answer["data"]["err_infos"]] == ["10701"]
    assert number(book(wire, one, "a_2", receiver(wire, one)))  # what is booked stays booked
    wire.control("platform", {"balance": {}})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"pack_id": "R7K4-29HX"}, 40004),
        ({"items": []}, 40002),
        ({"items": [{"item_name": "杯", "item_count": 0}]}, 40004),
        ({"order_id": 12}, 40002),
        ({"order_id": "6999"}, 50002),
        ({"receiver_info": {"address": {}, "contact": {}}}, 40002),
    ],
)
def test_what_is_incomplete_or_of_a_wrong_type_is_refused(wire: Wire, changed: dict[str, Any], code: int) -> None:
    one = order(wire)["order_id"]
    assert book(wire, one, "a_1", receiver(wire, one), changed)["code"] == code
