"""A hundred texts that a spreadsheet would run, through every sheet that we make: none is a formula, none is lost."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from itertools import product

import pytest
import python_calamine

from bufa.jobs import bulk_sheet, carrier_sheet
from bufa.lib.cells import safe
from bufa.web import insights

BEFORE = ("", " ", "\t", "\r", "\n", "\u00a0", "\u3000", "\ufeff", "\x00", "\x01\x02")
FORMULAS = (
    '=HYPERLINK("http://evil.example","click")', "=1+1", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0", "＝1+1", "＋1", "－1", "＠SUM(1)", '=IMPORTXML("http://evil.example","//a")',
)  # fmt: skip
PAYLOADS = [before + formula for before, formula in product(BEFORE, FORMULAS)]

Write = Callable[[str], bytes]
SHEETS: dict[str, Write] = {
    "bulk": lambda text: bulk_sheet.write_xlsx(["头"], [[text]]),
    "template": lambda text: bulk_sheet.template([(text, text, text, text)], ["注"]),
    "carrier": lambda text: carrier_sheet.write_sheet([carrier_sheet.AskedRow(text, (text,) * 9)], "中通", "店"),
    "insights": lambda text: insights.workbook([("表", [["头", "数"], [text, 3]])]),
}


def test_there_are_a_hundred() -> None:
    assert len(set(PAYLOADS)) == 100


@pytest.mark.parametrize("name", SHEETS)
def test_no_sheet_holds_a_formula(name: str) -> None:
    for text in PAYLOADS:
        made = SHEETS[name](text)
        with zipfile.ZipFile(io.BytesIO(made)) as book:
            for part in book.namelist():
                if part.startswith("xl/worksheets/"):
                    assert re.search(rb"<f[ >/]", book.read(part)) is None, (name, text)
        rows = python_calamine.load_workbook(io.BytesIO(made)).get_sheet_by_index(0).to_python()
        cell = str(rows[1][0])
        assert cell.startswith("'"), (name, text)
        # Programs differ in what they make of control characters; every visible one is still there.
        assert re.sub(r"[^\S ]|[\x00-\x1f\ufeff]|_x00\d\d_", "", cell[1:]).strip() == visible(text), (name, text)


def visible(text: str) -> str:
    return re.sub(r"[^\S ]|[\x00-\x1f\ufeff]", "", text).strip()


def test_saved_as_csv_no_field_begins_like_a_formula() -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([[safe(text)] for text in PAYLOADS])
    assert all(row[0].startswith("'") for row in csv.reader(io.StringIO(out.getvalue(), newline="")))


@pytest.mark.parametrize("text", ["", "青禾鲜果", "YT8888000000001", "13800000000", "3 件", "’引号", "（备注）=1"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text
