"""17TRACK's limits, as pure questions. A registration costs one unit of the account's quota, a query costs none."""

from __future__ import annotations

from datetime import datetime

NUMBERS_A_CALL = 40
CALLS_A_SECOND = 3
REGISTRATIONS = 2
"""A number is registered once; when they stopped following it, it can be taken up again once (`retrack`)."""

NEEDS_PHONE = frozenset({"shunfeng"})


def may_query(last_query_at: datetime | None, now: datetime) -> bool:
    """A query reads what they know and asks nobody: no number is locked by it."""
    return True


def may_subscribe(count_this_month: int) -> bool:
    """Registered once and taken up again once; `count_this_month` are those made already."""
    return count_this_month < REGISTRATIONS


def needs_phone(carrier: str) -> bool:
    """SF's tracks are asked for with the last four digits of the phone."""
    return carrier in NEEDS_PHONE
