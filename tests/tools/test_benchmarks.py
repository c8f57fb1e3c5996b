"""The page of benchmarks says what was measured, what it was held against, and plainly what was missed."""

from __future__ import annotations

from typing import Any

from bufa import bench
from tools import benchmarks


def result(name: str, figure: float, goal: float, *, ok: bool, less: bool = False, **beside: Any) -> dict[str, Any]:
    return {
        "name": name, "figure": figure, "unit": "scans/s", "goal": goal, "ok": ok, "less_is_better": less,
        "scale": 0.5, "took_s": 61.4, "beside": beside,
        "machine": {"cores": 2, "processor": "Fast One", "load": [0.4, 1, 1], "python": "3.11.7", "system": "Linux"},
        "versions": {"postgresql": "18", "bufa": "0.1.0"},
        "measured_at": "2026-11-25T16:30:00+00:00", "commit": "abc123",
    }  # fmt: skip


def test_a_goal_that_was_missed_is_said_so() -> None:
    text = benchmarks.page(
        {
            "push": result("push", 812.5, 800, ok=True),
            "ingest": result("ingest", 21000, 25000, ok=False, of_copy=0.17, cpu={"bufa": 30.5}),
        }
    )
    assert "Not reached: ingest." in text
    assert "| 21,000 scans/s | at least 25,000 | **no** | 50 % |" in text
    assert "| 812.5 scans/s | at least 800 | yes | 50 % |" in text
    assert text.index("[ingest](#ingest)") < text.index("[push](#push)")  # in the order of the benchmarks


def test_it_says_where_when_with_what_and_how_to_repeat_it() -> None:
    text = benchmarks.page({"killed": result("killed", 0, 0, ok=True, less=True, killed={"web": 3}, lost=[])})
    for said in (
        "All goals are reached.", "2 cores of Fast One", "postgresql 18", "2026-11-25 16:30", "abc123", "at most 0",
        "`bufa bench killed --scale 0.5`, 61 s", "| killed | web 3 |", "| lost | none |",
    ):  # fmt: skip
        assert said in text, said


def test_without_a_measurement_nothing_is_claimed() -> None:
    assert "Nothing has been measured yet." in benchmarks.page({})


def test_the_page_that_is_kept_speaks_of_benchmarks_that_there_are() -> None:
    assert benchmarks._kept().keys() <= bench.BENCHES.keys()
