"""Many parcels of one carrier at the desk: one sheet and text out, answers pasted, read back and accepted."""

from __future__ import annotations

import io

import python_calamine
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.cases.models import Case
from bufa.apps.negotiations import answers
from bufa.apps.negotiations.models import Consent
from bufa.jobs.carrier_sheet import ANSWERED, ASKED, AskedRow, read_sheet, write_sheet
from bufa.lib.tenancy import for_shops
from tests.factories import NOW
from tests.factories.sample import Sample


def number(sample: Sample, name: str) -> str:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids[name]).parcel.number


def test_pasted_split_and_accepted_with_one_press(sample: Sample, owner: Client) -> None:
    at = "/carriers/zhongtong/"
    page = owner.get(at).content.decode()
    assert number(sample, "asking") in page
    assert f"{number(sample, 'asking')} 快件疑似丢失" in page
    text = f"{number(sample, 'asking')} 丢了，同意补发，赔60\n{number(sample, 'fresh')} 明天送到\n7399999999999 丢了"
    page = owner.post(f"{at}paste/", {"text": text}).content.decode()
    assert "读出 2 条答复" in page
    assert "7399999999999" in page
    assert owner.post(f"{at}paste/", {"text": ""}).status_code == 422
    first, second = answers.waiting([sample.shop_id])
    case = f"/cases/{sample.shop_id}/{sample.cases['asking']}/"
    assert "同意补发" in owner.get(case).content.decode()
    mine = first if first.number == number(sample, "asking") else second
    answer = owner.post(f"/carriers/answers/{sample.shop_id}/{mine.answer_id}/accept/", {"at": case})
    assert answer["Location"] == case
    with for_shops([sample.shop_id]):
        assert Consent.objects.filter(case_id=sample.ids["asking"], result="given").count() == 1
    many = {"answer": [one.answer_id for one in (first, second)], "at": "//evil.example/"}
    answer = owner.post(f"/carriers/answers/{sample.shop_id}/accept/", many)
    assert answer["Location"] == "/carriers/"
    page = owner.get("/carriers/").content.decode()
    assert "已经有人处理了" in page
    assert answers.waiting([sample.shop_id]) == ()


def test_two_hundred_rows_go_out_and_come_back_by_waybill(tmp_path: object) -> None:
    rows = [
        AskedRow(f"7310000000{at:04d}", ("=1+1", "0001", "丢失", "", "", "杯子", "89.00", "请核实"))
        for at in range(200)
    ]
    sent = (
        python_calamine.load_workbook(io.BytesIO(write_sheet(rows, "中通快递", "店"))).get_sheet_by_index(0).to_python()
    )
    assert sent[0] == [*ASKED, *ANSWERED]
    assert len(sent) == 201
    assert sent[1][:2] == ["73100000000000", "'=1+1"]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, name in enumerate([*ASKED, *ANSWERED]):
            sheet.write(0, at, name)
        told = [("遗失", "同意", 60, "承运商"), ("在途", "不同意", "", ""), ("核实中", "", "", ""), ("", "", "", "")]
        for at in range(200):
            sheet.write_string(at + 1, 0, f"7310000000{at:04d}")
            for column, cell in enumerate(told[at % 4]):
                sheet.write(at + 1, len(ASKED) + column, cell)
            if at % 4 == 1:
                sheet.write_datetime(at + 1, len(ASKED) + 4, NOW.replace(day=23, tzinfo=None), day)
        sheet.write_string(201, 0, "")
        sheet.write_string(201, len(ASKED), "遗失")
    path = tmp_path / "back.xlsx"  # type: ignore[operator]
    path.write_bytes(out.getvalue())
    found, report = read_sheet(path, NOW)
    assert (report.rows, report.taken) == (201, 200)
    assert [problem.row for problem in report.problems] == [202]
    said = {one.number: one.said for one in found if not one.said.is_empty}
    assert len(said) == 100
    lost, moving = said["73100000000000"], said["73100000000001"]
    assert (lost.consent, lost.claim, lost.amount_fen, lost.freight_by) == (True, "lost", 6000, "carrier")
    assert (moving.consent, moving.claim, str(moving.promise_on)) == (False, "moving", "2026-11-23")


def test_the_returned_sheet_is_taken_at_the_desk(sample: Sample, owner: Client) -> None:
    sent = owner.get("/carriers/zhongtong/sheet.xlsx")
    rows = python_calamine.load_workbook(io.BytesIO(sent.content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[1:]] == [number(sample, "asking")]
    raw = f"运单号,核实结果,是否同意补发,赔付金额\n{rows[1][0]},遗失,同意,55\n999,丢了,,\n".encode()
    page = owner.post("/carriers/zhongtong/read-back/", {"file": SimpleUploadedFile("回.csv", raw)}).content.decode()
    assert "读出 1 条答复" in page
    [one] = answers.waiting([sample.shop_id])
    assert (one.said.consent, one.said.amount_fen, one.source) == (True, 5500, "sheet")
    assert (
        owner.post("/carriers/zhongtong/read-back/", {"file": SimpleUploadedFile("x.xlsx", b"no")}).status_code == 200
    )
    assert owner.get("/carriers/yunda/sheet.xlsx").status_code == 303


def test_papers_from_the_case_and_their_layout(sample: Sample, owner: Client, signed_in: object) -> None:
    at = f"/cases/{sample.shop_id}/{sample.cases['asking']}/"
    assert "材料：2 / 5 齐了" in owner.get(at).content.decode()
    for paper in ("application", "order_info"):
        answer = owner.get(f"{at}paper/{paper}.pdf?note=%E6%80%A5")
        assert (answer["Content-Type"], answer["Cache-Control"], answer.content[:5]) == (
            "application/pdf", "no-store", b"%PDF-",
        )  # fmt: skip
    assert owner.get(f"{at}paper/nothing.pdf").status_code == 404
    owner.post(f"{at}paper/tracks/", {"done": "1"})
    assert "材料：3 / 5 齐了" in owner.get(at).content.decode()
    assert owner.get("/carriers/zhongtong/applications.pdf").content[:5] == b"%PDF-"
    lead = signed_in("lead")  # type: ignore[operator]
    edit = "/settings/papers/?paper=application&carrier=zhongtong"
    page = lead.get(edit).content.decode()
    assert "异常件补发申请表" in page
    said = {"title": "我们的表", "rows": "单号: {运单号}\n工单号:", "signs": "盖章", "items": "on"}
    assert lead.post(edit, {**said, "try": "1"}).content[:5] == b"%PDF-"
    assert "没有这些可填的名称：{单号}" in lead.post(edit, {**said, "rows": "a: {单号}"}).content.decode()
    drawn = lead.post("/settings/papers/preview/?paper=application", said).content.decode()
    assert 'src="data:image/png;base64,iVBORw0KGgo' in drawn
    assert (
        "{单号}"
        in lead.post("/settings/papers/preview/?paper=application", {**said, "rows": "a: {单号}"}).content.decode()
    )
    assert "标题：" in lead.post("/settings/papers/preview/?paper=application", {**said, "title": ""}).content.decode()
    assert lead.post(edit, said).status_code == 303
    assert "我们的表" in lead.get(edit).content.decode()
    assert lead.get("/settings/papers/sample.pdf?paper=application&carrier=zhongtong").content[:5] == b"%PDF-"
    assert lead.post(edit, {"restore": "1"}).status_code == 303
    assert "我们的表" not in lead.get(edit).content.decode()
