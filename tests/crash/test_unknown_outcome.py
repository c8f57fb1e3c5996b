"""What arrived without an answer is found by reading back, however late that shows it; a worker that everybody took for
dead sends nothing when it wakes up."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import timedelta

import pytest

from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries
from bufa.apps.effects.models import Effect
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues.models import Reissue
from bufa.jobs import effects as jobs
from bufa.jobs.status import status
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests import proofs
from tests.crash.acts import KINDS
from tests.crash.dying import LONG, Victims, until_stopped
from tests.factories.journey import LEAD, Ready, connected_shop, forms_filled, press_submit
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

METHODS = {"ticket": "afterSale.fillLogistics", "extra_package": "order.uploadextrapackage"}
SUBMISSIONS = 100 if LONG else 8  # on each route
ZOMBIES = 50 if LONG else 9  # on each route
LAG = 60
PATIENCE = 4.0


def calls(world: World, method: str) -> int:
    return len(world.http.get(world.hello["ledger"], params={"method": method}).json())


def states(shop: int) -> Counter[tuple[str, str]]:
    with for_shops([shop]):
        rows = Effect.objects.filter(kind__in=["resend", "extra_package", "add_pack"]).values_list(
            "state", "settled_by"
        )
        return Counter(rows)


def numbers(world: World, ready: Ready) -> list[str]:
    return [each["number"] for each in world.control(f"orders/{ready.order}")["submissions"]]


@pytest.mark.parametrize("route", METHODS)
def test_all_arrive_and_no_answer_comes_back(world: World, route: str) -> None:
    """The platform applies every submission, says nothing, and shows it up to a minute later: all are settled within
    the schedule of 5 s, 30 s and 5 min, and each was called for once."""
    shop = connected_shop(world)
    ready = [press_submit(world, each) for each in forms_filled(world, shop, SUBMISSIONS, **KINDS[route])]
    world.control("platform", {"lag": LAG})
    before = calls(world, METHODS[route])
    wish = {"service": "doudian", "method": METHODS[route], "kind": "reply_lost", "times": SUBMISSIONS}
    world.control("trouble", wish)
    with clock.frozen(world.now):
        while jobs.carry_out(shop):
            pass
    assert states(shop) == {("unknown", ""): SUBMISSIONS}
    ids = [each.effect_id for each in ready]
    settled = []
    for seconds in (5, 25, 270):
        with clock.frozen(world.advance(seconds=seconds)):
            jobs.settle_unknown(shop, ids)
            jobs.carry_out(shop)
        settled.append(states(shop)[("accepted", "read_back")])
    world.control("platform", {"lag": 0})
    assert settled[-1] == SUBMISSIONS
    assert settled[0] < SUBMISSIONS  # or nothing lagged and this showed nothing
    assert calls(world, METHODS[route]) - before == SUBMISSIONS
    assert [numbers(world, each) for each in ready] == [[each.number] for each in ready]
    assert status([shop])["violations"] == []
    proofs.count(
        submissions=SUBMISSIONS, settled=settled[-1], after_5_s=settled[0], after_30_s=settled[1], sent_again=0
    )


@pytest.mark.parametrize("route", METHODS)
def test_reading_back_that_fails_sends_nothing_again(world: World, route: str) -> None:
    """With reading back down, too, the effect stays unknown and a person is asked; still nothing is sent again."""
    shop = connected_shop(world)
    (filled,) = forms_filled(world, shop, 1, **KINDS[route])
    ready = press_submit(world, filled)
    reading = {"ticket": "afterSale.Detail", "extra_package": "order.queryOrderPackageInfo"}[route]
    before = calls(world, METHODS[route])
    world.control("trouble", {"service": "doudian", "method": METHODS[route], "kind": "reply_lost"})
    world.control("trouble", {"service": "doudian", "method": reading, "kind": "http500", "times": 3})
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        for _ in range(3):
            jobs.settle_unknown(shop, [ready.effect_id])
        jobs.carry_out(shop)
    with for_shops([shop]):
        effect = Effect.objects.get(id=ready.effect_id)
    assert (effect.state, effect.needs_person, effect.error["why"]) == ("unknown", True, "http")
    assert queries.due_ready([shop]) == {}
    assert calls(world, METHODS[route]) - before == 1


@pytest.mark.parametrize("route", [*METHODS, "add_pack"])
def test_zombies(world: World, route: str) -> None:
    """Workers stop in the middle of an attempt; the lease runs out, others take over, a person presses again where
    nothing arrived; then the stopped ones go on. None sends a second time, none changes what was settled."""
    shop = connected_shop(world)
    cases = forms_filled(world, shop, ZOMBIES, **KINDS[route])
    ready: list[Ready] = []
    with Victims(world.hello["control"] + "/clock") as victims:
        zombies = []
        for at, case in enumerate(cases):
            each = press_submit(world, case)
            pid = victims.start(
                "carry_out",
                shop_id=shop, effect_id=each.effect_id, at=2 + at % 9, signal="SIGSTOP", leave_within=PATIENCE,
            )  # fmt: skip
            if until_stopped(pid):
                zombies.append((pid, case))
                ready.append(each)
            else:  # so slow a machine that it gave up before the point at which it was to stop: no zombie
                victims.wait(pid)
        with clock.frozen(world.now):
            jobs.rescue([shop], real=effects.real_now() + timedelta(seconds=31))
            for _ in range(3):
                jobs.settle_unknown(shop, [each.effect_id for each in ready])
            again = 0
            for (_, case), each in zip(zombies, ready, strict=True):
                with for_shops([shop]):
                    row = Reissue.objects.get(id=each.reissue_id)
                if row.state == "unknown":
                    assert numbers(world, each) == []
                    reissues.release(shop_id=shop, reissue_id=row.pk, is_there=False, reason="平台上没有", by=LEAD)
                    jobs.carry_out(shop, [press_submit(world, case).effect_id])
                    again += 1
            before = states(shop)
            time.sleep(PATIENCE)  # the youngest zombie's time to leave is over, too
            for pid, _ in zombies:
                os.kill(pid, signal.SIGCONT)
            # 70: it was stopped inside a transaction, and the database had long hung up on it
            assert {victims.wait(pid) for pid, _ in zombies} <= {0, 70}
    if route == "add_pack":
        assert again == 0  # an unknown first shipment is settled by asking with its own request id
    else:
        assert 0 < again < len(zombies)  # some were stopped before they sent, some after
    assert states(shop) == before
    assert [numbers(world, each) for each in ready] == [[each.number] for each in ready]
    assert status([shop])["violations"] == []
    assert len(zombies) >= ZOMBIES * 2 / 3
    proofs.count(zombies=len(zombies), second_submits=0)
