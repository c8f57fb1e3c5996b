"""Starting a program so that it can't outlive us, and stopping it with all that it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `last_signal` is what the kernel sends it when we die without a word. `nice`: how far it stands back
    where others want the processor."""

    command: Sequence[str]
    env: Mapping[str, str] | None = None
    uid: int | None = None
    gid: int | None = None
    last_signal: signal.Signals = signal.SIGTERM
    nice: int = 0


def tie_to_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent is gone (Linux; elsewhere nothing happens)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def start(
    program: Program, *, stdout: int | IO[bytes] | None = None, stderr: int | IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own.

    Call it from a thread that lives as long as the child may: Linux ties the death signal to the thread.
    """
    parent = os.getpid()

    def tie() -> None:
        tie_to_parent(program.last_signal)
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)
        if program.nice:
            os.nice(program.nice)

    return subprocess.Popen(
        list(program.command),
        env=None if program.env is None else dict(program.env),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        user=program.uid,
        group=program.gid,
        extra_groups=None if program.uid is None else [],
        cwd=None if program.uid is None else "/",
        process_group=0,
        preexec_fn=tie,
    )


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a child and all that it started; silent when nothing of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def stop(process: subprocess.Popen[bytes], *, number: signal.Signals = signal.SIGTERM, patience: float = 7.0) -> int:
    """Ask a child to stop, wait up to `patience` seconds, then end its whole group. Returns its exit code."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    signal_group(process, signal.SIGKILL)
    return process.wait()


def is_alive(pid: int) -> bool:
    """Is there a process of this number (a zombie counts as dead)?"""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return sys.platform != "linux"


def wait_until_gone(pid: int, *, patience: float) -> bool:
    """Wait for somebody else's process to end; True when it did."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return not is_alive(pid)
