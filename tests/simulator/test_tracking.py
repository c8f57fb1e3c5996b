"""Kuaidi100 and KDNiao over the wire."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from simulator.kdniao import data_sign
from tests.simulator.conftest import Ear, Wire
from tests.simulator.test_gateway import order


def upper(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest().upper()  # noqa: S324


def query(wire: Wire, **param: Any) -> dict[str, Any]:
    shop = wire.hello["kuaidi100"]
    text = json.dumps(param, ensure_ascii=False)
    form = {"customer": shop["customer"], "param": text, "sign": upper(text + shop["key"] + shop["customer"])}
    found: dict[str, Any] = wire.client.post(f"{shop['base_url']}/poll/query.do", data=form).json()
    return found


def subscribe(wire: Wire, ear_url: str, company: str, number: str, **more: Any) -> dict[str, Any]:
    shop = wire.hello["kuaidi100"]
    parameters = {"callbackurl": f"{ear_url}/kuaidi100", "salt": "s4lt", "resultv2": "4", **more}
    param = {"company": company, "number": number, "key": shop["key"], "parameters": parameters}
    form = {"schema": "json", "param": json.dumps(param)}
    found: dict[str, Any] = wire.client.post(f"{shop['base_url']}/poll", data=form).json()
    return found


def kdniao(wire: Wire, kind: str, **data: Any) -> dict[str, Any]:
    shop = wire.hello["kdniao"]
    text = json.dumps(data)
    form = {
        "RequestData": text,
        "EBusinessID": shop["business_id"],
        "RequestType": kind,
        "DataSign": data_sign(text, shop["app_key"]),
        "DataType": "2",
    }
    url = f"{shop['base_url']}/Ebusiness/EbusinessOrderHandle.aspx"
    found: dict[str, Any] = wire.client.post(url, data=form).json()
    return found


def test_query_and_its_refusals(wire: Wire) -> None:
    made = order(wire, fate="delivered")
    assert query(wire, com="yuantong", num=made["number"])["returnCode"] == "500"
    assert query(wire, com="yuantong", num=made["number"])["returnCode"] == "502"
    wire.advance(24 * 7)
    found = query(wire, com="yuantong", num=made["number"], resultv2="4")
    assert (found["message"], found["state"][0], found["ischeck"]) == ("ok", "3", "1")
    times = [row["time"] for row in found["data"]]
    assert times == sorted(times, reverse=True)
    assert found["data"][-1]["statusCode"] == "103"
    assert query(wire, com="nobody", num="12345678")["returnCode"] == "400"
    shop = wire.hello["kuaidi100"]
    bad = wire.client.post(f"{shop['base_url']}/poll/query.do", data={"customer": shop["customer"], "param": "{}"})
    assert bad.json()["returnCode"] == "503"


def test_plain_query_has_no_codes_and_zto_wants_the_phone(wire: Wire) -> None:
    made = order(wire, fate="delivered", carrier="zhongtong")
    wire.advance(24)
    phone = wire.control(f"orders/{made['order_id']}")["phone"]
    assert query(wire, com="zhongtong", num=made["number"])["returnCode"] == "408"
    wire.advance(1)
    found = query(wire, com="zhongtong", num=made["number"], phone=phone[-4:])
    assert "statusCode" not in found["data"][0]


@pytest.mark.parametrize("fate", ["delivered", "refused", "damaged"])
def test_subscription_is_told_until_the_end(wire: Wire, ear: Ear, fate: str) -> None:
    made = order(wire, fate=fate, customer="silent")
    assert subscribe(wire, ear.url, "yuantong", made["number"])["returnCode"] == "200"
    assert subscribe(wire, ear.url, "yuantong", made["number"])["returnCode"] == "501"
    assert subscribe(wire, ear.url, "nobody", "1234567")["returnCode"] == "700"
    for _ in range(10):
        wire.advance(24)
    bodies = [json.loads(row["form"]["param"]) for row in ear.heard]
    assert all(row["form"]["sign"] == upper(row["form"]["param"] + "s4lt") for row in ear.heard)
    assert len(bodies) >= 2
    last = bodies[-1]
    ends = {"delivered": ("shutdown", "3"), "refused": ("shutdown", "4"), "damaged": ("polling", "2")}
    assert (last["status"], last["lastResult"]["state"][0]) == ends[fate]
    counts = [len(b["lastResult"]["data"]) for b in bodies]
    assert counts == sorted(set(counts))


def test_abort_without_a_trace_and_four_a_month(wire: Wire, ear: Ear) -> None:
    made = order(wire, fate="never_collected", customer="silent")
    for n in range(5):
        answer = subscribe(wire, ear.url, "yuantong", made["number"])
        assert answer["returnCode"] == ("200" if n < 4 else "702")
        wire.advance(24 * 3 + 6)
    bodies = [json.loads(row["form"]["param"]) for row in ear.heard]
    assert [(b["status"], b["message"]) for b in bodies] == [("abort", "3天查询无记录")] * 4


def test_unanswered_callbacks_come_again(wire: Wire, ear: Ear) -> None:
    made = order(wire, fate="lost", customer="silent")
    subscribe(wire, ear.url, "yuantong", made["number"])
    ear.deaf = True
    wire.advance(12)
    failed = len(ear.heard)
    assert failed >= 2
    ear.deaf = False
    wire.advance(3)
    assert len({row["body"] for row in ear.heard}) < len(ear.heard)


def test_kdniao_query_and_push(wire: Wire, ear: Ear) -> None:
    wire.control("kdniao", {"url": f"{ear.url}/kdniao"})
    made = order(wire, fate="delivered")
    data = {"ShipperCode": "YTO", "LogisticCode": made["number"]}
    assert kdniao(wire, "1002", **data)["State"] == "0"
    assert kdniao(wire, "8008", **data)["Success"] is True
    wire.advance(24 * 7)
    found = kdniao(wire, "8001", **data)
    times = [t["AcceptTime"] for t in found["Traces"]]
    assert times == sorted(times)
    assert found["State"] == "3"
    assert found["StateEx"] in {"301", "304", "311"}
    assert "StateEx" not in kdniao(wire, "1002", **data)
    form = ear.heard[-1]["form"]
    assert (form["RequestType"], form["DataSign"]) == (
        "102",
        data_sign(form["RequestData"], wire.hello["kdniao"]["app_key"]),
    )
    body = json.loads(form["RequestData"])
    assert (body["Count"], body["Data"][0]["State"]) == ("1", "3")


def test_kdniao_refusals(wire: Wire) -> None:
    shop = wire.hello["kdniao"]
    form = {"RequestData": "{}", "EBusinessID": shop["business_id"], "RequestType": "1002", "DataSign": "x"}
    assert wire.client.post(shop["base_url"], data=form).json()["Success"] is False
    assert kdniao(wire, "1002", ShipperCode="NO", LogisticCode="1")["Success"] is False
    made = order(wire, carrier="shunfeng")
    wire.advance(24)
    data = {"ShipperCode": "SF", "LogisticCode": made["number"]}
    assert kdniao(wire, "1002", **data)["Success"] is False
    tail = wire.control(f"orders/{made['order_id']}")["phone"][-4:]
    assert kdniao(wire, "1002", **data, CustomerName=tail)["Success"] is True
