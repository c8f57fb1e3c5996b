"""When a change outside is tried again, read back, or shown to a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import effects
from bufa.domain.effects import Result


@pytest.mark.parametrize(
    ("unknown", "retryable", "expected"),
    [
        (False, False, Result.REJECTED),
        (False, True, Result.RETRY),
        (True, False, Result.UNKNOWN),
        (True, True, Result.UNKNOWN),  # that it may be called again does not mean that it may be repeated
    ],
)
def test_only_what_surely_had_no_effect_is_repeated(unknown: bool, retryable: bool, expected: Result) -> None:
    assert effects.result_of_error(unknown=unknown, retryable=retryable) is expected


def test_pauses_grow_to_ten_minutes() -> None:
    pauses = [effects.retry_after(attempt).total_seconds() for attempt in (1, 2, 3, 4, 9, 10, 50)]
    assert pauses == [2, 4, 8, 16, 512, 600, 600]


def test_a_provider_may_ask_for_longer_but_not_for_less() -> None:
    assert effects.retry_after(1, timedelta(minutes=30)) == timedelta(minutes=30)
    assert effects.retry_after(5, timedelta(seconds=1)) == timedelta(seconds=32)


@given(st.integers(1, 10_000))
def test_no_pause_is_shorter_than_the_one_before(attempt: int) -> None:
    assert timedelta(0) < effects.retry_after(attempt) <= effects.retry_after(attempt + 1) <= timedelta(minutes=10)


def test_read_back_schedule_then_a_person() -> None:
    assert [effects.next_read("resend", reads) for reads in range(4)] == [
        timedelta(seconds=5),
        timedelta(seconds=25),
        timedelta(seconds=270),
        None,
    ]
    assert effects.next_read("customer_mail", 0) is None


def test_who_holds_a_call_has_given_up_before_the_rescue_comes() -> None:
    slowest_answer = timedelta(seconds=19.5)
    assert effects.LEAVE_WITHIN + slowest_answer < effects.LEASE + effects.GRACE
    http_timeout = timedelta(seconds=10)
    assert http_timeout < effects.LEASE < effects.LEASE + effects.GRACE == timedelta(seconds=30)
