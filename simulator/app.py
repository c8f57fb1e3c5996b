"""The HTTP side: every service under its own path, the ledger before all of them, and trouble where it was ordered."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator import control, pages, robots
from simulator.clouds import routes as clouds
from simulator.doudian.gateway import Gateway, method_of
from simulator.ledger import Entry
from simulator.sim import Sim
from simulator.trouble import DONE

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON = b"application/json"
_LYING = json.dumps(
    {
        "Code": "isp.SYSTEM_ERROR",
        "Message": "isp.SYSTEM_ERROR",
        "RequestId": "",
        "Response": {"Error": {"Code": "InternalError.OtherError", "Message": "other"}, "RequestId": ""},
    }
).encode()
"""How both vendors of messages say that something went wrong on their side."""
REFRESH_TAKES = 0.05  # real seconds in which a second refresh is refused
CLOUDS = ("aliyun_sms", "aliyun_voice", "tencent_sms")
SERVICES = ("doudian", "kuaidi100", "kdniao", "17track", *robots.SERVICES, *CLOUDS)


class Cut(Exception):
    """The connection was cut on purpose and nothing is left to say."""


def _service(path: str) -> tuple[str, str]:
    first, _, rest = path.strip("/").partition("/")
    return (first, rest) if first in SERVICES else ("", "")


def _method(service: str, rest: str, body: bytes, headers: Mapping[bytes, bytes]) -> str:
    if service in CLOUDS:
        name = b"x-tc-action" if service == "tencent_sms" else b"x-acs-action"
        return headers.get(name, b"").decode("latin-1")
    if service == "doudian":
        return method_of(rest)
    if service == "kuaidi100":
        return {"poll/query.do": "query", "poll": "subscribe"}.get(rest, rest)
    if service == "17track":
        return rest.rpartition("/")[2]
    if service in robots.SERVICES:
        return "say"
    return dict(parse_qsl(body.decode("utf-8", "replace"))).get("RequestType", rest)


class Door:
    """Reads each call to a service whole, writes it down, makes the trouble that was ordered, and lets it through."""

    def __init__(self, app: Starlette, sim: Sim) -> None:
        self.app = app
        self.sim = sim

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service, rest = _service(scope["path"]) if scope["type"] == "http" else ("", "")
        if scope["type"] != "http" or scope["method"] not in {"POST", "DELETE"}:
            await self.app(scope, receive, send)
            return
        body = await self._body(receive)
        if scope["path"] in {"/control/clock", "/control/push"}:  # they let time pass
            await self._take(scope, receive, send, body, service, rest)
            return
        with self.sim.clock.hold():
            await self._take(scope, receive, send, body, service, rest)

    async def _take(self, scope: Scope, receive: Receive, send: Send, body: bytes, service: str, rest: str) -> None:
        content_type = dict(scope["headers"]).get(b"content-type", b"")
        self.sim.journal.note_call(scope["method"], scope["path"], scope["query_string"], content_type, body)
        if not service or rest == "authorize":
            await self.app(scope, _once(body), send)
            return
        method = _method(service, rest, body, dict(scope["headers"]))
        target = scope["path"].encode() + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        entry = self.sim.ledger.receive(service, method, target + b"\n" + body)
        kind, seconds = self.sim.trouble.take(service, method) or ("", 0.0)
        if kind:
            entry.facts["trouble"] = kind
        scope["entry"], scope["trouble"] = entry, kind
        try:
            await self._through(kind, seconds, scope, receive, _once(body), send)
        finally:
            self.sim.ledger.done(entry)

    @staticmethod
    async def _body(receive: Receive) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts)

    async def _through(
        self, kind: str, seconds: float, scope: Scope, receive: Receive, replay: Receive, send: Send
    ) -> None:
        asleep = 0.0 if self.sim.journal.replaying else 1.0
        if kind in {"slow", "hang"}:
            await asyncio.sleep(asleep * (seconds if kind == "slow" else max(seconds, 30.0)))
        if kind in {"hang", "cut"}:
            await self._cut(receive, send)
        elif kind == "http500":
            await Response("gateway error", status_code=500)(scope, replay, send)
        elif kind in DONE:
            answer = await self._done(scope, replay)
            await self._damaged(kind, asleep * seconds, asleep, answer, receive, send)
        else:
            await self.app(scope, replay, send)

    async def _done(self, scope: Scope, replay: Receive) -> list[Message]:
        """Let the call through; its answer stays here."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, replay, keep)
        return kept

    async def _damaged(
        self, kind: str, seconds: float, asleep: float, answer: list[Message], receive: Receive, send: Send
    ) -> None:
        """What the caller sees of a call that was done."""
        if kind == "late":
            await asyncio.sleep(seconds)
            for message in answer:
                await send(message)
        elif kind == "half":
            body = b"".join(message.get("body", b"") for message in answer)
            await send(answer[0])
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await self._cut(receive, send)
        elif kind == "garbage":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<html>502 Bad Gateway</html>"})
        elif kind == "lying":
            if b"log_id" not in answer[-1]["body"]:
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", _JSON)]})
                await send({"type": "http.response.body", "body": _LYING})
                return
            said = {"code": 20000, "msg": "服务不可用", "sub_code": "isp.service-error:20000", "data": {}}
            said |= {"sub_msg": "系统繁忙，请稍后重试", "log_id": json.loads(answer[-1]["body"])["log_id"]}
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", _JSON)]})
            await send({"type": "http.response.body", "body": json.dumps(said, ensure_ascii=False).encode()})
        else:
            if kind == "accept_hang":
                await asyncio.sleep(asleep * 30.0)
            await self._cut(receive, send, reset=kind == "accept_reset")

    @staticmethod
    async def _cut(receive: Receive, send: Send, *, reset: bool = False) -> None:
        """Drop the connection without a reply; where the server has no way to do so, break off in mid-reply."""
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is not None:
            line = transport.get_extra_info("socket") if reset else None
            if line is not None:  # closed with nothing lingering, the other side gets a reset
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
        raise Cut


def _once(body: bytes) -> Receive:
    """A body that was read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def call_again(door: Door, method: str, target: str, content_type: bytes, body: bytes) -> None:
    """One call of a world that is lived again; nobody hears the answer."""
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode("latin-1"),
        "headers": [(b"content-type", content_type)],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }

    async def nowhere(message: Message) -> None:
        return None

    with contextlib.suppress(Cut):
        await door(scope, _once(body), nowhere)


def _entry(request: Request) -> Entry:
    entry: Entry = request.scope["entry"]
    return entry


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def robot_routes(sim: Sim) -> list[Route]:
    """The doors of the chat groups' robots."""

    async def robot(request: Request) -> Response:
        service, path = request.url.path.strip("/").split("/", 1)
        query = dict(request.query_params)
        return JSONResponse(sim.robots.call(service, path, query, await request.body(), _entry(request).facts))

    return [Route(f"/{service}/{{path:path}}", robot, methods=["POST"]) for service in robots.SERVICES]


def make(sim: Sim) -> Door:
    """The whole HTTP application of one world."""
    gateway = Gateway(sim, sim.wall)

    async def doudian(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        path = request.path_params["path"]
        trouble = request.scope.get("trouble", "")
        if path == "token/refresh":
            sim.tokens.under_way += 1
            await asyncio.sleep(0 if sim.journal.replaying else REFRESH_TAKES)
        try:
            answer = gateway.call(path, dict(request.query_params), body, _entry(request).facts, trouble)
        finally:
            if path == "token/refresh":
                sim.tokens.under_way -= 1
        if "x-open-no-old-err-code" not in request.headers:
            answer |= {"err_no": 0 if answer["code"] == 10000 else answer["code"], "message": answer["msg"]}
        return JSONResponse(answer)

    async def authorize(request: Request) -> Response:
        """The page on which a merchant agrees; the code goes back by redirect, or is shown where no address is."""
        query = dict(request.query_params)
        if request.method == "GET":
            action = "/doudian/authorize?" + urlencode(query)
            return HTMLResponse(pages.authorize(sim, action))
        code = sim.tokens.code()
        back = query.get("redirect_uri", "")
        if back:
            joiner = "&" if "?" in back else "?"
            return RedirectResponse(back + joiner + urlencode({"code": code, "state": query.get("state", "")}), 302)
        return HTMLResponse(f"<p>授权码（10 分钟内有效）：<code>{html.escape(code)}</code></p>")

    async def query(request: Request) -> Response:
        entry = _entry(request)
        answer = sim.kuaidi100.query(await _form(request), entry.facts)
        entry.facts["outcome"] = str(answer.get("returnCode") or answer.get("status"))
        return JSONResponse(answer)

    async def subscribe(request: Request) -> Response:
        entry = _entry(request)
        answer = sim.kuaidi100.subscribe(await _form(request), entry.facts)
        entry.facts["outcome"] = answer["returnCode"]
        return JSONResponse(answer)

    async def kdniao(request: Request) -> Response:
        entry = _entry(request)
        answer = sim.kdniao.call(await _form(request), entry.facts)
        entry.facts["outcome"] = answer["Success"]
        return JSONResponse(answer)

    async def track17(request: Request) -> Response:
        entry = _entry(request)
        token, name = request.headers.get("17token", ""), request.path_params["call"]
        answer = sim.track17.call(name, token, await request.body(), entry.facts)
        entry.facts["outcome"] = answer["code"]
        return JSONResponse(answer)

    routes = [
        *robot_routes(sim),
        Route("/doudian/authorize", authorize, methods=["GET", "POST"]),
        Route("/doudian/{path:path}", doudian, methods=["POST"]),
        Route("/kuaidi100/poll/query.do", query, methods=["POST"]),
        Route("/kuaidi100/poll", subscribe, methods=["POST"]),
        Route("/kdniao/{path:path}", kdniao, methods=["POST"]),
        Route("/kdniao", kdniao, methods=["POST"]),
        *(Route(f"/17track/track/{version}/{{call:str}}", track17, methods=["POST"]) for version in ("v2.2", "v2.4")),
        *clouds.routes(sim),
        *control.routes(sim),
        *pages.routes(sim),
    ]
    return Door(Starlette(routes=routes), sim)
