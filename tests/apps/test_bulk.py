"""Many reissues at once: judged like one, submitted once each, stopped, gone on with, never twice."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.effects.models import Effect
from bufa.apps.reissues import actions, bulk, bulk_queries
from bufa.apps.reissues.bulk_check import SheetRow, check_rows
from bufa.apps.reissues.models import BulkRow, BulkRun, Reissue
from bufa.domain.bulk import PACE, RowState
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.reissues import Answer
from bufa.jobs import bulk as job
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample

FRESH = "YT8888000000001"
WHY = "客户急用，先发"


@pytest.fixture
def lead(sample: Sample) -> Actor:
    return person(sample, "lead", Role.LEAD)


def person(sample: Sample, login: str, role: Role) -> Actor:
    from bufa.apps.shops import queries as shops

    member = next(one for one in shops.members([sample.shop_id]) if one.login == sample.people[login])
    return Actor(member.operator_id, member.display_name, role)


def sheet(sample: Sample, *rows: tuple[str, str]) -> list[SheetRow]:
    return [
        SheetRow(at, sample.cases.get(name, name), "圆通" if number.startswith("YT") else "", number)
        for at, (name, number) in enumerate(rows, start=2)
    ]


def looked_through(sample: Sample, by: Actor, *rows: tuple[str, str], key: str = "k1") -> int:
    return bulk.look_through(shop_id=sample.shop_id, key=key, name="补发.xlsx", rows=sheet(sample, *rows), by=by)


def begun(sample: Sample, lead: Actor) -> dict[str, int]:
    about = {"shop_id": sample.shop_id, "run_id": looked_through(sample, lead, ("numbering", FRESH))}
    assert bulk.choose(**about, by=lead, take=True, row=2) == 1
    assert bulk.start(**about, by=lead, override_reason=WHY) == 1
    return about


def only_row(about: dict[str, int]) -> bulk_queries.RowView:
    (row,) = bulk_queries.rows_of(**about)
    return row


def test_each_row_says_what_will_come_of_it(sample: Sample, lead: Actor) -> None:
    rows = sheet(
        sample, ("numbering", FRESH), ("nobody", "YT8888000000002"), ("following", "YT8888000000003"), ("telling", "")
    )
    found = check_rows(sample.shop_id, rows, Role.LEAD, sample.now)
    assert [(one.state, one.verdict) for one in found] == [
        (RowState.LEFT_OUT, Answer.PUNISHED_LATER),  # late, and no ticket: only with a lead's reason
        (RowState.REFUSED, Answer.REFUSED),
        (RowState.REFUSED, Answer.REFUSED),
        (RowState.REFUSED, Answer.REFUSED),
    ]
    assert found[1].whys[0].code == "no_case_there"
    assert "action_not_here" in {why.code for why in found[2].whys}
    assert {"action_not_here", "number_missing"} <= {why.code for why in found[3].whys}
    assert not {"range_waiting", "range_not_asked"} & {why.code for one in found[1:] for why in one.whys}


def test_what_an_agent_may_not_submit_is_refused_at_once(sample: Sample) -> None:
    (found,) = check_rows(sample.shop_id, sheet(sample, ("numbering", FRESH)), Role.AGENT, sample.now)
    assert (found.state, found.whys[0].code) == (RowState.REFUSED, "ask_role")


def test_twice_in_one_sheet_is_nobodys_guess(sample: Sample) -> None:
    rows = sheet(sample, ("numbering", FRESH), ("numbering", "YT8888000000002"), ("following", "YT8888000000002"))
    found = check_rows(sample.shop_id, rows, Role.LEAD, sample.now)
    codes = [{why.code for why in one.whys} for one in found]
    assert "case_twice_in_sheet" in codes[0]
    assert "number_twice_in_sheet" not in codes[0]
    assert {"case_twice_in_sheet", "number_twice_in_sheet"} <= codes[1]
    assert "number_twice_in_sheet" in codes[2]
    assert {one.state for one in found} == {RowState.REFUSED}


def test_an_order_number_names_its_open_case_and_a_guessed_carrier_is_said(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        order = Case.objects.get(id=sample.ids["numbering"]).order.number
    (found,) = check_rows(sample.shop_id, [SheetRow(2, order, "", FRESH)], Role.LEAD, sample.now)
    assert found.case is not None
    assert found.case.code == sample.cases["numbering"]
    assert found.form is not None
    assert found.form.carrier == "yuantong"
    assert "carrier_guessed" in {why.code for why in found.whys}


def test_the_questions_do_not_grow_with_the_rows(sample: Sample) -> None:
    def asked(*names: str) -> int:
        rows = sheet(sample, *((name, f"YT88880000001{at:02d}") for at, name in enumerate(names)))
        with CaptureQueriesContext(connection) as caught:
            check_rows(sample.shop_id, rows, Role.LEAD, sample.now)
        return len(caught)

    asked("numbering")
    assert asked("numbering", "submitting", "telling", "following", "asking") == asked("numbering")


def test_the_same_form_twice_is_one_run(sample: Sample, lead: Actor) -> None:
    first = looked_through(sample, lead, ("numbering", FRESH))
    assert looked_through(sample, lead, ("numbering", FRESH)) == first
    assert looked_through(sample, lead, ("numbering", FRESH), key="k2") != first


def test_what_will_be_punished_needs_a_reason(sample: Sample, lead: Actor) -> None:
    about = {"shop_id": sample.shop_id, "run_id": looked_through(sample, lead, ("numbering", FRESH))}
    with pytest.raises(Refused, match="nothing_chosen"):
        bulk.start(**about, by=lead)
    bulk.choose(**about, by=lead, take=True, verdict="punished_later")
    with pytest.raises(Refused, match="gate_needs_reason"):
        bulk.start(**about, by=lead)
    assert bulk.start(**about, by=lead, override_reason=WHY) == 1
    assert bulk.start(**about, by=lead, override_reason=WHY) == 0  # the second press


def test_a_row_is_submitted_once_with_its_result(sample: Sample, lead: Actor) -> None:
    about = begun(sample, lead)
    assert only_row(about).result == "waiting"
    assert job.work_off(**about) is True
    assert bulk.submit_next(**about) is False
    row = only_row(about)
    assert (row.result, row.state) == ("submitting", "submitted")
    with for_shops([sample.shop_id]):
        reissue = Reissue.objects.get(code=row.reissue_code)
        assert (reissue.case_id, reissue.number, reissue.override_reason) == (sample.ids["numbering"], FRESH, WHY)
        assert Effect.objects.filter(subject=f"reissue:{reissue.pk}").count() == 1
    run = bulk_queries.run_view(**about)
    assert run is not None
    assert (run.state, run.is_moving) == ("done", True)


def test_two_runs_of_one_sheet_submit_it_once(sample: Sample, lead: Actor) -> None:
    one = begun(sample, lead)
    two = one | {"run_id": looked_through(sample, lead, ("numbering", FRESH), key="k2")}
    bulk.choose(**two, by=lead, take=True, row=2)
    bulk.start(**two, by=lead, override_reason=WHY)
    assert (job.work_off(**one), job.work_off(**two)) == (True, True)
    row = only_row(two)
    assert (row.result, len(row.whys)) == ("failed", 1)
    with for_shops([sample.shop_id]):
        assert (
            Effect.objects.filter(kind="extra_package", subject__startswith="reissue:")
            .filter(
                subject__in=[f"reissue:{each.pk}" for each in Reissue.objects.filter(case_id=sample.ids["numbering"])]
            )
            .count()
            == 1
        )


def test_a_crash_in_the_middle_of_a_row_leaves_it_waiting(
    sample: Sample, lead: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = begun(sample, lead)
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(actions.audit, "record", _killed)
        bulk.submit_next(**about)
    assert only_row(about).result == "waiting"
    with for_shops([sample.shop_id]):
        assert not Reissue.objects.filter(case_id=sample.ids["numbering"]).exists()
    assert job.wake([sample.shop_id]) == 1  # the sweep finds it from the rows
    assert job.work_off(**about) is True
    assert only_row(about).result == "submitting"


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_stopped_taken_back_and_gone_on_with(sample: Sample, lead: Actor) -> None:
    about = begun(sample, lead)
    job.work_off(**about)
    assert only_row(about).seconds > 0
    assert bulk.stop(**about, by=lead) == (0, 1)
    run = bulk_queries.run_view(**about)
    assert run is not None
    assert (run.state, run.results) == ("stopped", {"stopped": 1})
    assert bulk.go_on(**about, by=lead) == 1
    job.work_off(**about)
    assert only_row(about).result == "submitting"  # its number was tried by this very case, so it may go again
    assert bulk.take_back(**about, row=2, by=lead) is True
    assert bulk.take_back(**about, row=2, by=lead) is False


def test_stopping_keeps_back_what_waits(sample: Sample, lead: Actor) -> None:
    about = begun(sample, lead)
    assert bulk.stop(**about, by=lead) == (1, 0)
    assert bulk.submit_next(**about) is False
    with pytest.raises(Refused, match="run_has_begun"):
        bulk.choose(**about, by=lead, take=False, row=2)


def test_who_lost_the_right_submits_nothing_more(sample: Sample, lead: Actor) -> None:
    about = begun(sample, lead)
    with for_shops([sample.shop_id]):
        BulkRun.objects.update(operator_id=0)  # a member no more
    job.work_off(**about)
    assert (only_row(about).result, only_row(about).whys[0].code) == ("failed", "people_only")


def test_other_shops_see_no_run(sample: Sample, lead: Actor) -> None:
    about = begun(sample, lead)
    with for_shops([sample.shop_id + 1]):
        assert not BulkRun.objects.exists()
        assert not BulkRow.objects.exists()
    assert bulk_queries.run_view(sample.shop_id + 1, about["run_id"]) is None
    assert PACE.total_seconds() > 0
