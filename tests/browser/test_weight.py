"""What a first visit costs: everything that the browser fetches for it, as it travels, and from nobody but us."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from playwright.sync_api import Browser, Response

from tests.browser.looking import listen, sign_in
from tests.factories.sample import Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST_KB, REPEAT_KB = 100, 30


@pytest.mark.parametrize("name", ["today", "case"])
def test_a_first_visit_is_light(sample: Sample, live_server: Any, chromium: Browser, name: str) -> None:
    address = {"today": "/", "case": f"/cases/{sample.shop_id}/{sample.cases['fresh']}/"}[name]
    signing = chromium.new_context(locale="zh-CN")
    sign_in(signing.new_page(), live_server.url, sample.people["lead"])
    context = chromium.new_context(locale="zh-CN", storage_state=signing.storage_state())
    page = context.new_page()
    heard = listen(page, live_server.url)
    got: list[Response] = []
    page.on("response", lambda answer: got.append(answer))
    page.goto(live_server.url + address)
    page.wait_for_selector("html[data-keys=ready]", state="attached")
    weights = {
        answer.url.removeprefix(live_server.url): len(gzip.compress(answer.body(), 6))
        for answer in got
        if "/live/" not in answer.url
    }
    assert sum(weights.values()) <= FIRST_KB * 1024, weights
    assert weights[address] <= REPEAT_KB * 1024  # all the rest is kept by its name for a year
    assert heard.strangers == []
    assert page.request.get(live_server.url + address).headers["content-encoding"] == "gzip"
