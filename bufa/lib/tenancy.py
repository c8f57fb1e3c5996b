"""Which shops a piece of work may see: one transaction, one setting, enforced by the database.

    with for_shops([shop_id]):
        ...

Row-level security compares each row's shop with the setting `app.shops`. The setting is local to the transaction, so
a connection that goes back to its pool carries nothing over. Outside of `for_shops` there are no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from asgiref.local import Local
from django.db import connection, transaction

from bufa.lib import shelf
from bufa.lib.db import cursor
from bufa.lib.rls import OPERATOR_SETTING, SHOPS_SETTING

# Django's connections are kept the same way, so the two can't drift apart between threads.
_here = Local(thread_critical=True)


class OutOfReach(RuntimeError):
    """Work for one shop tried to reach into another; always a mistake in the code, never a user's."""


def current_shops() -> frozenset[int] | None:
    """The shops of the innermost `for_shops`, or None outside of one."""
    shops: frozenset[int] | None = getattr(_here, "shops", None)
    return shops


@contextmanager
def for_shops(ids: Iterable[int], *, reading: bool = False) -> Iterator[frozenset[int]]:
    """Open a transaction that sees exactly the shops named; nested, the inner must be a subset of the outer.

    Raises `OutOfReach` when the inner names a shop that the outer does not. An exception rolls back to the start of
    this block, like `transaction.atomic`.

    `reading`: nothing inside will be written, so inner reading of these shops or some of them needs no savepoint and
    no setting of its own (every query names its shops anyhow), and what was read once is kept (`lib.shelf`). A page
    asks dozens of questions; each would cost four more round trips.
    """
    shops = frozenset(int(shop) for shop in ids)
    outer = current_shops()
    if outer is not None and shops <= outer and getattr(_here, "reading", False) and (reading or shops == outer):
        yield shops
        return
    if outer is not None and not shops <= outer:
        raise OutOfReach(f"shops {sorted(shops - outer)} are outside of {sorted(outer)}")
    with transaction.atomic():
        if shops != outer:
            _set(SHOPS_SETTING, _array(shops))
        _here.shops = shops
        before = getattr(_here, "reading", False)
        _here.reading = before or reading
        try:
            with shelf.opened() if reading else nullcontext():
                yield shops
        finally:
            # Before the commit, so that its hooks run outside of any shop.
            _here.shops = outer
            _here.reading = before
    if shops != outer and connection.in_atomic_block:
        # A released savepoint keeps the setting; a rolled-back one (an exception) gives the old one back itself, and
        # the end of a whole transaction ends it.
        _set(SHOPS_SETTING, "" if outer is None else _array(outer))


def at_once(ids: Iterable[int], query: bytes, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """One statement that returns rows, in a transaction of its own that sees these shops, committed when this returns.

    Outside of a transaction everything from its begin to its commit is sent in one go: three waits for the server
    less, which is most of what a small write takes. Within one it is `for_shops` and the statement.
    """
    shops = frozenset(int(shop) for shop in ids)
    if connection.in_atomic_block:
        with for_shops(shops), cursor() as cur, connection.wrap_database_errors:
            return cur.execute(query, params).fetchall()
    with cursor() as cur, connection.wrap_database_errors:
        with cur.connection.pipeline(), cur.connection.transaction():
            cur.execute("SELECT set_config(%s, %s, true)", [SHOPS_SETTING, _array(shops)])
            rows = psycopg.Cursor(cur.connection)
            rows.execute(query, params)
        return rows.fetchall()


# First half of the advisory lock's key, so that no other lock of ours can meet it ("shop").
_WRITERS = 0x73686F70


@contextmanager
def writing(ids: Iterable[int]) -> Iterator[frozenset[int]]:
    """`for_shops` for work that changes cases and what hangs on them: one writer per shop, until its transaction ends.

    Facts come in for many cases at once and people act on one; whoever locked rows first, in whatever order, would
    meet the other at the audit chain, which has one writer per shop anyway. Taking that turn first leaves no circle.
    """
    with for_shops(ids) as shops:
        held: frozenset[int] = getattr(_here, "held", frozenset())
        for shop_id in sorted(shops - held):
            hold_shop(shop_id)
        _here.held = held | shops
        try:
            yield shops
        finally:
            _here.held = held


def hold_shop(shop_id: int) -> None:
    """Wait for the shop's turn to write; let go at the end of the transaction. Taking it twice costs nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_WRITERS, shop_id & 0x7FFFFFFF])


@contextmanager
def reading(ids: Iterable[int]) -> Iterator[None]:
    """`for_shops` for work that only reads: inside of the very same shops there is nothing to open or roll back, and
    inside of a page that only reads neither is there for some of its shops."""
    shops = frozenset(int(shop) for shop in ids)
    outer = current_shops()
    enough = shops == outer or (outer is not None and shops <= outer and getattr(_here, "reading", False))
    if enough and connection.in_atomic_block:
        yield
        return
    with for_shops(shops):
        yield


@contextmanager
def for_operator(operator_id: int) -> Iterator[None]:
    """Open a transaction in which this operator's own memberships can be read (only read), and nothing else."""
    outer: int | None = getattr(_here, "operator", None)
    if outer is not None and outer != operator_id:
        raise OutOfReach("one operator's work can't become another's")
    with transaction.atomic():
        if outer is None:
            _set(OPERATOR_SETTING, str(int(operator_id)))
        _here.operator = operator_id
        try:
            yield
        finally:
            _here.operator = outer
    if outer is None and connection.in_atomic_block:
        _set(OPERATOR_SETTING, "")


def _array(shops: Iterable[int]) -> str:
    return "{" + ",".join(str(shop) for shop in sorted(shops)) + "}"


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
