"""What stands around a parcel reaches the rules: receiver, further numbers, a number used before, its reissue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bufa.apps.cases.models import Finding
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import numbers
from bufa.apps.parcels.models import Parcel
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_package, make_recipient, make_report, make_shipped, make_shop

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
