"""Where the hand goes next: for every reason why a case can be where it is, and for whoever begins."""

from __future__ import annotations

import ast
import inspect
from datetime import UTC, datetime, timedelta

import pytest

from bufa.domain import cases
from bufa.domain.first_steps import Around, Candidate, Pointer, Spot, first_case, point

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)


def reasons() -> set[str]:
    """Every code that `next_best` gives as the reason of a case's place."""
    tree = ast.parse(inspect.getsource(cases))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Why"]
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)} | {
        "number_ready",
        "number_missing",
    }


def test_every_reason_has_a_pointer() -> None:
    assert len(reasons()) > 25
    assert {why for why in reasons() if point(why, Around()).code == "look"} == set()


@pytest.mark.parametrize(
    ("why", "around", "pointer"),
    [
        ("finding_open", Around(), Pointer("choose", Spot.MEASURE)),
        ("number_missing", Around(), Pointer("waybill", Spot.WAYBILL)),
        ("number_missing", Around(label_wanted=True), Pointer("label")),
        ("number_missing", Around(has_number=True, label_wanted=True), Pointer("submit", Spot.SUBMIT)),
        ("number_rejected", Around(has_number=True), Pointer("rejected", Spot.SUBMIT)),
        ("carrier_not_asked", Around(), Pointer("ask", Spot.ASK)),
        ("carrier_not_asked", Around(no_contact=True), Pointer("contact", Spot.NEXT)),
        ("carrier_to_answer", Around(), Pointer("carrier", Spot.NEXT)),
        ("carrier_to_answer", Around(answers=1), Pointer("answer", Spot.ANSWER)),
        ("notice_under_way", Around(), Pointer("telling")),
        ("notice_under_way", Around(to_phone=True), Pointer("call", Spot.CALL)),
        ("customer_not_told", Around(), Pointer("tell", Spot.TELL)),
        ("reissue_under_way", Around(), Pointer("followed", Spot.NEXT)),
    ],
)
def test_pointers(why: str, around: Around, pointer: Pointer) -> None:
    assert point(why, around) == pointer


def candidate(key: int, why: str, **more: object) -> Candidate:
    known: dict[str, object] = {"waiting_for": "shop", "measure": "reissue", "owner_id": None, "due_at": NOW}
    return Candidate(key, why, **(known | more))  # type: ignore[arg-type]


def test_who_begins_gets_the_case_that_is_nearest_to_being_solved() -> None:
    far = candidate(1, "finding_open", measure="", due_at=NOW - timedelta(hours=9))
    late = candidate(2, "number_missing", due_at=NOW + timedelta(hours=2))
    soon = candidate(3, "number_missing", due_at=NOW + timedelta(hours=1))
    never = candidate(4, "number_missing", due_at=None)
    taken = candidate(5, "number_ready", owner_id=8)
    waiting = candidate(6, "number_ready", waiting_for="customer")
    refund = candidate(7, "finding_open", measure="refund")
    assert first_case([far, never, late, soon, taken, waiting, refund], me=7) == 3
    assert first_case([never, far], me=7) == 4
    assert first_case([refund, far], me=7) == 1
    assert first_case([taken], me=8) == 5
    assert first_case([taken, waiting], me=7) is None
