"""Many reissues at once: how a row of the sheet is read, what may become of it, and when each submission leaves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bufa.domain import carriers, waybills
from bufa.domain.checks import Answer, Check
from bufa.domain.outcome import Why

MOST_ROWS = 2_000
"""More in one run is more than a person can look through."""

PACE = timedelta(milliseconds=200)
"""Between two submissions of one run. The platform publishes no limit for these methods: five a second leaves room
for everything else that the shop asks of it (doudian-openapi.md 3.3)."""


class RowState(StrEnum):
    """Where a row stands. `ready` and `left_out` are a person's choice before the run; `refused` can't be chosen."""

    REFUSED = "refused"
    READY = "ready"
    LEFT_OUT = "left_out"
    WAITING = "waiting"
    SUBMITTED = "submitted"
    FAILED = "failed"
    STOPPED = "stopped"


class RunState(StrEnum):
    """`checked`: looked through, nothing has left. `stopped` can go on."""

    CHECKED = "checked"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


ASKS_RANGE = frozenset({"range_waiting", "range_not_asked"})
"""What the gate says of a row while the platform has not answered whether its carrier goes there."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a row comes to: its state, what the gate says, and why."""

    state: RowState
    verdict: Answer
    whys: tuple[Why, ...]


def with_range(row: Judged, heard: Check, stop: Why | None) -> Judged:
    """A row once the platform has answered: `heard` takes the place of "is being asked". `stop`: why whoever looks
    through this run may not submit what will be punished, None where they may.

    What a person decided stays: a row that was left out is never taken in by this. A row that would be submitted and
    turns out to be punished is left out, as it would have been had the answer been there before.
    """
    whys = tuple(why for why in row.whys if why.code not in ASKS_RANGE)
    match heard.verdict:
        case Answer.PASS if row.verdict is Answer.CANNOT_TELL and not whys:
            return Judged(row.state, Answer.PASS, ())
        case Answer.PASS:
            return Judged(row.state, row.verdict, whys)
        case Answer.PUNISHED_LATER if row.state is RowState.REFUSED:
            return Judged(row.state, row.verdict, (*whys, heard.why))
        case Answer.PUNISHED_LATER if stop is not None:
            return Judged(RowState.REFUSED, Answer.REFUSED, (stop, heard.why, *whys))
        case Answer.PUNISHED_LATER:
            return Judged(RowState.LEFT_OUT, Answer.PUNISHED_LATER, (heard.why, *whys))
        case _:
            return Judged(row.state, row.verdict, (*whys, heard.why))


def leaves_at(last: datetime | None, now: datetime, take_back: timedelta) -> datetime:
    """When the next submission of a run leaves: after its own time to be taken back, and one PACE after the last."""
    own = now + take_back
    return own if last is None else max(own, last + PACE)


def carrier_of(said: str, number: str) -> tuple[str, bool]:
    """(company_code, was it guessed): what the sheet says, else the only carrier that writes such numbers, else what
    was written (the gate then says that nobody knows it)."""
    if said.strip():
        return carriers.by_name(said) or said.strip()[:40], False
    fitting = waybills.guess(number)
    return (fitting[0], True) if len(fitting) == 1 else ("", False)


_ITEM = re.compile(r"^(\S+?)(?:\s*[*×xX]\s*(\d{1,5}))?$")


def read_items(text: str) -> tuple[tuple[str, int], ...] | None:
    """`子订单号*数量`, several parted by `;`; without a quantity one piece. () when empty, None when unreadable."""
    found: list[tuple[str, int]] = []
    for part in re.split(r"[;；,，、\n]+", text):
        if not part.strip():
            continue
        match = _ITEM.match(part.strip())
        if match is None or int(match.group(2) or 1) < 1:
            return None
        found.append((match.group(1), int(match.group(2) or 1)))
    lines = [line for line, _ in found]
    return tuple(found) if len(set(lines)) == len(lines) else None


def twice(values: Sequence[object]) -> set[int]:
    """Places of a value that stands there more than once; empty values (None, "") don't count. All of them are named:
    which of two is meant only a person knows."""
    counted = Counter(value for value in values if value)
    return {at for at, value in enumerate(values) if value and counted[value] > 1}
