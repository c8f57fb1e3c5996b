"""The carrier case: one table, a fold that no order of facts changes, and the ladder that climbs by working hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.calendars import Pause, PauseCode
from bufa.domain.carrier_cases import TABLE, WAITING, Event, Happened, Talk, TalkState, diagram, fold, move
from bufa.domain.chasing import (
    Contact,
    Hours,
    Ladder,
    Level,
    Reach,
    Rung,
    Sent,
    Step,
    Stop,
    Way,
    fits,
    next_step,
    order,
    working_after,
    working_from,
)
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE

T0 = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)  # Thursday 10:00 in the shop
HOUR = timedelta(hours=1)


def facts() -> st.SearchStrategy[Happened]:
    return st.builds(
        lambda event, hours, due, day: Happened(
            event,
            T0 + hours * HOUR,
            due=T0 + (hours + due) * HOUR if event in (Event.ASK, Event.REMIND, Event.ESCALATE) else None,
            day=date(2026, 11, 20) + timedelta(days=day) if event is Event.PROMISE else None,
        ),
        st.sampled_from(Event),
        st.integers(0, 300),
        st.integers(1, 48),
        st.integers(0, 9),
    )


@given(st.lists(facts(), max_size=12), st.randoms())
def test_the_state_is_a_function_of_the_set_of_facts(happened, rng):
    shuffled = happened[:]
    rng.shuffle(shuffled)
    assert fold(shuffled, T0) == fold(happened, T0)


@given(st.lists(facts(), max_size=12))
def test_what_is_closed_stays_closed_and_a_clock_runs_only_while_we_wait(happened):
    talk = Talk(since=T0)
    for fact in sorted(happened, key=lambda one: one.at):
        before = talk
        talk = move(talk, fact)
        if before.state is TalkState.CLOSED:
            assert talk == before
        if (before.state, fact.event) not in TABLE:
            assert talk == before
        if talk.state in (TalkState.OPENED, TalkState.REFUSED, TalkState.CLOSED):
            assert talk.due is None
        if talk.state in (TalkState.ASKED, TalkState.CHASED, TalkState.ESCALATED, TalkState.ANSWERED):
            assert talk.due is not None
            assert talk.due > (talk.since or T0)
        assert talk.asked >= before.asked


def test_every_state_is_reached_and_each_but_the_last_is_left():
    reached = set(TABLE.values()) | {TalkState.OPENED}
    assert reached == set(TalkState)
    assert {source for source, _ in TABLE} == set(TalkState) - {TalkState.CLOSED}
    assert all((state, Event.CLOSE) in TABLE for state in TalkState if state is not TalkState.CLOSED)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([], "opened"),
        ([(Event.ASK, 0)], "asked"),
        ([(Event.ASK, 0), (Event.REMIND, 24)], "chased"),
        ([(Event.ASK, 0), (Event.REMIND, 24), (Event.ESCALATE, 48)], "escalated"),
        ([(Event.ASK, 0), (Event.ESCALATE, 24), (Event.REMIND, 48)], "escalated"),
        ([(Event.ASK, 0), (Event.ANSWER, 3)], "answered"),
        ([(Event.ASK, 0), (Event.PROMISE, 3)], "promised"),
        ([(Event.ASK, 0), (Event.PROMISE, 3), (Event.ANSWER, 5)], "promised"),
        ([(Event.ASK, 0), (Event.PROMISE, 3), (Event.REMIND, 72)], "chased"),
        ([(Event.ASK, 0), (Event.CONSENT, 3), (Event.ANSWER, 5)], "consented"),
        ([(Event.ASK, 0), (Event.REFUSE, 3)], "refused"),
        ([(Event.ASK, 0), (Event.REFUSE, 3), (Event.ESCALATE, 5)], "escalated"),
        ([(Event.ASK, 0), (Event.REFUSE, 3), (Event.CONSENT, 9)], "consented"),
        ([(Event.ASK, 0), (Event.CONSENT, 3), (Event.CLOSE, 5), (Event.ASK, 9)], "closed"),
    ],
)
def test_journeys(told, state):
    happened = [
        Happened(event, T0 + at * HOUR, due=T0 + (at + 24) * HOUR, day=date(2026, 11, 21)) for event, at in told
    ]
    assert fold(happened, T0).state == state


def test_an_answer_at_the_very_moment_of_a_consent_does_not_hide_it():
    at = T0 + HOUR
    assert fold([Happened(Event.CONSENT, at), Happened(Event.ANSWER, at)], T0).state is TalkState.CONSENTED


def test_a_promise_is_over_with_its_day_in_the_shop():
    talk = fold([Happened(Event.ASK, T0, due=T0 + HOUR), Happened(Event.PROMISE, T0, day=date(2026, 11, 20))], T0)
    assert talk.due == datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert not talk.is_overdue(datetime(2026, 11, 20, 15, 59, tzinfo=UTC))
    assert talk.is_overdue(datetime(2026, 11, 20, 16, tzinfo=UTC))


def test_the_diagram_names_each_state():
    assert all(state.value in diagram() for state in TalkState)


# --- working hours ---------------------------------------------------------------------------------------------------

OFFICE = Hours(9 * 60, 18 * 60, frozenset({1, 2, 3, 4, 5}))
FEAST = Pause(
    PauseCode.FESTIVAL,
    datetime(2026, 10, 1, tzinfo=SHOP_ZONE).astimezone(UTC),
    datetime(2026, 10, 8, tzinfo=SHOP_ZONE).astimezone(UTC),
    name="国庆节",
    platform=False,
)


def shop(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHOP_ZONE)


@pytest.mark.parametrize(
    ("at", "begins"),
    [
        ("2026-11-19 10:00", "2026-11-19 10:00"),
        ("2026-11-19 08:59", "2026-11-19 09:00"),
        ("2026-11-19 18:00", "2026-11-20 09:00"),
        ("2026-11-20 19:00", "2026-11-23 09:00"),
        ("2026-09-30 17:59", "2026-09-30 17:59"),
        ("2026-09-30 18:30", "2026-10-08 09:00"),
        ("2026-10-03 12:00", "2026-10-08 09:00"),
    ],
)
def test_working_hours_begin(at, begins):
    assert working_from(shop(at), OFFICE, [FEAST]) == shop(begins)


@pytest.mark.parametrize(
    ("at", "hours", "ends"),
    [
        ("2026-11-19 10:00", 4, "2026-11-19 14:00"),
        ("2026-11-19 16:00", 4, "2026-11-20 11:00"),
        ("2026-11-19 20:00", 9, "2026-11-20 18:00"),
        ("2026-11-20 17:00", 2, "2026-11-23 10:00"),
        ("2026-09-30 16:00", 4, "2026-10-08 11:00"),
    ],
)
def test_a_clock_runs_while_they_work(at, hours, ends):
    assert working_after(shop(at), hours, OFFICE, [FEAST]) == shop(ends)


def test_who_does_not_rest_on_festivals_works_on():
    driver = Hours(8 * 60, 20 * 60, rests_on_festivals=False)
    assert working_from(shop("2026-10-03 12:00"), driver, [FEAST]) == shop("2026-10-03 12:00")


@pytest.mark.parametrize("hours", [(600, 600, {1}), (0, 1441, {1}), (0, 600, set()), (0, 600, {0}), (-1, 600, {1})])
def test_hours_that_cannot_be(hours):
    with pytest.raises(Refused):
        Hours(hours[0], hours[1], frozenset(hours[2]))


# --- the ladder ------------------------------------------------------------------------------------------------------

BRANCH, HEAD, PLATFORM = (Contact(at, level, OFFICE) for at, level in enumerate(Level, start=1))
EVERYBODY = (BRANCH, HEAD, PLATFORM)
USUAL = Ladder()


def climb(contacts=EVERYBODY, ladder=USUAL, *, first=BRANCH, starts="2026-11-19 10:00", most=20, stopped=False):
    """The ladder from a first question on, nobody ever answering: [(rung, contact, when)], and why it ended."""
    at = shop(starts)
    due = at + 24 * HOUR
    happened = [Happened(Event.ASK, at, due=due)]
    sent = [Sent(first.contact_id, first.level, at)]
    told = []
    for _ in range(most):
        step = next_step(fold(happened, at), sent, contacts, ladder, [FEAST], at, is_stopped=stopped)
        if isinstance(step, Stop):
            return told, step
        at = step.at
        level = next(one.level for one in contacts if one.contact_id == step.contact_id)
        told.append((step.rung, step.contact_id, f"{at.astimezone(SHOP_ZONE):%m-%d %H:%M}"))
        happened.append(Happened(step.rung.event, at, due=step.answer_by))
        sent.append(Sent(step.contact_id, level, at))
    raise AssertionError("it never ends")


def test_remind_then_branch_to_head_office_to_platform_by_working_hours():
    told, why = climb()
    assert told == [
        (Rung.REMIND, 1, "11-20 10:00"),
        (Rung.HEAD_OFFICE, 2, "11-23 13:00"),
        (Rung.REMIND, 2, "11-26 10:00"),
        (Rung.PLATFORM, 3, "11-27 13:00"),
        (Rung.REMIND, 3, "12-04 16:00"),
    ]
    assert why is Stop.NOBODY_LEFT


def test_over_a_festival_it_waits():
    told, _ = climb(starts="2026-09-29 16:00")
    assert told[0] == (Rung.REMIND, 1, "09-30 16:00")
    assert told[1] == (Rung.HEAD_OFFICE, 2, "10-09 10:00")


def test_who_was_asked_first_decides_where_it_goes_on():
    told, _ = climb(first=HEAD)
    assert [rung for rung, _, _ in told] == [Rung.REMIND, Rung.PLATFORM, Rung.REMIND]


def test_a_level_that_nobody_holds_is_left_out():
    told, _ = climb(contacts=(BRANCH, PLATFORM))
    assert [(rung, who) for rung, who, _ in told] == [(Rung.REMIND, 1), (Rung.PLATFORM, 3), (Rung.REMIND, 3)]


def test_an_address_that_gave_the_mail_back_is_left_out():
    gone = Contact(1, Level.BRANCH, OFFICE, is_reachable=False)
    told, _ = climb(contacts=(gone, HEAD))
    assert [(rung, who) for rung, who, _ in told] == [(Rung.HEAD_OFFICE, 2), (Rung.REMIND, 2)]


@pytest.mark.parametrize(
    ("ladder", "stopped", "why"),
    [(Ladder(is_on=False), False, Stop.SWITCHED_OFF), (Ladder(), True, Stop.STOPPED)],
)
def test_it_can_be_switched_off_and_stopped(ladder, stopped, why):
    assert climb(ladder=ladder, stopped=stopped) == ([], why)


@pytest.mark.parametrize("event", [Event.CONSENT, Event.REFUSE, Event.CLOSE])
def test_with_the_carriers_word_nobody_is_chased(event):
    talk = fold([Happened(Event.ASK, T0, due=T0 + HOUR), Happened(event, T0 + HOUR)], T0)
    sent = [Sent(1, Level.BRANCH, T0)]
    assert next_step(talk, sent, EVERYBODY, Ladder(), [], T0 + 99 * HOUR) is Stop.NOT_WAITING


def test_a_promise_that_was_not_kept_is_chased_when_its_day_is_over():
    talk = fold(
        [Happened(Event.ASK, T0, due=T0 + HOUR), Happened(Event.PROMISE, T0 + HOUR, day=date(2026, 11, 20))], T0
    )
    step = next_step(talk, [Sent(1, Level.BRANCH, T0)], EVERYBODY, Ladder(), [], T0 + 2 * HOUR)
    assert isinstance(step, Step)
    assert (step.rung, step.at) == (Rung.REMIND, shop("2026-11-23 09:00"))


def test_a_text_that_waits_for_a_persons_hand_is_not_passed_by():
    talk = fold([Happened(Event.ASK, T0, due=T0 + HOUR)], T0)
    sent = [Sent(1, Level.BRANCH, T0), Sent(2, Level.HEAD_OFFICE, T0 + HOUR, waits=True)]
    assert next_step(talk, sent, EVERYBODY, Ladder(), [], T0 + 99 * HOUR) is Stop.TO_COPY


def test_a_reissue_that_went_wrong_is_asked_about_by_itself():
    opened = Talk(since=T0)
    assert next_step(opened, [], EVERYBODY, Ladder(), [], T0) is Stop.NOT_WAITING
    step = next_step(opened, [], EVERYBODY, Ladder(), [], T0, asks_first=True)
    assert isinstance(step, Step)
    assert (step.rung, step.contact_id, step.at) == (Rung.ASK, 1, T0)


@given(
    st.lists(st.sampled_from(EVERYBODY), min_size=1, max_size=3, unique=True),
    st.integers(0, 3),
    st.integers(1, 30),
    st.integers(0, 24 * 40),
)
def test_never_two_on_one_day_to_one_contact_only_when_they_work_and_it_ends(contacts, reminders, hours, starts):
    ladder = Ladder(reminders=reminders, hours=dict.fromkeys(Rung, hours))
    begins = (shop("2026-09-15 00:00") + starts * HOUR).strftime("%Y-%m-%d %H:%M")
    told, why = climb(
        contacts=sorted(contacts, key=lambda one: one.contact_id), ladder=ladder, first=contacts[0], starts=begins
    )
    assert why is Stop.NOBODY_LEFT
    days = [(who, when[:5]) for _, who, when in told]
    assert len(days) == len(set(days))
    assert (contacts[0].contact_id, begins[5:10]) not in days
    for _, _, when in told:
        assert "09:00" <= when[6:] <= "18:00"
    levels = [who for _, who, _ in told]
    assert levels == sorted(levels) or contacts[0].contact_id != min(levels)


@given(
    st.dictionaries(
        st.sampled_from(["is_on", "reminders", *Rung]),
        st.one_of(st.none(), st.booleans(), st.integers(-5, 999), st.text(max_size=3)),
    )
)
def test_a_stored_policy_is_always_one(stored):
    read = Ladder.read({"ladder": stored})
    assert Ladder.read({"ladder": read.stored()}) == read
    assert all(1 <= hours <= 240 for hours in read.hours.values())


# --- whom to ask -----------------------------------------------------------------------------------------------------


def test_the_branch_where_it_lies_then_its_route_head_office_platform_and_all_others_last():
    contacts = [
        Reach(1, Level.PLATFORM),
        Reach(2, Level.HEAD_OFFICE),
        Reach(3, Level.BRANCH, "成都转运中心"),
        Reach(4, Level.BRANCH, "武汉转运中心"),
        Reach(5, Level.BRANCH, "", "浙江", "湖北"),
        Reach(6, Level.HEAD_OFFICE, "", "浙江"),
        Reach(7, Level.BRANCH, "武汉转运中心", "广东"),
    ]
    way = Way("武汉转运中心", "浙江", "湖北")
    assert [one.contact_id for one in order(contacts, way)] == [5, 4, 6, 2, 1, 7, 3]
    assert [one.contact_id for one in contacts if fits(one, way)] == [1, 2, 4, 5, 6]


def test_we_wait_only_in_states_with_a_clock():
    assert {TalkState.ASKED, TalkState.CHASED, TalkState.ESCALATED, TalkState.ANSWERED, TalkState.PROMISED} == WAITING
