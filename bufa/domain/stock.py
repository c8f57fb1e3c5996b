"""Goods on the shelf: what is there, what is promised to reissues, and what is missing for one more."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST = 10_000_000
"""More of one thing than any shelf holds: a slip of the finger or a column shifted."""


class HoldState(StrEnum):
    """What became of goods promised to a reissue."""

    HELD = "held"
    RELEASED = "released"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Level:
    """How many lie on the shelf, and how many of them are promised already."""

    on_hand: int
    reserved: int

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class Shortage:
    """`title` names the goods to a person; `free` is what could still be promised."""

    title: str
    wanted: int
    free: int


def goods_key(title: str, spec: str = "") -> str:
    """Goods by what they are called, where nobody gave them a number: width, case and blanks do not matter."""
    return "".join(unicodedata.normalize("NFKC", f"{title}|{spec}").split()).casefold()


def clean_barcode(text: str) -> str:
    """A code as scanners write it: full-width signs, blanks and case do not matter."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()[:40]


def shortages(wanted: Mapping[str, int], levels: Mapping[str, Level]) -> tuple[Shortage, ...]:
    """What is missing for these goods (name → pieces), out of what lies there (name → level); unknown goods are not
    missing, they are unknown: ask `unknown_goods`."""
    return tuple(
        Shortage(name, pieces, max(levels[name].free, 0))
        for name, pieces in wanted.items()
        if name in levels and levels[name].free < pieces
    )


def unknown_goods(wanted: Mapping[str, int], levels: Mapping[str, Level]) -> tuple[str, ...]:
    """Goods of which nobody has counted any."""
    return tuple(name for name in wanted if name not in levels)


def gathered(lines: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Pieces by name, over lines that may name the same goods twice; in the order of first mention."""
    found: dict[str, int] = {}
    for name, pieces in lines:
        if pieces > 0:
            found[name] = found.get(name, 0) + pieces
    return found
