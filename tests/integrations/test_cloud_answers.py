"""What the vendors of messages answer: nothing that is no yes counts as sent; what may be tried again is known."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.effects import Result, result_of_error
from bufa.integrations import registry
from bufa.integrations.messages import Receipt, Reply, Telling
from bufa.integrations.ports import ProviderError, PushRefused
from tests.integrations.support import Wire

MESSAGE = Telling("13812345678", "SMS_1", (("order_tail", "0001"), ("reason", "丢失")), "b0123456789abcd")
ALIYUN = {"key_id": "id", "key_secret": "s"}
TENCENT = {"secret_id": "id", "secret_key": "s", "app_id": "1400000000", "sign": "青禾鲜果"}
SETTINGS: dict[str, dict[str, Any]] = {
    "aliyun_sms": {**ALIYUN, "sign": "青禾鲜果"},
    "aliyun_voice": ALIYUN,
    "tencent_sms": TENCENT,
}
REJECTED, RETRY, UNKNOWN = Result.REJECTED, Result.RETRY, Result.UNKNOWN


def client(name: str, *answers: Any) -> tuple[Any, Wire]:
    wire = Wire(*answers)
    return registry.load("message", name, SETTINGS[name], http=wire.client), wire


def tencent(code: str, message: str = "") -> dict[str, Any]:
    row = {"SerialNo": "", "PhoneNumber": "+8613812345678", "Fee": 0, "Code": code, "Message": message}
    return {"Response": {"SendStatusSet": [row], "RequestId": "r"}}


def refused(code: str) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": "no"}, "RequestId": "r"}}


def http(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body) if not isinstance(body, bytes) else httpx.Response(status, content=body)


def acs(code: str, message: str = "no", status: int = 200) -> httpx.Response:
    return http(status, {"Code": code, "Message": message, "RequestId": "r"})


# vendor, answer, why, what may be done next
ANSWERS: list[tuple[str, Any, str, Result]] = [
    ("aliyun_sms", acs("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"), "limited", RETRY),
    ("aliyun_sms", acs("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"), "limited", REJECTED),
    ("aliyun_sms", acs("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10"), "limited", REJECTED),
    ("aliyun_sms", acs("isv.DAY_LIMIT_CONTROL"), "limited", REJECTED),
    ("aliyun_sms", acs("isv.AMOUNT_NOT_ENOUGH"), "no_credit", REJECTED),
    ("aliyun_sms", acs("isv.OUT_OF_SERVICE"), "no_credit", REJECTED),
    ("aliyun_sms", acs("isv.MOBILE_NUMBER_ILLEGAL"), "bad_phone", REJECTED),
    ("aliyun_sms", acs("isv.BLACK_LIST"), "opted_out", REJECTED),
    ("aliyun_sms", acs("isv.SMS_TEMPLATE_ILLEGAL"), "template", REJECTED),
    ("aliyun_sms", acs("isv.SMS_SIGNATURE_ILLEGAL"), "template", REJECTED),
    ("aliyun_sms", acs("isv.TEMPLATE_MISSING_PARAMETERS"), "template", REJECTED),
    ("aliyun_sms", acs("isv.INVALID_JSON_PARAM"), "input", REJECTED),
    ("aliyun_sms", acs("isv.PARAM_NOT_SUPPORT_URL"), "input", REJECTED),
    ("aliyun_sms", acs("isv.BLACK_KEY_CONTROL_LIMIT"), "input", REJECTED),
    ("aliyun_sms", acs("isv.NEVER_SEEN_BEFORE"), "business", REJECTED),
    ("aliyun_sms", acs("isp.SYSTEM_ERROR"), "busy", UNKNOWN),
    ("aliyun_sms", acs("isp.RAM_PERMISSION_DENY"), "denied", REJECTED),
    ("aliyun_sms", acs("SomethingElse"), "malformed", UNKNOWN),
    ("aliyun_sms", acs("ok"), "malformed", UNKNOWN),
    ("aliyun_sms", acs("SignatureDoesNotMatch", status=400), "denied", REJECTED),
    ("aliyun_sms", acs("InvalidAccessKeyId.NotFound", status=404), "denied", REJECTED),
    ("aliyun_sms", acs("InvalidTimeStamp.Expired", status=400), "denied", REJECTED),
    ("aliyun_sms", acs("SignatureNonceUsed", status=400), "malformed", UNKNOWN),
    ("aliyun_sms", acs("MissingPhoneNumbers", status=400), "input", REJECTED),
    ("aliyun_sms", acs("Throttling.User", status=400), "limited", RETRY),
    ("aliyun_sms", acs("ServiceUnavailable", status=503), "malformed", UNKNOWN),
    ("aliyun_sms", http(400, b"<html>"), "http", REJECTED),
    ("aliyun_sms", http(200, b"<html>OK</html>"), "malformed", UNKNOWN),
    ("aliyun_sms", http(200, b""), "malformed", UNKNOWN),
    ("aliyun_sms", http(200, []), "malformed", UNKNOWN),
    ("aliyun_sms", http(200, {"Message": "OK"}), "malformed", UNKNOWN),
    ("aliyun_sms", httpx.ReadTimeout("late"), "timeout", UNKNOWN),
    ("aliyun_sms", httpx.ConnectTimeout("away"), "refused_connection", RETRY),
    ("aliyun_voice", acs("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"), "limited", RETRY),
    ("aliyun_voice", acs("isv.OUT_ID_ILLEGAL"), "input", REJECTED),
    ("aliyun_voice", acs("isv.TTS_TEMPLATE_ILLEGAL"), "template", REJECTED),
    ("aliyun_voice", acs("isp.GATEWAY_ERROR"), "busy", UNKNOWN),
    ("tencent_sms", tencent("LimitExceeded.PhoneNumberThirtySecondLimit"), "limited", RETRY),
    ("tencent_sms", tencent("LimitExceeded.PhoneNumberDailyLimit"), "limited", REJECTED),
    ("tencent_sms", tencent("LimitExceeded.PhoneNumberOneHourLimit"), "limited", REJECTED),
    ("tencent_sms", tencent("FailedOperation.PhoneNumberInBlacklist"), "opted_out", REJECTED),
    ("tencent_sms", tencent("FailedOperation.InsufficientBalanceInSmsPackage"), "no_credit", REJECTED),
    ("tencent_sms", tencent("FailedOperation.SignatureIncorrectOrUnapproved"), "template", REJECTED),
    ("tencent_sms", tencent("FailedOperation.TemplateIncorrectOrUnapproved"), "template", REJECTED),
    ("tencent_sms", tencent("FailedOperation.ContainSensitiveWord"), "input", REJECTED),
    ("tencent_sms", tencent("FailedOperation.OtherError"), "business", REJECTED),
    ("tencent_sms", tencent("InvalidParameterValue.IncorrectPhoneNumber"), "bad_phone", REJECTED),
    ("tencent_sms", tencent("InternalError.Timeout"), "busy", UNKNOWN),
    ("tencent_sms", tencent(""), "malformed", UNKNOWN),
    ("tencent_sms", tencent("ok"), "malformed", UNKNOWN),
    ("tencent_sms", refused("AuthFailure.SignatureFailure"), "denied", REJECTED),
    ("tencent_sms", refused("UnauthorizedOperation.RequestIpNotInWhitelist"), "denied", REJECTED),
    ("tencent_sms", refused("RequestLimitExceeded"), "limited", RETRY),
    ("tencent_sms", refused("InternalError.OtherError"), "busy", UNKNOWN),
    ("tencent_sms", {"Response": {"RequestId": "r"}}, "malformed", UNKNOWN),
    ("tencent_sms", {"Response": {"SendStatusSet": [], "RequestId": "r"}}, "malformed", UNKNOWN),
    ("tencent_sms", {}, "malformed", UNKNOWN),
    ("tencent_sms", http(500, b"oops"), "http", UNKNOWN),
]


@pytest.mark.parametrize(("name", "answer", "why", "result"), ANSWERS)
def test_only_their_own_yes_is_a_yes(name: str, answer: Any, why: str, result: Result) -> None:
    channel, _ = client(name, answer)
    with pytest.raises(ProviderError) as caught:
        channel.tell(MESSAGE)
    error = caught.value
    assert (error.why, result_of_error(unknown=error.unknown, retryable=error.retryable)) == (why, result)


def test_what_is_sent_to_them() -> None:
    channel, wire = client("aliyun_sms", {"Code": "OK", "BizId": "9^0", "RequestId": "r"})
    assert channel.tell(MESSAGE).message_id == "9^0"
    query = dict(httpx.URL(wire.requests[0].url).params)
    assert query == {
        "PhoneNumbers": "13812345678",
        "SignName": "青禾鲜果",
        "TemplateCode": "SMS_1",
        "TemplateParam": '{"order_tail":"0001","reason":"丢失"}',
        "OutId": "b0123456789abcd",
    }
    assert wire.requests[0].content == b""
    answer = tencent("Ok")
    answer["Response"]["SendStatusSet"][0]["SerialNo"] = "2019:1"
    channel, wire = client("tencent_sms", answer)
    assert channel.tell(MESSAGE).message_id == "2019:1"
    assert wire.json()["PhoneNumberSet"] == ["+8613812345678"]
    assert wire.json()["TemplateParamSet"] == ["0001", "丢失"]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("phone", ["", "138", "13812345678-1234", "+1 555", "abc"])
def test_a_number_they_cannot_reach_is_refused_before_anything_leaves(name: str, phone: str) -> None:
    channel, wire = client(name)
    with pytest.raises(ProviderError) as caught:
        channel.tell(Telling(phone, "T", (), "b"))
    assert (caught.value.why, caught.value.unknown, wire.requests) == ("input", False, [])


def test_a_text_too_long_for_a_voice_is_refused_before_anything_leaves() -> None:
    channel, wire = client("aliyun_voice")
    for value in ("长" * 250, "https://shop.example/x"):
        with pytest.raises(ProviderError) as caught:
            channel.tell(Telling("13812345678", "T", (("a", value),), "b"))
        assert caught.value.why == "input"
    assert wire.requests == []


# --- receipts --------------------------------------------------------------------------------------------------------

REPORT = {
    "phone_number": "13812345678",
    "send_time": "2026-03-02 12:00:00",
    "report_time": "2026-03-02 12:00:09",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "2",
    "biz_id": "9^0",
    "out_id": "b0123456789abcd",
}
CALL = {"call_id": "7^1", "end_time": "2026-03-02 12:00:30", "status_code": "200002", "out_id": "b1"}
TC = {
    "user_receive_time": "2026-03-02 12:00:09",
    "nationcode": "86",
    "mobile": "13812345678",
    "report_status": "FAIL",
    "errmsg": "UNDELIV",
    "description": "关机",
    "sid": "2019:1",
}
AT = datetime(2026, 3, 2, 4, 0, 9, tzinfo=UTC)


def parse(name: str, rows: Any) -> tuple[Receipt | Reply, ...]:
    push = registry.load_push("message", name, SETTINGS[name])
    found: tuple[Receipt | Reply, ...] = push.parse(json.dumps(rows).encode())
    return found


def test_pushed_receipts_and_replies() -> None:
    assert parse("aliyun_sms", [REPORT]) == (Receipt("delivered", "b0123456789abcd", "9^0", AT, segments=2),)
    failed = REPORT | {"success": False, "err_code": "UNDELIV", "err_msg": "关机"}
    (told,) = parse("aliyun_sms", [failed])
    assert (told.status, told.code, told.text) == ("failed", "UNDELIV", "关机")  # type: ignore[union-attr]
    up = {"phone_number": "13812345678", "send_time": "2026-03-02 12:00:09", "content": "TD", "sequence_id": 5}
    assert parse("aliyun_sms", [up]) == (Reply("13812345678", "TD", AT, "5"),)
    assert parse("aliyun_voice", [CALL]) == (Receipt("failed", "b1", "7^1", AT + timedelta(seconds=21), code="200002"),)
    assert parse("aliyun_voice", [CALL | {"status_code": "200000"}])[0].status == "delivered"  # type: ignore[union-attr]
    assert parse("tencent_sms", [TC]) == (Receipt("failed", "", "2019:1", AT, "UNDELIV", "关机"),)
    assert parse("tencent_sms", {"mobile": "13812345678", "text": "T", "time": 1772424009}) == (
        Reply("13812345678", "T", AT),
    )


def taken(name: str, rows: Any) -> tuple[Receipt | Reply, ...]:
    """What is read of a push; nothing where it is refused."""
    with suppress(PushRefused):
        return parse(name, rows)
    return ()


HOSTILE: list[Any] = [
    None, 1, "x", [], [1], [None], {}, [{}], [[]], {"a": {"b": []}}, [REPORT, 1], [{"success": True}],
    [{"out_id": {"x": 1}, "success": True, "biz_id": ""}], [{"status_code": []}], [{"sid": "1"}], [{}] * 2000,
]  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("rows", HOSTILE, ids=repr)
def test_hostile_pushes_are_refused_or_mean_nothing(name: str, rows: Any) -> None:
    assert all(isinstance(one, Receipt) and not one.tag for one in taken(name, rows))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*REPORT, *CALL, *TC, "content", "text", "time"]), inner, max_size=8)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("name", SETTINGS)
@given(rows=JSON)
def test_no_push_breaks_the_reader(name: str, rows: Any) -> None:
    assert all(isinstance(one, Receipt | Reply) for one in taken(name, rows))
