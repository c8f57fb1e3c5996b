"""The sheet that goes to a carrier for many parcels, and its returned copy, read back row by row."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import xlsxwriter

from bufa.domain import waybills
from bufa.domain.carrier_says import Said, read
from bufa.domain.rulebook import SHOP_ZONE
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_files import Unreadable, read_rows
from bufa.jobs.import_report import Effect, ImportReport
from bufa.lib.cells import safe

ASKED = ("运单号", "案件号", "订单尾号", "问题", "揽收时间", "最后轨迹", "内件", "货值（元）", "请答复")
ANSWERED = ("核实结果", "是否同意补发", "赔付金额（元）", "运费谁承担", "预计送达", "说明")
"""What we fill in, and what the carrier does."""

RESULTS = ("在途", "遗失", "破损", "短少", "已签收", "已退回", "核实中")
COLUMNS: Mapping[str, Sequence[str]] = {
    "number": ("运单号", "快递单号", "物流单号", "单号"),
    "result": ("核实结果", "核实情况", "结果", "状态"),
    "consent": ("是否同意补发", "同意补发", "是否补发", "意见"),
    "amount": ("赔付金额（元）", "赔付金额", "赔付", "金额"),
    "freight": ("运费谁承担", "运费承担"),
    "day": ("预计送达", "预计到达", "预计送达时间"),
    "note": ("说明", "备注", "原因"),
}
_YES = re.compile(r"^(?:同意|是|可以?|能|补发?|y|yes|ok|√|✓)", re.IGNORECASE)
_NO = re.compile(r"^(?:不|否|拒|n$|no|×|✗)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One parcel that is asked about, every cell as text."""

    number: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """One row of the returned copy that says something."""

    row: int
    number: str
    said: Said
    words: str


def write_sheet(rows: Iterable[AskedRow], carrier: str, shop: str) -> bytes:
    """The xlsx: our columns grey, theirs to fill in with lists to choose from; nothing in it is a formula."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("请核实")
        text = book.add_format(
            {"num_format": "@", "text_wrap": True, "valign": "top", "border": 1, "bg_color": "#F3F4F7"}
        )
        open_ = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "border": 1})
        head = book.add_format({"bold": True, "num_format": "@", "border": 1, "bg_color": "#DDE1EA", "text_wrap": True})
        theirs = book.add_format(
            {"bold": True, "num_format": "@", "border": 1, "bg_color": "#FFE9B8", "text_wrap": True}
        )
        for at, name in enumerate((*ASKED, *ANSWERED)):
            sheet.write_string(0, at, name, head if at < len(ASKED) else theirs)
        count = 0
        for line, row in enumerate(rows, start=1):
            for at, cell in enumerate((row.number, *row.cells)):
                sheet.write_string(line, at, safe(cell), text)
            for at in range(len(ASKED), len(ASKED) + len(ANSWERED)):
                sheet.write_blank(line, at, None, open_)
            count = line
        _choices(sheet, count)
        for at, width in enumerate((19, 18, 9, 14, 15, 24, 28, 10, 22, 11, 13, 12, 12, 13, 26)):
            sheet.set_column(at, at, width)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(count, 1), len(ASKED) + len(ANSWERED) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        book.set_properties({"title": f"{carrier} 异常件核实", "author": shop})
    return out.getvalue()


def _choices(sheet: xlsxwriter.worksheet.Worksheet, count: int) -> None:
    for at, words in ((0, RESULTS), (1, ("同意", "不同意")), (3, ("承运商", "店铺"))):
        column = len(ASKED) + at
        if count:
            sheet.data_validation(
                1, column, count, column, {"validate": "list", "source": list(words), "error_type": "information"}
            )


def read_sheet(path: Path, now: datetime) -> tuple[list[AnsweredRow], ImportReport]:
    """Rows of the returned copy; those without an answer are counted and passed over, broken ones named."""
    report = ImportReport("answers")
    found: list[AnsweredRow] = []
    try:
        for row in read_rows(path, COLUMNS, ("number",), report):
            fields = Fields(row, report)
            number = waybills.clean(fields.identifier("number", limit=80, required=True))
            words = {name: fields.text(name, limit=500) for name in ("result", "consent", "freight", "note")}
            amount = fields.fen("amount")
            at = fields.time("day", effect=Effect.FIELD) if _is_date(row.values.get("day")) else None
            told = "" if at else fields.text("day", limit=80)
            if fields.refused:
                continue
            said = _said(words, amount, at, told, now)
            shown = "，".join(part for part in (*words.values(), told or (f"{at:%m-%d}" if at else "")) if part)
            report.taken += 1
            if not said.is_empty or shown:
                found.append(AnsweredRow(row.number, number, said, shown))
    except Unreadable as unreadable:
        report.problems.append(unreadable.problem)
    return found, report


def _said(words: Mapping[str, str], amount: int, at: datetime | None, told: str, now: datetime) -> Said:
    text = "，".join(part for part in (words["result"], words["note"], f"预计{told}送达" if told else "") if part)
    said = read(text, now)
    consent = words["consent"]
    if _YES.match(consent):
        said = replace(said, consent=True)
    elif _NO.match(consent):
        said = replace(said, consent=False)
    if amount:
        said = replace(said, amount_fen=amount)
    if at is not None:
        said = replace(said, promise_on=at.astimezone(SHOP_ZONE).date())
    if words["freight"]:
        carrier = any(word in words["freight"] for word in ("承运商", "快递", "我司", "网点", "我方"))
        said = replace(said, freight_by="carrier" if carrier else "shop" if "店" in words["freight"] else "")
    return said


def _is_date(raw: object) -> bool:
    return not isinstance(raw, str) or bool(re.match(r"^\s*\d{4}[-/.年]", raw))
