"""From a confirmed anomaly to a submitted reissue: counted in key presses, ending in the platform's own ledger.

The desk is a real browser on a live server, the platform the simulator; the scan is real key events of a scanner.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from bufa.apps.cases.models import Case
from bufa.apps.effects.models import Effect
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops.models import Operator
from bufa.jobs import ranges
from bufa.jobs.effects import carry_out
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.browser.looking import listen, sign_in
from tests.browser.test_scanner import Scanner
from tests.factories.journey import anomalies, connected_shop
from tests.jobs.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_KEYS = 3


@pytest.fixture
def world() -> Iterator[World]:
    running = World(orders_per_day=0)
    yield running
    running.close()


@pytest.fixture
def case(world: World, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """A parcel that nobody collected, found by the watch; the customer asked for a reissue, which was agreed."""
    shop = connected_shop(world)
    shop_actions.change_policy(shop_id=shop, changes={"consent": "never"}, by="test")
    found = anomalies(world, shop, 1, ticket=True)
    monkeypatch.setenv("BUFA_CLOCK_URL", f"{world.hello['control']}/clock")
    (made,) = found.values()
    yield made
    if clock._followed is not None:  # its connection outlives the world otherwise
        clock._followed.close()
    monkeypatch.setattr(clock, "_followed", None)


@pytest.fixture
def page(case: Case, live_server: Any, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    heard = listen(page, live_server.url)
    sign_in(page, live_server.url, Operator.objects.get().username)
    yield page
    assert heard.errors == []
    context.close()


def sent_to_platform(world: World, case: Case) -> list[dict[str, Any]]:
    """Let the ten seconds pass and the submission leave; what the platform's ledger has of it."""
    with for_shops([case.shop_id]):
        effect = Effect.objects.get(subject__startswith="reissue:")
    until = time.monotonic() + 30
    while time.monotonic() < until and not carry_out(case.shop_id, [effect.pk]):
        time.sleep(0.5)
    found: list[dict[str, Any]] = world.http.get(
        world.hello["ledger"], params={"method": "afterSale.fillLogistics"}
    ).json()
    return found


def label(world: World, case: Case) -> str:
    return str(world.control("waybills", {"carrier": "zhongtong", "order_id": case.order.number})["number"])


def test_a_key_a_scan_and_enter(world: World, case: Case, live_server: Any, page: Page) -> None:
    number = label(world, case)
    page.goto(f"{live_server.url}/cases/{case.shop_id}/{case.code}/")
    scanner = Scanner(page)
    pressed = []

    def press(key: str) -> None:
        pressed.append(key)
        page.keyboard.press(key)

    press(page.locator("button[name=measure][value=reissue]").get_attribute("data-key") or "no key")
    expect(page.locator("#id_reissue_number")).to_be_visible()
    scanner.read(number)
    expect(page.locator("#id_reissue_number")).to_have_value(number)
    press("Enter")
    expect(page.locator("#flashes")).to_contain_text("10 秒后提交")
    assert len(pressed) <= MOST_KEYS
    ranges.work_off(case.shop_id)
    assert [(row["number"], row["outcome"]) for row in sent_to_platform(world, case)] == [(number, 10000)]


def test_a_scan_while_the_page_still_comes(world: World, case: Case, live_server: Any, page: Page) -> None:
    """The packer sees the field and scans; the page's modules are not there yet."""
    number = label(world, case)
    page.goto(f"{live_server.url}/cases/{case.shop_id}/{case.code}/")
    held: list[Route] = []
    page.route(re.compile(r"/js/case_scan\b"), lambda route: held.append(route))
    page.keyboard.press(page.locator("button[name=measure][value=reissue]").get_attribute("data-key") or "no key")
    expect(page.locator("#id_reissue_number")).to_be_visible()
    Scanner(page).read(number)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#id_reissue_number")).to_have_value(number)


def test_two_scans_and_no_key_at_all(world: World, case: Case, live_server: Any, page: Page) -> None:
    """The measure is chosen already: the packer reads our number and the waybill."""
    number = label(world, case)
    page.goto(f"{live_server.url}/cases/{case.shop_id}/{case.code}/")
    page.keyboard.press(page.locator("button[name=measure][value=reissue]").get_attribute("data-key") or "")
    expect(page.locator("#id_reissue_number")).to_be_visible()
    page.goto(f"{live_server.url}/warehouse/")
    page.get_by_role("button", name="放到拣货单").click()
    page.goto(f"{live_server.url}/warehouse/?by=order")
    code = page.locator(".pick td.head .mono").inner_text()
    page.goto(f"{live_server.url}/warehouse/scan/")
    scanner = Scanner(page)
    scanner.read(code)
    expect(page.locator(".said.good .word")).to_contain_text("然后扫运单号")
    scanner.read(number)
    expect(page.locator(".said.good .word")).to_contain_text("10 秒后提交")
    assert [(row["number"], row["outcome"]) for row in sent_to_platform(world, case)] == [(number, 10000)]
