"""Signatures against vectors whose credentials are invented."""

from __future__ import annotations

import json

import pytest

from simulator.doudian.signing import canonical, event_sign, sign, verify

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
        "afterSale.fillLogistics",
        "1767200400",
        '{"aftersale_id":7085126861562380588,"company_code":"yuantong","send_type":1,"tracking_no":"YT1231231231"}',
        "8b46a29e71f42bc5482bc91f42ee7c28",
        "6a0ec5a52dcb563e4c81889f75d4b9f4cccdf70b39a759310b26416d7cb52d35",
    ),
    (
        "order.addOrderRemark",
        "1767200400",
        '{"is_add_star":"true","order_id":"4781320682406083640","remark":"补发<A&B>/丢件 😀","star":"5"}',
        "2d180de4d8623711e95bec7ce640fd63",
        "466bd625383f9a3c8390fd3109676c3c68f2c757703d6ea18651c74ac711f2fc",
    ),
]


@pytest.mark.parametrize(("method", "stamp", "text", "md5", "hmac"), VECTORS)
def test_vectors(method: str, stamp: str, text: str, md5: str, hmac: str) -> None:
    assert canonical(json.loads(text)) == text
    assert sign(KEY, SECRET, method, text, stamp, "md5") == md5
    assert sign(KEY, SECRET, method, text, stamp, "hmac-sha256") == hmac


def test_canonical_form_sorts_keeps_text_and_drops_empty_fractions() -> None:
    value = {"z": 1.0, "a": [3, {"b": 2, "a": 1}], "nested": {"汉": "<&", "a": True}}
    assert canonical(value) == '{"a":[3,{"a":1,"b":2}],"nested":{"a":true,"汉":"<&"},"z":1}'
    assert canonical({"a": "\u2028"}) == '{"a":"\\u2028"}'


def test_public_vector() -> None:
    text = '{"a":[3,{"a":1,"b":2}],"nested":{"a":true,"汉":"<&"},"z":1}'
    key, secret = "1234567890123456789", "contract-app-secret"
    assert sign(key, secret, "order.searchList", text, "1667899926") == (
        "cfb0c61c20926f758e13f4bd3d59a0de0e22f3c6059f1045cae36e6cea2bd417"
    )


def test_unsorted_and_escaped_bodies_still_verify() -> None:
    signed = sign(KEY, SECRET, "m", '{"a":"<","b":1}', "1", "md5")
    assert verify(signed, KEY, SECRET, "m", '{"b":1.0,"a":"<"}', "1", "md5")
    escaped = sign(KEY, SECRET, "m", '{"a":"\\u003c","b":1}', "1", "md5")
    assert verify(escaped, KEY, SECRET, "m", '{"b":1,"a":"<"}', "1", "md5")
    assert not verify(signed, KEY, SECRET, "m", '{"b":2,"a":"<"}', "1", "md5")
    assert not verify(signed, KEY, SECRET, "m", '{"b":1,', "1", "md5")


def test_push_signatures() -> None:
    body = '[{"tag":"0","msg_id":"0","data":"2026-01-01T01:00:00+08:00"}]'
    assert event_sign(KEY, SECRET, body) == "544fec5bafb9012372aed415f848307d"
    assert event_sign(KEY, SECRET, body, "hmac") == "2b865bcf746a55034ae6da8bf543d1dc4e01835eab626f56b7b4c915ae9bbd16"
    hmac = event_sign("fixed-app", "fixed-secret", "body", "hmac")
    assert hmac == "382c11208cd1f85f08f12c576fa0f80fd8482203d56894a3aab0b188cf2049da"
