"""The outside world, started once: clients are held against it over the wire."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.integrations.support import ROOT


class World:
    """The running simulator: what it said of itself, and its controls."""

    def __init__(self, hello: Mapping[str, Any]) -> None:
        self.hello = hello
        self._http = httpx.Client(timeout=60, trust_env=False)

    def get(self, path: str, **params: str) -> Any:
        return self._answer(self._http.get(self.hello["control"] + path, params=params))

    def post(self, path: str, **told: Any) -> Any:
        return self._answer(self._http.post(self.hello["control"] + path, json=told))

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()

    def now(self) -> datetime:
        return datetime.fromisoformat(self.get("/clock")["now"])

    def advance(self, **how_far: float) -> None:
        until = self.now() + timedelta(**how_far)
        self.post("/clock", advance_to=until.isoformat())

    def trouble(self, kind: str, method: str = "", service: str = "doudian", **more: Any) -> None:
        self.post("/trouble", kind=kind, service=service, method=method, **more)

    def calm(self) -> None:
        self._http.delete(self.hello["control"] + "/trouble")

    def mark(self) -> int:
        """The place in the ledger from which a test counts."""
        return int(self.get("/truth")["ledger"])

    def ledger(self, since: int, method: str = "") -> list[dict[str, Any]]:
        found = self._answer(self._http.get(self.hello["ledger"], params={"method": method, "since": str(since)}))
        return [row for row in found if row["seq"] > since]

    def mails(self) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self._answer(self._http.get(self.hello["mail"] + ".json"))
        return answer

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="session")
def running_world() -> Iterator[World]:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--seed", "1", "--stepping", "--orders-per-day", "5"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first, "the simulator did not start"
            world = World(json.loads(first))
            yield world
            world.close()
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def world(running_world: World) -> Iterator[World]:
    yield running_world
    running_world.calm()


@dataclass
class Hook:
    """A listening address: what came, and how it was answered."""

    url: str
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    reply: Callable[[bytes], bytes] = lambda body: b'{"code":0,"msg":"success"}'


@pytest.fixture
def hook() -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append((dict(self.headers.items()), body))
            answer = made.reply(body)
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Hook(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
