"""Kuaidi100's limits, as pure questions (tracking-protocols §1.1, §1.3)."""

from __future__ import annotations

from datetime import datetime, timedelta

BETWEEN_QUERIES = timedelta(minutes=30)
SUBSCRIPTIONS_A_MONTH = 4
AFTER_ABORT = timedelta(minutes=30)
NEEDS_PHONE = frozenset({"shunfeng", "shunfengkuaiyun", "zhongtong"})


def may_query(last_query_at: datetime | None, now: datetime) -> bool:
    """A waybill asked about twice within 30 minutes is locked by the provider."""
    return last_query_at is None or now - last_query_at >= BETWEEN_QUERIES


def may_subscribe(count_this_month: int) -> bool:
    """At most 4 subscriptions a month for one waybill; `count_this_month` are those made already."""
    return count_this_month < SUBSCRIPTIONS_A_MONTH


def needs_phone(carrier: str) -> bool:
    """SF and ZTO answer only with the recipient's or sender's phone beside the number."""
    return carrier in NEEDS_PHONE
