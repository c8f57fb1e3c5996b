"""Told by SMS, no receipt, told by mail: on the wire, and as the desk shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, expect

from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import queries as effects
from bufa.apps.effects.models import Effect
from bufa.apps.notices import actions as notices
from bufa.apps.notices import queries, receipts, wordings
from bufa.apps.orders import actions as orders_in
from bufa.apps.shops import actions as shops
from bufa.domain.case_facts import Purpose
from bufa.domain.notice_plan import POLICY, Rules
from bufa.domain.notices import Channel, Language, default_wording
from bufa.jobs import effects as jobs
from bufa.jobs import notices as notice_jobs
from bufa.lib.tenancy import for_shops
from tests.browser.looking import listen, sign_in
from tests.factories import make_order, make_recipient
from tests.factories.sample import Sample
from tests.simulator.conftest import Wire

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = "13812345678"


@pytest.fixture
def outside(sample: Sample) -> Iterator[Wire]:
    """The vendors, in this process, so that their clock stands where ours does."""
    world = Wire("--start", sample.now.isoformat(), "--orders-per-day", "0")
    yield world
    assert world.stop() == 0


def connect(sample: Sample, outside: Wire) -> None:
    """A customer with phone and mail; a shop that takes Alibaba Cloud first and mail next."""
    shop_id = sample.shop_id
    (call,) = queries.of_case(shop_id, sample.ids["telling"])
    notices.take_back(shop_id=shop_id, notice_id=call.notice_id, by=sample.actor())
    with for_shops([shop_id]):
        number = Case.objects.get(id=sample.ids["telling"]).order.number
    to = make_recipient(name="张三", phone=PHONE, address="南山区某路 1 号", email="zhang@buyer.example")
    fact = replace(make_order(number, recipient=to), status=3, updated_at=sample.now + timedelta(hours=1))
    take_in(shop_id=shop_id, orders=[fact], now=sample.now, source=orders_in.FROM_FILE)
    told = dict(outside.hello["aliyun_sms"])
    shops.connect(shop_id=shop_id, kind="aliyun_sms", settings=told)
    mail = {**outside.hello["smtp"], "security": "none", "sender": "desk@shop.example"}
    shops.connect(shop_id=shop_id, kind="smtp", settings=mail)
    templates = outside.control("clouds", {"receipts": {"aliyun_sms": "never"}})["templates"]
    theirs = next(key for key, one in templates.items() if one["service"] == "aliyun_sms" and "补发单号" in one["text"])
    wordings.save(
        shop_id=shop_id, purpose=Purpose.REISSUE_SENT, channel=Channel.ALIYUN_SMS, language=Language.ZH,
        text=default_wording(Purpose.REISSUE_SENT).text, vendor_id=theirs, approval="approved", by=sample.actor(),
    )  # fmt: skip
    rules = Rules(order=(Channel.ALIYUN_SMS, Channel.EMAIL))
    shops.change_policy(shop_id=shop_id, changes={POLICY: rules.stored()}, by="test")


def leave(shop_id: int) -> None:
    """What waits for its ten seconds leaves now."""
    with for_shops([shop_id]):
        Effect.objects.filter(state="ready").update(next_at=None)
    jobs.carry_out(shop_id, effects.due_ready([shop_id]).get(shop_id, []))


def test_from_the_sms_without_a_receipt_to_the_mail(
    sample: Sample, live_server: Any, chromium: Browser, outside: Wire
) -> None:
    shop_id = sample.shop_id
    connect(sample, outside)
    desk = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
    heard = listen(desk, live_server.url)
    sign_in(desk, live_server.url, sample.people["lead"])
    case = f"{live_server.url}/cases/{shop_id}/{sample.cases['telling']}/"
    desk.goto(case)
    first = desk.locator("form.card", has=desk.locator(".badge", has_text="店里的首选"))
    expect(first.locator("h3")).to_contain_text("阿里云短信")
    expect(first).to_contain_text("2 条")
    first.locator("button.primary").click()
    expect(desk.locator(".flash.success")).to_contain_text("10 秒后发出")
    leave(shop_id)
    (sms,) = [one for one in outside.control("clouds")["told"] if one["phone"] == PHONE]
    assert sms["text"].startswith("【青禾鲜果】您尾号")
    desk.goto(case)
    panel = desk.locator(f"#notice-{queries.of_case(shop_id, sample.ids['telling'])[1].notice_id}")
    expect(panel).to_contain_text("等回执")
    expect(panel).to_contain_text("还没有回执就换渠道")
    later = sample.now + timedelta(minutes=31)
    outside.advance(0.52)
    with time_machine.travel(later, tick=True):
        due = receipts.due_looks([shop_id], later)
        assert notice_jobs.ask_for(shop_id, due[shop_id]) == 1
        leave(shop_id)
        (letter,) = [one for one in outside.root("mail.json").json() if one["box"] == "zhang@buyer.example"]
        assert "预计" in letter["text"]
        desk.goto(case)
        expect(panel.locator(".badge").first).to_have_text("到时没有回执")
        mail = desk.locator(f"#notice-{queries.of_case(shop_id, sample.ids['telling'])[2].notice_id}")
        expect(mail).to_contain_text("已发出")
        expect(mail).to_contain_text("接着前一条没有送到的")
    assert len([one for one in outside.control("clouds")["told"] if one["phone"] == PHONE]) == 1
    assert (heard.errors, heard.strangers) == ([], [])
