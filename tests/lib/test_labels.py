"""What is printed is read back: both barcodes, on every paper, at the resolution of a thermal printer."""

from __future__ import annotations

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from bufa.domain.reissue_numbers import find_reissue_number, reissue_number
from bufa.lib.labels import SIZES, Label, labels_pdf

THERMAL = 203 / 72
LABEL = Label(
    shop="青禾鲜果旗舰店",
    code="R7K4-29HX-R",
    carrier="圆通速递",
    number="YT8888000000001",
    order_number="6920000000000000012",
    to="北京市海淀区 ***路1号 张** 138****8000",
    from_="浙江省杭州市余杭区仓前街道未来路 1 号",
    items=(("赣南脐橙 5 斤装", 2), ("手冲咖啡壶 600 ml", 1)),
)


def read(pdf: bytes) -> list[tuple[set[str], str]]:
    """Of each page: what its barcodes say, and its text."""
    document = pypdfium2.PdfDocument(pdf)
    return [
        (
            {
                found.text
                for found in zxingcpp.read_barcodes(
                    page.render(scale=THERMAL).to_pil(), formats=zxingcpp.BarcodeFormat.Code128
                )
            },
            page.get_textpage().get_text_range(),
        )
        for page in document
    ]


@pytest.mark.parametrize("size", SIZES)
def test_a_label_has_its_paper_and_both_numbers(size: str) -> None:
    pdf = labels_pdf([LABEL], size)
    width, height = pypdfium2.PdfDocument(pdf)[0].get_size()
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == SIZES[size]
    [(codes, text)] = read(pdf)
    assert codes == {"R7K4-29HX-R", "YT8888000000001"}
    assert all(said in text for said in ("R7K4-29HX-R", "圆通速递", "赣南脐橙", "6920000000000000012"))


def test_a_page_for_each_and_data_is_never_markup() -> None:
    odd = Label("#panic()", "R222-2223-C", "", "", "1", "$x$ *b*", "", ((r'\ "#strong[x]"', 1),) * 9, 2)
    pages = read(labels_pdf([LABEL, odd]))
    assert [codes for codes, _text in pages] == [{"R7K4-29HX-R", "YT8888000000001"}, {"R222-2223-C"}]
    assert "#panic()" in pages[1][1]
    assert "运单号未定" in pages[1][1]
    assert "还有 1 种" in pages[1][1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 300_000), st.integers(0, 10**7), st.from_regex(r"\A[A-Z]{2}[0-9]{13,15}\Z"))
def test_every_number_of_ours_is_read_back(shop: int, seq: int, waybill: str) -> None:
    code = reissue_number(shop, seq)
    [(codes, _text)] = read(labels_pdf([Label("店", code, "圆通", waybill, "1", "", "", ())]))
    assert codes == {code, waybill}
    assert find_reissue_number(code) == code


def test_no_labels_and_unknown_papers_are_mistakes() -> None:
    with pytest.raises(ValueError):
        labels_pdf([])
    with pytest.raises(ValueError):
        labels_pdf([LABEL], "1x1")
