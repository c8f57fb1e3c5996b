"""One PostgreSQL for each test process, migrated by the owner, used as the application: row-level security is real."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import TransactionTestCase
from django.utils import translation

from bufa.host.postgres import APP_ROLE, THROWAWAY, Postgres
from tests.factories import clusters, databases
from tests.factories.sample import Sample

pytest_plugins = ["tests.chromium"]

_server: Postgres | None = None
_kept: frozenset[str] = frozenset()  # tables that the migrations themselves fill


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        clusters.clear()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A running embedded server of this test process."""
    global _server
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    data = Path(os.environ["BUFA_TEST_DATA"], worker)
    clusters.give(data)
    with Postgres(data, settings=THROWAWAY).running() as server:
        _server = server
        yield server
        _server = None
    if server.places.home.parent != data:  # it lives elsewhere when its user can't reach the temporary folder
        shutil.rmtree(server.places.home, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(postgres: Postgres, django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Connect as the application's role to the migrated database."""
    global _kept
    connection = connections["default"]
    connection.settings_dict.update(HOST=postgres.socket, NAME=databases.EMPTY, USER=APP_ROLE)
    os.environ["BUFA_PG_SOCKET"] = postgres.socket  # for programs that tests start
    with django_db_blocker.unblock():
        databases.copy(postgres, databases.BLANK, databases.EMPTY)
        _kept = frozenset(name for name in _tables() if _has_rows(name))
    yield
    with django_db_blocker.unblock():
        connections.close_all()


def _as_owner() -> psycopg.Connection[tuple[Any, ...]]:
    assert _server is not None
    name = connections["default"].settings_dict["NAME"]
    return psycopg.connect(_server.conninfo(dbname=name), autocommit=True)


def _tables() -> list[str]:
    with _as_owner() as owner:
        rows = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    return [str(name) for (name,) in rows]


def _has_rows(table: str) -> bool:
    with _as_owner() as owner:
        return owner.execute(f'SELECT 1 FROM "{table}" LIMIT 1'.encode()).fetchone() is not None


def _truncate(self: TransactionTestCase) -> None:
    """After a test that commits: empty every table as the owner (the application may not), keep what migrations put.

    A database of the test's own goes whole, when the next one is made.
    """
    if not databases.is_empty():
        connections["default"].close()
        return
    names = ", ".join(f'"{name}"' for name in _tables() if name not in _kept)
    with _as_owner() as owner:
        owner.execute("SET lock_timeout = '10s'")
        for tries_left in (2, 1, 0):
            try:
                owner.execute(f"TRUNCATE {names} RESTART IDENTITY".encode())
                return
            except psycopg.errors.DeadlockDetected:  # a page that was just closed still had a question under way
                if not tries_left:
                    raise


TransactionTestCase._fixture_teardown = _truncate  # type: ignore[method-assign]


@pytest.fixture
def right_database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any, postgres: Postgres
) -> None:
    """The empty database, or for a test that takes the sample shop the one in which that was made once."""
    wants = set(request.fixturenames)
    name = databases.WHOLE if "whole_sample" in wants else databases.SAMPLE if "sample" in wants else databases.EMPTY
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and marker.kwargs.get("transaction")) or bool(wants & {"transactional_db", "live_server"})
    with django_db_blocker.unblock():
        databases.use(postgres, name, own=commits)


@pytest.fixture
def _django_db_helper(right_database: None, _django_db_helper: None) -> None:
    """Before anything is asked, be in the right database."""


@pytest.fixture
def sample(db: None) -> Sample:
    """A small shop with a case at every step."""
    return databases.sample()


@pytest.fixture
def whole_sample(transactional_db: None) -> Sample:
    """The same with what only pages of their own show, in a database of the test's own."""
    return databases.sample()


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder of the test's own, named by the environment."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o711)
    monkeypatch.setenv("BUFA_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def own_language() -> None:
    """No test speaks the language that the page of another one left active in its thread."""
    translation.deactivate()
