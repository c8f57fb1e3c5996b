"""Hints to the worker, given when the transaction that asks for the work has committed.

The row is the truth and the job a hint: whatever is hinted here, the sweep finds again from the rows. So a hint may be
lost, doubled or late, and carries ids only. That is also why it waits for the commit: two transactions that each hint
what the other has hinted already would otherwise wait for each other's queue rows, and one of them would be undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app

_unhinted: ContextVar[bool] = ContextVar("unhinted", default=False)


def hint(task: str, *, once: str = "", **ids: int | str | list[int]) -> bool:
    """Ask for `task`, now or when the transaction around us commits. With `once`, nothing while the same one waits.

    Returns whether a job was added; within a transaction, True.
    """
    if _unhinted.get():
        return False
    if not connection.in_atomic_block:
        return _defer(task, once, ids)
    transaction.on_commit(lambda: _defer(task, once, ids))
    return True


@contextmanager
def unhinted() -> Iterator[None]:
    """Give no hints in this thread or task: whoever calls looks after everything that is due by itself."""
    token = _unhinted.set(True)
    try:
        yield
    finally:
        _unhinted.reset(token)


def _defer(task: str, once: str, ids: dict[str, int | str | list[int]]) -> bool:
    if once and _waits(once):
        return False
    try:
        with transaction.atomic():
            app.configure_task(task, queueing_lock=once or None).defer(**ids)  # type: ignore[arg-type]
    except exceptions.AlreadyEnqueued:
        return False
    return True


def _waits(once: str) -> bool:
    """The usual answer without the noise of a refused insert; the unique index has the last word."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo' LIMIT 1", [once])
        return cursor.fetchone() is not None
