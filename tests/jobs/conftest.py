"""The outside world as a program of its own, spoken to over the wire."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from bufa.host import processes
from tests.factories.shared import sample

__all__ = ["sample"]

START = "2026-10-05T00:00:00+00:00"


class World:
    """A simulator whose clock stands still until it is moved."""

    def __init__(self, *, orders_per_day: int = 30) -> None:
        command = [sys.executable, "-m", "simulator", "--stepping", "--start", START, "--seed", "7"]
        self.process = processes.start(  # tied to this process: a run that is cut off leaves no world behind
            processes.Program([*command, "--orders-per-day", str(orders_per_day)]),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        self.hello: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.http = httpx.Client(timeout=60, trust_env=False)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.hello['control']}/{path}"
        return self.http.request("GET" if body is None else "POST", url, json=body).json()

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("clock")["now"])

    def advance(self, **by: float) -> datetime:
        self.control("clock", {"advance_to": (self.now + timedelta(**by)).isoformat()})
        return self.now

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def world() -> Iterator[World]:
    running = World()
    yield running
    running.close()
