"""One way to speak HTTP to the outside: short patience, no redirects, no credentials from the environment.

Free of Django, because providers use it.
"""

from __future__ import annotations

import httpx

TIMEOUT_S = 10.0  # shorter than a lease (20 s), which is shorter than a rescue (30 s): an attempt is over before both
MAX_ANSWER_BYTES = 8 * 1024 * 1024


def client(
    base_url: str = "", *, transport: httpx.BaseTransport | None = None, timeout_s: float = TIMEOUT_S
) -> httpx.Client:
    """A client for one provider; close it, or use it as a context manager.

    A redirect is an answer like any other, never followed: a signed request would leave to an address that nobody
    checked. Proxies and .netrc of the environment are not used.
    """
    return httpx.Client(
        base_url=base_url,
        transport=transport,
        timeout=httpx.Timeout(timeout_s),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "bufa"},
        limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
    )
