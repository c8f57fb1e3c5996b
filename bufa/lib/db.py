"""Writing many rows at once: one statement, one array a column (`unnest`).

`COPY` into a table with row-level security fails for the application's role, and Django's `bulk_update` is many
times slower; this goes through the policies like any other statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader

Columns = Mapping[str, tuple[str, Sequence[Any]]]
"""Column name -> (its PostgreSQL type, such as "bigint" or "timestamptz", one value a row)."""


def cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    """A plain psycopg cursor on Django's connection, inside the transaction that is open on it."""
    connection.ensure_connection()
    raw = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)
    made = psycopg.Cursor(raw)
    made.adapters.register_loader("timestamptz", _TimeLoader)
    return made


class _TimeLoader(Loader):
    """Times as aware UTC, in a tenth of the time that Django's loader takes for one."""

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
    query = sql.SQL("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})").format(
        table=sql.Identifier(table), names=_names(columns), arrays=_arrays(columns)
    )
    if on_conflict is not None:
        query += sql.SQL(" ON CONFLICT ") + sql.SQL(cast("Any", on_conflict))
    return _run(query, columns, returning)


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
    to_set = [name for name in columns if name not in key and not name.startswith("_")]
    query = sql.SQL("UPDATE {table} AS t SET {sets} FROM unnest({arrays}) AS new ({names}) WHERE {match}").format(
        table=sql.Identifier(table),
        sets=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(sql.Identifier(name)) for name in to_set),
        arrays=_arrays(columns),
        names=_names(columns),
        match=sql.SQL(" AND ").join(sql.SQL("t.{0} = new.{0}").format(sql.Identifier(name)) for name in key),
    )
    if where is not None:
        query += sql.SQL(" AND (") + sql.SQL(cast("Any", where)) + sql.SQL(")")
    return _run(query, columns, returning, prefix="t.")


def _length(columns: Columns) -> int:
    lengths = {len(values) for _, values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns differ in length: { {name: len(values) for name, (_, values) in columns.items()} }")
    return lengths.pop()


def _names(columns: Columns) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in columns)


def _arrays(columns: Columns) -> sql.Composed:
    # Bytes go as they are: escaped one by one they would be twice as long.
    marks = (f"%b::{kind}[]" if kind == "bytea" else f"%s::{kind}[]" for kind, _ in columns.values())
    return sql.SQL(", ").join(sql.SQL(cast("Any", mark)) for mark in marks)


def _run(query: sql.Composed, columns: Columns, returning: Sequence[str], *, prefix: str = "") -> list[tuple[Any, ...]]:
    if returning:
        names = sql.SQL(", ").join(sql.SQL(cast("Any", prefix)) + sql.Identifier(name) for name in returning)
        query += sql.SQL(" RETURNING ") + names
    with cursor() as cur:
        cur.execute(query, [array(kind, values) for kind, values in columns.values()])
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
