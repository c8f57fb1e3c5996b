"""Two people at one desk: each sees that the other is there and what the other did; typing is never swept away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bufa.web import live
from tests.browser.looking import listen, sign_in
from tests.browser.test_scanner import Scanner
from tests.factories.sample import Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Seat = Callable[..., Page]
SOON_MS = 15_000


@pytest.fixture
def seat(sample: Sample, live_server: Any, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> Seat:
    """A window of its own for the person of a role."""
    monkeypatch.setattr(live, "BEAT_S", 1.0)  # a window that closed is noticed by its next beat

    def sit(role: str, *, stream: bool = True) -> Page:
        context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        page = context.new_page()
        listen(page, live_server.url)
        if not stream:
            page.route(re.compile(r"/live/\?"), lambda route: route.abort())
        sign_in(page, live_server.url, sample.people[role])
        return page

    return sit


def case_address(live_server: Any, sample: Sample, name: str) -> str:
    return f"{live_server.url}/cases/{sample.shop_id}/{sample.cases[name]}/"


def test_two_people_on_one_case(sample: Sample, live_server: Any, seat: Seat) -> None:
    address = case_address(live_server, sample, "fresh")
    lead, agent = seat("lead"), seat("agent")
    lead.goto(address)
    agent.goto(address)
    expect(lead.locator("#viewers")).to_have_text("林", timeout=SOON_MS)
    expect(agent.locator("#viewers")).to_have_text("周", timeout=SOON_MS)

    agent.fill("#id_note_text", "客户说周四要用")
    lead.keyboard.press("1")
    expect(lead.locator("#flashes")).to_contain_text("已选补发")
    # The agent was typing: told who and when, and left alone.
    expect(agent.locator("#news")).to_contain_text("周", timeout=SOON_MS)
    expect(agent.locator("#news")).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(agent.locator(".step.now")).to_contain_text("判定")
    assert agent.input_value("#id_note_text") == "客户说周四要用"

    # The same button a moment too late: one wins, the other is told who and when, and nothing is done twice.
    agent.locator("#do-measure[value=reissue]").click()
    expect(agent.locator("#flashes")).to_contain_text(re.compile(r"周 刚在 .* 处理过这个案件"))


def test_what_is_typed_survives_a_look_at_the_newest(sample: Sample, live_server: Any, seat: Seat) -> None:
    address = case_address(live_server, sample, "fresh")
    lead, agent = seat("lead"), seat("agent")
    lead.goto(address)
    agent.goto(address)
    expect(lead.locator("#viewers")).to_have_text("林", timeout=SOON_MS)
    agent.fill("#id_note_text", "客户说周四要用")
    lead.keyboard.press("1")
    expect(lead.locator("#flashes")).to_contain_text("已选补发")
    button = agent.locator("#news [data-newest]")
    expect(button).to_be_visible(timeout=SOON_MS)
    button.click()
    expect(agent.locator(".step.now")).not_to_contain_text("判定")
    assert agent.input_value("#id_note_text") == "客户说周四要用"
    agent.get_by_role("button", name="记下备注").click()
    expect(agent.locator("#flashes")).to_contain_text("备注已记下")
    # A scan goes where it is wanted, also into a form that came with the newest: nothing was loaded anew.
    agent.evaluate("window.stayed = true")
    expect(lead.locator("#page")).to_contain_text("客户说周四要用", timeout=SOON_MS)
    lead.locator("summary", has_text="不等承运商同意").click()
    lead.fill("#id_without_reason", "客户急用")
    lead.get_by_role("button", name="未经同意继续").click()
    expect(agent.locator("#id_reissue_number")).to_be_visible(timeout=SOON_MS)
    Scanner(agent).read("YT8888000000001")
    expect(agent.locator("#id_reissue_number")).to_have_value("YT8888000000001")
    assert agent.evaluate("window.stayed")
    # Who leaves is gone from the other's page.
    agent.goto(f"{live_server.url}/tasks/")
    expect(lead.locator("#viewers")).to_be_hidden(timeout=SOON_MS)


def test_lists_renew_themselves_and_keep_the_hands_place(sample: Sample, live_server: Any, seat: Seat) -> None:
    lead, agent = seat("lead"), seat("agent", stream=False)
    agent.goto(f"{live_server.url}/cases/")
    agent.keyboard.press("j")
    agent.keyboard.press("j")
    chosen = agent.locator("[data-row].here a.lead").get_attribute("href")
    row = agent.locator(f'tr[data-row]:has(a[href$="{sample.cases["fresh"]}/"])')
    expect(row).to_contain_text("判定")
    lead.goto(case_address(live_server, sample, "fresh"))
    lead.keyboard.press("1")
    # Without a stream (a proxy that gathers bytes) the page asks by itself.
    expect(row).not_to_contain_text("判定", timeout=30_000)
    assert agent.locator("[data-row].here a.lead").get_attribute("href") == chosen
    assert agent.evaluate("document.activeElement.getAttribute('href')") == chosen
