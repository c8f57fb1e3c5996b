"""Every byte that any service here received, in order."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TextIO

from simulator.clock import Clock, iso
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

    def __init__(self, clock: Clock, path: str | None = None) -> None:
        self.clock = clock
        self.entries: list[Entry] = []
        self._file: TextIO | None = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115

    def receive(self, service: str, method: str, raw: bytes) -> Entry:
        entry = Entry(len(self.entries) + 1, self.clock.now(), time.time(), service, method, raw)
        self.entries.append(entry)
        return entry

    def done(self, entry: Entry) -> None:
        """The entry's facts are complete."""
        if self._file is not None:
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
