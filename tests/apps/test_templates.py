"""Texts that nothing could read: counted once, taught by a person, read again with all that follows from it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bufa.apps.audit import queries as audit
from bufa.apps.cases.models import Case, Finding
from bufa.apps.cases.taking_in import reread, take_in
from bufa.apps.parcels import templates
from bufa.apps.parcels.models import Parcel, Scan, TemplateReading, TemplateScan, TextTemplate
from bufa.apps.parcels.recording import stored_scans
from bufa.domain.outcome import Refused
from bufa.domain.parcels import ParcelState, fold
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_line, make_order, make_package, make_report, make_shipped, make_shop

pytestmark = pytest.mark.django_db

Z1, Z2, Z3 = "73111122223333", "73111122224444", "73111122225555"
LOST = "【{}】{}号笼异常离库待查,经手人:王强,13912345678"
KEPT = "【{}】{}号笼已转乙区"


@pytest.fixture
def shop() -> int:
    return make_shop()


def feed(shop: int) -> list[Any]:
    """Three parcels: two with a text that means lost, one with a harmless one as well."""
    orders = [make_shipped(f"T{n}", number) for n, number in enumerate((Z1, Z2, Z3))]
    take_in(shop_id=shop, orders=orders, now=NOW)
    return [
        make_report(Z1, (at(-20), "【杭州市】 已揽收", "103"), (at(-9), LOST.format("杭州", 7712))),
        make_report(Z2, (at(-20), "【杭州市】 已揽收", "103"), (at(-8), LOST.format("台州", 15))),
        make_report(
            Z3,
            (at(-20), "【杭州市】 已揽收", "103"),
            (at(-7), KEPT.format("临海", 3)),
            (at(-6), KEPT.format("临海", 4)),
        ),
    ]


def run(shop: int, limit: int = 200) -> int:
    batches = 0
    while reread(shop_id=shop, now=NOW, limit=limit) is not None:
        batches += 1
    return batches


def picture(shop: int) -> tuple[Any, ...]:
    with for_shops([shop]):  # the same numbers in several shops are a finding of their own
        found = Finding.objects.filter(state="open").exclude(rule="number_used_before")
        return (
            sorted(Parcel.objects.values_list("number", "stage", "state", "last_scan_at", "next_deadline"), key=str),
            sorted(Scan.objects.values_list("minute", "digest", "kind", "reason", "fineness"), key=str),
            sorted(found.values_list("rule", "since", "parcel__number"), key=str),
        )


def test_each_text_once_with_its_count_and_its_parcels(shop: int) -> None:
    reports = feed(shop)
    take_in(shop_id=shop, reports=reports, now=NOW)
    take_in(shop_id=shop, reports=reversed(reports), now=at(1))  # type: ignore[arg-type]
    page = templates.templates(shop)
    assert [(row.count, row.waiting, row.first_at, row.last_at) for row in page.rows] == [
        (2, 2, at(-9), at(-8)),
        (2, 1, at(-7), at(-6)),
    ]
    first = page.rows[0]
    assert [number for _, number in first.first_parcels] == [Z1, Z2]
    assert first.sample == "【杭州】#号笼异常离库待查,经手人:<N>,<P>"
    assert templates.counts(shop) == {"unread": 2, "notes": 0, "taught": 0}


def test_taught_late_is_as_if_it_had_been_known(shop: int) -> None:
    late, early = shop, make_shop("先学的店")
    take_in(shop_id=late, reports=feed(late), now=NOW)
    key = templates.templates(late).rows[0].key
    templates.teach(shop_id=late, key=key, kind="lost", by="lin", now=NOW)
    assert run(late, limit=1) == 2
    reports = feed(early)
    assert templates.teach_text(shop_id=early, text=LOST.format("别处", 1), kind="lost", by="lin", now=NOW)
    take_in(shop_id=early, reports=reports, now=NOW)
    assert picture(late) == picture(early)
    with for_shops([late]):
        assert sorted(Finding.objects.filter(state="open", rule="lost").values_list("parcel__number", flat=True)) == [
            Z1,
            Z2,
        ]
        assert Case.objects.filter(headline="lost").count() == 2
        for row in Parcel.objects.all():
            assert ParcelState.from_json(row.state) == fold(stored_scans(late, row.pk))
    (said,) = templates.templates(late, templates.TAUGHT).rows
    assert (said.kind, said.by, said.waiting, said.rereading, said.reread_done) == ("lost", "lin", 0, False, 2)


def test_taken_back_all_is_as_before(shop: int) -> None:
    take_in(shop_id=shop, reports=feed(shop), now=NOW)
    before = picture(shop)
    key = templates.templates(shop).rows[0].key
    templates.teach(shop_id=shop, key=key, kind="lost", by="lin", now=NOW)
    run(shop)
    assert picture(shop) != before
    templates.take_back(shop_id=shop, key=key, by="lin", now=NOW)
    run(shop)
    assert picture(shop) == before
    assert templates.templates(shop).rows[0].waiting == 2
    with pytest.raises(Refused, match="template_not_taught"):
        templates.take_back(shop_id=shop, key=key, by="lin", now=NOW)
    acts = [each.action for each in audit.newest([shop]) if each.action.startswith("template.")]
    assert acts == ["template.take_back", "template.teach"]


def test_any_order_of_messages_and_lessons_comes_to_the_same(shop: int) -> None:
    pictures = []
    for seed in range(4):
        one = make_shop(f"店{seed}")
        steps: list[Any] = [*feed(one), *feed(one)[:2], "teach lost", "teach held"]
        random.Random(seed).shuffle(steps)
        for step in steps:
            if step == "teach lost":
                templates.teach_text(shop_id=one, text=LOST.format("甲", 1), kind="lost", by="lin", now=NOW)
            elif step == "teach held":
                templates.teach_text(shop_id=one, text=KEPT.format("甲", 1), kind="in_transit", by="lin", now=NOW)
            else:
                take_in(shop_id=one, reports=[step], now=NOW)
        run(one)
        pictures.append(picture(one))
    assert all(each == pictures[0] for each in pictures)


def test_another_number_takes_its_scans_out_of_the_waiting(shop: int) -> None:
    take_in(shop_id=shop, reports=feed(shop), now=NOW)
    line = make_line("a")
    right = make_package("73888800001111", package_id=f"p{Z1}", lines=[("a", 1)])
    take_in(shop_id=shop, orders=[make_order("T0", status=3, lines=[line], packages=[right], updated_at=NOW)], now=NOW)
    assert templates.templates(shop).rows[0].waiting == 1


def test_another_shop_neither_sees_nor_learns_it(shop: int) -> None:
    take_in(shop_id=shop, reports=feed(shop), now=NOW)
    other = make_shop("别家")
    assert templates.templates(other).total == 0
    key = templates.templates(shop).rows[0].key
    with pytest.raises(Refused, match="no_such_template"):
        templates.teach(shop_id=other, key=key, kind="lost", by="lin", now=NOW)
    with for_shops([other]):
        assert not TextTemplate.objects.exists()
        assert not TemplateScan.objects.exists()
        assert not TemplateReading.objects.exists()
