"""Papers as PDF: A4, the barcode decodes, nothing runs over an edge, whatever the texts are."""

from __future__ import annotations

import io
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from bufa.domain.carriers import carriers
from bufa.domain.paper_layouts import FIELDS, Written, default_for, fill
from bufa.lib.papers import Item, Paper, papers_pdf

A4 = (595.28, 841.89)
MARGIN = 40  # points; every layout keeps 16 mm


def values(**more: str) -> dict[str, str]:
    return {name: name for name in FIELDS} | {"运单号": "73000000000001", "承运商": "中通快递"} | more


def paper(kind: Written = Written.APPLICATION, carrier: str = "zhongtong", **more: Any) -> Paper:
    filled = fill(default_for(kind, carrier), more.pop("values", None) or values())
    return Paper(filled, "青禾鲜果旗舰店", "73000000000001", **more)


def photo(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1600, 1200), colour).save(out, "JPEG")
    return out.getvalue()


def boxes(page: Any) -> list[tuple[float, float, float, float]]:
    text = page.get_textpage()
    return [text.get_charbox(at) for at in range(text.count_chars())]


def assert_inside(pdf: bytes) -> int:
    """Every sign of every page lies within the margins; returns how many pages."""
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        assert tuple(round(side, 2) for side in page.get_size()) == A4
        for left, bottom, right, top in boxes(page):
            if right > left:
                assert left >= MARGIN
                assert right <= A4[0] - MARGIN
                assert bottom >= 20
                assert top <= A4[1] - MARGIN
    return len(document)


@pytest.mark.parametrize("carrier", ["suer", "zhongtong", "shunfeng"])
@pytest.mark.parametrize("kind", list(Written))
def test_forty_items_and_long_texts_stay_inside(kind: Written, carrier: str) -> None:
    items = tuple(
        Item(
            "手冲咖啡壶超长标题" * (1 + at % 5) + "SKU" * 30 * (at % 3 == 0),
            "红色-600ML-" * (1 + at % 4),
            at + 1,
            "¥8,900.00",
        )
        for at in range(40)
    )
    address = "广东省深圳市南山区粤海街道" * 16
    long = values(
        收件地区=address[:200], 说明="A" * 300 + "没有空格" * 60, 最后轨迹="【武汉转运中心】" * 30, 店铺="店" * 60
    )
    pages = assert_inside(papers_pdf([paper(kind, carrier, items=items, values=long)]))
    assert pages in (2, 3, 4)


def test_the_barcode_decodes_and_the_chinese_is_there() -> None:
    pdf = papers_pdf([paper(items=(Item("杯子", "红色", 2, "¥99.00"),))])
    [page] = pypdfium2.PdfDocument(pdf)
    assert [one.text for one in zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())] == ["73000000000001"]
    text = page.get_textpage().get_text_range()
    for words in ("中通快递 异常件补发申请表", "杯子", "¥99.00", "责任网点", "青禾鲜果旗舰店"):
        assert words in text


def test_texts_are_never_markup() -> None:
    odd = values(说明='#panic("x") $x^2$ *b* <a> \\ @ref `code` [link]')
    pdf = papers_pdf([paper(values=odd)])
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    assert '#panic("x") $x^2$ *b* <a> \\ @ref' in text.replace("\r\n", " ")


def test_photos_are_printed_and_each_paper_begins_a_page() -> None:
    colours = ("red", "green", "blue", "yellow")
    two = [paper(photos=tuple((str(at), photo(one)) for at, one in enumerate(colours))), paper(Written.ORDER_INFO)]
    document = pypdfium2.PdfDocument(papers_pdf(two))
    drawn = [page.render(scale=0.5).to_pil().convert("RGB").getcolors(10**6) for page in document]
    seen = {colour for colours in drawn for count, colour in colours if count > 500}
    assert any(red > 200 and green < 40 and blue < 40 for red, green, blue in seen)
    assert any(blue > 200 and red < 40 and green < 40 for red, green, blue in seen)
    assert "订单信息表" in document[len(document) - 1].get_textpage().get_text_range()


def test_a_waybill_without_a_number_or_with_odd_signs_has_no_barcode() -> None:
    filled = fill(default_for(Written.APPLICATION, "suer"), values())
    assert_inside(papers_pdf([Paper(filled, "店", ""), Paper(filled, "店", "单号")]))
    with pytest.raises(ValueError, match="no papers"):
        papers_pdf([])


def test_every_carrier_of_a_layout_is_known() -> None:
    for kind in Written:
        assert set(default_for(kind, "zhongtong").carriers) <= set(carriers())
