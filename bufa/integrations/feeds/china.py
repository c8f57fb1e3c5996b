"""Services and carriers of China, by the form of their messages (tracking-protocols §3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bufa.domain import carriers
from bufa.integrations.ports import RawScan, TrackReport
from bufa.integrations.wire import child, china_time, instant, rows, text

_NEVER = datetime.min.replace(tzinfo=UTC)


def carrier_of(told: object) -> str:
    """company_code of what a service calls a carrier; an unknown one stays as it came, in small letters."""
    said = text(told)
    return carriers.by_name(said) or said.lower()


def in_order(scans: Iterable[RawScan]) -> tuple[RawScan, ...]:
    """Oldest first, whichever way they came; lines of one instant keep the list's sense."""
    found = list(scans)
    known = [scan.scanned_at for scan in found if scan.scanned_at is not None]
    if known and known[0] > known[-1]:
        found.reverse()
    return tuple(sorted(found, key=lambda scan: scan.scanned_at or _NEVER))


def _kdzs(told: Mapping[str, Any]) -> TrackReport | None:
    """快递助手, APISpace, 天眼: one family, sold by several."""
    lines = told.get("logisticsTraceDetailList") or told.get("logisticsFullTraceList")
    if not isinstance(lines, list) or "mailNo" not in told:
        return None
    scans = [
        RawScan(
            instant(line.get("time")),
            text(line.get("desc")),
            text(line.get("subLogisticsStatus")) or text(line.get("logisticsStatus")),
            text(line.get("logisticsStatus")),
            text(line.get("areaName")),
        )
        for line in rows(lines)
    ]
    return TrackReport(
        "kdzs", carrier_of(told.get("cpCode")), text(told.get("mailNo")), in_order(scans),
        state=text(told.get("logisticsStatus")),
    )  # fmt: skip


def _aliyun(told: Mapping[str, Any]) -> TrackReport | None:
    """The track service of Aliyun's market: the parcel has a state, its lines have none."""
    if "deliverystatus" not in told or not isinstance(told.get("list"), list):
        return None
    scans = [RawScan(china_time(line.get("time")), text(line.get("status"))) for line in rows(told["list"])]
    carrier = carrier_of(told.get("expName") or told.get("type"))
    return TrackReport(
        "aliyun", carrier, text(told.get("number")), in_order(scans), state=text(told.get("deliverystatus"))
    )


def _juhe(told: Mapping[str, Any]) -> TrackReport | None:
    lines = rows(told.get("list"))
    if "com" not in told or "no" not in told or not all("remark" in line for line in lines):
        return None
    scans = [
        RawScan(china_time(line.get("datetime")), text(line.get("remark")), place=text(line.get("zone")))
        for line in lines
    ]
    carrier = carrier_of(told.get("company") or told.get("com"))
    return TrackReport("juhe", carrier, text(told.get("no")), in_order(scans), state=text(told.get("status")))


def _showapi(told: Mapping[str, Any]) -> TrackReport | None:
    """Looks like Kuaidi100's, with the carrier's own word for each scan."""
    lines = rows(told.get("data"))
    if "nu" not in told or not any("scantype" in line for line in lines):
        return None
    scans = [
        RawScan(
            china_time(line.get("time")),
            text(line.get("context")),
            text(line.get("scantype")),
            place=text(line.get("location")),
        )
        for line in lines
    ]
    return TrackReport("showapi", carrier_of(told.get("com")), text(told.get("nu")), in_order(scans))


def _shunfeng(told: Mapping[str, Any]) -> TrackReport | None:
    """RouteService (XML turned into JSON) and EXP_RECE_SEARCH_ROUTES, one parcel of either."""
    lines = rows(told.get("Route")) or rows(told.get("routes"))
    number = text(told.get("mailno")) or text(told.get("mailNo"))
    if not number or not lines or not any("opcode" in line or "opCode" in line for line in lines):
        return None
    scans = [
        RawScan(
            china_time(line.get("accept_time") or line.get("acceptTime")),
            text(line.get("remark")),
            text(line.get("opcode")) or text(line.get("opCode")),
            place=text(line.get("accept_address")) or text(line.get("acceptAddress")),
        )
        for line in lines
    ]
    return TrackReport("shunfeng", "shunfeng", number, in_order(scans))


def _zhongtong(told: Mapping[str, Any]) -> TrackReport | None:
    """One push a scan."""
    if not {"billCode", "action", "actionTime"} <= set(told):
        return None
    scan = RawScan(
        china_time(told.get("actionTime")),
        text(told.get("desc")),
        text(told.get("action")),
        place=text(told.get("city")),
    )
    return TrackReport("zhongtong", "zhongtong", text(told.get("billCode")), (scan,))


def _jtexpress(told: Mapping[str, Any]) -> TrackReport | None:
    """`logistics/trace`: one parcel with its details."""
    lines = rows(told.get("details"))
    if "billCode" not in told or not any("scanTime" in line for line in lines):
        return None
    scans = [
        RawScan(
            china_time(line.get("scanTime")),
            text(line.get("desc")) or text(line.get("remark1")) or text(line.get("scanType")),
            text(line.get("scanTypeCode")) or text(line.get("scanType")) or text(line.get("scanTypeName")),
            place=text(line.get("scanNetworkCity")) or text(line.get("scanNetworkName")),
        )
        for line in lines
    ]
    return TrackReport("jtexpress", "jtexpress", text(told.get("billCode")), in_order(scans))


def _youzheng(told: Mapping[str, Any]) -> TrackReport | None:
    """China Post, inside and on its web: one message a scan. The web's finer code stands in `opStateCode`."""
    if not {"traceNo", "opTime", "opDesc"} <= set(told):
        return None
    scan = RawScan(
        china_time(told.get("detailOpTime") or told.get("opTime")),
        text(told.get("opDesc")),
        text(told.get("opStateCode")) or text(told.get("opCode")),
        place=text(told.get("opOrgCity")),
    )
    return TrackReport("youzhengguonei", "youzhengguonei", text(told.get("traceNo")), (scan,))


def _doudian(told: Mapping[str, Any]) -> TrackReport | None:
    """`logistics.trackNoRouteDetail`; the tag has two underscores in places."""
    lines = told.get("route_node_list") or told.get("route__node_list")
    if not isinstance(lines, list):
        return None
    about = child(told, "track_info")
    scans = [
        RawScan(
            instant(line.get("timestamp")),
            text(line.get("content")),
            text(line.get("state")),
            text(line.get("state_description")),
            text(line.get("site_name")),
        )
        for line in rows(lines)
    ]
    return TrackReport("doudian", carrier_of(about.get("express")), text(about.get("track_no")), in_order(scans))


def _cainiao(told: Mapping[str, Any]) -> TrackReport | None:
    """Cainiao's own pages: lines in English or Chinese, with an action of theirs."""
    lines = rows(told.get("detailList"))
    if "mailNo" not in told or not lines:
        return None
    scans = [
        RawScan(
            instant(line.get("time")) or china_time(line.get("timeStr")),
            text(line.get("standerdDesc")) or text(line.get("desc")),
            text(line.get("actionCode")),
        )
        for line in lines
    ]
    carrier = carrier_of(child(told, "destCpInfo").get("cpName") or told.get("cpCode") or "danniao")
    return TrackReport("cainiao", carrier, text(told.get("mailNo")), in_order(scans))


READERS = (
    _kdzs, _aliyun, _juhe, _showapi, _shunfeng, _zhongtong, _jtexpress, _youzheng, _doudian, _cainiao,
)  # fmt: skip
