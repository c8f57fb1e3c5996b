"""What a page that only reads has read already, and how to read much of it in one round trip.

A page is built by functions of many rooms, each of which reads what it needs and knows nothing of the others. Within
one reading transaction (`for_shops(..., reading=True)`) two things keep that from costing a hundred round trips:

- A question (the same SQL with the same parameters) is asked once; its rows are kept on the shelf until the
  transaction ends. Work that writes has no shelf: there everything is read fresh.
- `together(one, another, …)` lets functions say what they would read, without reading; asks it all in one statement;
  and leaves the rows on the shelf. The functions are then called as ever. Whatever was not foreseen is simply asked.

`@remembered` does the same for what a function makes of its rows, so that five rooms that look at one case do not
build its facts five times.

The rows travel as text, a column each, and are turned back by their fields' types.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from asgiref.local import Local
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models

P = ParamSpec("P")
T = TypeVar("T")
Row = tuple[Any, ...]
Key = tuple[str, tuple[Any, ...]]
Reader = Callable[[str], Any]

_here = Local(thread_critical=True)


class Shelf:
    """Rows by question, results by call; while `wanted` is not None questions are only written down there, and what
    functions make of no answers is kept apart in `guesses`."""

    def __init__(self) -> None:
        self.rows: dict[Key, list[Row]] = {}
        self.results: dict[Hashable, Any] = {}
        self.wanted: dict[Key, list[Reader]] | None = None
        self.guesses: dict[Hashable, Any] = {}

    def clear(self) -> None:
        """Something was written: read everything anew."""
        self.rows.clear()
        self.results.clear()


def shelf() -> Shelf | None:
    """The shelf of the reading transaction that we are in, if we are in one."""
    found: Shelf | None = getattr(_here, "shelf", None)
    return found


@contextmanager
def opened() -> Iterator[None]:
    """Open an empty shelf; an inner one of the same transaction is the outer."""
    before = shelf()
    _here.shelf = before or Shelf()
    try:
        yield
    finally:
        _here.shelf = before


def together(*askers: Callable[[], object]) -> None:
    """Read in one statement what these functions would read first; call them afterwards as ever.

    Each is run once against empty answers, so a function must do nothing but read; one that cannot go on without an
    answer (a row that it counts on) has said what it wants to know up to there. Outside of a reading transaction, and
    while another `together` runs, nothing happens.
    """
    here = shelf()
    if here is None or here.wanted is not None:
        return
    here.wanted, here.guesses = {}, {}
    try:
        for ask in askers:
            try:
                ask()
            except (ObjectDoesNotExist, LookupError, ValueError, StopIteration):
                continue  # it counted on an answer
        wanted = here.wanted
    finally:
        here.wanted, here.guesses = None, {}
    if wanted:
        here.rows.update(_ask(wanted))


def remembered(function: Callable[P, T]) -> Callable[P, T]:
    """Call a reading function once for the same arguments while a page is read. What it returns is shared: nobody
    changes it. Arguments are compared by value, lists like tuples."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        here = shelf()
        if here is None:
            return function(*args, **kwargs)
        key = (function, *map(_fixed, args), *((name, _fixed(value)) for name, value in kwargs.items()))
        if key in here.results:
            return cast("T", here.results[key])
        kept = here.results if here.wanted is None else here.guesses
        if key not in kept:
            kept[key] = function(*args, **kwargs)
        return cast("T", kept[key])

    return asked


def _fixed(value: Any) -> Hashable:
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, set | frozenset):
        return frozenset(value)
    fixed: Hashable = value
    return fixed


def readers(columns: Sequence[Any]) -> list[Reader] | None:
    """How to turn each selected expression's text back into what the driver gives; None where one is not known."""
    found = []
    for column in columns:
        field = getattr(column, "output_field", None)
        while isinstance(field, models.ForeignKey):
            field = field.target_field
        reader = _READERS.get(field.get_internal_type()) if isinstance(field, models.Field) else None
        if reader is None:
            return None
        found.append(reader)
    return found


def as_arrays(params: Sequence[Any]) -> list[Any]:
    """Parameters as the driver takes them: a list is an array; on the shelf it is a tuple, which can be compared."""
    return [list(one) if isinstance(one, tuple) else one for one in params]


def _ask(wanted: dict[Key, list[Reader]]) -> dict[Key, list[Row]]:
    parts: list[str] = []
    said: list[Any] = []
    for n, ((sql, params), columns) in enumerate(wanted.items()):
        names = [f"c{at}" for at in range(len(columns))]
        texts = ", ".join(f"{name}::text" for name in names)
        # The number of the row keeps each question's own order, whatever the planner does with the parts.
        parts.append(f"SELECT {n}, row_number() OVER (), ARRAY[{texts}] FROM ({sql}) AS t({', '.join(names)})")  # noqa: S608
        said += as_arrays(params)
    found: dict[Key, list[Row]] = {key: [] for key in wanted}
    keys, columns_of = list(wanted), list(wanted.values())
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), said)
        for n, _, values in sorted(cursor.fetchall(), key=lambda row: (row[0], row[1])):
            readers_ = columns_of[n]
            row = tuple(None if text is None else read(text) for text, read in zip(values, readers_, strict=True))
            found[keys[n]].append(row)
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_WHOLE = ("AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField")
_TEXTS = ("CharField", "TextField", "SlugField", "EmailField", "URLField")

_READERS: dict[str, Reader] = {
    **dict.fromkeys((*_WHOLE, "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"), int),
    **dict.fromkeys(_TEXTS, str),
    "BooleanField": lambda text: text == "true",
    "DateTimeField": _moment,
    "DateField": date.fromisoformat,
    "FloatField": float,
    "DecimalField": Decimal,
    "BinaryField": lambda text: bytes.fromhex(text[2:]),
    "JSONField": str,  # Django reads it itself
}
