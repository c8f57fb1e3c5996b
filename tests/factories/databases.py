"""The databases of a test process: the empty one, and those in which the sample shop was made once.

Making the sample is a second or two of the same work as people's, and hundreds of tests begin with it. It is made once
in a copy of the empty database: tests that are rolled back work in there, tests that commit in a copy for themselves.
"""

from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy

import psycopg
import time_machine
from django.db import connections

from bufa.apps.parcels import lane_counts
from bufa.host.postgres import OWNER_ROLE, Postgres
from tests.factories import NOW
from tests.factories.sample import Sample, make_sample
from tests.factories.whole import with_more

EMPTY, BLANK, SAMPLE, WHOLE, OWN = "bufa", "bufa_blank", "bufa_sample", "bufa_whole", "bufa_own"
"""Nothing in it; the same, to be copied only; the sample; the sample and what only pages of their own show; a copy of
one of these for one test."""

_made: dict[str, Sample] = {}


def use(server: Postgres, name: str, *, own: bool) -> None:
    """Connect to that database (with `own` to a copy of it), which is made where it is not there yet."""
    if name != EMPTY and name not in _made:
        copy(server, name, BLANK)
        _connect(name)
        with time_machine.travel(NOW) if name == WHOLE else nullcontext():
            _made[name] = make_sample()
            if name == WHOLE:
                with_more(_made[name])
            else:
                _forget_jobs(server, name)
    if own and name != EMPTY:
        copy(server, OWN, name)
        _made[OWN] = _made[name]
    _connect(OWN if own and name != EMPTY else name)
    lane_counts._allowances.clear()  # what another test's shop of the same number had taught


def sample() -> Sample:
    """The sample of the database that we are connected to; the caller's own, to add to."""
    return deepcopy(_made[str(connections["default"].settings_dict["NAME"])])


def is_empty() -> bool:
    """Are we in the database that is emptied after each test that commits?"""
    return connections["default"].settings_dict["NAME"] == EMPTY


def _forget_jobs(server: Postgres, name: str) -> None:
    """Where nothing is committed nobody was ever hinted at."""
    with psycopg.connect(server.conninfo(dbname=name), autocommit=True) as owner:
        owner.execute("TRUNCATE procrastinate_jobs RESTART IDENTITY CASCADE")


def _connect(name: str) -> None:
    connection = connections["default"]
    if connection.settings_dict["NAME"] != name or name == OWN:
        connection.close()
        connection.settings_dict["NAME"] = name  # shared by the connections of all threads


def copy(server: Postgres, name: str, of: str) -> None:
    """A database as a copy of another one, in which nobody may be at that moment."""
    connections["default"].close()
    with psycopg.connect(server.conninfo(), autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [of])
        owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        owner.execute(f"CREATE DATABASE {name} TEMPLATE {of} OWNER {OWNER_ROLE} STRATEGY FILE_COPY".encode())
