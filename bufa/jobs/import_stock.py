"""A file of counted goods: each row is one kind of goods and how many lie on the shelf."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain.outcome import Refused
from bufa.domain.stock import MOST, goods_key
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_files import Row, read_rows
from bufa.jobs.import_report import Effect, ImportReport
from bufa.lib.tenancy import writing

STOCK_COLUMNS: Mapping[str, Sequence[str]] = {
    "on_hand": ("库存", "可售库存", "现货库存", "库存数量", "数量", "stock", "qty", "quantity"),
    "sku": ("商品规格ID", "规格ID", "SKU ID", "SKUID", "SKU编码", "SKU", "sku_id"),
    "title": ("商品名称", "选购商品", "商品标题", "product"),
    "spec": ("商品规格", "规格", "规格名称"),
    "shelf": ("货位", "库位", "货架", "shelf", "bin"),
    "barcode": ("条码", "商品条码", "条形码", "69码", "barcode", "ean"),
}
BATCH = 200

_Counted = tuple[Fields, Goods, int, str | None, str | None]


def take(
    path: Path, shop_id: int, report: ImportReport, progress: Callable[[int, int | None], None], now: datetime, by: str
) -> None:
    """Write each row's count; a row that can't be is named and leaves the others alone."""
    seen: dict[tuple[str, str], int] = {}
    batch: list[_Counted] = []
    done = 0
    for row in read_rows(path, STOCK_COLUMNS, ("on_hand",), report):
        if (counted := _row(row, report, seen)) is None:
            continue
        batch.append(counted)
        if len(batch) >= BATCH:
            _put(shop_id, batch, report, now, by)
            done += len(batch)
            progress(done, None)
            batch = []
    _put(shop_id, batch, report, now, by)


def _row(row: Row, report: ImportReport, seen: dict[tuple[str, str], int]) -> _Counted | None:
    fields = Fields(row, report)
    sku = fields.identifier("sku")
    goods = Goods(sku, fields.text("title", limit=200), fields.text("spec", limit=120))
    pieces = fields.count("on_hand", MOST)
    if not goods.sku and not goods.title:
        fields.problem("sku", "goods_missing", Effect.ROW)
    if fields.refused:
        return None
    key = (goods.sku, "" if goods.sku else goods_key(goods.title, goods.spec))
    first = seen.setdefault(key, row.number)
    if first != row.number:
        fields.problem("sku" if goods.sku else "title", "goods_twice", Effect.ROW, row=first)
        return None
    return fields, goods, pieces, fields.text("shelf", limit=40) or None, fields.text("barcode", limit=40) or None


def _put(shop_id: int, batch: Sequence[_Counted], report: ImportReport, now: datetime, by: str) -> None:
    """One turn at writing for a batch; each row by itself inside of it."""
    with writing([shop_id]):
        for fields, goods, pieces, shelf, code in batch:
            more: dict[str, str | None] = {"shelf": shelf, "barcode": code}
            try:
                stock.count(shop_id=shop_id, goods=goods, on_hand=pieces, by=by, now=now, record=False, **more)  # type: ignore[arg-type]
            except Refused as refused:
                taken = refused.why.code == "barcode_taken"
                column, problem = ("barcode", "barcode_taken") if taken else ("on_hand", "below_reserved")
                fields.problem(column, problem, Effect.ROW, **refused.why.params)
            else:
                report.taken += 1
                report.goods += 1
