"""One clock: real, followed or frozen; never a silent guess."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import time_machine

from bufa.lib import clock

START = datetime(2026, 10, 13, 2, 0, tzinfo=UTC)


class FakeClock:
    """A clock on the wire that a test sets by hand."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}
        self.asked = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked += 1
                body = json.dumps(owner.answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/clock"

    def say(self, now: datetime, *, speed: float, stepping: bool) -> None:
        self.answer = {"now": now.isoformat(), "speed": speed, "stepping": stepping}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClock]:
    fake = FakeClock()
    thread = threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("BUFA_CLOCK_URL", fake.url)
    yield fake
    fake.server.shutdown()
    thread.join()
    fake.server.server_close()


def test_by_default_it_is_the_real_time_in_utc() -> None:
    with time_machine.travel(START, tick=False):
        assert clock.now() == clock.real_now() == START
    assert clock.now().tzinfo is UTC
    assert not clock.is_simulated()


def test_frozen_holds_and_lets_go() -> None:
    with clock.frozen(START):
        assert clock.now() == START
        with clock.frozen(START + timedelta(days=1)):
            assert clock.now() == START + timedelta(days=1)
        assert clock.now() == START
        assert clock.real_now() != START
    assert clock.now() != START


def test_frozen_wants_a_zone() -> None:
    with pytest.raises(ValueError), clock.frozen(datetime(2026, 10, 13)):  # noqa: DTZ001 - the fault under test
        pass


def test_while_stepping_every_call_asks_and_time_stands_between_steps(elsewhere: FakeClock) -> None:
    elsewhere.say(START, speed=60, stepping=True)
    assert [clock.now(), clock.now()] == [START, START]
    elsewhere.say(START + timedelta(hours=6), speed=60, stepping=True)
    assert clock.now() == START + timedelta(hours=6)
    assert elsewhere.asked == 3
    assert clock.is_simulated()


def test_afterwards_it_is_asked_seldom_and_counted_at_its_speed(
    elsewhere: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = [100.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: ticks[0])
    elsewhere.say(START, speed=60, stepping=False)
    assert clock.now() == START
    ticks[0] += 2
    assert clock.now() == START + timedelta(seconds=120)
    assert elsewhere.asked == 1
    elsewhere.say(START + timedelta(hours=1), speed=1, stepping=False)
    ticks[0] += 3.5
    assert clock.now() == START + timedelta(hours=1)
    assert elsewhere.asked == 2


def test_a_silent_clock_is_an_error_not_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFA_CLOCK_URL", "http://127.0.0.1:9/clock")
    with pytest.raises(clock.ClockSilent, match="clock at http"):
        clock.now()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"now": "yesterday", "speed": 1, "stepping": False},
        {"now": "2026-10-13T02:00:00", "speed": 1, "stepping": False},
    ],
)
def test_a_clock_that_talks_nonsense_is_an_error(elsewhere: FakeClock, answer: dict[str, Any]) -> None:
    elsewhere.answer = answer
    with pytest.raises(clock.ClockSilent):
        clock.now()
