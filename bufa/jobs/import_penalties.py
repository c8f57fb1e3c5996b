"""A file of the platform's deductions: each row is one order or waybill, what for, when, how much. A row that fits no
parcel is kept, too, and listed until somebody places it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bufa.apps.cases import penalties
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.penalties import WrittenNotice
from bufa.apps.parcels import told
from bufa.domain import waybills
from bufa.domain.penalties import Penalty, penalty_of
from bufa.jobs.import_fields import Fields, as_text
from bufa.jobs.import_files import read_rows
from bufa.jobs.import_report import Effect, ImportReport

PENALTY_COLUMNS: Mapping[str, Sequence[str]] = {
    "order_number": ("订单编号", "订单号", "主订单编号", "order"),
    "kind": ("处罚类型", "违规类型", "判罚类型", "类型"),
    "noticed_at": ("通知时间", "处罚时间", "判罚时间", "处罚通知时间", "扣款时间", "违规时间"),
    "amount": ("金额", "赔付金额", "扣款金额", "处罚金额", "扣款金额（元）", "赔付金额（元）"),
    "waybill": ("运单号", "快递单号", "物流单号", "number"),
}
BATCH = 200
_Taken = tuple[Fields, str, Penalty, datetime, int | None, str]


def take(
    path: Path, shop_id: int, report: ImportReport, progress: Callable[[int, int | None], None], now: datetime, by: str
) -> None:
    """Write each row's notice; a row that can't be is named and leaves the others alone."""
    batch: list[_Taken] = []
    done = 0
    for row in read_rows(path, PENALTY_COLUMNS, ("order_number", "kind", "noticed_at"), report):
        if (read := _row(Fields(row, report), now)) is not None:
            batch.append(read)
        if len(batch) >= BATCH:
            _put(shop_id, batch, report, now, by)
            done += len(batch)
            progress(done, None)
            batch = []
    _put(shop_id, batch, report, now, by)


def _row(fields: Fields, now: datetime) -> _Taken | None:
    number = fields.identifier("order_number", required=True)
    written = fields.text("kind", limit=40, required=True)
    kind = penalty_of(written)
    if written and kind is None:
        fields.problem("kind", "penalty_unknown", Effect.ROW, value=written)
    at = fields.time("noticed_at", effect=Effect.ROW)
    if at is None and not as_text(fields.row.values.get("noticed_at")):
        fields.problem("noticed_at", "missing", Effect.ROW)
    if at is not None and at > now:
        fields.problem("noticed_at", "date_ahead", Effect.ROW, value=as_text(fields.row.values["noticed_at"])[:40])
    amount = _amount(fields)
    waybill = waybills.clean(fields.identifier("waybill", limit=80))
    if fields.refused or kind is None or at is None:
        return None
    return fields, number, kind, at, amount, waybill


def _amount(fields: Fields) -> int | None:
    """None where the cell is empty; what is no amount refuses the row: a wrong penalty is worse than none."""
    if not as_text(fields.row.values.get("amount")):
        return None
    before = len(fields.report.problems)
    fen = fields.fen("amount")
    if len(fields.report.problems) > before:
        wrong = fields.report.problems.pop()
        fields.problem("amount", wrong.code, Effect.ROW, **wrong.params)
    return fen


def _put(shop_id: int, batch: Sequence[_Taken], report: ImportReport, now: datetime, by: str) -> None:
    if not batch:
        return
    written = [WrittenNotice(number, waybill, kind, at, amount) for _, number, kind, at, amount, waybill in batch]
    actor = Actor(None, by, None)
    taken = penalties.take(shop_id=shop_id, notices=written, by=actor, source=told.FILE, now=now)
    for (fields, number, *_, waybill), why in zip(batch, taken.whys, strict=True):
        if why:
            column = "order_number" if why.startswith("order") else "waybill"
            named = waybill if column == "waybill" else number
            fields.problem(column, f"penalty_{why}", Effect.NOTE, value=named)
    report.taken += len(batch)
    report.parcels += len({one for one in taken.parcels if one is not None})
