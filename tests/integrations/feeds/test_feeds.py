"""Messages of tracking services are told apart by their form, and every line of them is read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bufa.domain.reading import read
from bufa.integrations.feeds import recognise
from bufa.integrations.ports import TrackReport
from tests.samples import SAMPLES, needs_samples

MESSAGES = [json.loads(line) for line in (Path(__file__).parent / "messages.jsonl").read_text("utf-8").splitlines()]


def kinds(report: TrackReport) -> list[str]:
    last = report.scans[-1].scanned_at if report.scans else None
    found = []
    for scan in report.scans:
        state = scan.state or (report.state if scan.scanned_at == last and not scan.code else "")
        reading = read(provider=report.provider, code=scan.code, state=state, text=scan.text)
        found.append(f"{reading.kind.value}.{reading.reason.value}" if reading.reason else reading.kind.value)
    return found


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row["feed"])
def test_a_message_is_recognised_and_every_line_of_it_read(row: dict[str, Any]):
    (report,) = recognise(row["message"])
    assert (report.provider, report.carrier, report.number) == (row["feed"], row["carrier"], row["number"])
    assert all(scan.scanned_at is not None for scan in report.scans)
    assert list(report.scans) == sorted(report.scans, key=lambda scan: str(scan.scanned_at))
    assert [kind.removesuffix(".other") for kind in kinds(report)] == [k.removesuffix(".other") for k in row["kinds"]]


def test_wrapped_and_many_in_one_are_found_wherever_they_lie():
    messages = [row["message"] for row in MESSAGES]
    found = recognise({"page": 1, "kept": [json.dumps(message) for message in messages]})
    assert found == tuple(report for message in messages for report in recognise(message))


def test_pushes_about_one_number_become_one_track():
    def push(action: str, at: str) -> dict[str, Any]:
        told = {"billCode": "73123456789012", "action": action, "actionTime": at, "desc": action}
        return {"msg_type": "Traces", "data": told}

    (report,) = recognise([push("GOT", "2026-03-01 10:00:00"), push("SIGNED", "2026-03-03 10:00:00")])
    assert kinds(report) == ["collected", "delivered"]


@pytest.mark.parametrize("told", [None, 1, "x", "{", [], {}, {"code": 0, "data": []}, {"number": "1", "events": []}])
def test_what_tells_no_track_is_nothing(told: Any):
    assert recognise(told) == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _nodes(told: Any) -> int:
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return 1 + sum(map(_nodes, inner))


@settings(deadline=None)
@given(row=st.sampled_from(MESSAGES), data=st.data())
def test_a_broken_message_is_read_as_far_as_it_goes_and_never_raises(row: dict[str, Any], data: st.DataObject):
    places = st.integers(0, _nodes(row["message"]) - 1)
    instead = data.draw(st.dictionaries(places, _JSON, max_size=12))  # one draw: one at each node took seconds
    at = iter(range(10**9))

    def broken(told: Any) -> Any:
        if (node := next(at)) in instead:
            return instead[node]
        if isinstance(told, dict):
            return {name: broken(value) for name, value in told.items()}
        return [broken(value) for value in told] if isinstance(told, list) else told

    for report in recognise(broken(row["message"])):
        assert isinstance(replace(report), TrackReport)


_JUHE = (
    "collected in_transit arrived_hub in_transit arrived_hub in_transit arrived_hub in_transit in_transit "
    "out_for_delivery attempt_failed.contact_failed out_for_delivery delivered"
)
SAMPLED = {
    "aliyun-wuliu/response-deppon-in-transit": (
        "aliyun",
        "debangkuaidi",
        "collected in_transit arrived_hub in_transit eta",
    ),
    "juhe/response-sf-signed": (
        "juhe",
        "shunfeng",
        _JUHE,
    ),
    "showapi/response-best-signed": (
        "showapi",
        "huitongkuaidi",
        "collected in_transit arrived_hub in_transit arrived_hub in_transit in_transit out_for_delivery delivered",
    ),
    "sf/route-response": (
        "shunfeng",
        "shunfeng",
        "collected out_for_delivery ready_for_pickup out_for_delivery refused.refused out_for_delivery delivered",
    ),
    "zto/push-traces": (
        "zhongtong",
        "zhongtong",
        "collected in_transit in_transit out_for_delivery ready_for_pickup delivered delivered",
    ),
    "chinapost/web-trace-signed": ("youzhengguonei", "youzhengguonei", "delivered"),
    "doudian/logistics-trackNoRouteDetail": ("doudian", "ssss", "out_for_delivery"),
    "kdzs-apispace/push-sf-fulltrace": (
        "kdzs",
        "shunfeng",
        "label_created label_created collected arrived_hub arrived_hub in_transit",
    ),
    "kdniao/response-with-map-doc": ("kdniao", "yunda", "collected"),
    "kuaidi100/query-response-deppon-future-eta": (
        "kuaidi100",
        "debangwuliu",
        "collected in_transit arrived_hub in_transit arrived_hub in_transit eta",
    ),
}


@needs_samples
@pytest.mark.samples
@pytest.mark.parametrize("name", SAMPLED)
def test_captured_messages_are_read_exactly(name: str):
    told = json.loads((SAMPLES / "payloads" / f"{name}.json").read_text("utf-8"))
    (report,) = recognise(told)
    assert (report.provider, report.carrier, " ".join(kinds(report))) == SAMPLED[name]


@needs_samples
@pytest.mark.samples
def test_every_captured_message_that_tells_a_track_is_recognised():
    telling = {"data", "Traces", "Data", "list", "Route", "track_info", "opTime", "route_node_list", "lastResult"}
    for path in sorted((SAMPLES / "payloads").glob("*/*.json")):
        text = path.read_text("utf-8")
        if any(f'"{word}": [' in text or f'"{word}": {{' in text for word in telling) and '"time' in text.lower():
            assert recognise(json.loads(text)) or "request" in path.name, path.name
