"""Submitting once, or knowing that it is unknown: every route, every trouble, against the platform's own ledger."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries
from bufa.apps.effects.models import Attempt, Effect, Pace
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops.clients import client_for
from bufa.domain.effects import Result
from bufa.domain.outcome import Refused
from bufa.jobs import effects as jobs
from bufa.lib import clock
from bufa.lib.crypto import unseal
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, Ready, connected_shop, reissue_ready
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]

METHOD = {True: "afterSale.fillLogistics", False: "order.uploadextrapackage"}


@pytest.fixture
def shop(world: World) -> int:
    return connected_shop(world)


def effect(ready: Ready) -> Effect:
    with for_shops([ready.shop_id]):
        return Effect.objects.get(id=ready.effect_id)


def reissue_state(ready: Ready) -> str:
    with for_shops([ready.shop_id]):
        return Reissue.objects.get(id=ready.reissue_id).state


def sent(world: World, ready: Ready) -> list[str]:
    """The numbers that the platform took for this order, in order."""
    return [each["number"] for each in world.control(f"orders/{ready.order}")["submissions"]]


def asked(world: World, ticket: bool) -> int:
    """How often the method was called, taken or not."""
    return len(world.http.get(world.hello["ledger"], params={"method": METHOD[ticket]}).json())


def trouble(world: World, ticket: bool, kind: str, **more: Any) -> None:
    world.control("trouble", {"service": "doudian", "method": METHOD[ticket], "kind": kind, "times": 1, **more})


@pytest.mark.parametrize("ticket", [True, False])
def test_an_accepted_submission_becomes_a_parcel_that_is_followed(world: World, shop: int, ticket: bool) -> None:
    ready = reissue_ready(world, shop, ticket=ticket)
    with clock.frozen(world.now):
        assert jobs.carry_out(shop) == 1
        assert jobs.carry_out(shop) == 0
    assert effect(ready).state == "accepted"
    assert effect(ready).settled_by == "answer"
    assert sent(world, ready) == [ready.number]
    with for_shops([shop]):
        row = Reissue.objects.get(id=ready.reissue_id)
        assert row.state == "accepted"
        assert row.parcel is not None
        assert (row.parcel.role, row.parcel.number, row.case.state) == ("reissue", ready.number, "telling")


@pytest.mark.parametrize("ticket", [True, False])
@pytest.mark.parametrize("kind", ["reply_lost", "20000", "http500"])
def test_a_lost_answer_is_unknown_and_read_back_never_sent_again(
    world: World, shop: int, ticket: bool, kind: str
) -> None:
    ready = reissue_ready(world, shop, ticket=ticket)
    trouble(world, ticket, kind)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        assert (effect(ready).state, reissue_state(ready)) == ("unknown", "unknown")
        assert jobs.carry_out(shop) == 0
        arrived = sent(world, ready) == [ready.number]
        assert arrived == (kind == "reply_lost")
        jobs.settle_unknown(shop, [ready.effect_id])
    assert asked(world, ticket) == 1
    if arrived:
        assert (effect(ready).state, effect(ready).settled_by) == ("accepted", "read_back")
        assert reissue_state(ready) == "accepted"
    else:
        assert effect(ready).state == "unknown"


def test_another_extra_package_of_the_order_settles_nothing(world: World, shop: int) -> None:
    """The platform marks a package as a reissue; whose it is, only carrier and number tell."""
    ready = reissue_ready(world, shop, ticket=False)
    other = world.control("waybills", {"carrier": "zhongtong", "order_id": ready.order})["number"]
    client = client_for(shop, "doudian")
    line = world.control(f"orders/{ready.order}")["lines"][0]["sub_id"]
    client.add_extra_package(ready.order, ((line, 1),), "zhongtong", other, "")
    trouble(world, False, "20000")
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        for _ in range(3):
            jobs.settle_unknown(shop, [ready.effect_id])
    assert (effect(ready).state, effect(ready).needs_person) == ("unknown", True)
    assert sent(world, ready) == [other]


def test_the_answer_is_kept_whatever_it_says(world: World, shop: int) -> None:
    ready = reissue_ready(world, shop, ticket=True)
    trouble(world, True, "20000")
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    with for_shops([shop]):
        kept = bytes(Attempt.objects.get(effect_id=ready.effect_id).answer)
    assert json.loads(unseal(shop, kept, where=f"effects_attempt.answer:{ready.effect_id}.1"))["code"] == 20000


def test_what_reading_cannot_settle_waits_for_a_person(world: World, shop: int) -> None:
    ready = reissue_ready(world, shop, ticket=False)
    trouble(world, False, "20000")
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        for reads in (1, 2, 3):
            assert effect(ready).needs_person is False
            jobs.settle_unknown(shop, [ready.effect_id])
            assert effect(ready).reads == reads
        assert effect(ready).needs_person is True
        assert queries.due_reads([shop]) == {}
        reissues.release(shop_id=shop, reissue_id=ready.reissue_id, is_there=False, reason="平台上没有", by=LEAD)
        with pytest.raises(Refused):
            reissues.release(shop_id=shop, reissue_id=ready.reissue_id, is_there=True, reason="又看了", by=LEAD)
    assert (effect(ready).state, reissue_state(ready)) == ("rejected", "rejected")
    assert (sent(world, ready), asked(world, False)) == ([], 1)


def test_too_many_calls_surely_had_no_effect_and_are_tried_again(world: World, shop: int) -> None:
    ready = reissue_ready(world, shop, ticket=True)
    trouble(world, True, "60000")
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        assert (effect(ready).state, effect(ready).attempt) == ("ready", 1)
        with for_shops([shop]):
            Effect.objects.update(next_at=None)
        assert jobs.carry_out(shop) == 0  # the whole kind of call goes slower, not only this one
        with for_shops([shop]):
            assert Pace.objects.get().pause_ms == 500
            Effect.objects.update(next_at=None)
            Pace.objects.update(free_at=effects.real_now())  # the pause asked for is over
        jobs.carry_out(shop)
    assert (effect(ready).state, effect(ready).attempt) == ("accepted", 2)
    assert (sent(world, ready), asked(world, True)) == ([ready.number], 2)
    with for_shops([shop]):
        assert Pace.objects.get().pause_ms == 375
        assert list(
            Attempt.objects.filter(effect_id=ready.effect_id).order_by("number").values_list("result", flat=True)
        ) == ["retry", "accepted"]


def test_a_worker_thought_dead_cannot_speak_up_later(world: World, shop: int) -> None:
    """The fence: rescued to unknown, and the zombie's yes changes nothing."""
    ready = reissue_ready(world, shop, ticket=True)
    with clock.frozen(world.now):
        begun = effects.begin(shop_id=shop, effect_id=ready.effect_id)
        assert begun is not None
        assert effects.begin(shop_id=shop, effect_id=ready.effect_id) is None
        late = effects.real_now() + timedelta(seconds=31)
        assert jobs.rescue([shop], real=late - timedelta(seconds=3)) == 0
        assert jobs.rescue([shop], real=late) == 1
        assert effect(ready).state == "unknown"
        finished = effects.finish(
            shop_id=shop, effect_id=ready.effect_id, attempt=begun.attempt, result=Result.ACCEPTED
        )
        assert finished is None
    assert (effect(ready).state, reissue_state(ready)) == ("unknown", "unknown")


def test_one_change_at_a_time_per_order(world: World, shop: int) -> None:
    ready = reissue_ready(world, shop, ticket=True)
    first = effect(ready)
    second = effects.want(
        shop_id=shop, kind="extra_package", key="other", subject="reissue:0", intent={}, by="周", lane=first.lane
    )
    assert queries.due_ready([shop]) == {shop: [ready.effect_id]}
    assert effects.begin(shop_id=shop, effect_id=second) is None
    assert effects.begin(shop_id=shop, effect_id=ready.effect_id) is not None
    assert effects.begin(shop_id=shop, effect_id=second) is None


def test_the_same_wish_is_one_effect(world: World, shop: int) -> None:
    wish = {"shop_id": shop, "kind": "resend", "key": "once", "subject": "reissue:1", "intent": {"n": 1}, "by": "周"}
    assert effects.want(**wish) == effects.want(**wish)


def test_a_submission_can_be_stopped_until_it_leaves(world: World, shop: int) -> None:
    ready = reissue_ready(world, shop, ticket=True)
    with clock.frozen(world.now):
        reissues.stop(shop_id=shop, reissue_id=ready.reissue_id, by=LEAD)
        assert jobs.carry_out(shop) == 0
        with pytest.raises(Refused):
            reissues.stop(shop_id=shop, reissue_id=ready.reissue_id, by=LEAD)
    assert (effect(ready).state, reissue_state(ready), sent(world, ready)) == ("cancelled", "cancelled", [])


def test_what_has_left_cannot_be_stopped(world: World, shop: int) -> None:
    """While it is being sent, and after it was: the answer is "already left", and nothing changes."""
    ready = reissue_ready(world, shop, ticket=True)
    with clock.frozen(world.now):
        begun = effects.begin(shop_id=shop, effect_id=ready.effect_id)
        assert begun is not None
        with pytest.raises(Refused) as caught:
            reissues.stop(shop_id=shop, reissue_id=ready.reissue_id, by=LEAD)
        assert caught.value.why.code == "already_left"
        assert (effect(ready).state, reissue_state(ready)) == ("sending", "submitting")
        jobs.rescue([shop], real=effects.real_now() + timedelta(seconds=31))
        assert effects.cancel(shop_id=shop, effect_id=ready.effect_id, by="周") is False
    assert (effect(ready).state, reissue_state(ready)) == ("unknown", "unknown")
