"""A provider without push is asked by plan, over the wire: within the budget, nearest deadline first, never twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import asking
from bufa.apps.parcels.models import Parcel, Subscription, TrackingCall
from bufa.apps.shops import actions as shop_actions
from bufa.domain.asking import STRETCH
from bufa.domain.outcome import Refused
from bufa.jobs import tracking
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_shipped, make_shop
from tests.jobs.conftest import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: World) -> int:
    shop = make_shop()
    shop_actions.connect(
        shop_id=shop, kind="kuaidi100", settings={**world.hello["kuaidi100"], "follow": "ask", "calls_per_hour": 12}
    )
    return shop


def shipped(world: World, shop: int, count: int) -> list[Parcel]:
    """Parcels of the simulated world, as orders of a shop."""
    orders = []
    for n in range(count):
        made = world.control("orders", {"carrier": "yuantong", "fate": "delivered"})
        orders.append(make_shipped(f"69{n:04}", made["number"], carrier="yuantong"))
    take_in(shop_id=shop, orders=orders, now=world.now)
    with for_shops([shop]):
        return list(Parcel.objects.order_by("id"))


def calls(shop: int) -> list[tuple[int, str, str | None]]:
    with for_shops([shop]):
        return list(TrackingCall.objects.order_by("asked_at", "id").values_list("parcel_id", "why", "failure"))


def test_the_plan_asks_the_nearest_deadline_first_and_stays_within_its_budget(world: World, shop: int) -> None:
    parcels = shipped(world, shop, 4)
    now = world.advance(hours=20)
    with for_shops([shop]):
        for parcel, hours in zip(parcels, (30, 3, 9, 1), strict=True):
            Parcel.objects.filter(id=parcel.pk).update(next_deadline=now + timedelta(hours=hours), created_at=now)
    with clock.frozen(now):
        assert tracking.subscribe_some(shop, now) == 0  # nothing is subscribed where nothing is pushed
        assert tracking.ask_planned(shop, now) == 1
        assert tracking.ask_planned(shop, now) == 0
    for n in (1, 2, 3):
        with clock.frozen(now + STRETCH * n):
            assert tracking.ask_planned(shop, now + STRETCH * n) == 1
    first = [parcels[n].pk for n in (3, 1, 2)]
    assert [parcel_id for parcel_id, _, _ in calls(shop)][:3] == first
    assert {(why, failure) for _, why, failure in calls(shop)[:3]} == {("deadline", "")}
    with for_shops([shop]):
        assert Parcel.objects.get(id=parcels[3].pk).last_scan_at is not None
    plan = asking.plan(shop, now + STRETCH * 4, frozenset())
    assert (plan.spent, plan.left, plan.wanting, plan.paused_until) == (4, 8, 4, None)
    assert [one.number for one in plan.coming]


def test_a_customer_who_waits_comes_before_a_far_deadline(world: World, shop: int) -> None:
    near, far, waits = shipped(world, shop, 3)
    now = world.now
    with for_shops([shop]):
        Parcel.objects.filter(id=near.pk).update(next_deadline=now + timedelta(minutes=40), created_at=now)
        Parcel.objects.filter(id=far.pk).update(next_deadline=now + timedelta(hours=15), created_at=now)
        Parcel.objects.filter(id=waits.pk).update(next_deadline=now + timedelta(hours=90), created_at=now)
    plan = asking.plan(shop, now, frozenset({waits.order_id}))
    assert [(one.turn.parcel_id, one.turn.why.value) for one in plan.coming] == [
        (near.pk, "deadline"),
        (waits.pk, "customer"),
        (far.pk, "deadline"),
    ]


def test_a_failing_provider_is_left_alone_and_taken_up_again(world: World, shop: int) -> None:
    shipped(world, shop, 3)
    now = world.advance(hours=20)
    world.control("trouble", {"kind": "http500", "service": "kuaidi100"})
    with clock.frozen(now):
        assert tracking.ask_planned(shop, now) == 1
    plan = asking.plan(shop, now, frozenset())
    assert (plan.paused_by, plan.paused_until) == ("http", now + timedelta(minutes=1))
    first = calls(shop)[0][0]
    later = now + STRETCH
    with clock.frozen(later):
        assert tracking.ask_planned(shop, later) == 1
    assert [failure for _, _, failure in calls(shop)] == ["http", ""]
    assert calls(shop)[1][0] != first
    with for_shops([shop]):
        waiting = Subscription.objects.get(parcel_id=first)
    assert (waiting.query_failures, waiting.query_after, waiting.error) == (1, now + timedelta(minutes=30), "http")


def test_a_person_may_ask_now_within_the_hour_s_calls(
    world: World, shop: int, django_capture_on_commit_callbacks: Any
) -> None:
    parcels = shipped(world, shop, 14)
    now = world.advance(hours=20)
    with clock.frozen(now), django_capture_on_commit_callbacks(execute=False):
        for parcel in parcels[:12]:
            asking.refresh_tracking(shop_id=shop, parcel_id=parcel.pk, by="operator:1", now=now)
        with pytest.raises(Refused, match="budget_spent") as caught:
            asking.refresh_tracking(shop_id=shop, parcel_id=parcels[12].pk, by="operator:1", now=now)
        assert tracking.ask_planned(shop, now) == 0
        report = tracking.query_one(shop, parcels[0].pk, now)
    assert caught.value.why.params["again_at"] == (now + timedelta(hours=1)).isoformat()
    assert report is not None
    assert report.scans
    assert calls(shop)[0] == (parcels[0].pk, "person", "")


def test_a_worker_that_died_has_spent_its_call_and_nothing_is_asked_twice(world: World, shop: int) -> None:
    parcels = shipped(world, shop, 2)
    now = world.advance(hours=20)
    with clock.frozen(now):
        taken = asking.claim_next(shop, now, frozenset())  # and here the worker dies
        assert taken is not None
        assert tracking.ask_planned(shop, now + STRETCH) == 1
    asked = [parcel_id for parcel_id, _, _ in calls(shop)]
    assert sorted(asked) == sorted(parcel.pk for parcel in parcels)
    assert calls(shop)[0][2] is None
    plan = asking.plan(shop, now + STRETCH, frozenset())
    assert plan.spent == 2


def test_where_the_provider_pushes_only_what_it_does_not_follow_is_asked_about(world: World, shop: int) -> None:
    shop_actions.connect(
        shop_id=shop, kind="kuaidi100", settings={**world.hello["kuaidi100"], "follow": "push", "calls_per_hour": 60}
    )
    followed, failed = shipped(world, shop, 2)
    now = world.advance(hours=20)
    with for_shops([shop]):
        Subscription.objects.filter(parcel=followed).update(state="active")
        Subscription.objects.filter(parcel=failed).update(state="failed")
    with clock.frozen(now):
        tracking.ask_planned(shop, now)
    assert [parcel_id for parcel_id, _, _ in calls(shop)] == [failed.pk]
    assert asking.turn_of(shop, followed.pk, now, frozenset()) is None
    coming = asking.turn_of(shop, failed.pk, now, frozenset())
    assert coming is not None
    assert coming.at > now


def test_old_calls_are_forgotten_and_lost_jobs_come_back(
    world: World, shop: int, django_capture_on_commit_callbacks: Any
) -> None:
    (parcel,) = shipped(world, shop, 1)
    now = world.now
    with for_shops([shop]):
        for days in (1, 8):
            TrackingCall.objects.create(
                shop_id=shop, parcel=parcel, provider="kuaidi100", asked_at=now - timedelta(days=days), why="turn",
                by="system", failure="",
            )  # fmt: skip
    assert tracking.forget_calls(now) == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert tracking.wake_plans(now) == 1
