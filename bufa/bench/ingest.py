"""How many scans a second go in, from a provider's report to parcel, finding and next deadline, in one process."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bufa.apps.cases.taking_in import take_in
from bufa.apps.shops.actions import create_shop
from bufa.bench import Figure
from bufa.integrations.ports import LineFact, OrderFact, PackageFact, RawScan, RecipientFact, TrackReport
from bufa.lib import clock

PARCELS = 2_000
BATCH = 250
GOAL_PER_S = 4_000
_SHIPPED_AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
_NOW = _SHIPPED_AT + timedelta(days=4)
_TEXTS = (
    "【杭州市】您的快件已被揽收,揽投员:{n},电话:13800000000",
    "【杭州转运中心】已发出,下一站 广州转运中心",
    "【广州转运中心】快件已到达",
    "【广州转运中心】已发出,下一站 深圳南山公司",
    "【深圳南山公司】已到达",
    "【深圳市】派件中,派件员:{n},电话:13900000000",
    "【深圳市】已签收,签收人:本人",
)


def measure() -> Figure:
    """Scans a second, in batches of 250 reports; the orders' share stands beside."""
    shop_id = create_shop("量一量", owner_login="bench", owner_password="not-a-secret-here", is_demo=True)  # noqa: S106
    # Orders arrive as they are shipped and healthy parcels are heard of in time: a case for each would measure cases.
    with clock.frozen(_SHIPPED_AT):
        begun = time.perf_counter()
        for first in range(0, PARCELS, BATCH):
            take_in(shop_id=shop_id, orders=[_order(n) for n in range(first, first + BATCH)], now=_SHIPPED_AT)
        orders_s = time.perf_counter() - begun
    scans = 0
    with clock.frozen(_NOW):
        begun = time.perf_counter()
        for first in range(0, PARCELS, BATCH):
            reports = [_report(n) for n in range(first, first + BATCH)]
            scans += take_in(shop_id=shop_id, reports=reports, now=_NOW).new_scans
        scans_s = time.perf_counter() - begun
    beside = {"scans": scans, "parcels": PARCELS, "batch": BATCH, "orders_per_s": round(PARCELS / orders_s)}
    return Figure(scans / scans_s, "scans/s", GOAL_PER_S, beside=beside)


def _order(n: int) -> OrderFact:
    shipped_at = _SHIPPED_AT
    line = LineFact(f"L{n}", "P1", "S1", "杯子", "红色", 1, 9900)
    return OrderFact(
        number=f"69{n:014d}",
        status=3,
        main_status=3,
        created_at=shipped_at - timedelta(hours=20),
        paid_at=shipped_at - timedelta(hours=19),
        ship_by=shipped_at + timedelta(hours=29),
        promise_hours=48,
        paid_fen=9900,
        updated_at=shipped_at,
        finished_at=None,
        lines=(line,),
        recipient=RecipientFact(
            name_mask="张**", phone_mask="138****5678", province="广东省", city="深圳市", district="南山区",
            open_address_id=f"a{n}",
        ),
        packages=(PackageFact(f"p{n}", "zhongtong", _number(n), shipped_at, ((f"L{n}", 1),)),),
    )  # fmt: skip


def _number(n: int) -> str:
    return f"78{n:012d}"


def _report(n: int) -> TrackReport:
    start = _SHIPPED_AT + timedelta(minutes=n % 600)
    scans = tuple(RawScan(start + timedelta(hours=9 * step), text.format(n=n)) for step, text in enumerate(_TEXTS))
    return TrackReport("kuaidi100", "zhongtong", _number(n), scans, state="3")
