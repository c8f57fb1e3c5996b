"""Fixtures: a small shop with a case at every step, made once a module; each test works on it and is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from bufa.lib import clock
from tests.factories.sample import Sample, make_sample


@pytest.fixture(scope="module")
def made_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[Sample]:
    """The sample inside a transaction that is never committed."""
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole._from_testcase = True  # type: ignore[attr-defined]  # as Django marks its own
        with whole:
            yield make_sample()
            transaction.set_rollback(True)


@pytest.fixture
def sample(made_once: Sample, django_db_blocker: Any) -> Iterator[Sample]:
    with django_db_blocker.unblock(), transaction.atomic(), clock.frozen(made_once.now):
        yield made_once
        transaction.set_rollback(True)
