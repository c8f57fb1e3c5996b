"""The mail to a carrier about many parcels with one cause: what they share once, then one line a parcel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bufa.domain.carrier_messages import ASKS, Ask, Mail, minute, one_line
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused

MOST_LINES = 100
"""Parcels in one mail; more are a further mail."""


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One parcel of the mail. `place` and `last_scan_at`: its newest scan, where there is one."""

    case_code: str
    waybill: str
    destination: str = ""
    place: str = ""
    last_scan_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoundLetter:
    """One cause, many parcels. `reason` and `where` come in as words in the mail's language; `code` marks the answers;
    `where` is the place or the lane that they share, "" where only the carrier is."""

    code: str
    shop: str
    reason: str
    ask: Ask
    answer_by: datetime
    lines: Sequence[RoundLine]
    where: str = ""


def write_round(letter: RoundLetter, language: Language = Language.ZH) -> Mail:
    """The mail. Refused("letter_values_missing", names) when the carrier could not act on it; ValueError for more than
    `MOST_LINES` parcels."""
    missing = [name for name in ("code", "shop", "reason", "lines") if not getattr(letter, name)]
    if missing:
        raise Refused("letter_values_missing", names=missing)
    if len(letter.lines) > MOST_LINES:
        raise ValueError(f"at most {MOST_LINES} parcels go into one mail")
    count, due, ask = len(letter.lines), minute(letter.answer_by), ASKS[language][letter.ask]
    rows = "\n".join(_line(number, line, language) for number, line in enumerate(letter.lines, start=1))
    if language is Language.ZH:
        at = f"{letter.where} " if letter.where else ""
        subject = f"{at}{count} 票快件{_bare(letter.reason)}，请于 {due} 前回复 [{letter.code}]"
        body = (
            f"您好：\n\n我店以下 {count} 票快件出现同一异常（{letter.reason}"
            f"{'，' + letter.where if letter.where else ''}），请逐票核实。\n\n{rows}\n\n{_each(ask, language)}\n\n"
            f"请在 {due}（北京时间）前直接回复本邮件，并保留标题中的编号 {letter.code}；"
            f"逐票的结果请写在运单号后面。谢谢！\n\n{letter.shop}\n"
        )
    else:
        at = f"{letter.where}: " if letter.where else ""
        subject = f"{at}{count} parcels, {letter.reason}, please answer by {due} [{letter.code}]"
        where = f" ({letter.where})" if letter.where else ""
        body = (
            f"Hello,\n\n{count} of our parcels have the same problem: {letter.reason}{where}.\n\n{rows}\n\n"
            f"{_each(ask, language)}\n\nPlease answer this mail by {due} (Beijing time), keep {letter.code} in the "
            f"subject, and write what you found behind each waybill.\n\n{letter.shop}\n"
        )
    return Mail(one_line(subject), body)


def _line(number: int, line: RoundLine, language: Language) -> str:
    none, last, to = ("无轨迹", "最后轨迹", "目的地") if language is Language.ZH else ("no scan", "last scan", "to")
    scan = f"{minute(line.last_scan_at)} {line.place}".strip() if line.last_scan_at else none
    parts = [line.waybill, f"{to} {line.destination}" if line.destination else "", f"{last} {scan}", line.case_code]
    return f"{number}. " + one_line(" · ".join(part for part in parts if part))


def _bare(reason: str) -> str:
    """快件中途停滞 → 中途停滞: the subject has the word already."""
    return reason.removeprefix("快件").removeprefix("快递")


def _each(ask: str, language: Language) -> str:
    """The ask of a single letter, said of each of many."""
    if language is Language.ZH:
        return ask.replace("该件", "每一票")
    return ask.replace("this parcel is", "each of them is").replace("this parcel", "each of them")
