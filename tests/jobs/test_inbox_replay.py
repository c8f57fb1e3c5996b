"""The whole way in, from a push to parcel, finding and deadline: order, repeats and batches change nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bufa.apps.cases.models import Finding
from bufa.apps.cases.taking_in import take_in
from bufa.apps.inbox import actions as inbox
from bufa.apps.inbox.models import Message
from bufa.apps.parcels.models import Parcel, Scan
from bufa.apps.shops.actions import connect
from bufa.bench import traffic
from bufa.jobs.inbox import handle_tracking
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_line, make_order, make_package, make_shop

pytestmark = pytest.mark.django_db

PARCELS = 6
PUSHES = [(parcel, steps) for parcel in range(PARCELS) for steps in (3, 5 + parcel % 3, 8 + parcel % 3)]


def shop_with_parcels() -> int:
    shop_id = make_shop()
    connect(shop_id=shop_id, kind="kuaidi100", settings={"customer": "C1"}, secrets={"key": "k", "salt": traffic.SALT})
    connect(
        shop_id=shop_id,
        kind="kdniao",
        settings={"business_id": traffic.BUSINESS_ID},
        secrets={"app_key": traffic.APP_KEY},
    )
    orders = [
        make_order(
            str(n),
            status=3,
            lines=[make_line("a")],
            packages=[make_package(traffic.number(n), lines=[("a", 1)], shipped_at=traffic.SHIPPED_AT)],
            updated_at=traffic.SHIPPED_AT,
        )
        for n in range(PARCELS)
    ]
    with clock.frozen(traffic.SHIPPED_AT):
        take_in(shop_id=shop_id, orders=orders, now=traffic.SHIPPED_AT)
    return shop_id


def hear(shop_id: int, bodies: list[tuple[str, bytes]], *, limit: int) -> int:
    """Keep these pushes and handle them, so many at once; how many scans were new."""
    raws = [inbox.Raw(source, "push", "", body, traffic.NOW) for source, body in bodies]
    new = 0
    with clock.frozen(traffic.NOW):
        inbox.keep_all(shop_id, raws, call=False)
        while (handled := handle_tracking(shop_id, traffic.NOW, limit=limit)).messages:
            assert handled.parked == 0
            new += handled.new_scans
    return new


def everything(shop_id: int) -> tuple[Any, ...]:
    with for_shops([shop_id]):
        return (
            list(
                Parcel.objects.order_by("number").values_list(
                    "number", "stage", "state", "place", "last_scan_at", "next_deadline", "risk_fen", "risk_at"
                )
            ),
            list(
                Scan.objects.order_by("parcel__number", "minute", "digest").values_list(
                    "parcel__number", "scanned_at", "digest", "kind", "code", "provider", "text", "place"
                )
            ),
            # The second shop of a test has numbers that the first used up: that is told of it, and nothing of pushes.
            sorted(
                Finding.objects.exclude(rule="number_used_before").values_list(
                    "rule", "since", "state", "parcel__number"
                ),
                key=str,
            ),
        )


@pytest.mark.parametrize(("seed", "limit"), [(1, 1), (2, 3), (3, 500)])
def test_any_order_repeats_and_batches_come_to_the_same(seed: int, limit: int) -> None:
    plain, mixed = shop_with_parcels(), shop_with_parcels()
    pushes = [("kuaidi100", traffic.kuaidi100_push(parcel, range(steps))) for parcel, steps in PUSHES]
    pushes += [("kdniao", traffic.kdniao_push([(parcel, range(steps))])) for parcel, steps in PUSHES]
    new = hear(plain, pushes, limit=500)
    dice = random.Random(seed)
    told = pushes + dice.choices(pushes, k=9)
    dice.shuffle(told)
    assert hear(mixed, told, limit=limit) == new > 0
    assert everything(mixed) == everything(plain)


def test_a_message_that_is_handled_again_changes_nothing() -> None:
    shop_id = shop_with_parcels()
    pushes = [("kuaidi100", traffic.kuaidi100_push(parcel, range(steps))) for parcel, steps in PUSHES]
    hear(shop_id, pushes, limit=4)
    before = everything(shop_id)
    with for_shops([shop_id]):
        Message.objects.update(state="new", outcome="", handled_at=None)
    assert hear(shop_id, pushes, limit=500) == 0
    assert everything(shop_id) == before
