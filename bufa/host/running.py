"""Who holds a data folder, and what other commands need to know of it.

`bufa up` holds a lock on `up.lock` for as long as it lives (the kernel lets go of it even after kill -9) and writes
`running.json`. Another command joins a running one, or serves the database itself for as long as it takes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bufa.host.postgres import Postgres, provision_given
from bufa.host.trouble import Trouble

HALF_RESTORED = "restoring"  # a file that is there while a restore runs, and after one that was cut short
FORMAT = 1  # of the data folder as a whole; raise it when an older Bufa could no longer use the folder


@contextlib.contextmanager
def hold(data: Path) -> Iterator[None]:
    """Be the only Bufa on a data folder. Raises Trouble when another one is, or when a newer one made it."""
    data.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    try:
        file = (data / "up.lock").open("a+")
    except OSError as error:
        raise Trouble(f"The data folder {data} can't be written: {error.strerror}.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"Bufa already runs on the data folder {data}. Stop it, or choose another --data.") from None
        _check_format(data)
        if (data / HALF_RESTORED).exists():
            raise Trouble(
                f"A restore into {data} did not come to its end: what it holds could send things twice. Remove the "
                "folder (and its database) and run `bufa restore` again."
            )
        yield


def is_held(data: Path) -> bool:
    """Does some process hold this data folder right now?"""
    try:
        with (data / "up.lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def write_down(data: Path, facts: dict[str, Any]) -> None:
    """Tell other commands; readable by the owner only, because the simulator's keys are in it."""
    draft = data / "running.json.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(facts, file, ensure_ascii=False, indent=1)
    draft.rename(data / "running.json")


def read_facts(data: Path) -> dict[str, Any]:
    """What a running `bufa up` wrote down; empty when none runs."""
    if not is_held(data):
        return {}
    try:
        facts: dict[str, Any] = json.loads((data / "running.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return facts


@contextlib.contextmanager
def joined(data: Path) -> Iterator[None]:
    """Give this process's environment a database: the given one, a running one, or one for this block alone."""
    os.environ["BUFA_DATA"] = str(data)
    if os.environ.get("BUFA_PG_SOCKET"):  # a child of `bufa up`
        yield
        return
    facts = read_facts(data)
    for name, fact in (("BUFA_CLOCK_URL", "clock"), ("BUFA_SIMULATOR", "simulator"), ("BUFA_ADDRESS", "address")):
        if facts.get(fact):
            os.environ.setdefault(name, facts[fact])
    if os.environ.get("DATABASE_URL"):
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        provision_given(os.environ["DATABASE_URL"])
        yield
    elif facts.get("socket"):
        os.environ["BUFA_PG_SOCKET"] = facts["socket"]
        yield
    else:
        with hold(data), Postgres(data).running() as server:
            server.provision()
            os.environ["BUFA_PG_SOCKET"] = server.socket
            yield


def _check_format(data: Path) -> None:
    path = data / "format"
    try:
        found = int(path.read_text())
    except FileNotFoundError:
        path.write_text(f"{FORMAT}\n")
        return
    except ValueError:
        raise Trouble(f"{path} should hold a number; this is no data folder of Bufa's.") from None
    if found > FORMAT:
        raise Trouble(
            f"The data folder {data} was made by a newer Bufa (format {found}; this one knows {FORMAT}). "
            "Update Bufa, or choose another --data."
        )
