"""Claims at the desk: the list, one claim, carriers' sheets, the ledger, the export; and the rules beside the case."""

from __future__ import annotations

import io

import python_calamine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.claims import queries
from bufa.apps.negotiations import rules
from bufa.domain.carrier_rules import defaults
from bufa.jobs import claims as claim_jobs
from bufa.jobs.bulk_sheet import write_xlsx
from tests.factories.sample import Sample


def reckoned(sample: Sample) -> queries.ClaimRow:
    claim_jobs.watch([sample.shop_id], sample.now)
    return queries.of_case(sample.shop_id, sample.ids["asking"])[-1]


def test_asked_and_paid_short_from_the_case_page(sample: Sample, owner: Client) -> None:
    at = f"/cases/{sample.shop_id}/{sample.cases['asking']}/"
    assert "现在算" in owner.get(at).content.decode()
    assert owner.post(f"{at}claim/").status_code == 303
    found = reckoned(sample)
    page = owner.get(at).content.decode()
    assert "损失 ¥89，按条款 ¥24–¥40" in page
    assert "通达、极兔未保价" in page
    act = f"/claims/{sample.shop_id}/{found.claim_id}/"
    owner.post(f"{act}insured/", {"insured": "40", "version": found.version})
    assert "¥40–¥40" in owner.get(act).content.decode()
    owner.post(f"{act}insured/", {"insured": ""})
    found = reckoned(sample)
    assert owner.post(f"{act}ask/", {"amount": "x"}).status_code == 422
    owner.post(f"{act}ask/", {"amount": "89", "version": found.version, "from": "case"})
    owner.post(f"{act}pay/", {"amount": "30", "reference": "LP-1", "on": "2026-11-19"})
    said = owner.get(act).content.decode()
    assert "还差 ¥59" in said
    assert "LP-1" in said
    assert owner.post(f"{act}lapse/", {}).status_code == 404
    assert owner.get(f"/claims/{sample.shop_id}/999999/").status_code == 404
    listed = owner.get("/claims/?view=short").content.decode()
    assert "¥59" in listed
    assert "少赔" in owner.get("/").content.decode()
    ledger = owner.get("/claims/ledger/").content.decode()
    assert "2026-11" in ledger
    assert "34%" in ledger


def test_a_sheet_is_read_row_by_row_and_the_rest_is_listed(sample: Sample, owner: Client) -> None:
    found = reckoned(sample)
    raw = write_xlsx(
        ("运单号", "赔付金额", "到账日期", "流水号"),
        [
            (found.number, "50.00", "2026-11-19", "A1"),
            ("7399999", "12", "", ""),
            ("", "3", "", ""),
            ("733", "free", "", ""),
        ],
    )
    said = {"kind": "paid", "carrier": "zhongtong", "file": SimpleUploadedFile("赔.xlsx", raw)}
    page = owner.post("/claims/sheets/", said).content.decode()
    assert "读了 2 行：对上 1 行（到账 ¥50），没对上 1 行" in page
    assert "第 4 行" in page
    assert "第 5 行" in page
    assert "7399999" in page
    [line] = queries.unmatched([sample.shop_id])
    place = f"/claims/sheets/{sample.shop_id}/{line.line_id}/"
    owner.post(place, {"do": "place", "claim": "nothing like it"})
    assert len(queries.unmatched([sample.shop_id])) == 1
    owner.post(place, {"do": "place", "claim": found.case_code.lower()})
    assert queries.unmatched([sample.shop_id]) == ()
    assert queries.claim(sample.shop_id, found.claim_id).paid_fen == 6200  # type: ignore[union-attr]
    broken = {"kind": "paid", "file": SimpleUploadedFile("x.xlsx", b"PK not a sheet")}
    assert "打不开" in owner.post("/claims/sheets/", broken).content.decode()


def test_the_export_is_a_sheet_without_formulas(sample: Sample, owner: Client) -> None:
    found = reckoned(sample)
    owner.post(f"/claims/{sample.shop_id}/{found.claim_id}/waive/", {"reason": '=HYPERLINK("http://evil")'})
    answer = owner.get("/claims/export.xlsx?view=all")
    rows = python_calamine.load_workbook(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[0][:3] == ["承运商", "运单号", "案件号"]
    [mine] = [row for row in rows if row[2] == found.case_code]
    assert mine[:2] == ["中通快递", found.number]
    assert mine[5] == "不追了"
    ledger = owner.get("/claims/export.xlsx?view=ledger")
    assert python_calamine.load_workbook(io.BytesIO(ledger.content)).get_sheet_by_index(0).to_python()[0][0] == "月份"


def test_a_lead_changes_a_rule_and_gets_the_default_back(sample: Sample, signed_in: object) -> None:
    lead, agent = signed_in("lead"), signed_in("agent")  # type: ignore[operator]
    at = "/settings/carrier-rules/amount_tongda/"
    said = {
        "zh": "合同：5–9 倍运费", "basis": "multiple", "low": "5", "high": "9", "percent": "100",
        "carriers": ["zhongtong"], "source": "合同 2026", "since": "2026-01-01",
    }  # fmt: skip
    assert agent.post(at, said).status_code == 200
    assert "合同：5–9" not in lead.get("/settings/carrier-rules/").content.decode()
    assert lead.post(at, {**said, "zh": ""}).status_code == 422
    assert "倍数写 1 到 100" in lead.post(at, {**said, "low": "9", "high": "5"}).content.decode()
    assert lead.post(at, said).status_code == 303
    page = lead.get("/settings/carrier-rules/?carrier=zhongtong").content.decode()
    assert "合同：5–9 倍运费" in page
    assert "本店约定" in page
    assert "通达、极兔未保价" in lead.get(at).content.decode()
    assert lead.post(at, {"restore": "1"}).status_code == 303
    assert rules.of_shop(sample.shop_id).get("amount_tongda") == defaults().get("amount_tongda")
    changes = rules.history(sample.shop_id)
    assert [(one.before is None, one.after is None, one.can_undo) for one in changes] == [
        (False, True, True), (True, False, False),
    ]  # fmt: skip
    undo = f"/settings/carrier-rules/{sample.shop_id}/{changes[0].change_id}/undo/"
    agent.post(undo)
    assert len(rules.history(sample.shop_id)) == 2
    assert lead.post(f"/settings/carrier-rules/{sample.shop_id}/{changes[1].change_id}/undo/").status_code == 303
    assert "后来又改过" in lead.get("/settings/carrier-rules/").content.decode()
    lead.post(undo)
    assert "合同：5–9 倍运费" in lead.get("/settings/carrier-rules/?carrier=zhongtong").content.decode()
    assert lead.post(f"/settings/carrier-rules/{sample.shop_id}/999999/undo/").status_code == 404
    fresh = "/settings/carrier-rules/new/?topic=papers"
    own = {"zh": "还要发票", "papers": ["value_proof"], "source": "电话", "since": "2026-11-01"}
    assert lead.post(fresh, own).status_code == 303
    assert "还要发票" in lead.get("/settings/carrier-rules/").content.decode()
    assert lead.get("/settings/carrier-rules/nothing/").status_code == 404
