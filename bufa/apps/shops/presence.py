"""Who else is looking: marks that are renewed while a page is open and mean nothing half a minute later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from bufa.lib.tenancy import for_shops

LASTS = timedelta(seconds=25)
"""A mark not renewed for so long counts as gone: its window was closed, or its machine fell asleep."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """One person who has `subject` open; `since` by the database's clock."""

    shop_id: int
    subject: str
    operator_id: int
    name: str
    since: datetime


def look(*, shop_id: int, subject: str, operator_id: int, name: str, window: str) -> None:
    """Say, or say again, that this window shows `subject`."""
    with for_shops([shop_id]), connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO shops_presence (shop_id, subject, operator_id, name, "window", since, seen_at)'
            " VALUES (%s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp())"
            ' ON CONFLICT (shop_id, "window") DO UPDATE SET seen_at = clock_timestamp(), subject = EXCLUDED.subject',
            [shop_id, subject[:40], operator_id, name[:60], window[:36]],
        )
        # Marks of windows that never said goodbye: whoever comes next sweeps them.
        cursor.execute(
            "DELETE FROM shops_presence WHERE shop_id = %s AND seen_at < clock_timestamp() - interval '10 minutes'",
            [shop_id],
        )


def leave(*, shop_id: int, window: str) -> None:
    """The window is closed."""
    with for_shops([shop_id]), connection.cursor() as cursor:
        cursor.execute('DELETE FROM shops_presence WHERE shop_id = %s AND "window" = %s', [shop_id, window[:36]])


def viewers(shops: Sequence[int], subject: str = "") -> list[Viewer]:
    """Who looks at what in these shops now, the longest first; a person with two windows is named once."""
    with for_shops(shops), connection.cursor() as cursor:
        cursor.execute(
            "SELECT shop_id, subject, operator_id, min(name), min(since) FROM shops_presence"
            " WHERE shop_id = ANY(%s) AND (%s = '' OR subject = %s)"
            " AND seen_at > clock_timestamp() - %s * interval '1 second'"
            " GROUP BY shop_id, subject, operator_id ORDER BY min(since)",
            [list(shops), subject, subject, LASTS.total_seconds()],
        )
        return [Viewer(*row) for row in cursor.fetchall()]
