"""Which PostgreSQL, and as whom: the application's role by default, the owner's for migrations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from bufa.lib.places import data_dir

OWNER_ROLE = "bufa_owner"
APP_ROLE = "bufa_app"
# A process that stands still inside a transaction holds its shop's turn to write: after this the server ends it.
# Longer than the renewal of a token (which holds its row over a call of 19.5 s), shorter than the rescue of an effect.
IDLE_S = 25


def database(env: Mapping[str, str]) -> dict[str, Any]:
    """Django's DATABASES entry from the environment.

    `DATABASE_URL` names a server of the user's; without it the embedded one is used, whose socket folder `bufa up`
    writes down. `BUFA_DB_AS=owner` connects as the role that owns the tables (migrations only).
    """
    as_owner = env.get("BUFA_DB_AS", "app") == "owner"
    url = env.get("DATABASE_URL", "")
    entry = _given(url, as_owner=as_owner) if url else _embedded(env, as_owner=as_owner)
    entry["ENGINE"] = "bufa.lib.postgres"
    entry["CONN_MAX_AGE"] = 0
    if not as_owner:
        given = str(entry["OPTIONS"].get("options", ""))
        entry["OPTIONS"]["options"] = f"{given} -c idle_in_transaction_session_timeout={IDLE_S}s".strip()
    # One pool a process: threads that end can't leave connections behind.
    pool = {"min_size": 1, "max_size": int(env.get("BUFA_DB_POOL", "20")), "timeout": 10}
    entry["OPTIONS"]["pool"] = False if as_owner else pool
    return entry


def _given(url: str, *, as_owner: bool) -> dict[str, Any]:
    parts = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    entry: dict[str, Any] = {
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": dict(parts),
    }
    if not as_owner:
        # The role is part of the connection itself, so that no code path can forget to change it.
        given = str(entry["OPTIONS"].get("options", ""))
        entry["OPTIONS"]["options"] = f"{given} -c role={APP_ROLE}".strip()
    return entry


def _embedded(env: Mapping[str, str], *, as_owner: bool) -> dict[str, Any]:
    return {
        "NAME": env.get("BUFA_PG_DATABASE", "bufa"),
        "USER": OWNER_ROLE if as_owner else APP_ROLE,
        "PASSWORD": "",
        "HOST": env.get("BUFA_PG_SOCKET") or _written_down(),
        "PORT": "5432",
        "OPTIONS": {},
    }


def _written_down() -> str:
    try:
        return str(json.loads((data_dir() / "running.json").read_text())["socket"])
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return str(data_dir() / "pg" / "run")
