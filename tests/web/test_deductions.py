"""Deductions at the desk: written down, placed, appealed with evidence, exported; on Today until they are done."""

from __future__ import annotations

import io
import re

import python_calamine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import localtime

from bufa.apps.cases import queries as cases
from bufa.apps.claims import deductions
from tests.factories import NOW, at
from tests.factories.sample import Sample
from tests.lib.test_papers import photo
from tests.web.test_queries import at_most


def local(hours: float) -> str:
    return localtime(at(hours)).strftime("%Y-%m-%dT%H:%M")


def test_a_deduction_by_hand_is_appealed_and_its_money_comes_back(sample: Sample, owner: Client) -> None:
    case = cases.case_by_code([sample.shop_id], sample.cases["following"])
    assert case is not None
    said = {"named": case.number, "kind": "track_abnormal", "noticed_at": local(-30), "amount": "25"}
    assert owner.post("/deductions/", {**said, "noticed_at": local(3)}).status_code == 422
    assert owner.post("/deductions/", said).status_code == 303
    [row] = deductions.due_soon([sample.shop_id], NOW)
    here = f"/deductions/{sample.shop_id}/{row.notice_id}/"
    today = owner.get("/").content.decode()
    assert "要申诉的扣款" in today
    assert here in today
    for page in (f"/cases/{sample.shop_id}/{case.code}/", "/deductions/"):
        assert here in owner.get(page).content.decode()
    form = {"ground": "sent_again", "words": "已补发 <b>签收</b>", "version": "0"}
    wrong = {**form, "begins_at": local(-1), "ends_at": local(-2)}
    assert owner.post(f"{here}prepare/", wrong).status_code == 422
    assert owner.post(f"{here}prepare/", form).status_code == 303
    assert owner.post(f"{here}proof/", {"proves": "chats"}).status_code == 422
    picture = SimpleUploadedFile("聊天.png", photo("red"))
    assert owner.post(f"{here}proof/", {"proves": "chats", "file": picture}).status_code == 303
    with at_most():
        page = owner.get(here).content.decode()
    assert "齐了" in page
    assert "已补发 &lt;b&gt;签收" in page
    late = owner.post(f"{here}send/", {"at": local(-40), "version": "1"})
    assert (late.status_code, "不能早于通知的时间" in late.content.decode()) == (422, True)
    assert owner.post(f"{here}send/", {"at": local(-1), "reference": "AP-7", "version": "1"}).status_code == 303
    assert owner.post(f"{here}grant/", {"amount": "26", "at": local(-1)}).status_code == 422
    owner.post(f"{here}grant/", {"amount": "25", "at": local(-1)})
    owner.post(f"{here}pay_back/", {"amount": "25", "at": local(0), "reference": "R-1"})
    done = owner.get(here).content.decode()
    assert "已退回" in done
    assert "AP-7" in done
    ledger = owner.get("/claims/ledger/").content.decode()
    assert re.search(r"2026-11.*物流轨迹异常.*¥25.*¥25.*¥0", ledger, re.DOTALL)
    pack = owner.get(f"{here}pack.pdf")
    assert (pack["Content-Type"], pack.content[:5]) == ("application/pdf", b"%PDF-")
    assert "要申诉的扣款" not in owner.get("/").content.decode()
    sheet = owner.get("/deductions/deductions.xlsx?view=all").content
    rows = python_calamine.load_workbook(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    assert rows[1][2:7] == [case.number, "物流轨迹异常", rows[1][4], "25.00", "已退回"]
    months = owner.get("/deductions/deductions.xlsx?view=ledger").content
    assert python_calamine.load_workbook(io.BytesIO(months)).get_sheet_by_index(0).to_python()[1][:4] == [
        "2026-11", "物流轨迹异常", "1", "25.00",
    ]  # fmt: skip


def test_what_fits_nothing_is_placed_by_hand_and_strangers_see_nothing(sample: Sample, owner: Client) -> None:
    said = {"named": "6999999999999999", "kind": "fraud", "noticed_at": local(-5), "amount": ""}
    owner.post("/deductions/", said)
    [row] = deductions.unplaced([sample.shop_id], NOW)
    page = owner.get("/deductions/").content.decode()
    assert "店铺里没有这个订单" in page
    place = f"/deductions/{sample.shop_id}/{row.notice_id}/place/"
    owner.post(place, {"do": "place", "named": "nothing"})
    assert "店铺里没有 nothing" in owner.get("/deductions/").content.decode()
    owner.post("/deductions/again/")
    case = cases.case_by_code([sample.shop_id], sample.cases["fresh"])
    assert case is not None
    owner.post(place, {"do": "place", "named": case.order_number})
    assert deductions.unplaced([sample.shop_id], NOW) == ()
    [placed] = deductions.due_soon([sample.shop_id], NOW)
    assert (placed.number, placed.amount_fen) == (case.number, None)
    owner.post("/deductions/", said)
    [again] = deductions.unplaced([sample.shop_id], NOW)
    owner.post(f"/deductions/{sample.shop_id}/{again.notice_id}/place/", {"do": "aside"})
    assert deductions.unplaced([sample.shop_id], NOW) == ()
    for address in (f"/deductions/{sample.shop_id + 7}/{placed.notice_id}/", f"/deductions/{sample.shop_id}/999999/"):
        assert owner.get(address).status_code == 404
        assert owner.get(f"{address}pack.pdf").status_code == 404
        assert owner.post(f"{address}waive/", {"reason": "x"}).status_code == 404
    assert owner.post(f"/deductions/{sample.shop_id}/{placed.notice_id}/lapse/", {}).status_code == 404
