"""KDNiao: queries, subscriptions, pushes."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from bufa.integrations.ports import ProviderError, PushRefused, RawScan, TrackReport
from bufa.integrations.tracking.kdniao import mapping
from bufa.integrations.tracking.kdniao.client import Client
from bufa.integrations.tracking.kdniao.push import Push
from bufa.integrations.tracking.kdniao.settings import Settings
from tests.integrations.support import Wire, china, payload, sample

SETTINGS = Settings("1267000", "app-key", base_url="http://kdniao.test")


def client(wire: Wire, settings: Settings = SETTINGS) -> Client:
    return Client(settings, wire.client)


def md5(told: str) -> str:
    return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()


def data_sign(told: str) -> str:
    return base64.b64encode(md5(told + "app-key").encode()).decode()


def push_body(value: Any, *, kind: str = "102", sign: str | None = None) -> bytes:
    told = json.dumps(value, ensure_ascii=False)
    fields = {"RequestData": told, "RequestType": kind, "DataSign": data_sign(told) if sign is None else sign}
    return urlencode(fields).encode()


def test_the_signature_is_the_base64_of_hex_text():
    right = md5('{"LogisticCode":"1"}app-key')
    assert base64.b64decode(mapping.data_sign('{"LogisticCode":"1"}', "app-key")).decode() == right


REPORT = TrackReport(
    "kdniao",
    "zhongtong",
    "73800112233445",
    (
        RawScan(china("2026-03-01 18:30:00"), "【义乌市】 已揽收", "1", "", "金华市"),
        RawScan(china("2026-03-05 09:05:00"), "快件派送超出服务范围 超区", "423", "", "阿勒泰地区"),
    ),
    state="423",
)


@pytest.mark.parametrize(("monitor", "kind"), [(True, "8001"), (False, "1002")])
def test_a_query(monitor, kind):
    wire = Wire(payload("kdniao", "query"))
    settings = Settings("1267000", "app-key", base_url="http://kdniao.test", monitor=monitor)
    assert client(wire, settings).query("zhongtong", "73800112233445", "0001") == REPORT
    form = wire.form()
    assert wire.requests[0].url == "http://kdniao.test/Ebusiness/EbusinessOrderHandle.aspx"
    assert json.loads(form["RequestData"]) == {
        "OrderCode": "",
        "ShipperCode": "ZTO",
        "LogisticCode": "73800112233445",
        "CustomerName": "0001",
    }
    assert (form["EBusinessID"], form["RequestType"], form["DataType"]) == ("1267000", kind, "2")
    assert form["DataSign"] == data_sign(form["RequestData"])


def test_no_trace_is_an_empty_report():
    answer = {"ShipperCode": "YTO", "LogisticCode": "YT1", "Success": True, "State": "0", "Traces": []}
    assert client(Wire(answer)).query("yuantong", "YT1") == TrackReport("kdniao", "yuantong", "YT1")
    refused = {"Success": False, "Reason": "暂无轨迹信息"}
    report = client(Wire(refused)).query("yuantong", "YT1")
    assert (report.scans, report.note) == ((), "暂无轨迹信息")


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("签名验证失败", "signature"),
        ("套餐余额不足", "no_credit"),
        ("不支持该快递公司", "unsupported"),
        ("", "business"),
    ],
)
def test_a_refusal_is_named_by_its_words(reason, why):
    with pytest.raises(ProviderError) as caught:
        client(Wire({"Success": False, "Reason": reason})).query("yuantong", "YT1")
    assert (caught.value.why, caught.value.text, caught.value.unknown) == (why, reason, False)


def test_a_carrier_without_a_code_is_not_asked_for():
    wire = Wire()
    with pytest.raises(ProviderError, match="unsupported"):
        client(wire).query("nobody", "1")
    assert wire.requests == []


@pytest.mark.parametrize("answer", [{"Success": True}, {"Success": False, "Reason": "该单号已订阅"}])
def test_a_subscription_counts_also_when_it_was_there(answer):
    wire = Wire(answer)
    client(wire).subscribe("jtexpress", "JT1", "shop:1", "", "")
    assert wire.requests[0].url == "http://kdniao.test/api/dist"
    assert wire.form()["RequestType"] == "8008"
    assert json.loads(wire.form()["RequestData"]) == {
        "ShipperCode": "JTSD",
        "LogisticCode": "JT1",
        "CallBack": "shop:1",
    }


# ── pushes ──

PUSHED = (
    TrackReport(
        "kdniao",
        "jtexpress",
        "JT8800112233445",
        (RawScan(china("2026-03-04 22:00:00"), "到达【长沙转运中心】", "204"),),
        state="204",
    ),
    TrackReport("kdniao", "xyz", "X1", note="3天无轨迹"),
)


def test_a_push_holds_many_parcels_whatever_its_count_says():
    body = push_body(payload("kdniao", "push"))
    Push(SETTINGS).verify({}, body)
    assert Push(SETTINGS).parse(body) == PUSHED


def test_a_signature_encoded_once_more_is_the_same():
    told = payload("kdniao", "push")
    sign = quote(data_sign(json.dumps(told, ensure_ascii=False)), safe="")
    Push(SETTINGS).verify({}, push_body(told, sign=sign))


def test_a_bare_json_body_is_read_but_believed_only_when_allowed():
    body = json.dumps(payload("kdniao", "push")).encode()
    assert Push(SETTINGS).parse(body) == PUSHED
    with pytest.raises(PushRefused, match="unsigned"):
        Push(SETTINGS).verify({}, body)
    Push(Settings("1267000", "app-key", allow_unsigned=True)).verify({}, body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "malformed"),
        (push_body(payload("kdniao", "push"), sign=""), "unsigned"),
        (push_body(payload("kdniao", "push"), sign="AAAA"), "signature"),
        (push_body(payload("kdniao", "push") | {"EBusinessID": "666"}), "signature"),
        (push_body(payload("kdniao", "push"), kind="1002"), "malformed"),
        (push_body([1]), "malformed"),
    ],
)
def test_a_push_that_is_not_theirs_is_refused(body, why):
    with pytest.raises(PushRefused) as refused:
        Push(SETTINGS).verify({}, body)
    assert refused.value.why == why


def test_the_reply_tells_our_clock_in_their_zone():
    now = datetime(2026, 3, 5, 1, 10, 0, tzinfo=UTC)
    assert json.loads(Push(SETTINGS).accepted(now)) == {
        "EBusinessID": "1267000",
        "UpdateTime": "2026-03-05 09:10:00",
        "Success": True,
        "Reason": "",
    }
    assert json.loads(Push(SETTINGS).refused(now, "signature"))["Success"] is False


def test_carriers_go_there_and_back():
    for ours in ("shunfeng", "yunda", "jtexpress", "youzhengguonei"):
        theirs = mapping.their_carrier(ours)
        assert theirs is not None
        assert mapping.our_carrier(theirs) == ours


# ── captured payloads ──


@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "carrier", "number", "state", "count", "first", "last"),
    [
        (
            "response-1002-hhtt-signed",
            "tiantian",
            "667771430898",
            "3",
            9,
            ("2017-07-27 17:44:07", "【收件】上海新时代营业厅的<N><P>已收件，扫描员是<N><P>", "", ""),
            ("2017-08-02 08:59:42", "【签收】快件已签收,签收人是菜鸟驿站，签收网点是堤口路分部(<L>)", "", ""),
        ),
        (
            "response-1002-yto-locker",
            "yuantong",
            "806080423249290885",
            "3",
            11,
            ("2019-05-27 17:35:56", "【浙江省温州市平阳县公司】 已收件", "", ""),
            ("2019-05-29 21:17:49", "客户 签收人: 快递柜 已签收 感谢使用圆通速递，期待再次为您服务", "", ""),
        ),
        (
            "response-1002-yunda-signed",
            "yunda",
            "3999043346251",
            "3",
            11,
            ("2017-06-04 22:15:12", "到达：广东广州增城市新塘公司牛仔王便民寄存点 已收件", "", ""),
            ("2017-06-05 21:18:20", "到达：广东深圳公司福田区岗厦东西村分部 由 已签收 签收", "", ""),
        ),
        (
            "response-8001-zto-action-codes",
            "zhongtong",
            "73190553102532",
            "301",
            10,
            ("2022-09-19 17:48:45", "【上海市】 【外高桥北部】（<L>） 的 <N>（<P>） 已揽收", "1", "上海市"),
            (
                "2022-09-20 16:20:38",
                "【苏州市】 您的快递已签收, 签收人在【丰巢…】领取…您的快递已经妥投",
                "301",
                "苏州市",
            ),
        ),
    ],
)
def test_captured_answers(name, carrier, number, state, count, first, last):
    report = client(Wire(sample("kdniao", name))).query(carrier, number)
    told = [(scan.scanned_at, scan.text, scan.code, scan.place) for scan in report.scans]
    assert (report.carrier, report.number, report.state, len(told)) == (carrier, number, state, count)
    assert told[0] == (china(first[0]), *first[1:])
    assert told[-1] == (china(last[0]), *last[1:])
    assert [scan.scanned_at for scan in report.scans] == sorted(s.scanned_at for s in report.scans if s.scanned_at)


@pytest.mark.samples
def test_captured_answer_with_a_map():
    item = sample("kdniao", "response-with-map-doc")["data"]
    assert mapping.report_of(item) == TrackReport(
        "kdniao",
        "yunda",
        "390141793061",
        (RawScan(china("2016-10-26 18:31:38"), "【北京环铁站】的【互优图书】已收件", "1", "", "北京市"),),
        state="304",
    )


@pytest.mark.samples
def test_captured_push_101():
    told = sample("kdniao", "push-101-ems-2015")
    push, body = Push(Settings("1109259", "app-key")), push_body(told, kind="101")
    push.verify({}, body)
    (report,) = push.parse(body)
    assert (report.carrier, report.number, report.state, report.ended) == ("ems", "5042260908504", "2", "")
    assert [(scan.scanned_at, scan.text) for scan in report.scans] == [
        (china("2015-03-06 21:16:58"), "深圳市横岗速递营销部已收件，（揽投员姓名：<N>;联系电话：）"),
        (china("2015-03-07 14:25:00"), "离开深圳市 发往广州市"),
        (china("2015-03-08 00:17:00"), "到达广东速递物流公司广航中心处理中心（经转）"),
        (china("2015-03-08 01:15:00"), "离开广州市 发往北京市（经转）"),
        (china("2015-03-09 09:01:00"), "到达北京黄村转运站处理中心（经转）"),
        (china("2015-03-09 18:39:00"), "离开北京市 发往呼和浩特市（经转）"),
        (china("2015-03-10 18:06:00"), "到达  呼和浩特市 处理中心"),
        (
            china("2015-03-11 09:53:48"),
            "呼和浩特市邮政速递物流分公司金川揽投部安排投递（投递员姓名：<N>;联系电话：<P>）",
        ),
    ]


@pytest.mark.samples
def test_captured_push_102():
    told = sample("kdniao", "push-102-monitor-fields")
    push = Push(Settings(told["EBusinessID"], "app-key"))
    push.verify({}, push_body(told))
    assert push.parse(push_body(told)) == (
        TrackReport(
            "kdniao",
            "yuantong",
            "YT0000000000000",
            (RawScan(china("2020-01-21 15:00:00"), "…", "404", "", "苏州市"),),
            state="404",
        ),
    )


@pytest.mark.samples
@pytest.mark.parametrize("name", ["request-8001-monitor-query", "request-8008-monitor-subscribe"])
def test_our_requests_have_the_captured_form(name):
    captured = sample("kdniao", name)["form"]
    wire = Wire({"Success": True, "Traces": []})
    if captured["RequestType"] == "8001":
        client(wire).query("yuantong", captured["RequestData"]["LogisticCode"])
    else:
        client(wire).subscribe("yuantong", captured["RequestData"]["LogisticCode"], "", "")
    form = wire.form()
    assert set(form) == set(captured)
    assert form["RequestType"] == captured["RequestType"]
    assert captured["RequestData"].items() <= json.loads(form["RequestData"]).items()


@pytest.mark.samples
def test_captured_reply():
    captured = sample("kdniao", "push-ack")
    ours = json.loads(Push(Settings(captured["EBusinessID"], "k")).accepted(datetime(2020, 1, 21, 8, 0, 1, tzinfo=UTC)))
    assert ours == captured
