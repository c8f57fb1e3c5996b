"""What an order's other boxes mean to a parcel."""

from __future__ import annotations

import pytest

from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import boxes, rows, told
from bufa.apps.parcels.models import Parcel
from bufa.domain.rulebook import Fact
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_line, make_order, make_shop

pytestmark = pytest.mark.django_db


def test_a_box_without_a_number_knows_of_the_one_reissue_beside_it() -> None:
    shop = make_shop()
    taken = take_in(shop_id=shop, orders=[make_order("1", lines=[make_line("a")])], now=NOW)
    with for_shops([shop]):
        rest = Parcel.objects.get(shop_id=shop).pk
        boxes.add_reissue(
            shop_id=shop,
            order_id=taken.order_ids["1"],
            carrier="zhongtong",
            number="73111122223333",
            uploaded_at=NOW,
            now=NOW,
        )
        around = told.surroundings(shop, rows.by_id(shop, [rest], lock=False))[rest]
    assert (around.facts, around.number_uploads) == ({Fact.REISSUED: NOW}, ())
