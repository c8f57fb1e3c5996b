"""A client that pushes as providers do: HTTP/1.1, connections kept, signed bodies, at a pace that nobody slows down.

Each push has its time, whether the one before was answered or not; what it took counts from that time. So a server
that falls behind is seen falling behind.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from bufa.bench import traffic

SCANS = 10
THREADS = 16
_TRIES = 200


def client(
    port: int, paths: Sequence[str], numbers: Sequence[int], per_s: float, shipped_at: str, *,
    again: bool = False, ending: Sequence[str] = (), every: int = 0,
) -> Callable[[], dict[str, Any]]:  # fmt: skip
    """Pushes one parcel after the other, `per_s` a second; parcel n goes to path n % len(paths).

    `again`: a push without thanks is sent again until it has them, as providers do. Every `every`th push ends with a
    line more, `ending` = (instant, text). Answers with lists: `took_ms`, and `[parcel, sent at]` of those with thanks.
    """
    shipped = datetime.fromisoformat(shipped_at)
    last = (datetime.fromisoformat(ending[0]), ending[1]) if ending else None
    requests = []
    for number in numbers:
        marked = last if every and number % every == 0 else None
        body = traffic.kuaidi100_push(number, range(SCANS - bool(marked)), shipped, marked)
        requests.append((number, _request(paths[number % len(paths)], body)))

    def work() -> dict[str, Any]:
        begun, cpu = time.monotonic(), time.process_time()
        threads = [
            _Pusher(port, requests[n::THREADS], begun + n / per_s, THREADS / per_s, again) for n in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {
            "seconds": time.monotonic() - begun,
            "cpu_s": time.process_time() - cpu,
            "took_ms": [round(ms, 2) for thread in threads for ms in thread.took_ms],
            "thanked": [pair for thread in threads for pair in thread.thanked],
            "refused": sum(thread.refused for thread in threads),
            "broken": sum(thread.broken for thread in threads),
        }

    return work


class _Pusher(threading.Thread):
    def __init__(
        self, port: int, requests: Sequence[tuple[int, bytes]], first_at: float, between_s: float, again: bool
    ) -> None:
        super().__init__()
        self._port, self._requests, self._again = port, requests, again
        self._first_at, self._between_s = first_at, between_s
        self._wire: socket.socket | None = None
        self.took_ms: list[float] = []
        self.thanked: list[tuple[int, float]] = []
        self.refused = self.broken = 0

    def run(self) -> None:
        for n, (number, request) in enumerate(self._requests):
            due = self._first_at + n * self._between_s
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            sent = time.monotonic()
            if self._push(request):
                self.took_ms.append((time.monotonic() - due) * 1000)
                self.thanked.append((number, sent))

    def _push(self, request: bytes) -> bool:
        for _ in range(_TRIES if self._again else 1):
            try:
                status = self._exchange(request)
            except OSError:
                self.broken += 1
                self._hang_up()
                time.sleep(0.1)
                continue
            if status == b"200":
                return True
            self.refused += 1
            self._hang_up()  # its answer may be of any form
            if self._again:
                time.sleep(0.1)
        return False

    def _exchange(self, request: bytes) -> bytes:
        """Send one request and read its whole answer; returns the status. Raises OSError when the line breaks."""
        if self._wire is None:
            self._wire = socket.create_connection(("127.0.0.1", self._port), timeout=15)
            self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self._more()
        return head[9:12]  # HTTP/1.1 200 …

    def _more(self) -> bytes:
        assert self._wire is not None  # noqa: S101 - opened above
        part = self._wire.recv(65536)
        if not part:
            raise ConnectionResetError("closed")
        return part

    def _hang_up(self) -> None:
        if self._wire is not None:
            with suppress(OSError):
                self._wire.close()
        self._wire = None


def _request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
