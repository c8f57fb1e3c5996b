"""The insights page says what the sample's cases add up to; its workbook says the same."""

from __future__ import annotations

import io

from django.test import Client
from python_calamine import CalamineWorkbook

from tests.factories.sample import Sample


def test_the_page_adds_up(sample: Sample, owner: Client) -> None:
    page = owner.get("/insights/").content.decode()
    assert "<span>立案</span><b>8</b>" in page
    assert "其中 1 个已结案" in page
    assert "中通" in page
    assert page.count("<table") >= 4, "each chart has its table"
    empty = owner.get("/insights/?first=2026-01-01&last=2026-01-02").content.decode()
    assert "这几天没有案件" in empty


def test_days_that_make_no_sense_are_refused(sample: Sample, owner: Client) -> None:
    answer = owner.get("/insights/?first=2026-11-20&last=2026-11-01")
    assert answer.status_code == 422
    assert "要在开始那天以后" in answer.content.decode()
    answer = owner.get("/insights/?first=2026-01-01&last=2026-11-01")
    assert "一次最多看 92 天" in answer.content.decode()


def test_the_workbook_says_the_same(sample: Sample, owner: Client) -> None:
    answer = owner.get("/insights/insights.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == ["每天", "等谁", "异常", "承运商", "网点", "对客户"]
    days = book.get_sheet_by_name("每天").to_python()
    assert sum(row[1] for row in days[1:]) == 8
    carriers = book.get_sheet_by_name("承运商").to_python()
    assert [(row[0], row[2]) for row in carriers[1:]] == [("中通快递", 8.0)]
