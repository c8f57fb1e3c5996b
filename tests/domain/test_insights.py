"""Whom a case waited for: the parts are the whole, whatever its timeline holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import insights

OPENED = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


def test_each_party_has_its_part() -> None:
    lines = [
        ("opened", at(0)),
        ("ask_carrier", at(2)),
        ("record_consent", at(12)),
        ("submit", at(13)),
        ("submission_accepted", at(14)),
        ("customer_told", at(15)),
    ]
    found = insights.waits(OPENED, at(60), lines)
    assert {party: span.total_seconds() / 3600 for party, span in found.items()} == {
        "shop": 2 + 1 + 1,
        "carrier": 10 + 45,
        "platform": 1,
        "customer": 0,
    }


def test_a_case_that_nobody_asked_about_waited_for_the_shop() -> None:
    assert insights.waits(OPENED, at(5), [("note", at(1))])["shop"] == timedelta(hours=5)


@given(
    st.integers(0, 500),
    st.lists(st.tuples(st.sampled_from([*insights._MOVES, "note", "opened"]), st.integers(-20, 600)), max_size=12),
)
def test_the_parts_are_the_whole(length: int, lines: list[tuple[str, int]]) -> None:
    found = insights.waits(OPENED, at(length), [(kind, at(hours)) for kind, hours in lines])
    assert sum(found.values(), timedelta()) == at(length) - OPENED
    assert all(span >= timedelta() for span in found.values())
