"""The warehouse's pages by plain forms: released, picked, packed by scan, handed over, on paper and as sheets."""

from __future__ import annotations

import io
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from django.test import Client
from python_calamine import CalamineWorkbook

from bufa.apps.reissues import hand_over, pick_list
from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from tests.factories import NOW
from tests.factories.sample import GOODS, Sample

YT = "YT8888000000001"


@pytest.fixture
def packer(signed_in: Any) -> Client:
    return signed_in("warehouse")


def page(client: Client, at: str) -> str:
    answer = client.get(at)
    assert answer.status_code == 200, answer.content.decode()[:3000]
    return answer.content.decode()


def release(sample: Sample, client: Client) -> str:
    client.post("/warehouse/release/", {"case": [sample.ids["numbering"]]})
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    return sent.code


def scan(client: Client, *texts: str, open_id: str = "") -> str:
    answer = client.post("/warehouse/scan/read/", {"text": list(texts), "open": open_id}, headers={"X-Station": "1"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_case_is_released_picked_and_printed(sample: Sample, packer: Client) -> None:
    stock.count(shop_id=sample.shop_id, goods=Goods("S1", GOODS[2], "红色"), on_hand=3, by="陈", now=NOW, shelf="A-03")
    assert sample.cases["numbering"] in page(packer, "/warehouse/")
    code = release(sample, packer)
    first = page(packer, "/warehouse/")
    assert "A-03" in first
    assert code in first
    assert stock.holders(sample.shop_id)
    by_order = page(packer, "/warehouse/?by=order")
    assert code in by_order
    pdf = packer.get("/warehouse/pick.pdf?by=order&size=100x150")
    assert pdf["Content-Type"] == "application/pdf"
    [printed, *_] = pypdfium2.PdfDocument(pdf.content)
    assert code in {found.text for found in zxingcpp.read_barcodes(printed.render(scale=4).to_pil())}
    assert packer.get("/warehouse/pick.pdf?size=a0").status_code == 404
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(packer.get("/warehouse/pick.xlsx").content)).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert rows[0][0] == "货位"
    assert [code, "A-03"] in [[row[5], row[0]] for row in rows[1:]]
    assert packer.get("/warehouse/labels.pdf").content.startswith(b"%PDF")


def test_reissue_then_waybill_ties_and_submits(sample: Sample, packer: Client) -> None:
    code = release(sample, packer)
    opened = scan(packer, code)
    assert "装 1 件" in opened
    assert 'data-tone="good"' in opened
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    done = scan(packer, YT, open_id=str(sent.reissue_id))
    # This order is late and has no ticket: a lead has to look before it leaves.
    assert "要主管看过才能提交" in done
    assert 'data-tone="soft"' in done
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    assert (sent.state, sent.carrier, sent.number) == ("draft", "yuantong", YT)
    assert [one.code for one in pick_list.waiting_to_submit(sample.shop_id)] == [code]
    assert "这一件装过了" in scan(packer, code)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("HELLO-WORLD", "不认识"),
        ("R2223-2222-2", "没扫清楚"),
        (YT, "先扫补发单号"),
    ],
)
def test_what_is_not_ours_is_said_loudly(sample: Sample, packer: Client, text: str, says: str) -> None:
    told = scan(packer, text)
    assert says in told
    assert 'data-tone="bad"' in told


def test_the_last_pack_is_taken_back_by_its_code(sample: Sample, packer: Client) -> None:
    code = release(sample, packer)
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    scan(packer, YT, open_id=str(sent.reissue_id))
    assert "撤回了" in scan(packer, "BUFA-UNDO")
    assert [row.code for row in pick_list.to_pack(sample.shop_id) if row.code == code] == [code]
    assert "没有可以撤回的" in scan(packer, "BUFA-UNDO")


def test_a_parcel_with_a_number_takes_only_that_one(sample: Sample, packer: Client) -> None:
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["following"])
    assert "扫错件了" in scan(packer, sent.code, YT)
    assert f"装好了：{sent.code}" in scan(packer, sent.code, sent.number)


def test_a_list_is_opened_signed_and_printed(sample: Sample, packer: Client) -> None:
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["following"])
    scan(packer, sent.code, sent.number)
    assert "1 个包裹等快递员" in page(packer, "/warehouse/lists/")
    answer = packer.post("/warehouse/lists/open/", {"carrier": sent.carrier})
    at = answer["Location"]
    assert sent.number in page(packer, at)
    assert "已经在单上" in packer.post(f"{at}read/", {"text": sent.number}).content.decode()
    packer.post(f"{at}close/", {"courier": ""})
    assert "请填快递员是谁" in page(packer, at)
    packer.post(f"{at}close/", {"courier": "老王"})
    assert "老王 已签收" in page(packer, at)
    [printed, *_] = pypdfium2.PdfDocument(packer.get(f"{at}list.pdf").content)
    codes = {found.text for found in zxingcpp.read_barcodes(printed.render(scale=4).to_pil())}
    assert sent.number in codes
    assert packer.get(f"{at}list.xlsx").status_code == 200
    assert "不能再改" in packer.post(f"{at}take-off/", {"pack": 1}, follow=True).content.decode()
    assert packer.post(f"{at}reopen/").status_code == 303
    assert hand_over.one(sample.shop_id, int(at.rstrip("/").rpartition("/")[2])).state == "open"  # type: ignore[union-attr]


def test_who_may_not_pack_sees_why(sample: Sample, signed_in: Any) -> None:
    finance = signed_in("finance")
    assert "disabled" in page(finance, "/warehouse/")
    answer = finance.post("/warehouse/scan/read/", {"text": "X"}, headers={"X-Station": "1"})
    assert 'data-tone="bad"' in answer.content.decode()
    assert "/warehouse/" not in page(finance, "/").partition("<main")[0]


def test_a_number_says_whose_it_is(sample: Sample, packer: Client) -> None:
    assert packer.get("/warehouse/guess/?number=yt8888000000001&carrier=zhongtong").json() == {
        "number": YT, "carrier": "yuantong", "said": "按单号认作圆通速递",
    }  # fmt: skip
    assert packer.get("/warehouse/guess/?number=hello").json()["carrier"] == ""


def test_pieces_are_counted_by_buttons_too_and_a_label_can_be_asked_for(sample: Sample, packer: Client) -> None:
    release(sample, packer)
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    at = f"/warehouse/scan/?open={sent.reissue_id}"
    there = page(packer, at)
    assert "装 1 件" in there
    assert "取电子面单" in there
    [piece] = [one.code for row in pick_list.to_pack(sample.shop_id, [sent.reissue_id]) for one in row.items]
    assert f'value="{piece}"' in there
    counted = scan(packer, piece, open_id=str(sent.reissue_id))
    assert "1 件都齐了" in counted
    assert "1/1" in counted
    assert "重新点数" in counted
    moving = packer.get(at, headers={"X-Station": "1"}).content.decode()
    assert moving.lstrip().startswith('<div id="station"')
    assert "缺" in scan(packer, "BUFA-LABEL", open_id=str(sent.reissue_id))  # the sample's buyers have no ciphers
