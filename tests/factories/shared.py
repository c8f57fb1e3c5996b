"""Fixtures: the sample shop for tests that work on it without pages, with the shop's clock held still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bufa.lib import clock
from tests.factories.sample import Sample


@pytest.fixture
def sample(sample: Sample) -> Iterator[Sample]:
    with clock.frozen(sample.now):
        yield sample
