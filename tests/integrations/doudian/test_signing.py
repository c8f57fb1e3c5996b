"""The published vectors of requests and pushes."""

from __future__ import annotations

import json
import math

import pytest

from bufa.integrations.platforms.doudian.push import Push
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.platforms.doudian.signing import canonical, push_sign, sign
from bufa.integrations.ports import PushRefused

KEY, SECRET = "7012345678901234567", "0f1e2d3c-aaaa-bbbb-cccc-1234567890ab"

VECTORS = [
    (
        "order.logisticsCompanyList",
        "1767200400",
        "{}",
        "4496a5e686c7a38147f71427767c3c41",
        "d67a86342d68ac916fa7c38af4ebc0d41d31aba0c4142fb7b8792913fd08c0d3",
    ),
    (
        "order.logisticsCompanyList",
        "2026-01-01 01:00:00",
        "{}",
        "040133abacf5b38c793d85e4e909bf1c",
        "7091168afe6df7db1e0d3821750d2a1e95998919aa4fafa473841bc0754ae232",
    ),
    (
        "token.create",
        "1767200400",
        '{"code":"","grant_type":"authorization_self","shop_id":"40391623"}',
        "7d9c078c01d7fc949ae7c7c2ea9b0225",
        "2afd2950a49aef609e4013e171da693a22c4dd055340ada31d6166c7a9b42ff9",
    ),
    (
        "order.searchList",
        "1767200400",
        (
            '{"order_asc":true,"order_by":"update_time","page":0,"size":20,'
            '"update_time_end":1767200400,"update_time_start":1767196800}'
        ),
        "76c249f4e9424f4643bf01daeb86d91d",
        "c5f66dee3b571b3d6ee0cf4b69ab809bc0a64b3233f50a28070ae5dc0863a195",
    ),
    (
        "afterSale.fillLogistics",
        "1767200400",
        '{"aftersale_id":7085126861562380588,"company_code":"yuantong","send_type":1,"tracking_no":"YT1231231231"}',
        "8b46a29e71f42bc5482bc91f42ee7c28",
        "6a0ec5a52dcb563e4c81889f75d4b9f4cccdf70b39a759310b26416d7cb52d35",
    ),
    (
        "order.logisticsAddMultiPack",
        "1767200400",
        (
            '{"is_reject_refund":false,"order_id":"4781320682406083640","pack_list":[{"company_code":"shunfeng",'
            '"logistics_code":"SF1635275876054","shipped_order_info":[{"shipped_num":1,'
            '"shipped_order_id":"4781320682406083640"}]}],"request_id":"1267250f-8b9d-4d9e-9f00-000000000001"}'
        ),
        "e064fdf3cb8338604ec13bbc735619fd",
        "a433cd236d02bc6737129bba66f1bb7c941281cae5c77c4dab0e43a461a989b5",
    ),
    (
        "order.addOrderRemark",
        "1767200400",
        '{"is_add_star":"true","order_id":"4781320682406083640","remark":"补发<A&B>/丢件 😀","star":"5"}',
        "2d180de4d8623711e95bec7ce640fd63",
        "466bd625383f9a3c8390fd3109676c3c68f2c757703d6ea18651c74ac711f2fc",
    ),
]


@pytest.mark.parametrize(("method", "timestamp", "param_json", "md5", "hmac"), VECTORS)
def test_a_request_is_signed_as_published(method, timestamp, param_json, md5, hmac):
    assert canonical(json.loads(param_json)) == param_json
    given = {"app_key": KEY, "secret": SECRET, "method": method, "param_json": param_json, "timestamp": timestamp}
    assert sign(**given, sign_method="md5") == md5
    assert sign(**given, sign_method="hmac-sha256") == hmac


def test_a_nested_object_is_signed_as_published():
    told = canonical({"z": 1.0, "nested": {"汉": "<&", "a": True}, "a": [3, {"b": 2, "a": 1}]})
    assert told == '{"a":[3,{"a":1,"b":2}],"nested":{"a":true,"汉":"<&"},"z":1}'
    given = {
        "app_key": "1234567890123456789",
        "secret": "contract-app-secret",
        "method": "order.searchList",
        "param_json": told,
        "timestamp": "1667899926",
    }
    assert sign(**given, sign_method="hmac-sha256") == (
        "cfb0c61c20926f758e13f4bd3d59a0de0e22f3c6059f1045cae36e6cea2bd417"
    )
    assert sign(**given, sign_method="md5") == "6a50fd3554490c8651eb774e4b12ff6d"


def test_unset_members_are_left_out_and_the_line_separators_escaped():
    told = canonical({"b": None, "a": [{"x": None}], "t": "one\u2028two\u2029"})
    assert told == '{"a":[{}],"t":"one\\u2028two\\u2029"}'


def test_a_number_that_json_lacks_is_refused():
    with pytest.raises(ValueError):
        canonical({"a": math.nan})


PROBE = b'[{"tag":"0","msg_id":"0","data":"2026-01-01T01:00:00+08:00"}]'
PROBE_MD5 = "544fec5bafb9012372aed415f848307d"
PROBE_HMAC = "2b865bcf746a55034ae6da8bf543d1dc4e01835eab626f56b7b4c915ae9bbd16"


def test_a_push_is_signed_as_published():
    assert push_sign(app_key=KEY, secret=SECRET, body=PROBE, sign_method="md5") == PROBE_MD5
    assert push_sign(app_key=KEY, secret=SECRET, body=PROBE, sign_method="hmac-sha256") == PROBE_HMAC
    assert (
        push_sign(app_key="fixed-app", secret="fixed-secret", body=b"body", sign_method="hmac-sha256")
        == "382c11208cd1f85f08f12c576fa0f80fd8482203d56894a3aab0b188cf2049da"
    )


@pytest.mark.parametrize("signature", [PROBE_MD5, PROBE_HMAC, PROBE_MD5.upper()])
def test_both_signatures_of_a_push_are_believed(signature):
    Push(Settings(KEY, SECRET)).verify({"Event-Sign": signature, "App-Id": KEY}, PROBE)


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ({}, PROBE, "unsigned"),
        ({"event-sign": PROBE_MD5}, PROBE + b" ", "signature"),
        ({"event-sign": PROBE_MD5[:-1]}, PROBE, "signature"),
        ({"event-sign": PROBE_MD5, "app-id": "1"}, PROBE, "signature"),
        ({"event-sign": "é" * 32}, PROBE, "signature"),
    ],
)
def test_a_push_that_is_not_theirs_is_refused(headers, body, why):
    with pytest.raises(PushRefused) as refused:
        Push(Settings(KEY, SECRET)).verify(headers, body)
    assert refused.value.why == why
