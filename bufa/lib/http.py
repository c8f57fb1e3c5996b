"""One way to speak HTTP to the outside: short patience, no redirects, no credentials from the environment,
and no way into the machine's own network.

Free of Django, because providers use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from bufa.lib import reach

TIMEOUT_S = 10.0  # shorter than a lease (20 s), which is shorter than a rescue (30 s): an attempt is over before both
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10)
MAX_ANSWER_BYTES = 8 * 1024 * 1024


class _Pinned(httpcore.SyncBackend):
    """Connects to an address that was checked, and to that very one; the name goes on into TLS and the Host header."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = reach.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        last: Exception = httpcore.ConnectError(host)
        for address in found:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last


class PinnedTransport(httpx.HTTPTransport):
    """httpx's own transport, whose connections go only where `bufa.lib.reach` allows. Raises `reach.OutOfBounds`."""

    def __init__(self, limits: httpx.Limits) -> None:
        super().__init__(limits=limits, trust_env=False)
        self._pool._network_backend = _Pinned()  # httpx gives no other way in; a test holds it to this


def client(
    base_url: str = "", *, transport: httpx.BaseTransport | None = None, timeout_s: float = TIMEOUT_S
) -> httpx.Client:
    """A client for one provider; close it, or use it as a context manager.

    A redirect is an answer like any other, never followed: a signed request would leave to an address that nobody
    checked. Proxies and .netrc of the environment are not used.
    """
    return httpx.Client(
        base_url=base_url,
        transport=transport or PinnedTransport(LIMITS),
        timeout=httpx.Timeout(timeout_s),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "bufa"},
    )
