"""Benchmarks on the production path: real actions, a real PostgreSQL as the application's role, throwaway data."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bufa.host.postgres import Postgres
from bufa.host.trouble import Trouble

NAMES = ("ingest", "gate", "reading", "lanes")
"""In the order in which `bufa bench all` runs them; each is a module here with `measure() -> Figure`."""

WITHOUT_DATABASE = frozenset({"reading", "lanes"})


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


def run(name: str) -> dict[str, Any]:
    """Measure one by name: `{name, figure, unit, goal, ok, beside, machine}`. Raises Trouble for an unknown name.

    Leaves nothing behind, and never touches the data folder that is in use.
    """
    if name not in NAMES:
        raise Trouble(f"There is no benchmark {name}; there are: {', '.join(NAMES)}, all.")
    figure = _measure(name)() if name in WITHOUT_DATABASE else _with_database(name)
    return {
        "name": name,
        "figure": round(figure.figure, 2),
        "unit": figure.unit,
        "goal": figure.goal,
        "ok": figure.ok,
        "beside": dict(figure.beside),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }


def _measure(name: str) -> Callable[[], Figure]:
    measure: Callable[[], Figure] = importlib.import_module(f"bufa.bench.{name}").measure
    return measure


def _with_database(name: str) -> Figure:
    base = Path(tempfile.mkdtemp(prefix="bufa-bench-"))
    base.chmod(0o711)  # the database's own user passes through it
    server = Postgres(base / "data")
    try:
        with server.running():
            server.provision()
            return _on(server, base / "data", name)
    finally:
        shutil.rmtree(base, ignore_errors=True)
        shutil.rmtree(server.places.home, ignore_errors=True)


def _on(server: Postgres, data: Path, name: str) -> Figure:
    os.environ |= {"BUFA_DATA": str(data), "BUFA_PG_SOCKET": server.socket, "BUFA_DB_AS": "owner", "BUFA_LOG": "error"}
    os.environ.pop("DATABASE_URL", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "bufa.config.settings"
    import django  # the environment must be filled before the settings are read

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0, interactive=False)
    connections["default"].close()
    connections["default"].settings_dict["USER"] = "bufa_app"
    try:
        return _measure(name)()
    finally:
        connections.close_all()
