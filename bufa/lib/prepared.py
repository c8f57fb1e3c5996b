"""Questions of the ORM that are put into SQL once a process instead of once a call.

    @prepared
    def _files(shop_id: int, case_id: int) -> QuerySet[CaseFile]:
        return CaseFile.objects.filter(shop_id=shop_id, case_id=case_id).order_by("id")

    rows = _files(shop_id, case_id)  # a list, read now

Building a queryset and compiling it takes several times as long as the database takes to answer it, and a page asks
dozens of small questions. The function is called once for each combination of kinds of arguments, with stand-ins; what
comes out as SQL is kept, and from then on only the stand-ins are replaced. So a function must not look at a number, a
text, a time or a list that it is given, only pass it on; it may look at None and at yes or no. One whose stand-in does
not arrive in the SQL as a parameter (a limit, say) is refused. For lists use the lookup `one_of` (`= ANY`), whose SQL
does not depend on how many there are.

What it reads goes over the shelf like every other question (`lib.shelf`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import query as of_django
from django.db.models.lookups import Lookup
from django.db.models.query import FlatValuesListIterable, ModelIterable, QuerySet, ValuesListIterable

from bufa.lib.shelf import Key, Reader, Row, as_arrays, readers, shelf

P = ParamSpec("P")
T = TypeVar("T")

_NUMBER, _DAY = 2_000_000_011, datetime(2212, 12, 12, 12, 12, 12, tzinfo=UTC)
"""Stand-ins that nobody writes into a question."""


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class OneOf(Lookup):
    """`id__one_of=ids`: one parameter however many there are, so that the statement stays the same."""

    lookup_name = "one_of"

    def get_prep_lookup(self) -> list[Any]:
        field = self.lhs.output_field
        while isinstance(field, models.ForeignKey):
            field = field.target_field
        return [field.get_prep_value(one) for one in cast("Iterable[Any]", self.rhs)]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY (%s)", (*params, self.rhs)


@dataclass(frozen=True, slots=True)
class _Sql:
    """One statement, ready: `places` says for each parameter which argument it is, or None for what is always so."""

    text: str
    params: tuple[Any, ...]
    places: tuple[int | None, ...]
    read: list[Reader] | None
    converters: tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...]
    build: Callable[[Row], Any]


def prepared(question: Callable[P, QuerySet[Any, T]]) -> Prepared[P, T]:
    """The decorator; see above. The result is a list of what the queryset would give."""
    return Prepared(question)


class Prepared(Generic[P, T]):
    def __init__(self, question: Callable[P, QuerySet[Any, T]]) -> None:
        self._question = question
        self._known: dict[Hashable, _Sql | None] = {}
        update_wrapper(self, question)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        given = (*args, *kwargs.values())
        kinds = (tuple(map(_kind, given)), *kwargs)
        try:
            sql = self._known[kinds]
        except KeyError:
            sql = self._known[kinds] = self._compile(args, kwargs)
        if sql is None:
            return []
        rows = _rows(sql, tuple(one if at is None else _plain(given[at]) for at, one in _places(sql)))
        if sql.converters:
            rows = [_converted(row, sql.converters) for row in rows]
        return [cast("T", sql.build(row)) for row in rows]

    def first(self, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The first row or None; let the question say `[:1]`."""
        rows = self(*args, **kwargs)
        return rows[0] if rows else None

    def _compile(self, args: Sequence[Any], kwargs: dict[str, Any]) -> _Sql | None:
        stand_ins = [_stand_in(value, at) for at, value in enumerate((*args, *kwargs.values()))]
        named = dict(zip(kwargs, stand_ins[len(args) :], strict=True))
        asked = cast("Callable[..., QuerySet[Any, Any]]", self._question)(*stand_ins[: len(args)], **named)
        compiler = asked.query.get_compiler(asked.db)
        try:
            text, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        places = tuple(_place(value, stand_ins) for value in params)
        missing = {
            at for at, one in enumerate(stand_ins) if one is not None and not isinstance(one, bool)
        } - set(places)  # fmt: skip
        if missing:
            raise TypeError(f"{self._question.__qualname__}: argument {min(missing)} does not become a parameter")
        columns = [one[0] for one in compiler.select[: compiler.col_count]]
        found = compiler.get_converters(columns)
        return _Sql(
            text, tuple(params), places, readers(columns),
            tuple((at, how, column) for at, (how, column) in found.items()), _builder(asked, compiler),
        )  # fmt: skip


def _places(sql: _Sql) -> Iterable[tuple[int | None, Any]]:
    return zip(sql.places, sql.params, strict=True)


def _rows(sql: _Sql, params: tuple[Any, ...]) -> list[Row]:
    here = shelf()
    if here is None:
        return _ask(sql.text, params)
    key: Key = (sql.text, params)
    known = here.rows.get(key)
    if known is not None:
        return known
    if here.wanted is not None:
        if sql.read:
            here.wanted[key] = sql.read
        return []
    rows = here.rows[key] = _ask(sql.text, params)
    return rows


def _ask(text: str, params: tuple[Any, ...]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(text, as_arrays(params))
        return cast("list[Row]", cursor.fetchall())


def _kind(value: Any) -> Hashable:
    """What the SQL may depend on: None and yes or no themselves, else only the type."""
    return cast("Hashable", value if value is None or isinstance(value, bool) else type(value))


def _plain(value: Any) -> Any:
    """As the parameter of a statement, comparable with others."""
    if isinstance(value, Enum):
        return value.value
    return tuple(map(_plain, value)) if isinstance(value, list | tuple | set | frozenset) else value


def _stand_in(value: Any, at: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _NUMBER + at
    if isinstance(value, str):
        return f"\x02{at}\x03"
    if isinstance(value, datetime):
        return _DAY + timedelta(days=at)
    if isinstance(value, date):
        return (_DAY + timedelta(days=at)).date()
    if isinstance(value, list | tuple | set | frozenset):
        of_texts = bool(value) and isinstance(next(iter(value)), str)
        return [f"\x02{at}\x03" if of_texts else _NUMBER + at]
    raise TypeError(f"a question cannot be prepared for {type(value).__name__}")


def _place(value: Any, stand_ins: Sequence[Any]) -> int | None:
    for at, one in enumerate(stand_ins):
        if isinstance(one, bool) or isinstance(value, bool) or not isinstance(value, type(one)):
            continue
        if value == one or (isinstance(one, list) and list(map(str, value)) == list(map(str, one))):
            return at
    return None


def _converted(row: Row, converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]) -> Row:
    values = list(row)
    for at, how, column in converters:
        for convert in how:
            values[at] = convert(values[at], column, connection)
    return tuple(values)


def _builder(asked: QuerySet[Any, Any], compiler: Any) -> Callable[[Row], Any]:
    """What makes of a row what the queryset would make of it."""
    kind = cast("Any", asked)._iterable_class
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return lambda row: row
    if kind is not ModelIterable:
        raise TypeError(f"a question cannot be prepared that gives {kind.__name__}")
    klass, at = compiler.klass_info["model"], compiler.klass_info["select_fields"]
    first, last = at[0], at[-1] + 1
    names = [column[0].target.attname for column in compiler.select[first:last]]
    populators = cast("Any", of_django).get_related_populators(compiler.klass_info, compiler.select, asked.db)
    added = dict(compiler.annotation_col_map)
    using = asked.db

    def build(row: Row) -> Any:
        made = klass.from_db(using, names, row[first:last])
        for populator in populators:
            populator.populate(row, made)
        for name, position in added.items():
            setattr(made, name, row[position])
        return made

    return build
