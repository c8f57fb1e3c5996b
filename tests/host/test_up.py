"""`bufa up` from outside: what it refuses before it starts, and a whole life on a fresh data folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bufa.host import processes, up
from bufa.host.places import find_places
from bufa.host.running import hold

ENV = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "DATABASE_"))}


@pytest.fixture
def folder() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="bufa-up-"))
    base.chmod(0o711)
    yield base / "data"
    if (base / "data").exists():
        home = find_places(base / "data").home
        if not home.is_relative_to(base):
            shutil.rmtree(home)
    shutil.rmtree(base)


def bufa(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bufa", *arguments], env=ENV, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_is_said_before_anything_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = bufa("up", "--data", str(folder), "--port", str(port))
    assert code == 1
    assert said.startswith(f"bufa: Port {port} is taken")
    assert not folder.exists()


def test_a_second_bufa_on_the_same_folder_is_refused(folder: Path) -> None:
    with hold(folder):
        code, said = bufa("up", "--data", str(folder), "--port", str(free_port()))
    assert code == 1
    assert said == f"bufa: Bufa already runs on the data folder {folder}. Stop it, or choose another --data."


def test_a_data_folder_of_a_newer_bufa_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "format").write_text("2\n")
    code, said = bufa("up", "--data", str(folder), "--port", str(free_port()))
    assert code == 1
    assert "was made by a newer Bufa (format 2; this one knows 1)" in said
    assert "Traceback" not in said


def test_a_database_url_that_does_not_answer_is_said(folder: Path) -> None:
    url = "postgresql://bufa@127.0.0.1:9/bufa"
    done = subprocess.run(
        [sys.executable, "-m", "bufa", "up", "--data", str(folder), "--port", str(free_port())],
        env=ENV | {"DATABASE_URL": url}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("bufa: DATABASE_URL does not answer: ")
    assert "Traceback" not in done.stderr


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found |= {child} | descendants(child)
    return found


def started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bufa", "up", "--data", str(folder), "--port", str(port)],
        env=ENV, stdout=subprocess.DEVNULL, stderr=(folder.parent / "log").open("ab"),
    )  # fmt: skip
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=5).close()
            return process
        except urllib.error.HTTPError as error:
            error.close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                pytest.fail((folder.parent / "log").read_text())
            time.sleep(0.05)


@pytest.mark.slow
def test_a_whole_life_and_nothing_left_of_it(folder: Path) -> None:
    port = free_port()
    process = started(folder, port)
    tree = descendants(process.pid)
    facts = json.loads((folder / "running.json").read_text())
    assert facts["address"] == f"http://127.0.0.1:{port}"
    assert stat.S_IMODE((folder / "running.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    code, said = bufa("import", "orders", __file__, "--shop", "没有的店", "--data", str(folder))
    assert (code, said.strip()) == (1, "bufa: There is no shop 没有的店.")
    code, _ = bufa("doctor", "--data", str(folder))
    assert code == 0
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert time.monotonic() - begun < 10
    assert [pid for pid in tree if processes.is_alive(pid)] == []
    assert not (folder / "running.json").exists()


@pytest.mark.slow
def test_after_kill_9_of_the_parent_nothing_stays_and_the_next_start_works(folder: Path) -> None:
    port = free_port()
    process = started(folder, port)
    tree = descendants(process.pid)
    assert len(tree) >= 4
    process.kill()
    process.wait()
    assert all(processes.wait_until_gone(pid, patience=10) for pid in tree)
    again = started(folder, port)
    again.send_signal(signal.SIGINT)
    assert again.wait(15) == 0


def test_the_number_of_workers_is_sensible_and_each_has_a_name(folder: Path) -> None:
    assert bufa("up", "--workers", "0", "--data", str(folder)) == (1, "bufa: --workers is a number from 1 to 32.")
    assert not folder.exists()
    assert (up._workers(1), up._workers(3)) == (["worker"], ["worker1", "worker2", "worker3"])
