"""The first message rings at once; those that follow share one ring, and none is forgotten."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError

from bufa.apps.inbox.bell import Bell

PAUSE = 0.15


class Heard:
    def __init__(self) -> None:
        self.rings: list[tuple[int, float]] = []
        self.changed = threading.Condition()

    def __call__(self, shop_id: int) -> None:
        with self.changed:
            self.rings.append((shop_id, time.monotonic()))
            self.changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.rings) >= count, 5), self.rings

    def of(self, shop_id: int) -> list[float]:
        return [at for shop, at in self.rings if shop == shop_id]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def bell(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Bell:
    monkeypatch.setattr("bufa.apps.inbox.bell.close_old_connections", lambda: None)  # no database in these tests
    return Bell(heard, PAUSE)


def test_the_first_rings_at_once(bell: Bell, heard: Heard) -> None:
    bell._ring(1)
    assert [shop for shop, _ in heard.rings] == [1]


def test_a_hundred_more_share_one_ring_at_the_end_of_the_pause(bell: Bell, heard: Heard) -> None:
    for _ in range(100):
        bell._ring(1)
    heard.wait_for(2)
    time.sleep(PAUSE * 2)
    first, second = heard.of(1)
    assert second - first >= PAUSE * 0.9


def test_shops_do_not_wait_for_each_other(bell: Bell, heard: Heard) -> None:
    for shop in (1, 2, 1, 2):
        bell._ring(shop)
    assert [shop for shop, _ in heard.rings][:2] == [1, 2]
    heard.wait_for(4)
    assert (len(heard.of(1)), len(heard.of(2))) == (2, 2)


def test_after_a_quiet_time_the_next_rings_at_once_again(bell: Bell, heard: Heard) -> None:
    bell._ring(1)
    time.sleep(PAUSE * 1.2)
    bell._ring(1)
    assert len(heard.rings) == 2


def test_a_ring_that_fails_later_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bufa.apps.inbox.bell.close_old_connections", lambda: None)
    heard = Heard()

    def fails_once(shop_id: int) -> None:
        heard(shop_id)
        if len(heard.rings) == 2:
            raise OperationalError("the database is away")

    bell = Bell(fails_once, PAUSE)
    for expected in (2, 3):
        bell._ring(1)
        bell._ring(1)
        heard.wait_for(expected)


def test_where_many_come_it_rings_less_often(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bufa.apps.inbox.bell.close_old_connections", lambda: None)
    bell = Bell(heard, 0.05, long_pause=0.4)
    bell._ring(1)
    bell._ring(1, 500)
    heard.wait_for(2)  # after the short pause: so far nobody knew
    bell._ring(1, 500)
    heard.wait_for(3)
    time.sleep(0.45)
    bell._ring(1)  # long quiet: at once again
    heard.wait_for(4)
    first, second, third, fourth = heard.of(1)
    assert second - first < 0.3
    assert third - second >= 0.4 * 0.9
    assert fourth - third >= 0.4
