"""Goods are promised once, also when many ask at the same moment; the database itself refuses a shelf below nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bufa.apps.shops import stock
from bufa.apps.shops.models import StockHold, StockItem
from bufa.apps.shops.stock import Goods
from bufa.domain.outcome import Refused
from bufa.domain.stock import Level
from bufa.jobs.importing import run_import
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shop

CUP = Goods("178001", "保温杯", "红色")
POT = Goods("", "茶壶")
FILE = (
    "商品规格ID,商品名称,规格,库存",
    "178001,保温杯,红色,12",
    ",茶壶,,1",
    "178003,台灯,,many",
    ",,,4",
    "178004,积木,200 粒,0",
    "178004,积木,200 粒,7",
    "1.78E+18,礼盒,,3",
    "178005,,,",
)


@pytest.fixture
def shop(db: None) -> int:
    shop_id = make_shop()
    for goods, pieces in ((CUP, 5), (POT, 2)):
        stock.count(shop_id=shop_id, goods=goods, on_hand=pieces, by="chen", now=NOW)
    return shop_id


def level(shop_id: int, goods: Goods = CUP) -> tuple[int, int]:
    found = stock.levels(shop_id, [goods])[goods]
    return found.on_hand, found.reserved


def test_promised_let_go_used_and_put_back(shop: int) -> None:
    assert stock.reserve(shop_id=shop, subject="reissue:1", wanted={CUP: 2, POT: 1}, now=NOW) == 2
    assert (level(shop), level(shop, POT)) == ((5, 2), (2, 1))
    assert stock.levels(shop, [CUP], subject="reissue:1") == {CUP: Level(5, 0)}  # its own goods are there for it
    assert stock.release(shop_id=shop, subject="reissue:1", now=NOW) == 2
    assert stock.release(shop_id=shop, subject="reissue:1", now=NOW) == 0
    assert level(shop) == (5, 0)
    stock.reserve(shop_id=shop, subject="reissue:1", wanted={CUP: 3}, now=NOW)
    assert stock.use(shop_id=shop, subject="reissue:1", now=NOW) == 1
    assert level(shop) == (2, 0)
    assert stock.put_back(shop_id=shop, subject="reissue:1") == 1
    assert level(shop) == (5, 3)


def test_asking_again_holds_what_is_asked_for_now(shop: int) -> None:
    for pieces in (4, 5, 1):
        stock.reserve(shop_id=shop, subject="reissue:1", wanted={CUP: pieces}, now=NOW)
    assert level(shop) == (5, 1)


def test_all_or_nothing(shop: int) -> None:
    with pytest.raises(Refused) as refused:
        stock.reserve(shop_id=shop, subject="reissue:1", wanted={CUP: 1, POT: 3}, now=NOW)
    assert refused.value.why.code == "stock_short"
    assert refused.value.why.params == {"title": "茶壶", "wanted": 3, "free": 2}
    assert (level(shop), level(shop, POT)) == ((5, 0), (2, 0))


def test_goods_that_nobody_counts_are_not_promised(shop: int) -> None:
    assert stock.reserve(shop_id=shop, subject="reissue:1", wanted={Goods("9", "灯"): 1}, now=NOW) == 0
    assert stock.levels(shop, [Goods("9", "灯")]) == {}


def test_goods_are_found_by_number_else_by_name(shop: int) -> None:
    assert stock.levels(shop, [Goods("178001", "whatever it is called now")])
    assert stock.levels(shop, [Goods("", " 保温 杯", "红色")])
    assert not stock.levels(shop, [Goods("178002", "保温杯", "红色")])
    assert stock.levels(shop, [Goods("55", "茶壶")])


def test_a_count_below_what_is_promised_is_refused(shop: int) -> None:
    stock.reserve(shop_id=shop, subject="reissue:1", wanted={CUP: 4}, now=NOW)
    with pytest.raises(Refused) as refused:
        stock.count(shop_id=shop, goods=CUP, on_hand=3, by="chen", now=NOW)
    assert (refused.value.why.code, refused.value.why.params["reserved"]) == ("stock_below_reserved", 4)
    assert stock.count(shop_id=shop, goods=CUP, on_hand=4, by="chen", now=NOW).free == 0


@pytest.mark.parametrize(
    "change",
    ["on_hand = -1, reserved = 0", "reserved = -1", "reserved = on_hand + 1", "on_hand = reserved - 1"],
)
def test_the_database_refuses_a_wrong_shelf(shop: int, change: str) -> None:
    with pytest.raises(IntegrityError), for_shops([shop]), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE shops_stockitem SET {change} WHERE shop_id = %s", [shop])


def test_another_shop_sees_nothing_of_it(shop: int) -> None:
    other = make_shop("别家")
    assert stock.rows([other]) == []
    assert not stock.is_kept(other)
    with for_shops([other]):
        assert not StockItem.objects.exists()
        assert not StockHold.objects.exists()


acts = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "release", "use", "put_back"]), st.sampled_from(["a", "b"]), st.integers(1, 4)
    ),
    max_size=12,
)


@given(acts)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_held_is_always_what_the_shelf_promises(shop: int, steps: list[tuple[str, str, int]]) -> None:
    with transaction.atomic():
        for act, subject, pieces in steps:
            try:
                if act == "reserve":
                    stock.reserve(shop_id=shop, subject=subject, wanted={CUP: pieces}, now=NOW)
                elif act == "put_back":
                    with transaction.atomic():
                        stock.put_back(shop_id=shop, subject=subject)
                else:
                    {"release": stock.release, "use": stock.use}[act](shop_id=shop, subject=subject, now=NOW)
            except Refused:
                pass
            with for_shops([shop]):
                held = sum(StockHold.objects.filter(state="held").values_list("quantity", flat=True))
                used = sum(StockHold.objects.filter(state="used").values_list("quantity", flat=True))
            on_hand, reserved = level(shop)
            assert reserved == held <= on_hand
            assert used >= 0
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_get_five_pieces(transactional_db: None) -> None:
    shop_id = make_shop()
    stock.count(shop_id=shop_id, goods=CUP, on_hand=5, by="chen", now=NOW)

    def ask(number: int) -> bool:
        try:
            return stock.reserve(shop_id=shop_id, subject=f"reissue:{number}", wanted={CUP: 1}, now=NOW) == 1
        except Refused:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        got = list(pool.map(ask, range(20)))
    assert (sum(got), level(shop_id)) == (5, (5, 5))


def test_a_file_is_taken_row_by_row(shop: int, tmp_path: Path) -> None:
    stock.reserve(shop_id=shop, subject="reissue:1", wanted={POT: 2}, now=NOW)
    file = tmp_path / "stock.csv"
    file.write_text(
        "\n".join(FILE),
        encoding="gbk",
    )
    report = run_import("stock", file, shop, now=NOW, by="chen")
    assert (report.rows, report.taken, report.goods) == (8, 3, 3)
    assert [(one.row, one.column, one.code) for one in report.problems] == [
        (4, "on_hand", "count_wrong"),
        (5, "sku", "goods_missing"),
        (7, "sku", "goods_twice"),
        (8, "sku", "number_rounded"),
        (9, "on_hand", "missing"),
        (3, "on_hand", "below_reserved"),
    ]
    assert [(row.title, row.on_hand, row.reserved) for row in stock.rows([shop])] == [
        ("积木", 0, 0),
        ("茶壶", 2, 2),
        ("礼盒", 3, 0),
        ("保温杯", 12, 0),
    ]
