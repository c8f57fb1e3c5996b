"""What the provider tests share: payload files, captured samples, a wire that answers from a list."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from bufa.integrations.ports import Tokens

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("BUFA_SAMPLES", ROOT / "../shared/samples"))
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))


def payload(provider: str, name: str) -> Any:
    """One of our own payload files."""
    return json.loads((Path(__file__).parent / provider / "payloads" / f"{name}.json").read_text(encoding="utf-8"))


def sample(provider: str, name: str) -> Any:
    """A captured payload, where that folder is there."""
    path = SAMPLES / "payloads" / provider / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no captured payloads at {SAMPLES}")
    return json.loads(path.read_text(encoding="utf-8"))["payload"]


def china(told: str) -> datetime:
    """`2026-03-01 09:00:00` on a Chinese wall clock, as UTC."""
    return datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)


class Wire:
    """An httpx client whose far end answers from a list, in order, and keeps what it was sent."""

    def __init__(self, *answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    def form(self, at: int = 0) -> dict[str, str]:
        fields = parse_qs(self.requests[at].content.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}

    def json(self, at: int = 0) -> Any:
        return json.loads(self.requests[at].content)


class Keeper:
    """Tokens in memory; `renew` as the port asks, for one thread."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.tokens = tokens
        self.renewals = 0

    def current(self) -> Tokens | None:
        return self.tokens

    def renew(self, seen: Tokens | None, fetch: Callable[[Tokens | None], Tokens], *, wait: bool = True) -> Tokens:
        if self.tokens is not None and self.tokens != seen:
            return self.tokens
        self.renewals += 1
        self.tokens = fetch(self.tokens)
        return self.tokens


def tokens(access: str = "access-1", *, lasts: timedelta = timedelta(days=6)) -> Tokens:
    return Tokens(access, f"refresh-of-{access}", NOW + lasts, "40391623", "晴天小铺")


def ok(data: Any) -> dict[str, Any]:
    return {"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "log_id": "LOG1", "data": data}


def refusal(code: int, sub_code: str, msg: str = "no") -> dict[str, Any]:
    return {"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": msg, "log_id": "LOG2", "data": None}
