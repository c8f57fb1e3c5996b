"""Benchmarks on the production path: real actions, a real PostgreSQL as the application's role, throwaway data.

A benchmark of your own: write `bufa/bench/<name>.py` with `measure() -> Figure` and add one line to `BENCHES`. That is
all: `bufa bench <name>`, `bufa bench all` and `make bench` take it up from there.

- One number is the figure, with the goal it is held against; everything else that was measured stands in `beside`.
- With `sized=True` the signature is `measure(scale: float)`: 1.0 is the size that the goal speaks of, tests run a
  hundredth of it. Give nothing but sizes to the scale; the path stays the same.
- With `whole=True` a whole `bufa up` runs beside, web server, worker and sweeper included; `running()` tells of it.
- With `database=True` an embedded PostgreSQL of its own runs, migrated and connected as the application's role, with
  the settings that `bufa up` gives it. `superuser()` is for preparing rows and for what is measured *beside* only.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg

from bufa.bench.whole import Whole
from bufa.bench.whole import running as running_whole
from bufa.host.places import MAJOR
from bufa.host.postgres import Postgres
from bufa.host.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Bench:
    """What one benchmark needs. `goal`: the promise in words, for the table. `usual`: the share of the full size that
    `bufa bench` takes unless it is told another, so that all of them together end in minutes. `keeps`: its rows can be
    kept for the next run (`--rows`)."""

    goal: str
    database: bool = True
    sized: bool = False
    whole: bool = False
    usual: float = 1.0
    keeps: bool = False


BENCHES: Mapping[str, Bench] = {
    "ingest": Bench("scans a second, from a provider's JSON to committed state, finding and next deadline", sized=True),
    "push": Bench("pushes of ten scans a second accepted and durable, by the web server", sized=True, whole=True),
    "killed": Bench(
        "pushes thanked for and lost while web, worker and database are killed", sized=True, whole=True, usual=0.6
    ),
    "freshness": Bench(
        "seconds from a scan pushed to its warning visible, at 2,000 scans a second", sized=True, whole=True, usual=0.5
    ),
    "memory": Bench("megabytes that a worker holds over 5 million scans", sized=True, usual=0.05),
    "sweep": Bench(
        "times as long to take 1,000 due parcels with 5 million watched as with 10,000", sized=True, usual=0.1
    ),
    "incidents": Bench("times as long a finding to group 100,000 of them into incidents as 10,000", sized=True),
    "pages": Bench(
        "milliseconds for 95 % of the slowest pages, 20 people on a million cases", sized=True, usual=0.02, keeps=True
    ),
    "gate": Bench("seconds to check a sheet of 1,000 reissue numbers, database included", sized=True),
    "reading": Bench("share of real histories whose last scan reads right by text alone", database=False),
    "lanes": Bench("90 % arrival times that hold on parcels not learned from", database=False),
}
"""In the order in which `bufa bench all` runs them."""

NAMES = tuple(BENCHES)

KEPT = "world.json"
"""What a benchmark whose rows can be kept writes into its data folder when they are whole."""

_server: Postgres | None = None
_whole: Whole | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `goal` is the least (or, with `less_is_better`, the most) that passes."""

    figure: float
    unit: str
    goal: float
    less_is_better: bool = False
    beside: Mapping[str, Any] = field(default_factory=dict)
    holds: bool = True
    """Whether everything beside the figure that must hold does."""

    @property
    def ok(self) -> bool:
        passes = self.figure <= self.goal if self.less_is_better else self.figure >= self.goal
        return passes and self.holds


def run(name: str, scale: float | None = None, data: Path | None = None) -> dict[str, Any]:
    """Measure one by name, at its usual size unless told another: `{name, figure, unit, goal, ok, beside, machine}`.
    Raises Trouble for an unknown name.

    Leaves nothing behind, and never touches the data folder that is in use. `data`: a folder of its own that is kept,
    so that a benchmark that can use rows again (`keeps`) needs not make them each time.
    """
    if name not in BENCHES:
        raise Trouble(f"There is no benchmark {name}; there are: {', '.join(BENCHES)}, all.")
    bench = BENCHES[name]
    if data is not None and not bench.keeps:
        raise Trouble(f"The benchmark {name} keeps no rows from one run to the next: leave --rows out.")
    size = bench.usual if scale is None else scale
    begun = time.monotonic()
    if bench.whole:
        figure = _with_everything(name, size)
    else:
        figure = _with_database(name, size, data) if bench.database else _measure(name, size)
    return {
        "name": name,
        "figure": round(figure.figure, 3 if figure.figure < 10 else 1),
        "unit": figure.unit,
        "goal": figure.goal,
        "less_is_better": figure.less_is_better,
        "ok": figure.ok,
        "scale": size if bench.sized else 1.0,
        "took_s": round(time.monotonic() - begun, 1),
        "beside": dict(figure.beside),
        "machine": machine(),
        "versions": versions(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
    }


def machine() -> dict[str, Any]:
    """What it ran on; the load of others at the start and the end tells how much to believe it."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3, 1),
        "processor": _processor(),
        "load": [round(each, 1) for each in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Of what the figures hang on most."""
    found = {name: metadata.version(name) for name in ("bufa", "Django", "psycopg", "granian", "procrastinate")}
    return {"postgresql": str(MAJOR), **found}


def commit() -> str:
    """The commit that ran, with "+" where files of it were changed; "" outside of a repository."""
    git = shutil.which("git")
    root = Path(__file__).resolve().parents[2]
    if git is None or not (root / ".git").exists():
        return ""
    said = subprocess.run(
        [git, "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*", "--abbrev=10"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout.strip()


def superuser(dbname: str = "bufa") -> psycopg.Connection[tuple[Any, ...]]:
    """The embedded server's superuser, whom policies do not bind: to prepare rows, and for `COPY` beside."""
    if _server is None:
        raise RuntimeError("only inside of a benchmark with a database")
    return psycopg.connect(_server.conninfo(dbname=dbname), autocommit=True)


def server() -> Postgres:
    """The server that the benchmark runs against."""
    if _server is None:
        raise RuntimeError("only inside of a benchmark with a database")
    return _server


def running() -> Whole:
    """The Bufa that the benchmark runs against."""
    if _whole is None:
        raise RuntimeError("only inside of a benchmark of the whole")
    return _whole


def server_cpu_s() -> float:
    """Seconds of processor that the embedded server and its backends have used; 0.0 where the system does not tell.

    The machine may be shared: processor time says what the work costs, the wall says what came of it today.
    """
    main = (server().places.cluster / "postmaster.pid").read_text().split("\n", 1)[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        if main in (stat.parent.name, fields[1]):
            ticks += sum(int(each) for each in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _measure(name: str, scale: float) -> Figure:
    measure: Callable[..., Figure] = importlib.import_module(f"bufa.bench.{name}").measure
    return measure(scale) if BENCHES[name].sized else measure()


def _with_database(name: str, scale: float, kept: Path | None = None) -> Figure:
    global _server
    base = kept.absolute() if kept else Path(tempfile.mkdtemp(prefix="bufa-bench-"))
    base.mkdir(parents=True, exist_ok=True)
    if kept and any(base.iterdir()) and not (base / "data" / KEPT).exists():
        raise Trouble(f"{base} holds no rows that a benchmark finished making: remove it, or name another folder.")
    base.chmod(0o711)  # the database's own user passes through it
    _server = Postgres(base / "data")
    try:
        with _server.running():
            _server.provision()
            return _on(_server, base / "data", name, scale)
    finally:
        if kept is None:
            _clear_away(base)


def _with_everything(name: str, scale: float) -> Figure:
    global _server, _whole
    base = Path(tempfile.mkdtemp(prefix="bufa-bench-"))
    base.chmod(0o711)
    data = base / "data"
    try:
        with running_whole(data) as _whole:
            _server = Postgres(data)
            _here(data, _whole.socket, "app")
            return _measure(name, scale)
    finally:
        _whole = None
        _clear_away(base)


def _here(data: Path, socket: str, role: str) -> None:
    os.environ |= {"BUFA_DATA": str(data), "BUFA_PG_SOCKET": socket, "BUFA_DB_AS": role, "BUFA_LOG": "error"}
    os.environ.pop("DATABASE_URL", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "bufa.config.settings"
    import django  # the environment must be filled before the settings are read

    django.setup()


def _clear_away(base: Path) -> None:
    global _server
    shutil.rmtree(base, ignore_errors=True)
    if _server is not None:
        shutil.rmtree(_server.places.home, ignore_errors=True)
    _server = None


def _on(server: Postgres, data: Path, name: str, scale: float) -> Figure:
    _here(data, server.socket, "owner")
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0, interactive=False)
    connections["default"].close()
    connections["default"].settings_dict["USER"] = "bufa_app"
    os.environ["BUFA_DB_AS"] = "app"  # for programs that a benchmark starts
    try:
        return _measure(name, scale)
    finally:
        connections.close_all()
