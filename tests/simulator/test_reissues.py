"""After-sales, shipping and the two ways in which a reissue's number is submitted."""

from __future__ import annotations

import json
from typing import Any

from tests.simulator.conftest import Ear, Wire
from tests.simulator.test_gateway import order, said


def ticket(wire: Wire, order_id: str) -> dict[str, Any]:
    found: dict[str, Any] = wire.control("after-sales", {"order_id": order_id, "type": 7})
    return found


def detail(wire: Wire, sale_id: str) -> dict[str, Any]:
    found: dict[str, Any] = wire.doudian("afterSale/Detail", {"after_sale_id": sale_id})["data"]["process_info"]
    return found


def operate(wire: Wire, kind: int, sale_id: str, **more: Any) -> dict[str, Any]:
    return wire.doudian("afterSale/operate", {"type": kind, "items": [{"aftersale_id": sale_id, **more}]})


def fill(wire: Wire, sale_id: str, number: str, carrier: str = "yuantong") -> dict[str, Any]:
    given = {"aftersale_id": int(sale_id), "send_type": 1, "company_code": carrier, "tracking_no": number}
    return wire.doudian("afterSale/fillLogistics", given)


def test_a_resend_from_ticket_to_delivery(wire: Wire, ear: Ear) -> None:
    assert wire.control("push", {"url": f"{ear.url}/doudian", "sign": "hmac"})["registered"]
    made = order(wire, fate="lost", reissue_fate="delivered", customer="silent")
    sale_id = ticket(wire, made["order_id"])["aftersale_id"]
    listed = wire.doudian("afterSale/List", {"page": 0, "size": 20, "aftersale_type": 7})["data"]
    assert (listed["total"], listed["has_more"]) == (1, False)
    info = listed["items"][0]["aftersale_info"]
    assert (info["aftersale_id"], info["aftersale_status"]) == (sale_id, 6)
    assert info["status_deadline"] - info["apply_time"] == 48 * 3600
    seen = detail(wire, sale_id)["after_sale_info"]
    assert isinstance(seen["after_sale_id"], int)
    assert seen["encrypt_post_tel_sec"].startswith("$")
    number = wire.control("waybills", {"carrier": "yuantong", "order_id": made["order_id"]})["number"]
    assert said(fill(wire, sale_id, number)) == (50002, "isv.business-failed:12001")
    assert said(operate(wire, 501, sale_id, update_time=1)) == (50002, "isv.business-failed:20309541")
    assert said(operate(wire, 501, sale_id, update_time=seen["update_time"]))[0] == 10000
    assert said(operate(wire, 501, sale_id)) == (50002, "isv.business-failed:20309541")
    assert said(fill(wire, sale_id, "YT12"))[1] == "isv.business-failed:602001"
    assert said(fill(wire, sale_id, made["number"]))[1] == "isv.business-failed:12000"
    assert said(fill(wire, sale_id, number))[0] == 10000
    assert said(fill(wire, sale_id, number))[1] == "isv.business-failed:12001"
    assert detail(wire, sale_id)["logistics_info"]["resend"]["tracking_no"] == number
    wire.advance(24 * 9)
    assert detail(wire, sale_id)["after_sale_info"]["after_sale_status"] == 14
    truth = wire.control(f"orders/{made['order_id']}")
    assert [(p["role"], p["outcome"]) for p in truth["parcels"]] == [("original", "lost"), ("resend", "delivered")]
    assert [s["method"] for s in truth["submissions"]] == ["afterSale.fillLogistics"]
    messages = [m for row in ear.heard for m in json.loads(row["body"])]
    tags = [m["tag"] for m in {m["msg_id"]: m for m in messages}.values()]
    assert tags == ["0", "100", "101", "110", "102", "200", "227", "226", "206"]
    agreed = json.loads(next(m["data"] for m in messages if m["tag"] == "227"))
    assert agreed["after_sale_status"] == 8
    assert len(ear.heard[1]["headers"]["event-sign"]) == 64


def test_refused_may_still_be_agreed(wire: Wire) -> None:
    made = order(wire, fate="damaged", customer="silent")
    sale_id = ticket(wire, made["order_id"])["aftersale_id"]
    assert said(operate(wire, 502, sale_id))[0] == 40004
    assert said(operate(wire, 502, sale_id, reject_reason_code=2, remark="已在途"))[0] == 10000
    assert detail(wire, sale_id)["after_sale_info"]["after_sale_status"] == 27
    assert said(operate(wire, 501, sale_id))[0] == 10000
    assert detail(wire, sale_id)["after_sale_info"]["after_sale_status"] == 8


def test_deadlines_run_without_the_merchant(wire: Wire) -> None:
    sale_id = ticket(wire, order(wire, fate="lost", customer="silent")["order_id"])["aftersale_id"]
    wire.advance(47.9)
    assert detail(wire, sale_id)["after_sale_info"]["after_sale_status"] == 6
    wire.advance(0.2)
    assert detail(wire, sale_id)["after_sale_info"]["after_sale_status"] == 8
    wire.advance(73)
    assert detail(wire, sale_id)["after_sale_info"]["after_sale_status"] == 28


def test_every_extra_package_counts(wire: Wire) -> None:
    made = order(wire, fate="lost", customer="silent")
    lines = wire.control(f"orders/{made['order_id']}")["lines"]
    number = wire.control("waybills", {"carrier": "zhongtong", "order_id": made["order_id"]})["number"]
    given = {
        "shop_order_id": made["order_id"],
        "product_orders": [{"product_order_id": lines[0]["sub_id"], "product_count": 1}],
        "tracking_no": number,
        "company_code": "zhongtong",
    }
    ids = {wire.doudian("order/uploadextrapackage", given)["data"]["deliver_id"] for _ in range(2)}
    assert len(ids) == 2
    info = wire.doudian("order/queryOrderPackageInfo", {"order_id": made["order_id"]})["data"]["order_package_info"]
    extras = [p for p in info["package_info"] if p["is_complement_deliver"]]
    assert [p["delivery_info"][0]["track_no"] for p in extras] == [number, number]
    assert info["wait_send_product_info"]["product_info"] == []
    assert said(wire.doudian("order/uploadextrapackage", {**given, "tracking_no": "77"}))[1].endswith(":60017")
    assert said(wire.doudian("order/uploadextrapackage", {**given, "product_orders": []}))[0] == 40002
    other = order(wire, fate="delivered")
    elsewhere = {**given, "company_code": "yuantong", "tracking_no": other["number"]}
    assert said(wire.doudian("order/uploadextrapackage", elsewhere))[1].endswith(":70022")
    unshipped = order(wire, shipped=False)
    assert said(wire.doudian("order/uploadextrapackage", {**given, "shop_order_id": unshipped["order_id"]}))[0] == 50002


def test_first_shipping_is_idempotent_by_request_id(wire: Wire) -> None:
    made = order(wire, shipped=False)
    lines = wire.control(f"orders/{made['order_id']}")["lines"]
    number = wire.control("waybills", {"carrier": "shunfeng", "order_id": made["order_id"]})["number"]
    infos = [{"shipped_order_id": x["sub_id"], "shipped_num": x["count"]} for x in lines]
    pack = {"company_code": "shunfeng", "logistics_code": number, "shipped_order_info": infos}
    given = {"order_id": made["order_id"], "request_id": "r-1", "pack_list": [pack], "is_reject_refund": False}
    first = wire.doudian("order/logisticsAddMultiPack", given)
    assert first["data"]["pack_list"][0]["pack_id"]
    assert wire.doudian("order/logisticsAddMultiPack", given)["data"] == first["data"]
    again = wire.doudian("order/logisticsAddMultiPack", {**given, "request_id": "r-2"})
    assert said(again) == (50002, "isv.business-failed:60110")
    whole = {"order_id": made["order_id"], "company_code": "shunfeng", "logistics_code": number}
    assert said(wire.doudian("order/logisticsAdd", whole))[1].endswith(":60110")
    assert said(wire.doudian("order/logisticsAddMultiPack", {**given, "request_id": ""}))[1].endswith(":50050")


def test_customers_ask_by_themselves_or_when_told(wire: Wire) -> None:
    asking = order(wire, fate="lost", customer="asks_resend")
    waiting = order(wire, fate="lost", customer="asks_when_told")
    refusing = order(wire, fate="lost", customer="refuses")
    wire.advance(24 * 8)
    sales = {k: wire.control(f"orders/{v['order_id']}") for k, v in (("a", asking), ("w", waiting), ("r", refusing))}
    assert [s["type"] for s in sales["a"]["aftersales"]] == [7]
    assert [s["type"] for s in sales["r"]["aftersales"]] == [1]
    assert sales["w"]["aftersales"] == []
    shown = wire.doudian("order/orderDetail", {"shop_order_id": waiting["order_id"]})["data"]["shop_order_detail"]
    sms = {"account": wire.hello["sms"]["account"], "sign": wire.hello["sms"]["sign"]}
    given = {
        "sms_account": sms["account"],
        "sign": sms["sign"],
        "template_id": "ST_7a2ticket",
        "template_param": json.dumps({"order_tail": waiting["order_id"][-4:]}),
        "post_tel": shown["encrypt_post_tel"],
        "tag": "case-1",
    }
    sent = wire.doudian("sms/send", given)["data"]
    assert (sent["code"], sent["message"]) == (0, "success")
    wire.advance(30)
    if wire.root("sms.json").json()[0]["ok"]:
        assert [s["type"] for s in wire.control(f"orders/{waiting['order_id']}")["aftersales"]] == [7]
    window = {"from_time": 0, "to_time": 10**10, "sms_account": sms["account"]}
    receipt = wire.doudian("sms/sendResult", window)["data"]["sms_send_result_list"][0]
    assert (receipt["tag"], receipt["message_id"]) == ("case-1", sent["message_id"])
    assert waiting["order_id"][-4:] in receipt["sms_content"]
    bad = wire.doudian("sms/send", {**given, "post_tel": "$x$y$1$$"})
    assert said(bad) == (50002, "isv.business-failed:628002001")
    assert wire.doudian("sms/send", {**given, "template_id": "none"})["data"]["code"] == 7
    feed = wire.control("feed?since=0")
    assert {f["order_id"] for f in feed} == {o["order_id"] for o in (asking, waiting, refusing)}


def test_a_given_up_parcel_moves_again_after_its_reissue_left(wire: Wire) -> None:
    made = order(wire, fate="revived", reissue_fate="delivered", customer="silent")
    wire.advance(24 * 5)
    wire.control("waybills", {"carrier": "jtexpress", "order_id": made["order_id"]})
    wire.advance(24 * 6)
    parcels = wire.control(f"orders/{made['order_id']}")["parcels"]
    assert [p["outcome"] for p in parcels] == ["delivered", "delivered"]
