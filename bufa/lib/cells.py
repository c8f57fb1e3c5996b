"""Cells of sheets that we hand out: text from outside stays text, in xlsx and in whatever csv is made of it later."""

from __future__ import annotations

_STARTS = frozenset("=+-@＝＋－＠")


def safe(cell: str) -> str:
    """The cell, with an apostrophe before it where a spreadsheet could take it for a formula.

    What stands before the first visible character (blanks, tabs, line ends, control characters, a byte order mark)
    hides nothing: programs strip it before they look (ASVS 5.0, 1.2.10).
    """
    shown = next((each for each in cell if each.isprintable() and not each.isspace()), "")
    hidden = bool(cell) and not cell[0].isprintable()
    return f"'{cell}" if shown in _STARTS or hidden else cell
