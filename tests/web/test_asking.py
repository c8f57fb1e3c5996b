"""The plan of questions to the tracking provider, and asking about one parcel, from the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bufa.apps.parcels import asking
from bufa.apps.parcels.models import Parcel, TrackingCall
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.jobs.status import status
from bufa.lib.tenancy import for_shops
from tests.factories import NOW
from tests.factories.sample import Sample

SignIn = Callable[[str], Client]


@pytest.fixture
def by_plan(sample: Sample) -> Sample:
    kept = {"customer": "C1", "follow": "ask", "calls_per_hour": 40}
    shop_actions.connect(shop_id=sample.shop_id, kind="kuaidi100", settings=kept, secrets={"key": "K"})
    return sample


def test_the_plan_is_shown_with_reasons_and_what_it_has_spent(by_plan: Sample, owner: Client) -> None:
    with for_shops([by_plan.shop_id]):
        parcel = Parcel.objects.get(id=by_plan.parcel_id)
        for why, failure, news in (("turn", "", 3), ("person", "busy", 0), ("new", None, 0)):
            TrackingCall.objects.create(
                shop_id=by_plan.shop_id, parcel=parcel, provider="kuaidi100", asked_at=NOW - timedelta(minutes=9),
                why=why, by="system", failure=failure, new_scans=news,
            )  # fmt: skip
    page = owner.get("/settings/asking/").content.decode()
    for words in ("我们去问", "40 次", "3 次，还剩 37 次", "有客户在等", "3 条新轨迹", "对方正忙", "还没有回音"):
        assert words in page
    (told,) = status([by_plan.shop_id])["asking"]
    assert (told["per_hour"], told["spent"], told["provider"]) == (40, 3, "kuaidi100")
    assert told["next"][0]["why"] in {"customer", "deadline", "new"}


def test_without_a_provider_or_a_budget_the_page_says_what_to_do(sample: Sample, owner: Client) -> None:
    assert "没有连接查轨迹的服务" in owner.get("/settings/asking/").content.decode()
    shop_actions.connect(shop_id=sample.shop_id, kind="kdniao", settings={"business_id": "1"}, secrets={"app_key": "K"})
    assert "没有设：不主动问" in owner.get("/settings/asking/").content.decode()
    assert status([sample.shop_id])["asking"] == []


def test_somebody_asks_now_within_right_and_budget(
    by_plan: Sample, signed_in: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    where = f"/parcels/{by_plan.shop_id}/{by_plan.parcel_id}/"
    agent, finance = signed_in("agent"), signed_in("finance")
    page = agent.get(where).content.decode()
    assert "现在问一次" in page
    assert "下次问" in page
    assert (
        "没有权限" in finance.post(f"{where}ask/", follow=True).content.decode() or asking.made(by_plan.shop_id) == []
    )
    with django_capture_on_commit_callbacks(execute=False):
        assert "已经去问了" in agent.post(f"{where}ask/", follow=True).content.decode()
    (call,) = asking.made(by_plan.shop_id)
    assert (call.parcel_id, call.why, call.failure) == (by_plan.parcel_id, "person", None)
    assert "两次查询至少隔 30 分钟" in agent.post(f"{where}ask/", follow=True).content.decode()
    assert len(asking.made(by_plan.shop_id)) == 1


def test_the_budget_is_set_with_the_connection(sample: Sample, owner: Client) -> None:
    said = {"key": "K3Y", "follow": "ask", "calls_per_hour": "120", "base_url": "http://127.0.0.1:9"}
    owner.post("/settings/connections/17track/", said)
    assert shops.asking(sample.shop_id) == shops.Asking("17track", pushes=False, per_hour=120)
    answer = owner.post("/settings/connections/17track/", said | {"calls_per_hour": "-1"})
    assert answer.status_code == 422
    owner.post("/settings/connections/17track/", said | {"calls_per_hour": "", "follow": "push"})
    assert shops.asking(sample.shop_id) == shops.Asking("17track", pushes=True, per_hour=0)
    page = owner.get("/settings/connections/").content.decode()
    assert "17TRACK" in page
    assert "K3Y" not in page
