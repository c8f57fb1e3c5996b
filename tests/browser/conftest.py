"""A real Chromium beside a live server that serves the sample shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from bufa.web.watcher import watcher
from tests.factories import NOW
from tests.factories.sample import Sample


@pytest.fixture
def at_noon() -> Iterator[None]:
    """The wall clock of this process, the live server included, stands at the sample's now."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture(autouse=True)
def lines_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Streams of open pages end before the shop is swept away."""
    if "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")
    yield
    if "chromium" in request.fixturenames:
        for context in request.getfixturevalue("chromium").contexts:
            context.close()
    watcher.close()


@pytest.fixture
def sample(whole_sample: Sample, at_noon: None) -> Sample:
    return whole_sample
