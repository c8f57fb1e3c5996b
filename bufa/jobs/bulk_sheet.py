"""The sheet of many reissues: read row by row, written as a template to fill in, and as the results to download."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from bufa.apps.reissues.bulk_check import SheetRow
from bufa.domain import waybills
from bufa.domain.outcome import Why
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_files import Unreadable, read_rows
from bufa.jobs.import_report import ImportReport, RowProblem
from bufa.lib.cells import safe

COLUMNS: Mapping[str, Sequence[str]] = {
    "reference": ("案件号", "案件", "订单编号", "主订单编号", "订单号", "case", "order", "order_number"),
    "carrier": ("补发承运商", "承运商", "快递公司", "物流公司", "快递"),
    "number": ("补发运单号", "运单号", "快递单号", "物流单号", "tracking_number", "waybill"),
    "items": ("补发商品", "子订单", "lines"),
}
"""Our name of each column, then the headers that files use; the first is the one that messages and docs name."""


def read_sheet(path: Path) -> list[SheetRow]:
    """Rows of a csv, xlsx or jsonl. A row that can't be read comes with its `problem` instead of being left out.
    Rows with no number at all (a template half filled in) are passed over. Raises Unreadable for the whole file."""
    report = ImportReport("reissues")
    rows = [
        row for row in (_row(each, report) for each in read_rows(path, COLUMNS, ("reference", "number"), report)) if row
    ]
    told = {row.row for row in rows}
    rows += [SheetRow(one.row, "", problem=_why(one)) for one in report.problems if one.row and one.row not in told]
    return sorted(rows, key=lambda row: row.row)


def read_text(text: str) -> list[SheetRow]:
    """What was copied from a spreadsheet: with a header, or without (then: case or order, carrier, number, items)."""
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if not lines:
        return []
    delimiter = max("\t,;", key=lines[0].count)
    names = {"".join(name.split()).lower() for every in COLUMNS.values() for name in every} | set(COLUMNS)
    cells = [cell.strip().lower() for cell in lines[0].split(delimiter)]
    if not any(cell in names for cell in cells):
        longest = max(line.count(delimiter) + 1 for line in lines)
        head = ("reference", "carrier", "number", "items")[: max(longest, 3)]
        width = len(head)
        lines = [delimiter.join(head), *(_padded(line, delimiter, width) for line in lines)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pasted.csv")
        path.write_text("\n".join(lines), encoding="utf-8")
        return read_sheet(path)


def _padded(line: str, delimiter: str, width: int) -> str:
    return line + delimiter * max(width - 1 - line.count(delimiter), 0)


def _row(row: Any, report: ImportReport) -> SheetRow | None:
    fields = Fields(row, report)
    before = len(report.problems)
    number = waybills.clean(fields.identifier("number", limit=80))
    reference = fields.identifier("reference", limit=40).upper()
    carrier = fields.text("carrier", limit=40)
    items = fields.text("items", limit=2_000)
    broken = report.problems[before:]
    if broken:
        return SheetRow(row.number, reference, carrier, number[:40], problem=_why(broken[0]))
    if not number and (reference or not carrier):
        return None
    return SheetRow(row.number, reference, carrier, number, items)


def _why(problem: RowProblem) -> Why:
    """A problem of the file as a reason; its words are those of every import."""
    return Why(f"sheet_{problem.code}", {**problem.params, "column": problem.column})


def template(rows: Iterable[Sequence[str]], notes: Sequence[str]) -> bytes:
    """An xlsx to fill in: one row a case that waits for a number. `rows`: case code, carrier, what is wrong, goods."""
    return write_xlsx(("案件号", "补发承运商", "补发运单号", "补发商品", *notes), rows)


def write_xlsx(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """One sheet; every cell is text, so that a long number keeps its digits and nothing is ever a formula."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        sheet.set_column(0, len(head) - 1, 22, text)
        sheet.freeze_panes(1, 0)
        for at, name in enumerate(head):
            sheet.write_string(0, at, str(name), bold)
        for line, cells in enumerate(rows, start=1):
            for at, cell in enumerate(cells):
                sheet.write_string(line, at, safe(str(cell)), text)
    return out.getvalue()


__all__ = ["COLUMNS", "Unreadable", "read_sheet", "read_text", "template", "write_xlsx"]
