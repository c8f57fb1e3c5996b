"""Processes that die at the N-th write, in one of two ways: strace counts every write to a socket, or our own kill
points count commits, requests and statements."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WRITES = "sendto,sendmsg,write,writev"
LONG = bool(os.environ.get("BUFA_TEST_CRASH_ALL"))


class Victims:
    """The parent of all victims of a test; see victim.py."""

    def __init__(self, clock_url: str) -> None:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bufa.config.settings",
            "BUFA_DATA": os.environ["BUFA_TEST_DATA"],
            "BUFA_CLOCK_URL": clock_url,
            "BUFA_LOG": "error",
        }
        self._said: list[str] = []
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.victim"],
            env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()
        self._answer()

    def __enter__(self) -> Victims:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.killpg(self._parent.pid, signal.SIGKILL)  # stopped children, too
        self._parent.wait()
        self._hearing.join(5)
        for pipe in (self._parent.stdin, self._parent.stdout, self._parent.stderr):
            if pipe is not None:
                pipe.close()

    def start(self, act: str, **given: Any) -> int:
        """Let a child begin; its pid."""
        return int(self._ask({"do": "start", "act": act, **given})["pid"])

    def wait(self, pid: int) -> int:
        """How it ended: 0, an exit code, or minus the signal that killed it."""
        return int(self._ask({"do": "wait", "pid": pid})["code"])

    def killed_at(self, n: int, act: str, *, by_strace: bool, **given: Any) -> bool:
        """Whether the act died at its n-th write; False: it came to its end before. Any other end is a mistake."""
        self._said.clear()
        if by_strace:
            pid = self.start(act, held=True, **given)
            assert until_stopped(pid), f"{act} ended before anybody looked: {self.said}"
            with Traced(pid, n):
                code = self.wait(pid)
        else:
            code = self.wait(self.start(act, at=n, **given))
        assert code in (0, -signal.SIGKILL), f"{act} ended with {code}: {self.said}"
        return code != 0

    @property
    def said(self) -> str:
        """What the children wrote to standard error since the last kill."""
        return "".join(self._said).strip()

    def _ask(self, wish: dict[str, Any]) -> dict[str, Any]:
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(wish) + "\n")
        self._parent.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline()
        assert line, f"the parent of the victims is gone: {self.said}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _hear(self) -> None:
        assert self._parent.stderr is not None
        for line in self._parent.stderr:
            self._said.append(line)


def until_stopped(pid: int, patience: float = 120.0) -> bool:
    """Wait until a process has stopped; False where it came to its end without."""
    until = time.monotonic() + patience
    while (state := Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != "T":
        if state == "Z":
            return False
        assert time.monotonic() < until, f"process {pid} did not stop"
        time.sleep(0.005)
    return True


class Traced:
    """strace on a held process, letting it go on; it is killed as it enters its n-th write (of a thread)."""

    def __init__(self, pid: int, n: int) -> None:
        self._tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(pid), "-e", f"trace={WRITES}", "-e", f"inject={WRITES}:signal=SIGKILL:when={n}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._tracer.stderr is not None
        first = self._tracer.stderr.readline()
        assert "attached" in first, first
        os.kill(pid, signal.SIGCONT)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._tracer.communicate(timeout=30)


def recover(shop_id: int, effect_id: int) -> None:
    """What the sweep does once the lease is over: rescue, send what never left, read the unknown back."""
    from bufa.apps.effects import actions as effects  # needs the settings, which victims' parents load later
    from bufa.jobs import effects as jobs

    jobs.rescue([shop_id], real=effects.real_now() + timedelta(seconds=31))
    jobs.carry_out(shop_id, [effect_id])
    for _ in range(3):
        jobs.settle_unknown(shop_id, [effect_id])


@cache
def strace_works() -> bool:
    """Whether this machine has strace and lets it kill a child of ours."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(
        ["strace", "-e", "trace=write", "-e", "inject=write:signal=SIGKILL:when=1", "echo", "alive"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return re.search(r"\balive\b", done.stdout) is None and "SIGKILL" in done.stderr
