"""How requests to the platform and pushes from it are signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any


def plain_numbers(value: Any) -> Any:
    """Whole floats become integers, at every level."""
    if isinstance(value, dict):
        return {k: plain_numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain_numbers(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def canonical(value: Any) -> str:
    """The one form that is signed: keys sorted, compact, UTF-8 kept, the two line separators escaped."""
    text = json.dumps(plain_numbers(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def digest(base: str, secret: str, method: str) -> str:
    """Lower-case hex of MD5(base) or of HMAC-SHA256(secret, base)."""
    if method == "hmac-sha256":
        return hmac.new(secret.encode(), base.encode(), hashlib.sha256).hexdigest()
    return hashlib.md5(base.encode()).hexdigest()  # noqa: S324 the platform's own choice


def sign(app_key: str, secret: str, method: str, param_json: str, timestamp: str, how: str = "hmac-sha256") -> str:
    """A request's signature over a ``param_json`` that stands as given."""
    base = f"{secret}app_key{app_key}method{method}param_json{param_json}timestamp{timestamp}v2{secret}"
    return digest(base, secret, how)


_ESCAPES = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("=", "\\u003d"), ("'", "\\u0027"))


def verify(given: str, app_key: str, secret: str, method: str, raw: str, timestamp: str, how: str) -> bool:
    """Whether a signature fits the canonical form, its HTML-escaped variant, or the raw body."""
    try:
        form = canonical(json.loads(raw or "{}"))
    except ValueError:
        return False
    escaped = form
    for plain, code in _ESCAPES:
        escaped = escaped.replace(plain, code)
    kind = "hmac-sha256" if how == "hmac-sha256" else "md5"
    return any(
        hmac.compare_digest(sign(app_key, secret, method, body, timestamp, kind), given)
        for body in dict.fromkeys((form, escaped, raw))
    )


def event_sign(app_key: str, secret: str, body: str, how: str = "md5") -> str:
    """A push's ``event-sign``: over app_key + raw body + secret, MD5 or (``how`` = hmac) HMAC-SHA256."""
    return digest(app_key + body + secret, secret, "hmac-sha256" if how == "hmac" else "md5")
