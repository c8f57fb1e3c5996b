"""Whether a parcel gets there at all: the platform's word on a carrier's range, and the shop's own no-service areas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bufa.domain.calendars import Area, Pause, PauseCode
from bufa.domain.checks import Answer, Check, said

GOOD_FOR = timedelta(hours=24)
"""How long an answer about a range is believed: carriers close and open branches from one day to the next."""

RANGE_RULE = "doudian 7 getOutRange"
AREA_RULE = "shop calendar"


class Coverage(StrEnum):
    """What is known of a carrier's range for one way."""

    SERVED = "served"
    OUT_OF_RANGE = "out_of_range"
    WAITING = "waiting"
    NO_ANSWER = "no_answer"
    NOT_ASKED = "not_asked"
    NO_API = "no_api"


@dataclass(frozen=True, slots=True)
class Reach:
    """`reason`: the platform's words where it does not go, or why it did not answer. `asked_at`: when it said so."""

    coverage: Coverage
    reason: str = ""
    asked_at: datetime | None = None


UNASKED = Reach(Coverage.NOT_ASKED)


def is_fresh(answered_at: datetime | None, now: datetime) -> bool:
    """Whether an answer may still be believed."""
    return answered_at is not None and now - answered_at < GOOD_FOR


def closed_now(
    pauses: Iterable[Pause], carrier: str, origin: Area, destination: Area, now: datetime
) -> tuple[Pause, ...]:
    """The shop's no-service areas that this way leads through today, those that last longest first."""
    found = [
        pause
        for pause in pauses
        if pause.code is PauseCode.NO_SERVICE
        and pause.begins <= now < pause.ends
        and pause.concerns_parcel(carrier, origin, destination)
    ]
    return tuple(sorted(found, key=lambda pause: pause.ends, reverse=True))


def range_check(reach: Reach) -> Check:
    """A parcel out of range comes back or lies still, and both are paid for later; the platform takes its number all
    the same. What nobody answered is "cannot tell"."""
    match reach.coverage:
        case Coverage.SERVED:
            return said("range", Answer.PASS, rule=RANGE_RULE)
        case Coverage.OUT_OF_RANGE:
            return said("range", Answer.PUNISHED_LATER, "out_of_range", RANGE_RULE, said=reach.reason)
        case Coverage.NO_ANSWER:
            return said("range", Answer.CANNOT_TELL, "range_no_answer", RANGE_RULE, said=reach.reason)
        case other:
            return said("range", Answer.CANNOT_TELL, f"range_{other.value}", RANGE_RULE)


def area_check(closed: Sequence[Pause]) -> Check:
    """Where the platform stops its own clocks, too, the parcel only waits; else its clock runs while it lies still."""
    if not closed:
        return said("area", Answer.PASS, rule=AREA_RULE)
    first = closed[0]
    told = {
        "what": first.name,
        "area": "、".join(area.province + area.city + area.district for area in first.areas),
        "until": (first.ends - timedelta(seconds=1)).isoformat(),
        "told_by": first.source,
    }
    if first.platform:
        return said("area", Answer.CANNOT_TELL, "area_closed_clocks_stand", AREA_RULE, **told)
    return said("area", Answer.PUNISHED_LATER, "area_closed", AREA_RULE, **told)
