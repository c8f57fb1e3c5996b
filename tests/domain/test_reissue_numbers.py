"""Our own reissue numbers: no two alike, and no single mistake in writing or hearing one goes unnoticed."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.reissue_numbers import (
    ALPHABET,
    LOOKS_LIKE,
    MOST_SHOPS,
    beginning,
    beginnings,
    find_reissue_number,
    reissue_number,
    spoken_groups,
    valid_reissue_number,
)

shops = st.integers(0, 11_637) | st.integers(11_638, MOST_SHOPS - 1)
seqs = st.integers(0, 279_840) | st.integers(279_841, 10**9)


def places(number: str) -> list[int]:
    """Where the characters are that the check character speaks for, itself included."""
    return [at for at, sign in enumerate(number) if at and sign != "-"]


def test_they_look_like_this() -> None:
    pairs = [(0, 0), (1, 1), (7, 1000), (11_637, 279_840), (11_638, 279_841)]
    assert [reissue_number(*pair) for pair in pairs] == [
        "R222-2222-2",
        "R223-2223-E",
        "R229-23WF-P",
        "RXYY-YYYY-R",
        "RY22222-32222-8",
    ]


def test_the_alphabet_is_prime_and_holds_no_look_alikes() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 23
    assert not set(ALPHABET) & (set("01BDGILNOQSVZ") | set(LOOKS_LIKE))
    assert set(LOOKS_LIKE.values()) < set(ALPHABET)


@given(shops, seqs)
def test_they_are_found_however_they_are_written(shop_no: int, seq: int) -> None:
    number = reissue_number(shop_no, seq)
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isalnum() else sign for sign in number)
    for written in (number, number.replace("-", ""), f" {number.lower()} ", number.replace("-", " "), wide):
        assert find_reissue_number(written) == number
    assert "".join("".join(group) for group in spoken_groups(number)) == number.replace("-", "")


@given(shops, seqs, st.data())
def test_every_wrong_character_is_found(shop_no: int, seq: int, data: st.DataObject) -> None:
    number = reissue_number(shop_no, seq)
    for at in places(number):
        other = data.draw(st.sampled_from(string.digits + string.ascii_uppercase))
        read = LOOKS_LIKE.get(other, other)
        found = find_reissue_number(number[:at] + other + number[at + 1 :])
        assert found == (number if read == number[at] else None)


@given(shops, seqs)
def test_every_swap_of_two_characters_is_found(shop_no: int, seq: int) -> None:
    number = reissue_number(shop_no, seq)
    spots = places(number)
    for at, one in enumerate(spots):
        for two in spots[at + 1 :]:
            swapped = list(number)
            swapped[one], swapped[two] = number[two], number[one]
            assert valid_reissue_number("".join(swapped)) == (number[one] == number[two])


@given(shops, seqs, st.data())
def test_a_lost_or_doubled_character_is_no_other_number_of_the_shop(
    shop_no: int, seq: int, data: st.DataObject
) -> None:
    number = reissue_number(shop_no, seq)
    at = data.draw(st.sampled_from(places(number)))
    assert find_reissue_number(number[:at] + number[at + 1 :]) != number
    assert find_reissue_number(number[:at] + number[at] + number[at:]) != number


@given(st.tuples(shops, seqs), st.tuples(shops, seqs))
def test_no_two_are_alike_even_without_dashes(one: tuple[int, int], two: tuple[int, int]) -> None:
    same = reissue_number(*one).replace("-", "") == reissue_number(*two).replace("-", "")
    assert same == (one == two)


def test_what_was_misread_is_read_as_what_stands_there() -> None:
    assert find_reissue_number("rZZ9-23WF-P") == "R229-23WF-P"


@pytest.mark.parametrize(
    "text", ["", "R", "R222-2222", "X222-2222-2", "R222-2222-3", "R22-2222-2", "R222-222O-2", "R222-22222-2", "2-2-2"]
)
def test_what_is_none_of_ours(text: str) -> None:
    assert find_reissue_number(text) is None


@pytest.mark.parametrize(
    ("typed", "start"),
    [
        ("r2", "R2"),
        ("R229", "R229"),
        ("r22923", "R229-23"),
        ("R229-23TH-F", "R229-23TH"),
        ("R229 23th", "R229-23TH"),
        ("ry2222232", "RY22222-32"),
        ("YT1234", ""),
        ("R0", ""),
        ("", ""),
    ],
)
def test_a_search_begins_as_we_write_it(typed: str, start: str) -> None:
    assert beginning(typed) == start


@pytest.mark.parametrize(("shop_no", "seq"), [(-1, 0), (0, -1), (MOST_SHOPS, 0)])
def test_counting_starts_at_nought(shop_no: int, seq: int) -> None:
    with pytest.raises(ValueError):
        reissue_number(shop_no, seq)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("R7K4-29HX-R", ("R7K4-29HX-R", "R7K4-29HX")),
        ("r22b", ("R228", "R22B")),
        ("RBZS22222", ("R825-2222", "RBZS-2222-2")),
        ("RZZZ-ZZZZ-5", ("R222-2222", "RZZZ-ZZZZ-5")),
        ("X1", ()),
    ],
)
def test_numbers_given_before_this_alphabet_are_found_as_they_are_written(typed: str, found: tuple[str, ...]) -> None:
    assert set(beginnings(typed)) == set(found)
