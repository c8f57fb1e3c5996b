"""Judging parcels: which findings, when, how sure, and what the next step costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bufa.domain import rulebook, watch
from bufa.domain.kinds import Kind, Reason, Stage, Step
from bufa.domain.parcels import Scan, fold, stage_of
from bufa.domain.rulebook import Certainty
from bufa.domain.watch import DEFAULT_POLICY, ParcelRole, Policy, Watched, judge

BOOK = rulebook.load()
T0 = datetime(2026, 11, 20, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def scan(hours: float, kind: Kind, *, hub: bool = False, reason: Reason | None = None, place: str = "") -> Scan:
    when = at(hours)
    return Scan(when, when, kind, reason, place, digest=f"{kind}{hours}", platform_hub=hub)


def parcel(*scans: Scan, **known: Any) -> Watched:
    """A parcel from Zhejiang to Beijing, ¥99, promised in 48 h, its number uploaded at T0, with these scans."""
    state = fold(scans)
    given_: dict[str, Any] = {
        "has_number": True,
        "uploaded_at": T0,
        "promise_hours": 48,
        "paid_fen": 9900,
        "origin_province": "浙江省",
        "dest_province": "北京市",
    }
    facts = given_ | known
    return Watched(1, stage_of(state, has_number=facts["has_number"]), state, **facts)


def rules(watched: Watched, hours: float, policy: Policy = DEFAULT_POLICY) -> list[str]:
    return [finding.rule_id for finding in judge(watched, BOOK, policy, at(hours)).findings]


COLLECTED = scan(5, Kind.COLLECTED)
HUB = scan(10, Kind.ARRIVED_HUB, hub=True)


def test_a_parcel_that_nobody_collects() -> None:
    watched = parcel(ship_by=at(30))
    story = [(hours, rules(watched, hours)) for hours in (0, 23.99, 24, 30, 48, 78, 120)]

    assert story == [
        (0, []),
        (23.99, []),
        (24, ["pickup_timeout"]),
        (30, ["pickup_timeout", "late_shipping"]),
        (48, ["late_shipping", "pickup_abnormal"]),
        (78, ["late_shipping", "pickup_abnormal", "out_of_stock_late"]),
        (120, ["late_shipping", "pickup_abnormal", "out_of_stock_track"]),
    ]


def test_money_at_risk_is_what_the_next_step_adds() -> None:
    watched = parcel()
    steps = [judge(watched, BOOK, DEFAULT_POLICY, at(hours)) for hours in (0, 24, 48, 120)]

    assert [(step.cost_fen, step.risk_fen, step.risk_at) for step in steps] == [
        (0, 300, at(24)),
        (300, 2200, at(48)),
        (2500, 200, at(120)),
        (2700, 0, None),
    ]


def test_without_a_number_only_the_ship_by_clock_runs() -> None:
    watched = parcel(has_number=False, uploaded_at=None, ship_by=at(10), promise_hours=72)
    verdict = judge(watched, BOOK, DEFAULT_POLICY, at(60))

    assert watched.stage is Stage.UNSHIPPED
    assert [finding.rule_id for finding in verdict.findings] == ["late_shipping", "out_of_stock_late"]
    assert [finding.payout_fen for finding in verdict.findings] == [200, 300]


def test_a_pickup_clears_and_leaves_what_it_cost() -> None:
    verdict = judge(parcel(scan(30, Kind.COLLECTED)), BOOK, DEFAULT_POLICY, at(31))

    assert verdict.findings == ()
    assert [(past.rule_id, past.since, past.cleared_at, past.payout_fen) for past in verdict.past] == [
        ("pickup_timeout", at(24), at(30), 300)
    ]


def test_a_pickup_in_time_leaves_nothing() -> None:
    assert judge(parcel(COLLECTED, HUB), BOOK, DEFAULT_POLICY, at(31)).past == ()


@pytest.mark.parametrize(("hours", "found"), [(28.9, []), (29, ["dispatch_timeout"]), (53, ["dispatch_abnormal"])])
def test_no_hub_after_pickup(hours: float, found: list[str]) -> None:
    assert rules(parcel(COLLECTED), hours) == found


def test_a_hub_of_another_name_makes_dispatch_suspected_not_cleared() -> None:
    watched = parcel(COLLECTED, scan(12, Kind.ARRIVED_HUB, place="嘉兴分拣中心"))
    finding = judge(watched, BOOK, DEFAULT_POLICY, at(29)).findings[0]

    assert (finding.rule_id, finding.certainty) == ("dispatch_timeout", Certainty.SUSPECTED)
    assert finding.opens_case is False
    assert judge(parcel(COLLECTED), BOOK, DEFAULT_POLICY, at(29)).findings[0].certainty is Certainty.CONFIRMED


@pytest.mark.parametrize(
    ("origin", "dest", "limit"),
    [
        ("浙江", "上海", 48),
        ("广东省", "广东省", 48),
        ("浙江", "北京", 72),
        ("浙江", "新疆", 120),
        ("海南", "广东", 120),
    ],
)
def test_transit_silence_by_region(origin: str, dest: str, limit: int) -> None:
    watched = parcel(COLLECTED, HUB, origin_province=origin, dest_province=dest)

    assert rules(watched, 10 + limit - 0.01) == []
    assert rules(watched, 10 + limit) == ["transit_timeout"]
    assert rules(watched, 10 + 2 * limit) == ["transit_timeout", "lost_suspected"]


def test_an_unknown_region_is_read_as_far_and_only_suspected() -> None:
    finding = judge(parcel(COLLECTED, HUB, dest_province=""), BOOK, DEFAULT_POLICY, at(82)).findings[0]

    assert (finding.rule_id, finding.certainty) == ("transit_timeout", Certainty.SUSPECTED)
    assert finding.evidence.params["hours"] == 72


def test_every_scan_starts_the_transit_clock_again() -> None:
    watched = parcel(COLLECTED, HUB, scan(70, Kind.IN_TRANSIT))

    assert rules(watched, 100) == []
    assert rules(watched, 142) == ["transit_timeout"]


@pytest.mark.parametrize(
    ("scans", "hours", "found"),
    [
        ([scan(40, Kind.OUT_FOR_DELIVERY), scan(42, Kind.ATTEMPT_FAILED)], 43, ["attempt_failed"]),
        ([scan(42, Kind.ATTEMPT_FAILED), scan(50, Kind.OUT_FOR_DELIVERY)], 51, []),
        ([scan(42, Kind.ATTEMPT_FAILED), scan(70, Kind.ATTEMPT_FAILED)], 71, ["attempts_failed"]),
        ([scan(40, Kind.OUT_FOR_DELIVERY)], 64, ["delivery_stalled"]),
        ([scan(40, Kind.READY_FOR_PICKUP)], 111, []),
        ([scan(40, Kind.READY_FOR_PICKUP)], 112, ["station_overdue"]),
        ([scan(40, Kind.REFUSED)], 41, ["refused"]),
        ([scan(40, Kind.REFUSED), scan(45, Kind.RETURNING)], 46, ["returning"]),
        ([scan(45, Kind.RETURNING), scan(90, Kind.RETURNED)], 91, ["returned"]),
        ([scan(45, Kind.RETURNING), scan(90, Kind.DELIVERED)], 91, ["returned"]),
        ([scan(40, Kind.DAMAGED)], 41, ["damaged"]),
        ([scan(40, Kind.DAMAGED), scan(50, Kind.DELIVERED)], 51, []),
        ([scan(40, Kind.LOST)], 41, ["lost"]),
        ([scan(40, Kind.LOST)], 200, ["lost", "transit_timeout"]),
        ([scan(40, Kind.LOST), scan(50, Kind.IN_TRANSIT)], 51, []),
        ([scan(40, Kind.HELD, reason=Reason.WEATHER)], 41, ["held"]),
        ([scan(40, Kind.INTERCEPTED)], 41, ["intercepted"]),
        ([scan(40, Kind.DELIVERED), scan(42, Kind.ATTEMPT_FAILED)], 43, ["attempt_failed", "signed_then_failed"]),
        ([scan(40, Kind.DELIVERED), scan(42, Kind.ATTEMPT_FAILED), scan(44, Kind.DELIVERED)], 45, []),
        ([scan(40, Kind.DELIVERED)], 900, []),
    ],
)
def test_what_scans_say(scans: list[Scan], hours: float, found: list[str]) -> None:
    assert rules(parcel(COLLECTED, HUB, *scans), hours) == found


def test_a_pickup_called_off() -> None:
    assert rules(parcel(scan(2, Kind.CANCELLED)), 3) == ["pickup_cancelled"]
    assert rules(parcel(scan(2, Kind.CANCELLED), COLLECTED), 6) == []


def test_evidence_is_plain_and_whole() -> None:
    held = parcel(COLLECTED, HUB, scan(40, Kind.HELD, reason=Reason.WEATHER, place="沈阳转运中心"))
    finding = judge(held, BOOK, DEFAULT_POLICY, at(41)).findings[0]

    assert finding.evidence.code == "held"
    assert finding.evidence.params == {
        "start": at(40).isoformat(),
        "hours": 0,
        "starts": "kind:held",
        "place": "沈阳转运中心",
        "newest_at": at(40).isoformat(),
        "reason": "weather",
    }
    assert (finding.opens_case, finding.is_silence, finding.step) == (False, False, Step.DETERMINE)
    assert judge(held, BOOK, DEFAULT_POLICY, at(41)).opens_case is False
    assert judge(replace(held, role=ParcelRole.REISSUE), BOOK, DEFAULT_POLICY, at(41)).findings[0].step is Step.FOLLOW


def test_warnings_count_down() -> None:
    verdict = judge(parcel(), BOOK, DEFAULT_POLICY, at(16))

    assert [(soon.rule_id, soon.hours_left(at(16)), soon.payout_fen) for soon in verdict.warnings] == [
        ("pickup_timeout", 8.0, 300)
    ]
    assert judge(parcel(), BOOK, DEFAULT_POLICY, at(15.9)).warnings == ()
    assert judge(parcel(), BOOK, DEFAULT_POLICY, at(15.9)).next_deadline == at(16)


def test_no_warning_of_a_hub_that_very_likely_saw_it() -> None:
    watched = parcel(COLLECTED, scan(12, Kind.ARRIVED_HUB, place="嘉兴分拣中心"))

    assert judge(watched, BOOK, DEFAULT_POLICY, at(28)).warnings == ()
    assert [soon.rule_id for soon in judge(parcel(COLLECTED), BOOK, DEFAULT_POLICY, at(28)).warnings] == [
        "dispatch_timeout"
    ]


def test_after_a_failed_attempt_the_door_is_watched() -> None:
    tried = [scan(40, Kind.OUT_FOR_DELIVERY), scan(45, Kind.ATTEMPT_FAILED)]

    assert rules(parcel(COLLECTED, HUB, *tried), 68.9) == ["attempt_failed"]
    assert rules(parcel(COLLECTED, HUB, *tried), 69) == ["attempt_failed", "delivery_stalled"]
    assert rules(parcel(COLLECTED, HUB, *tried, scan(60, Kind.OUT_FOR_DELIVERY)), 69) == []


def test_a_shop_sets_its_own_warnings_and_only_its_own_hours() -> None:
    policy = Policy(
        warn_hours={"pickup_timeout": 2},
        hours={"station_overdue": 24, "pickup_timeout": 1},
        muted=frozenset({"held"}),
    )

    assert judge(parcel(), BOOK, policy, at(16)).warnings == ()
    assert rules(parcel(), 16, policy) == []
    assert rules(parcel(COLLECTED, HUB, scan(40, Kind.READY_FOR_PICKUP)), 64, policy) == ["station_overdue"]
    assert rules(parcel(COLLECTED, HUB, scan(40, Kind.HELD)), 41, policy) == []


def test_a_penalty_notice_starts_the_last_clock() -> None:
    watched = parcel(COLLECTED, notice_at=at(60))

    assert rules(watched, 132) == ["dispatch_abnormal", "out_of_stock_notice"]


def test_nobody_waits_for_a_closed_order() -> None:
    assert judge(parcel(is_closed=True), BOOK, DEFAULT_POLICY, at(500)) == watch.Judgement()


def test_the_rule_of_the_breachs_day_counts() -> None:
    book = rulebook.Rulebook(
        tuple(replace(rule, valid_to=at(24).date()) if rule.id == "pickup_timeout" else rule for rule in BOOK.rules)
    )

    assert [finding.rule_id for finding in judge(parcel(), book, DEFAULT_POLICY, at(25)).findings] == []


# --- properties ------------------------------------------------------------------------------------------------------

SCANS = st.lists(
    st.builds(
        lambda hours, kind, hub: scan(hours, kind, hub=hub and kind is Kind.ARRIVED_HUB),
        st.integers(0, 300),
        st.sampled_from(Kind),
        st.booleans(),
    ),
    max_size=8,
)
PARCELS = st.builds(
    lambda scans, ship_by, dest, promise: parcel(
        *scans, ship_by=at(ship_by) if ship_by is not None else None, dest_province=dest, promise_hours=promise
    ),
    SCANS,
    st.none() | st.integers(0, 100),
    st.sampled_from(["浙江", "北京", "新疆", ""]),
    st.sampled_from([None, 24, 72, 300]),
)


@given(PARCELS, st.integers(0, 800))
def test_the_next_deadline_lies_ahead(watched: Watched, hours: int) -> None:
    verdict = judge(watched, BOOK, DEFAULT_POLICY, at(hours))

    assert verdict.next_deadline is None or verdict.next_deadline > at(hours)
    assert (verdict.risk_fen > 0) == (verdict.risk_at is not None)
    assert verdict.risk_at is None or verdict.risk_at > at(hours)


@given(PARCELS, st.integers(0, 800), st.floats(0, 1, exclude_max=True))
def test_silence_changes_nothing_before_the_deadline(watched: Watched, hours: int, share: float) -> None:
    now = at(hours)
    verdict = judge(watched, BOOK, DEFAULT_POLICY, now)
    end = verdict.next_deadline or now + timedelta(days=60)
    between = now + (end - now) * share
    assume(between < end)
    later = judge(watched, BOOK, DEFAULT_POLICY, between)

    assert later.findings == verdict.findings
    assert later.warnings == verdict.warnings
    assert later.next_deadline == verdict.next_deadline
    assert (later.risk_fen, later.risk_at) == (verdict.risk_fen, verdict.risk_at)


@given(SCANS, st.integers(301, 800))
def test_delivered_parcels_have_no_open_silence(scans: list[Scan], hours: int) -> None:
    watched = parcel(*scans, scan(301, Kind.DELIVERED))
    assume(watched.stage is Stage.DELIVERED)

    assert not [finding for finding in judge(watched, BOOK, DEFAULT_POLICY, at(hours)).findings if finding.is_silence]


@given(PARCELS, st.integers(0, 800))
def test_findings_are_in_the_past_and_said_once(watched: Watched, hours: int) -> None:
    findings = judge(watched, BOOK, DEFAULT_POLICY, at(hours)).findings

    assert all(finding.since <= at(hours) for finding in findings)
    assert len({finding.rule_id for finding in findings}) == len(findings)
