"""Clocks that stand still: festivals, areas without service, force majeure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import rulebook
from bufa.domain.calendars import Area, End, Moved, Pause, PauseCode, due
from bufa.domain.kinds import Kind
from bufa.domain.watch import DEFAULT_POLICY, Policy, ahead, judge
from tests.domain.test_watch import BOOK, COLLECTED, HUB, at, parcel, scan

FLOOD = Pause(PauseCode.FORCE_MAJEURE, at(20), at(50), name="洪水", areas=(Area("北京"),), end=End.DESTINATION)
FESTIVAL = Pause(PauseCode.FESTIVAL, at(20), at(50), name="春节", platform=False)


def test_a_clock_that_overlaps_a_pause_is_moved_by_the_overlap() -> None:
    policy = Policy(pauses=(FLOOD,))
    watched = parcel(COLLECTED, HUB)  # 72 h from hour 10 on

    assert judge(watched, BOOK, policy, at(111)).findings == ()
    finding = judge(watched, BOOK, policy, at(112)).findings[0]
    assert (finding.rule_id, finding.since) == ("transit_timeout", at(112))
    assert finding.evidence.params["moved_by"] == [{"code": "force_majeure", "name": "洪水", "hours": 30.0}]
    assert "moved_by" not in judge(watched, BOOK, DEFAULT_POLICY, at(112)).findings[0].evidence.params


def test_a_moved_clock_says_why_before_it_runs_out_too() -> None:
    policy = Policy(pauses=(FLOOD,))
    watched = parcel(COLLECTED, HUB)
    moved = [{"code": "force_majeure", "name": "洪水", "hours": 30.0}]

    (warning,) = judge(watched, BOOK, policy, at(101)).warnings
    assert (warning.rule_id, warning.at, warning.evidence.params["moved_by"]) == ("transit_timeout", at(112), moved)
    first = next(one for one in ahead(watched, BOOK, policy, at(11)) if one.rule_id == "transit_timeout")
    assert (first.at, first.evidence.params["moved_by"]) == (at(112), moved)
    said = judge(watched, BOOK, policy, at(11))
    assert (said.risk_rule, said.risk_at, list(said.risk_moved)) == ("transit_timeout", at(112), moved)
    assert judge(watched, BOOK, DEFAULT_POLICY, at(11)).risk_moved == ()
    assert said.warnings == ()
    assert said.next_deadline == min(
        one.at - policy.warning_time(BOOK.at(one.at).rule(one.rule_id)) for one in ahead(watched, BOOK, policy, at(11))
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"dest_province": "上海市"},
        {"origin_province": "北京市", "dest_province": "广东省"},
    ],
)
def test_a_pause_elsewhere_moves_nothing(changed: dict[str, str]) -> None:
    watched = parcel(COLLECTED, HUB, **changed)
    assert judge(watched, BOOK, Policy(pauses=(FLOOD,)), at(300)) == judge(watched, BOOK, DEFAULT_POLICY, at(300))


def test_a_pause_of_another_carrier_or_family_moves_nothing() -> None:
    watched = replace(parcel(COLLECTED, HUB), carrier="zhongtong")
    for pause in (
        replace(FLOOD, carriers=frozenset({"shunfeng"})),
        replace(FLOOD, families=frozenset({"delivery"})),
        replace(FLOOD, areas=(Area("北京", "北京市", "怀柔区"),)),  # where in Beijing it goes is not known
    ):
        assert judge(watched, BOOK, Policy(pauses=(pause,)), at(82)).findings[0].since == at(82)
    mine = replace(FLOOD, carriers=frozenset({"zhongtong"}), families=frozenset({"transit"}))
    assert judge(watched, BOOK, Policy(pauses=(mine,)), at(112)).findings[0].since == at(112)


def test_a_holiday_moves_the_shops_rules_and_hides_no_fine() -> None:
    policy = Policy(pauses=(FESTIVAL,))
    found = {one.rule_id: one.since for one in judge(parcel(COLLECTED, HUB), BOOK, policy, at(400)).findings}

    assert found == {"transit_timeout": at(82), "lost_suspected": at(10 + 144 + 30)}


def test_a_pause_before_the_deadline_moves_a_promise_of_shipping() -> None:
    pause = Pause(PauseCode.NO_SERVICE, at(5), at(15))
    watched = parcel(has_number=False, uploaded_at=None, paid_at=at(0), ship_by=at(48))

    assert judge(watched, BOOK, Policy(pauses=(pause,)), at(57)).findings == ()
    late = judge(watched, BOOK, Policy(pauses=(pause,)), at(58)).findings[0]
    assert (late.rule_id, late.since, late.evidence.params["moved_by"][0]["hours"]) == ("late_shipping", at(58), 10.0)
    unpaid = replace(watched, paid_at=None)
    assert judge(unpaid, BOOK, Policy(pauses=(pause,)), at(50)).findings[0].since == at(48)


def test_pauses_that_overlap_count_once() -> None:
    first, second = Pause(PauseCode.FESTIVAL, at(2), at(6)), Pause(PauseCode.NO_SERVICE, at(4), at(9), name="x")
    inside = Pause(PauseCode.FORCE_MAJEURE, at(3), at(5))

    assert due(at(0), timedelta(hours=10), [second, inside, first]) == (
        at(17),
        (
            Moved(PauseCode.FESTIVAL, "", timedelta(hours=4)),
            Moved(PauseCode.NO_SERVICE, "x", timedelta(hours=3)),
        ),
    )


def test_a_pause_that_is_reached_only_because_of_another() -> None:
    pauses = [Pause(PauseCode.FESTIVAL, at(2), at(6)), Pause(PauseCode.NO_SERVICE, at(12), at(20))]
    assert due(at(0), timedelta(hours=10), pauses)[0] == at(22)
    assert due(at(0), timedelta(hours=7), pauses)[0] == at(11)


SPANS = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 40)), max_size=5)


@given(SPANS, st.integers(0, 60), st.integers(1, 60))
def test_a_clock_runs_exactly_its_hours_outside_the_pauses(
    spans: list[tuple[int, int]], start: int, hours: int
) -> None:
    pauses = [Pause(PauseCode.FESTIVAL, at(begin), at(begin + length)) for begin, length in spans]
    end, moved = due(at(start), timedelta(hours=hours), pauses)
    whole = int((end - at(start)) / timedelta(hours=1))
    running = [h for h in range(start, start + whole) if not any(b <= h < b + length for b, length in spans)]

    assert len(running) == hours
    assert sum((one.by for one in moved), timedelta()) == end - at(start) - timedelta(hours=hours)


def test_areas() -> None:
    assert Area("浙江").covers(Area("浙江省", "杭州市"))
    assert Area("33", "金华").covers(Area("浙江", "金华市", "义乌市"))
    assert Area("浙江省", "金华市", "义乌市").covers(Area("330000", "金华", "义乌"))
    assert not Area("浙江省", "金华市").covers(Area("浙江省"))
    assert not Area("nowhere").covers(Area("nowhere"))


def test_a_rules_day_is_that_of_the_moved_breach() -> None:
    day = datetime(2026, 11, 22, 16, tzinfo=UTC)  # midnight in the shop, between the plain and the moved breach
    book = rulebook.Rulebook(
        tuple(
            replace(rule, valid_from=day.astimezone(rulebook.SHOP_ZONE).date())
            if rule.id == "transit_timeout"
            else rule
            for rule in BOOK.rules
        )
    )
    scans = (scan(-60, Kind.COLLECTED), scan(-58, Kind.ARRIVED_HUB, hub=True))
    pause = Pause(PauseCode.FORCE_MAJEURE, at(0), at(60))

    assert judge(parcel(*scans), book, DEFAULT_POLICY, at(80)).findings == ()
    assert judge(parcel(*scans), book, Policy(pauses=(pause,)), at(80)).findings[0].since == at(74)
