"""The customer's side in the browser: a "not received" from a slow phone without script, the next round, two parcels on
their way and one stopped, a case closed with proof."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Response, expect

from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shops
from bufa.lib.tenancy import for_shops
from tests.browser.looking import audit, listen, sign_in
from tests.factories import make_report
from tests.factories.sample import Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_KB = 60
SLOW_PHONE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


def boxes(sample: Sample) -> list[Parcel]:
    with for_shops([sample.shop_id]):
        case = Case.objects.get(id=sample.ids["following"])
        rows = {row.pk: row for row in Parcel.objects.filter(order_id=case.order_id)}
        return [rows[key] for key in (case.parcel_id, *case.facts["reissue_parcels"])]


def scan(sample: Sample, box: Parcel, text: str, code: str, minutes: int) -> None:
    at = sample.now + timedelta(minutes=minutes)
    take_in(
        shop_id=sample.shop_id,
        reports=[make_report(box.number, (at, text, code), carrier=box.carrier)],
        now=at + timedelta(minutes=1),
    )


def slow_phone(chromium: Browser) -> Page:
    """Without script, on a slow net, with a quarter of the processor."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.emulateNetworkConditions", SLOW_PHONE)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    return page


def test_from_a_signature_that_was_none_to_a_case_closed_with_proof(
    sample: Sample, live_server: Any, chromium: Browser
) -> None:
    shop, code, base = sample.shop_id, sample.cases["following"], live_server.url
    shops.change_policy(shop_id=shop, changes={"proof_days": 3, "tint": "teal"}, by="test")
    first, again = boxes(sample)
    scan(sample, again, "【杭州市】 快件已由【杭州余杭】揽收", "103", 1)
    scan(sample, first, "【武汉市】 快件已发往 【深圳转运中心】", "1002", 2)
    phone = slow_phone(chromium)
    outside, got = listen(phone, base), []
    phone.on("response", lambda answer: got.append(answer))
    page_url = f"{base}/m/{sample.page}/"
    phone.goto(page_url)
    assert weight(got) <= MOST_KB * 1024
    expect(phone.locator("h1")).to_contain_text("已经为您补发")
    assert phone.locator("#way .badge").all_inner_texts()[:2] == ["原件", "补发件"]

    desk = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
    heard = listen(desk, base)
    sign_in(desk, base, sample.people["lead"])
    at = f"{base}/cases/{shop}/{code}/"
    desk.goto(at)
    card = desk.locator("#double")
    expect(card.locator("h2")).to_have_text("两件都在路上")
    card.locator("input[value=stop_original]").check()
    card.locator("button.primary").click()
    expect(desk.locator(".flash").first).to_contain_text("拦截")
    desk.goto(at)
    desk.locator("#double input[value=stop_original]").check()
    desk.locator("#double input[name=accept_penalty]").check()
    desk.locator("#double button.primary").click()
    expect(desk.locator("#double .badge.ok")).to_have_text("拦截原件")

    scan(sample, again, "【深圳市】 已签收，签收人：前台", "301", 4)
    phone.goto(page_url)
    expect(phone.locator("h1")).to_contain_text("已经送达")
    phone.locator("#say summary").first.click()
    phone.fill("#words-1", "前台说没有")
    phone.click("button[value=not_received]")
    expect(phone.locator("[role=status]")).to_contain_text("没有收到货")
    look_again(desk, at)
    expect(desk.locator(".card.next header h2").last).to_contain_text("补发件又出问题")
    expect(desk.locator("#evidence")).to_contain_text("前台说没有")
    phone.click("button[value=received]")  # found at a neighbour's after all
    expect(phone.locator("#rate h2")).to_be_visible()
    phone.click("button[name=stars][value='5']")
    expect(phone.locator("#page")).to_contain_text("5 星")
    look_again(desk, at)
    expect(desk.locator("main .crumbs")).to_contain_text("已结案")

    looking = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    for address in (page_url, f"{page_url}?lang=en", f"{base}/q/{shop}/"):
        looking.goto(address)
        assert audit(looking) == []
        assert looking.evaluate("document.documentElement.scrollWidth") <= 390
    assert heard.errors == outside.errors == heard.strangers == outside.strangers == []


def look_again(page: Page, address: str) -> None:
    """Open a page that may be renewing itself in the very moment: the browser then gives one of the two up."""
    try:
        page.goto(address)
    except Error as error:
        if "ERR_ABORTED" not in error.message:
            raise
        page.wait_for_load_state()
        page.goto(address)


def weight(got: list[Response]) -> int:
    """All that the first visit fetches, packed as it travels."""
    return sum(len(gzip.compress(answer.body(), 6)) for answer in got)
