"""A trace that somebody copied from a carrier's page, as free text → dated scans, and the lines that say no time.

Pages write dates in many ways, before or behind the text, on a line of their own, or once a day with times below.
Nothing is guessed: a line whose time can't be told comes back unread. Times without a zone are the shop's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bufa.domain.rulebook import SHOP_ZONE

MOST_LINES = 400
_AHEAD = timedelta(days=2)
"""A date without a year that lies further ahead than this means the year before."""


@dataclass(frozen=True, slots=True)
class PastedScan:
    """One dated line. `at` is UTC; `text` is without its date."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Pasted:
    """`scans` oldest first, each once. `unread`: lines with words but no time that belongs to them."""

    scans: tuple[PastedScan, ...]
    unread: tuple[str, ...]


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAY_WORDS = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2, "today": 0, "yesterday": 1}

_DATE = re.compile(
    r"(?<![\d.])(?:"
    r"(?P<y1>20\d\d)\s?[-/.年]\s?(?P<m1>\d{1,2})\s?[-/.月]\s?(?P<d1>\d{1,2})\s?日?"
    r"|(?P<y4>20\d\d)(?P<m4>[01]\d)(?P<d4>[0-3]\d)(?=[\sT]\d{1,2}:)"
    r"|(?P<m2>\d{1,2})\s?月\s?(?P<d2>\d{1,2})\s?日"
    r"|(?P<m3>[01]?\d)[-/](?P<d3>[0-3]?\d)(?![-/\d])(?=\s*(?:\(?(?:周|星期)[一二三四五六日天]\)?)?[\sT,，]*(?:[上下]午|凌晨|晚上|中午)?\s*\d{1,2}[:：]\d{2}|\s*$)"
    r"|(?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?P<d5>\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(?P<y5>20\d\d))?"
    r"|(?P<d6>\d{1,2})\s+(?P<mon6>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s+(?P<y6>20\d\d)"
    r"|(?P<word>今天|今日|昨天|昨日|前天|today|yesterday)"
    r")",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<![\d:：])(?P<before>凌晨|早上|上午|中午|下午|傍晚|晚上)?\s*(?P<h>[01]?\d|2[0-3])\s?[:：时點点]\s?(?P<min>[0-5]\d)"
    r"(?:\s?[:：分]\s?(?P<s>[0-5]\d)(?:\.\d+)?)?分?秒?\s*(?P<half>[ap]\.?m\.?)?(?P<zone>Z|[+-]\d\d:?\d\d)?(?![\d:：])",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(
    r"\(?（?(?:周|星期)[一二三四五六日天]）?\)?|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b,?", re.IGNORECASE
)
_EDGES = " \t,，;；|·•-—:：>◆●○▪T\u3000"


@dataclass(slots=True)
class _Line:
    """What one line holds: a day, a time, and the words around them."""

    day: date | None
    clock: time | None
    zone: timedelta | None
    words: str


def parse(text: str, now: datetime) -> Pasted:
    """Read pasted text. `now` settles years and words such as 昨天; scans from more than two days ahead stay unread."""
    lines = [line for raw in text.splitlines()[:MOST_LINES] if (line := " ".join(raw.replace("\u00a0", " ").split()))]
    found: dict[tuple[datetime, str], PastedScan] = {}
    unread: list[str] = [line.strip() for line in text.splitlines()[MOST_LINES:] if line.strip()]
    for at, words in _entries([_read(line, now) for line in lines], unread):
        if at is None or at > now + _AHEAD:
            unread.append(words)
        else:
            found.setdefault((at, words), PastedScan(at, words))
    return Pasted(tuple(sorted(found.values(), key=lambda scan: (scan.at, scan.text))), tuple(unread))


Entry = tuple[datetime | None, str]


def _entries(lines: list[_Line], unread: list[str]) -> Iterator[Entry]:
    """Pair times with words: on the same line, in the lines below a time, or in the lines above one.

    Which of the two, the first line says, where no line holds both: what begins with words has its times below them.
    """
    inline = any(line.clock is not None and line.words for line in lines)
    first = next((line for line in lines if line.words or line.clock or line.day), None)
    if first is not None and not inline and first.clock is None and first.day is None:
        return _words_first(lines, unread)
    return _times_first(lines, unread)


def _words_first(lines: list[_Line], unread: list[str]) -> Iterator[Entry]:
    said: list[str] = []
    day: date | None = None
    for line in lines:
        day = line.day or day
        if line.words:
            said.append(line.words)
        if line.clock is not None and said:
            yield _at(line, day), " ".join(said)
            said = []
    unread.extend(said)


def _times_first(lines: list[_Line], unread: list[str]) -> Iterator[Entry]:
    """`waiting`: a time whose words come in the lines below. `bare`: a time whose day comes in the next line."""
    day: date | None = None
    waiting: datetime | None = None
    bare: _Line | None = None
    said: list[str] = []
    for line in lines:
        if line.clock is None and line.day is None:
            (said if waiting is not None else unread).append(line.words)
            continue
        if waiting is not None and said:
            yield waiting, " ".join(said)
            said, waiting = [], None
        day = line.day or day
        if line.clock is None:
            waiting, bare = (None if bare is None else _at(bare, day)), None
            unread.extend([line.words] if line.words else [])
        elif line.words:
            yield _at(line, day), line.words
            waiting = bare = None
        else:
            # A time alone: of the day above it, unless the next line names its own.
            bare, waiting = (line if line.day is None else None), _at(line, day)
    if waiting is not None and said:
        yield waiting, " ".join(said)


def _at(line: _Line, day: date | None) -> datetime | None:
    return None if line.clock is None or day is None else _instant(day, line.clock, line.zone)


def _read(line: str, now: datetime) -> _Line:
    """Take the first date and the first time out of a line."""
    rest, day, clock, zone = line, None, None, None
    dated = _DATE.search(rest)
    if dated is not None:
        day = _day(dated, now)
        if day is not None:
            rest = rest[: dated.start()] + "\x00" + rest[dated.end() :]
    timed = _time_of(rest, has_day=day is not None)
    if timed is not None:
        clock, zone = _clock(timed)
        if clock is not None:
            rest = rest[: timed.start()] + "\x00" + rest[timed.end() :]
    if day is None and clock is None:
        return _Line(None, None, None, line)
    rest = _WEEKDAY.sub(" ", rest, count=1) if "\x00" in rest else rest
    words = " ".join(part.strip(_EDGES) for part in rest.split("\x00") if part.strip(_EDGES))
    return _Line(day, clock, zone, " ".join(words.split()))


def _time_of(rest: str, *, has_day: bool) -> re.Match[str] | None:
    """The line's time: beside its date, else at an edge. A time in the middle of words is what the words are about."""
    for timed in _TIME.finditer(rest):
        before, behind = rest[: timed.start()].strip(_EDGES), rest[timed.end() :].strip(_EDGES)
        if has_day:
            near = rest[: timed.start()].rstrip(_EDGES + "()（）周星期一二三四五六日天").endswith("\x00")
            if near or behind.startswith("\x00") or not before:
                return timed
        elif not before or not behind:
            return timed
    return None


def _clock(timed: re.Match[str]) -> tuple[time | None, timedelta | None]:
    hour, minute, second = int(timed["h"]), int(timed["min"]), int(timed["s"] or 0)
    half, word = (timed["half"] or "").lower().replace(".", ""), timed["before"] or ""
    if (half == "pm" or word in ("下午", "傍晚", "晚上")) and hour < 12:
        hour += 12
    elif (half == "am" and hour == 12) or (word == "凌晨" and hour == 12):
        hour = 0
    zone = None
    if timed["zone"]:
        given = timed["zone"].upper().replace(":", "")
        hours = 0 if given == "Z" else int(given[:3])
        minutes = 0 if given == "Z" else int(given[0] + given[3:])
        zone = timedelta(hours=hours, minutes=minutes)
    return time(hour, minute, second), zone


def _day(dated: re.Match[str], now: datetime) -> date | None:
    here = now.astimezone(SHOP_ZONE).date()
    if dated["word"]:
        return here - timedelta(days=_DAY_WORDS[dated["word"].lower()])
    year = dated["y1"] or dated["y4"] or dated["y5"] or dated["y6"]
    name = dated["mon"] or dated["mon6"]
    month = _MONTHS.index(name.lower()) + 1 if name else int(dated["m1"] or dated["m2"] or dated["m3"] or dated["m4"])
    day = int(dated["d1"] or dated["d2"] or dated["d3"] or dated["d4"] or dated["d5"] or dated["d6"])
    try:
        if year:
            return date(int(year), month, day)
        this = date(here.year, month, day)
        return this if this <= here + _AHEAD else date(here.year - 1, month, day)
    except ValueError:
        return None


def _instant(day: date, clock: time, zone: timedelta | None) -> datetime:
    moment = datetime.combine(day, clock)
    if zone is not None:
        return (moment - zone).replace(tzinfo=UTC)
    return moment.replace(tzinfo=SHOP_ZONE).astimezone(UTC)
