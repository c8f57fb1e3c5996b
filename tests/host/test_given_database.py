"""A server of the user's (DATABASE_URL): made fit, used as the application's role, or refused in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bufa.config.database import database
from bufa.host.postgres import THROWAWAY, Postgres, provision_given
from bufa.host.trouble import Trouble

ENV = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "DATABASE_"))}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    base = Path(tempfile.mkdtemp(prefix="bufa-given-"))
    base.chmod(0o711)
    with Postgres(base / "data", settings=THROWAWAY).running() as running:
        with psycopg.connect(running.conninfo(), autocommit=True) as connection:
            for name, rights in (("admin", "CREATEROLE"), ("plain", "")):
                connection.execute(f"CREATE ROLE {name} LOGIN {rights}".encode())
                connection.execute(f"CREATE DATABASE {name} OWNER {name}".encode())
        yield running
    shutil.rmtree(base)


def url(server: Postgres, name: str) -> str:
    return f"postgresql://{name}@/{name}?host={server.socket}"


def test_without_the_right_to_make_roles_it_says_what_to_run(server: Postgres) -> None:
    with pytest.raises(Trouble, match="CREATE ROLE bufa_app; GRANT bufa_app TO"):
        provision_given(url(server, "plain"))


def test_it_is_migrated_by_its_owner_and_used_as_the_application(server: Postgres, tmp_path: Path) -> None:
    env = ENV | {"DATABASE_URL": url(server, "admin"), "BUFA_DATA": str(tmp_path / "data")}
    program = (
        "from django.db import connection; cursor = connection.cursor(); "
        "cursor.execute('SELECT current_user, count(*) FROM shops_shop'); print(*cursor.fetchone())"
    )
    for arguments, answer in (
        (["manage", "migrate", "--verbosity", "0"], ""),
        (["manage", "migrate", "--verbosity", "0"], ""),
        (["manage", "shell", "--verbosity", "0", "-c", program], "bufa_app 0"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "bufa", *arguments], env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout.strip()) == (0, answer), done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "bufa", "doctor"], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout
    assert "bufa_app can't bypass row-level security" in done.stdout


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("postgresql://u:p@db:5433/n", "-c role=bufa_app -c idle_in_transaction_session_timeout=25s"),
        (
            "postgresql://u:p@db:5433/n?options=-c%20jit%3Doff",
            "-c jit=off -c role=bufa_app -c idle_in_transaction_session_timeout=25s",
        ),
    ],
)
def test_the_role_is_part_of_the_connection(given: str, options: str) -> None:
    entry = database({"DATABASE_URL": given})
    assert entry["OPTIONS"]["options"] == options
    assert [entry[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == ["n", "u", "p", "db", "5433"]
    assert "role=" not in str(database({"DATABASE_URL": given, "BUFA_DB_AS": "owner"})["OPTIONS"])
