"""What moved the world, in order, so that a world that was stopped can be lived again and go on.

Chance hangs on the seed, so a world is made again by the same inputs at the same moments. A moment is a number of
events that had run, with the clock's reading. Written down are calls that may change something (reads are not),
mails, what was handed to the outbox, and which of that failed; `FILE.now` holds how far time has come.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from simulator.state import Json

if TYPE_CHECKING:
    from simulator.sim import Sim

READS = frozenset(
    {
        "/doudian/order/searchList",
        "/doudian/order/orderDetail",
        "/doudian/order/batchDecrypt",
        "/doudian/order/batchSensitive",
        "/doudian/order/queryOrderPackageInfo",
        "/doudian/afterSale/List",
        "/doudian/afterSale/Detail",
        "/doudian/address/list",
        "/doudian/sms/sendResult",
    }
)
"""Calls that leave the world as it was (their trouble, where it was ordered, is written down all the same)."""

Call = Callable[[str, str, bytes, bytes], Awaitable[None]]


class Journal:
    """Writes lines while the world lives; reads them once, before it goes on. Without a path it does nothing."""

    def __init__(self, path: str | None) -> None:
        self.path = Path(path) if path else None
        self.replaying = False
        self._sim: Sim | None = None
        self._file: TextIO | None = None
        self._now: int | None = None

    def header(self) -> Json | None:
        """How the kept world began (seed, start, orders_per_day), None when there is none to go on with."""
        if self.path is None or not self.path.exists():
            return None
        with self.path.open(encoding="utf-8") as file:
            first = file.readline()
        found: Json | None = json.loads(first) if first.endswith("\n") else None
        return found

    def open(self, sim: Sim, begun: Json) -> None:
        """Write from now on; a new journal starts with how its world began."""
        self._sim = sim
        if self.path is None:
            return
        fresh = self.header() is None
        self._file = self.path.open("w" if fresh else "a", encoding="utf-8")
        self._now = os.open(f"{self.path}.now", os.O_RDWR | os.O_CREAT, 0o600)
        if fresh:
            self._line(begun)
        self.beat()

    def _line(self, row: Json) -> None:
        if self._file is not None:
            self._file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            self._file.flush()

    def note(self, kind: str, **row: Any) -> None:
        """One input, at this moment."""
        if self._file is None or self.replaying or self._sim is None:
            return
        sim = self._sim
        self._line({"k": kind, "n": sim.world.line.ran, "t": sim.clock.running(), "w": sim.wall(), **row})

    def note_call(self, method: str, path: str, query: bytes, content_type: bytes, body: bytes) -> None:
        """An HTTP call; reads are left out as long as no trouble is standing."""
        sim = self._sim
        if self._file is None or sim is None or (path in READS and not sim.trouble.shown()):
            return
        if path != "/control/push":
            self.note(
                "http", m=method, p=path, q=query.decode("latin-1"), c=content_type.decode("latin-1"), b=_text(body)
            )

    def note_mail(self, sender: str, rcpts: list[str], raw: bytes) -> None:
        self.note("mail", **{"from": sender, "to": rcpts, "b": _text(raw)})

    def beat(self) -> None:
        """Keep how far time has come. One small overwrite, fit for every tick."""
        if self._now is None or self._sim is None or self.replaying:
            return
        moment = {"n": self._sim.world.line.ran, "t": self._sim.clock.running()}
        os.pwrite(self._now, json.dumps(moment).ljust(80).encode(), 0)

    def close(self) -> None:
        self.beat()
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._now is not None:
            os.close(self._now)
            self._now = None

    # --- living it again ----------------------------------------------------------------------------------------------
    async def replay(self, sim: Sim, call: Call) -> None:
        """Bring a new world to where the kept one stood. `call` takes an HTTP call: method, target, type, body."""
        if self.path is None:
            return
        self.replaying = True
        stepping, speed = sim.clock.stepping, sim.clock.speed
        sim.clock.change(stepping=True)
        try:
            with self.path.open(encoding="utf-8") as file:
                next(file)
                for text in file:
                    if not text.endswith("\n"):
                        break  # cut off while it was written: whoever called got no answer
                    row = json.loads(text)
                    self._go_to(sim, row["n"], row["t"])
                    sim.wall.hold(row["w"])
                    if row["k"] == "http" and row["p"] == "/control/clock":
                        body = json.loads(row["b"].removeprefix("u:") or "{}")
                        stepping, speed = bool(body.get("stepping", stepping)), float(body.get("speed") or speed)
                    else:
                        await self._again(sim, row, call)
            moment = self._kept_moment()
            if moment is not None:
                self._go_to(sim, moment["n"], moment["t"])
        finally:
            sim.wall.hold(None)
            sim.outbox.forget()
            sim.clock.change(stepping=stepping, speed=speed)
            self.replaying = False

    def _kept_moment(self) -> Json | None:
        try:
            found: Json = json.loads(Path(f"{self.path}.now").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return found

    @staticmethod
    def _go_to(sim: Sim, events: int, at: float) -> None:
        sim.world.line.run_until_ran(events)
        sim.clock.set(at)

    async def _again(self, sim: Sim, row: Json, call: Call) -> None:
        match row["k"]:
            case "http":
                target = row["p"] + (f"?{row['q']}" if row["q"] else "")
                await call(row["m"], target, row["c"].encode("latin-1"), _bytes(row["b"]))
            case "mail":
                sim.post.again(row["from"], row["to"], _bytes(row["b"]))
            case "pack":
                sim.pusher.pack()
            case "failed":
                sim.outbox.failed_before(row["id"])
            case "push":
                sim.pusher.url, sim.pusher.how = row["url"], row["how"]


def _text(body: bytes) -> str:
    try:
        return "u:" + body.decode("utf-8")
    except UnicodeDecodeError:
        return "b:" + base64.b64encode(body).decode("ascii")


def _bytes(text: str) -> bytes:
    return text[2:].encode() if text.startswith("u:") else base64.b64decode(text[2:])
