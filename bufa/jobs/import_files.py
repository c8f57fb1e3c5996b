"""Files as rows: csv in UTF-8 or GBK, xlsx, jsonl. What a row lacks is found here; what it means is not."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import python_calamine

from bufa.jobs.import_report import Effect, ImportReport, RowProblem

csv.field_size_limit(1024 * 1024)

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet counts, and what stands in it under our names of columns. `message` is the
    JSON of a row as it came, None for rows of tables."""

    number: int
    values: Mapping[str, Any]
    message: Any = None


class Unreadable(Exception):
    """The whole file can't be taken; `problem` says why."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = RowProblem(0, "", code, Effect.FILE, params)


def read_rows(
    path: Path,
    names: Mapping[str, Sequence[str]],
    required: Sequence[str],
    report: ImportReport,
    *,
    messages: bool = False,
) -> Iterator[Row]:
    """Rows of a file, one at a time. Raises Unreadable before the first one when columns are missing.

    `names`: our column name → what its header may be called. Broken rows are written into the report and left out.
    `messages`: JSON of any form is a row, a list among it, for who can read it whole.
    """
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson", ".json"):
        yield from _json(path, names, report, messages=messages)
    elif suffix in (".xlsx", ".xlsm", ".xls", ".ods"):
        yield from _table(_sheet(path), names, required, report)
    elif suffix in (".csv", ".txt", ".tsv"):
        yield from _table(_csv(path, report), names, required, report)
    else:
        raise Unreadable("file_kind", suffix=suffix or path.name)


def decode(raw: bytes) -> str:
    """Text of a csv: UTF-8 with or without mark, UTF-16 with mark, else GB18030. A file that was cut in the middle of
    a character is still UTF-8. Raises Unreadable."""
    if raw.startswith(_UTF16):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError:
            raise Unreadable("encoding_unknown") from None
    if b"\x00" in raw[:4096]:
        raise Unreadable("file_unreadable")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")("strict").decode(raw, final=False)
    except UnicodeDecodeError:
        pass
    try:
        return codecs.getincrementaldecoder("gb18030")("strict").decode(raw, final=False)
    except UnicodeDecodeError:
        raise Unreadable("encoding_unknown") from None


def _csv(path: Path, report: ImportReport) -> Iterator[tuple[int, list[Any]]]:
    text = decode(path.read_bytes())
    if not text.strip():
        raise Unreadable("file_empty")
    head = text.splitlines()[0]
    delimiter = max((",", "\t", ";"), key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # An open quote swallows everything to the end of the file: that is where it was cut.
            report.rows += 1
            report.problems.append(RowProblem(start, "", "row_cut"))
            if reader.line_num >= text.count("\n"):
                return
            start = reader.line_num + 1
            continue
        yield start, list(cells)
        start = reader.line_num + 1


def _sheet(path: Path) -> Iterator[tuple[int, list[Any]]]:
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError, IndexError):
        raise Unreadable("file_unreadable") from None
    for number, cells in enumerate(rows, start=1):
        yield number, list(cells)


def _table(
    lines: Iterator[tuple[int, list[Any]]],
    names: Mapping[str, Sequence[str]],
    required: Sequence[str],
    report: ImportReport,
) -> Iterator[Row]:
    header: list[str] | None = None
    for number, cells in lines:
        if not any(str(cell).strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, names, required)
            continue
        report.rows += 1
        while len(cells) > len(header) and not str(cells[-1]).strip():
            cells.pop()
        if len(cells) != len(header):
            code = "row_cut" if len(cells) < len(header) else "row_too_long"
            report.problems.append(RowProblem(number, "", code))
            continue
        yield Row(number, {name: cell for name, cell in zip(header, cells, strict=True) if name})
    if header is None:
        raise Unreadable("file_empty")


def _header(cells: Sequence[Any], names: Mapping[str, Sequence[str]], required: Sequence[str]) -> list[str]:
    """Our names of the columns, "" for those that we don't take."""
    ours = {_plain(written): name for name, all_written in names.items() for written in (name, *all_written)}
    header = [ours.get(_plain(str(cell)), "") for cell in cells]
    missing = [name for name in required if name not in header]
    if missing:
        raise Unreadable("columns_missing", names="、".join(names[name][0] for name in missing), columns=missing)
    return [name if name not in header[:place] else "" for place, name in enumerate(header)]


def _plain(written: str) -> str:
    return "".join(written.replace("\ufeff", "").split()).strip("*:：").lower()


def _json(path: Path, names: Mapping[str, Sequence[str]], report: ImportReport, *, messages: bool) -> Iterator[Row]:
    """One object a line; or the whole file is one object, or a list of them, whose rows are counted from 1."""
    ours = {_plain(written): name for name, all_written in names.items() for written in (name, *all_written)}
    text = decode(path.read_bytes())
    if not text.strip():
        raise Unreadable("file_empty")
    for number, told in _objects(text):
        report.rows += 1
        if isinstance(told, dict):
            yield Row(number, {ours.get(_plain(key)) or key: value for key, value in told.items() if key}, told)
        elif messages and isinstance(told, list):
            yield Row(number, {}, told)
        else:
            report.problems.append(RowProblem(number, "", "not_json"))


def _objects(text: str) -> Iterator[tuple[int, Any]]:
    """(row, value) of each line, None for one that is no JSON; of the whole text where a first line alone is none."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if _loaded(lines[0][1]) is None or len(lines) == 1:
        whole = _loaded(text)
        if isinstance(whole, list):
            yield from enumerate(whole, start=1)
            return
        if whole is not None:
            yield 1, whole
            return
    for number, line in lines:
        yield number, _loaded(line)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
