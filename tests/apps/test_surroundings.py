"""What stands around a parcel reaches the rules: receiver, further numbers, a number used before, its reissue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bufa.apps.cases.models import Case, Finding
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import numbers
from bufa.apps.parcels.models import Parcel
from bufa.integrations.ports import RawScan, TrackReport
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_package, make_recipient, make_report, make_shipped, make_shop, make_ticket

pytestmark = pytest.mark.django_db

Z1, Z2 = "73111122223333", "73111122224444"


def found(shop: int, rule: str) -> list[tuple[str, str, int]]:
    """(number, certainty, fen) of the open findings of a rule."""
    with for_shops([shop]):
        rows = Finding.objects.filter(shop_id=shop, rule=rule, state="open").order_by("parcel_id")
        return list(rows.values_list("parcel__number", "certainty", "payout_fen"))


def test_a_receiver_who_changed_after_the_label_was_written() -> None:
    shop = make_shop()
    order = make_shipped("1", Z1, shipped_at=at(-10))
    take_in(shop_id=shop, orders=[order], now=at(-9))
    assert found(shop, "receiver_differs") == []
    moved = replace(order, recipient=make_recipient(open_address_id="addr-2"), updated_at=NOW)
    take_in(shop_id=shop, orders=[moved], now=NOW)
    take_in(shop_id=shop, orders=[moved], now=at(1))
    assert found(shop, "receiver_differs") == [(Z1, "suspected", 2500)]


def test_a_number_that_was_used_before() -> None:
    shop = make_shop()
    numbers.remember_numbers([("zhongtong", Z1)])
    take_in(shop_id=shop, orders=[make_shipped("1", Z1), make_shipped("2", Z2)], now=NOW)
    take_in(shop_id=shop, orders=[make_shipped("1", Z1), make_shipped("2", Z2)], now=at(1))
    assert found(shop, "number_used_before") == [(Z1, "suspected", 2500)]


def test_another_number_for_the_same_goods_of_a_late_order() -> None:
    shop = make_shop()
    order = replace(make_shipped("1", Z1, shipped_at=at(-40)), ship_by=at(-20))
    take_in(shop_id=shop, orders=[order], now=at(-40))
    goods = [(order.lines[0].line_id, 1)]
    again = make_package(Z2, package_id="p2", lines=goods, shipped_at=at(-2), is_extra=True)
    more = replace(order, packages=(*order.packages, again), updated_at=NOW)
    take_in(shop_id=shop, orders=[more], now=NOW)
    assert [number for number, _, _ in found(shop, "several_numbers")] == [Z1]


def test_a_signature_in_another_city() -> None:
    shop = make_shop()
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-52))], now=at(-52))
    signed = (at(-6), "【金华市】 快件已签收，签收人：本人签收", "301")
    take_in(
        shop_id=shop,
        reports=[make_report(Z1, (at(-50), "【杭州市】 快件已由【杭州余杭】揽收", "103"), signed)],
        now=NOW,
    )
    assert [number for number, _, _ in found(shop, "wrong_city")] == [Z1]


def test_what_it_costs_now_and_next_stands_on_the_parcel() -> None:
    shop = make_shop()
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-30))], now=NOW)
    with for_shops([shop]):
        row = Parcel.objects.get(shop_id=shop)
    assert (row.cost_fen, row.risk_fen, row.risk_at, row.risk_rule) == (300, 2200, at(18), "pickup_abnormal")


COLLECTED = (at(-50), "【杭州市】 快件已由【杭州余杭】揽收", "103")


def test_picked_up_before_it_was_paid() -> None:
    shop = make_shop()
    order = replace(make_shipped("1", Z1, shipped_at=at(-52)), paid_at=at(-49))
    take_in(shop_id=shop, orders=[order], now=at(-49))
    take_in(shop_id=shop, reports=[make_report(Z1, COLLECTED)], now=NOW)
    assert found(shop, "scan_before_payment") == [(Z1, "suspected", 2500)]


def test_two_hubs_that_take_turns() -> None:
    shop = make_shop()
    order = replace(make_shipped("1", Z1, shipped_at=at(-52)), paid_at=at(-60))
    take_in(shop_id=shop, orders=[order], now=at(-52))
    hubs = [
        RawScan(at(-40 + 3 * n), f"【{city}市】 快件已到达 【{city}转运中心】", "0", "", f"{city}市")
        for n, city in enumerate(("杭州", "武汉", "杭州", "武汉"))
    ]
    report = TrackReport("kuaidi100", "zhongtong", Z1, (RawScan(*COLLECTED[:2], COLLECTED[2]), *hubs))
    take_in(shop_id=shop, reports=[report], now=NOW)
    assert found(shop, "repeated_nodes") == [(Z1, "suspected", 2500)]
    with for_shops([shop]):
        assert not Case.objects.exists()  # it may cost, but there is nothing to work on


def test_signed_for_and_the_buyers_ticket_says_that_nothing_came() -> None:
    shop = make_shop()
    order = make_shipped("1", Z1, shipped_at=at(-52))
    take_in(shop_id=shop, orders=[order], now=at(-52))
    early = make_ticket("t0", order.number, reason="未收到货", applied_at=at(-30))
    take_in(shop_id=shop, reports=[make_report(Z1, COLLECTED)], after_sales=[early], now=at(-30))
    assert found(shop, "signed_not_received") == found(shop, "not_received") == []

    signed = (at(-6), "【深圳市】 快件已签收，签收人：本人签收", "301")
    take_in(shop_id=shop, reports=[make_report(Z1, signed)], now=at(-6))
    assert found(shop, "signed_not_received") == []
    other = make_ticket("t1", order.number, reason="收到的商品破损", applied_at=at(-2))
    take_in(shop_id=shop, after_sales=[other], now=at(-2))
    assert found(shop, "signed_not_received") == []
    ticket = make_ticket("t2", order.number, reason="显示签收但没有收到货", applied_at=at(-1))
    for _ in range(2):
        take_in(shop_id=shop, after_sales=[ticket], now=NOW)
    assert [number for number, _, _ in found(shop, "signed_not_received")] == [Z1]
    with for_shops([shop]):
        assert Case.objects.filter(state="determining").count() == 1


def test_an_original_that_moves_again_beside_its_reissue() -> None:
    shop = make_shop()
    order = make_shipped("1", Z1, shipped_at=at(-200))
    take_in(shop_id=shop, orders=[order], now=at(-200))
    take_in(shop_id=shop, reports=[make_report(Z1, (at(-199), COLLECTED[1], "103"))], now=at(-199))
    resent = make_ticket(
        "t1", order.number, resend_carrier="yuantong", resend_number=Z2, updated_at=at(-20), applied_at=at(-30)
    )
    take_in(shop_id=shop, after_sales=[resent], now=at(-20))
    assert found(shop, "original_revived") == []
    moving = [
        make_report(Z1, (at(-2), "【深圳市】 快件已到达 【深圳转运中心】", "1002")),
        make_report(Z2, (at(-3), COLLECTED[1], "103"), carrier="yuantong"),
    ]
    take_in(shop_id=shop, reports=moving, now=NOW)
    assert [number for number, _, _ in found(shop, "original_revived")] == [Z1]
