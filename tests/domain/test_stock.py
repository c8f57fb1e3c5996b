"""What is on the shelf and what is missing."""

from __future__ import annotations

from bufa.domain.stock import Level, Shortage, gathered, goods_key, shortages, unknown_goods


def test_goods_are_known_by_their_name_however_it_is_written() -> None:
    assert goods_key("保温杯", " 红色 500ML") == goods_key("保温 杯", "红色500ml") == "保温杯|红色500ml"
    assert goods_key("杯", "大") != goods_key("杯大")


def test_what_is_missing_and_what_nobody_counted() -> None:
    wanted = gathered([("杯", 2), ("壶", 1), ("杯", 1), ("盖", 0)])
    levels = {"杯": Level(on_hand=5, reserved=3)}

    assert wanted == {"杯": 3, "壶": 1}
    assert shortages(wanted, levels) == (Shortage("杯", 3, 2),)
    assert shortages({"杯": 2}, levels) == ()
    assert unknown_goods(wanted, levels) == ("壶",)
