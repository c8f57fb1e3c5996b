"""How many reissues a case and a day may see, and from how many a second person must look.

A log-in that was stolen, or a sheet that was exported wrongly, sends goods away for nothing; each reissue passes the
gate, a thousand of them are the harm. The owner sets the caps; whoever is over one is told which and who may raise it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bufa.domain.outcome import Refused

PER_CASE, PER_DAY, SECOND_FROM = "reissues_per_case", "reissues_per_day", "bulk_second_from"
"""Entries of the shop's policy."""


@dataclass(frozen=True, slots=True)
class Caps:
    """`per_case`, `per_day`: reissues submitted, less those taken back or refused. `second_from`: a sheet of more rows
    than that is started by somebody else than who brought it; 0: never."""

    per_case: int = 3
    per_day: int = 2000
    second_from: int = 50

    @classmethod
    def read(cls, policy: Mapping[str, Any]) -> Caps:
        """The shop's caps; what is missing or no number is as by default."""

        def number(name: str, otherwise: int) -> int:
            value = policy.get(name, otherwise)
            return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise

        return cls(number(PER_CASE, cls().per_case), number(PER_DAY, cls().per_day), number(SECOND_FROM, 50))


def check_reissue(caps: Caps, *, in_case: int, today: int) -> None:
    """Raise Refused `cap_case` or `cap_day` when one more would be over; the counts are of those before it."""
    if in_case >= caps.per_case:
        raise Refused("cap_case", most=caps.per_case)
    if today >= caps.per_day:
        raise Refused("cap_day", most=caps.per_day)


def check_second(caps: Caps, *, rows: int, brought_by: int, by: int, able: int) -> None:
    """Raise Refused `bulk_needs_second` when a large sheet is started by who brought it, and another could.

    `able`: how many active people of the shop may submit; somebody alone in a shop has nobody to ask.
    """
    if caps.second_from and rows > caps.second_from and brought_by == by and able > 1:
        raise Refused("bulk_needs_second", rows=rows, most=caps.second_from)
