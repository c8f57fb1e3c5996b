"""China's public holidays as pauses of the shop's clocks, from the package `chinesecalendar` and the shop's own table.

The package knows the years whose arrangement the State Council has announced (`known_until()`); a year beyond that
comes only from the overrides, and `unknown_years` says which years of a span neither tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chinese_calendar import Holiday
from chinese_calendar import constants as known

from bufa.domain.calendars import Pause, PauseCode

_ZONE = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
_SOURCE = "chinesecalendar"

NAMES: Mapping[str, str] = {
    Holiday.new_years_day.value: "元旦",
    Holiday.spring_festival.value: "春节",
    Holiday.tomb_sweeping_day.value: "清明节",
    Holiday.labour_day.value: "劳动节",
    Holiday.dragon_boat_festival.value: "端午节",
    Holiday.national_day.value: "国庆节",
    Holiday.mid_autumn_festival.value: "中秋节",
    Holiday.anti_fascist_70th_day.value: "抗战胜利纪念日",
}


@dataclass(frozen=True, slots=True)
class Override:
    """One entry of a shop's own table: from the first to the last shop day a festival, or working days after all.

    `works`: these days are no holiday, whatever the package says. `platform`: the platform has announced that its own
    clocks stand still, too. `families`: of rules; none means all. `source`: where it was announced.
    """

    first: date
    last: date
    name: str = ""
    works: bool = False
    platform: bool = False
    families: frozenset[str] = frozenset()
    source: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a festival that ends before it begins: {self.first} to {self.last}")


def known_until() -> date:
    """The last day of the last year that the package knows."""
    return date(max(day.year for day in known.holidays), 12, 31)


def unknown_years(first: date, last: date, overrides: Iterable[Override] = ()) -> list[int]:
    """The years of the span that neither the package nor an override tells."""
    told = {day.year for day in known.holidays}
    for one in overrides:
        if not one.works:
            told |= {one.first.year, one.last.year}
    return [year for year in range(first.year, last.year + 1) if year not in told]


def pauses(
    first: date,
    last: date,
    overrides: Iterable[Override] = (),
    *,
    families: frozenset[str] = frozenset({"delivery"}),
) -> tuple[Pause, ...]:
    """The festivals that touch shop days from `first` to `last`, in order, as pauses of the shop's own rules.

    What the package knows moves only rules of `families` that are the shop's own: the platform keeps no holiday unless
    it says so, and then an override with `platform` stands for it. Of a festival that an override touches, the
    override's days hold.
    """
    ours = list(overrides)
    free = dict(_free_days(first, last))
    for one in ours:
        for day in _days(one.first, one.last):
            free.pop(day, None)
    found = [_pause(begins, ends, name, families) for begins, ends, name in _spans(free)]
    found += [
        Pause(
            PauseCode.FESTIVAL,
            _begin(one.first),
            _begin(one.last + _DAY),
            name=one.name,
            source=one.source,
            families=one.families,
            platform=one.platform,
        )
        for one in ours
        if not one.works and one.first <= last and one.last >= first
    ]
    return tuple(sorted(found, key=lambda pause: (pause.begins, pause.ends, pause.name)))


def _free_days(first: date, last: date) -> Iterator[tuple[date, str]]:
    """Holidays and the weekends inside them; work days that make up for them are none."""
    for day, name in known.holidays.items():
        if first <= day <= last:
            yield day, NAMES.get(str(name), str(name))


def _spans(free: Mapping[date, str]) -> Iterator[tuple[date, date, str]]:
    run: list[date] = []
    for day in sorted(free):
        if run and (day - run[-1] != _DAY or free[day] != free[run[-1]]):
            yield run[0], run[-1], free[run[0]]
            run = []
        run.append(day)
    if run:
        yield run[0], run[-1], free[run[0]]


def _pause(begins: date, ends: date, name: str, families: frozenset[str]) -> Pause:
    return Pause(
        PauseCode.FESTIVAL,
        _begin(begins),
        _begin(ends + _DAY),
        name=name,
        source=_SOURCE,
        families=families,
        platform=False,
    )


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), _ZONE).astimezone(UTC)


def is_workday(day: date) -> bool:
    """Whether people work on that day: make-up Saturdays do, festivals do not; in unknown years the week decides."""
    if day in known.workdays:
        return True
    return day not in known.holidays and day.weekday() < 5
