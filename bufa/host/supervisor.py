"""One process tree: start children in order, restart what dies, stop everything within ten seconds.

Children wait for milestones, which are plain strings: "NAME ready" (its check says yes), "NAME done" (a one-shot
ended well), "NAME: TEXT" (it printed the line TEXT that it announces).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import FrameType
from typing import IO

from bufa.host import processes
from bufa.host.trouble import Trouble

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
PATIENCE_S = 6.0  # for all children together; the database, which stops last, gets the rest of the ten seconds
LAST_PATIENCE_S = 2.5


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep alive. `program` is called at each start, so it may use what earlier children said."""

    name: str
    program: Callable[[], processes.Program]
    after: frozenset[str] = frozenset()
    once: bool = False  # runs to its end; failing stops everything
    may_end: bool = False  # an exit code of 0 is no death
    is_ready: Callable[[], bool] | None = None
    when_ready: Callable[[], None] | None = None
    announces: str | None = None
    on_line: Callable[[str], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    last_to_stop: bool = False


@dataclass(slots=True)
class _Life:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    ready: bool = False
    ended: bool = False
    unread: bytes = b""
    last_lines: list[str] = field(default_factory=list)


class Supervisor:
    """Runs in the main thread; `run` returns when it was told to stop, or raises Trouble when a one-shot failed."""

    def __init__(
        self, children: list[Child], *, say: Callable[[str], None] | None = None, now: Callable[[], float] | None = None
    ) -> None:
        self._lives = [_Life(child) for child in children]
        self._say = say or to_stderr
        self._now = now or time.monotonic
        self._milestones: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._impatient = False

    def run(self) -> None:
        """Start all, watch all, and stop all on SIGINT, SIGTERM or SIGHUP (a second one ends it at once)."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._selector.register(ours, selectors.EVENT_READ)
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._told_to_stop) for number in signals}
        wakeup = signal.set_wakeup_fd(theirs.fileno())
        try:
            while not self._stopping:
                self._start_due()
                self._listen(0.1)
                with contextlib.suppress(BlockingIOError):
                    ours.recv(64)
                self._reap()
                self._check_ready()
        finally:
            try:
                self._stop_all()
            finally:
                signal.set_wakeup_fd(wakeup)
                for number, handler in before.items():
                    signal.signal(number, handler)
                self._selector.close()
                ours.close()
                theirs.close()

    def stop(self) -> None:
        """Make `run` end; for children's callbacks."""
        self._stopping = True

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._impatient = self._stopping
        self._stopping = True

    # --- starting -------------------------------------------------------------------------------------------------
    def _start_due(self) -> None:
        for life in self._lives:
            waits = life.process is None and not life.ended
            if waits and life.child.after <= self._milestones and self._now() >= life.start_at:
                self._start(life)

    def _start(self, life: _Life) -> None:
        process = processes.start(life.child.program(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, life)
        life.process, life.started_at, life.ready = process, self._now(), False
        life.unread, life.last_lines = b"", []

    # --- listening ------------------------------------------------------------------------------------------------
    def _listen(self, patience: float) -> None:
        for key, _ in self._selector.select(patience):
            if isinstance(key.data, _Life):
                self._read(key.data)

    def _read(self, life: _Life) -> None:
        pipe = life.process.stdout if life.process else None
        if pipe is None or pipe.closed:
            return
        data = _available(pipe)
        life.unread += data
        *lines, life.unread = life.unread.split(b"\n")
        if len(life.unread) > 65536:
            lines, life.unread = [*lines, life.unread], b""
        for line in lines:
            self._heard(life, line.decode(errors="replace").rstrip("\r"))

    def _heard(self, life: _Life, line: str) -> None:
        child = life.child
        life.last_lines = [*life.last_lines[-4:], line]
        if child.announces is not None and line.strip() == child.announces:
            self._reach(f"{child.name}: {child.announces}")
        elif child.on_line is not None:
            child.on_line(line)
        else:
            self._say(f"{child.name:<9} {line}")

    def _reach(self, milestone: str) -> None:
        self._milestones.add(milestone)

    # --- watching -------------------------------------------------------------------------------------------------
    def _check_ready(self) -> None:
        for life in self._lives:
            if life.process is None or life.ready or life.child.is_ready is None:
                continue
            if life.child.is_ready():
                life.ready = True
                if life.child.when_ready is not None:
                    life.child.when_ready()
                self._reach(f"{life.child.name} ready")

    def _reap(self) -> None:
        for life in self._lives:
            if life.process is not None and life.process.poll() is not None:
                self._ended(life, life.process.returncode)

    def _ended(self, life: _Life, code: int) -> None:
        child = life.child
        self._forget(life)
        if code == 0 and (child.once or child.may_end):
            life.ended = True
            self._reach(f"{child.name} done")
            return
        if child.once:
            why = next((line for line in reversed(life.last_lines) if line.strip()), f"exit code {code}")
            raise Trouble(f"{child.name} failed: {why}")
        if self._now() - life.started_at >= STEADY_AFTER_S:
            life.pause_s = FIRST_PAUSE_S
        life.start_at = self._now() + life.pause_s
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._say(f"{child.name:<9} ended ({how}); starting it again in {life.pause_s:.0f} s")
        life.pause_s = min(life.pause_s * 2, LONGEST_PAUSE_S)

    def _forget(self, life: _Life) -> None:
        """Read what is left, end what it left behind, and let go of it."""
        process = life.process
        if process is None:
            return
        processes.signal_group(process, signal.SIGKILL)
        if process.stdout is not None:
            self._read(life)
            if life.unread:
                self._heard(life, life.unread.decode(errors="replace"))
            self._selector.unregister(process.stdout)
            process.stdout.close()
        life.process, life.unread = None, b""

    # --- stopping -------------------------------------------------------------------------------------------------
    def _stop_all(self) -> None:
        self._stopping = True
        for last, patience in ((False, PATIENCE_S), (True, LAST_PATIENCE_S)):
            batch = [life for life in self._lives if life.process and life.child.last_to_stop is last]
            for life in batch:
                if life.process is not None:
                    with contextlib.suppress(ProcessLookupError):
                        life.process.send_signal(life.child.stop_signal)
            self._await_end(batch, patience)

    def _await_end(self, batch: list[_Life], patience: float) -> None:
        until = self._now() + patience
        while any(life.process and life.process.poll() is None for life in batch):
            if self._now() > until or self._impatient:
                break
            self._listen(0.05)
        for life in batch:
            if life.process is None:
                continue
            if life.process.poll() is None:
                self._say(f"{life.child.name:<9} does not stop; ended")
                processes.signal_group(life.process, signal.SIGKILL)
                life.process.wait()
            self._forget(life)


def _available(pipe: IO[bytes]) -> bytes:
    chunks = []
    while True:
        try:
            chunk = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


def to_stderr(line: str) -> None:
    """One line of the log of the process tree, with the local time."""
    with contextlib.suppress(BrokenPipeError):
        print(f"{datetime.now().astimezone():%H:%M:%S} {line}", file=sys.stderr, flush=True)
