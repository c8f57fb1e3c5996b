"""In step with the platform, over the wire: first sync, increments, pushes, following parcels, refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from bufa.apps.inbox import actions as inbox_actions
from bufa.apps.inbox import queries as inbox
from bufa.apps.orders.models import Line, Order
from bufa.apps.parcels import queries as parcels
from bufa.apps.parcels.actions import refresh_tracking
from bufa.apps.parcels.models import Parcel, Subscription
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.integrations.ports import ProviderError
from bufa.jobs import platform_events, sync, tracking
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_shop
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def shop(world: World) -> int:
    shop = make_shop()
    there = world.hello["doudian"]
    shop_actions.connect(
        shop_id=shop,
        kind="doudian",
        settings={"app_key": there["app_key"], "shop_id": there["shop_id"], "base_url": there["base_url"]},
        secrets={"app_secret": there["app_secret"]},
    )
    there = world.hello["kuaidi100"]
    shop_actions.connect(
        shop_id=shop,
        kind="kuaidi100",
        settings={"customer": there["customer"], "base_url": there["base_url"]},
        secrets={"key": there["key"]},
    )
    return shop


def test_the_first_sync_takes_everything_and_the_next_what_changed(world: World, shop: int) -> None:
    now = world.advance(days=4)
    with clock.frozen(now):
        counts = sync.sync(shop)
    info = shops.connection(shop, "doudian")
    assert info is not None
    assert (info.state, info.progress["phase"], info.synced_until) == ("connected", "done", now)
    with for_shops([shop]):
        assert Order.objects.count() == counts.orders > 50
        assert Line.objects.count() >= counts.orders
        assert Parcel.objects.exclude(number="").exists()
        before = sorted(Parcel.objects.values_list("key", "stage", "contents"), key=str)
    assert shops.pickup_addresses([shop])
    with clock.frozen(now):
        sync.sync(shop)
    with for_shops([shop]):
        assert sorted(Parcel.objects.values_list("key", "stage", "contents"), key=str) == before
    later = world.advance(hours=12)
    with clock.frozen(later):
        more = sync.sync(shop)
    assert 0 < more.orders < counts.orders
    with for_shops([shop]):
        assert Order.objects.count() > counts.orders


def test_a_push_reads_its_order_and_an_order_that_is_gone_is_parked(world: World, shop: int) -> None:
    now = world.advance(days=1)
    with clock.frozen(now):
        sync.sync(shop)
    with for_shops([shop]):
        number = Order.objects.order_by("id").values_list("number", flat=True)[0]
        Order.objects.filter(number=number).update(platform_updated_at=None, status=1)
    for message_id, order in (("m1", number), ("m2", number), ("m3", "6900000000000009999")):
        body = f'{{"tag":"102","msg_id":"{message_id}","data":"{{\\"p_id\\":{order}}}"}}'.encode()
        inbox_actions.keep(shop, "doudian", "102", message_id, body, now)
    inbox_actions.keep(shop, "doudian", "400", "m4", b'{"tag":"400","msg_id":"m4","data":"{}"}', now)
    inbox_actions.keep(shop, "doudian", "102", "m5", b'{"tag":"102","msg_', now)
    assert platform_events.handle_events(shop, now) == 5
    assert inbox.counts([shop]) == {"new": 0, "done": 3, "parked": 2, "discarded": 0}
    assert sorted(one.code for one in inbox.parked([shop])) == ["malformed", "not_found"]
    with for_shops([shop]):
        assert Order.objects.get(number=number).status != 1


def test_parcels_are_followed_and_asked_about_within_the_limits(
    world: World,
    shop: int,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setenv("BUFA_PUBLIC_URL", "http://127.0.0.1:9")
    now = world.advance(days=3)
    with clock.frozen(now):
        sync.sync(shop)
        while tracking.subscribe_some(shop, now):
            pass
    with for_shops([shop]):
        rows = list(Subscription.objects.values_list("state", "error").distinct())
        assert rows == [("active", "")]
        parcel = Parcel.objects.filter(subscription__state="active").order_by("id")[0]
    with clock.frozen(now):
        with django_capture_on_commit_callbacks(execute=True):
            refresh_tracking(shop_id=shop, parcel_id=parcel.pk, by="operator:1", now=now)
        report = tracking.query_one(shop, parcel.pk, now)
    assert report is not None
    assert report.number == parcel.number
    follow = parcels.follow_info(shop, parcel.pk)
    assert follow is not None
    assert (follow.provider, follow.last_query_at, follow.error) == ("kuaidi100", now, "")
    with clock.frozen(now), pytest.raises(Refused, match="asked_recently"):
        refresh_tracking(shop_id=shop, parcel_id=parcel.pk, by="operator:1", now=now + timedelta(minutes=29))
    assert ProcrastinateJob.objects.filter(task_name="tracking.query", status="todo").count() == 1


def test_wrong_keys_show_on_the_connection(world: World, shop: int) -> None:
    shop_actions.connect(
        shop_id=shop,
        kind="doudian",
        settings={**world.hello["doudian"], "app_secret": "wrong"},
    )
    with pytest.raises(ProviderError):
        sync.sync(shop)
    info = shops.connection(shop, "doudian")
    assert info is not None
    assert info.state == "failing"
    assert info.error
    assert "app_secret" not in info.settings
