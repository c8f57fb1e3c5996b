"""The sample shop, its people, and the shop's clock held still."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from bufa.lib import clock
from tests.factories import NOW
from tests.factories.sample import PASSWORD, Sample
from tools import i18n


@pytest.fixture(autouse=True, scope="session")
def english() -> None:
    """The compiled catalogue, as set-up leaves it."""
    i18n.compile_all()


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


@pytest.fixture
def signed_in(sample: Sample) -> Callable[[str], Client]:
    """A browser in which the person of that role has signed in."""

    def sign_in(role: str) -> Client:
        client = Client()
        answer = client.post("/sign-in/", {"username": sample.people[role], "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()[:2000]
        return client

    return sign_in


@pytest.fixture
def owner(signed_in: Callable[[str], Client]) -> Client:
    return signed_in("owner")
