"""Benchmarks are found by name, say what they are held against, and answer in one shape."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest

from bufa import bench
from bufa.bench import Figure, crew
from bufa.host.trouble import Trouble


@pytest.mark.parametrize("name", bench.NAMES)
def test_each_has_a_module_and_a_goal_in_words(name: str) -> None:
    assert find_spec(f"bufa.bench.{name}") is not None
    assert bench.BENCHES[name].goal


def test_an_unknown_name_is_told_which_there_are() -> None:
    with pytest.raises(Trouble, match="no benchmark nothing; there are: ingest, "):
        bench.run("nothing")


@pytest.mark.parametrize(
    ("figure", "ok"),
    [
        (Figure(5, "s", 5), True),
        (Figure(4.9, "s", 5), False),
        (Figure(5.1, "s", 5, less_is_better=True), False),
        (Figure(5, "s", 5, less_is_better=True), True),
        (Figure(6, "s", 5, holds=False), False),
    ],
)
def test_a_goal_is_reached_or_not(figure: Figure, ok: bool) -> None:
    assert figure.ok is ok


def count(numbers: list[int]) -> Callable[[], int]:
    """A member of a crew."""
    return lambda: len(numbers)


def test_a_member_may_be_told_more_than_a_command_line_holds() -> None:
    numbers = list(range(60_000))
    answers, _ = crew.run([crew.Member("tests.bench.test_registry:count", {"numbers": numbers}, False)])
    assert answers == [60_000]
