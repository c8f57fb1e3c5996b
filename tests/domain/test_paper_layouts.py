"""Layouts of papers: filled in literally, refused when they name what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.outcome import Refused
from bufa.domain.paper_layouts import Written, default_for, defaults, fill, lines_of, read_layout

ROW = {"paper": "application", "title": "申请", "rows": ["运单号: {运单号}", "工单号: ", "说明: {说明}"]}


def test_each_paper_has_a_neutral_layout_and_carriers_have_theirs() -> None:
    assert {one.paper for one in defaults() if not one.carriers} == set(Written)
    assert default_for(Written.APPLICATION, "zhongtong").title == "{承运商} 异常件补发申请表"
    assert default_for(Written.APPLICATION, "shunfeng").title == "{承运商} 理赔与补发申请"
    assert default_for(Written.APPLICATION, "suer").title == "补发申请表"
    assert default_for(Written.ORDER_INFO, "zhongtong").title == "订单信息表"


def test_a_row_that_has_nothing_to_say_is_left_out_and_one_to_write_on_stays() -> None:
    filled = fill(read_layout(ROW), {"运单号": "73", "说明": " "})
    assert filled.rows == (("运单号", "73"), ("工单号", ""))


@given(st.text(max_size=60))
def test_values_are_never_read_as_names_or_markup(text: str) -> None:
    filled = fill(read_layout({**ROW, "intro": "{运单号}"}), {"运单号": "{说明}" + text, "说明": "x"})
    assert filled.intro == "{说明}" + text


def test_what_is_edited_comes_back_as_it_was() -> None:
    for one in defaults():
        again = read_layout(
            {"paper": one.paper, "title": one.title, "intro": one.intro, "rows": lines_of(one), "ask": one.ask,
             "closing": one.closing, "signs": one.signs, "items": one.items, "photos": one.photos,
             "carriers": one.carriers}
        )  # fmt: skip
        assert again == one


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": " "}, "layout_title_missing"),
        ({"rows": []}, "layout_rows"),
        ({"rows": ["a: b"] * 31}, "layout_rows"),
        ({"ask": "x" * 401}, "layout_text_too_long"),
        ({"intro": "{运单}"}, "layout_unknown_field"),
        ({"rows": ["{}: x"]}, "layout_unknown_field"),
        ({"signs": ["a"] * 7}, "layout_signs"),
    ],
)
def test_a_layout_that_can_not_be_printed_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as told:
        read_layout({**ROW, **change})
    assert told.value.why.code == code
