"""17TRACK: registration, queries, pushes, quotas."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bufa.domain.kinds import Kind
from bufa.domain.reading import read
from bufa.integrations.ports import ProviderError, PushRefused, RawScan, TrackReport
from bufa.integrations.tracking.seventeentrack import limits, mapping
from bufa.integrations.tracking.seventeentrack.client import Client, Quota
from bufa.integrations.tracking.seventeentrack.push import Push
from bufa.integrations.tracking.seventeentrack.settings import Settings
from tests.integrations.support import NOW, Wire, china, payload, sample

SETTINGS = Settings("K3Y", base_url="http://track.test")
REPORT = TrackReport(
    "17track",
    "yuantong",
    "YT8800112233445",
    (
        RawScan(china("2026-03-01 18:30:00"), "已揽收", "InTransit_PickedUp", "PickedUp", "金华市"),
        RawScan(china("2026-03-02 06:00:00"), "到达长沙转运中心", "InTransit_Other", "", "长沙市"),
        RawScan(china("2026-03-02 06:00:00"), "交接给邮政", "Departure", "Departure", "长沙市"),
        RawScan(
            china("2026-03-05 09:05:00"),
            "派件失败，联系不上收件人",
            "DeliveryFailure_NoBody",
            "DeliveryFailure",
            "湖南省,长沙市",
        ),
    ),
    note="China Post: Failure",
    state="DeliveryFailure_NoBody",
)


def client(wire: Wire, settings: Settings = SETTINGS) -> Client:
    return Client(settings, wire.client)


def accepted(one: dict[str, Any]) -> dict[str, Any]:
    return {"code": 0, "data": {"accepted": [one], "rejected": []}}


def rejected(code: int, message: str = "no") -> dict[str, Any]:
    return {"code": 0, "data": {"accepted": [], "rejected": [{"number": "x", "error": _error(code, message)}]}}


def _error(code: int, message: str = "no") -> dict[str, Any]:
    return {"code": code, "message": message}


def test_a_query_reads_the_legs_of_two_carriers_as_one_track():
    wire = Wire(accepted(payload("seventeentrack", "track")))
    assert client(wire).query("yuantong", "YT8800112233445") == REPORT
    assert wire.requests[0].url == "http://track.test/track/v2.2/gettrackinfo"
    assert wire.requests[0].headers["17token"] == "K3Y"
    assert wire.json() == [{"number": "YT8800112233445", "carrier": 190157}]


def test_a_number_that_is_not_followed_is_registered_by_the_first_query():
    wire = Wire(rejected(-18019902), accepted({"number": "SF1", "carrier": 100012}), rejected(-18019909, "nothing"))
    report = client(wire).query("shunfeng", "SF1", "0001")
    assert report == TrackReport("17track", "shunfeng", "SF1", note="nothing")
    assert [request.url.path.rpartition("/")[2] for request in wire.requests] == [
        "gettrackinfo",
        "register",
        "gettrackinfo",
    ]
    assert wire.json(1) == [{"number": "SF1", "carrier": 100012, "auto_detection": True, "param": "0001"}]


def test_a_carrier_without_a_number_is_left_to_them_to_find_out_or_refused():
    wire = Wire(accepted({"number": "1"}))
    client(wire).subscribe("rrs", "1", "", "")
    assert wire.json() == [{"number": "1", "auto_detection": True}]
    with pytest.raises(ProviderError, match="unsupported"):
        client(Wire(), Settings("k", auto_detect=False)).subscribe("rrs", "1", "", "")


def test_a_number_they_follow_already_is_subscribed_and_a_stopped_one_is_taken_up_again():
    client(Wire(rejected(-18019901), rejected(-18019904))).subscribe("yuantong", "YT1", "", "")
    wire = Wire(rejected(-18019901), accepted({"number": "YT1"}))
    client(wire).subscribe("yuantong", "YT1", "", "")
    assert wire.requests[1].url.path == "/track/v2.2/retrack"
    with pytest.raises(ProviderError) as caught:
        client(Wire(rejected(-18019901), rejected(-18019905))).subscribe("yuantong", "YT1", "", "")
    assert (caught.value.why, caught.value.retryable) == ("stopped", False)


@pytest.mark.parametrize(
    ("code", "why", "wait"),
    [
        (-18010002, "denied", None),
        (-18010003, "busy", timedelta(minutes=5)),
        (-18010012, "input", None),
        (-18010020, "phone", None),
        (-18019903, "unsupported", None),
        (-18019907, "limited", timedelta(hours=6)),
        (-18019908, "no_credit", None),
        (-18019910, "unsupported", None),
        (-1, "business", None),
    ],
)
def test_a_refusal_is_named_by_its_code_whether_of_the_number_or_of_the_whole_call(code, why, wait):
    whole = {"code": code, "data": {"errors": [_error(code, "said")]}}
    for answer in (whole, rejected(code, "said")):
        with pytest.raises(ProviderError) as caught:
            client(Wire(answer)).subscribe("yuantong", "YT1", "", "")
        error = caught.value
        assert (error.why, error.wait, error.retryable, error.unknown) == (why, wait, wait is not None, False)
        assert (error.code, error.text) == (str(code), "said")


def test_too_many_calls_and_an_answer_without_the_number():
    with pytest.raises(ProviderError, match="limited") as caught:
        client(Wire(httpx.Response(429))).query("yuantong", "YT1")
    assert caught.value.retryable
    with pytest.raises(ProviderError, match="malformed"):
        client(Wire({"code": 0, "data": {}})).query("yuantong", "YT1")


def test_the_quota_costs_nothing_to_ask():
    wire = Wire({"code": 0, "data": {"quota_total": 200, "quota_used": 3, "quota_remain": 197}})
    assert client(wire).quota() == Quota(197, 200)


def test_limits():
    assert limits.may_query(NOW, NOW)
    assert [limits.may_subscribe(made) for made in (0, 1, 2)] == [True, True, False]
    assert [limits.needs_phone(carrier) for carrier in ("shunfeng", "zhongtong")] == [True, False]


# ── pushes ──


def body(event: str, data: Any) -> bytes:
    return json.dumps({"event": event, "data": data}, ensure_ascii=False).encode()


def signed(told: bytes, key: str = "K3Y") -> dict[str, str]:
    return {"Sign": hashlib.sha256(told + b"/" + key.encode()).hexdigest()}


def test_a_push_is_believed_by_its_signature_over_the_bytes_that_came():
    told = body("TRACKING_UPDATED", payload("seventeentrack", "track"))
    Push(SETTINGS).verify(signed(told), told)
    assert Push(SETTINGS).parse(told) == (REPORT,)
    for headers, why in (({}, "unsigned"), (signed(told + b" "), "signature"), (signed(told, "other"), "signature")):
        with pytest.raises(PushRefused) as caught:
            Push(SETTINGS).verify(headers, told)
        assert caught.value.why == why


@pytest.mark.parametrize(("status", "ended"), [("Delivered", "signed"), ("Expired", "aborted")])
def test_a_stop_is_an_end(status, ended):
    item = payload("seventeentrack", "track")
    item["track_info"]["latest_status"] = {"status": status, "sub_status": f"{status}_Other"}
    (report,) = Push(SETTINGS).parse(body("TRACKING_STOPPED", item))
    assert (report.ended, report.note) == (ended, "tracking stopped")


@pytest.mark.parametrize("told", [b"", b"[]", b'{"data":{}}', b'{"event":"TRACKING_UPDATED","data":{}}', b"\xff"])
def test_what_is_no_push_is_malformed(told):
    with pytest.raises(PushRefused, match="malformed"):
        Push(SETTINGS).parse(told)


def test_an_event_that_tells_no_track_tells_nothing():
    assert Push(SETTINGS).parse(body("ACCOUNT_NOTICE", {"number": "1"})) == ()


def test_the_replies():
    assert Push(SETTINGS).accepted(NOW) == b'{"code":0}'
    assert json.loads(Push(SETTINGS).refused(NOW, "signature")) == {"code": 1, "message": "signature"}


# ── captured ──


@pytest.mark.samples
def test_captured_answer_is_read_exactly():
    wire = Wire(sample("17track", "gettrackinfo-delivered"))
    report = client(wire).query("youzhengguonei", "RR123456789CN")
    assert (report.carrier, report.number, report.state, report.note) == (
        "youzhengguonei",
        "RR123456789CN",
        "Delivered_Other",
        "",
    )
    assert [(scan.scanned_at, scan.code, scan.place) for scan in report.scans] == [
        (datetime(2022, 4, 25, 2, 0, tzinfo=UTC), "InfoReceived", "SHENZHEN"),
        (datetime(2022, 4, 26, 6, 30, tzinfo=UTC), "InTransit_PickedUp", "SHENZHEN"),
        (datetime(2022, 4, 28, 13, 0, tzinfo=UTC), "InTransit_Other", "LOS ANGELES, CA"),
        (datetime(2022, 5, 2, 18, 34, tzinfo=UTC), "Delivered_Other", "LOS ANGELES, CA"),
    ]
    kinds = [read(provider="17track", code=one.code, state=one.state, text=one.text).kind for one in report.scans]
    assert kinds == [Kind.LABEL_CREATED, Kind.COLLECTED, Kind.IN_TRANSIT, Kind.DELIVERED]


@pytest.mark.samples
def test_captured_push_is_read_exactly():
    told = json.dumps(sample("17track", "push-tracking-updated"), ensure_ascii=False).encode()
    Push(SETTINGS).verify(signed(told), told)
    (report,) = Push(SETTINGS).parse(told)
    (scan,) = report.scans
    assert (report.carrier, report.number, report.ended, report.note, report.state) == (
        "7041",
        "1234567890",
        "",
        "",
        "Exception_Other",
    )
    assert (scan.scanned_at, scan.code, scan.place) == (
        datetime(2022, 9, 14, 7, 47, tzinfo=UTC),
        "AvailableForPickup",
        "Germany",
    )
    reading = read(provider="17track", code=scan.code, state=report.state, text=scan.text)
    assert reading.kind is Kind.READY_FOR_PICKUP


@pytest.mark.samples
def test_captured_registrations():
    answers = sample("17track", "register-responses")
    wire = Wire(answers[0])
    client(wire).subscribe("youzhengguonei", "RR123456789CN", "", "")
    client(Wire(answers[1], rejected(-18019904))).subscribe("youzhengguonei", "x", "", "")
    with pytest.raises(ProviderError, match="denied") as caught:
        client(Wire(answers[2])).subscribe("youzhengguonei", "x", "", "")
    assert (caught.value.code, caught.value.text) == ("-18010002", "Invalid security key.")


def test_carriers_are_translated_both_ways():
    assert mapping.our_carrier(mapping.their_carrier("yuantong")) == "yuantong"
    assert (mapping.our_carrier(7041), mapping.our_carrier(None), mapping.their_carrier("rrs")) == ("7041", "", None)
