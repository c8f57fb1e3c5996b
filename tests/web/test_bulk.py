"""A sheet on its way through the desk: uploaded, looked through, submitted, followed, downloaded."""

from __future__ import annotations

import io
from collections.abc import Callable

import python_calamine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.jobs import bulk as job
from bufa.jobs import bulk_sheet
from tests.factories.sample import Sample

SignIn = Callable[[str], Client]
FRESH = "YT8888000000001"


def upload(client: Client, sample: Sample, key: str = "a" * 32) -> str:
    text = f"案件号,补发承运商,补发运单号\n{sample.cases['numbering']},圆通,{FRESH}\n=1+1,圆通,YT8888000000002\n"
    file = SimpleUploadedFile("=补发.csv", text.encode("gbk"))
    answer = client.post("/reissues/", {"key": key, "file": file, "text": ""})
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"])


def test_a_sheet_from_upload_to_results(sample: Sample, signed_in: SignIn) -> None:
    lead = signed_in("lead")
    run = upload(lead, sample)
    assert upload(lead, sample) == run  # pressed twice
    page = lead.get(run).content.decode()
    assert "没有“=1+1”这个案件" in page
    assert "会被罚" in page
    about = {"shop_id": sample.shop_id, "run_id": int(run.split("/")[3])}

    lead.post(f"{run}start/")
    assert "没有选中任何一行" in lead.get(run).content.decode()
    assert lead.post(f"{run}take/", {"row": "2", "at": "show=all#row2"})["Location"] == f"{run}?show=all#row2"
    lead.post(f"{run}start/", {"override_reason": "客户急用"})
    assert job.work_off(**about) is True

    moving = lead.get(f"{run}rows/").content.decode()
    assert "正在提交" in moving
    assert 'hx-trigger="every 2s"' in moving
    assert "data-take-back" in moving
    lead.post(f"{run}stop/")
    page = lead.get(run).content.decode()
    assert "接着提交" in page
    assert 'hx-trigger="every 2s"' not in page

    body = lead.get(f"{run}results.xlsx").content
    cells = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert cells[1][:6] == ["2", sample.cases["numbering"], sample.cases["numbering"], cells[1][3], "圆通速递", FRESH]
    assert cells[1][7] == "停下"
    assert cells[2][1] == "'=1+1"
    assert b"<f>" not in body


def test_chosen_cases_get_their_numbers_in_one_go(sample: Sample, signed_in: SignIn) -> None:
    lead = signed_in("lead")
    code = sample.cases["numbering"]
    picked = f"{sample.shop_id}:{code}"
    assert f'value="{picked}"' in lead.get("/cases/").content.decode()
    assert f'name="ref" value="{code}"' in lead.get(f"/reissues/?case={picked}").content.decode()
    fields = {
        "key": "b" * 32,
        "ref": [code, sample.cases["asking"]],
        "carrier": ["yuantong"] * 2,
        "number": [FRESH, ""],
    }
    page = lead.get(lead.post("/reissues/", fields)["Location"]).content.decode()
    assert FRESH in page
    assert sample.cases["asking"] not in page


def test_who_may_not_submit_is_told_so_and_strangers_see_nothing(sample: Sample, signed_in: SignIn) -> None:
    lead, finance = signed_in("lead"), signed_in("finance")
    run = upload(lead, sample)
    finance.post("/reissues/", {"key": "c" * 32, "text": f"{sample.cases['numbering']}\t圆通\t{FRESH}"})
    before = lead.get(run).content.decode().count("提交这行")
    finance.post(f"{run}take/", {"row": "2"})
    assert lead.get(run).content.decode().count("提交这行") == before
    assert Client().get(run).status_code == 302
    other = run.replace(f"/{sample.shop_id}/", f"/{sample.shop_id + 7}/")
    assert lead.get(other).status_code == 404


def test_bad_sheets_are_refused_with_words(sample: Sample, signed_in: SignIn) -> None:
    lead = signed_in("lead")

    def said(text: str) -> str:
        return lead.post("/reissues/", {"key": "d" * 32, "text": text}, follow=True).content.decode()

    assert "选一个文件，或粘贴几行" in said("")
    assert "缺少列：补发运单号" in said("案件号,承运商\nX,圆通")
    assert "没有一行写了运单号" in said("案件号,承运商,运单号\nX,圆通,")
    assert "末位已丢失" in said("案件号,承运商,运单号\nX,圆通,7.3E+13")


def test_the_sheet_to_fill_in_comes_back_as_it_went(sample: Sample, signed_in: SignIn) -> None:
    body = signed_in("lead").get("/reissues/sheet.xlsx").content
    cells = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert sample.cases["numbering"] in [row[0] for row in cells]
    file = SimpleUploadedFile("back.xlsx", body)
    answer = signed_in("lead").post("/reissues/", {"key": "e" * 32, "file": file, "text": ""}, follow=True)
    assert "没有一行写了运单号" in answer.content.decode()


def test_pasted_without_a_header() -> None:
    rows = bulk_sheet.read_text("C-1\t圆通\tyt8888000000001\nC-2\t\t'73123456789012\t1*2;2")
    assert [(row.reference, row.carrier, row.number, row.items) for row in rows] == [
        ("C-1", "圆通", FRESH, ""),
        ("C-2", "", "73123456789012", "1*2;2"),
    ]


def test_the_same_sheet_again_takes_only_what_is_left(sample: Sample, signed_in: SignIn) -> None:
    """What was submitted is held back when the whole sheet comes again, and the page says why."""
    lead = signed_in("lead")
    first = upload(lead, sample)
    about = {"shop_id": sample.shop_id, "run_id": int(first.split("/")[3])}
    lead.post(f"{first}take/", {"row": "2"})
    lead.post(f"{first}start/", {"override_reason": "客户急用"})
    assert job.work_off(**about) is True
    again = upload(lead, sample, "b" * 32)
    assert again != first
    html = lead.get(again).content.decode()
    assert "2 行里将提交 0 行" in html
    assert FRESH in html
    lead.post(f"{first}stop/")
    assert "接着提交" in lead.get(first).content.decode()
