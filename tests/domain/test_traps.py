"""Traps of real tracks, each in our own words: what a careless reader would say, and what we say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bufa.domain.kinds import Kind, Reason, Stage
from bufa.domain.parcels import ParcelState, Scan, agreed_time, attempt_number, fold, is_final, same_scan_key
from bufa.domain.reading import is_platform_hub, read, to_scan
from bufa.domain.rulebook import Certainty
from bufa.domain.speed import too_fast
from bufa.domain.trail import repeated_at, too_fast_at
from bufa.domain.watch import DEFAULT_POLICY, judge
from tests.domain.test_watch import BOOK, COLLECTED, HUB, at, parcel, rules, scan

T0 = datetime(2026, 11, 2, 2, tzinfo=UTC)


def kind(text: str) -> Kind:
    return read(provider="file", text=text).kind


def said(minutes: float, text: str, received: float | None = None) -> Scan:
    when = T0 + timedelta(minutes=minutes)
    heard = when if received is None else T0 + timedelta(minutes=received)
    return to_scan(provider="kuaidi100", scanned_at=when, received_at=heard, text=text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("【德阳网点】失败签收录入 扫描员:周六", Kind.ATTEMPT_FAILED),
        ("快件签收失败,原因:单位放假", Kind.ATTEMPT_FAILED),
        ("邮件未妥投,备注:电话无人接听", Kind.ATTEMPT_FAILED),
        ("派送不成功,待再次派送", Kind.ATTEMPT_FAILED),
        ("宁波市,退回 妥投", Kind.RETURNED),
        ("快件正在派送途中,请您准备签收", Kind.OUT_FOR_DELIVERY),
        ("快件离开【温州转运中心】,感谢使用,期待您的签收", Kind.IN_TRANSIT),
    ],
)
def test_1_words_of_success_in_failures(text: str, found: Kind) -> None:
    assert kind(text) is found


@pytest.mark.parametrize(
    "text",
    ["快件已签(13912345678)收", "快件已(13912345678)签收", "签收(13912345678)人是:本人", "已签收【0571-88123456】"],
)
def test_2_phones_inside_words(text: str) -> None:
    assert kind(text) is Kind.DELIVERED


@pytest.mark.parametrize(
    "boilerplate",
    [
        "投诉电话:0571-88123456",
        "如有疑问请联系业务员",
        "有问题请联系网点处理",
        "疫情期间站点每日消毒,快递员体温正常",
        "如遇找不到包裹等问题请联系我",
        "外呼为安全呼叫,请放心接听",
    ],
)
def test_3_boilerplate_says_nothing(boilerplate: str) -> None:
    assert kind(f"【宁波市】快件正在派送中,{boilerplate}") is Kind.OUT_FOR_DELIVERY
    assert kind(f"【宁波市】快件已由本人签收,{boilerplate}") is Kind.DELIVERED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("【温州网点】的派件员【超区小赵(13912345678)】正在为您派件", Kind.OUT_FOR_DELIVERY),
        ("快件离开【签收路营业部】,发往【宁波转运中心】", Kind.IN_TRANSIT),
        ("【转运大道店】的快递员小李正在派件", Kind.OUT_FOR_DELIVERY),
    ],
)
def test_4_names_and_places_that_hold_keywords(text: str, found: Kind) -> None:
    assert kind(text) is found


def test_5_a_promise_in_the_future_is_no_event() -> None:
    scans = [said(0, "运输中,离开【宁波转运中心】"), said(3000, "预计11月4日17:00前送达", received=10)]
    state = fold(scans)

    assert kind("预计11月4日17:00前送达") is Kind.ETA
    assert (state.stage, state.newest_at, state.unusable) == (Stage.IN_TRANSIT, T0, 1)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("已与客户约定新派送时间,202611041010", "2026-11-04T10:10"),
        ("已与收方客户约定新派送时间 2026-11-05 11:55:00", "2026-11-05T11:55"),
        ("客户要求改期,预约 2026-11-06 18:00 派送", "2026-11-06T18:00"),
    ],
)
def test_5_an_agreed_time_restarts_the_shops_silence(text: str, local: str) -> None:
    agreed = datetime.fromisoformat(local + "+08:00")
    scans = [said(0, "快件已到达【宁波转运中心】"), said(60, text)]
    state = fold(scans)

    assert (state.last.get(Kind.ATTEMPT_FAILED), state.agreed_at) == (T0 + timedelta(hours=1), agreed)
    watched = parcel(*scans)
    lost = [one.since for one in judge(watched, BOOK, DEFAULT_POLICY, agreed + timedelta(hours=144)).findings][-1]
    assert lost == agreed + timedelta(hours=144)  # from Zhejiang to Beijing


@pytest.mark.parametrize(
    "text", ["约定 2026-13-05 11:55", "约定 2026-11-01 11:55", "约定 2027-02-01 10:00", "约定明天"]
)
def test_5_times_that_are_none(text: str) -> None:
    assert agreed_time(text, T0) is None


def test_6_scans_out_of_order() -> None:
    early_hub = [said(0, "快件已到达【宁波转运中心】"), said(0.1, "【慈溪网点】已揽收")]
    late_pickup = [said(0, "快件离开【慈溪网点】,发往【宁波转运中心】"), said(180, "【慈溪网点】已揽收")]

    assert fold(early_hub).stage is Stage.IN_TRANSIT
    assert fold(reversed(early_hub)) == fold(early_hub)
    assert fold(late_pickup).stage is Stage.IN_TRANSIT


def test_7_one_scan_told_twice() -> None:
    one = said(0, "【慈溪网点】的快递员小王(13912345678)正在派件,投诉电话:0574-63123456")
    other = said(0.3, "【慈溪网点】的快递员小王(13812340000)正在派件,投诉电话:0574-63990000")

    assert same_scan_key(one) == same_scan_key(other)
    assert fold([one, other]).counts[Kind.OUT_FOR_DELIVERY] == 1


def test_8_attempts_that_nobody_scanned_as_failed() -> None:
    state = fold([said(0, "业务员小赵正在第3次派件,请保持电话畅通")])
    assert attempt_number("正在第3次派件") == 3
    assert state.attempts == 2


def test_9_a_missort_shows_only_as_a_loop() -> None:
    places = ("宁波转运中心", "温州转运中心", "宁波转运中心", "温州转运中心")
    state = fold([said(300 * hop, f"快件已到达【{place}】") for hop, place in enumerate(places)])
    assert repeated_at(state) == T0 + timedelta(minutes=900)


def test_10_a_next_stop_that_is_only_announced() -> None:
    text = "快件离开【中山网点】,已发往【中山转运中心】"
    assert kind(text) is Kind.IN_TRANSIT
    assert not is_platform_hub(text)


def test_11_a_signature_is_not_final_at_once() -> None:
    signed = [said(0, "快件已签收"), said(40, "失败签收录入"), said(90, "快件已签收,签收人:本人")]

    assert not is_final(fold(signed[:1]), T0 + timedelta(hours=5))
    assert fold(signed[:2]).stage is Stage.OUT_FOR_DELIVERY
    assert fold(signed).stage is Stage.DELIVERED


def test_12_impossible_speed_is_somebody_elses_track() -> None:
    road = ["浙江", "江苏", "山东", "河北", "北京"]
    fast = [(T0 + timedelta(minutes=50 * n), province) for n, province in enumerate(road)]
    found = too_fast(reversed(fast))
    assert found is not None
    assert (found.at, found.provinces, found.span) == (fast[3][0], tuple(road[:4]), timedelta(minutes=150))

    by_road = [(T0 + timedelta(hours=5 * n), province) for n, province in enumerate(road)]
    by_air = [(T0, "浙江"), (T0 + timedelta(hours=2), "上海"), (T0 + timedelta(hours=5), "新疆"), (T0, "")]
    at_the_border = [(T0 + timedelta(minutes=20 * n), ("江苏", "上海")[n % 2]) for n in range(12)]
    assert too_fast(by_road) is too_fast(by_air) is too_fast(at_the_border) is too_fast([]) is None


def test_12_impossible_speed_is_a_suspected_finding_that_opens_no_case() -> None:
    cities = ["杭州市", "江苏省,南京市", "济南市", "石家庄市", "北京市"]
    road = [scan(10 + 0.8 * n, Kind.IN_TRANSIT, place=place) for n, place in enumerate(cities)]
    watched = parcel(COLLECTED, *road)
    (found,) = judge(watched, BOOK, DEFAULT_POLICY, at(14)).findings
    assert (found.rule_id, found.certainty, found.opens_case) == ("impossible_speed", Certainty.SUSPECTED, False)
    assert (found.since, found.payout_fen) == (at(12.4), 0)
    assert fold(reversed(road)).trail == fold(road).trail

    slow = [scan(10 + 5 * n, Kind.IN_TRANSIT, place=place) for n, place in enumerate(cities)]
    nowhere = [scan(10 + 0.8 * n, Kind.IN_TRANSIT, place=f"{place[-3:-1]}转运中心") for n, place in enumerate(cities)]
    for fine in (slow, nowhere):
        assert too_fast_at(fold(fine)) is None


def test_12_a_trail_from_before_provinces_were_kept_reads_as_it_did() -> None:
    state = fold([scan(10 + n, Kind.ARRIVED_HUB, hub=True, place=place) for n, place in enumerate("甲乙甲乙")])
    old = state.to_json()
    old["trail"] = [(one >> 23) << 16 | one & 0xFFFF for one in old["trail"]]
    assert ParcelState.from_json(old) == state
    assert repeated_at(ParcelState.from_json(old)) == at(13)


def test_13_a_locker_is_a_state_of_its_own() -> None:
    assert kind("快件已暂存至菜鸟驿站,请凭取件码领取") is Kind.READY_FOR_PICKUP
    stored = parcel(COLLECTED, HUB, scan(40, Kind.READY_FOR_PICKUP))
    assert (rules(stored, 111), rules(stored, 112)) == ([], ["station_overdue"])


def test_14_a_refusal_is_not_final_and_one_failure_opens_no_case() -> None:
    refused = [scan(40, Kind.OUT_FOR_DELIVERY), scan(41, Kind.REFUSED, reason=Reason.REFUSED)]
    again = [*refused, scan(41.5, Kind.OUT_FOR_DELIVERY), scan(41.8, Kind.DELIVERED)]

    assert rules(parcel(COLLECTED, HUB, *refused), 41.2) == ["refused"]
    assert rules(parcel(COLLECTED, HUB, *again), 42) == []
    failed = parcel(COLLECTED, HUB, scan(40, Kind.ATTEMPT_FAILED))
    assert judge(failed, BOOK, DEFAULT_POLICY, at(40.1)).opens_case is False


def test_15_signed_at_home_is_returned() -> None:
    assert kind("宁波市,退回 妥投") is Kind.RETURNED
    home = parcel(
        COLLECTED,
        HUB,
        scan(60, Kind.DELIVERED, place="宁波市"),
        dest_city="北京市",
        dest_district="朝阳区",
        origin_city="宁波市",
    )
    assert rules(home, 61) == ["wrong_city"]


def test_16_returned_beats_delivered_before_and_after() -> None:
    for order in ((Kind.DELIVERED, Kind.RETURNED), (Kind.RETURNED, Kind.DELIVERED)):
        assert fold([scan(hour, one) for hour, one in enumerate(order)]).stage is Stage.RETURNED
