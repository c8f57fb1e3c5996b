"""Doudian's canonical JSON and its signatures (doudian-openapi §2, §11)."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any


def canonical(params: object) -> str:
    """The one text of a parameter object: keys sorted at every level, no blanks, UTF-8 literal, integral floats as
    integers, unset (None) members dropped, the two line separators escaped. Raises ValueError for NaN."""
    told = json.dumps(_plain(params), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return told.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(member) for key, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def sign(*, app_key: str, secret: str, method: str, param_json: str, timestamp: str, sign_method: str) -> str:
    """The request's signature in lower-case hex. `sign_method`: "hmac-sha256" or "md5"."""
    base = f"{secret}app_key{app_key}method{method}param_json{param_json}timestamp{timestamp}v2{secret}"
    return _digest(base.encode(), secret, sign_method)


def push_sign(*, app_key: str, secret: str, body: bytes, sign_method: str) -> str:
    """The signature of a message push over its raw body."""
    return _digest(app_key.encode() + body + secret.encode(), secret, sign_method)


def _digest(base: bytes, secret: str, sign_method: str) -> str:
    if sign_method == "md5":
        return hashlib.md5(base, usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
