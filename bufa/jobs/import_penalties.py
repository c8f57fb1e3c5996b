"""A file of the platform's penalty notices: each row is one order, what for, when, how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bufa.apps.cases import penalties
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.penalties import NewNotice
from bufa.apps.parcels import told
from bufa.apps.parcels.penalties import originals
from bufa.domain import waybills
from bufa.domain.penalties import Penalty, penalty_of
from bufa.jobs.import_fields import Fields, as_text
from bufa.jobs.import_files import read_rows
from bufa.jobs.import_report import Effect, ImportReport

PENALTY_COLUMNS: Mapping[str, Sequence[str]] = {
    "order_number": ("订单编号", "订单号", "主订单编号", "order"),
    "kind": ("处罚类型", "违规类型", "判罚类型", "类型"),
    "noticed_at": ("通知时间", "处罚时间", "判罚时间", "处罚通知时间"),
    "amount": ("金额", "赔付金额", "扣款金额", "处罚金额"),
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
    known = originals(shop_id, [number for _, number, *_ in batch])
    notices: list[NewNotice] = []
    for fields, number, kind, at, amount, waybill in batch:
        parcels = [each for each in known.get(number, ()) if not waybill or each[1] == waybill]
        if number not in known:
            fields.problem("order_number", "order_unknown", Effect.ROW, value=number)
        elif not parcels:
            fields.problem("waybill", "waybill_not_of_order", Effect.ROW, value=waybill)
        elif len(parcels) > 1:
            fields.problem("waybill", "order_has_parcels", Effect.ROW, count=len(parcels))
        else:
            notices.append(NewNotice(parcels[0][0], kind, at, amount))
    if notices:
        actor = Actor(None, by, None)
        penalties.record(shop_id=shop_id, notices=notices, by=actor, source=told.FILE, now=now)
        report.taken += len(notices)
        report.parcels += len({one.parcel_id for one in notices})
