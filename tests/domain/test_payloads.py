"""Codes of captured payloads: each feed's own newest message, as the feed's client hands it to the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bufa.domain.kinds import Kind
from bufa.domain.reading import read
from tests.samples import SAMPLES, needs_samples

pytestmark = needs_samples


def payload(name: str) -> Any:
    return json.loads((SAMPLES / "payloads" / f"{name}.json").read_text("utf-8"))["payload"]


@pytest.mark.parametrize(
    "name", ["query-yto-signed-from-station", "query-sto-signed-from-station", "query-deppon-signed"]
)
def test_kdzs(name: str) -> None:
    rows = payload(f"kdzs-apispace/{name}")["logisticsTrace"]["logisticsTraceDetailList"]
    kinds = [
        read(provider="kdzs", code=row["subLogisticsStatus"], state=row["logisticsStatus"], text=row["desc"]).kind
        for row in sorted(rows, key=lambda row: int(row["time"]))
    ]
    assert kinds[-1] is Kind.DELIVERED
    assert Kind.UNMAPPED not in kinds


def test_kdzs_push() -> None:
    rows = payload("kdzs-apispace/push-sf-fulltrace")["logisticsFullTraceList"]
    kinds = [read(provider="kdzs", code=row["subLogisticsStatus"], text=row["desc"]).kind for row in rows]
    assert kinds[:3] == [Kind.LABEL_CREATED, Kind.LABEL_CREATED, Kind.COLLECTED]


def test_shunfeng() -> None:
    rows = payload("sf/route-response")["Body"]["RouteResponse"]["Route"]
    kinds = [read(provider="shunfeng", code=row["opcode"], text=row["remark"]).kind for row in rows]
    assert kinds[0] is Kind.COLLECTED
    assert Kind.REFUSED in kinds
    assert kinds[-1] is Kind.DELIVERED


def test_zhongtong() -> None:
    rows = [one["data"] for one in payload("zto/push-traces")]
    kinds = {row["action"]: read(provider="zhongtong", code=row["action"], text=row["desc"]).kind for row in rows}
    assert kinds["GOT"] is Kind.COLLECTED
    assert Kind.UNMAPPED not in kinds.values()


def test_china_post() -> None:
    rows = payload("chinapost/internal-trace-messages")
    kinds = [read(provider="chinapost", code=row["opCode"], text=row["opDesc"]).kind for row in rows]
    assert (kinds[1], Kind.UNMAPPED in kinds) == (Kind.ARRIVED_HUB, False)
    web = payload("chinapost/web-trace-signed")
    assert read(provider="chinapost", code=web["opStateCode"], text=web["opDesc"]).kind is Kind.DELIVERED


def test_17track() -> None:
    info = payload("17track/gettrackinfo-delivered")["data"]["accepted"][0]["track_info"]
    newest = info["latest_event"]
    assert read(provider="17track", code=newest["sub_status"], text=newest["description"]).kind is Kind.DELIVERED


def test_aliyun_and_juhe() -> None:
    deppon = payload("aliyun-wuliu/response-deppon-in-transit")["result"]
    assert read(provider="aliyun", state=deppon["deliverystatus"], text=deppon["list"][0]["status"]).kind is Kind.ETA
    assert read(provider="aliyun", state=deppon["deliverystatus"]).kind is Kind.IN_TRANSIT
    sf = payload("juhe/response-sf-signed")["result"]
    assert read(provider="juhe", state=sf["status"], text=sf["list"][-1]["remark"]).kind is Kind.DELIVERED
