"""The packing table: what a scanner read, and what a read does to the parcel that lies there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bufa.domain import waybills
from bufa.domain.outcome import Why
from bufa.domain.reissue_numbers import beginning, find_reissue_number

UNDO_CODE = "BUFA-UNDO"
"""On the sheet beside the scanner: takes the last pack back without a keyboard."""

RECOUNT_CODE = "BUFA-RECOUNT"
"""Counts the goods of the open box from nothing again."""

LABEL_CODE = "BUFA-LABEL"
"""Asks the platform for an e-waybill for the open box."""

_PIECE = "BUFA-PIECE-"

UNSCANNED_HOURS = 12
"""Parcels that a courier took and no carrier has scanned after so long are shown, unless the shop says otherwise."""


class Read(StrEnum):
    """What was read."""

    REISSUE = "reissue"
    WAYBILL = "waybill"
    UNDO = "undo"
    RECOUNT = "recount"
    LABEL = "label"
    PIECE = "piece"
    MISREAD = "misread"
    UNKNOWN = "unknown"


class Tone(StrEnum):
    """How a result sounds and looks: good, look here, stop."""

    GOOD = "good"
    SOFT = "soft"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Scanned:
    """`value`: our number as we write it, the waybill as the carrier knows it, or the order's line of which one more
    piece went in. `fits`: carriers whose form a waybill has."""

    read: Read
    value: str
    fits: tuple[str, ...] = ()


_COMMANDS = {
    code.replace("-", ""): Scanned(read, code)
    for code, read in ((UNDO_CODE, Read.UNDO), (RECOUNT_CODE, Read.RECOUNT), (LABEL_CODE, Read.LABEL))
}


def piece_code(line: str) -> str:
    """What a button says instead of a scanner: one more piece of this line went in."""
    return f"{_PIECE}{line}"


def left_to_count(wanted: Iterable[tuple[str, int]], counted: Iterable[str]) -> dict[str, int]:
    """Pieces not counted yet by line, those in full left out. `counted`: a line for each piece that was read."""
    there = Counter(counted)
    return {line: pieces - there[line] for line, pieces in wanted if pieces > there[line]}


def what_is(text: str) -> Scanned:
    """A scanner's text. Nothing is guessed: ours with a wrong check character is a misread, not somebody's waybill."""
    if (command := _COMMANDS.get("".join(sign for sign in text.upper() if sign.isalnum()))) is not None:
        return command
    if text.strip().upper().startswith(_PIECE):
        return Scanned(Read.PIECE, text.strip()[len(_PIECE) :])
    if code := find_reissue_number(text):
        return Scanned(Read.REISSUE, code)
    number = waybills.clean(text)
    if fits := waybills.guess(number):
        return Scanned(Read.WAYBILL, number, fits)
    return Scanned(Read.MISREAD if len(beginning(text)) > 8 else Read.UNKNOWN, number[:40])


def carrier_of(fits: tuple[str, ...], known: str) -> str:
    """Whose waybill this is: the carrier that the form names where the number fits it, else the only one that it fits,
    else "" (a person says)."""
    if known and known in fits:
        return known
    return fits[0] if len(fits) == 1 else ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a read did. `why`: the sentence; `more`: what else to look at; `open_id`: the reissue that lies on the table
    now, 0 for none. `choose`: carriers to choose from, for `number`."""

    tone: Tone
    why: Why
    open_id: int = 0
    more: tuple[Why, ...] = ()
    choose: tuple[str, ...] = ()
    number: str = ""
    pack_id: int = 0


def result_to_json(result: Result) -> dict[str, Any]:
    """As plain JSON; `result_from_json` reads it back."""
    return {
        "tone": result.tone.value,
        "whys": [[why.code, dict(why.params)] for why in (result.why, *result.more)],
        "open_id": result.open_id,
        "choose": list(result.choose),
        "number": result.number,
        "pack_id": result.pack_id,
    }


def result_from_json(row: Mapping[str, Any]) -> Result:
    first, *more = (Why(code, params) for code, params in row["whys"])
    return Result(
        Tone(row["tone"]), first, row["open_id"], tuple(more), tuple(row["choose"]), row["number"], row["pack_id"]
    )


def is_unscanned(handed_at: datetime, now: datetime, hours: int) -> bool:
    """Whether a carrier should have scanned by now what its courier took."""
    return now - handed_at >= timedelta(hours=hours)
