"""Kuaidi100: query, subscription, callbacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from simulator import carriers, texts
from simulator.clock import BEIJING, DAY, HOUR, beijing, stamp
from simulator.lives import Scan
from simulator.outbound import Outbox, Post
from simulator.places import ORIGIN
from simulator.state import Json, Parcel
from simulator.world import World

LOCK = 1800
MONTHLY = 4
RETRY = 2100
TRIES = 4
GIVE_UP_EMPTY = 3 * DAY
GIVE_UP_SILENT = 60 * DAY
_MONTH = "%Y-%m"


@dataclass
class Subscription:
    company: str
    number: str
    callback: str
    salt: str
    fine: bool
    since: int
    told: int = -1
    open: bool = True


def md5_upper(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest().upper()  # noqa: S324 the provider's own choice


def refused(code: str, message: str) -> Json:
    return {"result": False, "returnCode": code, "message": message}


def taken(response: httpx.Response) -> bool:
    """The one reply that counts: result true, returnCode 200."""
    if response.status_code != 200:
        return False
    body = response.json()
    return isinstance(body, dict) and body.get("result") is True and str(body.get("returnCode")) == "200"


class Kuaidi100:
    """One account. Subscriptions are looked at every two to four hours and told about when something is new."""

    def __init__(self, world: World, outbox: Outbox, customer: str, key: str) -> None:
        self.world = world
        self.outbox = outbox
        self.customer = customer
        self.key = key
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        self.pushed = {"polling": 0, "shutdown": 0, "abort": 0}
        self._asked: dict[str, int] = {}
        self._month: dict[tuple[str, str], int] = {}

    # answers

    def parcel(self, company: str, number: str) -> Parcel | None:
        return self.world.parcels.get((company, number))

    def phone_ok(self, company: str, number: str, phone: str) -> bool:
        """SF and ZTO want the recipient's (or sender's) phone or its last four digits."""
        carrier = carriers.CARRIERS.get(company)
        parcel = self.parcel(company, number)
        if carrier is None or not carrier.phone_check or parcel is None:
            return True
        own = self.world.orders[parcel.order_id].buyer.phone
        return phone != "" and phone[-4:] == own[-4:]

    def scans(self, company: str, number: str) -> list[Scan]:
        parcel = self.parcel(company, number)
        return parcel.life.known(self.world.clock.now()) if parcel is not None else []

    def result(self, company: str, number: str, fine: bool, *, newest_first: bool = True) -> Json:
        """The answer to a query, also the ``lastResult`` of a callback."""
        scans = self.scans(company, number)
        now = self.world.clock.now()
        current = max((s for s in scans if s.at <= now), key=lambda s: s.at, default=None)
        code = current.kuaidi100 if current is not None else "0"
        rows = []
        for scan in reversed(scans) if newest_first else scans:
            row: Json = {"time": stamp(scan.at), "ftime": stamp(scan.at), "context": scan.text}
            if fine:
                row |= self._area(scan)
            rows.append(row)
        state = code if fine else texts.kuaidi100_coarse(code)
        answer: Json = {
            "message": "ok",
            "nu": number,
            "ischeck": "1" if texts.kuaidi100_coarse(code) in {"3", "4"} else "0",
            "condition": "00",
            "com": company,
            "status": "200",
            "state": state,
            "data": rows,
            "isLoop": False,
        }
        parcel = self.parcel(company, number)
        if fine and parcel is not None:
            to = self.world.orders[parcel.order_id].buyer.place
            answer["routeInfo"] = {
                "from": {"number": f"CN{ORIGIN.district_id}000000", "name": f"{ORIGIN.province},{ORIGIN.city}"},
                "cur": {"number": "", "name": current.place if current else ""},
                "to": {"number": f"CN{to.district_id}000000", "name": f"{to.province},{to.city},{to.district}"},
            }
        return answer

    def _area(self, scan: Scan) -> Json:
        code = scan.kuaidi100
        name = texts.KUAIDI100_STATE_NAMES[texts.kuaidi100_coarse(code)]
        province, city, district = scan.place.split(",")
        return {
            "status": name,
            "statusCode": code,
            "areaCode": "",
            "areaName": scan.place,
            "areaCenter": "",
            "areaPinYin": "",
            "location": f"{city},{district}" if province else "",
        }

    def query(self, form: Mapping[str, str], facts: Json) -> Json:
        """``POST /poll/query.do``: signature, lock of 30 minutes, phone check, then the tracks."""
        text = form.get("param", "")
        if form.get("customer") != self.customer or form.get("sign") != md5_upper(text + self.key + self.customer):
            return refused("503", "验证签名失败")
        try:
            param = json.loads(text)
            company, number = str(param["com"]), str(param["num"])
        except (ValueError, KeyError, TypeError):
            return refused("501", "服务器错误：参数格式有误")
        facts["number"] = number
        if company not in carriers.CARRIERS:
            return refused("400", "找不到对应公司")
        now = self.world.clock.now()
        last = self._asked.get(number)
        if last is not None and now - last < LOCK:
            return refused("502", "该单号查询过于频繁，已锁单，请30分钟后再试")
        self._asked[number] = now
        if not self.phone_ok(company, number, str(param.get("phone") or "")):
            return refused("408", "快递公司参数异常：验证码错误")
        if not self.scans(company, number):
            return refused("500", "查询无结果，请隔段时间再查")
        fine = str(param.get("resultv2") or "") in {"4", "8"}
        return self.result(company, number, fine, newest_first=str(param.get("order") or "desc") != "asc")

    # subscriptions

    def subscribe(self, form: Mapping[str, str], facts: Json) -> Json:
        """``POST /poll``: 200 taken, 501 already there, 700 carrier unknown; four a month for one number."""
        try:
            param = json.loads(form.get("param", ""))
            wanted = param.get("parameters") or {}
            company, number = str(param["company"]), str(param["number"])
            callback = str(wanted["callbackurl"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return refused("501", "服务器错误：参数格式有误")
        facts["number"] = number
        if param.get("key") != self.key:
            return refused("600", "您不是合法的订阅者（即授权Key出错）")
        if company not in carriers.CARRIERS:
            return refused("700", "不支持的快递公司")
        if not 6 <= len(number) <= 32:
            return refused("701", "运单号格式有误")
        known = self.subscriptions.get((company, number))
        if known is not None and known.open:
            return refused("501", "POLL:重复订阅")
        if not self.phone_ok(company, number, str(wanted.get("phone") or "")):
            return refused("408", "快递公司参数异常：验证码错误")
        now = self.world.clock.now()
        month = (number, beijing(now).astimezone(BEIJING).strftime(_MONTH))
        if self._month.get(month, 0) >= MONTHLY:
            return refused("702", "该单号本月订阅次数已达上限")
        self._month[month] = self._month.get(month, 0) + 1
        fine = str(wanted.get("resultv2") or "") in {"4", "8"}
        sub = Subscription(company, number, callback, str(wanted.get("salt") or ""), fine, now)
        self.subscriptions[company, number] = sub
        first = self.world.rng(f"poll:{number}:{now}").uniform(900, 2 * HOUR)
        self.world.line.after(first, lambda: self._look(sub))
        return {"result": True, "returnCode": "200", "message": "提交成功"}

    def _look(self, sub: Subscription) -> None:
        if not sub.open:
            return
        now = self.world.clock.now()
        scans = self.scans(sub.company, sub.number)
        newest = max((s.known_at for s in scans), default=sub.since)
        if not scans and now - sub.since >= GIVE_UP_EMPTY:
            self._tell(sub, "abort", "3天查询无记录")
        elif scans and now - newest >= GIVE_UP_SILENT:
            self._tell(sub, "abort", "60天无变化")
        elif len(scans) != sub.told and scans:
            sub.told = len(scans)
            last = max((s for s in scans if s.at <= now), key=lambda s: s.at, default=scans[-1])
            parcel = self.parcel(sub.company, sub.number)
            waits = parcel is not None and parcel.life.fate == "duplicates"
            done = texts.kuaidi100_coarse(last.kuaidi100) in {"3", "4"} and not (waits and now - last.at < 4 * HOUR)
            self._tell(sub, "shutdown" if done else "polling", "")
        if sub.open:
            gap = self.world.rng(f"poll:{sub.number}:{now}").uniform(2 * HOUR, 4 * HOUR)
            self.world.line.after(gap, lambda: self._look(sub))

    def _tell(self, sub: Subscription, status: str, message: str) -> None:
        sub.open = status == "polling"
        result = self.result(sub.company, sub.number, sub.fine)
        code = texts.kuaidi100_coarse(str(result["state"]))
        bill = {"1": "got", "3": "check"}.get(code, "sending") if result["data"] else "check"
        body: Json = {
            "status": status,
            "billstatus": bill,
            "message": message,
            "autoCheck": "0",
            "comOld": "",
            "comNew": "",
            "lastResult": result,
        }
        self.pushed[status] += 1
        self._send(sub, json.dumps(body, ensure_ascii=False, separators=(",", ":")), 1)

    def _send(self, sub: Subscription, text: str, attempt: int) -> None:
        form = {"param": text}
        if sub.salt:
            form["sign"] = md5_upper(text + sub.salt)

        def after(ok: bool) -> None:
            if not ok and attempt < TRIES:
                self.world.line.after(RETRY, lambda: self._send(sub, text, attempt + 1))

        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        self.outbox.add(Post("kuaidi100", sub.callback, urlencode(form).encode(), headers, taken, after, timeout=10))
