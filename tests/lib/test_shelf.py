"""What a reading page has read is not asked again, comes back the same, and never outlives a write."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Count, F, Max

from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.models import PickupAddress, Shop
from bufa.lib.shelf import shelf, together
from bufa.lib.tenancy import for_shops, reading
from tests.factories.sample import Sample


@pytest.fixture
def shop_id(sample: Sample) -> int:
    return sample.shop_id


class Counting:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.asked.append(sql)
        return execute(sql, params, many, context)


def holds_array(model: Any) -> bool:
    return any(isinstance(field, ArrayField) for field in model._meta.concrete_fields)


def test_rows_of_every_table_come_back_the_same(shop_id: int) -> None:
    tables = [model for model in apps.get_models() if model.__module__.startswith("bufa.")]
    # A table with an array in it is asked for by itself; no page reads one.
    shelved = [model for model in tables if not holds_array(model)]
    with for_shops([shop_id]):
        fresh = {model: list(model._default_manager.order_by("-pk").values_list()) for model in tables}
    assert sum(1 for rows in fresh.values() if rows) > 15

    def ask(model: Any) -> list[Any]:
        return list(model._default_manager.order_by("-pk").values_list())

    counting = Counting()
    with for_shops([shop_id], reading=True), connection.execute_wrapper(counting):
        together(*(lambda model=model: ask(model) for model in shelved))
        assert len(counting.asked) == 1
        for model in shelved:
            assert ask(model) == fresh[model], model
        assert len(counting.asked) == 1
        for model in tables:
            assert ask(model) == fresh[model], model


def test_joins_sums_and_single_rows_are_kept_too(shop_id: int) -> None:
    rows = Parcel.objects.filter(shop_id=shop_id)

    def read() -> list[Any]:
        return [
            [parcel.order.number for parcel in rows.select_related("order").order_by("id")],
            list(rows.annotate(of=F("order__number")).values_list("of", "state").order_by("of", "id")),
            list(rows.values("stage").annotate(n=Count("id"), last=Max("last_scan_at")).order_by("stage")),
            rows.exists(),
            rows.filter(number="nobody's").exists(),
            rows.filter(number="nobody's").first(),
            Shop.objects.get(id=shop_id).name,
            list(rows.filter(id__in=[])),
        ]

    with for_shops([shop_id]):
        fresh = read()
    counting = Counting()
    with for_shops([shop_id], reading=True), connection.execute_wrapper(counting):
        assert read() == fresh
        before = len(counting.asked)
        assert read() == fresh
        assert len(counting.asked) == before


def test_a_function_that_needs_an_answer_says_what_it_asked_until_then(shop_id: int) -> None:
    def ask() -> Any:
        first = Shop.objects.get(id=shop_id)
        return list(PickupAddress.objects.filter(shop_id=first.pk))

    counting = Counting()
    with for_shops([shop_id], reading=True), connection.execute_wrapper(counting):
        together(ask, lambda: list(PickupAddress.objects.filter(shop_id=shop_id)))
        assert [row.shop_id for row in ask()] == [shop_id]
    assert len(counting.asked) == 1


def test_what_is_written_is_seen(shop_id: int) -> None:
    with for_shops([shop_id], reading=True):
        assert Shop.objects.get(id=shop_id).name == "青禾鲜果旗舰店"
        Shop.objects.filter(id=shop_id).update(name="改了名")
        assert Shop.objects.get(id=shop_id).name == "改了名"


def test_only_reading_pages_have_a_shelf(shop_id: int) -> None:
    for way in (for_shops, reading):
        with way([shop_id]):
            assert shelf() is None
            together(lambda: pytest.fail("asked for nothing"))
    with for_shops([shop_id], reading=True):
        assert shelf() is not None
        with reading([shop_id]), for_shops([shop_id], reading=True):
            assert shelf() is not None
    assert shelf() is None
