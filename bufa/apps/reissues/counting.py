"""Goods counted into the open box, piece by piece, by what is printed on them."""

from __future__ import annotations

from collections.abc import Sequence

from bufa.apps.orders.views import order_lines
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import queries as shops
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain.outcome import Why
from bufa.domain.packing import Result, Tone, left_to_count
from bufa.domain.stock import clean_barcode

COUNTS = "pack_counts"
"""Key of the shop's policy: a box is tied to its waybill only once all pieces were read."""


def wanted(row: Reissue) -> list[tuple[str, int]]:
    """(line, pieces) of a reissue."""
    return [(str(line), int(count)) for line, count in row.contents if int(count) > 0]


def lines_of_code(row: Reissue, text: str) -> list[str]:
    """The lines of this reissue whose goods carry the code."""
    code = clean_barcode(text)
    goods = goods_of(row)
    codes = stock.barcodes(row.shop_id, list(goods.values()))
    return [line for line, one in goods.items() if code in codes[one]]


def goods_of(row: Reissue) -> dict[str, Goods]:
    """What each line of the reissue is."""
    lines = order_lines(row.shop_id, [row.case.order_id]).get(row.case.order_id, {})
    return {
        line: Goods(lines[line].sku_id, lines[line].title, lines[line].spec) for line, _ in wanted(row) if line in lines
    }


def add(row: Reissue, lines: Sequence[str]) -> Result:
    """One more piece of goods that these lines name went into the box; the caller has locked the row."""
    goods = goods_of(row)
    left = left_to_count(wanted(row), row.counted)
    label = goods[lines[0]].label if lines[0] in goods else lines[0]
    line = next((one for one in lines if one in left), None)
    if line is None:
        return Result(Tone.BAD, Why("counted_enough", {"goods": label, "code": row.code}), row.pk)
    row.counted = [*row.counted, line]
    row.save(update_fields=["counted"])
    left = left_to_count(wanted(row), row.counted)
    if not left:
        return Result(Tone.GOOD, Why("counted_all", {"code": row.code, "n": len(row.counted)}), row.pk)
    of = dict(wanted(row))[line]
    said = {"goods": label, "n": of - left.get(line, 0), "of": of, "left": sum(left.values())}
    return Result(Tone.GOOD, Why("counted_one", said), row.pk)


def take_back(row: Reissue) -> Result:
    """The last piece comes out again."""
    line, goods = row.counted[-1], goods_of(row)
    row.counted = row.counted[:-1]
    row.save(update_fields=["counted"])
    label = goods[line].label if line in goods else line
    return Result(Tone.SOFT, Why("count_taken_back", {"goods": label, "n": len(row.counted)}), row.pk)


def afresh(row: Reissue) -> Result:
    row.counted = []
    row.save(update_fields=["counted"])
    return Result(Tone.SOFT, Why("count_afresh", {"code": row.code}), row.pk)


def stands_against(row: Reissue) -> Why | None:
    """Why the box may not be closed: counting was begun, or the shop always counts, and pieces are missing."""
    left = left_to_count(wanted(row), row.counted)
    if not left or not (row.counted or must(row.shop_id)):
        return None
    goods = goods_of(row)
    named = "；".join(f"{goods[line].label if line in goods else line} × {n}" for line, n in left.items())
    return Why("count_first", {"left": named})


def must(shop_id: int) -> bool:
    """Whether this shop counts every box."""
    return bool(shops.policy_json(shop_id).get(COUNTS, False))
