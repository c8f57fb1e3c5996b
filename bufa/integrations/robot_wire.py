"""What the three group robots share: where they may be reached, and how an answer is judged. HTTP 200 means nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from bufa.integrations import wire
from bufa.integrations.ports import ProviderError, Sent

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def check_base(base_url: str, vendor: str) -> str:
    """The address that requests go to: the vendor's own, or a simulator on this machine. Raises ValueError for any
    other, so that no stored row can send our messages elsewhere."""
    if not base_url:
        return vendor
    parts = urlsplit(base_url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.username or parts.query or parts.fragment:
        raise ValueError("a robot is reached at its vendor's address only")
    return base_url.rstrip("/")


def post(
    http: httpx.Client, url: str, body: Mapping[str, Any], params: Mapping[str, str]
) -> tuple[dict[str, Any], bytes]:
    """One call that makes something appear in a group. Raises ProviderError."""
    raw = wire.exchange(
        http,
        url,
        changes=True,
        content=json.dumps(body, ensure_ascii=False).encode(),
        params=params,
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    return wire.answer_json(raw, changes=True), raw


def judged(
    answer: Mapping[str, Any], raw: bytes, field: str, errors: Mapping[int, tuple[str, bool]], said: str
) -> Sent:
    """Accepted when `field` is the number 0 and nothing else. An error code of the vendor's is a no, an answer without
    one leaves open what happened. `errors`: code → (why, retryable). Raises ProviderError."""
    code = answer.get(field)
    if isinstance(code, bool) or not isinstance(code, int):
        raise ProviderError("malformed", unknown=True, raw=raw)
    if code == 0:
        return Sent("", "", raw=raw)
    why, again = errors.get(code, ("business", False))
    raise ProviderError(why, retryable=again, code=str(code), text=wire.text(answer.get(said))[:200], raw=raw)
