"""One world a module, the parent of all victims, and patience that is as short as theirs."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from bufa.integrations import wire
from tests.crash.dying import Victims
from tests.jobs.conftest import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    running = World(orders_per_day=0)
    yield running
    running.close()


@pytest.fixture
def victims(world: World) -> Iterator[Victims]:
    with Victims(world.hello["control"] + "/clock") as parent:
        yield parent


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes over gives up a platform that hangs as soon as the victims do."""
    monkeypatch.setattr(wire, "TIMEOUT", httpx.Timeout(connect=3.0, write=3.0, read=0.4, pool=3.0))
