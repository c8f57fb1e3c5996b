"""The embedded PostgreSQL: made, started, given its roles, stopped. Its binaries come out of a wheel.

It listens on a socket in a folder of mode 700 and nowhere else, so whoever may enter that folder is trusted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psycopg

from bufa.host import processes
from bufa.host.places import MAJOR, Places, find_places
from bufa.host.trouble import Trouble

SUPERUSER = "postgres"
OWNER_ROLE = "bufa_owner"
APP_ROLE = "bufa_app"

# No statement, parameter or row in the log: they hold buyers' data.
_QUIET_LOG = {
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
_TUNING = {"shared_buffers": "192MB", "max_connections": "80", "jit": "off", "random_page_cost": "1.2"}
# For tests alone: a crash may lose all, and nothing waits for the disk.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "96MB"}


class Postgres:
    """One embedded server over one data folder."""

    def __init__(self, data: Path, *, settings: dict[str, str] | None = None) -> None:
        self.places: Places = find_places(data)
        self._settings = _QUIET_LOG | _TUNING | (settings or {})

    @property
    def socket(self) -> str:
        """The folder of the socket: what clients take as host. The port is always 5432."""
        return str(self.places.socket)

    def conninfo(self, *, user: str = SUPERUSER, dbname: str = "postgres") -> str:
        return psycopg.conninfo.make_conninfo(host=self.socket, port=5432, user=user, dbname=dbname)

    def prepare(self) -> None:
        """Make the cluster if there is none; clear away what a crash left. Raises Trouble when it can't serve."""
        version = self.places.cluster / "PG_VERSION"
        found = self._read(version)
        if found is None:
            self._make_cluster()
        elif found != str(MAJOR):
            raise Trouble(
                f"The data folder {self.places.home} was made by PostgreSQL {found}; this Bufa carries {MAJOR}. "
                "Use the Bufa that made it, or another --data folder."
            )
        self._clear_after_crash()

    def program(self) -> processes.Program:
        """The server as a child process; SIGINT is PostgreSQL's fast shutdown."""
        settings = self._settings | {"listen_addresses": "", "unix_socket_directories": self.socket}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        account = self.places.account
        return processes.Program(
            command=[self.places.program("postgres"), "-D", str(self.places.cluster), *options],
            env=self._env(),
            uid=account.uid if account else None,
            gid=account.gid if account else None,
            last_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def is_provisioned(self) -> bool:
        """Ready, roles and database included. False also when it died between the two: it will be asked again."""
        try:
            self.provision()
        except psycopg.OperationalError:
            return False
        return True

    def provision(self, dbname: str = "bufa") -> None:
        """Roles and database, as often as you like. The application's role owns nothing and bypasses nothing."""
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            for role, rights in ((OWNER_ROLE, "CREATEDB NOSUPERUSER NOBYPASSRLS"), (APP_ROLE, "NOBYPASSRLS")):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(f"CREATE ROLE {role} LOGIN {rights}".encode())
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [dbname]).fetchone():
                connection.execute(f"CREATE DATABASE {dbname} OWNER {OWNER_ROLE}".encode())
        with psycopg.connect(self.conninfo(user=OWNER_ROLE, dbname=dbname), autocommit=True) as connection:
            grant_to_app(connection)

    @contextlib.contextmanager
    def running(self) -> Iterator[Postgres]:
        """Serve for the length of a block, in this process's care."""
        self.prepare()
        # A file, and no pipe: the server writes a line for every client that dies, and where nobody empties the pipe, a
        # few hundred of them are enough for its processes to stand still with all their locks.
        with tempfile.TemporaryFile() as log:
            process = processes.start(self.program(), stdout=subprocess.DEVNULL, stderr=log)
            try:
                self.wait_ready(process, log=log)
                yield self
            finally:
                processes.stop(process, number=signal.SIGINT)

    def wait_ready(
        self, process: subprocess.Popen[bytes], *, patience: float = 30.0, log: IO[bytes] | None = None
    ) -> None:
        until = time.monotonic() + patience
        while not self.is_ready():
            if process.poll() is not None:
                raise Trouble(f"PostgreSQL did not start. {_last_words(log or process.stderr)}".strip())
            if time.monotonic() > until:
                raise Trouble(f"PostgreSQL did not answer within {patience:.0f} s.")
            time.sleep(0.03)

    def _make_cluster(self) -> None:
        # An earlier initdb that was cut short leaves a folder without PG_VERSION in it, or with one too early;
        # building beside and renaming makes the cluster appear whole or not at all.
        draft = self.places.home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        account = self.places.account
        done = subprocess.run(
            [
                self.places.program("initdb"), "-D", str(draft), "-U", SUPERUSER, "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=trust",
                "--no-instructions",
            ],
            env=self._env(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            cwd=str(self.places.home) if account is None else "/",
            capture_output=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise Trouble(f"PostgreSQL could not make its data folder: {done.stderr.decode(errors='replace').strip()}")
        draft.rename(self.places.cluster)

    def _clear_after_crash(self) -> None:
        """End a server that outlived its Bufa, and drop a pid file that names somebody else's process."""
        lock = self.places.cluster / "postmaster.pid"
        text = self._read(lock)
        if text is None:
            return
        pid = int(text.split()[0]) if text.split()[:1] and text.split()[0].isdigit() else 0
        if pid and processes.is_alive(pid) and self._is_ours(pid):
            os.kill(pid, signal.SIGINT)
            if not processes.wait_until_gone(pid, patience=15):
                raise Trouble(f"PostgreSQL (process {pid}) still holds {self.places.cluster} and does not stop.")
        lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.places.cluster) in command

    @staticmethod
    def _read(path: Path) -> str | None:
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            return None

    @staticmethod
    def _env() -> dict[str, str]:
        # PG* variables of the caller's shell would reach into the server; its log must be readable to us.
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _last_words(log: IO[bytes] | None) -> str:
    if log is None:
        return ""
    if log.seekable():
        log.seek(0)
    return log.read().decode(errors="replace").strip()


def must_remember(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Raise Trouble when a crash of the server could forget what was committed: an attempt that was made and forgotten
    would be made again."""
    for name in ("fsync", "synchronous_commit"):
        row = connection.execute(f"SHOW {name}".encode()).fetchone()
        if row == ("off",):
            raise Trouble(
                f"PostgreSQL runs with {name} = off: after a crash it forgets what was sent, and it would be sent "
                f"twice. Set {name} = on."
            )


def grant_to_app(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let the application's role use whatever the connected owner creates from now on."""
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP_ROLE}",
    ):
        connection.execute(statement.encode())


def provision_given(url: str) -> None:
    """Make a server of the user's fit: the application's role, and its rights. Raises Trouble saying what to run."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            if connection.info.server_version < 150000:
                raise Trouble("DATABASE_URL names a PostgreSQL older than 15.")
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone():
                connection.execute(f"CREATE ROLE {APP_ROLE} NOLOGIN NOBYPASSRLS".encode())
            user = connection.info.user
            if connection.execute("SELECT pg_has_role(%s, %s, 'SET')", [user, APP_ROLE]).fetchone() != (True,):
                connection.execute(f"GRANT {APP_ROLE} TO CURRENT_USER".encode())
            grant_to_app(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Trouble(
            f"The role in DATABASE_URL may not prepare the database ({error.diag.message_primary}). An administrator "
            f"runs once: CREATE ROLE {APP_ROLE}; GRANT {APP_ROLE} TO <that role>; and makes it owner of the database."
        ) from None
    except psycopg.OperationalError as error:
        raise Trouble(f"DATABASE_URL does not answer: {str(error).strip().splitlines()[0]}") from None
