"""Where divisions stand in a text: every way to read province, city and district at one place of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bufa.domain.address_words import ROAD, ZONE
from bufa.domain.divisions import Division, Divisions, Form, Level

GAP = re.compile(
    r"(?:[\s,，;；、/|>_.·:：\x1e-]|(?:省|自治区)?直辖县级行政(?:区划|单位)|市辖区|(?<=\s)县(?=\s)|中国(?=[一-鿿]))*"
)
"""What may stand between two levels."""

_LEVELS = (Level.PROVINCE, Level.CITY, Level.DISTRICT)
_SUFFIXES = "省市县区州盟旗"


@dataclass(frozen=True, slots=True)
class Written:
    """One level as it is written, from `start` to `end`."""

    level: Level
    form: Form
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Path:
    """One way to read the divisions. `is_weak`: its last name might as well be the beginning of something else."""

    written: tuple[Written, ...]
    meant: tuple[Division, ...]
    is_weak: bool

    @property
    def start(self) -> int:
        return self.written[0].start

    @property
    def end(self) -> int:
        return self.written[-1].end

    @property
    def rank(self) -> tuple[int, int]:
        """More levels tell more, then more text."""
        return len(self.written), sum(one.end - one.start for one in self.written)

    def former(self, text: str) -> str:
        """The name of the past that is written, if one is."""
        return next((text[one.start : one.end] for one in self.written if one.form.is_former), "")


def paths(text: str, start: int, table: Divisions) -> list[Path]:
    """Every reading that begins at `start`, without those that are certainly something else (a road, a station)."""
    found = []
    for written, meant in _walk(text, start, table, _LEVELS, (), ()):
        weak = _is_weak(text, written, meant)
        if weak is not None:
            found.append(Path(written, tuple(dict.fromkeys(_lowest(one, table) for one in meant)), weak))
    return found


def best(found: list[Path], *, weak: bool) -> Path | None:
    """The strongest of the strong (or of the weak) readings; where several say equally much, all that they mean."""
    fitting = [path for path in found if path.is_weak == weak]
    if not fitting:
        return None
    top = max(path.rank for path in fitting)
    equal = [path for path in fitting if path.rank == top]
    current = [path for path in equal if not path.former("")] or equal
    today = [path for path in current if not any(one.form.is_former for one in path.written)]
    equal = today if today and _is_under_parent(today[0]) else equal
    meant = tuple(dict.fromkeys(one for path in equal for one in path.meant))
    return Path(equal[0].written, meant, weak)


def after_gap(text: str, at: int) -> int:
    found = GAP.match(text, at)
    return found.end() if found else at


def _is_under_parent(path: Path) -> bool:
    return len(path.written) > 1


def _walk(
    text: str,
    at: int,
    table: Divisions,
    levels: tuple[Level, ...],
    parents: tuple[Division, ...],
    written: tuple[Written, ...],
) -> Iterator[tuple[tuple[Written, ...], tuple[Division, ...]]]:
    if written:
        yield written, parents
        at = after_gap(text, at)
    for place, level in enumerate(levels):
        for length in range(min(table.longest[level], len(text) - at), 1, -1):
            for form in table.named(level, text[at : at + length]):
                meant = tuple(one for one in form.meant if not parents or any(up.holds(one) for up in parents))
                if meant:
                    here = Written(level, form, at, at + length)
                    yield from _walk(text, here.end, table, levels[place + 1 :], meant, (*written, here))


def _is_weak(text: str, written: tuple[Written, ...], meant: tuple[Division, ...]) -> bool | None:
    """None: this is no division here."""
    last, above = written[-1], written[:-1]
    name = text[last.start : last.end]
    if not last.form.is_short:
        # 新县城 is the town of a new county, as far as one can tell; 城区 is everywhere.
        return not above and len(name) == 2
    after = text[last.end : last.end + 1]
    if (after and after in _SUFFIXES) or ROAD.match(text, last.end):
        return None
    if last.level is Level.DISTRICT and not above:
        return None
    is_clear = not after or after == "\x1f" or after_gap(text, last.end) > last.end
    is_clear = is_clear or bool(above and last.level is Level.CITY and ZONE.match(text, last.end))
    if last.level is Level.PROVINCE:
        return not is_clear
    if last.level is Level.CITY:
        return not is_clear or not above
    return not is_clear or (above[-1].level is not Level.CITY and meant[0].city != meant[0].province)


def _lowest(one: Division, table: Divisions) -> Division:
    """A municipality is its own city."""
    if one.level is Level.PROVINCE:
        return table.get(one.province, one.province) or one
    return one
