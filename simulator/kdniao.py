"""KDNiao: query, subscription, pushes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlencode

import httpx

from simulator import carriers, texts
from simulator.clock import HOUR, stamp
from simulator.outbound import Outbox, Post
from simulator.state import Json, Parcel
from simulator.world import World

QUERIES = {"1002": False, "8001": True}
SUBSCRIPTIONS = {"1008": ("101", False), "8008": ("102", True)}
TRIES = 3


@dataclass
class Watch:
    shipper: str
    number: str
    push_type: str
    fine: bool
    callback: str
    since: int
    told: int = -1
    open: bool = True


def data_sign(request_data: str, key: str) -> str:
    """Base64 of the lower-case hex MD5 of data + key; not yet url-encoded."""
    return base64.b64encode(hashlib.md5((request_data + key).encode()).hexdigest().encode()).decode()  # noqa: S324


def taken(response: httpx.Response) -> bool:
    if response.status_code != 200:
        return False
    body = response.json()
    return isinstance(body, dict) and body.get("Success") is True


class KdNiao:
    """One account. The push address is the account's own, set by control."""

    def __init__(self, world: World, outbox: Outbox, business_id: str, key: str) -> None:
        self.world = world
        self.outbox = outbox
        self.business_id = business_id
        self.key = key
        self.url = ""
        self.pushed = 0
        self.watches: dict[tuple[str, str], Watch] = {}

    def call(self, form: Mapping[str, str], facts: Json) -> Json:
        """Any request: DataSign may come url-encoded once or twice, as the vendor's own examples do it."""
        text = form.get("RequestData", "")
        if "%7B" in text[:6].upper():
            text = unquote(text)
        kind = form.get("RequestType", "")
        if form.get("EBusinessID") != self.business_id:
            return self._no("商户ID不存在")
        if unquote(form.get("DataSign", "")).replace(" ", "+") != data_sign(text, self.key):
            return self._no("数据签名不匹配")
        try:
            data = json.loads(text)
            shipper, number = str(data["ShipperCode"]), str(data["LogisticCode"])
        except (ValueError, KeyError, TypeError):
            return self._no("请求数据格式有误")
        facts["number"] = number
        if shipper not in carriers.BY_KDNIAO:
            return self._no("快递公司编码不存在", shipper, number)
        if kind in QUERIES:
            return self._query(shipper, number, data, QUERIES[kind])
        if kind in SUBSCRIPTIONS:
            return self._subscribe(shipper, number, data, *SUBSCRIPTIONS[kind])
        return self._no("不支持的指令类型", shipper, number)

    def _no(self, reason: str, shipper: str = "", number: str = "") -> Json:
        row: Json = {"EBusinessID": self.business_id, "Success": False, "Reason": reason}
        if number:
            row |= {"ShipperCode": shipper, "LogisticCode": number, "State": "0", "Traces": []}
        return row

    def _parcel(self, shipper: str, number: str) -> Parcel | None:
        return self.world.parcels.get((carriers.BY_KDNIAO[shipper].code, number))

    def _result(self, shipper: str, number: str, fine: bool, order_code: str = "") -> Json:
        parcel = self._parcel(shipper, number)
        now = self.world.clock.now()
        scans = parcel.life.known(now) if parcel is not None else []
        current = max((s for s in scans if s.at <= now), key=lambda s: s.at, default=None)
        traces = []
        for scan in scans:
            row: Json = {"AcceptTime": stamp(scan.at), "AcceptStation": scan.text, "Remark": ""}
            if fine:
                row |= {"Location": scan.place.split(",")[1], "Action": scan.kdniao}
            traces.append(row)
        answer: Json = {
            "EBusinessID": self.business_id,
            "OrderCode": order_code,
            "ShipperCode": shipper,
            "LogisticCode": number,
            "Success": True,
            "Reason": "" if traces else "暂无轨迹信息",
            "State": texts.kdniao_coarse(current.kdniao) if current else "0",
            "Traces": traces,
        }
        if fine:
            answer["StateEx"] = current.kdniao if current else "0"
            answer["Location"] = current.place.split(",")[1] if current else ""
        return answer

    def _query(self, shipper: str, number: str, data: Json, fine: bool) -> Json:
        parcel = self._parcel(shipper, number)
        if shipper == "SF" and parcel is not None:
            tail = str(data.get("CustomerName") or "")
            if tail[-4:] != self.world.orders[parcel.order_id].buyer.phone[-4:]:
                return self._no("顺丰需提供手机号后四位", shipper, number)
        return self._result(shipper, number, fine, str(data.get("OrderCode") or ""))

    def _subscribe(self, shipper: str, number: str, data: Json, push_type: str, fine: bool) -> Json:
        now = self.world.clock.now()
        known = self.watches.get((shipper, number))
        if known is None or not known.open:
            mark = str(data.get("Callback") or data.get("CallBack") or "")
            watch = Watch(shipper, number, push_type, fine, mark, now)
            self.watches[shipper, number] = watch
            first = self.world.rng(f"watch:{number}:{now}").uniform(600, HOUR)
            self.world.line.after(first, lambda: self._look(watch))
        return {
            "EBusinessID": self.business_id,
            "UpdateTime": stamp(now),
            "Success": True,
            "Reason": "",
            "EstimatedDeliveryTime": "",
        }

    def _look(self, watch: Watch) -> None:
        now = self.world.clock.now()
        result = self._result(watch.shipper, watch.number, watch.fine)
        if self.url and len(result["Traces"]) != watch.told and result["Traces"]:
            watch.told = len(result["Traces"])
            watch.open = result["State"] != "3"
            self._send([{**result, "CallBack": watch.callback}], watch.push_type, 1)
        if watch.open and now - watch.since < 60 * 86_400:
            gap = self.world.rng(f"watch:{watch.number}:{now}").uniform(2 * HOUR, 4 * HOUR)
            self.world.line.after(gap, lambda: self._look(watch))

    def _send(self, rows: list[Json], push_type: str, attempt: int) -> None:
        body = {
            "EBusinessID": self.business_id,
            "PushTime": stamp(self.world.clock.now()),
            "Count": str(len(rows)),
            "Data": rows,
        }
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        form = {"RequestData": text, "RequestType": push_type, "DataSign": data_sign(text, self.key)}
        self.pushed += 1

        def after(ok: bool) -> None:
            if not ok and attempt < TRIES:
                self.world.line.after(900 * attempt, lambda: self._send(rows, push_type, attempt + 1))

        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        self.outbox.add(Post("kdniao", self.url, urlencode(form).encode(), headers, taken, after))
