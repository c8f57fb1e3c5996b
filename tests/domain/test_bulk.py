"""Rows of many reissues: what is written is read back the same, pace is kept, doubles are all named."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.bulk import PACE, Judged, RowState, carrier_of, leaves_at, read_items, twice, with_range
from bufa.domain.checks import Answer
from bufa.domain.outcome import Why
from bufa.domain.reach import Coverage, Reach, range_check

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
TEN = timedelta(seconds=10)
LINES = st.text("0123456789-ABC", min_size=1, max_size=12)


@given(st.dictionaries(LINES, st.integers(1, 999), max_size=6), st.sampled_from(["*", "×", " * ", "×  "]))
def test_items_read_as_they_are_written(items: dict[str, int], times: str) -> None:
    assert read_items(";".join(f"{line}{times}{count}" for line, count in items.items())) == tuple(items.items())


@pytest.mark.parametrize(("text", "found"), [("", ()), ("A", (("A", 1),)), ("A*0", None), ("A;A", None), ("A B", None)])
def test_items_at_the_edges(text: str, found: object) -> None:
    assert read_items(text) == found


@given(st.lists(st.sampled_from([None, "", "a", "b", "c"])))
def test_every_double_is_named(values: list[str | None]) -> None:
    counted = Counter(values)
    assert twice(values) == {at for at, each in enumerate(values) if each and counted[each] > 1}


@given(st.lists(st.integers(0, 3000), max_size=30))
def test_submissions_leave_apart_and_never_before_their_time(gaps: list[int]) -> None:
    now, last = NOW, None
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        leaves = leaves_at(last, now, TEN)
        assert leaves >= now + TEN
        assert last is None or leaves >= last + PACE
        last = leaves


def test_the_carrier_is_what_is_written_else_the_only_one_that_fits() -> None:
    assert carrier_of("圆通", "YT8888000000001") == ("yuantong", False)
    assert carrier_of("", "YT8888000000001") == ("yuantong", True)
    assert carrier_of("", "1") == ("", False)
    assert carrier_of("没听过", "YT8888000000001") == ("没听过", False)


ASKED, DOUBT, STOP = Why("range_waiting"), Why("goods"), Why("ask_role")
SERVED = range_check(Reach(Coverage.SERVED))
OUT = range_check(Reach(Coverage.OUT_OF_RANGE, "那曲市不派送"))
SILENT = range_check(Reach(Coverage.NO_ANSWER, "timeout"))


@pytest.mark.parametrize(
    ("state", "verdict", "whys", "heard", "stop", "expected"),
    [
        ("ready", "cannot_tell", (ASKED,), SERVED, None, ("ready", "pass", [])),
        ("ready", "cannot_tell", (DOUBT, ASKED), SERVED, None, ("ready", "cannot_tell", ["goods"])),
        ("left_out", "cannot_tell", (ASKED,), SERVED, None, ("left_out", "pass", [])),
        ("left_out", "punished_later", (DOUBT, ASKED), SERVED, None, ("left_out", "punished_later", ["goods"])),
        ("ready", "cannot_tell", (ASKED, DOUBT), OUT, None, ("left_out", "punished_later", ["out_of_range", "goods"])),
        ("ready", "cannot_tell", (ASKED,), OUT, STOP, ("refused", "refused", ["ask_role", "out_of_range"])),
        ("refused", "refused", (STOP, ASKED), OUT, None, ("refused", "refused", ["ask_role", "out_of_range"])),
        ("ready", "cannot_tell", (ASKED,), SILENT, None, ("ready", "cannot_tell", ["range_no_answer"])),
    ],
)  # fmt: skip
def test_a_row_hears_the_platform(
    state: str, verdict: str, whys: tuple[Why, ...], heard: object, stop: Why | None, expected: object
) -> None:
    row = with_range(Judged(RowState(state), Answer(verdict), whys), heard, stop)  # type: ignore[arg-type]
    assert (row.state, row.verdict, [why.code for why in row.whys]) == expected
