"""Facts go in by one door and come out as parcels, findings and cases."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest

from bufa.apps.cases.models import Case, Finding
from bufa.apps.cases.taking_in import TakenIn, rejudge, take_in
from bufa.apps.parcels import actions as parcels
from bufa.apps.parcels import boxes
from bufa.apps.parcels.models import Parcel, Scan, Subscription
from bufa.apps.parcels.recording import Heard
from bufa.integrations.ports import TrackReport
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_line, make_order, make_package, make_report, make_shipped, make_shop

pytestmark = pytest.mark.django_db

Z1 = "73111122223333"

LIFE = (
    (at(-50), "【杭州市】 快件已由【杭州余杭】揽收", "103"),
    (at(-47), "【杭州市】 快件已到达 【杭州转运中心】", "0"),
    (at(-45), "【杭州市】 快件离开 【杭州转运中心】 已发往 【深圳转运中心】", "1002"),
    (at(-20), "【深圳市】 快件已到达 【深圳转运中心】", "1001"),
    (at(-10), "【深圳市】 【深圳南山】 正在第1次派件", "5"),
    (at(-6), "【深圳市】 快件已签收，签收人：本人签收", "301"),
)


@pytest.fixture
def shop() -> int:
    return make_shop()


def parcel(shop: int, **by: Any) -> Parcel:
    with for_shops([shop]):
        return Parcel.objects.get(shop_id=shop, **by)


def rows(shop: int) -> tuple[Any, ...]:
    """Everything that taking in writes, comparable."""
    with for_shops([shop]):
        return (
            sorted(
                Parcel.objects.values_list("key", "stage", "state", "place", "last_scan_at", "next_deadline"), key=str
            ),
            sorted(Scan.objects.values_list("minute", "digest", "kind", "code", "provider", "text"), key=str),
            sorted(Finding.objects.values_list("rule", "since", "state", "payout_fen"), key=str),
            sorted(Case.objects.values_list("parcel__key", "state", "headline"), key=str),
        )


def test_an_unshipped_order_is_a_parcel_without_number(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_order("1", lines=[make_line("a", quantity=2)])], now=NOW)
    found = parcel(shop)
    assert (found.key, found.stage, found.contents, found.dest_province) == ("rest", "unshipped", [["a", 2]], "广东省")
    assert found.next_deadline is not None
    assert at(5.9) < found.next_deadline <= at(6)  # ship by in 18 h; the warning comes 12 h before


def test_the_first_package_of_all_keeps_the_row(shop: int) -> None:
    line = make_line("a")
    take_in(shop_id=shop, orders=[make_order("1", lines=[line])], now=NOW)
    rest = parcel(shop).pk
    package = make_package(Z1, lines=[("a", 1)], shipped_at=NOW)
    take_in(shop_id=shop, orders=[make_order("1", status=3, lines=[line], packages=[package], updated_at=NOW)], now=NOW)
    found = parcel(shop)
    assert (found.pk, found.key, found.stage) == (rest, f"zhongtong:{Z1}", "labelled")
    with for_shops([shop]):
        assert Subscription.objects.get(parcel_id=rest).state == "wanted"


def test_a_part_that_left_leaves_a_remainder(shop: int) -> None:
    lines = [make_line("a", quantity=2), make_line("b")]
    take_in(shop_id=shop, orders=[make_order("1", lines=lines)], now=NOW)
    package = make_package(Z1, lines=[("a", 2)], shipped_at=NOW)
    order = make_order("1", status=101, lines=lines, packages=[package], updated_at=NOW)
    take_in(shop_id=shop, orders=[order], now=NOW)
    assert parcel(shop, key="rest").contents == [["b", 1]]
    assert parcel(shop, number=Z1).contents == [["a", 2]]
    second = make_package("73999922223333", lines=[("b", 1)], shipped_at=NOW)
    rest = parcel(shop, key="rest").pk
    order = make_order("1", status=3, lines=lines, packages=[package, second], updated_at=at(1))
    take_in(shop_id=shop, orders=[order], now=at(1))
    assert parcel(shop, number="73999922223333").pk == rest


def test_a_reissue_that_ships_part_of_an_order_first_leaves_the_rest_without_a_waybill(shop: int) -> None:
    lines = [make_line("a", quantity=2), make_line("b")]
    taken = take_in(shop_id=shop, orders=[make_order("1", lines=lines)], now=NOW)
    rest = parcel(shop).pk
    about = {"shop_id": shop, "order_id": taken.order_ids["1"], "carrier": "zhongtong", "uploaded_at": NOW, "now": NOW}
    boxes.add_reissue(**about, number=Z1, contents=[("a", 1), ("b", 1)], ships_first=True)
    found = parcel(shop, key="rest")
    assert (found.pk, found.contents, found.number, found.is_watched) == (rest, [["a", 1]], "", True)
    # The platform tells of the same box; nothing is counted twice.
    package = make_package(Z1, lines=[("a", 1), ("b", 1)], shipped_at=NOW)
    order = make_order("1", status=101, lines=lines, packages=[package], updated_at=NOW)
    take_in(shop_id=shop, orders=[order], now=NOW)
    found = parcel(shop, key="rest")
    assert (found.pk, found.contents, found.stage) == (rest, [["a", 1]], "unshipped")
    assert found.next_deadline is not None
    boxes.add_reissue(**about, number="73999922223333", contents=[("a", 1)], ships_first=True)
    found = parcel(shop, key="rest")
    assert (found.contents, found.is_watched, found.stage) == ([], False, "cancelled")


def test_a_reissue_of_what_was_shipped_takes_nothing_from_the_rest(shop: int) -> None:
    lines = [make_line("a", quantity=2)]
    package = make_package(Z1, lines=[("a", 1)], shipped_at=NOW)
    order = make_order("1", status=101, lines=lines, packages=[package], updated_at=NOW)
    taken = take_in(shop_id=shop, orders=[order], now=NOW)
    boxes.add_reissue(
        shop_id=shop, order_id=taken.order_ids["1"], carrier="zhongtong", number="73999922223333",
        contents=[("a", 1)], uploaded_at=NOW, now=NOW,
    )  # fmt: skip
    take_in(shop_id=shop, orders=[order], now=NOW)
    assert parcel(shop, key="rest").contents == [["a", 1]]


def test_an_edited_number_stays_one_parcel_without_the_old_scans(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1)], reports=[make_report(Z1, *LIFE[:2])], now=NOW)
    before = parcel(shop).pk
    line = make_line("a")
    right = make_package("73888800001111", package_id=f"p{Z1}", lines=[("a", 1)])
    take_in(shop_id=shop, orders=[make_order("1", status=3, lines=[line], packages=[right], updated_at=NOW)], now=NOW)
    found = parcel(shop)
    assert (found.pk, found.number, found.stage, found.last_scan_at) == (before, "73888800001111", "labelled", None)
    with for_shops([shop]):
        assert Scan.objects.count() == 0


def test_a_number_on_top_of_a_shipped_order_is_a_reissue(shop: int) -> None:
    first = make_shipped("1", Z1)
    take_in(shop_id=shop, orders=[first], now=NOW)
    extra = make_package("73777700001111")
    again = make_order("1", status=3, lines=first.lines, packages=[*first.packages, extra], updated_at=NOW)
    take_in(shop_id=shop, orders=[again], now=NOW)
    assert parcel(shop, number=Z1).role == "original"
    assert parcel(shop, number="73777700001111").role == "reissue"


def test_an_older_word_about_an_order_changes_nothing(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1)], now=NOW)
    take_in(shop_id=shop, orders=[make_order("1", status=2, updated_at=at(-9))], now=NOW)
    assert parcel(shop).number == Z1


def test_scans_make_the_stage_and_their_order_does_not_matter(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-52))], now=at(-52))
    for index in (3, 0, 5, 1, 1, 4, 2):
        take_in(shop_id=shop, reports=[make_report(Z1, LIFE[index])], now=NOW)
    shuffled = rows(shop)
    other = make_shop()
    take_in(shop_id=other, orders=[make_shipped("1", Z1, shipped_at=at(-52))], now=at(-52))
    take_in(shop_id=other, reports=[make_report(Z1, *LIFE)], now=NOW)
    assert parcel(other).stage == "delivered"
    assert shuffled[:2] == rows(other)[:2]


@pytest.mark.parametrize("seed", range(5))
def test_any_interleaving_of_batches_gives_equal_parcels(shop: int, seed: int) -> None:
    numbers = [f"7311112222{n:04d}" for n in range(6)]
    take_in(shop_id=shop, orders=[make_shipped(n, n, shipped_at=at(-60)) for n in numbers], now=at(-60))
    other = make_shop()
    take_in(shop_id=other, orders=[make_shipped(n, n, shipped_at=at(-60)) for n in numbers], now=at(-60))
    take_in(shop_id=other, reports=[make_report(n, *LIFE[: 1 + i]) for i, n in enumerate(numbers)], now=NOW)
    dice = random.Random(seed)
    said = [make_report(n, scan) for i, n in enumerate(numbers) for scan in LIFE[: 1 + i]]
    said += [make_report(n, *LIFE[: 1 + i]) for i, n in enumerate(numbers)]
    dice.shuffle(said)
    while said:
        size = dice.randint(1, 8)
        take_in(shop_id=shop, reports=said[:size], now=NOW)
        said = said[size:]
    assert rows(shop)[:2] == rows(other)[:2]


def test_a_repeated_batch_changes_nothing(shop: int) -> None:
    def feed() -> None:
        take_in(shop_id=shop, orders=[make_shipped("1", Z1)], reports=[make_report(Z1, *LIFE[:3])], now=NOW)

    feed()
    before = rows(shop)
    feed()
    feed()
    assert rows(shop) == before


def test_a_scan_from_the_future_counts_once_it_is_past(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1)], now=NOW)
    signed = (at(2), "快件已签收，签收人：本人签收", "301")
    take_in(shop_id=shop, reports=[make_report(Z1, *LIFE[:2], signed)], now=NOW)
    assert parcel(shop).stage == "in_transit"
    take_in(shop_id=shop, reports=[make_report(Z1, signed)], now=at(3))
    assert parcel(shop).stage == "delivered"


def test_unknown_numbers_come_back_to_the_caller(shop: int) -> None:
    taken = take_in(shop_id=shop, reports=[make_report("73000000000000", LIFE[0])], now=NOW)
    assert [report.number for report in taken.unknown] == ["73000000000000"]
    with for_shops([shop]):
        assert Scan.objects.count() == 0


def sweep(shop: int, now: datetime) -> TakenIn:
    due = parcels.take_due([shop], now)
    return rejudge(shop_id=shop, taken=due, now=now)


def test_silence_becomes_a_finding_and_one_case(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-24))], now=at(-23))
    assert parcels.take_due([shop], at(-22)) == []
    for hours in (1, 2, 30, 60, 90):
        sweep(shop, at(hours))
    with for_shops([shop]):
        case = Case.objects.get()
        assert (case.headline, case.state) == ("late_shipping", "determining")
        found = Finding.objects.order_by("rule").values_list("rule", "state", "case_id")
        assert list(found) == [
            ("late_shipping", "open", case.pk),
            ("out_of_stock_late", "open", case.pk),
            ("pickup_abnormal", "open", case.pk),
            ("pickup_timeout", "cleared", case.pk),
        ]


def test_a_taken_parcel_is_not_taken_twice_and_only_judged_as_it_was_taken(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-24))], now=at(-23))
    due = parcels.take_due([shop], at(1))
    assert len(due) == 1
    assert parcels.take_due([shop], at(1)) == []
    take_in(shop_id=shop, reports=[make_report(Z1, (at(0.5), "快件已揽收", "103"))], now=at(1))
    assert rejudge(shop_id=shop, taken=due, now=at(1)).touched == set()


def test_a_parcel_that_moves_again_clears_the_finding_and_closes_an_untouched_case(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-24))], now=at(-23))
    sweep(shop, at(1))
    with for_shops([shop]):
        assert Case.objects.get().state == "determining"
    take_in(
        shop_id=shop, reports=[make_report(Z1, (at(1.2), "【杭州市】快件已由【杭州余杭】揽收", "103"))], now=at(1.5)
    )
    with for_shops([shop]):
        assert list(Finding.objects.values_list("rule", "state")) == [("pickup_timeout", "cleared")]
        assert (Case.objects.get().state, Case.objects.get().outcome) == ("closed", "recovered")


def test_a_delivered_parcel_closes_its_case(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-52))], now=at(-52))
    lost = (at(-40), "快件已丢失，网点正在处理", "")
    take_in(shop_id=shop, reports=[make_report(Z1, *LIFE[:2], lost)], now=at(-39))
    with for_shops([shop]):
        assert (Case.objects.get().headline, Case.objects.get().state) == ("lost", "determining")
    take_in(shop_id=shop, reports=[make_report(Z1, LIFE[5])], now=NOW)
    with for_shops([shop]):
        assert (Case.objects.get().state, Case.objects.get().outcome) == ("closed", "original_delivered")


def test_waybills_are_remembered_across_shops_without_telling_whose(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1)], now=NOW)
    with for_shops([make_shop()]):
        assert parcels.is_used("zhongtong", f" {Z1} ")
        assert not parcels.is_used("yuantong", Z1)


def test_a_later_arrival_of_the_same_words_does_not_rewrite_scans(shop: int) -> None:
    take_in(shop_id=shop, orders=[make_shipped("1", Z1)], now=NOW)
    report: TrackReport = make_report(Z1, *LIFE)
    take_in(shop_id=shop, reports=[Heard(report, NOW)], now=NOW)
    taken = take_in(shop_id=shop, reports=[Heard(report, at(5))], now=at(5))
    assert (taken.new_scans, taken.touched) == (0, set())
