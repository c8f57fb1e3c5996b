"""A number is cleaned at every door before anything is said of it: blanks, full width, small letters, suffixes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from bufa.apps.cases import queries as cases
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import queries as parcels
from bufa.apps.parcels.actions import is_used
from bufa.apps.parcels.models import Parcel
from bufa.apps.parcels.views import ParcelFilters
from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import actions as shop_actions
from bufa.jobs.importing import run_import
from bufa.jobs.inbox import handle_tracking
from bufa.lib.tenancy import for_shops
from tests.api.test_hooks import KEY, LIFE, kuaidi_body, path
from tests.apps.test_reissues import form, ids
from tests.factories import NOW, at, make_report, make_shipped, make_shop
from tests.factories.sample import Sample

CLEAN = "JDVD00936215561"
DIRTY = [
    f" {CLEAN}\u3000",
    "JDVD 0093 6215 561",
    "ＪＤＶＤ００９３６２１５５６１",
    "jdvd00936215561",
    f"{CLEAN}-1-1-",
    f"'{CLEAN}\u200b",
    f"{CLEAN}，",
]

everything_dirty = pytest.mark.parametrize("dirty", DIRTY)


@pytest.fixture
def shop(db: None) -> int:
    return make_shop()


def the_parcel(shop: int) -> Parcel:
    with for_shops([shop]):
        return Parcel.objects.get(shop_id=shop, number=CLEAN)


@everything_dirty
def test_the_platform_s_door(shop: int, dirty: str) -> None:
    take_in(shop_id=shop, orders=[make_shipped("D1", dirty, carrier="jd")], now=NOW)
    take_in(shop_id=shop, orders=[make_shipped("D1", CLEAN, carrier="jd")], now=at(1))
    assert the_parcel(shop).carrier == "jd"
    assert is_used("jd", CLEAN)
    assert is_used("jd", dirty)


@everything_dirty
def test_the_tracking_provider_s_door(shop: int, dirty: str) -> None:
    take_in(shop_id=shop, orders=[make_shipped("D1", CLEAN, carrier="jd")], now=NOW)
    done = take_in(shop_id=shop, reports=[make_report(dirty, (at(-3), "【杭州市】 已揽收"), carrier="jd")], now=NOW)
    assert (done.unknown, done.new_scans, the_parcel(shop).stage) == ([], 1, "collected")


@pytest.mark.urls("bufa.api.urls")
@everything_dirty
def test_the_door_of_pushes(shop: int, client: Client, dirty: str) -> None:
    secrets = {"key": KEY, "salt": "s4lt"}
    shop_actions.connect(shop_id=shop, kind="kuaidi100", settings={"customer": "C1"}, secrets=secrets)
    take_in(shop_id=shop, orders=[make_shipped("D1", CLEAN, carrier="yuantong")], now=NOW)
    body = kuaidi_body(LIFE, number=dirty)
    answer = client.post(path(shop, "kuaidi100"), body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    handle_tracking(shop, NOW)
    assert the_parcel(shop).stage == "out_for_delivery"


@everything_dirty
def test_the_door_of_files(shop: int, tmp_path: Path, dirty: str) -> None:
    orders, scans = tmp_path / "orders.jsonl", tmp_path / "scans.jsonl"
    order = {"订单编号": "69001", "商品名称": "杯子", "商品数量": 1, "运单号": dirty, "快递公司": "京东"}
    orders.write_text(json.dumps(order), "utf-8")
    scan = {"运单号": dirty, "快递公司": "京东", "时间": "2026-11-20 09:00:00", "内容": "【杭州市】 已揽收"}
    scans.write_text(json.dumps(scan), "utf-8")
    assert run_import("orders", orders, shop, now=NOW).taken == 1
    assert run_import("scans", scans, shop, now=NOW).scans == 1
    assert the_parcel(shop).stage == "collected"


@everything_dirty
def test_the_search_box_and_the_filters(shop: int, dirty: str) -> None:
    lost = make_report(CLEAN, (at(-30), "【杭州市】 已揽收"), (at(-2), "快件已遗失"), carrier="jd")
    take_in(shop_id=shop, orders=[make_shipped("d-1", CLEAN, carrier="jd")], reports=[lost], now=NOW)
    (hit,) = cases.find([shop], dirty)
    assert (hit.kind, hit.matched, hit.number) == ("case", "waybill", CLEAN)
    assert [row.number for row in parcels.find_parcels([shop], dirty)] == [CLEAN]
    assert [row.number for row in parcels.parcel_list([shop], ParcelFilters(text=dirty)).rows] == [CLEAN]
    listed = cases.case_list([shop], cases.CaseFilters(text=dirty), now=NOW)
    assert [row.number for row in listed.rows] == [CLEAN]


def test_an_order_number_is_found_as_it_was_copied(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("6901234567", CLEAN, carrier="jd")], now=NOW)
    take_in(shop_id=shop, orders=[make_shipped("file-abc", "JDVD00936215562", carrier="jd")], now=NOW)
    assert [row.number for row in parcels.find_parcels([shop], "６９０１ 234567")] == [CLEAN]
    assert [row.number for row in parcels.find_parcels([shop], "file-abc")] == ["JDVD00936215562"]


@pytest.mark.usefixtures("db")
def test_the_gate(sample: Sample) -> None:
    for dirty in DIRTY:
        checked = reissues.check_form(**ids(sample, "numbering"), form=form(sample, number=dirty), now=sample.now)
        assert checked.form.number == CLEAN
