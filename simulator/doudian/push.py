"""The platform's message push: a JSON array of messages, signed, repeated until it is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass

import httpx

from simulator.clock import BEIJING, HOUR, beijing
from simulator.doudian.signing import event_sign
from simulator.journal import Journal
from simulator.outbound import Outbox, Post
from simulator.state import Json
from simulator.trouble import Trouble
from simulator.world import World

GAPS = (60, 300, 900, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
BATCH = 20
DUPLICATES = 0.015


@dataclass
class Message:
    tag: str
    msg_id: str
    data: str
    tries: int = 0

    def wire(self) -> Json:
        return {"tag": self.tag, "msg_id": self.msg_id, "data": self.data}


def answered(response: httpx.Response) -> bool:
    """``{"code": 0, …}`` with HTTP 200."""
    if response.status_code != 200:
        return False
    body = response.json()
    return isinstance(body, dict) and body.get("code") == 0


class Pusher:
    """Sends what happens to the registered address; nothing is kept for a shop that has none."""

    def __init__(self, world: World, outbox: Outbox, trouble: Trouble, app_key: str, secret: str) -> None:
        self.world = world
        self.outbox = outbox
        self.trouble = trouble
        self.app_key = app_key
        self.secret = secret
        self.url = ""
        self.how = "md5"
        self.made: dict[str, int] = {}
        self._waiting: list[Message] = []
        self.journal = Journal(None)
        world.push = self.push

    async def register(self, url: str, how: str) -> bool:
        """Take a new address after it has answered the probe; says whether it did."""
        moment = beijing(self.world.clock.now()).astimezone(BEIJING).isoformat()
        probe = Message("0", "0", moment)
        ok = await self.outbox.deliver(self._post(url, how, [probe]))
        if ok:
            self.url, self.how = url, how
            self.journal.note("push", url=url, how=how)
        return ok

    def push(self, tag: int, data: Json) -> None:
        """Something happened. Without a registered address the message is gone, as with the platform."""
        self.made[str(tag)] = self.made.get(str(tag), 0) + 1
        if not self.url:
            return
        number = self.world.new_id("message", 79)
        message = Message(str(tag), str(number), json.dumps(data, ensure_ascii=False, separators=(",", ":")))
        trouble = self.trouble.take("doudian", "push", push=True)
        if trouble is not None and trouble[0] == "late_push":
            self.world.line.after(trouble[1], lambda: self._waiting.append(message))
            return
        self._waiting.append(message)
        if trouble is not None:
            self._waiting.append(message)
        rng = self.world.rng(f"twice:{number}")
        if rng.random() < DUPLICATES:
            self.world.line.after(rng.uniform(30, 900), lambda: self._waiting.append(message))

    def pack(self) -> None:
        """Hand what waits to the outbox, some messages to a post."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.journal.note("pack")
        if not self.url:
            return
        for start in range(0, len(waiting), BATCH):
            self.outbox.add(self._post(self.url, self.how, waiting[start : start + BATCH]))

    def _post(self, url: str, how: str, messages: list[Message]) -> Post:
        body = json.dumps([m.wire() for m in messages], ensure_ascii=False, separators=(",", ":"))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "event-sign": event_sign(self.app_key, self.secret, body, how),
            "app-id": self.app_key,
        }

        def after(ok: bool) -> None:
            if ok:
                return
            for message in messages:
                if message.msg_id != "0" and message.tries < len(GAPS):
                    gap = GAPS[message.tries]
                    message.tries += 1
                    self.world.line.after(gap, lambda m=message: self._waiting.append(m))  # type: ignore[misc]

        return Post("doudian", url, body.encode(), headers, answered, after)
