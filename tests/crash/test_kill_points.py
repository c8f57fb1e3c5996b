"""SIGKILL at every commit and send of a submission: never twice, never lost, always settled or in a person's hands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import Effect
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues.models import Reissue
from bufa.jobs import effects as jobs
from bufa.jobs.status import status
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.crash.victim import POINTS
from tests.factories.journey import LEAD, Ready, connected_shop, reissue_ready
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
NEVER_LEFT = {"before begin"}
EVERY_ROUTE = [False] if os.environ.get("BUFA_TEST_CRASH_ALL") else []
"""The short run takes one route through all kill points; `make crash` takes both."""

LEFT_NOTHING = {"after begin", "before _send"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    running = World()
    yield running
    running.close()


def die(ready: Ready, world: World, point: str) -> None:
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bufa.config.settings",
        "BUFA_DATA": os.environ["BUFA_TEST_DATA"],
        "BUFA_CLOCK_URL": world.hello["control"] + "/clock",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.victim", str(ready.shop_id), point],
        env=env, cwd=ROOT, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def recover(ready: Ready) -> None:
    """What the sweep does once the lease is over: rescue, send what never left, read the unknown back."""
    jobs.rescue([ready.shop_id], real=effects.real_now() + timedelta(seconds=31))
    jobs.carry_out(ready.shop_id)
    for _ in range(3):
        jobs.settle_unknown(ready.shop_id, [ready.effect_id])


@pytest.mark.parametrize("ticket", [True, *EVERY_ROUTE], ids=lambda ticket: "ticket" if ticket else "extra_package")
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_is_sent_once_or_shown_to_a_person(world: World, point: str, ticket: bool) -> None:
    ready = reissue_ready(world, connected_shop(world), ticket=ticket)
    die(ready, world, point)
    with clock.frozen(world.now):
        recover(ready)
        submitted = [each["number"] for each in world.control(f"orders/{ready.order}")["submissions"]]
        with for_shops([ready.shop_id]):
            effect = Effect.objects.get(id=ready.effect_id)
            reissue = Reissue.objects.get(id=ready.reissue_id)
        if point in LEFT_NOTHING:
            assert submitted == []
            assert (effect.state, effect.needs_person, reissue.state) == ("unknown", True, "unknown")
            reissues.release(
                shop_id=ready.shop_id, reissue_id=ready.reissue_id, is_there=False, reason="平台上没有", by=LEAD
            )
        else:
            assert submitted == [ready.number]
            assert (effect.state, reissue.state) == ("accepted", "accepted")
            assert effect.settled_by == ("answer" if point in (*NEVER_LEFT, "after _finish") else "read_back")
        assert status([ready.shop_id])["violations"] == []
