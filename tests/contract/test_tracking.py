"""Kuaidi100's, KDNiao's and 17TRACK's clients against those of the simulator."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bufa.integrations import registry
from bufa.integrations.ports import ProviderError
from tests.contract.conftest import Hook, World

SALT = "s4lt-of-the-shop"


def settings(world: World, name: str) -> dict[str, Any]:
    return dict(world.hello[name]) | ({"salt": SALT} if name == "kuaidi100" else {})


@pytest.fixture(params=["kuaidi100", "kdniao", "17track"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tracker(world: World, name: str) -> Any:
    return registry.load("tracking", name, settings(world, name))


def shipped(world: World, carrier: str = "yuantong", fate: str = "delivered") -> dict[str, Any]:
    made = world.post("/orders", carrier=carrier, fate=fate)
    truth: dict[str, Any] = world.get(f"/orders/{made['order_id']}")
    return truth | {"number": made["number"], "tail": truth["phone"][-4:]}


def known_scans(world: World, order: dict[str, Any]) -> list[tuple[datetime, str]]:
    parcels = world.get(f"/orders/{order['order_id']}")["parcels"]
    scans = next(p["scans"] for p in parcels if p["number"] == order["number"])
    return sorted((datetime.fromisoformat(scan["at"]), scan["text"]) for scan in scans)


def test_a_track_is_told_whole(world: World, tracker: Any, name: str):
    order = shipped(world)
    world.advance(hours=40)
    tracker.query("yuantong", order["number"], order["tail"])  # 17TRACK follows only what it was asked about before
    world.advance(minutes=31)
    report = tracker.query("yuantong", order["number"], order["tail"])
    assert (report.provider, report.carrier, report.number, report.ended) == (name, "yuantong", order["number"], "")
    told = [(scan.scanned_at, scan.text) for scan in report.scans]
    assert sorted(told) == known_scans(world, order)
    assert told == sorted(told, key=lambda scan: scan[0])
    assert all(scan.code for scan in report.scans)


def test_no_trace_is_an_empty_report(world: World, tracker: Any):
    order = shipped(world, fate="never_collected")
    number = world.post("/waybills", order_id=order["order_id"], carrier="yuantong")["number"]
    assert tracker.query("yuantong", number, "").scans == ()


def test_a_wrong_phone_is_named(world: World, tracker: Any):
    order = shipped(world, carrier="shunfeng")
    world.advance(hours=20)
    with pytest.raises(ProviderError) as caught:
        tracker.query("shunfeng", order["number"], "")
    assert (caught.value.why, caught.value.retryable, caught.value.unknown) == ("phone", False, False)
    world.advance(minutes=31)
    assert tracker.query("shunfeng", order["number"], order["tail"]).scans


def test_a_carrier_they_do_not_know(world: World, tracker: Any):
    with pytest.raises(ProviderError) as caught:
        tracker.subscribe("zhaijisong", "ZJS00000001", "http://127.0.0.1:9/", SALT, "")
    assert caught.value.why == "unsupported"


def test_a_wrong_key_is_named(world: World, name: str):
    wrong = settings(world, name) | ({"app_key": "wrong"} if name == "kdniao" else {"key": "wrong"})
    with pytest.raises(ProviderError) as caught:
        registry.load("tracking", name, wrong).query("yuantong", "YT0000000000001", "")
    assert caught.value.why == ("denied" if name == "17track" else "signature")


@pytest.mark.parametrize("kind", ["cut", "http500", "reply_lost"])
def test_trouble_on_the_line_may_be_asked_again(world: World, tracker: Any, name: str, kind: str):
    world.trouble(kind, service=name)
    with pytest.raises(ProviderError) as caught:
        tracker.query("yuantong", shipped(world)["number"], "")
    assert (caught.value.retryable, caught.value.unknown) == (True, False)


def test_pushes_tell_the_whole_life(world: World, hook: Hook, tracker: Any, name: str):
    receiver = registry.load_push("tracking", name, settings(world, name))
    hook.reply = lambda body: bytes(receiver.accepted(world.now()))
    if name != "kuaidi100":  # the others push to the address that stands in their console
        world.post(f"/{name}", url=hook.url)
    order = shipped(world)
    for _ in range(2):  # a repeated subscription is a success
        tracker.subscribe("yuantong", order["number"], hook.url, SALT, order["tail"])
    world.advance(days=9)
    world.post("/kdniao", url="")
    world.post("/17track", url="")
    reports = []
    for headers, body in hook.got:
        receiver.verify(headers, body)
        reports.extend(r for r in receiver.parse(body) if r.number == order["number"])
    assert len(reports) >= 2
    assert {report.carrier for report in reports} == {"yuantong"}
    last = reports[-1]
    assert sorted((scan.scanned_at, scan.text) for scan in last.scans) == known_scans(world, order)
    if name == "kuaidi100":
        assert [report.ended for report in reports][-1] == "signed"
        assert {report.ended for report in reports[:-1]} == {""}


def test_kuaidi100_gives_up_on_a_number_without_a_trace(world: World, hook: Hook):
    receiver = registry.load_push("tracking", "kuaidi100", settings(world, "kuaidi100"))
    hook.reply = lambda body: bytes(receiver.accepted(world.now()))
    tracker = registry.load("tracking", "kuaidi100", settings(world, "kuaidi100"))
    number = "YT0000000000777"  # nobody ever handed it in
    tracker.subscribe("yuantong", number, hook.url, SALT, "")
    world.advance(days=3, hours=5)
    reports = [report for headers, body in hook.got for report in receiver.parse(body) if report.number == number]
    assert [(report.ended, report.note, report.scans) for report in reports] == [("aborted", "3天查询无记录", ())]


def test_kuaidi100_locks_a_number_that_is_asked_about_twice(world: World):
    tracker = registry.load("tracking", "kuaidi100", settings(world, "kuaidi100"))
    order = shipped(world)
    world.advance(hours=20)
    tracker.query("yuantong", order["number"], "")
    with pytest.raises(ProviderError) as caught:
        tracker.query("yuantong", order["number"], "")
    assert (caught.value.why, caught.value.retryable, caught.value.wait) == ("busy", True, timedelta(minutes=30))


def test_17track_takes_a_stopped_number_up_again_once(world: World, hook: Hook):
    receiver = registry.load_push("tracking", "17track", settings(world, "17track"))
    tracker = registry.load("tracking", "17track", settings(world, "17track"))
    world.post("/17track", url=hook.url)
    number = "YT0000000000999"  # nobody ever handed it in
    tracker.subscribe("yuantong", number, "", "", "")
    assert tracker.query("yuantong", number).scans == ()
    world.advance(days=31)
    reports = [report for _, body in hook.got for report in receiver.parse(body) if report.number == number]
    assert [(report.ended, report.note) for report in reports] == [("aborted", "tracking stopped")]
    tracker.subscribe("yuantong", number, "", "", "")
    world.advance(days=31)
    with pytest.raises(ProviderError) as caught:
        tracker.subscribe("yuantong", number, "", "", "")
    world.post("/17track", url="")
    assert (caught.value.why, caught.value.retryable) == ("stopped", False)


def test_17track_says_that_the_quota_is_used_up(world: World):
    tracker = registry.load("tracking", "17track", settings(world, "17track"))
    before = tracker.quota()
    tracker.subscribe("yuantong", "YT0000000000888", "", "", "")
    assert (tracker.quota().left, before.total) == (before.left - 1, before.total)
    world.post("/17track", quota=0)
    with pytest.raises(ProviderError) as caught:
        tracker.subscribe("yuantong", "YT0000000000887", "", "", "")
    world.post("/17track", quota=before.left)
    assert (caught.value.why, caught.value.retryable) == ("no_credit", False)
