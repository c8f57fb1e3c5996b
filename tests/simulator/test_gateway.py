"""The platform's gateway over the wire: checks, orders, paging, ciphers."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator.conftest import START, Wire

T0 = int(datetime.fromisoformat(START).timestamp())


def said(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["code"], answer["sub_code"]


def order(wire: Wire, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = wire.control("orders", {"carrier": "yuantong", "fate": "delivered", **given})
    assert "order_id" in found, found
    return found


def listing(wire: Wire, **params: Any) -> dict[str, Any]:
    window = {"create_time_start": T0 - 3600, "create_time_end": T0 + 30 * 86400}
    return wire.doudian("order/searchList", {"page": 0, "size": 20, **window, **params})


def test_both_signatures_and_three_forms_of_time(wire: Wire) -> None:
    now = time.time()
    text = datetime.now(UTC).astimezone().strftime("%Y-%m-%d")
    assert said(wire.doudian("order/logisticsCompanyList", {}, how="md5"))[0] == 10000
    assert said(wire.doudian("order/logisticsCompanyList", {}, how="md5", sign_method=""))[0] == 10000
    assert said(wire.doudian("order/logisticsCompanyList", {}, stamp=str(int(now * 1000))))[0] == 10000
    beijing = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    assert said(wire.doudian("order/logisticsCompanyList", {}, stamp=beijing))[0] == 10000
    assert said(wire.doudian("order/logisticsCompanyList", {}, stamp=text)) == (40003, "isv.timestamp-format-error")
    old = wire.doudian("order/logisticsCompanyList", {}, stamp=str(int(now) - 700))
    assert said(old) == (40003, "isv.timestamp-invalid")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sign": "0" * 64}, (40003, "isv.signature-invalid")),
        ({"sign": ""}, (40001, "isv.signature-missing")),
        ({"app_key": ""}, (40001, "isv.app-id-missing")),
        ({"app_key": "1" * 19}, (40003, "isv.app-id-invalid")),
        ({"method": ""}, (40001, "isv.parameter-missing")),
        ({"access_token": ""}, (40001, "isv.access-token-missing")),
        ({"access_token": "other"}, (40003, "isv.access-token-no-existed")),
    ],
)
def test_refusals_of_the_frame(wire: Wire, changes: dict[str, str], expected: tuple[int, str]) -> None:
    assert said(wire.doudian("order/logisticsCompanyList", {}, **changes)) == expected


def test_unknown_path_expired_token_and_injected_errors(wire: Wire) -> None:
    assert said(wire.doudian("order/nothing", {})) == (70000, "isp.api-service-off")
    for kind, expected in (("20000", (20000, "isp.service-error:20000")), ("60000", (60000, "isv.traffic-limited"))):
        wire.control("trouble", {"service": "doudian", "method": "order.orderDetail", "kind": kind, "times": 1})
        assert said(wire.doudian("order/orderDetail", {"shop_order_id": "1"})) == expected
        assert said(wire.doudian("order/orderDetail", {"shop_order_id": "1"}))[0] == 50002
    wire.control("tokens", {"state": "access"})
    assert said(wire.doudian("order/logisticsCompanyList", {})) == (40003, "isv.access-token-expired")


def test_authorise_page_gives_a_code(wire: Wire) -> None:
    url = wire.hello["doudian"]["authorize_url"]
    query = {"state": "s1", "redirect_uri": "http://127.0.0.1:9/back"}
    assert "同意授权" in wire.client.get(url, params=query).text
    back = wire.client.post(url, params=query)
    assert back.status_code == 302
    place = back.headers["location"]
    assert place.startswith("http://127.0.0.1:9/back?code=")
    assert place.endswith("&state=s1")
    code = place.split("code=")[1].split("&")[0]
    answer = wire.doudian("token/create", {"grant_type": "authorization_code", "code": code}, access_token="")
    assert answer["data"]["shop_name"] == "青禾鲜果旗舰店"


def test_order_and_its_types(wire: Wire) -> None:
    made = order(wire, province="广东", paid_fen=5980)
    found = wire.doudian("order/orderDetail", {"shop_order_id": made["order_id"]})["data"]["shop_order_detail"]
    assert found["order_id"] == made["order_id"]
    assert (found["order_status"], found["pay_amount"], found["shop_id"]) == (3, 5980, 40391623)
    assert found["exp_ship_time"] - found["pay_time"] == 48 * 3600
    assert isinstance(found["sku_order_list"][0]["product_id"], int)
    assert found["logistics_info"][0]["tracking_no"] == made["number"]
    assert found["post_addr"]["province"]["name"] == "广东省"
    assert found["encrypt_post_receiver"].startswith("#")
    assert found["encrypt_post_receiver"].endswith("#1##")
    assert found["encrypt_post_tel"].endswith("$1$$")
    assert found["mask_post_tel"][3:7] == "****"
    truth = wire.control(f"orders/{made['order_id']}")
    assert truth["phone"] not in str(found)
    assert truth["name"] not in str(found)
    assert said(wire.doudian("order/orderDetail", {"shop_order_id": "1"})) == (50002, "isv.business-failed:20014")


def test_paging_and_windows(wire: Wire) -> None:
    ids = {order(wire, shipped=False)["order_id"] for _ in range(5)}
    first = listing(wire, size=2)["data"]
    assert (first["total"], first["page"], len(first["shop_order_list"])) == (5, 0, 2)
    pages = [listing(wire, size=2, page=p)["data"]["shop_order_list"] for p in range(3)]
    assert {o["order_id"] for page in pages for o in page} == ids
    assert listing(wire, combine_status=[{"order_status": "2,3"}])["data"]["total"] == 5
    assert listing(wire, combine_status=[{"order_status": "3"}])["data"]["total"] == 0
    assert said(listing(wire, size=101))[1] == "isv.parameter-invalid:20008"
    assert said(listing(wire, page=-1))[1] == "isv.parameter-invalid:10035"
    assert said(listing(wire, combine_status=[{}, {}]))[1] == "isv.parameter-invalid:20012"
    assert said(listing(wire, create_time_end=T0 - 3600))[1] == "isv.parameter-invalid:20011"
    assert said(wire.doudian("order/searchList", {"page": 0, "size": 1}))[1] == "isv.parameter-invalid:20011"
    updated = {"update_time_start": T0 + 1, "update_time_end": T0 + 9, "order_by": "update_time", "order_asc": True}
    assert wire.doudian("order/searchList", {"page": 0, "size": 9, **updated})["data"]["total"] == 0


def test_same_person_same_address_id_but_other_ciphers(wire: Wire) -> None:
    one = wire.doudian("order/orderDetail", {"shop_order_id": order(wire)["order_id"]})["data"]["shop_order_detail"]
    two = wire.doudian("order/orderDetail", {"shop_order_id": order(wire)["order_id"]})["data"]["shop_order_detail"]
    assert one["open_address_id"] != two["open_address_id"]
    again = wire.doudian("order/orderDetail", {"shop_order_id": one["order_id"]})["data"]["shop_order_detail"]
    assert again["open_address_id"] == one["open_address_id"]
    infos = [
        {"auth_id": one["order_id"], "cipher_text": one["encrypt_post_tel"]},
        {"auth_id": one["order_id"], "cipher_text": two["encrypt_post_tel"]},
    ]
    opened = wire.doudian("order/batchDecrypt", {"cipher_infos": infos})["data"]
    assert opened["decrypt_infos"][0]["decrypt_text"] == wire.control(f"orders/{one['order_id']}")["phone"]
    assert (opened["decrypt_infos"][1]["err_no"], opened["custom_err"]["err_code"]) == (300004, 300008)
    masked = wire.doudian("order/batchSensitive", {"cipher_infos": infos[:1]})["data"]["decrypt_infos"][0]
    assert masked["decrypt_text"] == one["mask_post_tel"]
    assert said(wire.doudian("order/batchDecrypt", {"cipher_infos": infos * 26}))[0] == 40004


def test_addresses_companies_and_security_report(wire: Wire) -> None:
    params = {"page_no": 1, "page_size": 10, "order_by": "desc", "order_field": "create_time"}
    rows = wire.doudian("address/list", params)["data"]["address_list"]
    assert [r["is_send_default"] for r in rows] == [1, 0]
    companies = wire.doudian("order/logisticsCompanyList", {})["data"]
    assert {c["code"] for c in companies} >= {"zhongtong", "yuantong", "shunfeng", "youzhengguonei"}
    bare = {"event_type": 1, "events": [{"event_id": "1", "order_ids": ["1"]}]}
    assert said(wire.doudian("security/batchReportOrderSecurityEvent", bare))[0] == 40002
    event = {
        "event_id": "1", "account_id": "lin", "account_type": "sub_account", "order_related_shop_id": "1",
        "order_ids": ["1"], "operation_type": 1, "operate_time": T0, "url": "/cases", "ip": "10.0.0.1",
        "identify_info_list": [{"name": "phone", "encrypted": True}], "referer": "/", "user_agent": "x",
    }  # fmt: skip
    for _ in range(2):
        whole = {"event_type": 1, "events": [event]}
        assert said(wire.doudian("security/batchReportOrderSecurityEvent", whole))[0] == 10000
    assert [row["account_id"] for row in wire.control("security")] == ["lin"]


def test_the_ledger_keeps_every_byte_with_facts(wire: Wire) -> None:
    wire.doudian("order/orderDetail", {"shop_order_id": "123"})
    rows = wire.root("ledger?service=doudian&method=order.orderDetail").json()
    assert len(rows) == 1
    assert (rows[0]["order_id"], rows[0]["outcome"]) == ("123", 50002)
    target, body = rows[0]["text"].split("\n")
    assert target.startswith("/doudian/order/orderDetail?app_key=")
    assert body == '{"shop_order_id":"123"}'
    assert wire.root(f"ledger?since={rows[0]['seq']}").json() == []
