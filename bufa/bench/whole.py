"""The whole of Bufa for a benchmark: `bufa up` on a folder of its own, with web server, worker, sweeper and database.

`python -m bufa.bench.whole PORT FOLDER` is that `bufa up`, which restarts at once what dies; a person's waits for a
second or more before it tries again, and a benchmark that kills would mostly measure that wait.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bufa.host import processes
from bufa.host.running import read_facts
from bufa.host.trouble import Trouble

PATIENCE_S = 180.0
_SIGNS = {"web": "granian", "worker": "procrastinate", "sweeper": "watch"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A running Bufa. `socket` is the folder of its database's socket."""

    pid: int
    port: int
    socket: str

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_until_it_answers(self, patience_s: float = PATIENCE_S) -> None:
        until = time.monotonic() + patience_s
        while not self.answers():
            if time.monotonic() > until:
                raise Trouble(f"Bufa did not answer on port {self.port} within {patience_s:.0f} s.")
            time.sleep(0.1)

    def pids(self, kind: str) -> list[int]:
        """Its processes of a kind (web, worker, sweeper, postgres), parents first."""
        parents, commands = _processes()
        ours = [pid for pid in sorted(commands) if self.pid in _above(pid, parents)]
        if kind == "postgres":
            return [pid for pid in ours if commands[pid].startswith("postgres:") or "\0-D\0" in commands[pid]]
        return [pid for pid in ours if f"\0{_SIGNS[kind]}\0" in commands[pid]]

    def kill(self, kind: str) -> int:
        """SIGKILL all its processes of that kind at once; returns how many there were."""
        pids = self.pids(kind)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def cpu_s(self) -> dict[str, float]:
        """Seconds of processor that its processes have used so far, by kind; those that ended are not counted."""
        return {kind: sum(map(_cpu_s, self.pids(kind))) for kind in (*_SIGNS, "postgres")}

    def resident_mb(self, kind: str) -> float:
        """Memory that processes of a kind hold now, together."""
        return sum(resident_mb(pid) for pid in self.pids(kind))


def resident_mb(pid: int) -> float:
    """Memory that a process holds now, in MB; 0.0 where the system does not tell or it is gone."""
    with suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2
    return 0.0


def _cpu_s(pid: int) -> float:
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


@contextmanager
def running(data: Path) -> Iterator[Whole]:
    """Start it, wait until it answers, and stop it in the end. Raises Trouble when it doesn't start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DATABASE_"))}
    with (data.parent / "up.log").open("wb") as log:
        program = processes.Program(
            [sys.executable, "-m", "bufa.bench.whole", str(port), str(data)],
            env=env | {"BUFA_LOG": "error"},
            last_signal=signal.SIGTERM,
        )
        process = processes.start(program, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _wait(process, port, data)
        finally:
            processes.stop(process, patience=20)


def _wait(process: subprocess.Popen[bytes], port: int, data: Path) -> Whole:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Trouble(f"bufa up ended with code {process.returncode}; see {data.parent / 'up.log'}.")
        if folder := read_facts(data).get("socket"):
            whole = Whole(process.pid, port, folder)
            if whole.answers() and whole.pids("worker"):
                return whole
        time.sleep(0.1)
    raise Trouble(f"bufa up was not ready within {PATIENCE_S:.0f} s; see {data.parent / 'up.log'}.")


def _processes() -> tuple[dict[int, int], dict[int, str]]:
    """(pid → parent, pid → command line with zero bytes between its words)."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if fields[0] not in "ZX":
                parents[int(path.name)] = int(fields[1])
                commands[int(path.name)] = (path / "cmdline").read_bytes().decode(errors="replace")
    return parents, commands


def _above(pid: int, parents: dict[int, int]) -> set[int]:
    above: set[int] = set()
    while pid in parents and pid not in above:
        above.add(pid)
        pid = parents[pid]
    return above


def _main(port: str, data: str) -> None:
    from bufa.host import supervisor, up  # only here, where it becomes `bufa up`

    supervisor.LONGEST_PAUSE_S = supervisor.FIRST_PAUSE_S
    up.up(up.Wishes(Path(data), "127.0.0.1", int(port)))


if __name__ == "__main__":
    _main(*sys.argv[1:3])
