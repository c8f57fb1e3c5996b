"""A database that all migrations have gone through, made once a run and given out as a copy of its files.

Seventy migrations are six seconds of a core, and two dozen tests begin with a database of their own. How the first
start makes one is looked at where that is the matter (tests/host/test_up.py).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bufa.host.places import find_places
from bufa.host.postgres import THROWAWAY, Postgres

ROOT = Path(__file__).resolve().parents[2]


def give(data: Path) -> None:
    """Put a migrated cluster into a data folder that has none; outside of a run of tests nothing happens."""
    run = os.environ.get("BUFA_TEST_DATA")
    places = find_places(data)
    if run is None or places.cluster.exists():
        return
    draft = places.home / "cluster.copy"
    subprocess.run(["cp", "-a", str(_template(Path(run)).places.cluster), str(draft)], check=True)
    draft.rename(places.cluster)


def clear() -> None:
    """What lies outside of the run's own folder goes, too."""
    run = Path(os.environ["BUFA_TEST_DATA"])
    if (run / "template").exists():
        home = find_places(run / "template").home
        if not home.is_relative_to(run):
            shutil.rmtree(home, ignore_errors=True)


def _template(run: Path) -> Postgres:
    """Made by the first process that wants it, while the others wait."""
    data = run / "template"
    server = Postgres(data, settings=THROWAWAY)
    with (run / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (data / "whole").exists():
            with server.running():
                server.provision()
                _migrate(server, data)
            (data / "whole").touch()
    return server


def _migrate(server: Postgres, data: Path) -> None:
    """In a process of its own, with the product's settings: whoever asks may have no Django yet."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "DATABASE_"))}
    env |= {"BUFA_DATA": str(data), "BUFA_PG_SOCKET": server.socket, "BUFA_DB_AS": "owner"}
    command = [sys.executable, "-m", "bufa", "manage", "migrate", "--verbosity", "0", "--no-input"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
