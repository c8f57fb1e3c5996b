"""The packing table: what a scanner read, and what a read does to the parcel that lies there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bufa.domain import waybills
from bufa.domain.outcome import Why
from bufa.domain.reissue_numbers import beginning, find_reissue_number

UNDO_CODE = "BUFA-UNDO"
"""On the sheet beside the scanner: takes the last pack back without a keyboard."""

UNSCANNED_HOURS = 12
"""Parcels that a courier took and no carrier has scanned after so long are shown, unless the shop says otherwise."""


class Read(StrEnum):
    """What was read."""

    REISSUE = "reissue"
    WAYBILL = "waybill"
    UNDO = "undo"
    MISREAD = "misread"
    UNKNOWN = "unknown"


class Tone(StrEnum):
    """How a result sounds and looks: good, look here, stop."""

    GOOD = "good"
    SOFT = "soft"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Scanned:
    """`value`: our number as we write it, or the waybill as the carrier knows it. `fits`: carriers whose form a
    waybill has."""

    read: Read
    value: str
    fits: tuple[str, ...] = ()


def what_is(text: str) -> Scanned:
    """A scanner's text. Nothing is guessed: ours with a wrong check character is a misread, not somebody's waybill."""
    if "".join(sign for sign in text.upper() if sign.isalnum()) == UNDO_CODE.replace("-", ""):
        return Scanned(Read.UNDO, UNDO_CODE)
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


def is_unscanned(handed_at: datetime, now: datetime, hours: int) -> bool:
    """Whether a carrier should have scanned by now what its courier took."""
    return now - handed_at >= timedelta(hours=hours)
