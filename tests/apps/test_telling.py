"""What people say of a parcel starts the rules that hang on it, and is taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bufa.apps.cases import telling
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Finding
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import queries as parcels
from bufa.apps.parcels.models import Parcel
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import Fact
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_report, make_shipped, make_shop

pytestmark = pytest.mark.django_db

LEAD = Actor(1, "周", Role.LEAD)
ABOUT = (at(-100), "【杭州市】 快件已由【杭州余杭】揽收", "103")


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def test_three_days_after_the_penalty_notice_it_is_out_of_stock() -> None:
    shop = make_shop()
    take_in(shop_id=shop, orders=[make_shipped("1", "73111122223333", shipped_at=at(-102))], now=at(-102))
    take_in(shop_id=shop, reports=[make_report("73111122223333", ABOUT)], now=NOW)
    with for_shops([shop]):
        parcel_id = Parcel.objects.values_list("id", flat=True).get(shop_id=shop)

    def found() -> list[tuple[object, str]]:
        with for_shops([shop]):
            rows = Finding.objects.filter(shop_id=shop, rule="out_of_stock_notice").order_by("since")
            return list(rows.values_list("since", "state"))

    known = {"shop_id": shop, "parcel_id": parcel_id, "fact": Fact.PENALTY_NOTICE, "by": LEAD}
    assert telling.tell(**known, at=at(-72)) is None  # type: ignore[arg-type]
    assert found() == [(NOW, "open")]
    assert [(one.fact, one.at, one.source, one.by) for one in parcels.told_of(shop, parcel_id)] == [
        (Fact.PENALTY_NOTICE, at(-72), "person", "周")
    ]
    assert telling.tell(**known, at=at(-71)) == at(-72)  # type: ignore[arg-type]
    assert found() == [(NOW, "cleared")]
    telling.withdraw(**known)  # type: ignore[arg-type]
    assert parcels.told_of(shop, parcel_id) == ()
    with pytest.raises(Refused, match="fact_not_there"):
        telling.withdraw(**known)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="said_in_the_future"):
        telling.tell(**known, at=at(1))  # type: ignore[arg-type]
    with pytest.raises(Refused, match="fact_not_told"):
        telling.tell(shop_id=shop, parcel_id=parcel_id, fact=Fact.REISSUED, at=NOW, by=LEAD)
