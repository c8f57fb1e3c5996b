"""What is found around a parcel: gaps that are over, repeats, wrong places, facts that no scan tells, the score."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.kinds import Kind
from bufa.domain.parcels import EMPTY, TRAIL, add, fold
from bufa.domain.rulebook import Certainty, Fact, OrderClass, RuleKind, payout_fen
from bufa.domain.trail import gaps, repeated_at
from bufa.domain.watch import DEFAULT_POLICY, Watched, judge
from tests.domain.test_watch import BOOK, COLLECTED, HUB, at, parcel, rules, scan


def past(watched: Watched, hours: float) -> list[tuple[str, datetime, datetime | None, int]]:
    said = judge(watched, BOOK, DEFAULT_POLICY, at(hours)).past
    return [(one.rule_id, one.since, one.cleared_at, one.payout_fen) for one in said]


def test_a_gap_that_is_over_may_have_cost_money() -> None:
    moving = scan(90, Kind.IN_TRANSIT, place="天津转运中心")  # 80 h after the hub, 72 are allowed

    assert past(parcel(COLLECTED, HUB, moving), 91) == [("transit_timeout", at(82), at(90), 300)]
    assert past(parcel(COLLECTED, HUB, moving, scan(100, Kind.DELIVERED)), 101)[0][0] == "transit_timeout"
    assert past(parcel(COLLECTED, HUB, scan(82, Kind.IN_TRANSIT)), 91) == []


def test_a_gap_before_the_hub_or_at_the_station_is_no_transit() -> None:
    early = parcel(scan(-90, Kind.COLLECTED), scan(10, Kind.OUT_FOR_DELIVERY))
    assert "transit_timeout" not in [one[0] for one in past(early, 11)]
    waits = parcel(COLLECTED, HUB, scan(40, Kind.READY_FOR_PICKUP), scan(140, Kind.DELIVERED))
    assert [one[0] for one in past(waits, 141)] == ["station_overdue"]


def test_a_gap_of_an_unknown_pair_of_provinces_is_suspected() -> None:
    watched = parcel(COLLECTED, HUB, scan(90, Kind.IN_TRANSIT), dest_province="")
    assert judge(watched, BOOK, DEFAULT_POLICY, at(91)).past[0].certainty is Certainty.SUSPECTED


STEPS = st.lists(
    st.tuples(st.integers(0, 4000), st.sampled_from("甲乙丙")), max_size=60, unique_by=lambda step: step[0]
)


@given(STEPS, st.data())
def test_the_trail_is_the_newest_movements_in_any_order(steps: list[tuple[int, str]], chance: st.DataObject) -> None:
    scans = [scan(minutes / 60, Kind.ARRIVED_HUB, place=place) for minutes, place in steps]
    mixed = chance.draw(st.permutations(scans))
    whole = fold(scans).trail

    assert fold(mixed).trail == whole
    assert add(fold(mixed[: len(mixed) // 2]), mixed[len(mixed) // 2 :]).trail == whole
    assert len(whole) == min(len(steps), TRAIL)
    assert list(whole) == sorted(whole)


def test_gaps_between_movements() -> None:
    state = fold([scan(1, Kind.COLLECTED), scan(5, Kind.IN_TRANSIT), scan(6, Kind.ETA), scan(9, Kind.DELIVERED)])
    assert list(gaps(state, at(0))) == [(at(1), at(5)), (at(5), at(9))]
    assert list(gaps(state, at(5))) == [(at(5), at(9))]
    assert list(gaps(state, at(1), until=at(5))) == [(at(1), at(5))]
    assert list(gaps(EMPTY, at(0))) == []


def hubs(*places: str) -> list[datetime | None]:
    return [repeated_at(fold([scan(hour, Kind.ARRIVED_HUB, place=place) for hour, place in enumerate(places)]))]


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ("甲乙丙丁", None),
        ("甲乙甲丙", None),  # once back is a detour, not yet a repeat
        ("甲甲", None),
        ("甲甲甲", 2),
        ("甲乙甲乙", 3),
        ("甲乙甲丙甲", 4),
        ("甲乙乙甲甲乙", 5),
    ],
)
def test_nodes_that_come_again(places: str, found: int | None) -> None:
    assert hubs(*places) == [None if found is None else at(found)]


def test_repeats_that_are_none() -> None:
    out = [scan(24 * day, Kind.OUT_FOR_DELIVERY, place="甲") for day in range(4)]
    nowhere = [scan(hour, Kind.IN_TRANSIT) for hour in range(6)]
    assert repeated_at(fold(out)) is None
    assert repeated_at(fold(nowhere)) is None


def test_a_repeated_node_is_suspected_and_opens_no_case() -> None:
    watched = parcel(
        COLLECTED, *(scan(10 + hour, Kind.ARRIVED_HUB, hub=True, place=place) for hour, place in enumerate("甲乙甲乙"))
    )
    finding = judge(watched, BOOK, DEFAULT_POLICY, at(15)).findings[0]
    assert (finding.rule_id, finding.certainty, finding.opens_case) == ("repeated_nodes", Certainty.SUSPECTED, False)
    assert finding.since == at(13)


@pytest.mark.parametrize(
    ("place", "city", "district", "wrong"),
    [
        ("金华市", "杭州市", "西湖区", True),
        ("杭州市", "杭州市", "西湖区", False),
        ("浙江省杭州市", "杭州", "西湖区", False),
        ("义乌市", "金华市", "义乌市", False),
        ("北京市", "市辖区", "朝阳区", False),
        ("西湖二部", "金华市", "义乌市", False),
        ("金华市", "杭州市", "", False),
        ("金华市", "", "", False),
    ],
)
def test_signed_in_another_city(place: str, city: str, district: str, wrong: bool) -> None:
    signed = scan(60, Kind.DELIVERED, place=place)
    watched = parcel(COLLECTED, HUB, signed, dest_city=city, dest_district=district)
    assert rules(watched, 61) == (["wrong_city"] if wrong else [])


def test_an_older_place_says_nothing_about_the_signature() -> None:
    before = scan(50, Kind.ARRIVED_HUB, place="金华市")
    watched = parcel(COLLECTED, HUB, before, scan(60, Kind.DELIVERED), dest_city="杭州市", dest_district="西湖区")
    assert rules(watched, 61) == []


def test_the_customer_says_nothing_came() -> None:
    facts = {Fact.NOT_RECEIVED: at(70)}
    signed = [COLLECTED, HUB, scan(60, Kind.DELIVERED)]

    assert rules(parcel(*signed, facts=facts), 71) == ["signed_not_received"]
    assert rules(parcel(*signed, scan(80, Kind.DELIVERED), facts=facts), 81) == []
    assert rules(parcel(COLLECTED, HUB, facts=facts), 71) == []


def test_an_original_that_moves_again_after_its_reissue() -> None:
    facts = {Fact.REISSUED: at(70)}
    moved = [scan(75, Kind.ARRIVED_DESTINATION), scan(78, Kind.OUT_FOR_DELIVERY)]

    assert rules(parcel(COLLECTED, HUB, facts=facts), 79) == []
    watched = parcel(COLLECTED, HUB, *moved, facts=facts)
    assert rules(watched, 79) == ["original_revived"]
    assert judge(watched, BOOK, DEFAULT_POLICY, at(79)).findings[0].since == at(75)  # and stays so, scan after scan
    assert rules(parcel(COLLECTED, HUB, scan(75, Kind.RETURNING), facts=facts), 79) == ["returning"]


def test_picked_up_before_it_was_paid() -> None:
    assert rules(parcel(COLLECTED, HUB, paid_at=at(6)), 11) == ["scan_before_payment"]
    assert rules(parcel(COLLECTED, HUB, paid_at=at(5)), 11) == []


def test_another_number_on_an_order_that_is_late() -> None:
    uploads = (at(0), at(60))
    known = {"number_uploads": uploads, "uploaded_at": at(60)}

    assert rules(parcel(scan(62, Kind.COLLECTED), ship_by=at(48), **known), 63) == ["several_numbers"]
    assert rules(parcel(scan(62, Kind.COLLECTED), ship_by=at(60), **known), 63) == []
    assert rules(parcel(COLLECTED, ship_by=at(48), number_uploads=(at(60),)), 10) == []


def test_of_several_abnormal_tracks_one_pays() -> None:
    watched = parcel(facts={Fact.RECEIVER_DIFFERS: at(1), Fact.NUMBER_USED: at(2)})
    said = judge(watched, BOOK, DEFAULT_POLICY, at(49))

    assert [(one.rule_id, one.payout_fen) for one in said.findings] == [
        ("receiver_differs", 2500),
        ("number_used_before", 0),
        ("pickup_abnormal", 0),
    ]
    assert said.cost_fen == 2500


def test_the_scores_norm_warns_and_is_never_a_finding() -> None:
    watched = parcel(uploaded_at=None, has_number=False, paid_at=datetime.fromisoformat("2026-11-20T09:00:00+08:00"))
    norm = datetime.fromisoformat("2026-11-21T23:59:59+08:00")
    before = judge(watched, BOOK, DEFAULT_POLICY, norm - timedelta(hours=6))

    assert [(one.rule_id, one.at, one.payout_fen, one.kind) for one in before.warnings] == [
        ("pickup_norm", norm, 0, RuleKind.SCORE)
    ]
    assert judge(watched, BOOK, DEFAULT_POLICY, norm - timedelta(hours=6, seconds=1)).warnings == ()
    assert judge(watched, BOOK, DEFAULT_POLICY, norm + timedelta(days=3)).findings == ()
    assert judge(watched, BOOK, DEFAULT_POLICY, norm + timedelta(days=3)).past == ()


@pytest.mark.parametrize(
    ("rule", "order_class", "paid_fen", "fen"),
    [
        ("pickup_timeout", OrderClass.PET_SELF_DELIVERY, 20_000, 6000),
        ("transit_timeout", OrderClass.PET_SELF_DELIVERY, 100, 1000),
        ("transit_timeout", OrderClass.PRECIOUS_METAL, 20_000, 300),
        ("pickup_abnormal", OrderClass.PRECIOUS_METAL, 900_000, 100_000),
        ("pickup_abnormal", OrderClass.ORDINARY, 900_000, 10_000),
        ("dispatch_abnormal", OrderClass.SECOND_HAND_3C, 100_000, 5000),
        ("fraud_judged", OrderClass.ORDINARY, 300, 500),
        ("fraud_judged", OrderClass.ORDINARY, 720, 700),
        ("fraud_judged", OrderClass.ORDINARY, 10_000, 3000),
        ("fraud_judged", OrderClass.ORDINARY, 900_000, 50_000),
        ("fraud_judged", OrderClass.PRECIOUS_METAL, 900_000, 100_000),
    ],
)
def test_goods_of_their_own_class(rule: str, order_class: OrderClass, paid_fen: int, fen: int) -> None:
    assert payout_fen(BOOK.at(date(2026, 11, 24)).rule(rule), paid_fen, 48, order_class) == fen


@pytest.mark.parametrize(
    ("promise", "paid", "by"),
    [
        ("same_day", "2026-11-20T15:59:59", "2026-11-20T23:59:59"),
        ("same_day", "2026-11-20T16:00:00", "2026-11-21T23:59:59"),
        ("next_day", "2026-11-20T00:00:01", "2026-11-21T23:59:59"),
        ("hours", "2026-11-20T10:00:00", "2026-11-22T10:00:00"),
    ],
)
def test_every_class_of_promise(promise: str, paid: str, by: str) -> None:
    found = BOOK.promise(promise).ship_by(datetime.fromisoformat(paid + "+08:00"))
    assert found == datetime.fromisoformat(by + "+08:00")


def test_a_shop_of_too_many_breaches() -> None:
    limit = {one.id: one for one in BOOK.at(date(2026, 11, 24)).thresholds}

    assert limit["late_product_ban"].is_passed([(100, 200)])
    assert not limit["late_product_ban"].is_passed([(99, 150)])
    assert limit["late_hundred_a_day"].is_passed([(0, 900), (200, 500), (240, 500)])
    assert not limit["late_hundred_a_day"].is_passed([(240, 500)])
    assert not limit["track_abnormal_violation"].is_passed([(20, 200)])
    assert limit["track_abnormal_violation"].is_passed([(21, 200)])
    assert [one.id for one in BOOK.at(date(2026, 8, 9)).thresholds] == [
        "out_of_stock_violation",
        "track_abnormal_violation",
    ]
