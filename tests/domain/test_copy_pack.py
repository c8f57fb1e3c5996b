"""What a pasted page of the platform proves: this order with this waybill, whole and alone, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bufa.domain.copy_pack import Proof, read_page

ORDER, NUMBER = "6920000000000017", "YT8888000000001"
PAGE = f"订单详情\n订单编号：{ORDER} 复制\n物流信息\n圆通速递 {NUMBER} 查看物流\n收货人 张* 138****0000"
ORDERS = st.text("0123456789", min_size=16, max_size=19)
WORDS = st.text("订单物流复制 \n：:,，", max_size=12)


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        (PAGE, Proof.THERE),
        (PAGE.lower(), Proof.THERE),
        (PAGE.replace(NUMBER, "\uff39\uff348888000000001"), Proof.THERE),
        (PAGE.replace(ORDER, ORDER + "1"), Proof.OTHER_ORDER),
        (PAGE.replace(ORDER, ""), Proof.NO_ORDER),
        (PAGE.replace(NUMBER, NUMBER + "9"), Proof.OTHER_NUMBER),
        (PAGE.replace(NUMBER, ""), Proof.NO_NUMBER),
        ("", Proof.NO_ORDER),
    ],
)
def test_only_the_very_order_and_number_prove_it(text: str, proof: Proof) -> None:
    assert read_page(text, ORDER, NUMBER).proof is proof


def test_it_says_what_stands_there_instead() -> None:
    page = read_page(PAGE.replace(NUMBER, "YT8888000000002"), ORDER, NUMBER)
    assert (page.orders, page.numbers) == ((), ("YT8888000000002",))


@given(ORDERS, st.integers(0, 10**13 - 1), WORDS, WORDS, WORDS)
def test_found_wherever_they_stand(order: str, serial: int, a: str, b: str, c: str) -> None:
    number = f"YT{serial:013d}"
    assert read_page(f"{a}单{order} {b} 号{number}{c}", order, number).proof is Proof.THERE


@given(ORDERS, ORDERS, st.text(max_size=60))
def test_without_the_order_nothing_is_proved(order: str, other: str, noise: str) -> None:
    assume(order != other)
    assume(order not in noise)
    assert read_page(f"{other} {NUMBER} {noise}", order, NUMBER).proof is not Proof.THERE


@given(ORDERS)
def test_an_empty_number_is_never_there(order: str) -> None:
    assert read_page(order, order, "").proof is not Proof.THERE
