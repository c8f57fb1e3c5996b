"""Forms about findings and parcels: what was typed stays where it is refused; penalty notices by hand and by file."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.cases import queries as cases
from bufa.apps.claims.deductions import of_parcels
from bufa.apps.parcels import queries as parcels
from bufa.apps.parcels.views import parcel_list, parcel_view
from bufa.domain.rulebook import Fact
from tests.factories import NOW, at
from tests.factories.sample import Sample

pytestmark = pytest.mark.django_db


def local(hours: float) -> str:
    from django.utils.timezone import localtime

    return localtime(at(hours)).strftime("%Y-%m-%dT%H:%M")


def collected(sample: Sample) -> int:
    """A parcel on its way that nothing is wrong with."""
    return next(row.parcel_id for row in parcel_list([sample.shop_id]).rows if row.stage == "collected")


def open_finding(sample: Sample) -> tuple[int, int]:
    row = cases.case_by_code([sample.shop_id], sample.cases["fresh"])
    assert row is not None
    found = cases.findings_of([sample.shop_id], [row.parcel_id])
    return next(each.finding_id for each in found if each.state == "open"), row.parcel_id


def pages(sample: Sample, parcel_id: int) -> dict[str, str]:
    return {
        "case": f"/cases/{sample.shop_id}/{sample.cases['fresh']}/",
        "parcel": f"/parcels/{sample.shop_id}/{parcel_id}/",
    }


@pytest.mark.parametrize("page", ["case", "parcel"])
def test_a_refused_put_off_keeps_what_was_typed(sample: Sample, owner: Client, page: str) -> None:
    finding, parcel_id = open_finding(sample)
    here = {
        "case": f"/cases/{sample.shop_id}/{sample.cases['fresh']}/",
        "parcel": f"/parcels/{sample.shop_id}/{parcel_id}/",
    }
    answer = owner.post(f"/findings/{sample.shop_id}/{finding}/", {"until": "48", "reason": " ", "next": here[page]})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert '<option value="48" selected>' in html
    (typed,) = re.findall(rf'<input[^>]*id="id_put_off_{finding}_reason"[^>]*>', html)
    assert 'aria-invalid="true"' in typed
    assert f'name="next" value="{here[page]}"' in html
    said = {"until": "48", "reason": "网点说明天到", "next": here[page]}
    assert owner.post(f"/findings/{sample.shop_id}/{finding}/", said).headers["Location"] == here[page]


def test_a_fact_of_tomorrow_is_refused_beside_its_field(sample: Sample, owner: Client) -> None:
    parcel_id = collected(sample)
    here = f"/parcels/{sample.shop_id}/{parcel_id}/"
    answer = owner.post(f"{here}told/", {"fact": "recalled", "at": local(5), "next": here})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert f'value="{local(5)}"' in html
    assert '<option value="recalled" selected>' in html
    assert 'id="id_told_at-error"' in html
    assert parcels.told_of(sample.shop_id, parcel_id) == ()


@pytest.mark.parametrize("page", ["case", "parcel"])
def test_a_penalty_notice_by_hand_starts_the_clock_and_goes_with_it(sample: Sample, owner: Client, page: str) -> None:
    _, parcel_id = open_finding(sample)
    here = {
        "case": f"/cases/{sample.shop_id}/{sample.cases['fresh']}/",
        "parcel": f"/parcels/{sample.shop_id}/{parcel_id}/",
    }
    act = f"/parcels/{sample.shop_id}/{parcel_id}/penalty/"
    wrong = owner.post(act, {"kind": "track_abnormal", "noticed_at": local(3), "amount": "25", "next": here[page]})
    assert (wrong.status_code, 'value="25"' in wrong.content.decode()) == (422, True)

    said = {"kind": "track_abnormal", "noticed_at": local(-20), "amount": "25.00", "next": here[page]}
    assert owner.post(act, said).headers["Location"] == here[page]
    (notice,) = of_parcels(sample.shop_id, [parcel_id], NOW)
    assert (notice.kind, notice.noticed_at, notice.amount_fen) == ("track_abnormal", at(-20), 2500)
    assert [(each.fact, each.at) for each in parcels.told_of(sample.shop_id, parcel_id)] == [
        (Fact.PENALTY_NOTICE, at(-20))
    ]
    for path in here.values():
        html = owner.get(path).content.decode()
        assert "物流轨迹异常" in html
        assert "¥25" in html
    view = parcel_view(sample.shop_id, parcel_id)
    assert view is not None
    assert (view.risk_rule, view.risk_at) == ("out_of_stock_notice", at(-20 + 72))

    owner.post(act, {"remove": str(notice.notice_id), "next": here[page]})
    assert of_parcels(sample.shop_id, [parcel_id], NOW) == ()
    assert parcels.told_of(sample.shop_id, parcel_id) == ()
    view = parcel_view(sample.shop_id, parcel_id)
    assert view is not None
    assert view.risk_rule != "out_of_stock_notice"


def test_a_file_of_notices_is_refused_row_by_row(sample: Sample, owner: Client) -> None:
    row = cases.case_by_code([sample.shop_id], sample.cases["fresh"])
    assert row is not None
    order, day = row.order_number, f"{at(-30):%Y-%m-%d} 10:00"
    lines = [
        "订单编号,处罚类型,处罚时间,赔付金额,运单号",
        f"{order},物流轨迹异常,{day},25,",
        f"{order},发货超时,{day},,{row.number}",
        f"{order},没听说过,{day},25,",
        f"{order},物流轨迹异常,2027-01-01,25,",
        f"{order},物流轨迹异常,{day},二十五,",
        f"{order},物流轨迹异常,,25,",
        f"{order},物流轨迹异常,{day},25,7399999999999",
        f"1234567,物流轨迹异常,{day},25,",
    ]
    file = SimpleUploadedFile("n.csv", "\n".join(lines).encode("gbk"), "text/csv")
    html = owner.post("/import/", {"kind": "penalties", "file": file}).content.decode()
    assert "8 行里收下 4 行，没有收 4 行" in html
    for said in (
        "不认识的处罚类型 没听说过",
        "还没有到",
        "金额 二十五 不对",
        "必填项为空",
        "这个订单没有运单 7399999999999，这笔扣款先列在",
        "没有订单 1234567，这笔扣款先列在",
    ):
        assert said in html, said
    found = {(each.kind, each.amount_fen, each.source) for each in of_parcels(sample.shop_id, [row.parcel_id], NOW)}
    assert found == {("track_abnormal", 2500, "file"), ("late_shipping", None, "file")}
    assert at(-30) < NOW

    again = SimpleUploadedFile("n.csv", "\n".join(lines[:2]).replace(",25,", ",30,").encode(), "text/csv")
    owner.post("/import/", {"kind": "penalties", "file": again})
    assert {each.amount_fen for each in of_parcels(sample.shop_id, [row.parcel_id], NOW)} == {3000, None}
