"""A heap of numbers copied from anywhere: cut into numbers, each once, in the order in which they stand."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from bufa.domain import waybills

MOST = 2_000
_SHORTEST, _LONGEST = 4, 40
_CUT = re.compile(r"[\s,;|/，；、。:：\"'“”()（）\[\]【】]+")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Pasted:
    """A number as it was written, as numbers are kept, and how often it stands there."""

    text: str
    number: str
    times: int


@dataclass(frozen=True, slots=True)
class Heap:
    """`left_over`: how many numbers were beyond `MOST` and were not looked at."""

    numbers: tuple[Pasted, ...]
    left_over: int


def read(text: str) -> Heap:
    """Numbers of 4 to 40 letters and digits, at least one of them a digit; words around them are passed over."""
    found: dict[str, str] = {}
    times: Counter[str] = Counter()
    for piece in _CUT.split(unicodedata.normalize("NFKC", text)):
        written = piece.strip("._-")
        if not _NUMBER.fullmatch(written) or not any(sign.isdigit() for sign in written):
            continue
        if not _SHORTEST <= len(written) <= _LONGEST:
            continue
        number = waybills.clean(written)
        found.setdefault(number, written)
        times[number] += 1
    numbers = tuple(Pasted(written, number, times[number]) for number, written in found.items())
    return Heap(numbers[:MOST], max(0, len(numbers) - MOST))
