"""Cases: one front door for every change, one open case per parcel, nothing readable that people wrote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from bufa.apps.audit import anchors
from bufa.apps.audit import queries as audit
from bufa.apps.cases import actions, putting_off, queries
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case, Finding, Statement, TimelineEntry
from bufa.apps.cases.shapes import CaseFilters
from bufa.apps.parcels.models import Parcel
from bufa.domain.cases import Action, CaseState, Claim, Outcome
from bufa.domain.kinds import Measure, Role
from bufa.domain.outcome import Refused
from bufa.domain.verdict import Source
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample, make_sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)


def ids(sample: Sample, name: str) -> dict[str, int]:
    return {"shop_id": sample.shop_id, "case_id": sample.ids[name]}


def row(sample: Sample, name: str) -> Case:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids[name])


def test_codes_count_within_the_shop_day(sample: Sample) -> None:
    codes = sorted(sample.cases.values())
    assert codes == [f"C-20261120-{at:04d}" for at in range(1, 9)]


def test_opening_twice_is_one_case(sample: Sample) -> None:
    fresh = row(sample, "fresh")
    assert actions.open_case(shop_id=sample.shop_id, parcel_id=fresh.parcel_id) == fresh.pk
    with for_shops([sample.shop_id]):
        twin = {"code": "C-1", "parcel_id": fresh.parcel_id, "order_id": fresh.order_id}
        times = {"opened_at": sample.now, "changed_at": sample.now}
        with pytest.raises(IntegrityError, match="one_open_case_per_parcel"), transaction.atomic():
            Case.objects.create(shop_id=sample.shop_id, **twin, **times)


def test_a_reissue_has_no_case_of_its_own(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        parcel = Parcel.objects.get(role="reissue", order_id=row(sample, "following").order_id)
    with pytest.raises(Refused) as told:
        actions.open_case(shop_id=sample.shop_id, parcel_id=parcel.pk)
    assert told.value.why.code == "not_an_original"
    assert queries.involved(sample.shop_id, [parcel.pk, row(sample, "fresh").parcel_id]) == {
        parcel.pk: (sample.ids["following"], True),
        row(sample, "fresh").parcel_id: (sample.ids["fresh"], False),
    }


def test_who_is_slower_learns_who_was_faster(sample: Sample) -> None:
    seen = row(sample, "fresh").version
    actions.act(**ids(sample, "fresh"), action=Action.TAKE, by=LEAD, owner=None, version=seen)
    with pytest.raises(Refused) as told:
        actions.act(**ids(sample, "fresh"), action=Action.TAKE, by=AGENT, owner=None, version=seen)
    assert (told.value.why.code, told.value.why.params["by"]) == ("changed_meanwhile", "周")
    assert row(sample, "fresh").version == seen + 1


def test_a_refused_action_leaves_nothing_behind(sample: Sample) -> None:
    before = row(sample, "fresh")
    with for_shops([sample.shop_id]):
        lines = TimelineEntry.objects.count()
    with pytest.raises(Refused) as told:
        actions.act(**ids(sample, "fresh"), action=Action.CHOOSE_MEASURE, by=AGENT, measure=Measure.REISSUE)
    assert told.value.why.code == "verdict_not_confirmed"
    after = row(sample, "fresh")
    assert (after.version, after.changed_at, after.facts) == (before.version, before.changed_at, before.facts)
    with for_shops([sample.shop_id]):
        assert TimelineEntry.objects.count() == lines


def test_an_act_is_one_timeline_line_and_one_audit_entry(sample: Sample) -> None:
    head = max(entry.seq for entry in audit.newest([sample.shop_id]))
    actions.act(**ids(sample, "fresh"), action=Action.NOTE, by=AGENT, text="王先生说周四一定要用")
    entries = [entry for entry in audit.newest([sample.shop_id]) if entry.seq > head]
    assert anchors.verify(sample.shop_id).ok
    assert [(entry.by, entry.action, entry.subject) for entry in entries] == [
        ("operator:7", "case.note", f"case:{sample.ids['fresh']}")
    ]
    page = queries.case_page(sample.shop_id, sample.cases["fresh"], Role.AGENT, sample.now)
    assert page is not None
    assert (page.timeline[0].kind, page.timeline[0].by, page.timeline[0].words) == (
        "note",
        "林",
        "王先生说周四一定要用",
    )


def test_what_people_write_is_sealed(sample: Sample) -> None:
    actions.act(**ids(sample, "fresh"), action=Action.NOTE, by=AGENT, text="王先生 13812345678")
    actions.add_statement(
        **ids(sample, "fresh"),
        source=Source.CUSTOMER,
        claim=Claim.LOST,
        words="我是王先生 13812345678",
        said_at=sample.now,
        by=AGENT,
    )
    with for_shops([sample.shop_id]), connection.cursor() as cursor:
        cursor.execute("SELECT data::text || encode(words, 'escape') FROM cases_timelineentry")
        kept = [text for (text,) in cursor.fetchall()]
        cursor.execute("SELECT encode(words, 'escape') FROM cases_statement")
        kept += [text for (text,) in cursor.fetchall()]
    assert len(kept) > 10
    assert not [text for text in kept if "13812345678" in text or "王先生" in text]


def test_a_customer_who_says_lost_makes_the_verdict_surer(sample: Sample) -> None:
    before = row(sample, "numbering").verdict
    actions.add_statement(
        **ids(sample, "numbering"), source=Source.CUSTOMER, claim=Claim.LOST, words="丢了", said_at=sample.now, by=AGENT
    )
    after = row(sample, "numbering").verdict
    assert "customer" in before["missing"]
    assert "customer" in after["agree"]
    with for_shops([sample.shop_id]):
        assert Statement.objects.filter(case_id=sample.ids["numbering"]).count() == 1


@pytest.mark.parametrize(
    ("source", "hours", "code"),
    [(Source.TRACKING, 0, "tracking_speaks_for_itself"), (Source.CARRIER, 1, "said_in_the_future")],
)
def test_statements_that_make_no_sense(sample: Sample, source: Source, hours: int, code: str) -> None:
    with pytest.raises(Refused) as told:
        actions.add_statement(
            **ids(sample, "fresh"),
            source=source,
            claim=Claim.LOST,
            words="",
            said_at=sample.now + timedelta(hours=hours),
            by=AGENT,
        )
    assert told.value.why.code == code


def test_facts_that_mean_nothing_to_a_case_change_nothing(sample: Sample) -> None:
    before = row(sample, "fresh").version
    assert actions.react(**ids(sample, "fresh"), event=Action.REISSUE_DELIVERED) is None
    assert row(sample, "fresh").version == before


def test_a_case_that_nobody_touched_and_nothing_is_wrong_with_closes_as_recovered(sample: Sample) -> None:
    fresh = row(sample, "fresh")
    with for_shops([sample.shop_id]):
        Statement.objects.filter(case=fresh).delete()
        Finding.objects.filter(parcel_id=fresh.parcel_id).update(state="cleared", cleared_at=sample.now)
    done = actions.react(**ids(sample, "fresh"), event=actions.FINDINGS_CHANGED)
    assert done is not None
    assert (done.state, row(sample, "fresh").outcome) == (CaseState.CLOSED, Outcome.RECOVERED)


def test_a_dismissed_finding_leaves_the_case(sample: Sample) -> None:
    page = queries.case_page(sample.shop_id, sample.cases["numbering"], Role.AGENT, sample.now)
    assert page is not None
    for finding in page.findings:
        putting_off.dismiss(shop_id=sample.shop_id, finding_id=finding.finding_id, by=AGENT, reason="网点确认件在途")
    with for_shops([sample.shop_id]):
        states = set(Finding.objects.filter(parcel_id=page.original.parcel_id).values_list("state", flat=True))
    assert states == {"dismissed"}
    with pytest.raises(Refused):
        finding_id = page.findings[0].finding_id
        putting_off.dismiss(shop_id=sample.shop_id, finding_id=finding_id, by=AGENT, reason=" ")


def test_closing_and_reopening(sample: Sample) -> None:
    closed = row(sample, "closed")
    assert (closed.state, closed.outcome, closed.closed_by) == ("closed", "other", "林")
    actions.act(**ids(sample, "closed"), action=Action.REOPEN, by=AGENT, reason="又说没收到")
    again = row(sample, "closed")
    assert (again.state, again.step, again.round, again.outcome, again.closed_at) == (
        "determining",
        "determine",
        1,
        "",
        None,
    )


def test_no_second_open_case_by_reopening(sample: Sample) -> None:
    closed = row(sample, "closed")
    other = actions.open_case(shop_id=sample.shop_id, parcel_id=closed.parcel_id)
    with pytest.raises(Refused) as told:
        actions.act(**ids(sample, "closed"), action=Action.REOPEN, by=AGENT, reason="又来了")
    assert told.value.why.code == "other_case_open"
    assert told.value.why.params["case_code"] == queries.cases_by_id([sample.shop_id], [other])[other].code


def test_what_a_decision_asks_of_other_rooms_waits_on_the_case(sample: Sample) -> None:
    done = actions.react(**ids(sample, "following"), event=Action.REISSUE_DELIVERED)
    assert done is not None
    assert row(sample, "following").todo == [
        {"kind": "send_notice", "params": {"purpose": "reissue_delivered", "channel": ""}}
    ]
    assert queries.with_todo([sample.shop_id]) == {sample.shop_id: [sample.ids["following"]]}
    assert len(actions.take_todo(**ids(sample, "following"))) == 1
    assert actions.take_todo(**ids(sample, "following")) == ()
    assert queries.with_todo([sample.shop_id]) == {}


def test_a_role_without_the_right_is_refused_by_the_case_itself(sample: Sample) -> None:
    finance = Actor(9, "吴", Role.FINANCE)
    with pytest.raises(Refused) as told:
        actions.act(**ids(sample, "fresh"), action=Action.NOTE, by=finance, text="看看")
    assert told.value.why.code == "not_allowed"
    with pytest.raises(Refused) as told:
        actions.act(**ids(sample, "fresh"), action=Action.SUBMISSION_ACCEPTED, by=LEAD)
    assert told.value.why.code in {"action_not_here", "system_only"}
    with pytest.raises(Refused) as told:
        actions.act(**ids(sample, "fresh"), action=Action.CONFIRM_VERDICT, by=SYSTEM, claim=Claim.LOST)
    assert told.value.why.code == "people_only"


# --- reading ---------------------------------------------------------------------------------------------------------


def test_today_counts_each_step(sample: Sample) -> None:
    seen = queries.today([sample.shop_id], sample.now)
    assert {one.step: one.count for one in seen.steps} == {
        "determine": 1,
        "negotiate": 1,
        "number": 3,
        "notify": 1,
        "follow": 1,
    }
    assert seen.open_cases == 7
    assert [one.at for one in seen.money] == sorted(one.at for one in seen.money)
    assert all(one.at > sample.now for one in seen.money)


def test_a_list_is_read_page_by_page_without_gap_or_repeat(sample: Sample) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = queries.case_list([sample.shop_id], CaseFilters(state="all"), cursor, 3)
        found += [one.code for one in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert sorted(found) == sorted(sample.cases.values())
    assert len(page.rows) == 2


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (CaseFilters(step="notify"), {"telling"}),
        (CaseFilters(state="closed"), {"closed"}),
        (CaseFilters(state="submitting"), {"submitting", "unknown"}),
        (CaseFilters(measure="chase"), {"asking"}),
        (CaseFilters(text="0001", state="all"), {"fresh"}),
    ],
)
def test_filters(sample: Sample, filters: CaseFilters, names: set[str]) -> None:
    page = queries.case_list([sample.shop_id], filters, now=sample.now)
    assert {one.code for one in page.rows} == {sample.cases[name] for name in names}


@pytest.mark.parametrize("cursor", ["~", "nonsense", "2026-01-01~x", "2026-01-01T00:00:00~1"])
def test_a_cursor_that_nobody_gave_out_is_the_first_page(sample: Sample, cursor: str) -> None:
    first = queries.case_list([sample.shop_id], CaseFilters())
    assert queries.case_list([sample.shop_id], CaseFilters(), cursor).rows == first.rows


def test_search_finds_by_code_waybill_order_and_phone_tail(sample: Sample) -> None:
    fresh = queries.cases_by_id([sample.shop_id], [sample.ids["fresh"]])[sample.ids["fresh"]]
    for text in (fresh.code, fresh.code.lower(), fresh.number, fresh.number[:-1], fresh.order_number):
        assert fresh.code in {hit.case_code for hit in queries.find([sample.shop_id], text)}
    by_phone = queries.find([sample.shop_id], "5678")
    assert {"phone"} == {hit.matched for hit in by_phone}
    assert queries.find([sample.shop_id], "") == ()


def test_another_shops_cases_are_not_there(sample: Sample) -> None:
    other = make_sample("别家店", prefix="x")
    assert queries.case_page(other.shop_id, "C-20261120-0009", Role.OWNER, sample.now) is None
    with pytest.raises(Case.DoesNotExist):
        actions.act(shop_id=other.shop_id, case_id=sample.ids["fresh"], action=Action.NOTE, by=LEAD, text="x")
    codes = {one.case_id for one in queries.case_list([other.shop_id], CaseFilters(state="all")).rows}
    assert not codes & set(sample.ids.values())
