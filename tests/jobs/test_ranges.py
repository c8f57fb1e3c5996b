"""Asking the platform whether a carrier goes there: in the background, paced, and never taken for a yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bufa.apps.effects.models import Pace
from bufa.apps.reissues import actions, queries
from bufa.apps.reissues.models import RangeQuestion
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
