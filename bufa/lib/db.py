"""Writing many rows at once: one statement, one array a column (`unnest`).

`COPY` into a table with row-level security fails for the application's role, and Django's `bulk_update` is many
times slower; this goes through the policies like any other statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader

Columns = Mapping[str, tuple[str, Sequence[Any]]]
"""Column name -> (its PostgreSQL type, such as "bigint" or "timestamptz", one value a row)."""

_Kinds = tuple[tuple[str, str], ...]


def cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    """A plain psycopg cursor on Django's connection, inside the transaction that is open on it."""
    connection.ensure_connection()
    raw = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)
    if not getattr(raw, "reads_times_fast", False):
        raw.adapters.register_loader("timestamptz", _TimeLoader)
        raw.reads_times_fast = True  # type: ignore[attr-defined]
    return psycopg.Cursor(raw)


class _TimeLoader(Loader):
    """Times as aware UTC, in a tenth of the time that Django's loader takes for one."""

    timezone = UTC  # Django asks its connection's loader for this, and takes another one where it differs

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(str(data, "ascii"))


def unnest_insert(
    table: str,
    columns: Columns,
    *,
    on_conflict: str | None = None,
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert one row an array element; `[]` for no rows.

    `on_conflict` is the SQL after ON CONFLICT, such as "(shop_id, digest) DO NOTHING"; it is code, never input.
    Returns the columns of `returning` for the rows really inserted (or updated), else an empty list. Raises
    ValueError when the arrays differ in length.
    """
    if not _length(columns):
        return []
    query, params = insertion(table, columns, on_conflict=on_conflict, returning=returning)
    return _run(query, params, returning)


def insertion(
    table: str, columns: Columns, *, on_conflict: str | None = None, returning: Sequence[str] = ()
) -> tuple[bytes, list[Any]]:
    """The statement of `unnest_insert` with its parameters."""
    _length(columns)
    return _insert(table, _kinds(columns), on_conflict, tuple(returning)), _params(columns)


@lru_cache(maxsize=256)
def _insert(table: str, kinds: _Kinds, on_conflict: str | None, returning: tuple[str, ...]) -> bytes:
    query = sql.SQL("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})").format(
        table=sql.Identifier(table), names=_names(kinds), arrays=_arrays(kinds)
    )
    if on_conflict is not None:
        query += sql.SQL(" ON CONFLICT ") + sql.SQL(cast("Any", on_conflict))
    return _returning(query, returning).as_bytes()


def unnest_update(
    table: str,
    columns: Columns,
    *,
    key: Sequence[str] = ("id",),
    where: str | None = None,
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Set all columns but those of `key`, in the rows whose key columns match; `[]` for no rows.

    `where` narrows further: SQL in which `t` is the table and `new` the arrays, such as "t.version = new.old_version"
    (name the helper column with a leading underscore, and it is matched against but not set). It is code, never
    input. Returns the columns of `returning` for the rows really changed.
    """
    if not _length(columns):
        return []
    query = _update(table, _kinds(columns), tuple(key), where, tuple(returning))
    return _run(query, _params(columns), returning)


@lru_cache(maxsize=256)
def _update(table: str, kinds: _Kinds, key: tuple[str, ...], where: str | None, returning: tuple[str, ...]) -> bytes:
    to_set = [name for name, _ in kinds if name not in key and not name.startswith("_")]
    query = sql.SQL("UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS new ({names}) WHERE {match}").format(
        table=sql.Identifier(table),
        sets=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in to_set),
        arrays=_arrays(kinds),
        names=_names(kinds),
        match=sql.SQL(" AND ").join(sql.SQL("t.{0} = new.{0}").format(sql.Identifier(name)) for name in key),
    )
    if where is not None:
        query += sql.SQL(" AND (") + sql.SQL(cast("Any", where)) + sql.SQL(")")
    return _returning(query, returning, prefix="t.").as_bytes()


def _length(columns: Columns) -> int:
    lengths = {len(values) for _, values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns differ in length: { {name: len(values) for name, (_, values) in columns.items()} }")
    return lengths.pop()


def _kinds(columns: Columns) -> _Kinds:
    return tuple((name, kind) for name, (kind, _) in columns.items())


def _names(kinds: _Kinds) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name, _ in kinds)


def _arrays(kinds: _Kinds) -> sql.Composed:
    # Bytes go as they are: escaped one by one they would be twice as long.
    marks = (f"%b::{kind}[]" if kind == "bytea" else f"%s::{kind}[]" for _, kind in kinds)
    return sql.SQL(", ").join(sql.SQL(cast("Any", mark)) for mark in marks)


def _returning(query: sql.Composed, returning: tuple[str, ...], *, prefix: str = "") -> sql.Composed:
    if not returning:
        return query
    names = sql.SQL(", ").join(sql.SQL(cast("Any", prefix)) + sql.Identifier(name) for name in returning)
    return query + sql.SQL(" RETURNING ") + names


def _params(columns: Columns) -> list[Any]:
    return [array(kind, values) for kind, values in columns.values()]


def _run(query: bytes, params: list[Any], returning: Sequence[str]) -> list[tuple[Any, ...]]:
    with cursor() as cur, connection.wrap_database_errors:
        cur.execute(query, params)
        return cur.fetchall() if returning else []


def array(kind: str, values: Sequence[Any]) -> Any:
    """An array as PostgreSQL writes it, for the types that come in thousands: several times faster than adapting every
    element by itself. Other types, and texts that hold the separator, take the usual way."""
    if kind in ("bigint", "integer", "smallint"):
        return "{" + ",".join(["NULL" if value is None else str(int(value)) for value in values]) + "}"
    if kind == "boolean":
        return "{" + ",".join(["NULL" if value is None else "t" if value else "f" for value in values]) + "}"
    if kind == "timestamptz":
        return "{" + ",".join(["NULL" if value is None else value.isoformat() for value in values]) + "}"
    if kind in ("text", "jsonb"):
        try:
            joined = _SEPARATOR.join(values)
        except TypeError:  # a null among them
            return list(values)
        if joined.count(_SEPARATOR) == len(values) - 1:
            escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
            return '{"' + escaped.replace(_SEPARATOR, '","') + '"}'
    return list(values)


_SEPARATOR = "\x1f"
