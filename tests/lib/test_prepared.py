"""Questions that are compiled once answer as Django's own would, whatever is asked with them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Q, QuerySet

from bufa.apps.cases.models import Case, Finding
from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel
from bufa.lib.postgres import compiled
from bufa.lib.prepared import prepared
from bufa.lib.shelf import together
from bufa.lib.tenancy import for_shops
from tests.factories import NOW
from tests.factories.sample import Sample


@prepared
def open_cases(shops: Sequence[int], step: str | None, since: datetime) -> QuerySet[Case]:
    rows = Case.objects.filter(shop_id__one_of=shops, opened_at__gte=since).exclude(state="closed")
    if step is not None:
        rows = rows.filter(step=step)
    return rows.select_related("parcel", "owner").annotate(number=F("order__number")).order_by("-id")


@prepared
def codes(shop_id: int, ids: Sequence[int]) -> QuerySet[Case, str]:
    return Case.objects.filter(shop_id=shop_id, id__one_of=ids).order_by("id").values_list("code", flat=True)


@prepared
def first_parcels(shop_id: int, most: int) -> QuerySet[Parcel]:
    return Parcel.objects.filter(shop_id=shop_id)[:most]


class Counting:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.asked.append(sql)
        return execute(sql, params, many, context)


@pytest.mark.parametrize("step", [None, "determine", "number", "'; --"])
def test_rows_are_those_of_the_queryset(sample: Sample, step: str | None) -> None:
    since = NOW - timedelta(days=10)
    with for_shops([sample.shop_id]):
        plain = Case.objects.filter(shop_id__in=[sample.shop_id], opened_at__gte=since).exclude(state="closed")
        wanted = list((plain.filter(step=step) if step else plain).order_by("-id"))
        for _ in range(2):
            found = open_cases([sample.shop_id], step, since)
            assert found == wanted
            for row in found:
                assert (row.parcel.pk, row.facts) == (row.parcel_id, wanted[found.index(row)].facts)
                assert row.number == row.order.number  # type: ignore[attr-defined]
                assert row.owner is None or row.owner.pk == row.owner_id
        assert open_cases([], step, since) == []
        assert open_cases([sample.shop_id], step, NOW + timedelta(days=1)) == []


def test_lists_of_any_length_are_one_statement(sample: Sample) -> None:
    ids = sorted(sample.ids.values())
    by_id = {number: sample.cases[name] for name, number in sample.ids.items()}
    with for_shops([sample.shop_id]):
        assert codes(sample.shop_id, ids) == [by_id[one] for one in ids]
        assert codes(sample.shop_id, ids[:1]) == [by_id[ids[0]]]
        assert codes(sample.shop_id, []) == []
    assert len(codes._known) == 1


def test_they_are_read_together_with_others_and_once(sample: Sample) -> None:
    counting = Counting()
    with for_shops([sample.shop_id], reading=True):
        plain = Order.objects.filter(shop_id=sample.shop_id).order_by("id")
        with connection.execute_wrapper(counting):
            together(lambda: codes(sample.shop_id, list(sample.ids.values())), lambda: list(plain.all()))
            assert len(codes(sample.shop_id, list(sample.ids.values()))) == len(sample.ids)
            assert len(plain) > 5
    assert len(counting.asked) == 1


def test_what_does_not_become_a_parameter_is_refused(sample: Sample) -> None:
    with for_shops([sample.shop_id]), pytest.raises(TypeError, match="argument 1 does not become a parameter"):
        first_parcels(sample.shop_id, 3)


def asked(rows: QuerySet[Any]) -> list[Any]:
    return list(rows)


def test_a_shape_seen_before_takes_its_own_values(sample: Sample) -> None:
    """The same questions with the memory of shapes and without it."""
    late = NOW - timedelta(hours=140)
    shops = [sample.shop_id]

    def questions() -> list[QuerySet[Any]]:
        cases, findings = Case.objects.filter(shop_id__in=shops), Finding.objects.filter(shop_id__in=shops)
        return [
            cases.order_by("id"),
            cases.order_by("-id")[:3],
            cases.order_by("-id")[1:2],
            cases.filter(step="determine").order_by("id"),
            cases.filter(step="number").order_by("id"),
            cases.filter(step__in=["number", "notify"]).order_by("id"),
            cases.filter(step__in=["number", "notify", "follow"]).order_by("id"),
            cases.filter(Q(step="number") | Q(owner=None), ~Q(state="closed")).order_by("id"),
            cases.filter(Q(step="follow") | Q(owner=None), ~Q(state="telling")).order_by("id"),
            cases.filter(closed_at__isnull=True).order_by("id"),
            cases.filter(closed_at__isnull=False).order_by("id"),
            cases.filter(id__gt=3_000_000_000_000_000_000_000).order_by("id"),
            cases.filter(id__lt=3_000_000_000_000_000_000_000).order_by("id"),
            cases.filter(code__startswith="C-2").order_by("id"),
            cases.filter(code__startswith="C-3").order_by("id"),
            cases.filter(parcel__last_scan_at__lt=late).order_by("id"),
            cases.filter(parcel__carrier="zhongtong").select_related("parcel").order_by("id"),
            cases.values_list("id", "code").order_by("id"),
            cases.values_list("code", flat=True).order_by("id"),
            cases.only("code").order_by("id"),
            cases.none(),
            cases.filter(id__in=[]).order_by("id"),
            findings.filter(payout_fen__gt=0).distinct().order_by("rule", "id"),
            Parcel.objects.filter(shop_id__in=shops, is_watched=True).order_by("id"),
            Parcel.objects.filter(shop_id__in=shops, is_watched=False).order_by("id"),
        ]

    with for_shops(shops):
        for _ in range(2):
            for again in questions():
                list(again)  # every shape is known now
        known = [asked(rows) for rows in questions()]
        plain = []
        for rows in questions():
            compiled._known.clear()
            plain.append(asked(rows))
    assert known == plain
