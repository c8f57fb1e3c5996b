"""A whole talk in the browser: asked, answered on the carrier's page, the reissue unlocked, the claim paid short."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bufa.apps.claims import queries as claims
from bufa.jobs import claims as claim_jobs
from bufa.lib import clock
from tests.browser.looking import listen, sign_in
from tests.factories.sample import Measure, Sample, _choose, negotiations, negotiations_contact

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_question_to_the_money(sample: Sample, live_server: Any, chromium: Browser) -> None:
    shop, case_id, code = sample.shop_id, sample.ids["fresh"], sample.cases["fresh"]
    with clock.frozen(sample.now):
        _choose(sample, "fresh", Measure.REISSUE)
        contact = negotiations_contact(shop)
        negotiations.ask_carrier(shop_id=shop, case_id=case_id, contact_id=contact, by=sample.actor())
        claim_jobs.watch([shop], sample.now)
    base = live_server.url
    desk = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
    heard = listen(desk, base)
    sign_in(desk, base, sample.people["lead"])
    desk.goto(f"{base}/carriers/zhongtong/")
    desk.fill("#id_name", "刘经理")
    desk.click("#links button")
    address = desk.locator(".banner.act .mono").inner_text()
    phone = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    outside = listen(phone, base)
    phone.goto(address)
    card = phone.locator(f"#p{case_id}")
    card.locator("summary").click()
    card.locator("select[name=result]").select_option("lost")
    card.locator("select[name=consent]").select_option("yes")
    card.locator("input[name=amount]").fill("30")
    card.locator("textarea[name=words]").fill("同意补发，按合同赔付")
    card.locator("button.primary").click()
    expect(card.locator(".badge.ok").first).to_have_text("已答")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    desk.goto(f"{base}/cases/{shop}/{code}/")
    desk.click("#answers button:has-text('采纳')")
    expect(desk.locator(".flash.success")).to_contain_text("已记下承运商的同意")
    expect(desk.locator("li.step.now b")).to_have_text("补发单号")
    [claim] = claims.of_case(shop, case_id)
    at = f"{base}/claims/{shop}/{claim.claim_id}/"
    desk.goto(at)
    desk.click("form[action$='/ask/'] button.primary")
    expect(desk.locator(".flash.success")).to_be_visible()
    desk.goto(at)
    desk.click("summary:has-text('记下到账')")
    desk.fill("form[action$='/pay/'] input[name=amount]", "30")
    desk.click("form[action$='/pay/'] button")
    expect(desk.locator(".crumbs .badge")).to_have_text("少赔")
    expect(desk.locator(".facts .bad")).to_have_text("¥59")
    assert heard.errors == outside.errors == []
    assert heard.strangers == outside.strangers == []
