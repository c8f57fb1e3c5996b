"""Captured pushes and answers of both providers go in by hook, rightly signed, and end in the right stage."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from bufa.apps.cases.taking_in import take_in
from bufa.apps.inbox import queries as inbox
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shop_actions
from bufa.domain.carriers import from_kdniao
from bufa.jobs.inbox import handle_tracking
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shipped, make_shop
from tests.samples import SAMPLES, needs_samples

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("bufa.api.urls"),
    pytest.mark.samples,
    needs_samples,
]

KEY = "made-up-key"


def payload(name: str) -> Any:
    return json.loads((SAMPLES / "payloads" / f"{name}.json").read_text("utf-8"))["payload"]


def stage_after(client: Client, kind: str, carrier: str, number: str, form: dict[str, str], **settings: str) -> str:
    """Push a form to a fresh shop that has the parcel, twice, and tell where the parcel is then."""
    shop = make_shop()
    where = shop_actions.connect(shop_id=shop, kind=kind, settings=settings)
    take_in(shop_id=shop, orders=[make_shipped("1", number, carrier=carrier)], now=NOW)
    for _ in range(2):
        answer = client.post(where, data=urlencode(form), content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 200
        handle_tracking(shop, NOW)
    assert inbox.counts([shop]) == {"new": 0, "done": 1, "parked": 0, "discarded": 0}
    with for_shops([shop]):
        return str(Parcel.objects.get(number=number).stage)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("kuaidi100/push-yto-polling-got", "in_transit"),
        ("kuaidi100/push-sf-out-for-delivery", "out_for_delivery"),
        ("kuaidi100/push-abort-constructed", "labelled"),
        ("kuaidi100/query-response-resultv2-8", "in_transit"),
        ("kuaidi100/query-response-deppon-future-eta", "in_transit"),
    ],
)
def test_kuaidi100(client: Client, name: str, stage: str) -> None:
    told = payload(name)
    if "lastResult" not in told:  # an answer carries what a push wraps
        told = {"status": "polling", "billstatus": "", "message": "", "lastResult": told}
    param = json.dumps(told, ensure_ascii=False)
    sign = hashlib.md5((param + "salt").encode(), usedforsecurity=False).hexdigest().upper()
    last = told["lastResult"]
    form = {"param": param, "sign": sign}
    found = stage_after(client, "kuaidi100", last["com"], last["nu"], form, customer="C", key=KEY, salt="salt")
    assert found == stage


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("kdniao/push-101-ems-2015", "out_for_delivery"),
        ("kdniao/push-102-monitor-fields", "out_for_delivery"),  # refused at the door: a finding, not a place
        ("kdniao/response-1002-yunda-signed", "delivered"),
        ("kdniao/response-1002-hhtt-signed", "delivered"),
        ("kdniao/response-1002-yto-locker", "delivered"),
        ("kdniao/response-8001-zto-action-codes", "delivered"),
    ],
)
def test_kdniao(client: Client, name: str, stage: str) -> None:
    told = payload(name)
    items = told.get("Data", [told])
    told = {"EBusinessID": "1300000", "PushTime": "2026-11-20 12:00:00", "Count": "1", "Data": items}
    data = json.dumps(told, ensure_ascii=False)
    digest = hashlib.md5((data + KEY).encode(), usedforsecurity=False).hexdigest()
    form = {"RequestData": data, "RequestType": "102", "DataSign": b64encode(digest.encode()).decode()}
    item = items[0]
    carrier = from_kdniao(item["ShipperCode"]) or item["ShipperCode"].lower()
    found = stage_after(client, "kdniao", carrier, item["LogisticCode"], form, business_id="1300000", app_key=KEY)
    assert found == stage


@pytest.mark.parametrize(
    ("name", "stage"),
    [("17track/push-tracking-updated", "ready_for_pickup"), ("17track/gettrackinfo-delivered", "delivered")],
)
def test_17track(client: Client, name: str, stage: str) -> None:
    told = payload(name)
    if "event" not in told:  # an answer carries what a push wraps
        told = {"event": "TRACKING_UPDATED", "data": told["data"]["accepted"][0]}
    shop = make_shop()
    where = shop_actions.connect(shop_id=shop, kind="17track", settings={}, secrets={"key": KEY})
    number = told["data"]["number"]
    take_in(shop_id=shop, orders=[make_shipped("1", number, carrier="ems")], now=NOW)
    body = json.dumps(told, ensure_ascii=False).encode()
    sign = hashlib.sha256(body + b"/" + KEY.encode()).hexdigest()
    assert client.post(where, data=body, content_type="application/json", headers={"sign": sign}).status_code == 200
    handle_tracking(shop, NOW)
    assert inbox.counts([shop]) == {"new": 0, "done": 1, "parked": 0, "discarded": 0}
    with for_shops([shop]):
        assert Parcel.objects.get(number=number).stage == stage
