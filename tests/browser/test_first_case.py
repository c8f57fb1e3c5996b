"""Who is new solves a case by pressing what the hints point at, and nothing else: from signing in to a number that the
platform has and a customer who was told. And the owner's phone: the next case, its evidence, its act at the thumb."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bufa.apps.cases import actions as cases
from bufa.apps.cases.models import Case
from bufa.apps.effects.models import Effect
from bufa.apps.shops import actions as shops
from bufa.domain.cases import Claim
from bufa.domain.kinds import Measure, Role
from bufa.domain.verdict import Source
from bufa.jobs import ranges
from bufa.jobs.effects import carry_out
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.browser.looking import SIZES, listen, sign_in
from tests.browser.test_keys_to_submission import case, world  # noqa: F401 - fixtures
from tests.factories.journey import LEAD
from tests.factories.sample import PASSWORD, Sample
from tests.jobs.conftest import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ACTS = ["do-first", "do-measure", "do-waybill", "do-submit", "do-sms"]
"""All that a person presses after signing in."""


def outside(shop_id: int) -> None:
    """What the worker does, without its ten seconds: everything that was asked for leaves."""
    ranges.work_off(shop_id)
    with for_shops([shop_id]):
        Effect.objects.filter(shop_id=shop_id, state="ready").update(next_at=clock.real_now())
    while carry_out(shop_id):
        pass


def test_a_stranger_presses_what_is_pointed_at(
    world: World,  # noqa: F811
    case: Case,  # noqa: F811
    live_server: Any,
    chromium: Browser,
) -> None:
    operator = shops.add_operator("lin", PASSWORD, display_name="林小满")
    shops.add_member(shop_id=case.shop_id, operator_id=operator, role=Role.AGENT, by="test")
    cases.add_statement(
        shop_id=case.shop_id, case_id=case.pk, source=Source.CUSTOMER, claim=Claim.NOT_PICKED_UP,
        wish=Measure.REISSUE, words="一直没有揽收，请再发一件", said_at=world.now, by=LEAD, now=world.now,
    )  # fmt: skip
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    heard = listen(page, live_server.url)
    sign_in(page, live_server.url, "lin")
    page.locator("#first a").click()
    pressed = ["do-first"]
    hint = page.locator("#first")
    while "办好了" not in (said := hint.inner_text()):
        assert len(pressed) <= len(ACTS), pressed
        points = page.locator("#first [data-points]")
        if points.count():
            target = (points.get_attribute("href") or "").removeprefix("#")
            button = page.locator(f"#{target}")
            # The hint says the very word that stands on the button.
            assert button.inner_text().split()[0] in points.inner_text()
            button.click()
            pressed.append(target)
        else:
            outside(case.shop_id)
        expect(hint).not_to_have_text(said, timeout=20_000)  # by itself: nobody reloads
    assert pressed == ACTS
    submitted = world.http.get(world.hello["ledger"], params={"method": "afterSale.fillLogistics"}).json()
    assert [row["outcome"] for row in submitted] == [10000]
    (sms,) = world.control(f"orders/{case.order.number}")["sms"]
    assert submitted[0]["number"] in sms
    assert heard.errors == []
    # Put away, they stay away; the case shows on its rail how far it is.
    expect(page.locator(".step.done")).to_have_count(3)  # this shop asks no carrier
    page.get_by_role("button", name="会了，收起提示").click()
    expect(hint).to_have_count(0)
    context.close()


@pytest.fixture
def phone(sample: Sample, live_server: Any, chromium: Browser) -> Iterator[Page]:
    width, height = SIZES["phone"]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True, locale="zh-CN"
    )
    page = context.new_page()
    heard = listen(page, live_server.url)
    sign_in(page, live_server.url, sample.people["owner"])
    yield page
    assert heard.errors == []
    context.close()


THUMB = 200
"""Pixels from the bottom of a phone that a thumb reaches without moving the hand."""


def within_reach(page: Page, control: Locator) -> None:
    box = control.bounding_box()
    assert box is not None
    assert box["y"] >= SIZES["phone"][1] - THUMB
    assert box["y"] + box["height"] <= SIZES["phone"][1]
    assert min(box["width"], box["height"]) >= 40


def test_on_the_owners_phone_a_case_fits_a_thumb(sample: Sample, live_server: Any, phone: Page) -> None:
    phone.goto(f"{live_server.url}/cases/{sample.shop_id}/{sample.cases['fresh']}/")
    bar = phone.locator(".thumb")
    evidence, act, following = bar.locator("> *").all()
    for control in (evidence, act, following):
        within_reach(phone, control)
    evidence.tap()
    expect(phone.locator("#evidence h2")).to_be_in_viewport()
    act.tap()
    expect(phone.locator("#flashes")).to_contain_text("已选补发")
    # Whatever the next act is, it lies there; what cannot be taken back is looked at before it is pressed.
    expect(bar.locator(".primary")).to_have_text("发给承运商")
    bar.locator(".primary").tap()
    expect(phone.locator("#do-ask")).to_be_in_viewport()
    bar.locator("> *").last.tap()
    phone.wait_for_url(re.compile(rf"/cases/{sample.shop_id}/C-(?!{sample.cases['fresh'][2:]})"))
    within_reach(phone, bar.locator("> *").last)
