"""Tencent Cloud's signature V3 (TC3-HMAC-SHA256), as its services check it. trust-and-desk.md D2."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
JSON = "application/json; charset=utf-8"


def headers(
    *,
    secret_id: str,
    secret_key: str,
    host: str,
    service: str,
    action: str,
    version: str,
    body: bytes,
    seconds: int,
    region: str = "",
    path: str = "/",
) -> dict[str, str]:
    """All headers of one POST, `Authorization` among them. `seconds`: Unix time, at most five minutes off theirs."""
    signed = {"content-type": JSON, "host": host, "x-tc-action": action.lower()}
    signature = sign(secret_key, service=service, seconds=seconds, body=body, signed=signed, path=path)
    scope = f"{_day(seconds)}/{service}/tc3_request"
    said = (
        f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"
    )
    told = {
        "content-type": JSON,
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-timestamp": str(seconds),
        "authorization": said,
    }
    return told | ({"x-tc-region": region} if region else {})


def sign(
    secret_key: str, *, service: str, seconds: int, body: bytes, signed: Mapping[str, str], path: str = "/"
) -> str:
    """The signature of a POST without a query. `signed`: header → value, names in lower case."""
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    request = "\n".join(("POST", path, "", lines, names, hashlib.sha256(body).hexdigest()))
    day = _day(seconds)
    scope = f"{day}/{service}/tc3_request"
    to_sign = f"{ALGORITHM}\n{seconds}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
