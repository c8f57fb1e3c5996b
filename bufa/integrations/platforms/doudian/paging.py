"""Walking a window of changes so that nothing is skipped while it changes.

Pages of a moving list slip: what changes leaves the window, the rest moves up by one, and the first row of the next
page is never seen. So the walk asks page 0 again and again from the last change it has seen, and drops what it saw
before; it turns pages only inside one second. That also keeps it under the platform's cap of page × size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bufa.integrations.ports import Page, ProviderError, Walk

SIZE = 100
CAP = 10_000  # the guide's figure; the error text says 50,000
_SECOND = timedelta(seconds=1)


class Changed(Protocol):
    """A fact that has a name and a time of change."""

    @property
    def number(self) -> str: ...

    @property
    def updated_at(self) -> datetime | None: ...


F = TypeVar("F", bound=Changed)


def walk(fetch: Callable[[datetime, datetime, int], Page[F]], since: datetime, until: datetime) -> Iterator[Walk[F]]:
    """Every fact changed in [since, until], oldest change first; each yielded once for each change seen.

    `fetch(since, until, page)` must list by time of change, oldest first. Raises what fetch raises, and
    ProviderError("business") when one second holds more changes than the platform lets one list.
    """
    seen: set[tuple[str, datetime | None]] = set()
    start, page, total = since, 0, -1
    while True:
        found = fetch(start, until, page)
        total = found.total if total < 0 else total
        fresh = tuple(item for item in found.items if (item.number, item.updated_at) not in seen)
        seen.update((item.number, item.updated_at) for item in fresh)
        changes = [item.updated_at for item in found.items if item.updated_at is not None]
        newest = max(changes, default=start)
        yield Walk(fresh, len(seen), max(total, len(seen)), newest if found.has_more else until)
        if not found.has_more:
            return
        # One second back: whether the window's start is inclusive is not documented for every list. A list that is not
        # in order of change (it should be) is only paged.
        if newest - _SECOND > start and changes == sorted(changes):
            start, page = newest - _SECOND, 0
        elif (page + 2) * SIZE > CAP:
            raise ProviderError("business", text="more changes in one second than can be listed")
        else:
            page += 1


def window_seconds(since: datetime, until: datetime) -> tuple[int, int]:
    """Unix seconds of a window; the platform refuses equal ends."""
    start, end = int(since.timestamp()), -(-int(until.timestamp() * 1000) // 1000)
    return start, max(end, start + 1)
