"""A pasted answer of a carrier, about many parcels at once, taken apart: which words are about which waybill.

Only waybills that we asked about are looked for. Where it is not plain whom a sentence is about, it is about nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bufa.domain.carrier_says import Said, read

MOST_CHARS = 100_000
_WIDE = {0xFEE0 + at: at for at in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))} | {0x3000: 0x20}
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Z]{0,4}\d[A-Z0-9]{7,23}(?![A-Za-z0-9])", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:尾号|后四位|末四位|尾数)\s*[:：为是]?\s*(\d{4,6})(?!\d)"
    r"|(?:^|(?<=[；;\n]))\s*(\d{4})(?=\s|[:：]|[\u4e00-\u9fff])"
)
_BETWEEN = re.compile(r"^[\s、,，/和与及&+;；]*$")
_QUOTED = re.compile(r"^\s*(?:>|》|\|\s*>)")
_ORIGINAL = re.compile(
    r"^-{2,}\s*(?:原始邮件|原邮件|Original Message|转发邮件)|^(?:在|On) .{6,80}(?:写道|wrote)[:：]?$|^发件人[:：]",
    re.IGNORECASE,
)
_CITED = re.compile(r"^\s*[「『“\"]")
"""A chat's quotation of what somebody asked: 「小周：YT… 什么情况」, a line of dashes, then the answer."""
_DASHES = re.compile(r"^\s*(?:[-—–_=]\s*){3,}$")
_LEGEND = re.compile(
    r"([\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff√×✓✗xX])\ufe0f?\s*(?:=|:|：|表示|是|代表)\s*([^\s,，;；、]{2,12})"
)
_SPEAKER = re.compile(r"^[^\n]{1,40}?\s+(?:20\d\d[-/.年])?\d{1,2}[-/.月]\d{1,2}日?\s+\d{1,2}:\d{2}(?::\d{2})?\s*$")
_LABEL = re.compile(r"^\s*(?:[\u4e00-\u9fff]{2,8}\s*[:：]|[【\[]\s*[\u4e00-\u9fff]{2,8}\s*[】\]]\s*\S)")
_NUMBER_LABEL = re.compile(r"[【\[]?(?:运单|快递|物流|面单)?单?号(?:码)?[】\]]?\s*[:：为是]?\s*$")
_HEADING = re.compile(r"以下|如下|[:：]\s*$|^【[^】]+】$|^[#＃]")
_LIST_MARK = re.compile(r"^\s*(?:\d{1,3}\s*[、.)）]|[-*•·●])\s*")
_CODE = re.compile(r"处理编号[:：]?\s*\w+|工单号?[:：]?\s*\w+|[（(](?:订单|工单)[^）)]*[)）]|订单号?[:：]?\s*\d+")
_CELLS = re.compile(r"\t|\s*\|\s*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said about one waybill; `words`: the text that it was read from."""

    number: str
    said: Said
    words: str


@dataclass(frozen=True, slots=True)
class Taken:
    """`answers`: what could be read, one a waybill. `unread`: waybills that are named, but nothing plain was said of
    them. `unknown`: numbers in the text that nobody asked about."""

    answers: tuple[Answer, ...]
    unread: tuple[str, ...]
    unknown: tuple[str, ...]


def take_apart(text: str, known: Iterable[str], now: datetime, *, about: str = "") -> Taken:
    """`known`: the waybills that we asked about. `about`: the one that the whole text is about where it names none, as
    an answer in the thread of one case does."""
    numbers = {one.upper() for one in known if one}
    lines = _lines(text)
    named, unknown = _named(lines, numbers)
    if not named and about and not unknown:
        words = "\n".join(line for line in lines if line)
        said = read(_bare(words), now)
        return Taken(() if said.is_empty else (Answer(about, said, words),), (about,) if said.is_empty else (), ())
    parts = _table(lines, numbers)
    if parts is None:
        parts = [_whole(lines, named)] if len(named) == 1 else _pieces(lines, numbers)
    heard: dict[str, list[tuple[Said, str]]] = {}
    for group, words, column_said in parts:
        said = column_said or read(_bare(words), now)
        for number in group:
            if not said.is_empty:
                heard.setdefault(number, []).append((said, words.strip()))
    answers = tuple(
        Answer(number, said, "\n".join(words for _, words in told))
        for number, told in heard.items()
        if not (said := _joined([one for one, _ in told])).is_empty
    )
    read_ = {one.number for one in answers}
    return Taken(answers, tuple(one for one in named if one not in read_), tuple(unknown))


_Piece = tuple[list[str], str, Said | None]


def _lines(text: str) -> list[str]:
    """Plain lines: odd widths and invisible signs gone, quotes and what they quote cut off."""
    plain = text[:MOST_CHARS].translate(_WIDE).replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(char for char in plain if char in "\n\t" or unicodedata.category(char)[0] != "C")
    lines: list[str] = []
    for line in plain.split("\n"):
        if _ORIGINAL.search(line.strip()):
            break
        if not _QUOTED.match(line):
            lines.append(line.rstrip(" "))
    return _spelled_out(lines)


def _spelled_out(lines: list[str]) -> list[str]:
    """Marks that the text itself explains (✅=同意补发) put into those words; the explanation is said of nobody."""
    marks: dict[str, str] = {}
    kept: list[str] = []
    for line in lines:
        found = _LEGEND.findall(line)
        if found and not _NUMBER.search(line):
            marks |= dict(found)
        else:
            kept.append(line)
    if not marks:
        return lines
    return ["".join(f"，{marks[char]}，" if char in marks else char for char in line) for line in kept]


def _named(lines: Sequence[str], known: set[str]) -> tuple[list[str], list[str]]:
    named: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for line in lines:
        for at in _found(line, known):
            named[at[2]] = None
        unknown |= dict.fromkeys(one for one in _numbers(line) if _known(one, known) is None)
    return list(named), list(unknown)


def _known(token: str, known: set[str]) -> str | None:
    """The waybill that a token is, also where words were typed right behind it (YT8800000000013ok)."""
    if token in known:
        return token
    bare = token.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return bare if bare != token and bare in known else None


def _numbers(line: str) -> list[str]:
    """Everything in a line that has the length of a waybill; numbers of orders and tickets are cut out."""
    return [one[0].upper() for one in _NUMBER.finditer(_CODE.sub(" ", line)) if len(one[0]) >= 10]


def _found(line: str, known: set[str]) -> list[tuple[int, int, str]]:
    """Where waybills that we know stand in a line, whole or by a tail that only one of them has."""
    hits = [
        (one.start(), one.start() + len(number), number)
        for one in _NUMBER.finditer(line)
        if (number := _known(one[0].upper(), known)) is not None
    ]
    if not hits:
        for one in _TAIL.finditer(line):
            tail = one[1] or one[2]
            fitting = [number for number in known if number.endswith(tail)]
            if len(fitting) == 1:
                hits.append((one.start(), one.end(), fitting[0]))
    return hits


def _whole(lines: Sequence[str], named: Sequence[str]) -> _Piece:
    """A text that names one waybill is about it: all of it, but for what others were asked."""
    return list(named), "\n".join(line for line in lines if not _SPEAKER.match(line)), None


def _pieces(lines: Sequence[str], known: set[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    heading = ""
    last: list[str] = []  # the waybills that a line of labels may go on about
    last_has_words = False
    for line in lines:
        if not line.strip() or _SPEAKER.match(line.strip()):
            last, last_has_words = [], False
            continue
        if _DASHES.match(line):
            continue
        if _CITED.match(line):  # what was asked, not what is said: the answer stands below
            last, last_has_words = list(dict.fromkeys(hit[2] for hit in _found(line, known))), False
            continue
        groups = _groups(line, known)
        strange = any(_known(one, known) is None for one in _numbers(line))
        if not groups:
            if strange:
                last, heading = [], ""
            elif last and (_LABEL.match(line) or not last_has_words):
                pieces.append((last, line, None))
            elif _HEADING.search(line.strip()):
                heading, last = line, []
            else:
                heading = ""
            continue
        if any(words for _, words in groups):
            heading = ""
        for numbers, words in groups:
            pieces.append((numbers, words or heading, None))
        last = groups[-1][0] if len(groups) == 1 else []
        last_has_words = bool(groups[-1][1]) or bool(heading)
    return pieces


def _groups(line: str, known: set[str]) -> list[tuple[list[str], str]]:
    """A line's waybills, neighbours together, each with the words that are about them: those behind, or those before
    where nothing stands behind."""
    line = _LIST_MARK.sub("", line) if _NUMBER.search(_LIST_MARK.sub("", line)) else line
    hits = _found(line, known)
    if not hits:
        return []
    together: list[list[tuple[int, int, str]]] = [[hits[0]]]
    for hit in hits[1:]:
        if _BETWEEN.match(line[together[-1][-1][1] : hit[0]]):
            together[-1].append(hit)
        else:
            together.append([hit])
    before = line[: hits[0][0]]
    ends = [group[0][0] for group in together[1:]] + [len(line)]
    behind = [line[group[-1][1] : end] for group, end in zip(together, ends, strict=True)]
    words = [_worth(text) for text in behind]
    if not words[-1] and _worth(before):
        starts = [0] + [group[-1][1] for group in together[:-1]]
        words = [_worth(line[start : group[0][0]]) for start, group in zip(starts, together, strict=True)]
    elif len(together) == 1 and _worth(before) and not _NUMBER_LABEL.search(before):
        words = [f"{_worth(before)}，{words[0]}"]
    return [([hit[2] for hit in group], text) for group, text in zip(together, words, strict=True)]


def _worth(text: str) -> str:
    """The text, "" where it only points at a number."""
    stripped = _NUMBER_LABEL.sub("", re.sub(r"^[@＠]\S+\s*", "", text.strip())).strip(" :：,，、;；-—>→[]【】()（）")
    return stripped if re.search(r"[\u4e00-\u9fffA-Za-z]", stripped) else ""


def _bare(words: str) -> str:
    """Words without numbers of waybills, orders and tickets: their digits are no money."""
    return re.sub(r"\d{9,}", " ", _NUMBER.sub(" ", _CODE.sub(" ", words)))


def _joined(told: Sequence[Said]) -> Said:
    """Several pieces about one waybill as one; where two contradict each other, neither counts."""
    whole = Said()
    for name in ("consent", "claim", "promise_on", "amount_fen", "freight_by"):
        values = {getattr(one, name) for one in told} - {None, ""}
        if len(values) == 1:
            whole = replace(whole, **{name: values.pop()})
    return whole


# --- tables ----------------------------------------------------------------------------------------------------------

_COLUMNS: Mapping[str, re.Pattern[str]] = {
    "number": re.compile(r"单号"),
    "consent": re.compile(r"同意|补发|是否补|意见"),
    "amount": re.compile(r"赔|金额"),
    "day": re.compile(r"预计|到达|送达|时间|日期"),
}
_YES = re.compile(r"^(?:同意|是|可以?|能|补发?|y|yes|ok|√|✓)", re.IGNORECASE)
_NO_NEED = re.compile(r"^(?:不需要|不用|无需|没必要)")
_NO = re.compile(r"^(?:不|否|拒|n$|no|×|✗)", re.IGNORECASE)


def _table(lines: Sequence[str], known: set[str]) -> list[_Piece] | None:
    """A copied table: cells by the words of its head. None where there is none."""
    rows = [
        [cell.strip() for cell in _CELLS.split(line.strip("|").rstrip(" |"))] for line in lines if _CELLS.search(line)
    ]
    rows = [row for row in rows if len(row) > 1 and not all(set(cell) <= set("-: ") for cell in row)]
    if len(rows) < 2 or not any("单号" in cell for cell in rows[0]):
        return None
    kinds = [next((name for name, words in _COLUMNS.items() if words.search(cell)), "") for cell in rows[0]]
    pieces: list[_Piece] = []
    for row in rows[1:]:
        numbers = [cell.upper() for cell in row if cell.upper() in known]
        if len(numbers) == 1:
            pieces.append((numbers, _row_words(row, kinds, known), None))
    return pieces


def _row_words(row: Sequence[str], kinds: Sequence[str], known: set[str]) -> str:
    """A row as a sentence, so that one reader reads both."""
    words: list[str] = []
    for at, cell in enumerate(row):
        kind = kinds[at] if at < len(kinds) else ""
        if not cell or cell.upper() in known:
            continue
        if kind == "consent":
            if _NO_NEED.match(cell):
                continue
            words.append("同意补发" if _YES.match(cell) else "不同意补发" if _NO.match(cell) else cell)
        elif kind == "amount":
            words.append(f"赔付{cell}" if re.match(r"^[￥¥]?\d", cell) else cell)
        elif kind == "day":
            words.append(f"预计{cell}送达")
        else:
            words.append(cell)
    return "，".join(words)
