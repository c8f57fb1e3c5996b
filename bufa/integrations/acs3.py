"""Alibaba Cloud's signature V3 (ACS3-HMAC-SHA256), as its services check it. trust-and-desk.md D2.

Everything that is signed is decided here: the query in RFC 3986 escapes, all `x-acs-*` headers, host, and the content
type where there is one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

ALGORITHM = "ACS3-HMAC-SHA256"


def query_string(params: Mapping[str, str]) -> str:
    """The query as it is signed and sent: sorted, only unreserved characters left as they are."""
    return "&".join(f"{escape(name)}={escape(params[name])}" for name in sorted(params))


def escape(text: str) -> str:
    return quote(text, safe="-_.~")


def headers(
    *,
    key_id: str,
    secret: str,
    host: str,
    action: str,
    version: str,
    params: Mapping[str, str],
    moment: datetime,
    nonce: str,
    method: str = "POST",
    path: str = "/",
    body: bytes = b"",
    content_type: str = "",
) -> dict[str, str]:
    """All headers of one call, `Authorization` among them. `nonce` must be fresh: a second use is refused."""
    signed = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    } | ({"content-type": content_type} if content_type else {})
    names = sorted(signed)
    signature = sign(secret, method=method, path=path, query=query_string(params), signed=signed)
    said = f"{ALGORITHM} Credential={key_id},SignedHeaders={';'.join(names)},Signature={signature}"
    return {name: value for name, value in signed.items() if name != "host"} | {"authorization": said}


def sign(secret: str, *, method: str, path: str, query: str, signed: Mapping[str, str]) -> str:
    """The signature of a request. `signed`: header → value, lower case; the digest of the body is one of them."""
    names = sorted(signed)
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in names)
    request = "\n".join((method, path, query, lines, ";".join(names), signed["x-acs-content-sha256"]))
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    return hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
