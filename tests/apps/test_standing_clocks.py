"""Festivals, areas without service and force majeure: entered, imported, moving the clocks of parcels by the sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bufa.apps.audit import queries as audit
from bufa.apps.cases.models import Finding
from bufa.apps.cases.queries import today
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import pauses
from bufa.apps.shops.pauses import NewPause
from bufa.domain.calendars import End, PauseCode
from bufa.domain.outcome import Refused
from bufa.jobs import import_pauses
from bufa.jobs.import_report import say
from bufa.jobs.sweep import due_parcels
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from bufa.web.words import moved
from tests.factories import NOW, at, make_shipped, make_shop

pytestmark = pytest.mark.django_db

SNOW = NewPause(
    PauseCode.FORCE_MAJEURE,
    "寒潮停运",
    date(2026, 11, 20),
    date(2026, 11, 21),
    province="广东省",
    end=End.DESTINATION,
    platform=True,
    source="平台公告 2026-11-19",
)


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


@pytest.fixture
def shop() -> int:
    shop_id = make_shop()
    take_in(shop_id=shop_id, orders=[make_shipped("1", "73111122223333", shipped_at=at(-23))], now=NOW)
    return shop_id


def parcel(shop: int) -> Parcel:
    with for_shops([shop]):
        return Parcel.objects.get(shop_id=shop)


def sweep_until(shop: int, hours: float) -> None:
    due_parcels([shop], NOW)
    due_parcels([shop], at(hours))


def test_a_pause_moves_the_clock_and_says_why(shop: int) -> None:
    assert parcel(shop).risk_at == at(1)
    import_pauses.add(shop_id=shop, new=SNOW, by="zhou")
    due_parcels([shop], NOW)
    moved_to = parcel(shop).risk_at
    assert moved_to is not None
    (row,) = today([shop], NOW, 0).money
    assert (row.at, moved(row.moved)) == (moved_to, "寒潮停运：时限顺延 48 小时")
    assert moved_to - at(1) == timedelta(hours=48)
    sweep_until(shop, 49.5)
    with for_shops([shop]):
        found = Finding.objects.get(shop_id=shop, rule="pickup_timeout")
    assert found.since == at(49)
    assert moved(found.evidence["params"]["moved_by"]) == "寒潮停运：时限顺延 48 小时"


def test_taken_back_it_holds_no_more_and_can_come_again(shop: int) -> None:
    pause_id = import_pauses.add(shop_id=shop, new=SNOW, by="zhou")
    assert import_pauses.add(shop_id=shop, new=SNOW, by="zhou") == pause_id
    due_parcels([shop], NOW)
    import_pauses.take_back(shop_id=shop, pause_id=pause_id, by="zhou")
    due_parcels([shop], NOW)
    assert (parcel(shop).risk_at, pauses.of_shop(shop)) == (at(1), ())
    import_pauses.restore(shop_id=shop, pause_id=pause_id, by="zhou")
    due_parcels([shop], NOW)
    assert parcel(shop).risk_at == at(49)
    done = [entry.action for entry in audit.newest([shop], subject=f"pause:{pause_id}")]
    assert sorted(done) == ["pause.add", "pause.restore", "pause.take_back"]


def test_what_the_platform_does_not_keep_hides_no_fine(shop: int) -> None:
    import_pauses.add(shop_id=shop, new=replace(SNOW, platform=False), by="zhou")
    import_pauses.add(shop_id=shop, new=replace(SNOW, province="黑龙江省"), by="zhou")
    due_parcels([shop], NOW)
    assert parcel(shop).risk_at == at(1)


def test_another_shop_sees_nothing_of_it(shop: int) -> None:
    import_pauses.add(shop_id=shop, new=SNOW, by="zhou")
    assert [one.name for one in pauses.standing(make_shop("别家"), NOW) if one.source != "chinesecalendar"] == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": " "}, "parameter_missing"),
        ({"source": ""}, "pause_source_missing"),
        ({"last": date(2026, 11, 19)}, "pause_ends_before"),
        ({"last": date(2027, 11, 19)}, "pause_too_long"),
        ({"province": "火星省"}, "pause_area_unknown"),
        ({"province": "", "city": "广州市"}, "pause_area_unknown"),
        ({"code": PauseCode.NO_SERVICE, "province": ""}, "pause_area_missing"),
    ],
)
def test_what_is_refused(wrong: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        pauses.add(shop_id=make_shop(), new=replace(SNOW, **wrong), by="zhou")  # type: ignore[arg-type]
    assert refused.value.why.code == code


def test_a_file_is_taken_row_by_row(shop: int, tmp_path: Path) -> None:
    file = tmp_path / "pauses.csv"
    file.write_text(
        "类型,名称,开始日期,结束日期,省,哪一端,平台也停,依据\n"
        "不可抗力,寒潮停运,2026-11-20,2026-11-21,广东省,收货地,是,平台公告\n"
        "台风,海燕,2026-11-20,2026-11-21,广东省,,,公告\n"
        "节假日,店庆,2026-12-01,2026-11-30,,,,店内通知\n"
        "停运区域,封控,2026-12-01,2026-12-03,,,,公告\n"
        "节假日,春节,2027-02-05,不知道,,,,公告\n",
        "utf-8",
    )
    report = import_pauses.run(file, shop, by="zhou")
    assert (report.rows, report.taken) == (5, 1)
    assert [(one.row, one.code) for one in report.problems] == [
        (3, "pause_code_unknown"),
        (4, "pause_ends_before"),
        (5, "pause_area_missing"),
        (6, "date_unreadable"),
    ]
    assert all(say(one) != one.code for one in report.problems)
    assert import_pauses.run(file, shop, by="zhou").taken == 1
    assert len(pauses.of_shop(shop)) == 1
    due_parcels([shop], NOW)
    assert parcel(shop).risk_at == at(49)
