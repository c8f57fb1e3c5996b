"""Facts about how carriers do, by carrier, branch and route; facts, no marks, and few of them are said to be few."""

from __future__ import annotations

from enum import StrEnum

from bufa.domain.regions import short_province

Key = tuple[str, str]
"""Carrier, and the branch or route within it ("" for the whole carrier)."""

FEW_PARCELS, FEW_ANSWERS, FEW_CLAIMS = 30, 5, 5
"""With fewer a share says next to nothing."""


class Level(StrEnum):
    """What is looked at."""

    CARRIER = "carrier"
    BRANCH = "branch"
    ROUTE = "route"


def key_of(level: Level, carrier: str, place: str, origin: str, destination: str) -> Key | None:
    """Whose fact it is: the branch is where the parcel was last seen, the route its two provinces. None: not known."""
    if not carrier:
        return None
    match level:
        case Level.CARRIER:
            return carrier, ""
        case Level.BRANCH:
            return (carrier, place) if place else None
        case _:
            ends = [short_province(one) or one for one in (origin, destination)]
            return (carrier, " → ".join(ends)) if all(ends) else None


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None
