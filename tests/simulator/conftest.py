"""The simulator, and a client that speaks to it by raw requests."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from simulator.__main__ import arguments as program_arguments
from simulator.__main__ import serve
from simulator.doudian.signing import canonical, sign

START = "2026-03-02T00:00:00+00:00"


class Wire:
    """A running simulator, in a thread of its own, and its first line."""

    def __init__(self, *arguments: str) -> None:
        self.hello: dict[str, Any] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(arguments)), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        self.client = httpx.Client(timeout=30, trust_env=False)
        self.token = ""

    async def _serve(self, arguments: tuple[str, ...]) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()

        def say(hello: dict[str, Any]) -> None:
            self.hello = hello
            self._ready.set()

        self.code = await serve(program_arguments(list(arguments)), say, self._done)

    def control(self, path: str, body: dict[str, Any] | None = None, *, method: str = "") -> Any:
        url = f"{self.hello['control']}/{path}"
        return self.client.request(method or ("POST" if body is not None else "GET"), url, json=body).json()

    def root(self, path: str) -> httpx.Response:
        return self.client.get(self.hello["control"].removesuffix("control") + path)

    def doudian(self, path: str, params: dict[str, Any], *, how: str = "hmac-sha256", **changes: str) -> dict[str, Any]:
        """One signed call; ``changes`` overwrite query parameters after signing (an empty one is left out)."""
        shop = self.hello["doudian"]
        method = path.replace("/", ".")
        body = canonical(params)
        stamp = changes.pop("stamp", str(int(time.time())))
        query = {
            "app_key": shop["app_key"],
            "method": method,
            "timestamp": stamp,
            "v": "2",
            "sign": sign(shop["app_key"], shop["app_secret"], method, body, stamp, how),
            "sign_method": how,
            "access_token": self.token,
        } | changes
        answer = self.client.post(
            f"{shop['base_url']}/{path}", params={k: v for k, v in query.items() if v}, content=body.encode()
        )
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        assert found["log_id"]
        return found

    def sign_in(self) -> dict[str, Any]:
        given = {"grant_type": "authorization_self", "code": "", "shop_id": self.hello["doudian"]["shop_id"]}
        data: dict[str, Any] = self.doudian("token/create", given)["data"]
        self.token = data["access_token"]
        return data

    def now(self) -> str:
        return str(self.control("clock")["now"])

    def advance(self, hours: float) -> dict[str, Any]:
        until = datetime.fromisoformat(self.now()) + timedelta(hours=hours)
        found: dict[str, Any] = self.control("clock", {"advance_to": until.isoformat()})
        assert found["now"] == until.isoformat(), found
        return found

    def stop(self) -> int:
        self.client.close()
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(5)
        assert not self._thread.is_alive()
        return self.code


class Ear:
    """An address of the shop's that hears pushes; ``deaf`` makes it answer with HTTP 500."""

    def __init__(self) -> None:
        heard: list[dict[str, Any]] = []
        self.heard = heard
        self.deaf = False
        ear = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                row: dict[str, Any] = {"path": self.path, "headers": dict(self.headers), "body": body}
                if "urlencoded" in self.headers.get("content-type", ""):
                    row["form"] = dict(parse_qsl(body.decode()))
                heard.append(row)
                answers: dict[str, dict[str, Any]] = {
                    "/doudian": {"code": 0, "msg": "success"},
                    "/kuaidi100": {"result": True, "returnCode": "200", "message": "成功"},
                    "/kdniao": {"EBusinessID": "1", "UpdateTime": "", "Success": True, "Reason": ""},
                }
                text = json.dumps(answers[self.path]).encode()
                self.send_response(500 if ear.deaf else 200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A world without a stream of orders, standing still; signed in."""
    world = Wire("--start", START, "--orders-per-day", "0", "--seed", "7")
    world.sign_in()
    yield world
    assert world.stop() == 0


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()
    yield found
    found.close()
