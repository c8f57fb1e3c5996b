"""The embedded server: made, started, stopped, found again after a crash, and refused where it can't serve."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bufa.host import processes
from bufa.host.places import find_places
from bufa.host.postgres import APP_ROLE, OWNER_ROLE, THROWAWAY, Postgres, must_remember
from bufa.host.trouble import Trouble

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: as root the server's own user must be able to pass through, and pytest's folders are 700.
    base = Path(tempfile.mkdtemp(prefix="bufa-pg-"))
    base.chmod(0o711)
    data = base / "data"
    yield data
    if data.exists():
        home = find_places(data).home
        if not home.is_relative_to(base):
            shutil.rmtree(home)
    shutil.rmtree(base)


def test_a_server_that_dies_before_its_roles_are_made_is_waited_for(folder: Path) -> None:
    """It answered, and was gone when its roles were to be made: not ready yet, and no reason to give up."""
    server = Postgres(folder, settings=THROWAWAY)
    server.prepare()
    assert not server.is_provisioned()
    with server.running():
        assert server.is_provisioned()
    assert not server.is_provisioned()


def test_what_was_committed_is_on_disk(folder: Path) -> None:
    """As Bufa starts it; a server that could forget is refused before anything is sent."""
    for settings, forgets in (
        ({}, ""),
        ({"synchronous_commit": "off"}, "synchronous_commit"),
        ({"fsync": "off"}, "fsync"),
    ):
        with Postgres(folder, settings=settings).running() as server:
            with psycopg.connect(server.conninfo()) as connection:
                shown = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in DURABLE]
                if not forgets:
                    assert shown == [("on",)] * 3
                    must_remember(connection)
                    continue
                with pytest.raises(Trouble, match=f"{forgets} = off"):
                    must_remember(connection)


def test_it_serves_as_owner_and_application_and_keeps_what_was_written(folder: Path) -> None:
    with Postgres(folder, settings=THROWAWAY).running() as server:
        server.provision()
        server.provision()
        with psycopg.connect(server.conninfo(user=OWNER_ROLE, dbname="bufa")) as owner:
            owner.execute("CREATE TABLE kept (id bigint PRIMARY KEY)")
        with psycopg.connect(server.conninfo(user=APP_ROLE, dbname="bufa"), autocommit=True) as app:
            app.execute("INSERT INTO kept VALUES (7)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("CREATE TABLE mine (id bigint)")
        with psycopg.connect(server.conninfo(dbname="bufa")) as connection:
            version = connection.info.server_version
            encoding, collation = connection.execute(
                "SELECT pg_encoding_to_char(encoding), datlocale FROM pg_database WHERE datname = 'bufa'"
            ).fetchone() or ("", "")
        assert version // 10000 == 18
        assert (encoding, collation) == ("UTF8", "C.UTF-8")
    with Postgres(folder, settings=THROWAWAY).running() as server:
        server.provision()
        with psycopg.connect(server.conninfo(user=APP_ROLE, dbname="bufa")) as app:
            assert app.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_only_its_own_user_may_enter(folder: Path) -> None:
    places = find_places(folder)
    for path in (places.home, places.socket):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert find_places(folder) == places


def test_no_permission_of_a_folder_above_is_touched(tmp_path: Path) -> None:
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    places = find_places(private / "data")
    try:
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        if os.geteuid() == 0:
            assert places.home.parent == Path("/var/lib/bufa")
    finally:
        shutil.rmtree(places.home)


def test_after_a_kill_it_starts_again(folder: Path) -> None:
    server = Postgres(folder)
    server.prepare()
    process = processes.start(server.program(), stderr=subprocess.PIPE)
    server.wait_ready(process)
    server.provision()
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    assert (server.places.cluster / "postmaster.pid").exists()
    with Postgres(folder).running() as again, psycopg.connect(again.conninfo(dbname="bufa")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_it_does_not_wait_for_anybody_to_read_what_it_says(folder: Path) -> None:
    """A line for each client that dies is more than a pipe holds, some day; then it stood still with all its locks."""
    with Postgres(folder, settings=THROWAWAY).running() as server:
        with psycopg.connect(server.conninfo(), options="-c statement_timeout=20s") as connection:
            connection.execute("DO $$ BEGIN RAISE WARNING '%', repeat('x', 300000); END $$")
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pid_file_that_names_somebody_else_is_dropped(folder: Path) -> None:
    with Postgres(folder, settings=THROWAWAY).running() as server:
        cluster = server.places.cluster
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n")
    with Postgres(folder, settings=THROWAWAY).running() as server:
        assert server.is_ready()


def test_a_server_that_outlived_its_bufa_is_stopped_first(folder: Path) -> None:
    server = Postgres(folder, settings=THROWAWAY)
    server.prepare()
    left_over = processes.start(server.program(), stderr=subprocess.DEVNULL)
    server.wait_ready(left_over)
    with Postgres(folder, settings=THROWAWAY).running() as again:
        assert again.is_ready()
        assert left_over.wait(5) == 0


@pytest.mark.parametrize("version", ["17", "19"])
def test_a_folder_of_another_version_is_refused_in_words(folder: Path, version: str) -> None:
    server = Postgres(folder)
    server.places.cluster.mkdir()
    (server.places.cluster / "PG_VERSION").write_text(version + "\n")
    with pytest.raises(Trouble, match=f"made by PostgreSQL {version}; this Bufa carries 18"):
        server.prepare()


def test_a_path_too_long_for_a_socket_gets_a_short_one(folder: Path) -> None:
    deep = folder / ("x" * 60) / ("y" * 60)
    places = find_places(deep)
    try:
        assert len(os.fsencode(places.socket / ".s.PGSQL.5432")) <= 107
        assert stat.S_IMODE(places.socket.stat().st_mode) == 0o700
        assert find_places(deep).socket == places.socket
    finally:
        if not places.socket.is_relative_to(places.home):
            places.socket.rmdir()
        if not places.home.is_relative_to(folder):
            shutil.rmtree(places.home)


def test_no_server_survives_the_death_of_its_parent(folder: Path) -> None:
    program = (
        "import sys, subprocess, time\n"
        "from pathlib import Path\n"
        "from bufa.host import processes\n"
        "from bufa.host.postgres import Postgres\n"
        "server = Postgres(Path(sys.argv[1]))\n"
        "server.prepare()\n"
        "process = processes.start(server.program(), stderr=subprocess.DEVNULL)\n"
        "server.wait_ready(process)\n"
        "print(process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert processes.is_alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert processes.wait_until_gone(pid, patience=10)
