"""Hints to the worker, given in the transaction that asks for the work.

The row is the truth and the job a hint: whatever is hinted here, the sweep finds again from the rows. So a hint may be
lost, doubled or late, and carries ids only.
"""

from __future__ import annotations

from django.db import transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app


def hint(task: str, *, once: str = "", **ids: int | str | list[int]) -> bool:
    """Ask for `task` when this transaction commits. With `once`, a second hint is nothing while the first still waits.

    Returns whether a job was added.
    """
    job = app.configure_task(task, queueing_lock=once or None)
    try:
        with transaction.atomic():
            job.defer(**ids)  # type: ignore[arg-type]
    except exceptions.AlreadyEnqueued:
        return False
    return True
