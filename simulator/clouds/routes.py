"""The vendors of messages on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from simulator.sim import Sim


def routes(sim: Sim) -> list[Route]:
    """One path a service; headers were not kept by the journal, so a world that is lived again believes them."""

    async def aliyun(request: Request) -> Response:
        service = request.url.path.split("/")[1]
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        status, answer = sim.aliyun.call(
            service,
            request.method,
            request.url.path,
            query,
            request.headers,
            await request.body(),
            request.scope["entry"].facts,
            trusting=sim.journal.replaying,
        )
        return JSONResponse(answer, status_code=status)

    async def tencent(request: Request) -> Response:
        facts, trusting = request.scope["entry"].facts, sim.journal.replaying
        body = await request.body()
        return JSONResponse(sim.tencent.call(request.url.path, request.headers, body, facts, trusting=trusting))

    return [
        *(Route(f"/{service}/", aliyun, methods=["POST"]) for service in ("aliyun_sms", "aliyun_voice")),
        Route("/tencent_sms/", tencent, methods=["POST"]),
    ]
