"""Kuaidi100: queries, subscriptions, pushes, limits."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bufa.integrations.ports import ProviderError, PushRefused, RawScan, TrackReport
from bufa.integrations.tracking.kuaidi100 import limits, mapping
from bufa.integrations.tracking.kuaidi100.client import Client
from bufa.integrations.tracking.kuaidi100.push import Push
from bufa.integrations.tracking.kuaidi100.settings import Settings
from tests.integrations.support import NOW, Wire, china, payload, sample

SETTINGS = Settings("CUST", "k3y", salt="s4lt", base_url="http://kuaidi.test")


def client(wire: Wire) -> Client:
    return Client(SETTINGS, wire.client)


def md5(told: str) -> str:
    return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest().upper()


def push_body(told: Any, salt: str = "s4lt") -> bytes:
    param = json.dumps(told, ensure_ascii=False)
    sign = md5(param + salt)
    return urlencode({"param": param, "sign": sign}).encode()


REPORT = TrackReport(
    provider="kuaidi100",
    carrier="yuantong",
    number="YT8800112233445",
    scans=(
        RawScan(None, "已下单"),
        RawScan(china("2026-03-01 18:30:00"), "【义乌市福田】 已揽收", "103", "揽收"),
        RawScan(china("2026-03-01 21:05:09"), "【金华转运中心】 已收入", "0", "在途", "金华市"),
        RawScan(
            china("2026-03-01 21:05:09"),
            "【金华转运中心】 已发出 下一站 【杭州】",
            "1002",
            "干线",
            "浙江,金华市",
        ),
    ),
    state="202",
)


def test_a_query_is_signed_over_the_text_that_is_sent():
    wire = Wire(payload("kuaidi100", "query"))
    assert client(wire).query("yuantong", "YT8800112233445", "0001") == REPORT
    form = wire.form()
    assert form["customer"] == "CUST"
    assert form["sign"] == md5(form["param"] + "k3yCUST")
    assert json.loads(form["param"]) == {
        "com": "yuantong",
        "num": "YT8800112233445",
        "phone": "0001",
        "from": "",
        "to": "",
        "resultv2": "4",
        "show": "0",
        "order": "desc",
        "lang": "zh",
    }
    assert wire.requests[0].url == "http://kuaidi.test/poll/query.do"


def test_a_list_that_comes_oldest_first_stays_so():
    rows = list(reversed(payload("kuaidi100", "query")["data"][:3]))
    assert [scan.code for scan in mapping.scans_of(rows)] == ["103", "0", "1002"]


@pytest.mark.parametrize(
    "answer",
    [
        {"result": False, "returnCode": "500", "message": "查询无结果，请隔段时间再查"},
        {"message": "单号不存在或者已经过期", "nu": "", "com": "", "status": "201", "state": "0", "data": []},
        {"message": "ok", "nu": "YT1", "com": "yuantong", "status": "200", "state": "0", "data": []},
    ],
)
def test_no_trace_is_an_empty_report(answer):
    report = client(Wire(answer)).query("yuantong", "YT1")
    assert (report.carrier, report.number, report.scans, report.state) == ("yuantong", "YT1", (), "")


@pytest.mark.parametrize(
    ("code", "why", "again"),
    [
        ("400", "input", False),
        ("408", "phone", False),
        ("501", "busy", True),
        ("502", "busy", True),
        ("503", "signature", False),
        ("601", "no_credit", False),
        ("999", "business", False),
    ],
)
def test_error_codes(code, why, again):
    with pytest.raises(ProviderError) as caught:
        client(Wire({"result": False, "returnCode": code, "message": "m"})).query("yuantong", "YT1")
    error = caught.value
    assert (error.why, error.retryable, error.unknown, error.code) == (why, again, False, code)


def test_a_broken_line_may_be_asked_again():
    with pytest.raises(ProviderError) as caught:
        client(Wire(httpx.ReadTimeout("slow"))).query("yuantong", "YT1")
    assert (caught.value.why, caught.value.retryable, caught.value.unknown) == ("timeout", True, False)


@pytest.mark.parametrize("code", ["200", "501"])
def test_a_subscription_counts_also_when_it_was_there(code):
    wire = Wire({"result": code == "200", "returnCode": code, "message": "m"})
    client(wire).subscribe("shunfeng", "SF1000000000001", "https://desk.test/hook/7", "s4lt", "0001")
    form = wire.form()
    assert wire.requests[0].url == "http://kuaidi.test/poll"
    assert form["schema"] == "json"
    assert json.loads(form["param"]) == {
        "company": "shunfeng",
        "number": "SF1000000000001",
        "from": "",
        "to": "",
        "key": "k3y",
        "parameters": {
            "callbackurl": "https://desk.test/hook/7",
            "salt": "s4lt",
            "resultv2": "4",
            "autoCom": "0",
            "interCom": "0",
            "phone": "0001",
        },
    }


def test_a_carrier_they_do_not_follow():
    with pytest.raises(ProviderError, match="unsupported"):
        client(Wire({"result": False, "returnCode": "700", "message": "不支持的快递公司"})).subscribe(
            "x", "1", "http://h", "s"
        )


# ── pushes ──


def test_a_push_ends_signed_and_names_the_carrier_it_was_corrected_from():
    body = push_body(payload("kuaidi100", "push_shutdown"))
    push = Push(SETTINGS)
    push.verify({}, body)
    assert push.parse(body) == (
        TrackReport(
            provider="kuaidi100",
            carrier="yuantong",
            number="YT8800112233445",
            scans=(
                RawScan(china("2026-03-01 18:30:00"), "【义乌市福田】 已揽收", "103", "揽收"),
                RawScan(china("2026-03-03 10:00:00"), "客户签收人: 本人 已签收", "301", "本人签收"),
            ),
            ended="signed",
            note="已签收",
            state="3",
            carrier_was="shentong",
        ),
    )


def test_an_abort_says_why():
    (report,) = Push(SETTINGS).parse(push_body(payload("kuaidi100", "push_abort")))
    assert (report.ended, report.note, report.carrier, report.carrier_was) == ("aborted", "60天无变化", "yuantong", "")
    assert len(report.scans) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "unsigned"),
        (b"param=%7B%7D", "unsigned"),
        (push_body({"status": "polling"}, salt="other"), "signature"),
        (push_body({"status": "polling"})[:-3], "signature"),
        (b"param=%ff&sign=A", "malformed"),
        ("param=x&sign=é".encode(), "signature"),
    ],
)
def test_a_push_that_is_not_theirs_is_refused(body, why):
    with pytest.raises(PushRefused) as refused:
        Push(SETTINGS).verify({}, body)
    assert refused.value.why == why


def test_without_a_salt_no_push_is_believed():
    with pytest.raises(PushRefused, match="unsigned"):
        Push(Settings("CUST", "k3y")).verify({}, push_body({}, salt=""))


@pytest.mark.parametrize("told", [{}, [], "x", {"lastResult": {"nu": ""}}, {"lastResult": "cut"}])
def test_a_push_without_a_parcel_is_malformed(told):
    with pytest.raises(PushRefused, match="malformed"):
        Push(SETTINGS).parse(push_body(told))


def test_the_reply_they_wait_for():
    assert json.loads(Push(SETTINGS).accepted(NOW)) == {"result": True, "returnCode": "200", "message": "成功"}
    assert json.loads(Push(SETTINGS).refused(NOW, "signature"))["result"] is False


# ── limits ──


@pytest.mark.parametrize(("minutes", "may"), [(29, False), (30, True), (31, True)])
def test_half_an_hour_between_two_queries(minutes, may):
    assert limits.may_query(NOW - timedelta(minutes=minutes), NOW) is may
    assert limits.may_query(None, NOW)


@pytest.mark.parametrize(("made", "may"), [(0, True), (3, True), (4, False)])
def test_four_subscriptions_a_month(made, may):
    assert limits.may_subscribe(made) is may


def test_who_wants_a_phone():
    assert [limits.needs_phone(c) for c in ("shunfeng", "zhongtong", "yuantong")] == [True, True, False]


# ── captured payloads ──


@pytest.mark.samples
def test_captured_query_with_route():
    wire = Wire(sample("kuaidi100", "query-response-resultv2-8"))
    assert client(wire).query("yuantong", "YT25569986666541") == TrackReport(
        "kuaidi100",
        "yuantong",
        "YT25569986666541",
        (
            RawScan(
                china("2025-06-13 15:53:52"),
                "您的快件在【安徽省六安市叶集实验区】已揽收",
                "1",
                "揽收",
                "安徽,六安市,霍邱县",
            ),
            RawScan(
                china("2025-06-13 15:56:19"),
                "您的快件离开【安徽省六安市叶集实验区】，已发往【安徽省六安市】",
                "0",
                "在途",
                "安徽,六安市,霍邱县",
            ),
        ),
        state="0",
    )


@pytest.mark.samples
def test_captured_query_keeps_the_promise_dated_ahead():
    report = client(Wire(sample("kuaidi100", "query-response-deppon-future-eta"))).query("debangwuliu", "8478081206")
    assert [(scan.scanned_at, scan.text) for scan in report.scans] == [
        (china("2019-09-26 19:17:00"), "您的订单已被收件员揽收,【广州白云区鹤龙快递分部】库存中"),
        (china("2019-09-26 21:40:00"), "运输中，离开【广州白云区鹤龙快递分部】，下一站【广州转运中心】"),
        (china("2019-09-26 21:52:00"), "货物已到达广州转运中心"),
        (china("2019-09-26 23:55:00"), "运输中，离开【广州转运中心】，下一站【深圳转运场】"),
        (china("2019-09-27 02:50:00"), "货物已到达深圳转运场"),
        (china("2019-09-27 06:53:00"), "运输中，离开【深圳转运场】，下一站【乌鲁木齐转运场】"),
        (china("2019-09-30 18:00:00"), "预计送达"),
    ]
    assert (report.carrier, report.number, report.state) == ("debangwuliu", "8478081206", "")


@pytest.mark.samples
@pytest.mark.parametrize(("name", "why"), [("query-error-400", "input"), ("web-error-408-check-code", "phone")])
def test_captured_errors(name, why):
    with pytest.raises(ProviderError) as caught:
        client(Wire(sample("kuaidi100", name))).query("yuantong", "YT1")
    assert caught.value.why == why


@pytest.mark.samples
def test_captured_no_such_number():
    report = client(Wire(sample("kuaidi100", "web-error-201-no-such-number"))).query("yuantong", "YT1")
    assert (report.scans, report.note) == ((), "快递公司参数异常：单号不存在或者已经过期")


@pytest.mark.samples
@pytest.mark.parametrize(("at", "why"), [(0, None), (1, None), (2, "unsupported")])
def test_captured_subscription_replies(at, why):
    answer = sample("kuaidi100", "subscribe-replies")[at]
    if why is None:
        client(Wire(answer)).subscribe("yuantong", "YT1", "http://h", "s")
        return
    with pytest.raises(ProviderError, match=why):
        client(Wire(answer)).subscribe("yuantong", "YT1", "http://h", "s")


@pytest.mark.samples
def test_our_requests_have_the_captured_form():
    query, subscription = sample("kuaidi100", "query-request"), sample("kuaidi100", "subscribe-request")
    wire = Wire(payload("kuaidi100", "query"), {"returnCode": "200"})
    client(wire).query("ems", "em263999513jp")
    client(wire).subscribe("yuantong", "YT1", "http://h", "s")
    assert set(wire.form(0)) == set(query["form"])
    assert set(json.loads(wire.form(0)["param"])) == set(query["form"]["param"])
    assert set(json.loads(wire.form(1)["param"])) == set(subscription["form"]["param"])
    assert set(json.loads(wire.form(1)["param"])["parameters"]) == set(subscription["form"]["param"]["parameters"])


def captured_push(name: str) -> TrackReport:
    body = push_body(sample("kuaidi100", name))
    push = Push(SETTINGS)
    push.verify({"content-type": "application/x-www-form-urlencoded"}, body)
    (report,) = push.parse(body)
    return report


@pytest.mark.samples
def test_captured_push_out_for_delivery():
    assert captured_push("push-sf-out-for-delivery") == TrackReport(
        "kuaidi100",
        "shunfeng",
        "933346116516",
        (
            RawScan(china("2015-12-29 10:01:20"), "顺丰速运 已收取快件"),
            RawScan(china("2015-12-29 13:05:28"), "快件离开【重庆江北尚品路营业点】,正发往 【重庆渝北集散中心】"),
            RawScan(china("2015-12-29 14:33:47"), "快件到达 【重庆渝北集散中心】"),
            RawScan(china("2015-12-29 15:36:19"), "快件离开【重庆渝北集散中心】,正发往 【达州杨柳集散中心】"),
            RawScan(china("2015-12-29 19:36:49"), "快件到达 【达州杨柳集散中心】"),
            RawScan(china("2015-12-29 21:30:20"), "快件离开【达州杨柳集散中心】,正发往 【达州市大竹县竹海路营业点】"),
            RawScan(china("2015-12-30 10:04:14"), "快件到达 【达州市大竹县竹海路营业点】"),
            RawScan(china("2015-12-30 10:31:47"), "正在派送途中,请您准备签收(派件人:<N>,电话:<P>)"),
        ),
        state="5",
    )


@pytest.mark.samples
def test_captured_push_with_fine_codes():
    report = captured_push("push-yto-polling-got")
    assert (report.carrier, report.number, report.ended, report.state) == ("yuantong", "YT6186594166532", "", "0")
    assert [(scan.scanned_at, scan.code, scan.state, scan.place) for scan in report.scans] == [
        (china("2021-12-15 17:10:09"), "1", "揽收", "江苏,苏州市"),
        (china("2021-12-15 19:18:27"), "0", "在途", "江苏,苏州市"),
        (china("2021-12-15 20:11:25"), "1002", "干线", "江苏,苏州市"),
        (china("2021-12-15 20:15:14"), "1002", "干线", "江苏,苏州市"),
    ]


@pytest.mark.samples
def test_captured_abort():
    assert captured_push("push-abort-constructed") == TrackReport(
        "kuaidi100", "yuantong", "YT0000000000000", (), "aborted", "3天查询无记录"
    )


@pytest.mark.samples
def test_captured_reply():
    assert json.loads(Push(SETTINGS).accepted(NOW)) == sample("kuaidi100", "callback-reply")
