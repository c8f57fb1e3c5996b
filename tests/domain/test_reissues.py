"""The number gate and the route to the platform."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bufa.domain.calendars import Area, Pause, PauseCode
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.reach import Coverage, Reach, closed_now
from bufa.domain.reissues import (
    Answer,
    Form,
    FormAddress,
    FormItem,
    GateReport,
    RecipientMatch,
    RecordedChange,
    Route,
    TicketFacts,
    choose_route,
    gate,
    missing_parts,
    needs_ticket,
)
from bufa.lib.divisions import divisions

TABLE = divisions()
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
WAREHOUSE = FormAddress("浙江省", "金华市", "义乌市", True, True, True, address_id="81")
HOME = FormAddress("北京市", "北京市", "海淀区", True, True, True)
SERVED = Reach(Coverage.SERVED)
SAME = RecipientMatch("oa-1", "oa-1", "b1", "b1")
GOOD = Form(
    order_number="6900000000000000001",
    carrier="zhongtong",
    number="78123456789012",
    pickup=WAREHOUSE,
    delivery=HOME,
    recipient=SAME,
    items=(FormItem("1", 1, 2),),
    original_numbers=frozenset({"75999999999999"}),
    original_carrier="zhongtong",
    used_before=False,
    paid_at=NOW - timedelta(days=5),
    uncounted=(),
    reach=SERVED,
)
AGREED = TicketFacts("140001", 8, NOW + timedelta(days=1))
ASKED = TicketFacts("140001", 6)


DOUBTFUL = (Answer.CANNOT_TELL, "divisions_disagree")
DISSOLVED = (Answer.CANNOT_TELL, "division_dissolved")
HIDDEN = (Answer.CANNOT_TELL, "divisions_hidden")


def said(code: str, **changes: Any) -> tuple[Answer, str]:
    """What one check says to the good form with these changes, and why."""
    return next(
        (found.verdict, found.why.code)
        for found in gate(replace(GOOD, **changes), NOW, TABLE).checks
        if found.code == code
    )


def test_a_good_form_passes() -> None:
    report = gate(GOOD, NOW, TABLE)

    assert {found.verdict for found in report.checks} == {Answer.PASS}
    assert report.verdict is Answer.PASS
    assert report.route is Route.EXTRA_PACKAGE
    report.may_submit(Role.WAREHOUSE)


@pytest.mark.parametrize(
    ("code", "changes", "answer", "why"),
    [
        ("order", {"order_number": " "}, Answer.REFUSED, "order_missing"),
        ("carrier", {"carrier": ""}, Answer.REFUSED, "carrier_missing"),
        ("carrier", {"carrier": "pigeon"}, Answer.CANNOT_TELL, "carrier_unknown"),
        ("number", {"number": " 7812 3456 7890 12 "}, Answer.PASS, "number_fits_carrier"),
        ("number", {"number": ""}, Answer.REFUSED, "number_missing"),
        ("number", {"number": "78-12#34"}, Answer.REFUSED, "number_dirty"),
        ("number", {"number": "123"}, Answer.REFUSED, "number_length"),
        ("number", {"number": "YT1234567890123"}, Answer.REFUSED, "number_of_another_carrier"),
        ("number", {"number": "99123456789012"}, Answer.CANNOT_TELL, "number_pattern_mismatch"),
        ("number", {"carrier": "pigeon"}, Answer.CANNOT_TELL, "number_unknown_carrier"),
        ("original", {"original_numbers": frozenset({"78123456789012 "})}, Answer.REFUSED, "number_is_the_original"),
        ("used", {"used_before": True}, Answer.REFUSED, "number_taken"),
        ("used", {"used_before": None}, Answer.CANNOT_TELL, "register_not_asked"),
        ("recipient", {}, Answer.PASS, "same_open_address"),
        ("recipient", {"recipient": RecipientMatch("oa-1", "oa-2", "b", "b")}, Answer.PASS, "same_recipient"),
        ("recipient", {"recipient": RecipientMatch("", "", "b", "c")}, Answer.PUNISHED_LATER, "recipient_differs"),
        ("recipient", {"recipient": RecipientMatch("oa-1", "oa-2")}, Answer.CANNOT_TELL, "open_address_differs"),
        ("recipient", {"recipient": RecipientMatch("oa-1", "", "b", "")}, Answer.CANNOT_TELL, "recipient_unknown"),
        ("recipient", {"recipient": RecipientMatch()}, Answer.CANNOT_TELL, "recipient_unknown"),
        ("pickup", {"pickup": FormAddress()}, Answer.REFUSED, "pickup_incomplete"),
        ("pickup", {"pickup": replace(WAREHOUSE, address_id="")}, Answer.CANNOT_TELL, "pickup_without_platform_id"),
        ("pickup", {"pickup": replace(WAREHOUSE, address_id=""), "has_api": False}, Answer.PASS, "pickup_pass"),
        ("delivery", {"delivery": replace(HOME, has_phone=False)}, Answer.REFUSED, "delivery_incomplete"),
        ("delivery", {"delivery": replace(HOME, district="")}, Answer.CANNOT_TELL, "district_missing"),
        ("delivery", {"delivery": replace(HOME, city="市辖区")}, Answer.PASS, "delivery_pass"),
        ("delivery", {"delivery": replace(HOME, district="宣武区")}, Answer.PASS, "division_renamed"),
        ("delivery", {"delivery": replace(HOME, district="南山区")}, Answer.REFUSED, "divisions_disagree"),
        ("delivery", {"delivery": replace(HOME, district="南山区", from_platform=True)}, *DOUBTFUL),
        ("delivery", {"delivery": replace(HOME, city="深圳市")}, Answer.REFUSED, "divisions_disagree"),
        ("delivery", {"delivery": replace(HOME, city="月球市")}, Answer.REFUSED, "divisions_unknown"),
        ("delivery", {"delivery": replace(HOME, district="海定区")}, Answer.CANNOT_TELL, "district_unknown"),
        ("delivery", {"delivery": replace(HOME, district="经济技术开发区")}, Answer.CANNOT_TELL, "zone_no_division"),
        ("delivery", {"delivery": replace(HOME, province="河北省", city="石家庄市", district="桥东区")}, *DISSOLVED),
        (
            "delivery",
            {"delivery": FormAddress("香港", "", "", True, True, True)},
            Answer.CANNOT_TELL,
            "outside_mainland",
        ),
        ("delivery", {"delivery": FormAddress("湖北省", "仙桃市", "", True, True, True)}, Answer.PASS, "delivery_pass"),
        ("delivery", {"delivery": FormAddress("", "", "", True, True, True, from_platform=True)}, *HIDDEN),
        ("pickup", {"pickup": replace(WAREHOUSE, address_id="", city="杭州市")}, Answer.REFUSED, "divisions_disagree"),
        ("order", {"order_status": 4}, Answer.REFUSED, "order_cancelled"),
        ("order", {"order_status": 1}, Answer.REFUSED, "order_unpaid"),
        ("order", {"order_status": 3}, Answer.PASS, "order_pass"),
        ("items", {"items": ()}, Answer.REFUSED, "items_missing"),
        ("items", {"items": (FormItem("1", 0, 1),)}, Answer.REFUSED, "quantity_not_positive"),
        ("items", {"items": (FormItem("1", 3, 2),)}, Answer.REFUSED, "quantity_above_order"),
        ("items", {"items": (FormItem("1", 3),)}, Answer.CANNOT_TELL, "ordered_unknown"),
        ("ticket", {}, Answer.PASS, "ticket_not_needed"),
        ("ticket", {"order_is_late": True}, Answer.PUNISHED_LATER, "ticket_to_be_opened"),
        ("ticket", {"order_is_late": True, "ticket": ASKED}, Answer.PUNISHED_LATER, "ticket_to_be_agreed"),
        ("ticket", {"order_is_late": True, "ticket": AGREED}, Answer.PASS, "ticket_agreed"),
        ("ticket", {"order_is_late": True, "shipped": False}, Answer.PASS, "ticket_not_needed"),
        ("ticket", {"ticket": replace(AGREED, deadline=NOW)}, Answer.CANNOT_TELL, "ticket_deadline_over"),
        ("time", {}, Answer.PASS, "not_collected_yet"),
        ("time", {"collected_at": NOW}, Answer.PASS, "time_pass"),
        ("time", {"collected_at": NOW, "paid_at": None}, Answer.CANNOT_TELL, "payment_time_unknown"),
        ("time", {"collected_at": NOW - timedelta(days=6)}, Answer.PUNISHED_LATER, "collected_before_paid"),
    ],
)
def test_checks(code: str, changes: dict[str, Any], answer: Answer, why: str) -> None:
    assert said(code, **changes) == (answer, why)


def test_without_a_table_no_typed_address_passes() -> None:
    delivery = next(found for found in gate(GOOD, NOW).checks if found.code == "delivery")
    assert (delivery.verdict, delivery.why.code) == (Answer.CANNOT_TELL, "divisions_not_checked")


def test_the_reason_names_both_places() -> None:
    form = replace(GOOD, delivery=replace(HOME, district="宣武区"))
    delivery = next(found for found in gate(form, NOW, TABLE).checks if found.code == "delivery")
    assert delivery.why.params == {"written": "北京市北京市宣武区", "now": "北京市西城区"}
    assert delivery.rule == "GB/T 2260"


def test_missing_parts_are_named() -> None:
    assert missing_parts(FormAddress()) == ("province", "city", "district", "detail", "name", "phone")
    assert missing_parts(FormAddress("Mars", "x", "y", True, True, True)) == ("province",)
    assert missing_parts(FormAddress("广东省", "东莞市", "", True, True, True)) == ()


def refused(report: GateReport, role: Role, reason: str = "") -> tuple[str, Any]:
    with pytest.raises(Refused) as caught:
        report.may_submit(role, reason)
    return caught.value.why.code, caught.value.why.params.get("checks")


def test_what_is_refused_stays_refused_for_everybody() -> None:
    report = gate(replace(GOOD, used_before=True, order_is_late=True), NOW)

    assert report.verdict is Answer.REFUSED
    assert refused(report, Role.OWNER, "please") == ("gate_refused", ["used"])


def test_what_is_punished_later_needs_a_lead_and_a_reason() -> None:
    report = gate(replace(GOOD, order_is_late=True, used_before=None), NOW)

    assert report.verdict is Answer.PUNISHED_LATER
    assert refused(report, Role.AGENT, "please") == ("gate_needs_lead", ["ticket"])
    assert refused(report, Role.LEAD, " ") == ("gate_needs_reason", ["ticket"])
    report.may_submit(Role.LEAD, "the customer has no app")


def test_what_we_cannot_tell_is_a_warning() -> None:
    report = gate(replace(GOOD, used_before=None), NOW)

    assert report.verdict is Answer.CANNOT_TELL
    report.may_submit(Role.AGENT)
    assert refused(report, Role.FINANCE)[0] == "not_allowed"


def test_a_report_is_kept_as_plain_json() -> None:
    kept = gate(replace(GOOD, used_before=True), NOW).to_json()

    assert kept[4] == {
        "code": "used",
        "verdict": "refused",
        "why": {"code": "number_taken", "params": {}},
        "rule": "doudian 12.5",
    }


@pytest.mark.parametrize(
    ("ticket", "shipped", "has_api", "route", "why"),
    [
        (AGREED, True, True, Route.RESEND, "route_ticket_agreed"),
        (AGREED, False, True, Route.RESEND, "route_ticket_agreed"),
        (ASKED, True, True, Route.EXTRA_PACKAGE, "route_ticket_not_agreed"),
        (None, True, True, Route.EXTRA_PACKAGE, "route_no_ticket"),
        (None, False, True, Route.ADD_PACK, "route_never_shipped"),
        (AGREED, True, False, Route.COPY_PACK, "route_no_api"),
    ],
)
def test_routes(ticket: TicketFacts | None, shipped: bool, has_api: bool, route: Route, why: str) -> None:
    found, because = choose_route(ticket, shipped, has_api=has_api)

    assert (found, because.code) == (route, why)


def test_a_late_order_asks_for_a_ticket() -> None:
    assert [needs_ticket(late, shipped) for late, shipped in [(True, True), (True, False), (False, True)]] == [
        True,
        False,
        False,
    ]


def test_every_real_place_passes_and_none_that_is_put_together() -> None:
    """Over the whole table: a good address is never refused, and a district in another province's city always is."""
    counties = TABLE.counties
    for place, county in enumerate(counties):
        home = FormAddress(county.province, county.city, county.district, True, True, True)
        assert said("delivery", delivery=home) == (Answer.PASS, "delivery_pass"), county
        other = counties[(place + len(counties) // 2) % len(counties)]
        if other.province != county.province:
            mixed = replace(home, province=other.province)
            assert said("delivery", delivery=mixed) == (Answer.REFUSED, "divisions_disagree"), mixed


# --- where it goes ---------------------------------------------------------------------------------------------------

CHANGE = RecordedChange(NOW - timedelta(hours=3), "林", has_proof=True)


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (RecipientMatch(change=CHANGE), (Answer.PASS, "change_recorded")),
        (RecipientMatch(change=replace(CHANGE, has_proof=False)), (Answer.CANNOT_TELL, "change_unproved")),
        (RecipientMatch(change=replace(CHANGE, has_proof=False, in_order=True)), (Answer.PASS, "change_in_order")),
        (replace(SAME, unused_change=CHANGE), (Answer.CANNOT_TELL, "change_not_used")),
        (replace(SAME, label_is_older=True), (Answer.PUNISHED_LATER, "label_before_change")),
        (SAME, (Answer.PASS, "same_open_address")),
    ],
)
def test_the_recipient_is_the_orders_or_a_recorded_change(match: RecipientMatch, expected: tuple[Answer, str]) -> None:
    assert said("recipient", recipient=match) == expected


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (SERVED, (Answer.PASS, "range_pass")),
        (Reach(Coverage.OUT_OF_RANGE, "那曲市不派送"), (Answer.PUNISHED_LATER, "out_of_range")),
        (Reach(Coverage.NO_ANSWER, "limited"), (Answer.CANNOT_TELL, "range_no_answer")),
        (Reach(Coverage.WAITING), (Answer.CANNOT_TELL, "range_waiting")),
        (Reach(Coverage.NOT_ASKED), (Answer.CANNOT_TELL, "range_not_asked")),
        (Reach(Coverage.NO_API), (Answer.CANNOT_TELL, "range_no_api")),
    ],
)
def test_the_platform_says_whether_the_carrier_goes_there(reach: Reach, expected: tuple[Answer, str]) -> None:
    assert said("range", reach=reach) == expected


def closed(**changes: Any) -> Pause:
    area = Area("西藏自治区", "那曲市")
    base = Pause(PauseCode.NO_SERVICE, NOW - timedelta(days=1), NOW + timedelta(days=2), "大雪", "中通通知", (area,))
    return replace(base, **{"platform": False, **changes})


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ((), (Answer.PASS, "area_pass")),
        ((closed(),), (Answer.PUNISHED_LATER, "area_closed")),
        ((closed(platform=True),), (Answer.CANNOT_TELL, "area_closed_clocks_stand")),
    ],
)
def test_an_area_without_service_is_said_with_its_dates(
    pauses: tuple[Pause, ...], expected: tuple[Answer, str]
) -> None:
    assert said("area", closed=pauses) == expected


def test_only_pauses_without_service_of_today_on_this_way_close_it() -> None:
    here, there = Area("浙江省", "杭州市"), Area("西藏自治区", "那曲市", "色尼区")
    asked = ("zhongtong", here, there, NOW)
    longer = closed(ends=NOW + timedelta(days=9))
    assert closed_now([closed(), longer], *asked) == (longer, closed())
    others = (
        closed(code=PauseCode.FESTIVAL),
        closed(begins=NOW + timedelta(hours=1)),
        closed(ends=NOW),
        closed(areas=(Area("青海省"),)),
        closed(carriers=frozenset({"yuantong"})),
    )
    assert closed_now(others, *asked) == ()
