"""A real Chromium beside a live server that serves the sample shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.factories import NOW
from tests.factories.sample import Sample, make_sample


@pytest.fixture
def at_noon() -> Iterator[None]:
    """The wall clock of this process, the live server included, stands at the sample's now."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def sample(transactional_db: None, at_noon: None) -> Sample:
    return make_sample()
