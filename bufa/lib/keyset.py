"""Lists a page at a time that stay fast however many rows there are: each shop's part is read from its own index.

`shop_id = ANY (…) ORDER BY at LIMIT 50` makes PostgreSQL read and sort all rows of all shops. Here each shop gives at
most one page from an index that begins with `shop_id, at`, and the pages are merged: a thousand rows for twenty shops.

Under row-level security `LIKE` cannot use an index (its operator is not leakproof), comparisons can: `starts` says
"begins with" by comparing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

from django.db import connection
from django.db.models import Q
from psycopg import sql

At: TypeAlias = datetime | int
FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for "no time" where rows are sorted by a time that may be missing."""

_LAST = "\U0010ffff"
_DIGITS = 18  # of a number that PostgreSQL holds


@dataclass(frozen=True, slots=True)
class Order:
    """Rows of `table` by a time column, or by one of whole `numbers`, then by id (or by "id" alone). `missing`: rows
    without that time come last; else they are left out."""

    table: str
    column: str
    descending: bool = False
    missing: bool = False
    numbers: bool = False


def ids(
    shops: Sequence[int], order: Order, where: Sequence[str], params: Mapping[str, Any], cursor_: str, limit: int
) -> tuple[list[int], str]:
    """The ids of a page in order, and where the next begins ("" for no more).

    `where`: conditions on the table, called `t`, with named parameters; they are code, never input.
    """
    after = read_cursor(cursor_)
    if after is not None and isinstance(after[0], int) != order.numbers:
        after = None  # of another list
    found: list[tuple[At | None, int]] = []
    are_missing = after is not None and after[0] == FAR
    if not are_missing or order.column == "id":
        found = _ask(shops, order, where, params, after, limit + 1, missing=False)
    if order.missing and len(found) <= limit:
        rest = after if are_missing else None
        found += _ask(shops, order, where, params, rest, limit + 1 - len(found), missing=True)
    page = found[:limit]
    more = make_cursor(*page[-1]) if len(found) > limit else ""
    return [row_id for _, row_id in page], more


def _ask(
    shops: Sequence[int],
    order: Order,
    where: Sequence[str],
    params: Mapping[str, Any],
    after: tuple[At, int] | None,
    limit: int,
    *,
    missing: bool,
) -> list[tuple[At | None, int]]:
    way = sql.SQL("DESC" if order.descending else "ASC")
    beyond = sql.SQL("<" if order.descending else ">")
    column = sql.Identifier("t", order.column)
    conditions: list[sql.Composable] = [
        sql.SQL("t.shop_id = s.shop_id"),
        *(sql.SQL(cast("Any", each)) for each in where),
    ]
    if order.column != "id":
        conditions.append(sql.SQL("{0} IS NULL" if missing else "{0} IS NOT NULL").format(column))
    if after is not None:
        id_only = missing or order.column == "id"
        text = "t.id {0} %(after_id)s" if id_only else "({1}, t.id) {0} (%(after_at)s, %(after_id)s)"
        conditions.append(sql.SQL(cast("Any", text)).format(beyond, column))
    at = sql.SQL("NULL::timestamptz") if order.column == "id" else column
    sort = sql.SQL("t.id {0}" if missing or order.column == "id" else "{1} {0}, t.id {0}").format(way, column)
    query = sql.SQL(
        "SELECT x.at, x.id FROM unnest(%(shops)s::bigint[]) AS s (shop_id) CROSS JOIN LATERAL ("
        "SELECT {at} AS at, t.id FROM {table} t WHERE {where} ORDER BY {sort} LIMIT %(limit)s"
        ") x ORDER BY x.at {way}, x.id {way} LIMIT %(limit)s"
    ).format(
        at=at, table=sql.Identifier(order.table), where=sql.SQL(" AND ").join(conditions), sort=sort, way=way
    )  # fmt: skip
    said = {**params, "shops": list(shops), "limit": limit}
    if after is not None:
        said |= {"after_at": after[0], "after_id": after[1]}
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(), said)
        return cast("list[tuple[At | None, int]]", cursor.fetchall())


def starts(column: str, text: str) -> Q:
    """The column begins with the text, said so that an index is used under row-level security."""
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + _LAST})


def make_cursor(at: At | None, row_id: int) -> str:
    """Where a page ended, as text for a link."""
    said = str(at) if isinstance(at, int) else (at or FAR).isoformat()
    return f"{said}~{row_id}"


def read_cursor(text: str) -> tuple[At, int] | None:
    """What `make_cursor` wrote; None for the first page or for anything that nobody gave out."""
    at, _, row_id = text.partition("~")
    try:
        if at.isdecimal() and len(at) < _DIGITS:
            return int(at), int(row_id)
        instant = datetime.fromisoformat(at)
        return (instant, int(row_id)) if instant.tzinfo else None
    except ValueError:
        return None
