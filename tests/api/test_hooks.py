"""Pushes come in: believed when signed, stored once, understood later; nothing that comes makes a 500."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from bufa.apps.cases.taking_in import take_in
from bufa.apps.inbox import actions as inbox_actions
from bufa.apps.inbox import queries as inbox
from bufa.apps.inbox.models import Message
from bufa.apps.parcels.models import Parcel, Scan
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.jobs.inbox import handle_tracking
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shipped, make_shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("bufa.api.urls")]

YTO = "YT2531106325899"
KEY = "made-up-key"


@pytest.fixture
def shop() -> int:
    shop = make_shop()
    shop_actions.connect(
        shop_id=shop,
        kind="kuaidi100",
        settings={"customer": "C1"},
        secrets={"key": KEY, "salt": "s4lt"},
    )
    shop_actions.connect(shop_id=shop, kind="kdniao", settings={"business_id": "1300000"}, secrets={"app_key": KEY})
    shop_actions.connect(shop_id=shop, kind="17track", settings={}, secrets={"key": KEY})
    shop_actions.connect(
        shop_id=shop,
        kind="doudian",
        settings={"app_key": "test-key", "shop_id": "1"},
        secrets={"app_secret": "test-secret"},
    )
    return shop


def path(shop: int, kind: str) -> str:
    info = shops.connection(shop, kind)
    assert info is not None
    return info.hook_path


def kuaidi_scan(time: str, text: str, code: str = "0") -> dict[str, str]:
    return {"time": time, "ftime": time, "context": text, "statusCode": code, "status": ""}


def kuaidi_body(
    scans: list[dict[str, str]], *, number: str = YTO, status: str = "polling", salt: str = "s4lt"
) -> bytes:
    told = {
        "status": status,
        "billstatus": "got",
        "message": "",
        "lastResult": {"message": "ok", "state": "0", "com": "yuantong", "nu": number, "data": scans[::-1]},
    }
    param = json.dumps(told, ensure_ascii=False)
    sign = hashlib.md5((param + salt).encode(), usedforsecurity=False).hexdigest().upper()
    return urlencode({"sign": sign, "param": param}).encode()


LIFE = [
    kuaidi_scan("2026-11-18 10:00:00", "【杭州市余杭区】已揽收", "103"),
    kuaidi_scan("2026-11-18 22:00:00", "【杭州转运中心】 已到达", "0"),
    kuaidi_scan("2026-11-20 09:00:00", "【深圳市南山区】 派送中", "5"),
]


def kdniao_body(items: list[dict[str, Any]], *, key: str = KEY) -> bytes:
    told = {"EBusinessID": "1300000", "PushTime": "2026-11-20 12:00:00", "Count": str(len(items)), "Data": items}
    data = json.dumps(told, ensure_ascii=False)
    sign = b64encode(hashlib.md5((data + key).encode(), usedforsecurity=False).hexdigest().encode()).decode()
    return urlencode({"RequestData": data, "RequestType": "102", "DataSign": sign}).encode()


def kdniao_item(number: str, traces: list[tuple[str, str, str]], *, shipper: str = "YTO") -> dict[str, Any]:
    rows = [{"AcceptTime": time, "AcceptStation": text, "Action": action} for time, text, action in traces]
    return {
        "ShipperCode": shipper, "LogisticCode": number, "Success": True, "State": "2", "StateEx": "", "Traces": rows,
    }  # fmt: skip


def push(client: Client, where: str, body: bytes, **headers: str) -> Any:
    return client.post(where, data=body, content_type="application/x-www-form-urlencoded", headers=headers)


def stage(shop: int, number: str) -> str:
    with for_shops([shop]):
        return str(Parcel.objects.get(shop_id=shop, number=number).stage)


def test_a_kuaidi100_push_moves_its_parcel(shop: int, client: Client) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", YTO, carrier="yuantong")], now=NOW)
    answer = push(client, path(shop, "kuaidi100"), kuaidi_body(LIFE))
    assert (answer.status_code, answer.json()["returnCode"]) == (200, "200")
    assert inbox.counts([shop]) == {"new": 1, "done": 0, "parked": 0, "discarded": 0}
    assert handle_tracking(shop, NOW).new_scans == 3
    assert stage(shop, YTO) == "out_for_delivery"
    assert inbox.counts([shop]) == {"new": 0, "done": 1, "parked": 0, "discarded": 0}


def test_one_kdniao_push_moves_many_parcels(shop: int, client: Client) -> None:
    numbers = ["YT2531106325001", "YT2531106325002"]
    take_in(shop_id=shop, orders=[make_shipped(n, n, carrier="yuantong") for n in numbers], now=NOW)
    body = kdniao_body(
        [
            kdniao_item(numbers[0], [("2026-11-18 10:00:00", "【杭州市】已揽收", "1")]),
            kdniao_item(
                numbers[1],
                [("2026-11-18 10:00:00", "【杭州市】已揽收", "1"), ("2026-11-19 10:00:00", "客户签收", "301")],
            ),
        ]
    )
    answer = push(client, path(shop, "kdniao"), body)
    assert (answer.status_code, answer.json()["Success"]) == (200, True)
    handle_tracking(shop, NOW)
    assert [stage(shop, number) for number in numbers] == ["collected", "delivered"]


def test_a_17track_push_moves_its_parcel_by_its_longest_code(shop: int, client: Client) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", YTO, carrier="yuantong")], now=NOW)
    codes = ["InTransit_PickedUp", "InTransit_CustomsRequiringInformation"]
    events = [
        {"time_utc": f"2026-11-{18 + day}T02:00:00Z", "description": "…", "location": "深圳", "sub_status": code}
        for day, code in enumerate(codes)
    ]
    leg = {"provider": {"key": 190157}, "latest_sync_status": "Success", "events": events[::-1]}
    info = {"latest_status": {"status": "InTransit", "sub_status": codes[-1]}, "tracking": {"providers": [leg]}}
    told = {"event": "TRACKING_UPDATED", "data": {"number": YTO, "carrier": 190157, "track_info": info}}
    body = json.dumps(told).encode()
    sign = hashlib.sha256(body + b"/" + KEY.encode()).hexdigest()
    assert push(client, path(shop, "17track"), body).status_code == 403
    assert push(client, path(shop, "17track"), body, sign=sign).json() == {"code": 0}
    assert handle_tracking(shop, NOW).new_scans == 2
    with for_shops([shop]):
        scans = Scan.objects.order_by("scanned_at")
        assert [(scan.kind, scan.reason, scan.code) for scan in scans] == [
            ("collected", "", codes[0]),
            ("customs", "regulation", codes[1]),
        ]


def test_a_repeated_push_is_thanked_and_changes_nothing(shop: int, client: Client) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", YTO, carrier="yuantong")], now=NOW)
    for _ in range(3):
        assert push(client, path(shop, "kuaidi100"), kuaidi_body(LIFE)).status_code == 200
        handle_tracking(shop, NOW)
    with for_shops([shop]):
        assert (Message.objects.count(), Scan.objects.count()) == (1, 3)


def test_a_push_before_its_order_waits_and_is_read_when_the_number_appears(shop: int, client: Client) -> None:
    push(client, path(shop, "kuaidi100"), kuaidi_body(LIFE))
    handle_tracking(shop, NOW)
    (waiting,) = inbox.parked([shop])
    assert (waiting.code, waiting.params) == ("no_such_parcel", {"numbers": [YTO]})
    take_in(shop_id=shop, orders=[make_shipped("1", YTO, carrier="yuantong")], now=NOW)
    assert inbox.counts([shop]) == {"new": 1, "done": 0, "parked": 0, "discarded": 0}
    handle_tracking(shop, NOW)
    assert stage(shop, YTO) == "out_for_delivery"


def test_a_poisonous_message_harms_nobody_else(shop: int, client: Client) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", YTO, carrier="yuantong")], now=NOW)
    inbox_actions.keep(shop, "kuaidi100", "push", "", b"param=%7Bcut", NOW)
    monstrous = kuaidi_body([kuaidi_scan("2026-11-18 10:00:00", "x")], number="9" * 400)
    push(client, path(shop, "kuaidi100"), monstrous)
    push(client, path(shop, "kuaidi100"), kuaidi_body(LIFE))
    handle_tracking(shop, NOW)
    assert stage(shop, YTO) == "out_for_delivery"
    assert {one.code for one in inbox.parked([shop])} == {"malformed", "no_such_parcel"}


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("kuaidi100", kuaidi_body(LIFE, salt="wrong"), 403),
        ("kuaidi100", kuaidi_body(LIFE)[:-200], 403),
        ("kuaidi100", kuaidi_body(LIFE)[:20], 403),
        ("kuaidi100", b"", 403),
        ("kuaidi100", b"\xff\xfe\x00", 400),
        ("kuaidi100", b"param=%5B1%2C2&sign=x", 403),
        ("kdniao", kdniao_body([], key="wrong"), 403),
        ("kdniao", b"RequestData=%7Bcut", 403),
        ("kdniao", b"nothing", 400),
        ("kdniao", b'{"EBusinessID":"1300000","Data":[]}', 403),
        ("doudian", b"[]", 403),
        ("doudian", b"", 403),
        ("kuaidi100", b"x" * (1024 * 1024 + 1), 413),
    ],
)
def test_what_cannot_be_believed_is_refused_in_their_words(
    shop: int, client: Client, kind: str, body: bytes, status: int
) -> None:
    answer = push(client, path(shop, kind), body)
    assert answer.status_code == status
    assert answer["X-Refused"]
    if status != 413:
        said = answer.json()
        assert said.get("result") is False or said.get("Success") is False or said.get("code") == 40041
    assert inbox.counts([shop]) == {"new": 0, "done": 0, "parked": 0, "discarded": 0}


def test_a_scan_from_the_future_and_broken_characters_do_no_harm(shop: int, client: Client) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", YTO, carrier="yuantong")], now=NOW)
    odd = [
        *LIFE,
        kuaidi_scan("2099-01-01 00:00:00", "已签收", "301"),
        kuaidi_scan("never", "已签收", "301"),
        kuaidi_scan("2026-11-20 10:00:00", "到达\x00【深圳】", "0"),
    ]
    assert push(client, path(shop, "kuaidi100"), kuaidi_body(odd)).status_code == 200
    handle_tracking(shop, NOW)
    assert inbox.counts([shop])["parked"] == 0
    assert stage(shop, YTO) in ("out_for_delivery", "in_transit", "at_destination")
    with for_shops([shop]):
        assert Scan.objects.count() == 5


@pytest.mark.parametrize(
    "where",
    ["/hooks/1-{secret}/kuaidi100", "/hooks/999999-{secret}/kuaidi100", "/hooks/x/kuaidi100", "/hooks/1-/kdniao"],
)
def test_an_unknown_hook_is_not_there(shop: int, client: Client, where: str) -> None:
    secret = "A" * 43
    assert push(client, where.format(secret=secret), kuaidi_body(LIFE)).status_code == 404


def test_a_hook_is_posted_to_only(shop: int, client: Client) -> None:
    assert client.get(path(shop, "kuaidi100")).status_code == 405


def doudian(client: Client, shop: int, body: bytes) -> Any:
    sign = hashlib.md5(b"test-key" + body + b"test-secret", usedforsecurity=False).hexdigest()
    headers = {"event-sign": sign, "app-id": "test-key"}
    return client.post(path(shop, "doudian"), data=body, content_type="application/json", headers=headers)


def test_doudians_probe_is_answered_and_not_kept(shop: int, client: Client) -> None:
    answer = doudian(client, shop, b'[{"tag":"0","msg_id":"0","data":"2026-01-01T01:00:00+08:00"}]')
    assert answer.json() == {"code": 0, "msg": "success"}
    assert inbox.counts([shop])["new"] == 0


def test_doudians_events_are_kept_one_by_one_and_once(shop: int, client: Client) -> None:
    events = [
        {"tag": "101", "msg_id": "m1", "data": json.dumps({"p_id": 6900000000000001, "shop_id": 1})},
        {"tag": "102", "msg_id": "m2", "data": json.dumps({"p_id": 6900000000000001, "shop_id": 1})},
    ]
    for _ in range(2):
        assert doudian(client, shop, json.dumps(events).encode()).json()["code"] == 0
    with for_shops([shop]):
        assert sorted(Message.objects.values_list("external_id", "kind")) == [("m1", "101"), ("m2", "102")]
        assert b"6900000000000001" not in b"".join(bytes(row) for row in Message.objects.values_list("body", flat=True))


def test_healthz(client: Client) -> None:
    assert client.get("/healthz").json() == {"ok": True, "database": True}


def test_a_hook_that_was_remembered_is_forgotten_when_its_connection_changes(shop: int, client: Client) -> None:
    before = path(shop, "kuaidi100")
    assert push(client, before, kuaidi_body(LIFE)).status_code == 200
    shop_actions.connect(
        shop_id=shop, kind="kuaidi100", settings={"customer": "C1"}, secrets={"salt": "another"}, renew_hook=True
    )
    assert push(client, before, kuaidi_body(LIFE)).status_code == 404
    assert push(client, path(shop, "kuaidi100"), kuaidi_body(LIFE)).status_code == 403  # signed with the old salt
    shop_actions.switch_off(shop_id=shop, kind="kuaidi100", by="zhou")
    assert push(client, path(shop, "kuaidi100") or before, kuaidi_body(LIFE)).status_code == 404


@pytest.mark.urls("bufa.config.urls")
def test_a_push_needs_nothing_that_pages_need_and_still_the_right_name(shop: int, client: Client) -> None:
    answer = push(client, path(shop, "kuaidi100"), kuaidi_body(LIFE))
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(answer.content)))
    assert not answer.cookies
    wrong = client.post(path(shop, "kuaidi100"), b"x", content_type="text/plain", headers={"host": "elsewhere.example"})
    assert wrong.status_code == 400
    assert client.post("/hooks/no/such/thing", b"x", content_type="text/plain").status_code == 404
