"""Claims in the background, and carriers' sheets as rows: each fault is named, the good rows are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bufa.apps.cases import penalties
from bufa.apps.cases.actors import SYSTEM
from bufa.apps.claims import reckoning
from bufa.apps.claims.sheets import PaidRow
from bufa.apps.negotiations import intercept, rules
from bufa.domain.rulebook import SHOP_ZONE
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_files import Unreadable, read_rows
from bufa.jobs.import_report import Effect, ImportReport

COLUMNS: Mapping[str, Sequence[str]] = {
    "number": ("运单号", "快递单号", "物流单号", "单号", "waybill", "tracking_number", "number"),
    "amount": (
        "金额", "赔付金额", "理赔金额", "赔款", "实赔金额", "运费", "应付金额", "结算金额", "费用",
        "保价金额", "声明价值", "保价", "amount",
    ),
    "on": ("日期", "赔付日期", "到账日期", "结算日期", "账单日期", "时间", "date"),
    "reference": ("流水号", "理赔单号", "工单号", "凭证号", "reference"),
}  # fmt: skip
"""Our name of each column, then the headers that files use; the first is the one that messages and docs name."""

ROUNDS = 20
"""Batches of one shop in one look: deadlines of parcels don't wait for a mountain of claims."""


def read_sheet(path: Path) -> tuple[list[PaidRow], ImportReport]:
    """Rows of a carrier's sheet; those without number or amount are named in the report and left out."""
    report = ImportReport("claims")
    rows: list[PaidRow] = []
    try:
        for row in read_rows(path, COLUMNS, ("number", "amount"), report):
            fields = Fields(row, report)
            number = fields.identifier("number", limit=40, required=True)
            before = len(report.problems)
            amount = fields.fen("amount")
            if not amount:
                if len(report.problems) == before:
                    fields.problem("amount", "missing", Effect.ROW)
                fields.refused = True
            at = fields.time("on")
            reference = fields.text("reference", limit=80)
            if not fields.refused:
                on = at.astimezone(SHOP_ZONE).date() if at else None
                rows.append(PaidRow(row.number, number, amount, on, reference))
                report.taken += 1
    except Unreadable as unreadable:
        report.problems.append(unreadable.problem)
    return rows, report


def watch(shops: Sequence[int], now: datetime) -> int:
    """Reckon what changed, say which windows have ended, settle requests whose parcels have moved, place deductions
    whose orders have come; returns how much was done."""
    done = 0
    for shop_id in shops:
        done += reckoning.lapse_due(shop_id, now)
        done += intercept.settle_by_track(shop_id, now)
        done += penalties.match_again(shop_id=shop_id, by=SYSTEM, now=now)
        book = rules.of_shop(shop_id)
        for _ in range(ROUNDS):
            looked = reckoning.reckon_due(shop_id, book, now)
            done += looked
            if looked < reckoning.BATCH:
                break
    return done
