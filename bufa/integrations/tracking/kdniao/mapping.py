"""KDNiao's answers → track reports, and its carrier codes ↔ Doudian's (tracking-protocols §2, §4.1)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from bufa.integrations.ports import RawScan, TrackReport
from bufa.integrations.wire import china_time, rows, text

NAME = "kdniao"

_THEIRS = {
    "shunfeng": "SF",
    "zhongtong": "ZTO",
    "yuantong": "YTO",
    "shentong": "STO",
    "yunda": "YD",
    "jtexpress": "JTSD",
    "jd": "JD",
    "youzhengguonei": "YZPY",
    "youzhengbk": "YZBK",
    "ems": "EMS",
    "debangkuaidi": "DBL",
    "huitongkuaidi": "HTKY",
    "zhongtongkuaiyun": "ZTOKY",
    "jingdongkuaiyun": "JDKY",
    "annengwuliu": "ANEKY",
    "kuayue": "KYSY",
    "youshuwuliu": "UC",
    "zhaijisong": "ZJS",
    "tiantian": "HHTT",
    "suer": "SURE",
    "suning": "SNWL",
    "rrs": "RRS",
}
_OURS = {theirs: ours for ours, theirs in _THEIRS.items()} | {"ANE": "annengwuliu"}


def their_carrier(carrier: str) -> str | None:
    """KDNiao's code of a Doudian company_code, or None when it is not known."""
    return _THEIRS.get(carrier)


def our_carrier(told: object) -> str:
    """Doudian's company_code of a KDNiao code; an unknown code stays as it came, in lower case."""
    code = text(told)
    return _OURS.get(code.upper(), code.lower())


def data_sign(request_data: str, app_key: str) -> str:
    """base64 of the hex text (not of the bytes) of MD5(request_data + app_key); not yet url-encoded."""
    told = hashlib.md5((request_data + app_key).encode(), usedforsecurity=False).hexdigest()
    return base64.b64encode(told.encode()).decode()


def report_of(item: Mapping[str, Any], *, carrier: str = "", number: str = "") -> TrackReport:
    """A query's answer, or one entry of a push. `state` is StateEx where there is one. Lines come oldest first."""
    scans = tuple(scan_of(row) for row in rows(item.get("Traces")))
    return TrackReport(
        provider=NAME,
        carrier=our_carrier(item.get("ShipperCode")) or carrier,
        number=text(item.get("LogisticCode")) or number,
        scans=scans,
        note=text(item.get("Reason")),
        state=(text(item.get("StateEx")) or text(item.get("State"))) if scans else "",
    )


def scan_of(row: Mapping[str, Any]) -> RawScan:
    said, remark = text(row.get("AcceptStation")), text(row.get("Remark"))
    return RawScan(
        scanned_at=china_time(row.get("AcceptTime")),
        text=f"{said} {remark}" if remark and remark not in said else said,
        code=text(row.get("Action")),
        place=text(row.get("Location")),
    )
