"""The gateway: one door for every method, with the platform's checks in the platform's order."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from simulator.clock import BEIJING
from simulator.doudian import aftersales, ebills, opening, orders, routes, shipping, sms
from simulator.doudian import params as types
from simulator.doudian.errors import Refusal, bad_platform, failed, missing_platform
from simulator.doudian.signing import verify
from simulator.state import Json

if TYPE_CHECKING:
    from simulator.sim import Sim

Method = Callable[["Sim", Json], Any]

METHODS: dict[str, Method] = {
    "order.searchList": orders.search_list,
    "order.orderDetail": orders.order_detail,
    "order.logisticsCompanyList": orders.company_list,
    "order.queryOrderPackageInfo": orders.package_info,
    "order.queryOrderLogistics": orders.order_logistics,
    "order.addOrderRemark": orders.add_remark,
    "order.batchDecrypt": opening.batch_decrypt,
    "order.batchSensitive": opening.batch_sensitive,
    "order.logisticsAdd": shipping.logistics_add,
    "order.logisticsAddMultiPack": shipping.add_multi_pack,
    "order.logisticsAddSinglePack": shipping.add_single_pack,
    "order.logisticsEdit": shipping.logistics_edit,
    "order.logisticsEditByPack": shipping.logistics_edit_by_pack,
    "order.uploadextrapackage": shipping.upload_extra,
    "logistics.newCreateOrder": ebills.new_create_order,
    "logistics.cancelOrder": ebills.cancel_order,
    "logistics.waybillApply": ebills.waybill_apply,
    "logistics.getOutRange": routes.get_out_range,
    "logistics.trackNoRouteDetail": routes.track_route,
    "address.list": orders.address_list,
    "afterSale.List": aftersales.list_,
    "afterSale.Detail": aftersales.detail,
    "afterSale.operate": aftersales.operate,
    "afterSale.applyLogisticsIntercept": aftersales.intercept,
    "afterSale.fillLogistics": aftersales.fill_logistics,
    "afterSale.rejectReasonCodeList": aftersales.reject_reasons,
    "security.batchReportOrderSecurityEvent": opening.security_event,
    "sms.send": sms.send,
    "sms.batchSend": sms.batch_send,
    "sms.sendResult": sms.send_result,
    "sms.template.apply": sms.template_apply,
    "sms.template.search": sms.template_search,
}
TOKEN_METHODS = {"token.create", "token.refresh"}
PER_SECOND = {
    "order.searchList": 600,
    "order.orderDetail": 900,
    "afterSale.List": 500,
    "order.logisticsCompanyList": 500,
}
TOLERANCE = 600
FAULTS = {
    "10001": Refusal(10001, "请求部分失败", "isv.business-part-failed", "部分失败"),
    "20000": Refusal(20000, "服务不可用", "isp.service-error:20000", "系统繁忙，请稍后重试"),
    "20001": Refusal(20001, "内部服务超时", "isp.service-error:20001", "内部服务超时"),
    "60000": Refusal(60000, "触发限流", "isv.traffic-limited", "请求过于频繁"),
    "90000": Refusal(90000, "其他异常", "isp.unknown-error", "未知错误"),
    "refused": failed(60127, "运单号校验不通过，请确认后重试"),
}
"""Answers with HTTP 200 that say no, before anything was done."""
_REQUIRED = {
    "app_key": "app-id-missing",
    "method": "parameter-missing",
    "timestamp": "parameter-missing",
    "sign": "signature-missing",
}
_FACTS = ("order_id", "shop_order_id", "aftersale_id", "after_sale_id", "tracking_no", "logistics_code", "request_id")


def seconds(text: str) -> float:
    """Real seconds of a timestamp: seconds, milliseconds or ``2026-01-31 08:00:00`` (GMT+8). Raises Refusal."""
    if text.isdigit():
        return int(text) / 1000 if len(text) > 11 else int(text)
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
    except ValueError:
        raise bad_platform("timestamp-format-error", "timestamp 格式有误") from None


def method_of(path: str) -> str:
    """``/order/searchList`` → ``order.searchList``."""
    return path.strip("/").replace("/", ".")


class Gateway:
    """Answers one call at a time; ``wall`` gives real seconds, by which signatures are judged."""

    def __init__(self, sim: Sim, wall: Callable[[], float] = time.time) -> None:
        self.sim = sim
        self.wall = wall
        self._second = 0
        self._calls: dict[str, int] = defaultdict(int)
        self._logs = Random(f"{sim.seed}:log_id")

    def call(self, path: str, query: Mapping[str, str], body: str, facts: Json, trouble: str = "") -> Json:
        """The whole answer. ``facts`` takes what the ledger should know; ``trouble`` is one of FAULTS or nothing."""
        method = method_of(path)
        try:
            data = self._checked(method, query, body or query.get("param_json", ""), facts, trouble)
        except Refusal as refusal:
            facts["outcome"] = refusal.code
            return self._envelope(refusal.code, refusal.msg, refusal.sub_code, refusal.sub_msg, {})
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            facts["outcome"] = 40004
            return self._envelope(40004, "非法的参数", "isv.parameter-invalid:1", f"参数类型有误 {error}", {})
        facts["outcome"] = 10000
        return self._envelope(10000, "success", "", "", data)

    def _checked(self, method: str, query: Mapping[str, str], body: str, facts: Json, trouble: str) -> Any:
        sim = self.sim
        self._frame(method, query)
        params = self._params(method, query, body, facts)
        if method not in METHODS and method not in TOKEN_METHODS:
            raise Refusal(70000, "接口服务已下线", "isp.api-service-off", "接口不存在或已下线")
        if method not in TOKEN_METHODS:
            sim.tokens.check(query.get("access_token", ""))
        if trouble in FAULTS:
            raise FAULTS[trouble]
        if self._too_fast(method):
            raise FAULTS["60000"]
        if method == "token.create":
            return sim.tokens.create(params)
        if method == "token.refresh":
            return sim.tokens.refresh(params)
        if method in sim.forbidden:
            raise Refusal(30001, "操作权限不足", "isv.app-permissions-insufficient", f"应用未获得 {method} 的调用权限")
        types.check(method, params)
        return METHODS[method](sim, params)

    def _frame(self, method: str, query: Mapping[str, str]) -> None:
        """The parameters around the call: all there, of this app, of this method, of about now."""
        for name, code in _REQUIRED.items():
            if not query.get(name):
                raise missing_platform(code, f"{name} 缺失")
        if query.get("v") != "2":
            raise bad_platform("parameter-invalid", "v 必须为 2")
        if query["app_key"] != self.sim.keys.app_key:
            raise bad_platform("app-id-invalid", "app_key 不存在")
        if query["method"] != method:
            raise bad_platform("parameter-invalid", "method 与路径不一致")
        if abs(seconds(query["timestamp"]) - self.wall()) > TOLERANCE:
            raise bad_platform("timestamp-invalid", "timestamp 与服务器时间相差过大")

    def _params(self, method: str, query: Mapping[str, str], body: str, facts: Json) -> Json:
        """The call's own parameters, once their signature holds."""
        try:
            params = json.loads(body or "{}")
        except ValueError:
            raise bad_platform("parameter-format-invalid", "param_json 不是 JSON") from None
        if not isinstance(params, dict):
            raise bad_platform("parameter-format-invalid", "param_json 须为对象")
        self._note(params, facts)
        how = query.get("sign_method") or "md5"
        keys = self.sim.keys
        if not verify(query["sign"], keys.app_key, keys.app_secret, method, body or "{}", query["timestamp"], how):
            raise bad_platform("signature-invalid", "签名校验失败")
        return params

    def _note(self, params: Json, facts: Json) -> None:
        for name in _FACTS:
            value = params.get(name)
            if value not in (None, ""):
                key = {"shop_order_id": "order_id", "after_sale_id": "aftersale_id"}.get(name, name)
                key = "number" if key in {"tracking_no", "logistics_code"} else key
                facts[key] = str(value)
        tel = str(params.get("post_tel") or "")
        if tel:
            found = self.sim.vault.find(tel)
            facts["phone"] = found.mask if found else f"{tel[:3]}****{tel[-4:]}"
            if found:
                facts["order_id"] = found.order_id
        items = params.get("items")
        if isinstance(items, list) and items and isinstance(items[0], dict) and items[0].get("aftersale_id"):
            facts["aftersale_id"] = str(items[0]["aftersale_id"])

    def _too_fast(self, method: str) -> bool:
        now = int(self.wall())
        if now != self._second:
            self._second = now
            self._calls.clear()
        self._calls[method] += 1
        return self._calls[method] > self.sim.limits.get(method, PER_SECOND.get(method, 10_000))

    def _envelope(self, code: int, msg: str, sub_code: str, sub_msg: str, data: Any) -> Json:
        moment = datetime.fromtimestamp(self.wall(), BEIJING).strftime("%Y%m%d%H%M%S")
        log_id = f"{moment}{self._logs.getrandbits(80):020X}"
        return {"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": sub_msg, "log_id": log_id, "data": data}
