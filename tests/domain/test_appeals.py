"""Appeals against deductions: one table, the days in which they can be handed in, what their evidence must hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import appeals
from bufa.domain.appeals import TABLE, AppealAct, AppealFacts, AppealState, allowed, current, step, until
from bufa.domain.outcome import Refused
from bufa.domain.penalties import TITLES, Penalty
from bufa.lib.holidays import is_workday

TOLD = datetime(2026, 11, 20, 2, tzinfo=UTC)
FRESH = AppealFacts(AppealState.OPEN, TOLD, Penalty.TRACK_ABNORMAL, 2500)
DAY = timedelta(days=1)


def test_seven_days_to_the_second() -> None:
    assert until(TOLD) == TOLD + 7 * DAY
    assert current(AppealState.OPEN, TOLD, TOLD + 7 * DAY) is AppealState.OPEN
    assert current(AppealState.OPEN, TOLD, TOLD + 7 * DAY + timedelta(microseconds=1)) is AppealState.LAPSED
    assert current(AppealState.SENT, TOLD, TOLD + 99 * DAY) is AppealState.SENT


def test_sent_answered_and_paid_back_in_parts() -> None:
    sent = step(FRESH, AppealAct.SEND, now=TOLD + DAY, ground="sent_again")
    assert (sent.state, sent.ground, sent.sent_at) == (AppealState.SENT, "sent_again", TOLD + DAY)
    granted = step(sent, AppealAct.GRANT, now=TOLD + 3 * DAY, amount_fen=2500)
    some = step(granted, AppealAct.PAY_BACK, now=TOLD + 4 * DAY, amount_fen=1000)
    assert (some.state, some.back_fen) == (AppealState.GRANTED, 1000)
    rest = step(some, AppealAct.PAY_BACK, now=TOLD + 5 * DAY, amount_fen=1500)
    assert (rest.state, rest.back_fen, rest.due) == (AppealState.BACK, 2500, None)
    with pytest.raises(Refused, match="appeal_too_much"):
        step(rest, AppealAct.PAY_BACK, now=TOLD + 6 * DAY, amount_fen=1)


def test_what_was_handed_in_in_time_can_be_written_down_late_and_nothing_else() -> None:
    late = TOLD + 9 * DAY
    assert allowed(FRESH, late) == (AppealAct.WAIVE, AppealAct.SEND, AppealAct.PAY_BACK)
    with pytest.raises(Refused, match="appeal_too_late"):
        step(FRESH, AppealAct.SEND, now=late, ground="judged_wrong")
    sent = step(FRESH, AppealAct.SEND, now=late, at=TOLD + 6 * DAY, ground="judged_wrong")
    assert sent.state is AppealState.SENT
    with pytest.raises(Refused, match="appeal_before_notice"):
        step(FRESH, AppealAct.SEND, now=late, at=TOLD - DAY, ground="judged_wrong")
    with pytest.raises(Refused, match="said_in_the_future"):
        step(FRESH, AppealAct.SEND, now=TOLD, at=TOLD + DAY, ground="judged_wrong")


def test_a_refusal_can_be_appealed_again_while_days_are_left() -> None:
    refused = replace(FRESH, state=AppealState.REFUSED, ground="chats")
    assert AppealAct.SEND in allowed(refused, TOLD + 6 * DAY)
    assert AppealAct.SEND not in allowed(refused, TOLD + 8 * DAY)


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        (datetime(2026, 11, 20, 2, tzinfo=UTC), date(2026, 11, 28)),  # Friday: Monday to Friday, the end of it
        (datetime(2026, 9, 24, 2, tzinfo=UTC), date(2026, 10, 1)),  # before Mid-autumn and the National Day
    ],
)
def test_five_working_days_to_answer(sent: datetime, due: date) -> None:
    end = appeals.answer_due(sent, is_workday)
    assert end.time().isoformat() == "00:00:00"
    assert (end - timedelta(seconds=1)).date() < end.date()
    worked = [day for day in _days(sent.date(), end.date()) if is_workday(day)]
    assert len(worked) == 5
    assert end.date() >= due


def _days(after: date, before: date) -> list[date]:
    return [after + timedelta(days=n) for n in range(1, (before - after).days)]


def test_each_ground_fits_some_deduction_and_each_deduction_has_one() -> None:
    assert set(TITLES) == set(Penalty)
    for kind in Penalty:
        assert {one.id for one in appeals.grounds_for(kind)} >= {"force_majeure", "judged_wrong"}
    with pytest.raises(Refused, match="appeal_ground_unknown"):
        step(FRESH, AppealAct.SEND, now=TOLD, ground="packed_right")
    with pytest.raises(Refused, match="appeal_ground_missing"):
        step(FRESH, AppealAct.SEND, now=TOLD)
    known = {"area", "span", "reissue", "words", *appeals.FILES}
    assert {want for one in appeals.grounds().values() for want in one.wants} <= known


def test_what_is_missing_is_told_in_the_order_of_the_ground() -> None:
    assert appeals.missing("force_majeure", {"words", "area"}) == ("span", "branch_paper")
    assert appeals.missing("force_majeure", {"words", "area", "span", "branch_paper"}) == ()
    assert appeals.missing("", ()) == ()


@given(
    acts=st.lists(st.tuples(st.sampled_from(AppealAct), st.integers(0, 12), st.integers(-5, 4000)), max_size=12),
    taken=st.none() | st.integers(0, 3000),
)
def test_whatever_is_done_no_more_comes_back_than_was_taken(
    acts: list[tuple[AppealAct, int, int]], taken: int | None
) -> None:
    facts, now = replace(FRESH, taken_fen=taken), TOLD
    for act, days, fen in acts:
        now += days * DAY / 4
        can = act in allowed(facts, now)
        try:
            after = step(facts, act, now=now, amount_fen=fen, reason="r", ground="judged_wrong")
        except Refused:
            continue
        assert can
        assert (current(facts.state, TOLD, now), act) in TABLE
        assert after.state is not AppealState.LAPSED
        assert taken is None or max(after.back_fen, after.granted_fen) <= taken
        assert after.state is not AppealState.SENT or after.due is not None
        facts = after
