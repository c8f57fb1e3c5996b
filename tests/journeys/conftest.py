from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.stack import OWNER, PASSWORD, Stack, World, outside_world, whole_bufa


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with outside_world() as world:
        yield world


@pytest.fixture(scope="module")
def stack(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("bufa") / "data"
    with whole_bufa(world, folder) as stack:
        stack.bufa("shop", "青禾鲜果旗舰店", "--owner", OWNER, given=PASSWORD + "\n")
        yield stack
