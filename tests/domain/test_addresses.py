"""Complete addresses, and one way to write a recipient."""

from __future__ import annotations

import pytest

from bufa.domain.addresses import complete, normalise_phone, normalise_recipient
from bufa.domain.outcome import Why


@pytest.mark.parametrize(
    ("address", "missing"),
    [
        (("四川省", "绵阳市", "涪城区", "长虹大道中段88号"), None),
        (("广东省", "东莞市", "", "长安镇中山路1号"), None),
        (("四川省", "绵阳市", "", "长虹大道中段88号"), ["district"]),
        (("", "", "", ""), ["province", "city", "district", "detail"]),
        (("四川省", "绵阳市", "涪城区", " , "), ["detail"]),
        (("四川省", "绵阳市", "涪城区", "四川省绵阳市涪城区"), ["detail"]),
        (("四川省", "绵阳市", "涪城区", "3楼"), ["detail"]),
    ],
)
def test_complete(address: tuple[str, str, str, str], missing: list[str] | None) -> None:
    assert complete(*address) == (None if missing is None else Why("address_incomplete", {"missing": missing}))


def test_a_province_that_is_none() -> None:
    assert complete("火星省", "绵阳市", "涪城区", "长虹大道88号") == Why(
        "address_unknown_province", {"province": "火星省"}
    )


@pytest.mark.parametrize(
    ("phone", "plain"),
    [
        ("138 1234 5678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("13812345678-1234", "13812345678"),
        ("13812345678转1234", "13812345678"),
        ("0816-2223333", "08162223333"),
        ("0816-2223333-801", "08162223333"),
        ("", ""),
    ],
)
def test_phone(phone: str, plain: str) -> None:
    assert normalise_phone(phone) == plain


def test_ways_to_write_one_recipient_are_equal() -> None:
    plain = normalise_recipient("李雷", "13812345678", "四川", "绵阳市", "涪城区", "长虹大道中段88号A栋")
    spaced = normalise_recipient(
        " 李 雷", "+86 138 1234 5678-0001", "四川省", "绵阳市", "涪城区", "四川省绵阳市涪城区 长虹大道中段８８号，a栋。"
    )
    assert plain == spaced == "李雷|13812345678|四川|绵阳市|涪城区|长虹大道中段88号a栋"


def test_another_door_is_another_recipient() -> None:
    def at(detail: str) -> str:
        return normalise_recipient("李雷", "13812345678", "四川", "绵阳市", "涪城区", detail)

    assert at("长虹大道88号1-2") == at("长虹大道 88号，1－2") == at("长虹大道88号1—2")
    assert len({at("长虹大道88号1-2"), at("长虹大道88号12"), at("长虹大道88号13")}) == 3
