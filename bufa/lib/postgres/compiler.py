"""SELECTs that look at the shelf first; whatever writes clears it."""

from __future__ import annotations

from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db.backends.postgresql import compiler as original
from django.db.models.sql import compiler as general
from django.db.models.sql.constants import MULTI, SINGLE

from bufa.lib.postgres.compiled import sql_of
from bufa.lib.shelf import Key, Row, Shelf, readers, shelf

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]

SQLAggregateCompiler = general.SQLAggregateCompiler


class SQLCompiler(original.SQLCompiler):
    reads: Any = ()
    """How the columns come back from a shelf; () where nobody has asked yet."""

    def as_sql(self, with_limits: bool = True, with_col_aliases: bool = False) -> tuple[str, Any]:
        if not with_limits or with_col_aliases or not cast("Any", self).elide_empty:
            return super().as_sql(with_limits, with_col_aliases)
        return sql_of(self, super().as_sql)

    def execute_sql(self, result_type: Any = MULTI, chunked_fetch: bool = False, chunk_size: int = 100) -> Any:
        here = shelf()
        plain = result_type in (MULTI, SINGLE) and not chunked_fetch and not self.query.select_for_update
        if here is None or not plain:
            return super().execute_sql(result_type, chunked_fetch, chunk_size)
        try:
            sql, params = self.as_sql()
            if not sql:
                raise EmptyResultSet
        except EmptyResultSet:
            return iter([]) if result_type == MULTI else None
        rows = self._rows(here, (sql, tuple(params)))
        if result_type == MULTI:
            return [rows] if rows else []
        return rows[0] if rows else None

    def _rows(self, here: Shelf, key: Key) -> list[Row]:
        try:
            known = here.rows.get(key)
        except TypeError:  # a parameter that cannot be compared
            return [] if here.wanted is not None else self._ask(key)
        if known is not None:
            return known
        if here.wanted is not None:
            if self.reads == ():
                self.reads = None if self.has_extra_select else readers([column for column, _, _ in self.select])
            if self.reads:
                here.wanted[key] = self.reads
            return []
        rows = here.rows[key] = self._ask(key)
        return rows

    def _ask(self, key: Key) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(*key)
            rows: list[Row] = cursor.fetchall()
        return [row[: self.col_count] for row in rows] if self.has_extra_select else rows


class _Writes:
    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        if (here := shelf()) is not None:
            here.clear()
        return super().execute_sql(*args, **kwargs)  # type: ignore[misc]


class SQLInsertCompiler(_Writes, original.SQLInsertCompiler): ...


class SQLUpdateCompiler(_Writes, general.SQLUpdateCompiler): ...


class SQLDeleteCompiler(_Writes, general.SQLDeleteCompiler): ...
