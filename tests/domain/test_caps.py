"""Caps on reissues: what is over is refused, and one alone has nobody to ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.caps import Caps, check_reissue, check_second
from bufa.domain.outcome import Refused


def refused(in_case: int, today: int, caps: Caps) -> str:
    try:
        check_reissue(caps, in_case=in_case, today=today)
    except Refused as why:
        return why.why.code
    return ""


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 30), st.integers(1, 30))
def test_exactly_what_is_over_is_refused(in_case: int, today: int, per_case: int, per_day: int) -> None:
    wanted = "cap_case" if in_case >= per_case else "cap_day" if today >= per_day else ""
    assert refused(in_case, today, Caps(per_case, per_day)) == wanted


@pytest.mark.parametrize(
    ("rows", "brought", "by", "able", "second_from", "stopped"),
    [
        (51, 1, 1, 2, 50, True),
        (50, 1, 1, 2, 50, False),
        (51, 1, 2, 2, 50, False),
        (51, 1, 1, 1, 50, False),
        (2000, 1, 1, 9, 0, False),
    ],
)
def test_a_large_sheet_is_seen_by_two(
    rows: int, brought: int, by: int, able: int, second_from: int, stopped: bool
) -> None:
    caps = Caps(second_from=second_from)
    if stopped:
        with pytest.raises(Refused, match="bulk_needs_second"):
            check_second(caps, rows=rows, brought_by=brought, by=by, able=able)
    else:
        check_second(caps, rows=rows, brought_by=brought, by=by, able=able)


def test_what_is_no_number_is_as_by_default() -> None:
    odd = {"reissues_per_case": True, "reissues_per_day": "9", "bulk_second_from": -1}
    assert Caps.read(odd) == Caps.read({}) == Caps(3, 2000, 50)
    assert Caps.read({"reissues_per_case": 1, "reissues_per_day": 2, "bulk_second_from": 0}) == Caps(1, 2, 0)
