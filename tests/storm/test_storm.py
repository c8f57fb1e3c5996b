"""The short storm and the short sheet; `make storm` and `make bulk` run the long ones."""

from __future__ import annotations

import pytest

from tests.storm.bulk import bulk_run
from tests.storm.storm import storm


@pytest.mark.slow
def test_each_number_reaches_the_platform_once() -> None:
    told: list[str] = []
    counts = storm(20, 8, pause=(1.5, 4.0), say=told.append)
    assert (counts["cases"], counts["numbers_once"], counts["twice"], counts["lost"]) == (20, 20, 0, 0)
    assert sum(counts["kills"].values()) == 8
    assert counts["queue_emptied"] >= 1


@pytest.mark.slow
def test_a_sheet_leaves_once_through_two_windows_and_killed_processes() -> None:
    """`make bulk` runs a thousand rows."""
    told: list[str] = []
    counts = bulk_run(20, 4, say=told.append)
    assert (counts["cases"], counts["numbers_once"], counts["twice"], counts["effects_twice"]) == (20, 20, 0, 0)
    assert (counts["lost"], counts["violations"], counts["windows"]) == (0, 0, 2)
    assert counts["rows_with_a_result"] >= 40  # of two runs: one row of the two was taken, the other says why not
