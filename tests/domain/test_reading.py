"""Reading codes and texts: exact codes, the trade's wording, the traps, and people cut out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import lexicon
from bufa.domain.kinds import Kind, Reason
from bufa.domain.reading import (
    Reading,
    is_carrier_hub,
    is_platform_hub,
    place_in,
    read,
    strip_personal,
    text_digest,
    to_scan,
)
from tests.samples import histories, needs_samples, score

DATA = Path(__file__).parent / "data"
TEXTS = [json.loads(line) for line in (DATA / "texts.jsonl").read_text("utf-8").splitlines() if line]


def of_text(text: str) -> Reading:
    return read(provider="file", text=text)


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["text"][:24])
def test_the_wording_of_the_trade(row: dict[str, str]) -> None:
    reading = of_text(row["text"])
    assert (reading.kind, reading.why) == (row["kind"], reading.why)
    if "reason" in row:
        assert reading.reason == row["reason"]


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["text"][:24])
def test_cutting_people_out_never_changes_the_reading(row: dict[str, str]) -> None:
    assert of_text(strip_personal(row["text"])).kind == row["kind"]


KUAIDI100 = {
    "0": "in_transit", "1001": "arrived_destination", "1002": "in_transit", "1003": "forwarded",
    "1": "collected", "101": "label_created", "102": "label_created", "103": "collected",
    "5": "out_for_delivery", "501": "ready_for_pickup",
    "3": "delivered", "301": "delivered", "302": "delivered", "303": "delivered", "304": "delivered",
    "6": "returning", "4": "returned", "401": "cancelled", "14": "returned", "7": "forwarded",
    "2": "held.other", "201": "held.other", "202": "held.other", "203": "refused.refused", "204": "attempt_failed",
    "205": "held.pickup_overdue", "206": "attempt_failed.contact_failed", "207": "held.out_of_area",
    "208": "held.other", "209": "damaged.damaged", "210": "cancelled",
    "8": "customs", "10": "customs", "11": "customs", "12": "customs", "13": "customs.regulation",
}  # fmt: skip
KDNIAO = {
    "0": "note", "1": "collected", "10": "label_created", "2": "in_transit", "201": "arrived_destination",
    "202": "out_for_delivery", "204": "arrived_hub", "205": "arrived_destination", "206": "in_transit",
    "211": "ready_for_pickup", "3": "delivered", "301": "delivered", "302": "delivered", "304": "delivered",
    "311": "delivered", "5": "forwarded", "6": "customs", "601": "customs", "602": "customs", "603": "customs",
    "604": "customs.regulation", "4": "held.other", "401": "label_created", "402": "held.other", "403": "held.other",
    "404": "refused.refused", "405": "attempt_failed", "406": "returned", "407": "returning",
    "412": "held.pickup_overdue", "413": "intercepted", "414": "damaged.damaged", "415": "cancelled",
    "416": "attempt_failed.contact_failed", "417": "held.other", "418": "out_for_delivery", "419": "out_for_delivery",
    "420": "attempt_failed.address_problem", "421": "attempt_failed.contact_failed", "422": "held.missort",
    "423": "held.out_of_area", "426": "lost",
}  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "code", "name"),
    [("kuaidi100", *row) for row in KUAIDI100.items()] + [("kdniao", *row) for row in KDNIAO.items()],
)
def test_codes_exactly(provider: str, code: str, name: str) -> None:
    reading = read(provider=provider, code=code)
    kind, _, reason = name.partition(".")
    assert (reading.kind, reading.reason, reading.why) == (kind, reason or None, f"{provider}:{code}")
    assert reading.fineness == (2 if len(code) > 1 else 0)
    assert read(provider=provider, state=code).kind == kind


@pytest.mark.parametrize(
    ("provider", "code", "text", "kind"),
    [
        ("kuaidi100", "1002", "快件已到达【成都转运中心】", "in_transit"),
        ("kuaidi100", "301", "【义乌市】退回 妥投", "returned"),
        ("kdniao", "202", "快件派送不成功(因收方客户拒收快件),待进一步处理", "refused"),
        ("kdniao", "304", "快件已由长虹店菜鸟驿站代收，请及时取件", "ready_for_pickup"),
        ("kuaidi100", "1002", "预计11月15日17:00前送达", "eta"),
        ("kuaidi100", "204", "派送异常，原因：收件人电话关机", "attempt_failed"),
        ("kuaidi100", "0", "【绵阳涪城】 的李四(13812345678) 正在派件", "out_for_delivery"),
        ("kuaidi100", "3", "【绵阳市涪城区公司】 失败签收录入 李四", "attempt_failed"),
        ("kuaidi100", "201", "【绵阳市涪城区公司】 派件中 派件人: 李四", "out_for_delivery"),
        ("kdniao", "999", "已签收", "delivered"),
        ("kdniao", "999", "甲乙丙丁", "unmapped"),
        ("doudian", "17", "甲乙丙丁", "unmapped"),
        ("doudian", "17", "您的快件已发车", "in_transit"),
    ],
)
def test_code_against_text(provider: str, code: str, text: str, kind: str) -> None:
    assert read(provider=provider, code=code, text=text).kind == kind


def test_the_text_gives_a_general_code_its_reason() -> None:
    reading = read(provider="kuaidi100", code="204", text="派送异常，原因：收件人电话关机")
    assert (reading.reason, reading.why) == (Reason.CONTACT_FAILED, "text:attempt_failed.contact_failed")


def test_same_number_other_provider() -> None:
    assert read(provider="kuaidi100", code="202").kind is Kind.HELD
    assert read(provider="kdniao", code="202").kind is Kind.OUT_FOR_DELIVERY


def test_coarse_state_only_where_the_text_is_silent() -> None:
    assert read(provider="kuaidi100", state="5", text="快件派送不成功(因收方客户拒收快件)").kind is Kind.REFUSED
    assert read(provider="kuaidi100", state="5", text="甲乙丙丁") == Reading(
        Kind.OUT_FOR_DELIVERY, None, "kuaidi100:5", 0
    )
    assert read(provider="doudian", state="配送", text="").kind is Kind.OUT_FOR_DELIVERY
    assert read(provider="", text="").kind is Kind.UNMAPPED
    assert read(provider="doudian", code="1", state="神秘").why == "unmapped"


@pytest.mark.parametrize(
    ("text", "platform", "carrier"),
    [
        ("【南充转运中心公司】 已收入", True, True),
        ("快件已到达【北京中转中心】", True, True),
        ("快件到达 【海口美兰集散中心】", True, True),
        ("【成都市】已到达 四川成都分拨中心", True, True),
        ("您的快件已到达【成都青龙分拣中心】", False, True),
        ("[成都市]到达【成都邮件处理中心】", False, True),
        ("运输中，到达成都枢纽中心", False, True),
        ("【金华市】 快件已经到达 【金华中转部】", False, True),
        ("快件到达【泉州清濛集散点】", False, True),
        ("快件由【四川苍溪公司】发往【四川南充转运中心】", False, False),
        ("运输中，离开【永平街道分部】，下一站【广州转运中心】", False, False),
        ("您的快件已到达【广元苍溪营业部】", False, False),
    ],
)
def test_hubs_in_the_platforms_words_and_in_the_carriers(text: str, platform: bool, carrier: bool) -> None:
    assert is_platform_hub(text) is platform
    assert is_carrier_hub(text) is carrier


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        (
            "【绵阳涪城】（0816-2223333） 的 王强（13812345678） 正在第2次派件",
            "【绵阳涪城】(<P>) 的 <N>(<P>) 正在第2次派件",
        ),
        ("【绵阳涪城】 的王强-市区（13812345678） 正在第3次派件", "【绵阳涪城】 的<N>-市区(<P>) 正在第3次派件"),
        ("【海珠一部】【王强】已收件", "【海珠一部】【<N>】已收件"),
        ("在【西安航空部】由【欧小燕】扫描发往【长沙】", "在【西安航空部】由【<N>】扫描发往【长沙】"),
        ("【四川公司】的派件员【李四(13812345678)】正在为您派件", "【四川公司】的派件员【<N>(<P>)】正在为您派件"),
        ("派件人: 张三丰 派件中 派件员电话138****5678", "派件人: <N> 派件中 派件员电话<P>"),
        ("客户签收人: 欧阳锋 已签收", "客户签收人: <N> 已签收"),
        ("签收人是【朋友代签李四】", "签收人是【朋友代签<N>】"),
        ("签收人: 门卫", "签收人: 门卫"),
        ("投递员:吴九,电话:13812345678-1234", "投递员:<N>,电话:<P>"),
        ("已收取快件，收派员苏美玲，电话13812345678", "已收取快件,收派员<N>,电话<P>"),
        ("温馨提示：收派员不会索要验证码，谨防诈骗", "温馨提示:收派员不会索要验证码,谨防诈骗"),
        ("快件交给周八，正在派送途中", "快件交给<N>,正在派送途中"),
        ("已签收，签收人凭取货码签收", "已签收,签收人凭取货码签收"),
        ("收件人拒收，快件已退回", "收件人拒收,快件已退回"),
        ("发往【成都转运中心】,单号773312345678901", "发往【成都转运中心】,单号773312345678901"),
    ],
)  # fmt: skip
def test_people_are_cut_out_and_places_stay(text: str, stripped: str) -> None:
    assert strip_personal(text) == stripped


@given(st.text(alphabet="派件员签收人:：【】()的正在已王李张 13812345678、，。", max_size=40))
def test_cutting_people_out_twice_changes_nothing(text: str) -> None:
    once = strip_personal(text)
    assert strip_personal(once) == once


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    assert of_text(text).kind in Kind
    assert len(text_digest(text)) == 32


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["text"][:24])
def test_a_stripped_text_is_the_same_scan(row: dict[str, str]) -> None:
    assert text_digest(strip_personal(row["text"])) == text_digest(row["text"])


def test_the_same_scan_with_another_phone_and_other_width() -> None:
    one = "【象湖新城网点】的快递员王五(13812345678)正在派件，投诉电话:0791-85123456"
    other = "【象湖新城网点】的快递员王五（15912345678）正在派件,投诉电话：0791-88888888"
    assert text_digest(one) == text_digest(other)
    assert text_digest(one) != text_digest("【象湖新城网点】的快递员王五(13812345678)已签收")


@given(st.sampled_from(TEXTS), st.sampled_from(("13800138000", "0816-2223333", "021-61234567", "15912345678")))
def test_other_phones_never_change_kind_or_identity(row: dict[str, str], phone: str) -> None:
    changed = row["text"].replace("13812345678", phone)
    assert of_text(changed).kind == row["kind"]
    assert text_digest(changed) == text_digest(row["text"])


def test_place_is_the_first_bracketed_place() -> None:
    assert place_in("【签收】【绵阳市】快件已签收") == "绵阳市"
    assert place_in("[成都市]【公平营业部】安排投递") == "成都市"
    assert place_in("您的快件已发车") == ""


def test_a_message_becomes_a_scan_without_people() -> None:
    at = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
    scan = to_scan(
        provider="kuaidi100", code="1002", text="【南充转运中心】 已发出 操作员:王强", scanned_at=at, received_at=at
    )
    assert (scan.kind, scan.place, scan.platform_hub, scan.fineness) == ("in_transit", "南充转运中心", True, 2)
    assert "王强" not in scan.text


def test_every_rule_names_its_trap_and_can_be_reached() -> None:
    names = [rule.name for rule in lexicon.rules()]
    assert len(set(names)) == len(names)
    reached = {of_text(row["text"]).why.removeprefix("text:").split(".")[0] for row in TEXTS}
    assert {"refused", "returned", "returning", "lost", "damaged", "held", "eta", "note", "delivered"} <= reached


@needs_samples
def test_the_shared_samples_by_text_alone() -> None:
    result = score(lambda text: read(provider="file", text=text).kind)
    assert result["agree"] / result["histories"] >= 0.97, result["wrong"]
    assert result["unmapped"] / result["texts"] <= 0.02
    assert result["alarms"] == []


@needs_samples
def test_no_phone_stays_in_a_shared_sample() -> None:
    for history in histories():
        for event in history["events"]:
            stripped = strip_personal(event["text"])
            assert strip_personal(stripped) == stripped
            assert text_digest(stripped) == text_digest(event["text"])
