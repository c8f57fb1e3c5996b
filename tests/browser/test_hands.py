"""What hands do: keys, the live gate, taking back; and all of it without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bufa.apps.reissues import queries as reissues
from tests.browser.looking import listen, sign_in
from tests.factories.sample import Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(sample: Sample, live_server: Any, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    heard = listen(page, live_server.url)
    sign_in(page, live_server.url, sample.people["lead"])
    yield page
    assert heard.errors == []
    context.close()


def case_address(live_server: Any, sample: Sample, name: str) -> str:
    return f"{live_server.url}/cases/{sample.shop_id}/{sample.cases[name]}/"


def test_the_keyboard_walks_and_opens(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(f"{live_server.url}/cases/")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("[data-row]").nth(1)
    expect(second).to_have_class("here")
    code = second.locator(".sub").first.inner_text().split(" ")[0]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{code}/")


def test_one_key_takes_the_proposed_measure(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(case_address(live_server, sample, "fresh"))
    page.keyboard.press("1")
    expect(page.locator("#flashes")).to_contain_text("已选补发")


def test_the_gate_answers_while_the_form_is_filled(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(case_address(live_server, sample, "numbering"))
    page.select_option("#id_reissue_carrier", "shunfeng")
    page.fill("#id_reissue_number", "75990000000001")
    page.keyboard.press("Tab")
    expect(page.locator("#gate .refused, #gate .cannot_tell").first).to_be_visible()
    assert reissues.of_case(sample.shop_id, sample.ids["numbering"]) == ()


PICTURE = """async ({ name, way }) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
  const ink = canvas.getContext("2d");
  ink.fillStyle = way === "paste" ? "#c00" : "#06c"; // the same picture twice is kept once
  ink.fillRect(0, 0, 40, 30);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const given = new DataTransfer();
  given.items.add(new File([blob], name, { type: "image/png" }));
  const area = document.querySelector("[data-drop]:has(#id_files_photos)");
  const how = { bubbles: true, cancelable: true };
  if (way === "paste") document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, ...how }));
  else area.dispatchEvent(new DragEvent("drop", { dataTransfer: given, ...how }));
}"""


def test_photos_come_by_paste_by_drop_and_from_the_camera(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(case_address(live_server, sample, "fresh"))
    # The rail says how far the case is, and one key why the system judges as it does.
    expect(page.locator(".step[aria-current=step]")).to_contain_text("判定")
    page.keyboard.press("w")
    expect(page.locator("#how-sure")).to_be_visible()
    page.locator("summary", has_text="补充照片").click()
    page.evaluate(PICTURE, {"name": "pasted.png", "way": "paste"})
    page.evaluate(PICTURE, {"name": "dropped.png", "way": "drop"})
    expect(page.locator(".chosen li")).to_contain_text(["pasted.png", "dropped.png"])
    # A phone opens its camera for the other field; there both lie in one form.
    assert page.get_attribute("#id_files_camera", "capture") == "environment"
    expect(page.locator("#id_files_camera")).to_be_hidden()
    page.get_by_role("button", name="上传").click()
    expect(page.locator(".files img")).to_have_count(2)


def test_ten_seconds_to_take_it_back(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(case_address(live_server, sample, "numbering"))
    page.select_option("#id_reissue_carrier", "yuantong")
    page.fill("#id_reissue_number", "YT1234567890123")
    page.locator("summary", has_text="越过预检").click()
    page.fill("#id_reissue_override_reason", "客户急用")
    page.get_by_role("button", name="提交补发单号").click()
    page.get_by_role("button", name="撤回").click()
    expect(page.locator("#flashes")).to_contain_text("没有发出")
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    assert sent.state == "cancelled"


def test_without_javascript_a_case_goes_from_verdict_to_submission(
    sample: Sample, live_server: Any, chromium: Browser
) -> None:
    context: BrowserContext = chromium.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server.url, sample.people["lead"])
    page.goto(f"{live_server.url}/triage/")
    page.get_by_role("button", name="是真的").click()
    expect(page.locator("#flashes")).to_contain_text("确认了")
    page.goto(f"{live_server.url}/cases/numbers/")
    page.locator("main textarea").fill(f"{sample.cases['fresh']} 不认识的\n{sample.cases['asking']}")
    page.get_by_role("button", name="找出来").click()
    expect(page.locator("main")).to_contain_text(sample.cases["asking"])
    page.goto(f"{live_server.url}/cases/")
    page.fill("#id_text", sample.cases["fresh"])
    page.get_by_role("button", name="筛选").click()
    page.wait_for_url(f"**/cases/?text={sample.cases['fresh']}")
    page.locator("[data-row] a.lead").click()
    page.wait_for_url(case_address(live_server, sample, "fresh"))
    page.get_by_role("button", name="选补发").click()
    page.locator("summary", has_text="不等承运商同意").click()
    page.fill("#id_without_reason", "客户急用")
    page.get_by_role("button", name="未经同意继续").click()
    page.select_option("#id_reissue_carrier", "yuantong")
    page.fill("#id_reissue_number", "YT1234567890123")
    page.get_by_role("button", name="预检").click()
    expect(page.locator("#gate")).to_contain_text("运单号符合")
    assert page.input_value("#id_reissue_number") == "YT1234567890123"
    page.locator("summary", has_text="越过预检").click()
    page.fill("#id_reissue_override_reason", "客户急用")
    page.get_by_role("button", name="提交补发单号").click()
    expect(page.locator("#flashes")).to_contain_text("10 秒后提交")
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["fresh"])
    assert (sent.state, sent.number) == ("submitting", "YT1234567890123")
    context.close()
