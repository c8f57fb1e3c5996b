"""Promises of shipping and the score's norm."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bufa.domain import rulebook
from bufa.domain.promises import pickup_norm, promise_hours, score_start, ship_by


def shop(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


def test_the_shortest_promise_counts_and_an_agreed_time_wins() -> None:
    first, second = shop("2026-11-20T23:59:59"), shop("2026-11-22T10:00:00")
    assert ship_by([second, first]) == first
    assert ship_by([second, first], agreed=second) == second
    assert ship_by([]) is None


def test_hours_of_the_merchants_own() -> None:
    paid = shop("2026-11-20T10:00:00")
    assert rulebook.load().promise("hours").ship_by(paid, 72) == paid + timedelta(hours=72)
    with pytest.raises(KeyError):
        rulebook.load().promise("tomorrow")


def test_the_length_of_a_promise() -> None:
    paid = shop("2026-11-20T16:00:00")
    assert promise_hours(paid, paid + timedelta(hours=48)) == 48
    assert promise_hours(paid, paid + timedelta(hours=48, seconds=1)) == 49
    assert promise_hours(paid, paid) == 1


@pytest.mark.parametrize(
    ("paid", "starts"),
    [
        ("2026-11-20T06:00:00", "2026-11-20T06:00:00"),
        ("2026-11-20T17:59:59", "2026-11-20T17:59:59"),
        ("2026-11-20T18:00:00", "2026-11-21T06:00:00"),
        ("2026-11-20T05:59:59", "2026-11-20T06:00:00"),
    ],
)
def test_the_score_sleeps_at_night(paid: str, starts: str) -> None:
    assert score_start(shop(paid)) == shop(starts)


def test_the_norm_is_the_end_of_the_next_day() -> None:
    assert pickup_norm(shop("2026-11-20T00:00:00")) == shop("2026-11-21T23:59:59")
    assert pickup_norm(shop("2026-11-20T23:59:59")) == shop("2026-11-21T23:59:59")
