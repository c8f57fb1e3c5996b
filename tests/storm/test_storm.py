"""The short storm; `make storm` runs the long one."""

from __future__ import annotations

import pytest

from tests.storm.storm import storm


@pytest.mark.slow
def test_each_number_reaches_the_platform_once() -> None:
    told: list[str] = []
    counts = storm(20, 8, pause=(1.5, 4.0), say=told.append)
    assert (counts["cases"], counts["numbers_once"], counts["twice"], counts["lost"]) == (20, 20, 0, 0)
    assert sum(counts["kills"].values()) == 8
    assert counts["queue_emptied"] >= 1
