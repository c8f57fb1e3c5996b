"""Nothing typed is lost: an ended session, a cut net, a second tab; with JavaScript and without; and files, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bufa.apps.cases import queries as cases
from bufa.domain.kinds import Role
from tests.browser.looking import listen, sign_in
from tests.factories import NOW
from tests.factories.sample import PASSWORD, Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PNG = Path(__file__).resolve().parents[2] / "docs" / "img" / "today.png"


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    yield made
    made.close()


@pytest.fixture
def page(sample: Sample, live_server: Any, context: BrowserContext) -> Page:
    page = context.new_page()
    listen(page, live_server.url)
    sign_in(page, live_server.url, sample.people["lead"])
    return page


def address(live_server: Any, sample: Sample, name: str = "fresh") -> str:
    return f"{live_server.url}/cases/{sample.shop_id}/{sample.cases[name]}/"


def notes(sample: Sample, name: str = "fresh") -> list[str]:
    view = cases.case_page(sample.shop_id, sample.cases[name], Role.OWNER, NOW)
    assert view is not None
    return [entry.words for entry in view.timeline if entry.kind == "note"]


def test_signing_in_in_place_sends_what_was_typed_and_the_files(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(address(live_server, sample))
    page.locator("summary", has_text="补充照片").click()
    page.locator("#id_files_photos").set_input_files(str(PNG))
    Session.objects.all().delete()
    page.get_by_role("button", name="上传").click()
    dialog = page.locator("#again")
    expect(dialog).to_be_visible()
    page.fill("#again-password", "wrong-password")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("密码不对")
    page.fill("#again-password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#flashes .success")).to_be_visible()
    expect(page.locator(".files img")).to_have_count(1)


def test_a_cut_net_keeps_the_page(sample: Sample, live_server: Any, page: Page, context: BrowserContext) -> None:
    page.goto(address(live_server, sample))
    page.fill("#id_note_text", "客户说周四要用")
    context.set_offline(True)
    page.get_by_role("button", name="记下备注").click()
    expect(page.locator("#flashes")).to_contain_text("网络断了，没有提交")
    assert page.input_value("#id_note_text") == "客户说周四要用"
    context.set_offline(False)
    page.get_by_role("button", name="记下备注").click()
    expect(page.locator("#flashes")).to_contain_text("备注已记下")
    assert notes(sample) == ["客户说周四要用"]


def test_a_second_tab_that_signed_in_anew_costs_nothing(
    sample: Sample, live_server: Any, page: Page, context: BrowserContext
) -> None:
    page.goto(address(live_server, sample))
    page.fill("#id_note_text", "客户说周四要用")
    other = context.new_page()
    context.clear_cookies(name="sessionid")
    sign_in(other, live_server.url, sample.people["lead"])
    page.get_by_role("button", name="记下备注").click()
    expect(page.locator("#flashes")).to_contain_text("备注已记下")
    # Somebody else signing in there is no reason to send it in their name.
    page.fill("#id_note_text", "第二条")
    context.clear_cookies(name="sessionid")
    sign_in(other, live_server.url, sample.people["agent"])
    page.get_by_role("button", name="记下备注").click()
    expect(page.locator("#flashes")).to_contain_text("现在登录的是另一个人")
    assert page.input_value("#id_note_text") == "第二条"
    assert notes(sample) == ["客户说周四要用"]
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "第二条" not in stored
    assert "客户" not in stored


def test_without_javascript_the_form_goes_on_after_signing_in(
    sample: Sample, live_server: Any, chromium: Browser
) -> None:
    context = chromium.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server.url, sample.people["lead"])
    page.goto(address(live_server, sample))
    page.fill("#id_note_text", "客户说周四要用\n第二行")
    Session.objects.all().delete()
    page.get_by_role("button", name="记下备注").click()
    expect(page.locator("h1")).to_have_text("登录到期了")
    page.fill("#id_username", sample.people["lead"])
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="登录并接着提交").click()
    expect(page.locator("main")).to_contain_text("现在登录的是 周")
    assert notes(sample) == []
    page.get_by_role("button", name="接着提交").click()
    expect(page.locator("#flashes")).to_contain_text("备注已记下")
    assert [text.splitlines() for text in notes(sample)] == [["客户说周四要用", "第二行"]]
    context.close()
