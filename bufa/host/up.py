"""`bufa up`: which children there are, in which order, and what a person is told."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bufa.host.postgres import Postgres, provision_given
from bufa.host.processes import Program
from bufa.host.running import hold, write_down
from bufa.host.supervisor import Child, Supervisor, to_stderr
from bufa.host.trouble import Trouble

HISTORY_DONE = "history done"
HISTORY_DAYS = 21.0
ORDERS_PER_DAY = 24
STANDS_BACK = 10  # people who look at a page, and those who push, go before what can wait a moment
WEB_THREADS = int(os.environ.get("BUFA_WEB_THREADS") or 16) + int(os.environ.get("BUFA_LIVE_STREAMS") or 48)
"""Pages made at once, and one thread for each stream of events; threads that have nothing to do end by themselves."""
WORKER = ("manage", "procrastinate", "worker", "--concurrency=4", "--shutdown-graceful-timeout=4")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8800
    demo: bool = False
    workers: int = 1


def web_arguments(host: str, port: int) -> list[str]:
    """What Python is given to serve the desk."""
    return [
        "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", str(WEB_THREADS), "--no-ws", "--workers-kill-timeout", "4",
        "--log-level", "error", "bufa.config.wsgi:application",
    ]  # fmt: skip


class Up:
    """Facts that children learn from each other while they start."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        shown = "127.0.0.1" if wishes.host in {"0.0.0.0", "::"} else wishes.host  # noqa: S104 - compared, not bound
        self.address = f"http://{shown}:{wishes.port}"
        self.facts: dict[str, str] = {"pid": str(os.getpid()), "address": self.address}
        self.said: list[str] = []

    # --- what children get ----------------------------------------------------------------------------------------
    def env(self) -> dict[str, str]:
        env = dict(os.environ)
        env |= {
            "BUFA_DATA": str(self.wishes.data),
            "BUFA_ADDRESS": self.address,
            "DJANGO_SETTINGS_MODULE": "bufa.config.settings",
            "BUFA_TIED": "1",
            "PYTHONUNBUFFERED": "1",
        }
        for name, fact in (("BUFA_PG_SOCKET", "socket"), ("BUFA_CLOCK_URL", "clock"), ("BUFA_SIMULATOR", "simulator")):
            if fact in self.facts:
                env[name] = self.facts[fact]
        return env

    def python(
        self, *arguments: str, last_signal: signal.Signals = signal.SIGKILL, nice: int = 0
    ) -> Callable[[], Program]:
        """A Python child; by default it goes at once when we are gone: it has no children, and its work is in rows."""
        return lambda: Program([sys.executable, *arguments], env=self.env(), last_signal=last_signal, nice=nice)

    def learn(self, **facts: str) -> None:
        self.facts |= facts
        write_down(self.wishes.data, self.facts)

    # --- children -------------------------------------------------------------------------------------------------
    def children(self) -> list[Child]:
        url = os.environ.get("DATABASE_URL")
        database = [] if url else [self._postgres()]
        prepared_after = frozenset() if url else frozenset({"postgres ready"})
        if url:
            provision_given(url)
        live_after = frozenset({"web ready", f"demo: {HISTORY_DONE}"} if self.wishes.demo else {"web ready"})
        return [
            *database,
            Child("prepare", self.python("-m", "bufa.host.prepare"), after=prepared_after, once=True),
            *([self._simulator(), self._demo()] if self.wishes.demo else []),
            self._web(),
            *(
                Child(name, self.python("-m", "bufa", *WORKER, nice=STANDS_BACK), after=live_after)
                for name in _workers(self.wishes.workers)
            ),
            Child("sweeper", self.python("-m", "bufa", "watch", nice=STANDS_BACK), after=live_after),
        ]

    def _postgres(self) -> Child:
        server = Postgres(self.wishes.data)
        server.prepare()
        self.learn(socket=server.socket)

        def hear(line: str) -> None:
            # Its chatter about checkpoints, and our own knocking before it is ready, help nobody.
            if " LOG:  " not in line and "the database system is" not in line:
                to_stderr(f"postgres  {line}")

        return Child(
            "postgres",
            server.program,
            on_line=hear,
            is_ready=lambda: server.is_ready() and server.is_provisioned(),
            stop_signal=signal.SIGINT,
            last_to_stop=True,
        )

    def _web(self) -> Child:
        wishes = self.wishes
        arguments = web_arguments(wishes.host, wishes.port)
        after = {"prepare done"} | ({"simulator ready"} if wishes.demo else set())
        return Child(
            "web",
            self.python(*arguments, last_signal=signal.SIGTERM),
            after=frozenset(after),
            is_ready=lambda: _answers(wishes.host, wishes.port),
            when_ready=None if wishes.demo else self._welcome,
        )

    def _simulator(self) -> Child:
        world = self._world()

        def hear(line: str) -> None:
            if "simulator" in self.facts or not line.startswith("{"):
                to_stderr(f"simulator {line}")
                return
            try:
                clock = f"{json.loads(line)['control'].rstrip('/')}/clock"
            except (ValueError, TypeError, KeyError):
                raise Trouble(f"The simulator did not say where it is, but: {line[:200]}") from None
            self.learn(simulator=line, clock=clock)

        return Child(
            "simulator",
            self.python(
                "-m", "simulator", "--seed", "7", "--start", world["start"], "--port", world["port"],
                "--smtp-port", world["smtp_port"], "--imap-port", world["imap_port"],
                "--orders-per-day", str(ORDERS_PER_DAY),
                "--ledger", str(self.wishes.data / "simulator-ledger.jsonl"),
                "--journal", str(self.wishes.data / "simulator-journal.jsonl"),
            ),
            on_line=hear,
            is_ready=lambda: "simulator" in self.facts,
        )  # fmt: skip

    def _world(self) -> dict[str, str]:
        """Where and when the simulated world began: the same at each start, because the sample shop names its ports.

        It begins three weeks ago and stands still; the demo lets history run. At the next start the simulator lives
        its journal again, so the world goes on where it was stopped.
        """
        memory = self.wishes.data / "demo.json"
        world: dict[str, str] = {}
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            world = json.loads(memory.read_text())
        if not world:
            began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=_days())
            world = {"start": began.isoformat(), "port": "0", "smtp_port": "0"}
        for name in ("port", "smtp_port", "imap_port"):
            world[name] = str(_free_port(int(world.get(name, "0"))))
        memory.write_text(json.dumps(world))
        return world

    def _demo(self) -> Child:
        def hear(line: str) -> None:
            if line.startswith("{"):  # its log; what is for people goes to standard output
                to_stderr(f"demo      {line}")
            else:
                print(line, flush=True)

        return Child(
            "demo",
            self.python("-m", "bufa.demo"),
            after=frozenset({"web ready"}),
            may_end=True,
            announces=HISTORY_DONE,
            on_line=hear,
        )

    def _welcome(self) -> None:
        print(f"Bufa 补发  {self.address}", flush=True)
        print("No shop yet? In another terminal: bufa shop NAME --owner LOGIN", flush=True)


def up(wishes: Wishes) -> None:
    """Run until told to stop. Raises Trouble before anything is started, or when the start fails."""
    _check_port(wishes.host, wishes.port)
    with hold(wishes.data):
        ours = Up(wishes)
        try:
            ours.learn()
            Supervisor(ours.children()).run()
        finally:
            (wishes.data / "running.json").unlink(missing_ok=True)


def _workers(count: int) -> list[str]:
    return ["worker"] if count == 1 else [f"worker{n + 1}" for n in range(count)]


def _days() -> float:
    """How much history the sample shop gets: `BUFA_DEMO_DAYS`, 0 for none."""
    try:
        days = float(os.environ.get("BUFA_DEMO_DAYS") or HISTORY_DAYS)
    except ValueError:
        days = -1.0
    if not 0 <= days <= 90:
        raise Trouble("BUFA_DEMO_DAYS is a number of days from 0 to 90.")
    return days


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise Trouble(f"There is no address {host} to listen on.") from None
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except PermissionError:
            raise Trouble(f"Port {port} needs more rights than you have. Choose one above 1023: --port 8800.") from None
        except OSError as error:
            raise Trouble(f"Port {port} is taken ({error.strerror}). Choose another one: --port {port + 1}.") from None


def _free_port(wanted: int) -> int:
    if wanted:
        with contextlib.suppress(Trouble):
            _check_port("127.0.0.1", wanted)
            return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=2)  # noqa: S104
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
