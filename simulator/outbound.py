"""What the services send to the shop's addresses: HTTP posts, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx


@dataclass
class Post:
    """One call to the outside. ``good`` judges the answer, ``after`` learns how it went."""

    service: str
    url: str
    content: bytes
    headers: Mapping[str, str]
    good: Callable[[httpx.Response], bool]
    after: Callable[[bool], None] = lambda ok: None
    timeout: float = 5.0
    number: int = 0


class Outbox:
    """Keeps posts until they are let go; at most ``workers`` at a time, begun in order."""

    def __init__(self, workers: int) -> None:
        self._waiting: list[Post] = []
        self._workers = workers
        self._client: httpx.AsyncClient | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._gate: asyncio.Semaphore | None = None
        self.sent = 0
        self.failed = 0
        self.replaying: Callable[[], bool] = lambda: False
        self.on_failed: Callable[[int], None] = lambda number: None
        self._added = 0
        self._again: dict[int, Post] = {}

    def add(self, post: Post) -> None:
        self._added += 1
        post.number = self._added
        if self.replaying():
            self._again[post.number] = post
            self.sent += 1
            return
        self._waiting.append(post)

    def failed_before(self, number: int) -> None:
        """While a world is lived again: this post was not taken."""
        post = self._again.pop(number)
        self.sent, self.failed = self.sent - 1, self.failed + 1
        post.after(False)

    def forget(self) -> None:
        """The past is over: what was sent then is not sent again."""
        self._again.clear()

    async def flush(self) -> None:
        """Deliver everything and wait for the answers. What the answers bring about waits for the next flush."""
        batch, self._waiting = self._waiting, []
        await asyncio.gather(*(self.deliver(p) for p in batch))
        if not batch:
            await asyncio.sleep(0)

    def start(self) -> None:
        """Deliver everything without waiting."""
        batch, self._waiting = self._waiting, []
        for post in batch:
            task = asyncio.ensure_future(self._quiet(post))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _quiet(self, post: Post) -> None:
        await self.deliver(post)

    async def deliver(self, post: Post) -> bool:
        """One call; a connection error, a late answer and a wrong answer all count as failed."""
        if self._client is None or self._gate is None:
            limits = httpx.Limits(max_connections=self._workers, max_keepalive_connections=self._workers)
            self._client = httpx.AsyncClient(limits=limits, trust_env=False)
            self._gate = asyncio.Semaphore(self._workers)
        async with self._gate:
            try:
                answer = await self._client.post(
                    post.url, content=post.content, headers=dict(post.headers), timeout=post.timeout
                )
                ok = post.good(answer)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError):
                ok = False
        if ok:
            self.sent += 1
        else:
            self.failed += 1
            self.on_failed(post.number)
        post.after(ok)
        return ok

    async def close(self) -> None:
        for task in list(self._running):
            task.cancel()
        if self._client is not None:
            await self._client.aclose()
