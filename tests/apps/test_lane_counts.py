"""Lanes learn from parcels as they come to an end: each once, and what they say is what was counted."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest

from bufa.apps.cases.models import Finding
from bufa.apps.cases.taking_in import judge_again, take_in
from bufa.apps.parcels import lane_counts, queries, watching
from bufa.apps.parcels.models import LaneCount, Parcel
from bufa.apps.parcels.recording import stored_scans
from bufa.apps.shops import actions as shop_actions
from bufa.domain import lanes, passing
from bufa.domain.histograms import Histogram
from bufa.domain.kinds import Stage
from bufa.domain.lanes import Leg
from bufa.domain.passing import Fate
from bufa.jobs import lanes as jobs
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_report, make_shipped, make_shop

pytestmark = pytest.mark.django_db

HOURS = (30.0, 40.0, 50.0)


@pytest.fixture
def shop() -> int:
    return make_shop()


def arrived(shop: int, number: str, hours: float, end: datetime | None = None) -> None:
    end = end or at(-10)
    start = end - timedelta(hours=hours)
    report = make_report(
        number,
        (start, "【杭州市】 快件已揽收", "103"),
        (start + timedelta(hours=6), "【杭州转运中心】 已到达", "0"),
        (end - timedelta(hours=3), "【深圳市】 正在派件", "5"),
        (end, "快件已签收，签收人：本人", "301"),
    )
    take_in(shop_id=shop, orders=[make_shipped(f"O{number}", number)], reports=[report], now=NOW)


def totals(shop: int, leg: Leg = Leg.TOTAL, key: str = lanes.EVERYTHING) -> Histogram:
    with for_shops([shop]):
        rows = LaneCount.objects.filter(key=key, leg=leg).values_list("counts", flat=True)
        return sum((Histogram.from_json(each) for each in rows), Histogram())


def test_each_parcel_counts_once_however_often_and_in_what_batches(shop: int) -> None:
    for n, hours in enumerate(HOURS):
        arrived(shop, f"7311112222{n:04d}", hours)
    assert lane_counts.learn([shop], NOW, limit=2) == 2
    assert lane_counts.learn([shop], NOW, limit=2) == 1
    assert lane_counts.learn([shop], NOW) == 0
    assert jobs.learn([shop], at(100)) == 0
    assert totals(shop) == Histogram.of(HOURS)
    assert totals(shop, Leg.FIRST_HUB) == Histogram.of([6.0] * 3)
    assert totals(shop, Leg.DELIVERY) == Histogram.of([3.0] * 3)


def test_a_signature_waits_until_it_is_final_and_what_is_on_the_road_waits_too(shop: int) -> None:
    arrived(shop, "73111122220001", 30, end=at(-2))
    take_in(shop_id=shop, orders=[make_shipped("O2", "73111122220002")], now=NOW)
    assert (lane_counts.learn([shop], NOW), jobs.learn_losses([shop], NOW)) == (0, 0)
    assert lane_counts.learn([shop], at(5)) == 1


def test_what_never_came_is_counted_as_lost_after_a_month(shop: int) -> None:
    scans = ((at(-48), "【杭州市】 快件已揽收", "103"), (at(-40), "【杭州转运中心】 已到达", "0"))
    report = make_report("73111122220003", *scans)
    take_in(shop_id=shop, orders=[make_shipped("O3", "73111122220003")], reports=[report], now=NOW)
    assert jobs.learn_losses([shop], at(24 * 20)) == 0
    assert jobs.learn_losses([shop], at(24 * 31)) == 1
    assert jobs.learn_losses([shop], at(24 * 31)) == 0
    assert totals(shop, Leg.SILENT_IN_TRANSIT).never == 1


def test_what_is_kept_is_what_the_domain_counts(shop: int) -> None:
    arrived(shop, "73111122220004", 44)
    lane_counts.learn([shop], NOW)
    with for_shops([shop]):
        row = Parcel.objects.get(number="73111122220004")
        scans = stored_scans(shop, row.pk)
        keys = lanes.ladder(row.carrier, row.origin_province, row.dest_province)
        kept = {(each.key, each.leg, each.month): each.counts for each in LaneCount.objects.all()}
    said = passing.lessons(scans, Fate.ARRIVED, NOW, keys)
    assert kept == {(key, leg.value, month): each.to_json() for (key, leg, month), each in said.items()}


def test_another_shop_learns_nothing_from_it(shop: int) -> None:
    arrived(shop, "73111122220005", 30)
    lane_counts.learn([shop], NOW)
    other = make_shop("别家")
    assert lane_counts.learned(other, [lanes.EVERYTHING], [Leg.TOTAL], NOW).times == {}
    with for_shops([other]):
        assert not LaneCount.objects.exists()


def test_old_months_go(shop: int) -> None:
    arrived(shop, "73111122220006", 30)
    lane_counts.learn([shop], NOW)
    assert lane_counts.prune([shop], at(24 * 30)) == 0
    assert lane_counts.prune([shop], at(24 * 30 * 20)) > 0
    assert totals(shop) == Histogram()


def keep(shop: int, leg: Leg, histogram: Histogram, month: datetime, key: str = lanes.EVERYTHING) -> None:
    with for_shops([shop]):
        LaneCount.objects.create(
            shop_id=shop, key=key, leg=leg, month=passing.month_of(month), counts=histogram.to_json()
        )
    lane_counts.forget(shop)


def test_the_estimate_is_the_learned_one_and_says_what_it_rests_on(shop: int) -> None:
    fixed = lane_counts.eta(shop, "zhongtong", "浙江省", "广东省", at(-10), NOW)
    assert fixed.basis == "class:far"
    keep(shop, Leg.TOTAL, Histogram.of([20.0] * 90 + [30.0] * 10), at(-24 * 10))
    said = lane_counts.eta(shop, "zhongtong", "浙江省", "广东省", at(-10), NOW)
    assert (said.basis, said.parcels) == ("learned:*", 100)
    assert at(8) < said.p50 < at(12)
    assert said.p90 < at(24)
    take_in(
        shop_id=shop,
        orders=[make_shipped("O7", "73111122220007")],
        reports=[make_report("73111122220007", (at(-10), "【杭州市】 快件已揽收", "103"))],
        now=NOW,
    )
    with for_shops([shop]):
        parcel_id = Parcel.objects.get(number="73111122220007").pk
    view = queries.parcel_view(shop, parcel_id)
    assert view is not None
    found = queries.outlook(view, NOW)
    assert found is not None
    assert found.rests_on == 100
    assert found.loss is not None
    assert 0 < found.loss < 0.2


def silent_parcel(shop: int, number: str, hours: float) -> int:
    scans = ((at(-hours - 8), "【杭州市】 快件已揽收", "103"), (at(-hours), "【杭州转运中心】 快件已到达", "0"))
    report = make_report(number, *scans)
    take_in(shop_id=shop, orders=[make_shipped(f"O{number}", number)], reports=[report], now=NOW)
    with for_shops([shop]):
        return Parcel.objects.get(number=number).pk


def suspected(shop: int, parcel_id: int) -> bool:
    judge_again(shop_id=shop, parcel_ids=[parcel_id], now=NOW)
    with for_shops([shop]):
        return Finding.objects.filter(parcel_id=parcel_id, rule="lost_suspected", state="open").exists()


def test_a_lane_sets_how_long_silence_is_allowed(shop: int) -> None:
    silent = silent_parcel(shop, "73111122220008", 60)
    assert not suspected(shop, silent)  # far: the shop's fixed 144 hours
    a_year_ago = at(-24 * 120)
    few = Histogram.of([10.0] * 150, never=5)
    keep(shop, Leg.SILENT_IN_TRANSIT, few, a_year_ago)
    assert not suspected(shop, silent)  # 150 are not enough
    keep(shop, Leg.SILENT_IN_TRANSIT, Histogram.of([10.0] * 850, never=20), at(-24 * 150))
    with for_shops([shop]):
        (row,) = watching.load(shop, [silent], NOW)
    known = lane_counts.learned(shop, [lanes.EVERYTHING], [Leg.SILENT_IN_TRANSIT], NOW)
    between = row.watched.distance
    keys = lanes.ladder(row.watched.carrier, row.watched.origin_province, row.watched.dest_province)
    hours = lanes.silence_allowance(None, Stage.IN_TRANSIT, between, keys=keys, learned=known)
    assert hours is not None
    assert row.watched.allowed_silence == timedelta(hours=math.ceil(hours))
    assert hours < 60
    assert suspected(shop, silent)
    assert not suspected(shop, silent_parcel(shop, "73111122220009", 9))
    # A shop that bears more before it calls a silence wrong is told later, and the finding goes.
    shop_actions.change_policy(shop_id=shop, changes={"loss_level": 95}, by="system")
    later = lanes.silence_allowance(0.95, Stage.IN_TRANSIT, between, keys=keys, learned=known)
    with for_shops([shop]):
        (row,) = watching.load(shop, [silent], NOW)
    assert later is not None
    assert later > 60
    assert row.watched.allowed_silence == timedelta(hours=math.ceil(later))
    assert not suspected(shop, silent)
