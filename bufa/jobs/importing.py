"""Files in: orders, scans and stock. The good rows are taken, the others are named one by one with what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.db import OperationalError

from bufa.apps.audit import actions as audit
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import queries as parcels
from bufa.domain import codes
from bufa.integrations.feeds import recognise
from bufa.integrations.ports import LineFact, OrderFact, PackageFact, RawScan, RecipientFact, TrackReport
from bufa.jobs import import_addresses, import_contacts, import_penalties, import_stock, import_templates
from bufa.jobs.import_fields import Fields, as_text, as_time
from bufa.jobs.import_files import Row, Unreadable, read_rows
from bufa.jobs.import_report import Effect, ImportReport, RowProblem
from bufa.lib import clock

Progress = Callable[[int, int | None], None]

BATCH = 200
FILE = "file"

ORDER_COLUMNS: Mapping[str, Sequence[str]] = {
    "order_number": ("订单编号", "主订单编号", "订单号", "order"),
    "line_id": ("子订单编号", "子订单号"),
    "title": ("商品名称", "选购商品", "商品标题", "product"),
    "spec": ("商品规格", "规格", "sku"),
    "quantity": ("商品数量", "数量", "购买数量", "qty"),
    "paid": ("实付金额", "订单应付金额", "商品金额", "支付金额", "amount"),
    "created_at": ("下单时间", "订单提交时间", "创建时间"),
    "paid_at": ("支付时间", "支付完成时间", "付款时间"),
    "ship_by": ("承诺发货时间", "最晚发货时间", "发货截止时间"),
    "status": ("订单状态",),
    "carrier": ("快递公司", "物流公司", "快递"),
    "waybill": ("运单号", "快递单号", "物流单号", "number", "tracking_number"),
    "shipped_at": ("发货时间", "发货完成时间"),
    "name": ("收件人", "收货人", "收件人姓名"),
    "phone": ("收件人手机号", "手机号", "联系电话", "收件人电话"),
    "province": ("省", "省份"),
    "city": ("市", "城市"),
    "district": ("区", "区县", "区/县"),
    "address": ("详细地址", "收货地址", "收件地址", "地址", "收件信息", "收货信息"),
    "email": ("邮箱", "电子邮箱", "e-mail"),
}
"""Our name of each column, then the headers that files use; the first is the one that messages and docs name."""

SCAN_COLUMNS: Mapping[str, Sequence[str]] = {
    "waybill": ("运单号", "快递单号", "物流单号", "number", "tracking_number"),
    "carrier": ("快递公司", "物流公司", "快递"),
    "time": ("时间", "轨迹时间", "扫描时间"),
    "text": ("轨迹", "内容", "轨迹内容", "描述"),
    "code": ("状态码", "代码"),
    "place": ("地点", "城市"),
}

STATUS: Mapping[str, int] = {
    "待付款": 1, "待支付": 1, "1": 1,
    "待发货": 2, "备货中": 2, "2": 2, "部分发货": 101, "101": 101,
    "已发货": 3, "待收货": 3, "3": 3,
    "已关闭": 4, "已取消": 4, "交易关闭": 4, "4": 4,
    "已完成": 5, "交易成功": 5, "已收货": 5, "5": 5,
}  # fmt: skip

log = logging.getLogger(__name__)


def run_import(
    kind: str,
    path: Path,
    shop_id: int,
    progress: Progress | None = None,
    *,
    now: datetime | None = None,
    by: str = "system",
) -> ImportReport:
    """Take a file of orders, scans, stock, penalties, carriers' contacts or taught templates into a shop.

    Running it again updates and never doubles.

    Nothing is raised for what stands in the file: the report says what was not taken and why.
    """
    report = ImportReport(kind)
    now = now or clock.now()
    progress = progress or (lambda done, total: None)
    try:
        if kind == "orders":
            _orders(path, shop_id, report, progress, now)
        elif kind == "scans":
            _scans(path, shop_id, report, progress, now)
        elif kind == "stock":
            import_stock.take(path, shop_id, report, progress, now, by)
        elif kind == "penalties":
            import_penalties.take(path, shop_id, report, progress, now, by)
        elif kind == "contacts":
            import_contacts.take(path, shop_id, report, progress, now, by)
        elif kind == "templates":
            import_templates.take(path, shop_id, report, progress, now, by)
        else:
            raise Unreadable("kind_unknown", kind=kind)
    except Unreadable as unreadable:
        report.problems.append(unreadable.problem)
    said = {"kind": kind, "rows": report.rows, "taken": report.taken}
    audit.record(shop_id, by, "import.run", f"shop:{shop_id}", said)
    return report


# --- orders ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """One order, gathered from its rows."""

    number: str
    rows: list[int] = field(default_factory=list)
    lines: dict[str, LineFact] = field(default_factory=dict)
    packages: dict[tuple[str, str], PackageFact] = field(default_factory=dict)
    unshipped: bool = False
    status: int = 0
    said: dict[str, datetime | None] = field(default_factory=dict)
    recipient: RecipientFact = field(default_factory=RecipientFact)


def _orders(path: Path, shop_id: int, report: ImportReport, progress: Progress, now: datetime) -> None:
    drafts: dict[str, _Draft] = {}
    for row in read_rows(path, ORDER_COLUMNS, ("order_number", "title", "quantity"), report):
        _add_order_row(drafts, row, report)
    done = 0
    for batch in _batches(list(drafts.values())):
        facts = [(draft.rows, _fact(draft)) for draft in batch]
        _take(shop_id, facts, now, report, lambda some: {"orders": list(some)})
        done += len(batch)
        progress(done, len(drafts))


def _add_order_row(drafts: dict[str, _Draft], row: Row, report: ImportReport) -> None:
    fields = Fields(row, report)
    number = fields.identifier("order_number", required=True)
    title = fields.text("title", limit=200, required=True)
    quantity = fields.quantity("quantity")
    if fields.refused:
        return
    spec = fields.text("spec", limit=120)
    line_id = fields.identifier("line_id") or _line_id(title, spec)
    draft = drafts.setdefault(number, _Draft(number))
    draft.rows.append(row.number)
    draft.lines[line_id] = LineFact(line_id, "", "", title, spec, quantity, fields.fen("paid"))
    for column in ("created_at", "paid_at", "ship_by"):
        draft.said[column] = fields.time(column) or draft.said.get(column)
    carrier, waybill = fields.waybill("waybill", "carrier", effect=Effect.FIELD)
    shipped_at = fields.time("shipped_at")
    if waybill:
        there = draft.packages.get((carrier, waybill))
        inside = dict(there.lines) if there else {}
        inside[line_id] = quantity
        draft.packages[carrier, waybill] = PackageFact("", carrier, waybill, shipped_at, tuple(inside.items()))
    else:
        draft.unshipped = True
    draft.status = _status(fields) or draft.status
    draft.recipient = _recipient(fields, draft.recipient)


def _line_id(title: str, spec: str) -> str:
    """The same goods in a second run are the same line."""
    return "x" + blake2b(f"{title}\n{spec}".encode(), digest_size=8).hexdigest()


def _status(fields: Fields) -> int:
    written = fields.text("status", limit=40)
    status = STATUS.get(written.replace(" ", ""), 0)
    if written and not status:
        fields.problem("status", "status_unknown", value=written)
    return status


def _recipient(fields: Fields, before: RecipientFact) -> RecipientFact:
    """What this row says of the recipient, over what earlier rows of the order said."""
    said = {
        "name": fields.text("name", limit=60),
        "phone": fields.identifier("phone"),
        "province": fields.text("province", limit=30),
        "city": fields.text("city", limit=30),
        "district": fields.text("district", limit=30),
        "address": fields.text("address", limit=200),
    }
    said = import_addresses.whole(fields, said) | {"email": fields.email("email")}
    return replace(before, **{name: value for name, value in said.items() if value})


def _fact(draft: _Draft) -> OrderFact:
    status = draft.status
    if not status:
        status = 2 if not draft.packages else 101 if draft.unshipped else 3
    paid_at, ship_by = draft.said.get("paid_at"), draft.said.get("ship_by")
    promise = None
    if paid_at and ship_by and ship_by >= paid_at:
        promise = -(-int((ship_by - paid_at).total_seconds()) // 3600)
    return OrderFact(
        number=draft.number,
        status=status,
        main_status=status,
        created_at=draft.said.get("created_at"),
        paid_at=paid_at,
        ship_by=ship_by,
        promise_hours=promise,
        paid_fen=sum(line.paid_fen for line in draft.lines.values()),
        updated_at=None,
        finished_at=None,
        lines=tuple(draft.lines.values()),
        recipient=draft.recipient,
        packages=tuple(draft.packages.values()),
    )


# --- scans -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Track:
    """What a file says about one waybill."""

    carrier: str
    number: str
    provider: str = FILE
    state: str = ""
    rows: list[int] = field(default_factory=list)
    scans: list[RawScan] = field(default_factory=list)


def _scans(path: Path, shop_id: int, report: ImportReport, progress: Progress, now: datetime) -> None:
    tracks: dict[tuple[str, str, str], _Track] = {}
    for row in read_rows(path, SCAN_COLUMNS, ("waybill", "time", "text"), report, messages=True):
        if row.message is not None and (found := recognise(row.message)):
            _add_message(tracks, row, found, report)
        elif isinstance(row.values.get("events"), list):
            _add_history(tracks, row, report)
        elif row.message is not None and not row.values.keys() & {"waybill", "time", "text"}:
            report.problems.append(RowProblem(row.number, "", "message_unknown"))
        else:
            _add_scan_row(tracks, row, report)
    done = 0
    for batch in _batches(list(tracks.values())):
        told = [(track.rows, track) for track in batch]
        _take(shop_id, told, now, report, partial(_track_facts, shop_id))
        done += len(batch)
        progress(done, len(tracks))


def _track(
    tracks: dict[tuple[str, str, str], _Track], fields: Fields, provider: str = FILE, effect: Effect = Effect.ROW
) -> _Track | None:
    if not as_text(fields.row.values.get("waybill")):
        fields.problem("waybill", "number_missing", effect)
        return None
    carrier, number = fields.waybill("waybill", "carrier", effect=effect)
    if not number:
        fields.refused = True
        return None
    return tracks.setdefault((carrier, number, provider), _Track(carrier, number, provider))


def _add_scan_row(tracks: dict[tuple[str, str, str], _Track], row: Row, report: ImportReport) -> None:
    fields = Fields(row, report)
    text = fields.text("text", limit=2000, required=True)
    at = fields.time("time", effect=Effect.ROW)
    if at is None and not fields.refused:
        fields.problem("time", "missing", Effect.ROW)
    code, place = fields.text("code", limit=20), fields.text("place", limit=120)
    track = _track(tracks, fields) if not fields.refused else None
    if track is not None and not fields.refused:
        track.rows.append(row.number)
        track.scans.append(RawScan(at, text, code, "", place))


def _add_history(tracks: dict[tuple[str, str, str], _Track], row: Row, report: ImportReport) -> None:
    """One whole track in a row: {"carrier", "number", "provider", "events": [{"time", "text", "code"}, …]}."""
    fields = Fields(row, report)
    events = [event for event in row.values["events"] if isinstance(event, dict)]
    provider = as_text(row.values.get("provider"))
    track = _track(tracks, fields, provider if provider in codes.tables() else FILE)
    if track is None:
        return
    scans = [
        RawScan(as_time(event.get("time")), as_text(event.get("text"))[:2000], as_text(event.get("code"))[:40])
        for event in events
    ]
    dated = [scan for scan in scans if scan.scanned_at is not None and scan.text]
    if not scans:
        fields.problem("events", "events_missing", Effect.NOTE)
    if len(dated) < len(scans):
        fields.problem("events", "events_without_time", Effect.FIELD, count=len(scans) - len(dated))
    track.rows.append(row.number)
    track.scans += dated


def _add_message(
    tracks: dict[tuple[str, str, str], _Track], row: Row, told: Sequence[TrackReport], report: ImportReport
) -> None:
    """A tracking service's own message, as it was kept: each track in it by itself, so that a bad number keeps no good
    one out."""
    for one in told:
        fields = Fields(Row(row.number, {"waybill": one.number, "carrier": one.carrier}), report)
        track = _track(tracks, fields, one.provider, Effect.ROW if len(told) == 1 else Effect.FIELD)
        if track is None:
            continue
        dated = [scan._replace(text=scan.text[:2000], code=scan.code[:40]) for scan in one.scans if scan.scanned_at]
        if not one.scans:
            fields.problem("events", "events_missing", Effect.NOTE)
        if len(dated) < len(one.scans):
            fields.problem("events", "events_without_time", Effect.FIELD, count=len(one.scans) - len(dated))
        track.rows.append(row.number)
        track.scans += dated
        track.state = one.state or track.state


def _track_facts(shop_id: int, tracks: Sequence[_Track]) -> dict[str, Any]:
    """Reports, and a bare order for each number that no parcel has: the file is all that is known of it."""
    known = parcels.parcel_ids(shop_id, [track.number for track in tracks])
    bare = {
        (track.carrier, track.number): OrderFact(
            number=f"FILE-{track.number}"[:40],
            status=3,
            main_status=3,
            created_at=None,
            paid_at=None,
            ship_by=None,
            promise_hours=None,
            paid_fen=0,
            updated_at=None,
            finished_at=None,
            lines=(),
            recipient=RecipientFact(),
            packages=(PackageFact("", track.carrier, track.number),),
        )
        for track in tracks
        if track.number not in known
    }
    reports = [
        TrackReport(track.provider, track.carrier, track.number, tuple(track.scans), state=track.state)
        for track in tracks
    ]
    return {"orders": list(bare.values()), "reports": reports}


# --- both ------------------------------------------------------------------------------------------------------------


def _take(
    shop_id: int,
    told: Sequence[tuple[list[int], Any]],
    now: datetime,
    report: ImportReport,
    facts_of: Callable[[Sequence[Any]], dict[str, Any]],
) -> None:
    """A batch at once; when that fails, each on its own, so that one bad order keeps no good one out."""
    try:
        _put(shop_id, [rows for rows, _ in told], facts_of([what for _, what in told]), now, report)
        return
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - found again, and named, one by one below
        log.warning("an import batch is taken apart", extra={"shop_id": shop_id, "code": type(error).__qualname__})
    for rows, what in told:
        try:
            _put(shop_id, [rows], facts_of([what]), now, report)
        except OperationalError:
            raise
        except Exception:
            log.exception("an imported row could not be stored", extra={"shop_id": shop_id})
            report.problems += [RowProblem(row, "", "not_stored") for row in rows]


def _put(shop_id: int, rows: Iterable[list[int]], facts: dict[str, Any], now: datetime, report: ImportReport) -> None:
    taken = take_in(shop_id=shop_id, now=now, source=FILE, **facts)
    report.taken += sum(len(some) for some in rows)
    report.orders += len(taken.order_ids)
    report.parcels += len(taken.touched)
    report.scans += taken.new_scans


def _batches(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
