"""The shop's calendar of standing clocks: one entry or a file of them; then all its parcels are judged anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from bufa.apps.parcels import watching
from bufa.apps.shops import pauses
from bufa.apps.shops.pauses import NewPause
from bufa.domain.calendars import End, PauseCode
from bufa.domain.money_ahead import SHOP_ZONE
from bufa.domain.outcome import Refused
from bufa.jobs.import_fields import Fields, carrier_of
from bufa.jobs.import_files import Row, Unreadable, read_rows
from bufa.jobs.import_report import Effect, ImportReport
from bufa.lib import clock
from bufa.lib.tenancy import writing

PAUSE_COLUMNS: Mapping[str, Sequence[str]] = {
    "code": ("类型", "kind"),
    "name": ("名称", "name"),
    "first": ("开始日期", "从", "first"),
    "last": ("结束日期", "到", "last"),
    "province": ("省", "省份", "province"),
    "city": ("市", "城市", "city"),
    "district": ("区县", "区", "区/县", "district"),
    "end": ("哪一端", "end"),
    "carrier": ("快递公司", "承运商", "carrier"),
    "platform": ("平台也停", "platform"),
    "source": ("依据", "来源", "source"),
}
_CODES = {
    "节假日": PauseCode.FESTIVAL,
    "停运区域": PauseCode.NO_SERVICE,
    "停运": PauseCode.NO_SERVICE,
    "不可抗力": PauseCode.FORCE_MAJEURE,
    **{code.value: code for code in PauseCode},
}
_ENDS = {
    "": End.EITHER,
    "发货地或收货地": End.EITHER,
    "发货地": End.ORIGIN,
    "收货地": End.DESTINATION,
    **{end.value: end for end in End},
}
_YES = frozenset({"是", "1", "yes", "true", "y"})


def add(*, shop_id: int, new: NewPause, by: str) -> int:
    """One entry, and all watched parcels of the shop are due at once. Raises Refused as `pauses.add` does."""
    with writing([shop_id]):
        pause_id = pauses.add(shop_id=shop_id, new=new, by=by)
        watching.judge_soon(shop_id, clock.now())
        return pause_id


def take_back(*, shop_id: int, pause_id: int, by: str) -> None:
    """An entry holds no more; parcels are judged without it."""
    with writing([shop_id]):
        pauses.take_back(shop_id=shop_id, pause_id=pause_id, by=by)
        watching.judge_soon(shop_id, clock.now())


def restore(*, shop_id: int, pause_id: int, by: str) -> None:
    """An entry that was taken back holds again."""
    with writing([shop_id]):
        pauses.restore(shop_id=shop_id, pause_id=pause_id, by=by)
        watching.judge_soon(shop_id, clock.now())


def run(path: Path, shop_id: int, *, by: str) -> ImportReport:
    """A file of entries (csv, xlsx, jsonl): good rows are taken, others named; the same again changes nothing."""
    report = ImportReport("pauses")
    try:
        with writing([shop_id]):
            for row in read_rows(path, PAUSE_COLUMNS, ("code", "name", "first", "last", "source"), report):
                _take(shop_id, row, report, by)
            if report.taken:
                watching.judge_soon(shop_id, clock.now())
    except Unreadable as unreadable:
        report.problems.append(unreadable.problem)
    return report


def _take(shop_id: int, row: Row, report: ImportReport, by: str) -> None:
    fields = Fields(row, report)
    kind, end = fields.text("code", limit=20), fields.text("end", limit=20)
    code, side = _CODES.get(kind), _ENDS.get(end)
    if code is None:
        fields.problem("code", "pause_code_unknown", Effect.ROW, value=kind)
    if side is None:
        fields.problem("end", "pause_end_unknown", Effect.ROW, value=end)
    first, last = _day(fields, "first"), _day(fields, "last")
    said = fields.text("carrier", limit=40)
    carrier = carrier_of(said, "") if said else ""
    if said and not carrier:
        fields.problem("carrier", "carrier_unknown", Effect.ROW, value=said)
    if code is None or side is None or first is None or last is None or (said and not carrier):
        return
    new = NewPause(
        code,
        fields.text("name", limit=60),
        first,
        last,
        province=fields.text("province", limit=30),
        city=fields.text("city", limit=30),
        district=fields.text("district", limit=30),
        end=side,
        carriers=(carrier,) if carrier else (),
        platform=fields.text("platform", limit=10).lower() in _YES,
        source=fields.text("source", limit=200),
    )
    try:
        pauses.add(shop_id=shop_id, new=new, by=by)
    except Refused as refused:
        fields.problem("", refused.why.code, Effect.ROW, **refused.why.params)
    else:
        report.taken += 1


def _day(fields: Fields, column: str) -> date | None:
    at: datetime | None = fields.time(column, effect=Effect.ROW)
    if at is None:
        if not fields.refused:
            fields.problem(column, "missing", Effect.ROW)
        return None
    return at.astimezone(SHOP_ZONE).date()
