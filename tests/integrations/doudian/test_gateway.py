"""One call: what leaves, what an answer means, when it may be tried again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from bufa.integrations.platforms.doudian.client import Client
from bufa.integrations.platforms.doudian.gateway import Gateway
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.platforms.doudian.signing import sign
from bufa.integrations.ports import ProviderError
from tests.integrations.support import NOW, Keeper, Wire, ok, refusal, tokens

SETTINGS = Settings("7012345678901234567", "secret", shop_id="40391623", base_url="http://gateway.test/")


def gateway(wire: Wire, keeper: Keeper | None = None) -> Gateway:
    return Gateway(SETTINGS, keeper or Keeper(tokens()), wire.client, lambda: NOW)


def failing(answer, *, changes: bool, method: str = "order.uploadextrapackage") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        gateway(Wire(answer)).call(method, {}, changes=changes)
    return caught.value


def flags(error: ProviderError) -> tuple[str, bool, bool]:
    return error.why, error.retryable, error.unknown


def test_the_signed_text_is_the_body_and_nothing_of_it_is_in_the_address():
    wire = Wire(ok({"x": 1}))
    answer = gateway(wire).call("afterSale.List", {"page": 0, "名": "<&>"})
    request = wire.requests[0]
    assert answer.data == {"x": 1}
    assert answer.log_id == "LOG1"
    assert request.url.path == "/afterSale/List"
    assert request.content.decode() == '{"page":0,"名":"<&>"}'
    assert request.headers["x-open-no-old-err-code"] == "1"
    assert dict(request.url.params) == {
        "app_key": "7012345678901234567",
        "method": "afterSale.List",
        "timestamp": str(int(NOW.timestamp())),
        "v": "2",
        "sign_method": "hmac-sha256",
        "access_token": "access-1",
        "sign": sign(
            app_key="7012345678901234567",
            secret="secret",
            method="afterSale.List",
            param_json='{"page":0,"名":"<&>"}',
            timestamp=str(int(NOW.timestamp())),
            sign_method="hmac-sha256",
        ),
    }


@pytest.mark.parametrize(
    ("code", "sub_code", "reading", "changing"),
    [
        (20000, "isp.service-error:500", ("unavailable", True, False), ("unavailable", False, True)),
        (20001, "", ("unavailable", True, False), ("unavailable", False, True)),
        (90000, "dop.unknown-error", ("unavailable", True, False), ("unavailable", False, True)),
        (10001, "isv.business-part-failed", ("partial", True, False), ("partial", False, True)),
        (12345, "", ("unavailable", True, False), ("unavailable", False, True)),
        (60000, "isv.traffic-limited", ("limited", True, False), ("limited", True, False)),
        (50002, "isv.business-failed:8888", ("business", False, False), ("business", False, False)),
        (50002, "isv.business-failed:70022", ("business", False, False), ("business", False, False)),
        (40003, "isv.signature-invalid", ("signature", False, False), ("signature", False, False)),
        (40004, "isv.parameter-invalid:60017", ("input", False, False), ("input", False, False)),
        (30001, "dop.authorization-closed", ("denied", False, False), ("denied", False, False)),
        (70000, "isp.api-service-off", ("unsupported", False, False), ("unsupported", False, False)),
    ],
)
def test_codes_become_what_may_be_done_next(code, sub_code, reading, changing):
    assert flags(failing(refusal(code, sub_code), changes=False)) == reading
    assert flags(failing(refusal(code, sub_code), changes=True)) == changing


@pytest.mark.parametrize(
    ("method", "number", "why"),
    [
        ("order.logisticsAddMultiPack", "60106", "busy"),
        ("order.logisticsAddMultiPack", "70011", "busy"),
        ("order.logisticsEdit", "70011", "business"),
        ("logistics.newCreateOrder", "4029", "busy"),
        ("logistics.newCreateOrder", "-10006", "busy"),
        ("afterSale.Detail", "10002", "busy"),
        ("order.searchList", "20004", "busy"),
        ("afterSale.fillLogistics", "602001", "business"),
    ],
)
def test_business_numbers_that_ask_for_patience(method, number, why):
    error = failing(refusal(50002, f"isv.business-failed:{number}"), changes=False, method=method)
    assert error.why == why
    assert error.retryable is (why == "busy")
    assert (error.wait is not None) is (why == "busy")


def test_the_error_says_all_the_platform_said():
    error = failing(refusal(50002, "isv.business-failed:70022", "运单号已被使用"), changes=True)
    assert (error.code, error.sub_code, error.log_id) == ("50002", "isv.business-failed:70022", "LOG2")
    assert error.text == "运单号已被使用"
    assert b"70022" in error.raw


@pytest.mark.parametrize(
    ("broken", "why", "left"),
    [
        (httpx.ReadTimeout("slow"), "timeout", True),
        (httpx.WriteTimeout("slow"), "timeout", True),
        (httpx.ReadError("cut"), "cut", True),
        (httpx.RemoteProtocolError("gone"), "cut", True),
        (httpx.Response(502, text="bad gateway"), "http", True),
        (httpx.Response(200, text="<html>"), "malformed", True),
        (httpx.Response(200, json=[1]), "malformed", True),
        (httpx.Response(200, json={"hello": 1}), "malformed", True),
        (httpx.ConnectError("nobody"), "refused_connection", False),
        (httpx.ConnectTimeout("nobody"), "refused_connection", False),
        (httpx.Response(429, headers={"retry-after": "7"}), "limited", False),
    ],
)
def test_a_changing_call_that_left_unanswered_is_unknown(broken, why, left):
    error = failing(broken, changes=True)
    assert flags(error) == (why, not left, left)


def test_a_reading_call_that_broke_may_be_repeated():
    assert flags(failing(httpx.ReadTimeout("slow"), changes=False)) == ("timeout", True, False)


def test_a_broken_changing_call_is_sent_once_only():
    wire = Wire(httpx.ReadTimeout("slow"), ok({}))
    with pytest.raises(ProviderError):
        gateway(wire).call("afterSale.fillLogistics", {}, changes=True)
    assert len(wire.requests) == 1


def test_http_limits_say_how_long_to_wait():
    assert failing(httpx.Response(429, headers={"retry-after": "7"}), changes=False).wait == timedelta(seconds=7)


@pytest.mark.parametrize("sub_code", ["isv.access-token-expired", "isv.access-token-no-existed"])
def test_a_stale_token_is_renewed_once_and_the_call_sent_again(sub_code):
    fresh = {"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 604800, "shop_id": 40391623}
    wire, keeper = Wire(refusal(40003, sub_code), ok(fresh), ok({"done": 1})), Keeper(tokens())
    assert gateway(wire, keeper).call("afterSale.fillLogistics", {}, changes=True).data == {"done": 1}
    assert [request.url.params.get("access_token") for request in wire.requests] == ["access-1", None, "access-2"]
    assert keeper.tokens is not None
    assert keeper.tokens.expires_at == NOW + timedelta(days=7)


def test_a_token_refused_twice_is_an_error_not_a_loop():
    fresh = {"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 604800}
    stale = refusal(40003, "isv.access-token-expired")
    wire = Wire(stale, ok(fresh), stale)
    with pytest.raises(ProviderError) as caught:
        gateway(wire).call("order.searchList", {})
    assert flags(caught.value) == ("token", False, False)
    assert len(wire.requests) == 3


def test_a_text_that_cannot_be_sent_is_refused_before_it_leaves():
    wire = Wire()
    with pytest.raises(ProviderError) as caught:
        gateway(wire).call("afterSale.operate", {"reason": "\ud800"}, changes=True)
    assert flags(caught.value) == ("input", False, False)
    assert wire.requests == []


def test_an_older_envelope_is_read_too():
    wire = Wire({"err_no": 0, "message": "success", "data": [{"id": 7, "name": "圆通快递", "code": "yuantong"}]})
    assert [c.code for c in Client(SETTINGS, Keeper(tokens()), wire.client, lambda: NOW).carriers()] == ["yuantong"]


def test_secrets_stay_out_of_what_is_printed():
    assert "secret" not in repr(SETTINGS)
    assert "access-1" not in repr(tokens())
