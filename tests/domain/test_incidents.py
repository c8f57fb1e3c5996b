"""Many parcels, one cause: groups by hub, branch, lane and carrier, with ids that stay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.incidents import Cause, Stuck, carry_over, group

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)


def stuck(parcel_id: int, hours_ago: float = 10, **more: Any) -> Stuck:
    known: dict[str, Any] = {
        "rule_id": "transit_timeout",
        "family": "transit",
        "carrier": "yuantong",
        "place": "成都转运中心",
        "origin_province": "四川",
        "dest_province": "北京",
        "payout_fen": 300,
    }
    return Stuck(parcel_id, since=NOW - timedelta(hours=hours_ago), **(known | more))


def test_parcels_at_one_hub_are_one_incident() -> None:
    ones = [stuck(number, number) for number in range(1, 7)]
    (found,) = group(ones, NOW)

    assert (found.cause, found.carrier, found.key, found.family) == (Cause.HUB, "yuantong", "成都转运中心", "transit")
    assert (found.parcel_ids, found.size, found.cost_fen) == ((1, 2, 3, 4, 5, 6), 6, 1800)
    assert (found.first_day, found.last_day) == (date(2026, 11, 24), date(2026, 11, 24))


def test_too_few_are_chance() -> None:
    assert group([stuck(number) for number in range(4)], NOW) == ()
    assert len(group([stuck(number) for number in range(4)], NOW, min_size=4)) == 1
    assert group([stuck(1, rule_id=rule) for rule in "abcdefgh"], NOW) == ()  # one parcel, many findings
    with pytest.raises(ValueError):
        group([], NOW, min_size=1)


def test_parcels_leave_as_they_move_and_the_id_stays() -> None:
    ones = [stuck(number, number) for number in range(1, 8)]
    before, after = group(ones, NOW), group(ones[1:], NOW + timedelta(hours=5))

    assert before[0].id == after[0].id
    assert after[0].parcel_ids == (2, 3, 4, 5, 6, 7)
    assert group(ones[3:], NOW) == ()


def test_an_incident_whose_first_parcels_left_is_still_the_same() -> None:
    ones = [stuck(number, 40 - number * 5) for number in range(8)]
    before, after = group(ones, NOW), group(ones[3:], NOW)

    assert before[0].first_day < after[0].first_day
    assert carry_over(after, before) == {after[0].id: before[0].id}
    assert carry_over(after, group([stuck(n, place="重庆转运中心") for n in range(5)], NOW)) == {}


def test_the_narrowest_cause_wins_and_nobody_is_in_two() -> None:
    here = [stuck(number) for number in range(5)]
    road = [stuck(number, place=f"第{number}营业部") for number in range(10, 20)]
    found = group([*here, *road], NOW)

    assert [(one.cause, one.key, one.size) for one in found] == [
        (Cause.LANE, "四川>北京", 10),
        (Cause.HUB, "成都转运中心", 5),
    ]


def test_a_branch_and_a_carriers_bad_day() -> None:
    branch = [stuck(number, place="沙河营业部", family="delivery") for number in range(5)]
    assert [(one.cause, one.key) for one in group(branch, NOW)] == [(Cause.BRANCH, "沙河营业部")]
    city = [stuck(number, place="成都市", origin_province="") for number in range(20)]
    assert [(one.cause, one.key, one.size) for one in group(city, NOW)] == [(Cause.CARRIER, "", 20)]
    assert group(city[:19], NOW) == ()


def test_days_without_any_part_two_incidents() -> None:
    early, late = [stuck(n, 150 + n) for n in range(5)], [stuck(10 + n, 20 + n) for n in range(5)]
    found = group([*early, *late], NOW)

    assert [one.parcel_ids for one in found] == [(0, 1, 2, 3, 4), (10, 11, 12, 13, 14)]
    assert found[0].id != found[1].id
    assert group([stuck(n, 15 * 24) for n in range(9)], NOW) == ()


def test_what_has_no_carrier_or_is_still_to_come_is_left_out() -> None:
    assert group([stuck(n, carrier="") for n in range(30)], NOW) == ()
    assert group([stuck(n, -1) for n in range(30)], NOW) == ()


ANY = st.lists(
    st.builds(
        lambda number, hours, place, carrier, family: stuck(number, hours, place=place, carrier=carrier, family=family),
        st.integers(0, 40),
        st.integers(0, 200),
        st.sampled_from(["成都转运中心", "沙河营业部", "成都市", ""]),
        st.sampled_from(["yuantong", "zhongtong"]),
        st.sampled_from(["transit", "delivery"]),
    ),
    max_size=30,
)


@given(ANY, st.randoms(use_true_random=False))
def test_groups_are_disjoint_and_do_not_depend_on_order(ones: list[Stuck], chance: Any) -> None:
    found = group(ones, NOW, min_size=2)
    mixed = list(ones)
    chance.shuffle(mixed)

    assert group(mixed, NOW, min_size=2) == found
    members = [parcel for one in found for parcel in one.parcel_ids]
    assert len(set(members)) == len(members)
    assert len({one.id for one in found}) == len(found)
    assert all(one.size >= 2 for one in found)


def test_an_incident_goes_on_while_two_of_its_parcels_are_left() -> None:
    ones = [stuck(number, number) for number in range(1, 8)]
    before = group(ones, NOW)

    (left,) = group(ones[5:], NOW, before=before)
    assert (left.parcel_ids, left.id, left.since) == ((6, 7), before[0].id, NOW - timedelta(hours=7))
    assert group(ones[6:], NOW, before=before) == ()
    others = [stuck(number, number) for number in (20, 21, 22, 23)]
    assert group(others, NOW, before=before) == ()  # none of them was in it: they are too few by themselves


def test_only_families_that_have_a_common_cause() -> None:
    for family in ("score", "ship", "stock", "abnormal", "fraud"):
        assert group([stuck(number, family=family) for number in range(30)], NOW) == ()
    for family in ("pickup", "dispatch", "transit", "delivery", "return"):
        assert len(group([stuck(number, family=family) for number in range(5)], NOW)) == 1
