"""Messages that arrive together are stored together, and each sender learns what became of his own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from django.db import DataError, OperationalError

from bufa.apps.inbox.actions import Raw
from bufa.apps.inbox.letterbox import Letterbox

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def raw(body: str) -> Raw:
    return Raw("kuaidi100", "push", "", body.encode(), NOW)


class Store:
    """Keeps in memory what it is given, a transaction a call, as slowly as a disk."""

    def __init__(self, *, wait: float = 0.0) -> None:
        self.wait = wait
        self.calls: list[dict[int, list[bytes]]] = []

    def __call__(self, messages: Mapping[int, Sequence[Raw]]) -> None:
        time.sleep(self.wait)
        bodies = {shop: [one.body for one in raws] for shop, raws in messages.items()}
        if any(body == b"poison" for raws in bodies.values() for body in raws):
            raise DataError("poison")
        if any(body == b"away" for raws in bodies.values() for body in raws):
            raise OperationalError("the database is away")
        self.calls.append(bodies)


def together(box: Letterbox, letters: Sequence[tuple[int, str]]) -> dict[str, Exception | None]:
    """Put all of them at the same time, each from a thread of its own: what each learned."""
    said: dict[str, Exception | None] = {}
    start = threading.Barrier(len(letters))

    def put(shop: int, body: str) -> None:
        start.wait()
        try:
            box.put(shop, [raw(body)])
        except (DataError, OperationalError) as error:
            said[body] = error
        else:
            said[body] = None

    threads = [threading.Thread(target=put, args=letter) for letter in letters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return said


def test_what_waits_while_others_are_stored_goes_in_one_transaction() -> None:
    store = Store(wait=0.1)
    said = together(Letterbox(store), [(n % 3, f"m{n}") for n in range(12)])
    assert said == {f"m{n}": None for n in range(12)}
    kept = [(shop, body) for call in store.calls for shop, bodies in call.items() for body in bodies]
    assert sorted(kept) == sorted((n % 3, f"m{n}".encode()) for n in range(12))
    assert len(store.calls) <= 4  # twelve waits for the disk would be twelve


def test_who_returns_is_safe() -> None:
    store = Store()
    box = Letterbox(store)
    box.put(7, [raw("one"), raw("two")])
    assert store.calls == [{7: [b"one", b"two"]}]


def test_nothing_to_put_asks_nobody() -> None:
    store = Store()
    Letterbox(store).put(7, [])
    assert store.calls == []


def test_a_poisonous_letter_fails_alone() -> None:
    store = Store(wait=0.05)
    said = together(Letterbox(store), [(1, "a"), (1, "poison"), (2, "b"), (1, "c")])
    assert isinstance(said.pop("poison"), DataError)
    assert said == {"a": None, "b": None, "c": None}
    assert sorted(body for call in store.calls for bodies in call.values() for body in bodies) == [b"a", b"b", b"c"]


def test_when_the_database_is_away_nobody_is_told_he_is_safe() -> None:
    store = Store(wait=0.05)
    said = together(Letterbox(store), [(1, "away"), (1, "a"), (2, "b")])
    kept = {body.decode() for call in store.calls for bodies in call.values() for body in bodies}
    assert isinstance(said["away"], OperationalError)
    assert {body for body, error in said.items() if error is None} == kept


def test_after_a_fault_of_ours_the_next_one_is_stored() -> None:
    def broken(_: Mapping[int, Sequence[Raw]]) -> None:
        raise KeyError("a fault")

    box = Letterbox(broken)
    with pytest.raises(KeyError):
        box.put(1, [raw("a")])
    store = Store()
    box._keep = store
    box.put(1, [raw("b")])
    assert store.calls == [{1: [b"b"]}]
