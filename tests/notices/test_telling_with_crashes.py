"""Customers of many cases are told while senders die anywhere: nobody twice, nothing unknown unseen, most in time.

The vendor is the simulator's strict gateway over the wire. A death is raised at a random statement or request, and
rolls back what a killed process would lose; what it held is found by the rescue, settled by reading back, or shown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from django.db import connection

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries as effect_queries
from bufa.apps.effects.models import Effect
from bufa.apps.notices import actions as notices
from bufa.apps.notices import planning, wordings
from bufa.apps.notices.models import Notice, Spending
from bufa.apps.orders import actions as orders_in
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shops
from bufa.domain.case_facts import Purpose
from bufa.domain.notice_plan import POLICY, Rules
from bufa.domain.notices import Channel, Language, default_wording
from bufa.domain.outcome import Refused
from bufa.integrations import wire
from bufa.jobs import effects as jobs
from bufa.jobs import notices as notice_jobs
from bufa.jobs.status import status
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_line, make_order, make_package, make_recipient, make_shop
from tests.proofs import count, tell

LONG = bool(os.environ.get("BUFA_TEST_CRASH_ALL"))
CASES = 1000 if LONG else 12
DAYS, REST = (6.0, 1.5) if LONG else (0.2, 0.6)
DEATHS = 0.15 if LONG else 0.4
STEP = timedelta(minutes=30 if LONG else 60)
BEGINS = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
ORDER = (Channel.ALIYUN_SMS, Channel.TENCENT_SMS, Channel.EMAIL)
ROOT = Path(__file__).resolve().parents[2]


class Died(BaseException):
    """The process is gone at this point."""


@dataclass
class Customer:
    """When their clock was missed, when they ask if nobody told them, whether their phone hears."""

    case_id: int
    phone: str
    missed_at: datetime
    asks_at: datetime


@pytest.fixture(scope="module")
def world() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "simulator", "--start", BEGINS.isoformat(), "--orders-per-day", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(timeout=10)


@contextmanager
def dying(rng: Random, deaths: Counter[str]) -> Iterator[None]:
    """One death at most, somewhere in here."""
    where = rng.choice(("statement", "before", "after"))
    at = rng.randint(1, 30)
    asked = 0

    def statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal asked
        asked += 1
        if where == "statement" and asked == at:
            deaths["statement"] += 1
            raise Died
        return execute(sql, params, many, context)

    def request(told: httpx.Request) -> None:
        if where == "before" and told.url.path.endswith("_sms/"):
            deaths["before"] += 1
            raise Died

    def response(told: httpx.Response) -> None:
        if where == "after" and told.request.url.path.endswith("_sms/"):
            deaths["after"] += 1
            raise Died

    http = wire.shared_http()
    kept = http.event_hooks
    http.event_hooks = {"request": [request], "response": [response]}
    try:
        with connection.execute_wrapper(statement), suppress(Died):
            yield
    finally:
        http.event_hooks = kept
        connection.close()


class Shop:
    """One shop with many customers, its account at two vendors, and a desk that tells them."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world, self.rng, self.deaths = world, Random(7), Counter[str]()
        self.http = httpx.Client(timeout=60, trust_env=False)
        self.shop_id = make_shop("青禾鲜果旗舰店")
        templates = self.control()["templates"]
        for kind, channel, secret in (
            ("aliyun_sms", Channel.ALIYUN_SMS, "key_secret"),
            ("tencent_sms", Channel.TENCENT_SMS, "secret_key"),
        ):
            told = dict(world[kind])
            shops.connect(shop_id=self.shop_id, kind=kind, settings=told, secrets={secret: told[secret]})
            self.approve(channel, next(k for k, t in templates.items() if t["service"] == kind and "催办" in t["text"]))
        smtp = {"host": world["smtp"]["host"], "port": world["smtp"]["port"], "security": "none"}
        shops.connect(shop_id=self.shop_id, kind="smtp", settings=smtp | {"sender": "desk@shop.example"})
        rules = Rules(order=ORDER, budget_li=300 * CASES)
        shops.change_policy(shop_id=self.shop_id, changes={POLICY: rules.stored()}, by="test")
        self.customers = self._customers()

    def approve(self, channel: Channel, template: str) -> None:
        text = default_wording(Purpose.EARLY_WARNING).text
        wordings.save(
            shop_id=self.shop_id, purpose=Purpose.EARLY_WARNING, channel=channel, language=Language.ZH, text=text,
            vendor_id=template, approval="approved", by=SYSTEM,
        )  # fmt: skip

    def control(self, **told: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.http.post(f"{self.world['control']}/clouds", json=told).json()
        return found

    def _customers(self) -> list[Customer]:
        facts = []
        for at in range(CASES):
            line = make_line(f"L{at}", paid_fen=5900)
            number = f"7310{at:010d}"
            package = make_package(number, lines=[(line.line_id, 1)], shipped_at=BEGINS - timedelta(hours=30))
            to = make_recipient(
                name=f"客户{at}", phone=f"139{at:08d}", address=f"某路 {at} 号", email=f"c{at}@buyer.example"
            )
            facts.append(make_order(f"69{at:014d}", status=3, lines=[line], packages=[package], recipient=to))
        take_in(shop_id=self.shop_id, orders=facts, now=BEGINS, source=orders_in.FROM_FILE)
        with for_shops([self.shop_id]):
            parcels = list(Parcel.objects.filter(shop_id=self.shop_id).order_by("id").values_list("id", "number"))
        found = []
        for at, (parcel_id, number) in enumerate(parcels):
            missed = BEGINS + timedelta(days=self.rng.uniform(0, DAYS))
            asks = missed + timedelta(hours=24 * self.rng.lognormvariate(0, 0.7))
            local = (asks.hour + 8) % 24
            if not 8 <= local < 23:  # people sleep, too
                asks += timedelta(hours=(32 - local) % 24, minutes=self.rng.uniform(0, 90))
            case_id = cases.open_case(shop_id=self.shop_id, parcel_id=parcel_id, now=BEGINS, by=SYSTEM)
            found.append(Customer(case_id, f"139{int(number[4:]):08d}", missed, asks))
            del at
        deaf = {one.phone: "UNDELIV" for one in found if self.rng.random() < 0.03}
        self.control(failing=deaf, receipts={"aliyun_sms": "asked", "tencent_sms": "asked"}, again={"tencent_sms": 0})
        return found

    # --- half an hour of work -----------------------------------------------------------------------------------------

    def step(self, now: datetime) -> None:
        self.http.post(f"{self.world['control']}/clock", json={"advance_to": now.isoformat()})
        with clock.frozen(now):
            for one in self.customers:
                if now - STEP < one.missed_at <= now:
                    with suppress(Refused):
                        notices.send(
                            shop_id=self.shop_id, case_id=one.case_id, purpose=Purpose.EARLY_WARNING, by=SYSTEM,
                            now=now, delay=timedelta(0),
                        )  # fmt: skip
            notice_jobs.wake([self.shop_id], now)
            self.work()
            self.ask(now)
            self.work()

    def work(self) -> None:
        """Send what is due, dying now and then; rescue and settle what the dead left behind."""
        while due := effect_queries.due_ready([self.shop_id]).get(self.shop_id, []):
            effect_id = due[0]
            if self.rng.random() < DEATHS:
                with dying(self.rng, self.deaths):
                    jobs.carry_out(self.shop_id, [effect_id])
            else:
                jobs.carry_out(self.shop_id, [effect_id])
            self.rescue()

    def rescue(self) -> None:
        jobs.rescue([self.shop_id], effects.real_now() + timedelta(minutes=1))
        for _ in range(3):
            with for_shops([self.shop_id]):
                lost = list(Effect.objects.filter(state="unknown", needs_person=False).values_list("id", flat=True))
            if lost:
                jobs.settle_unknown(self.shop_id, lost)

    def ask(self, now: datetime) -> None:
        with for_shops([self.shop_id]):
            waiting = list(
                Notice.objects.filter(receipt="waiting", state="sent", look_at__lte=now).values_list("id", flat=True)
            )
        if waiting and self.rng.random() < DEATHS:
            with dying(self.rng, self.deaths):
                notice_jobs.ask_for(self.shop_id, waiting)
        notice_jobs.ask_for(self.shop_id, waiting)


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_twice_and_most_before_they_ask(world: dict[str, Any]) -> None:
    shop = Shop(world)
    now, ends = BEGINS, BEGINS + timedelta(days=DAYS + REST)
    while now < ends:
        now += STEP
        shop.step(now)
        if LONG and now.hour == 0 and now.minute == 0:
            tell(f"{now:%m-%d}: {sum(shop.deaths.values())} deaths")
    by_phone = Counter(told["phone"] for told in shop.control()["told"])
    mails = shop.http.get(shop.world["mail"] + ".json").json()
    by_mail = Counter(mail["box"] for mail in mails)
    with for_shops([shop.shop_id]):
        rows = list(Notice.objects.filter(shop_id=shop.shop_id))
        unseen = Effect.objects.filter(state="unknown", needs_person=False).count()
        shown = Effect.objects.filter(state="unknown", needs_person=True).count()
        spending = {row.day: row.cost_li for row in Spending.objects.filter(shop_id=shop.shop_id)}
    # Nobody twice: by what the vendors took, not by what we believe.
    sms_twice = {phone: n for phone, n in by_phone.items() if n > 2}
    per_vendor = Counter((told["service"], told["phone"]) for told in shop.control()["told"])
    assert max(per_vendor.values()) == 1, [key for key, n in per_vendor.items() if n > 1][:5]
    assert not sms_twice
    assert max(by_mail.values(), default=1) == 1
    assert unseen == 0
    assert all(spending[day] == planning.recount(shop.shop_id, day) for day in spending)
    assert all(cost <= 300 * CASES for cost in spending.values())
    assert status([shop.shop_id])["violations"] == []
    reached = {row.case_id: row.sent_at for row in sorted(rows, key=lambda row: row.pk, reverse=True) if _arrived(row)}
    first = sum(one.case_id in reached and (reached[one.case_id] or ends) < one.asks_at for one in shop.customers)
    share = first / len(shop.customers)
    count(
        cases=CASES, deaths=sum(shop.deaths.values()), twice=0, unknown_unseen=unseen, unknown_shown=shown,
        messages=sum(by_phone.values()) + sum(by_mail.values()), told_first_permille=int(share * 1000),
    )  # fmt: skip
    assert sum(shop.deaths.values()) >= (CASES * DEATHS * 0.3 if LONG else 1)
    assert share >= (0.95 if LONG else 0.8), f"told first: {share:.3f}"
    shop.http.close()


def _arrived(row: Notice) -> bool:
    """Delivered as far as a receipt says, or left on a channel that has none."""
    return row.state in ("delivered", "done") or (row.state == "sent" and row.receipt in ("", "none"))
