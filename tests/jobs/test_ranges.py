"""Asking the platform whether a carrier goes there: in the background, paced, and never taken for a yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bufa.apps.cases.actors import Actor
from bufa.apps.effects.models import Pace
from bufa.apps.reissues import actions, bulk, bulk_queries, queries
from bufa.apps.reissues.bulk_check import SheetRow
from bufa.apps.reissues.models import RangeQuestion
from bufa.apps.shops import actions as shops
from bufa.domain.kinds import Role
from bufa.domain.reissues import Answer, Check
from bufa.jobs import ranges as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, Filled, connected_shop, forms_filled
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]

ASK = "logistics.getOutRange"


@pytest.fixture
def filled(world: World) -> Filled:
    return forms_filled(world, connected_shop(world), 1, ticket=False)[0]


def check(world: World, filled: Filled, now: datetime | None = None) -> Check:
    now = now or world.now
    with clock.frozen(now):
        checked = queries.check_form(filled.shop_id, filled.case_id, filled.form, now)
    return next(one for one in checked.report.checks if one.code == "range")


def save(world: World, filled: Filled) -> None:
    with clock.frozen(world.now):
        actions.save_draft(shop_id=filled.shop_id, case_id=filled.case_id, form=filled.form, by=LEAD)


def asked(world: World) -> int:
    return len(world.http.get(world.hello["ledger"], params={"method": ASK}).json())


def work(world: World, filled: Filled) -> None:
    with clock.frozen(world.now):
        jobs.work_off(filled.shop_id)


def test_the_question_is_asked_once_and_its_answer_is_believed_for_a_day(world: World, filled: Filled) -> None:
    assert check(world, filled).why.code == "range_not_asked"
    save(world, filled)
    assert (check(world, filled).verdict, check(world, filled).why.code) == (Answer.CANNOT_TELL, "range_waiting")
    work(world, filled)
    assert check(world, filled).verdict is Answer.PASS
    save(world, filled)
    work(world, filled)
    assert asked(world) == 1
    assert check(world, filled, world.now + timedelta(hours=25)).why.code == "range_not_asked"
    world.advance(hours=25)
    save(world, filled)
    work(world, filled)
    assert asked(world) == 2
    assert check(world, filled).verdict is Answer.PASS


def test_out_of_range_is_said_in_the_platforms_words(world: World, filled: Filled) -> None:
    province = queries.open_draft(filled.shop_id, filled.case_id, world.now).recipient.province
    world.control("platform", {"out_of_range": {filled.form.carrier: [[province]]}})
    save(world, filled)
    work(world, filled)
    found = check(world, filled)
    assert (found.verdict, found.why.code) == (Answer.PUNISHED_LATER, "out_of_range")
    assert province in str(found.why.params["said"])


def test_too_fast_slows_the_shop_down_and_is_asked_again(world: World, filled: Filled) -> None:
    world.control("trouble", {"service": "doudian", "method": ASK, "kind": "60000", "times": 1})
    save(world, filled)
    work(world, filled)
    assert check(world, filled).why.code == "range_waiting"
    with for_shops([filled.shop_id]):
        pace = Pace.objects.get(kind="out_of_range")
        assert pace.pause_ms > 0
        Pace.objects.update(free_at=pace.free_at - timedelta(minutes=1))
        RangeQuestion.objects.update(next_at=None)
    work(world, filled)
    assert check(world, filled).verdict is Answer.PASS


@pytest.mark.parametrize(("kind", "times"), [("cut", 9), ("refused", 9)])
def test_what_nobody_answers_is_cannot_tell(world: World, filled: Filled, kind: str, times: int) -> None:
    world.control("trouble", {"service": "doudian", "method": ASK, "kind": kind, "times": times})
    save(world, filled)
    for _ in range(6):
        work(world, filled)
        with for_shops([filled.shop_id]):
            RangeQuestion.objects.filter(state="waiting").update(next_at=None)
    found = check(world, filled)
    assert (found.verdict, found.why.code) == (Answer.CANNOT_TELL, "range_no_answer")


def test_another_carrier_is_another_question(world: World, filled: Filled) -> None:
    save(world, filled)
    work(world, filled)
    other = replace(filled, form=replace(filled.form, carrier="yuantong"))
    assert check(world, other).why.code == "range_not_asked"


def test_a_lost_job_is_found_by_the_sweep(world: World, filled: Filled) -> None:
    save(world, filled)
    assert jobs.wake([filled.shop_id]) in (0, 1)
    with for_shops([filled.shop_id]):
        assert RangeQuestion.objects.get().state == "waiting"
    work(world, filled)
    assert jobs.wake([filled.shop_id]) == 0
    with for_shops([filled.shop_id]):
        assert RangeQuestion.objects.get().state == "answered"


def test_the_rows_of_a_sheet_ask_by_themselves_and_hear_their_answers(world: World) -> None:
    """Judged at once, then each row anew as soon as the platform has answered; nothing is asked twice."""
    shop = connected_shop(world)
    person = shops.add_operator(f"lead{shop}", "right-horse-battery", display_name="周")
    shops.add_member(shop_id=shop, operator_id=person, role=Role.LEAD, by="test")
    lead = Actor(person, "周", Role.LEAD)
    cases = forms_filled(world, shop, 3, ticket=True)
    places = [queries.open_draft(shop, one.case_id, world.now).recipient for one in cases]
    world.control("platform", {"out_of_range": {"zhongtong": [[places[0].province, places[0].city]]}})
    rows = [SheetRow(at, one.code, "zhongtong", one.number) for at, one in enumerate(cases, start=2)]
    with clock.frozen(world.now):
        run_id = bulk.look_through(shop_id=shop, key="k1", name="补发.xlsx", rows=rows, by=lead)
        view = bulk_queries.run_view(shop, run_id)
        assert view is not None
        assert (view.asking, view.verdicts) == (3, {"cannot_tell": 3})
        assert {why.code for row in bulk_queries.rows_of(shop, run_id) for why in row.whys} == {
            "range_waiting", "stock_not_kept",
        }  # fmt: skip
        jobs.work_off(shop)
        assert jobs.wake([shop]) == 0
        view = bulk_queries.run_view(shop, run_id)
    assert view is not None
    far = [(one.province, one.city) == (places[0].province, places[0].city) for one in places]
    told = [(row.verdict, row.state, [why.code for why in row.whys]) for row in bulk_queries.rows_of(shop, run_id)]
    out = ("punished_later", "left_out", ["out_of_range", "stock_not_kept"])
    served = ("cannot_tell", "ready", ["stock_not_kept"])
    assert told == [out if one else served for one in far]
    assert (view.asking, view.is_moving, asked(world)) == (0, False, 3)


def test_rows_whose_job_died_after_asking_are_found_by_the_sweep(world: World, filled: Filled) -> None:
    person = shops.add_operator("lead", "right-horse-battery", display_name="周")
    shops.add_member(shop_id=filled.shop_id, operator_id=person, role=Role.LEAD, by="test")
    save(world, filled)
    work(world, filled)
    with for_shops([filled.shop_id]):  # the answer is there, and the row has not heard it
        question = RangeQuestion.objects.get()
        RangeQuestion.objects.update(state="waiting", answered_at=None)
    rows = [SheetRow(2, filled.code, filled.form.carrier, filled.number)]
    with clock.frozen(world.now):
        lead = Actor(person, "周", Role.LEAD)
        run_id = bulk.look_through(shop_id=filled.shop_id, key="k", name="x", rows=rows, by=lead)
    with for_shops([filled.shop_id]):
        RangeQuestion.objects.update(state="answered", answered_at=question.answered_at)
    jobs.wake([filled.shop_id])
    work(world, filled)
    (row,) = bulk_queries.rows_of(filled.shop_id, run_id)
    assert not {"range_waiting", "range_not_asked"} & {why.code for why in row.whys}
    assert asked(world) == 1
