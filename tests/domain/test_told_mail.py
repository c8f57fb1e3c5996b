"""When a member may be written to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.told_mail import HOURS, Rhythm

NINE_IN_CHINA = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
HOURLY = timedelta(hours=1)


@pytest.mark.parametrize(
    ("begin", "end", "quiet"),
    [(22, 8, False), (22, 9, False), (22, 10, True), (9, 10, True), (8, 9, False), (9, 9, False), (10, 9, False)],
)
def test_quiet_hours_are_of_the_shops_day_and_may_pass_midnight(begin: int, end: int, quiet: bool) -> None:
    assert Rhythm(HOURLY, begin, end).is_quiet(NINE_IN_CHINA) is quiet


@given(st.sampled_from(HOURS), st.sampled_from(HOURS))
def test_as_many_hours_are_quiet_as_lie_between(begin: int, end: int) -> None:
    rhythm = Rhythm(HOURLY, begin, end)
    day = [NINE_IN_CHINA + timedelta(hours=n) for n in HOURS]
    assert sum(map(rhythm.is_quiet, day)) == (end - begin) % 24


def test_at_most_one_in_so_long() -> None:
    rhythm = Rhythm(HOURLY)
    assert rhythm.may_write(NINE_IN_CHINA, None)
    assert not rhythm.may_write(NINE_IN_CHINA, NINE_IN_CHINA - timedelta(minutes=59))
    assert rhythm.may_write(NINE_IN_CHINA, NINE_IN_CHINA - HOURLY)
