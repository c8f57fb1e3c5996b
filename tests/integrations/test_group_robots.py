"""Robots of chat groups: signed by the vendors' rules, and an HTTP 200 with an error inside is no success."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.outcome import Refused
from bufa.domain.robots import MARGIN_S, Address, Pace, read_address, wait
from bufa.integrations import registry
from bufa.integrations.messaging.dingtalk.signing import sign as sign_dingtalk
from bufa.integrations.messaging.feishu.signing import sign as sign_feishu
from bufa.integrations.ports import ProviderError
from tests.integrations.support import Wire

TOKEN = "0123456789abcdef0123456789abcdef"
KINDS = ("wecom", "dingtalk", "feishu")
YES: dict[str, dict[str, Any]] = {
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
}


def client(kind: str, *answers: Any, **more: str) -> tuple[Any, Wire]:
    wire = Wire(*answers)
    secret = {} if kind == "wecom" else {"secret": "SEC0123456789"}
    return registry.load("robot", kind, {"token": TOKEN, **secret, **more}, http=wire.client), wire


@given(st.text(min_size=1, max_size=60), st.integers(10**12, 2 * 10**12))
def test_dingtalk_signs_time_and_secret_with_the_secret(secret, millis):
    wanted = hmac.new(secret.encode(), f"{millis}\n{secret}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(sign_dingtalk(secret, millis)) == wanted


@given(st.text(min_size=1, max_size=60), st.integers(10**9, 2 * 10**9))
def test_feishu_signs_nothing_with_time_and_secret(secret, seconds):
    wanted = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    assert base64.b64decode(sign_feishu(secret, seconds)) == wanted


def test_the_two_are_not_the_same_way_round_and_openssl_agrees():
    assert sign_dingtalk("SEC1", 1_700_000_000) != sign_feishu("SEC1", 1_700_000_000)
    assert sign_dingtalk("this is secret", 1577262236757) == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    assert sign_feishu("demo", 1599360473) == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


@pytest.mark.parametrize("kind", KINDS)
def test_what_leaves_is_what_the_vendor_reads(kind):
    robot, wire = client(kind, YES[kind])
    robot.say("运单 YT1 请核实")
    [request] = wire.requests
    parts = urlsplit(str(request.url))
    query, body = parse_qs(parts.query), json.loads(request.content)
    assert parts.scheme == "https"
    match kind:
        case "wecom":
            assert (parts.netloc, parts.path, query) == (
                "qyapi.weixin.qq.com",
                "/cgi-bin/webhook/send",
                {"key": [TOKEN]},
            )
            assert body == {"msgtype": "text", "text": {"content": "运单 YT1 请核实"}}
        case "dingtalk":
            assert (parts.netloc, parts.path) == ("oapi.dingtalk.com", "/robot/send")
            assert query["access_token"] == [TOKEN]
            assert query["sign"] == [sign_dingtalk("SEC0123456789", int(query["timestamp"][0]))]
            assert body == {"msgtype": "text", "text": {"content": "运单 YT1 请核实"}}
        case _:
            assert (parts.netloc, parts.path) == ("open.feishu.cn", f"/open-apis/bot/v2/hook/{TOKEN}")
            assert body["sign"] == sign_feishu("SEC0123456789", int(body["timestamp"]))
            assert (body["msg_type"], body["content"]) == ("text", {"text": "运单 YT1 请核实"})


NO_SUCCESS: list[Any] = [
    {}, {"errmsg": "ok"}, {"errcode": "0"}, {"errcode": None}, {"errcode": False}, {"errcode": 0.5}, {"code": "0"},
    {"code": None}, {"StatusCode": 0}, {"ok": True}, {"errcode": [0]}, {"code": {}},
    httpx.Response(200, text=""), httpx.Response(200, text="ok"), httpx.Response(200, text="<html>0</html>"),
    httpx.Response(200, text="[0]"), httpx.Response(200, text="null"), httpx.Response(200, text='"ok"'),
]  # fmt: skip
ERRORS = {
    "wecom": [(-1, "busy", True), (45009, "limited", True), (93000, "token", False), (40058, "input", False),
              (45002, "input", False), (99999, "business", False)],
    "dingtalk": [(-1, "busy", True), (130101, "limited", True), (310000, "denied", False), (300001, "token", False),
                 (400105, "input", False), (99999, "business", False)],
    "feishu": [(9499, "input", False), (11232, "limited", True), (19001, "token", False), (19021, "denied", False),
               (19022, "denied", False), (19024, "denied", False), (99999, "business", False)],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", NO_SUCCESS, ids=range(len(NO_SUCCESS)))
def test_an_answer_that_does_not_say_yes_is_unknown(kind, answer):
    if isinstance(answer, httpx.Response):
        answer = httpx.Response(200, content=answer.content)
    robot, _ = client(kind, answer)
    with pytest.raises(ProviderError) as told:
        robot.say("x")
    assert (told.value.unknown, told.value.retryable) == (True, False)


@pytest.mark.parametrize(("kind", "row"), [(kind, row) for kind, rows in ERRORS.items() for row in rows])
def test_each_error_of_the_vendors_is_a_no_that_says_what_next(kind, row):
    code, why, again = row
    field, said = ("code", "msg") if kind == "feishu" else ("errcode", "errmsg")
    robot, _ = client(kind, {field: code, said: "no"})
    with pytest.raises(ProviderError) as told:
        robot.say("x")
    assert (told.value.why, told.value.retryable, told.value.unknown, told.value.code) == (why, again, False, str(code))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_line_leaves_open_what_happened_and_a_text_too_long_never_leaves(kind):
    robot, _ = client(kind, httpx.ReadError("cut"))
    with pytest.raises(ProviderError) as told:
        robot.say("x")
    assert told.value.unknown
    robot, wire = client(kind)
    with pytest.raises(ProviderError) as told:
        robot.say("长" * 7_000)
    assert (told.value.why, wire.requests) == ("input", [])


@pytest.mark.parametrize(
    "base",
    ["https://evil.example", "http://169.254.169.254/latest", "http://10.0.0.1", "file:///etc/passwd", "http://a@127.0.0.1",
     "https://127.0.0.1", "http://127.0.0.1.evil.example/x", "//qyapi.weixin.qq.com", "http://127.0.0.1/?x=1"],
)  # fmt: skip
def test_no_stored_row_sends_a_message_elsewhere(base):
    with pytest.raises(ValueError, match="vendor's address"):
        client("wecom", base_url=base)


SIMULATOR = "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        (f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}", Address("wecom", TOKEN)),
        (f" https://oapi.dingtalk.com/robot/send?access_token={TOKEN} ", Address("dingtalk", TOKEN)),
        (f"https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}", Address("feishu", TOKEN)),
        (f"https://OPEN.feishu.cn:443/open-apis/bot/v2/hook/{TOKEN}", Address("feishu", TOKEN)),
        (f"{SIMULATOR}/feishu/open-apis/bot/v2/hook/{TOKEN}", Address("feishu", TOKEN, f"{SIMULATOR}/feishu")),
        (f"{SIMULATOR}/wecom/cgi-bin/webhook/send?key={TOKEN}", Address("wecom", TOKEN, f"{SIMULATOR}/wecom")),
    ],
)
def test_an_address_is_taken_apart(pasted, found):
    assert read_address(pasted, SIMULATOR) == found


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("", "robot_address"),
        ("hello", "robot_address"),
        (f"http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}", "robot_host"),
        (f"https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key={TOKEN}", "robot_host"),
        (f"https://qyapi.weixin.qq.com@evil.example/cgi-bin/webhook/send?key={TOKEN}", "robot_host"),
        (f"https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key={TOKEN}", "robot_host"),
        (f"https://127.0.0.1/robot/send?access_token={TOKEN}", "robot_host"),
        (f"http://127.0.0.1:9/robot/send?access_token={TOKEN}", "robot_host"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/../../x", "robot_address"),
        (f"https://open.feishu.cn/other/{TOKEN}", "robot_address"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a%20b", "robot_address"),
        ("https://oapi.dingtalk.com/robot/send", "robot_address"),
        ("https://[::1", "robot_address"),
        (f"{SIMULATOR}/telegram/bot{TOKEN}", "robot_address"),
    ],
)
def test_an_address_of_somebody_else_is_refused(pasted, code):
    with pytest.raises(Refused) as told:
        read_address(pasted, SIMULATOR)
    assert told.value.why.code == code


@given(st.lists(st.floats(0, 30), min_size=1, max_size=150), st.sampled_from([Pace(20), Pace(100, 5)]))
def test_by_our_own_pace_no_window_is_ever_too_full(gaps, pace):
    now, sent = 1_700_000_000.0, []
    for gap in gaps:
        now += gap
        now += wait(sent, now, pace)
        assert wait(sent, now, pace) <= 1e-6
        sent.append(now)
    for most, within in ((pace.per_minute, 60.0), (pace.per_second, 1.0)):
        for at in sent if most else ():
            assert sum(at <= other < at + within for other in sent) <= most
    assert MARGIN_S > 0
