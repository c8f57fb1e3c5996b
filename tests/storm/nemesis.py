"""What goes wrong during the storm: processes die, the queue is emptied, the platform has its moods."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

KINDS = ("web", "worker", "sweeper", "postgres", "connection")
_SIGN = {"web": "granian", "worker": "procrastinate", "sweeper": "watch", "postgres": "-D"}
MOODS = ("reply_lost", "60000", "accept_reset", "slow", "refused")


def processes(up: int) -> dict[str, list[int]]:
    """The living descendants of `bufa up`, by kind."""
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    parents, commands = _table()
    for pid, command in commands.items():
        if up not in _ancestors(pid, parents):
            continue
        if command.startswith("postgres:"):
            if "bufa_app" in command:
                found["connection"].append(pid)
            continue
        for kind, sign in _SIGN.items():
            if sign in command.split("\0")[:4] or f"\0{sign}\0" in command:
                found[kind].append(pid)
    return found


def _table() -> tuple[dict[int, int], dict[int, str]]:
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if fields[0] in "ZX":
                continue
            pid = int(path.name)
            parents[pid] = int(fields[1])
            commands[pid] = (path / "cmdline").read_bytes().decode(errors="replace")
    return parents, commands


def _age(pid: int) -> float:
    """Seconds since the process began; 0 for one that is gone."""
    with suppress(OSError, ValueError):
        began = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
    return 0.0


def _ancestors(pid: int, parents: dict[int, int]) -> set[int]:
    above: set[int] = set()
    while pid in parents and pid not in above:
        above.add(pid)
        pid = parents[pid]
    return above | {pid}


class Nemesis(threading.Thread):
    """Kills one random process every so often until it has killed `kills`; every 25th time the queue is emptied."""

    def __init__(
        self, up: int, kills: int, pause: tuple[float, float], empty_queue: Callable[[], None],
        mood: Callable[[str], None], answers: Callable[[], bool], starting_s: float, seed: int,
        kinds: Sequence[str] = KINDS,
    ) -> None:  # fmt: skip
        super().__init__(daemon=True)
        self.up, self.kills, self.pause = up, kills, pause
        self.empty_queue, self.mood, self.answers = empty_queue, mood, answers
        self.starting_s = starting_s
        self.kinds = kinds
        self.chance = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.emptied = 0
        self.enough = threading.Event()

    def _has_lived(self, kind: str, pids: list[int]) -> bool:
        """Whether it had the time to do something since it was last killed: the desk answers; the others are given a
        share of what starting takes on this machine, so that some die while they start and most while they work."""
        if kind == "web":
            return self.answers()
        return kind == "connection" or min(map(_age, pids)) >= self.starting_s * self.chance.choice((0.3, 1.0, 2.0))

    def run(self) -> None:
        turn = list(self.kinds)
        while self.killed.total() < self.kills and not self.enough.wait(self.chance.uniform(*self.pause)):
            if not turn:
                turn = list(self.kinds)
                self.chance.shuffle(turn)
            self.mood(self.chance.choice(MOODS))
            kind = turn.pop()
            pids = processes(self.up)[kind]
            if not pids or not self._has_lived(kind, pids):
                turn.insert(0, kind)  # it has not come back yet
                continue
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(pids), signal.SIGKILL)
                self.killed[kind] += 1
            if self.killed.total() % 25 == min(self.kills, 25) // 2:
                time.sleep(0.2)
                with suppress(Exception):  # the database may be down just now
                    self.empty_queue()
                    self.emptied += 1
