"""Shipping calls: whole order, split and joint packages, the extra package of a reissue, and putting a number right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import carriers
from simulator.doudian.errors import Refusal, failed, invalid, missing
from simulator.state import (
    CANCELLED,
    FINISHED,
    PARTLY,
    REFUND_ONLY,
    SHIPPED,
    TO_SHIP,
    UNPAID,
    WAITING,
    Json,
    Order,
    Package,
)
from simulator.world import SEND_ADDRESS_ID

if TYPE_CHECKING:
    from simulator.sim import Sim

_RISK = 105
_SPOILT = {
    70018: "运单号已被物流公司回收或取消",
    70019: "运单首条轨迹早于支付时间",
    70020: "运单收件人与订单收件人不一致",
    70022: "运单号已被其他收件人的订单使用",
    60127: "运单号校验不通过",
}


def check_number(sim: Sim, order: Order, company: str, number: str) -> None:
    """What the platform checks of a waybill: a known carrier, its pattern, its story, no use for another recipient."""
    carrier = carriers.CARRIERS.get(company)
    if carrier is None:
        raise failed(60018, "物流公司不存在")
    if not number or not carrier.fits(number):
        others = [c.code for c in carriers.CARRIERS.values() if number and c.fits(number)]
        if others:
            raise failed(60128, f"物流公司与运单号不匹配，推测为 {others[0]}")
        raise invalid(60017, "运单号不符合物流公司编码规则")
    spoilt = sim.world.spoilt.get((company, number))
    if spoilt:
        raise failed(spoilt, _SPOILT.get(spoilt, "运单号校验不通过"))
    if sim.world.used_elsewhere(company, number, order):
        raise failed(70022, "运单号已被其他收件人的订单使用")
    if sim.world.starts_before_payment(company, number, order):
        raise failed(70019, "运单首条轨迹早于支付时间")


def _order(sim: Sim, order_id: object) -> Order:
    if not order_id:
        raise missing(50049, "order_id 不能为空")
    order = sim.world.orders.get(str(order_id))
    if order is None:
        raise failed(60033, "订单不存在")
    return order


def _to_ship(sim: Sim, order: Order) -> None:
    if order.status == CANCELLED:
        raise failed(60021, "订单已取消")
    if order.status == UNPAID:
        raise failed(60137, "订单未支付")
    if order.status == _RISK:
        raise failed(60109, "订单风控审核中，请 1-2 小时后再试")
    if order.status not in {TO_SHIP, PARTLY}:
        raise failed(60110, "订单已发货")
    sale = sim.customers.open_one(order)
    if sale is not None and sale.type == REFUND_ONLY and sale.status == WAITING:
        raise failed(60040, "订单有退款申请待处理")


def _address(params: Json, name: str = "address_id") -> int:
    given = params.get(name)
    if given in (None, "", 0):
        return SEND_ADDRESS_ID
    if not str(given).isdigit() or int(given) != SEND_ADDRESS_ID:
        raise failed(60070, "发货地址不存在")
    return int(given)


def note(sim: Sim, method: str, order: Order, carrier: str, number: str, **more: object) -> None:
    row = {"method": method, "order_id": order.order_id, "carrier": carrier, "number": number}
    sim.world.submissions.append({"at": sim.clock.now(), **row, **more})


def _put(sim: Sim, order: Order, waybill: tuple[str, str], items: list[tuple[str, int]], role: str, at: int) -> Package:
    company, number = waybill
    package = sim.world.add_package(order, company, number, items, role=role, address_id=at)
    package.seen_at = sim.seen_at(package.deliver_id)
    return package


def logistics_add(sim: Sim, params: Json) -> Json:
    """``order.logisticsAdd``: the whole remainder with one number."""
    order = _order(sim, params.get("order_id"))
    _to_ship(sim, order)
    company, number = str(params.get("company_code") or ""), str(params.get("logistics_code") or "")
    check_number(sim, order, company, number)
    items = [(x.sub_id, x.count - x.shipped) for x in order.lines if x.count > x.shipped]
    package = _put(sim, order, (company, number), items, "original", _address(params))
    note(sim, "order.logisticsAdd", order, company, number, deliver_id=package.deliver_id)
    return {}


def _shipped_items(order: Order, infos: object) -> list[tuple[str, int]]:
    items = []
    for info in infos if isinstance(infos, list) else []:
        line = order.line(str(info.get("shipped_order_id")))
        if line is None:
            raise failed(60102, "子订单不存在")
        n = int(info.get("shipped_num") or line.count - line.shipped)
        if n > line.count - line.shipped or n <= 0:
            raise invalid(60016, "发货数量有误")
        items.append((line.sub_id, n))
    if not items:
        raise missing(60016, "shipped_order_info 不能为空")
    return items


def _request(sim: Sim, params: Json) -> tuple[str, Json | None]:
    """The request's id and, where it was answered before, that answer."""
    request_id = str(params.get("request_id") or "")
    if not request_id:
        raise missing(50050, "request_id 不能为空")
    return request_id, sim.multi_packs.get(request_id)


def add_multi_pack(sim: Sim, params: Json) -> Json:
    """``order.logisticsAddMultiPack``: all or nothing; a repeated request_id gives the first answer again."""
    request_id, first = _request(sim, params)
    if first is not None:
        return first
    order = _order(sim, params.get("order_id"))
    _to_ship(sim, order)
    packs = params.get("pack_list") or []
    if not packs:
        raise missing(60016, "pack_list 不能为空")
    planned = []
    for pack in packs:
        company, number = str(pack.get("company_code") or ""), str(pack.get("logistics_code") or "")
        check_number(sim, order, company, number)
        planned.append((company, number, _shipped_items(order, pack.get("shipped_order_info"))))
    wanted: dict[str, int] = {}
    for _, _, items in planned:
        for sub_id, n in items:
            wanted[sub_id] = wanted.get(sub_id, 0) + n
    if any(n > (line.count - line.shipped) for line in order.lines if (n := wanted.get(line.sub_id, 0))):
        raise invalid(60016, "发货数量有误")
    at, rows = _address(params), []
    for company, number, items in planned:
        package = _put(sim, order, (company, number), items, "split", at)
        note(sim, "order.logisticsAddMultiPack", order, company, number, deliver_id=package.deliver_id)
        shipped = [{"shipped_order_id": s, "shipped_num": n, "shipped_item_ids": []} for s, n in items]
        rows.append({"shipped_order_info": shipped, "logistics_code": number, "pack_id": package.deliver_id})
    answer: Json = {"pack_list": rows}
    sim.multi_packs[request_id] = answer
    return answer


def add_single_pack(sim: Sim, params: Json) -> Json:
    """``order.logisticsAddSinglePack``: several orders of one recipient in one package, one number, one pack id."""
    request_id, first = _request(sim, params)
    if first is not None:
        return first
    orders = [_order(sim, one) for one in params.get("order_id_list") or []]
    if not orders:
        raise missing(50049, "order_id_list 不能为空")
    if len(orders) > 400:
        raise invalid(60032, "一次最多 400 个订单")
    company, number = str(params.get("company_code") or ""), str(params.get("logistics_code") or "")
    infos = list(params.get("shipped_order_info") or [])
    known = {line.sub_id for order in orders for line in order.lines}
    if any(str(info.get("shipped_order_id")) not in known for info in infos):
        raise failed(60102, "子订单不存在")
    planned = []
    for order in orders:
        _to_ship(sim, order)
        if order.buyer.full != orders[0].buyer.full or order.buyer.phone != orders[0].buyer.phone:
            raise failed(70020, "运单收件人与订单收件人不一致")
        check_number(sim, order, company, number)
        own = [info for info in infos if order.line(str(info.get("shipped_order_id"))) is not None]
        planned.append((order, _shipped_items(order, own)))
    at, pack_id = _address(params), ""
    for order, items in planned:
        package = _put(sim, order, (company, number), items, "split", at)
        pack_id = pack_id or package.deliver_id
        package.deliver_id = pack_id
        note(sim, "order.logisticsAddSinglePack", order, company, number, deliver_id=pack_id)
    answer: Json = {"pack_id": pack_id}
    sim.multi_packs[request_id] = answer
    return answer


def upload_extra(sim: Sim, params: Json) -> Json:
    """``order.uploadextrapackage``: every call adds one more package; nothing guards against repeats."""
    order = _order(sim, params.get("shop_order_id"))
    if order.status == CANCELLED:
        raise failed(60021, "订单已取消")
    if order.status not in {SHIPPED, FINISHED, PARTLY}:
        raise failed(60108, "订单未发货，不能追加包裹")
    items = []
    for product in params.get("product_orders") or []:
        line = order.line(str(product.get("product_order_id")))
        if line is None:
            raise failed(60102, "子订单不存在")
        n = product.get("product_count")
        if not isinstance(n, int) or n <= 0:
            raise invalid(60016, "product_count 必须大于 0")
        items.append((line.sub_id, n))
    if not items:
        raise missing(60016, "product_orders 不能为空")
    company, number = str(params.get("company_code") or ""), str(params.get("tracking_no") or "")
    check_number(sim, order, company, number)
    at = _address(params, "send_address_id")
    package = _put(sim, order, (company, number), items, "extra", at)
    note(sim, "order.uploadextrapackage", order, company, number, deliver_id=package.deliver_id)
    return {"deliver_id": package.deliver_id}


# putting a wrong number right


def _new_number(sim: Sim, order: Order, package: Package, params: Json) -> tuple[str, str]:
    number = str(params.get("logistics_code") or "")
    if not number:
        raise invalid(60014, "运单号不能为空")
    company = str(params.get("company_code") or package.carrier)
    if company not in carriers.CARRIERS:
        raise failed(60083, "物流公司有误")
    try:
        check_number(sim, order, company, number)
    except Refusal as refusal:
        raise failed(70013, f"运单号校验不通过：{refusal.sub_msg}") from None
    return company, number


def logistics_edit(sim: Sim, params: Json) -> Json:
    """``order.logisticsEdit``: of an order that logisticsAdd shipped whole; else 70011 names the other way."""
    order = _order(sim, params.get("order_id"))
    forward = [package for package in order.packages if not package.extra]
    if not forward:
        raise failed(60108, "订单未发货")
    if len(forward) != 1 or forward[0].how != "whole":
        raise failed(70011, "订单不是整单发货，请使用 order.logisticsEditByPack")
    company, number = _new_number(sim, order, forward[0], params)
    sim.world.change_number(order, forward[0], company, number)
    note(sim, "order.logisticsEdit", order, company, number, deliver_id=forward[0].deliver_id)
    return {}


def logistics_edit_by_pack(sim: Sim, params: Json) -> Json:
    """``order.logisticsEditByPack``: of one package of logisticsAddMultiPack or AddSinglePack."""
    order = _order(sim, params.get("order_id"))
    pack_id = str(params.get("pack_id") or "")
    if not pack_id:
        raise missing(60016, "pack_id 不能为空")
    package = next((one for one in order.packages if one.deliver_id == pack_id), None)
    if package is None:
        raise failed(60102, "包裹不存在")
    if package.how != "pack":
        raise failed(70011, "该包裹不支持按包裹修改")
    company, number = _new_number(sim, order, package, params)
    sim.world.change_number(order, package, company, number)
    note(sim, "order.logisticsEditByPack", order, company, number, deliver_id=pack_id)
    return {}
