"""The whole of Bufa as a user runs it: `bufa up` in a folder of its own, beside a simulated outside world."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg

from tests.factories import clusters

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
OWNER = "dianzhu"
PASSWORD = "bufa-luyou-2026"
BEGINS = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Shanghai


def wait_for(what: Callable[[], T | None], why: str | Callable[[], object], seconds: float = 60) -> T:
    """The first truthy answer within so many real seconds; else an error that says what did not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"did not come within {seconds:.0f} s: {why if isinstance(why, str) else why()}")


@dataclass
class World:
    """The simulator's control panel."""

    said: dict[str, Any]
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(self.said["control"] + path, params=query).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        return self.http.post(self.said["control"] + path, json=body).raise_for_status().json()

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.get("/clock")["now"])

    def advance(self, hours: float) -> None:
        """Let hours pass; every push on the way is delivered and answered."""
        done = self.post("/clock", advance_to=(self.now + timedelta(hours=hours)).isoformat())
        assert done["failed"] == 0, done

    def ledger(self, service: str = "", method: str = "") -> list[dict[str, Any]]:
        """Everything that the outside world received from us."""
        query = {"service": service, "method": method}
        entries: list[dict[str, Any]] = self.http.get(self.said["ledger"], params=query).raise_for_status().json()
        return entries

    def order(self, order_id: str) -> dict[str, Any]:
        truth: dict[str, Any] = self.get(f"/orders/{order_id}")
        return truth


@dataclass
class Stack:
    """A running Bufa: its address, its folder, its database."""

    address: str
    data: Path
    env: dict[str, str]
    process: subprocess.Popen[str]

    def bufa(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bufa", *arguments, "--data", str(self.data)],
            env=self.env, cwd=ROOT, input=given, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.bufa("status", "--json"))
        return report

    def rows(self, query: str, *values: object, shop_id: int = 1) -> list[tuple[Any, ...]]:
        """What the database holds, seen as the application sees it: one shop, no more."""
        socket_folder = json.loads((self.data / "running.json").read_text())["socket"]
        with psycopg.connect(host=socket_folder, user="bufa_app", dbname="bufa") as connection:
            connection.execute("SELECT set_config('app.shops', %s, false)", [f"{{{shop_id}}}"])
            return connection.execute(query, values).fetchall()

    def waiting(self) -> dict[str, Any]:
        """What is on its way: messages to be understood, effects to leave, jobs to run."""
        counted = self.rows(
            "SELECT 'message', count(*) FROM inbox_message WHERE state = 'new' UNION ALL"
            " SELECT 'effect', count(*) FROM effects_effect WHERE state IN ('ready', 'sending') UNION ALL"
            " SELECT 'subscription', count(*) FROM parcels_subscription WHERE state = 'wanted' UNION ALL"
            " SELECT task_name, count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
            " GROUP BY 1"
        )
        return {name: count for name, count in counted if count}

    def settled(self) -> bool:
        return not self.waiting()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError("it did not stop within 15 s of SIGTERM") from None


@contextmanager
def outside_world(seed: int = 11) -> Iterator[World]:
    """A world in which nothing happens by itself: no orders of its own, a clock that stands until it is moved."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "simulator",
            "--seed", str(seed), "--start", BEGINS.isoformat(), "--orders-per-day", "0",
        ],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield World(json.loads(process.stdout.readline()))
    finally:
        _stop(process)


@contextmanager
def whole_bufa(world: World, data: Path) -> Iterator[Stack]:
    """`bufa up` on the world's clock, until the block ends; its output is in up.log of the folder."""
    port = free_port()
    # What other tests of this process have set (their database's socket, their folder) must not reach it.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "DATABASE_"))}
    env |= {"BUFA_CLOCK_URL": world.said["control"] + "/clock", "PYTHONUNBUFFERED": "1"}
    clusters.give(data)
    log = data / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bufa", "up", "--port", str(port), "--data", str(data)],
            env=env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    stack = Stack(f"http://127.0.0.1:{port}", data, env, process)
    try:
        wait_for(lambda: "Bufa 补发" in log.read_text() or process.poll() is not None, f"the desk; see {log}", 90)
        assert process.poll() is None, log.read_text()
        yield stack
    finally:
        _stop(process)


def until_case(stack: Stack, world: World, order_id: str) -> int:
    query = "SELECT c.id FROM cases_case c JOIN orders_order o ON o.id = c.order_id WHERE o.number = %s"
    return int(advance_until(stack, world, query, order_id, hours=6, at_most=80)[0])


def advance_until(
    stack: Stack, world: World, query: str, *values: object, hours: float, at_most: int
) -> tuple[Any, ...]:
    """Let time pass in steps until the query has a row; each step waits until everything is understood and swept."""
    for _ in range(at_most):
        world.advance(hours)
        wait_for(
            lambda: not stack.waiting() and not _overdue(stack, world),
            lambda: (stack.waiting(), _overdue(stack, world)),
        )
        if found := stack.rows(query, *values):
            return found[0]
    raise AssertionError(f"not within {at_most * hours:.0f} h of the world's time: {query}")


def _overdue(stack: Stack, world: World) -> list[tuple[Any, ...]]:
    return stack.rows("SELECT id, stage, next_deadline FROM parcels_parcel WHERE next_deadline <= %s", world.now)
