"""Every byte that any service here received, in order."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from simulator.clock import Clock, Wall, iso, parse_iso
from simulator.state import Json


@dataclass
class Entry:
    """One receipt. ``facts`` is what the service read out of it: order, number, ticket, phone mask, outcome."""

    seq: int
    at: int
    wall: float
    service: str
    method: str
    raw: bytes
    facts: Json = field(default_factory=dict)

    def shown(self) -> Json:
        row: Json = {
            "seq": self.seq,
            "at": iso(self.at),
            "wall": iso(self.wall),
            "service": self.service,
            "method": self.method,
            **self.facts,
        }
        try:
            row["text"] = self.raw.decode("utf-8")
        except UnicodeDecodeError:
            row["base64"] = base64.b64encode(self.raw).decode("ascii")
        return row


class Ledger:
    """In memory, and in a JSON-lines file where one is wanted."""

    def __init__(self, clock: Clock, path: str | None = None, wall: Wall | None = None) -> None:
        self.clock = clock
        self.wall = wall or Wall()
        self.muted = False
        self.entries: list[Entry] = []
        self._file: TextIO | None = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115

    def receive(self, service: str, method: str, raw: bytes) -> Entry:
        entry = Entry(len(self.entries) + 1, self.clock.now(), self.wall(), service, method, raw)
        if not self.muted:
            self.entries.append(entry)
        return entry

    def load(self, path: str) -> None:
        """Take over the entries of a world that goes on."""
        with suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
            self.entries = sorted((_entry(json.loads(row)) for row in file if row.endswith("\n")), key=lambda e: e.seq)

    def done(self, entry: Entry) -> None:
        """The entry's facts are complete."""
        if self._file is not None and not self.muted:
            self._file.write(json.dumps(entry.shown(), ensure_ascii=False) + "\n")
            self._file.flush()

    def select(self, service: str = "", method: str = "", since: int = 0) -> list[Json]:
        """Entries of a service or method whose seq is greater than ``since``."""
        return [
            e.shown()
            for e in self.entries[max(since, 0) :]
            if (not service or e.service == service) and (not method or e.method == method)
        ]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _entry(row: Json) -> Entry:
    """The entry that ``shown`` gave."""
    raw = row["text"].encode() if "text" in row else base64.b64decode(row["base64"])
    facts = {k: v for k, v in row.items() if k not in {"seq", "at", "wall", "service", "method", "text", "base64"}}
    wall = datetime.fromisoformat(row["wall"]).timestamp()
    return Entry(row["seq"], parse_iso(row["at"]), wall, row["service"], row["method"], raw, facts)
