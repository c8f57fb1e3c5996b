"""Benchmarks are found by name, say what they are held against, and answer in one shape."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from bufa import bench
from bufa.bench import Figure
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
