from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import ARTEFACTS
from tests.journeys.desk import Desk
from tests.journeys.stack import OWNER, PASSWORD, Stack, World, outside_world, whole_bufa

CARRIER = "zhongtong"


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


@pytest.fixture(scope="module")
def desk(chromium: Browser, stack: Stack, world: World) -> Iterator[Desk]:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai")
    desk = Desk(context.new_page(), stack)
    errors: list[str] = []
    desk.page.on("pageerror", lambda error: errors.append(str(error)))
    desk.sign_in()
    desk.connect(world)
    desk.add_contact(CARRIER, world.said["carriers"][CARRIER]["email"])
    yield desk
    desk.page.screenshot(path=ARTEFACTS / "journeys-last-page.png", full_page=True)
    context.close()
    assert errors == []
