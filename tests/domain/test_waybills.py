"""Numbers are cleaned before they are blamed; carriers' codes translate both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import carriers, waybills
from bufa.domain.waybills import NumberState, check, clean, guess, s10_check_digit


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("JDVD00936215561-1-1-", "JDVD00936215561"),
        ("JDVD00936215561-2-10-", "JDVD00936215561"),
        (" YT4712345678901 ", "YT4712345678901"),
        ("yt471234 5678901", "YT4712345678901"),
        ("ＹＴ４７１２３４５６７８９０１", "YT4712345678901"),
        ("\ufeff\u200b7312345678901\u00a02\n", "73123456789012"),
        ("'773312345678901", "773312345678901"),
        ("SF1234567890123,", "SF1234567890123"),
        ("", ""),
        ("中通7312", "中通7312"),
    ],
)
def test_clean(raw: str, number: str) -> None:
    assert clean(raw) == number


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)


@pytest.mark.parametrize(
    ("carrier", "raw", "state"),
    [
        ("shunfeng", "SF1234567890123", "ok"),
        ("shunfeng", "123456789012", "old_form"),
        ("shunfeng", "SF12345", "pattern_mismatch"),
        ("yuantong", "YT4712345678901", "ok"),
        ("yuantong", "YT25569986666541", "ok"),
        ("yuantong", "yt4712345678901", "ok"),
        ("zhongtong", "73123456789012", "ok"),
        ("zhongtong", "YT4712345678901", "pattern_mismatch"),
        ("shentong", "773312345678901", "ok"),
        ("yunda", "4312345678901", "ok"),
        ("jd", "JDVD00936215561-1-1-", "ok"),
        ("jtexpress", "JT3031691704847", "ok"),
        ("debangkuaidi", "DPK123456789012", "ok"),
        ("ems", "LZ348277808CN", "ok"),
        ("ems", "RR123456789CN", "bad_check_digit"),
        ("youzhengguonei", "LZ339063340CN", "ok"),
        ("yunda", "43123;45678901", "dirty"),
        ("yunda", "中通4312345678901", "dirty"),
        ("yunda", "", "empty"),
        ("yunda", "431", "length"),
        ("someone", "4312345678901", "unknown_carrier"),
        ("danniao", "CP12345678", "ok"),
    ],
)
def test_check(carrier: str, raw: str, state: str) -> None:
    found = check(carrier, raw)
    assert found.state == state
    assert (found.why is None) == (state == "ok")
    assert found.usable == (state not in ("empty", "dirty", "length", "bad_check_digit"))
    assert found.changed == (found.number != raw)


def test_a_check_says_why() -> None:
    why = check("ems", "RR123456789CN").why
    assert why is not None
    assert (why.code, why.params) == ("number_bad_check_digit", {"carrier": "ems", "number": "RR123456789CN"})


@pytest.mark.parametrize(("serial", "digit"), [("34827780", 8), ("33906334", 0), ("12345678", 5)])
def test_s10(serial: str, digit: int) -> None:
    assert s10_check_digit(serial) == digit


@given(st.text(alphabet="0123456789", min_size=8, max_size=8), st.integers(0, 9))
def test_only_one_s10_digit_is_right(serial: str, digit: int) -> None:
    assert waybills.has_good_s10(f"LZ{serial}{digit}CN") == (digit == s10_check_digit(serial))


@pytest.mark.parametrize(
    ("raw", "first", "others"),
    [
        ("SF1234567890123", "shunfeng", {"shunfengkuaiyun"}),
        ("YT4712345678901", "yuantong", set()),
        ("73123456789012", "zhongtong", set()),
        ("JDVD00936215561-1-1-", "jd", set()),
        ("4312345678901", "yunda", {"shentong", "youzhengbk", "youzhengdsbk"}),
    ],
)
def test_guess(raw: str, first: str, others: set[str]) -> None:
    found = guess(raw)
    assert found[0] == first
    assert set(found[1:]) == others


def test_nothing_fits_dirt_or_a_wrong_check_digit() -> None:
    assert guess("RR123456789CN") == guess("?") == guess("") == ()


@pytest.mark.parametrize("row", carriers.carriers().values(), ids=lambda row: row.code)
def test_codes_translate_both_ways(row: carriers.Carrier) -> None:
    assert carriers.from_kuaidi100(row.kuaidi100) == row.code
    assert carriers.to_kuaidi100(row.code) == row.kuaidi100
    if row.kdniao:
        assert carriers.from_kdniao(row.kdniao) == row.code
    assert carriers.to_kdniao(row.code) == (row.kdniao or None)
    for name in (row.code, row.name, row.english, *row.aliases):
        assert carriers.by_name(name) == row.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("中通", "zhongtong"),
        ("中通快递", "zhongtong"),
        (" ZTO ", "zhongtong"),
        ("顺丰速运有限公司", "shunfeng"),
        ("京东快递", "jd"),
        ("Ｊ＆Ｔ", "jtexpress"),
        ("火箭快递", None),
        ("", None),
    ],
)
def test_by_name(text: str, code: str | None) -> None:
    assert carriers.by_name(text) == code


def test_sf_and_zto_need_the_phone() -> None:
    asked = {code for code, row in carriers.carriers().items() if row.needs_phone}
    assert asked == {"shunfeng", "shunfengkuaiyun", "zhongtong"}


def test_unknown_codes_stay_unknown() -> None:
    assert carriers.from_kuaidi100("x") is None
    assert carriers.to_kdniao("x") is None
    assert NumberState("ok") is NumberState.OK
