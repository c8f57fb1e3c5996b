"""Shipping calls: whole order, split packages, and the extra package of a reissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import carriers
from simulator.doudian.errors import failed, invalid, missing
from simulator.state import CANCELLED, FINISHED, PARTLY, SHIPPED, TO_SHIP, UNPAID, Json, Order
from simulator.world import SEND_ADDRESS_ID

if TYPE_CHECKING:
    from simulator.sim import Sim


def check_number(sim: Sim, order: Order, company: str, number: str) -> None:
    """What the platform checks of a waybill: a known carrier, its pattern, no use for another recipient."""
    carrier = carriers.CARRIERS.get(company)
    if carrier is None:
        raise failed(60018, "物流公司不存在")
    if not number or not carrier.fits(number):
        raise invalid(60017, "运单号不符合物流公司编码规则")
    if sim.world.used_elsewhere(company, number, order):
        raise failed(70022, "运单号已被其他收件人的订单使用")


def _order(sim: Sim, order_id: object) -> Order:
    if not order_id:
        raise missing(50049, "order_id 不能为空")
    order = sim.world.orders.get(str(order_id))
    if order is None:
        raise failed(60033, "订单不存在")
    return order


def _to_ship(order: Order) -> None:
    if order.status == CANCELLED:
        raise failed(60021, "订单已取消")
    if order.status == UNPAID:
        raise failed(60137, "订单未支付")
    if order.status not in {TO_SHIP, PARTLY}:
        raise failed(60110, "订单已发货")


def _note(sim: Sim, method: str, order: Order, carrier: str, number: str, **more: object) -> None:
    row = {"method": method, "order_id": order.order_id, "carrier": carrier, "number": number}
    sim.world.submissions.append({"at": sim.clock.now(), **row, **more})


def logistics_add(sim: Sim, params: Json) -> Json:
    """``order.logisticsAdd``: the whole remainder with one number."""
    order = _order(sim, params.get("order_id"))
    _to_ship(order)
    company, number = str(params.get("company_code") or ""), str(params.get("logistics_code") or "")
    check_number(sim, order, company, number)
    items = [(x.sub_id, x.count - x.shipped) for x in order.lines if x.count > x.shipped]
    address = int(params.get("address_id") or SEND_ADDRESS_ID)
    package = sim.world.add_package(order, company, number, items, role="original", address_id=address)
    _note(sim, "order.logisticsAdd", order, company, number, deliver_id=package.deliver_id)
    return {}


def _pack_items(order: Order, pack: Json) -> list[tuple[str, int]]:
    items = []
    for info in pack.get("shipped_order_info") or []:
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


def add_multi_pack(sim: Sim, params: Json) -> Json:
    """``order.logisticsAddMultiPack``: all or nothing; a repeated request_id gives the first answer again."""
    request_id = str(params.get("request_id") or "")
    if not request_id:
        raise missing(50050, "request_id 不能为空")
    first = sim.multi_packs.get(request_id)
    if first is not None:
        return first
    order = _order(sim, params.get("order_id"))
    _to_ship(order)
    packs = params.get("pack_list") or []
    if not packs:
        raise missing(60016, "pack_list 不能为空")
    planned = []
    for pack in packs:
        company, number = str(pack.get("company_code") or ""), str(pack.get("logistics_code") or "")
        check_number(sim, order, company, number)
        planned.append((company, number, _pack_items(order, pack)))
    wanted: dict[str, int] = {}
    for _, _, items in planned:
        for sub_id, n in items:
            wanted[sub_id] = wanted.get(sub_id, 0) + n
    if any(n > (line.count - line.shipped) for line in order.lines if (n := wanted.get(line.sub_id, 0))):
        raise invalid(60016, "发货数量有误")
    rows = []
    for company, number, items in planned:
        package = sim.world.add_package(order, company, number, items, role="split")
        _note(sim, "order.logisticsAddMultiPack", order, company, number, deliver_id=package.deliver_id)
        shipped = [{"shipped_order_id": s, "shipped_num": n, "shipped_item_ids": []} for s, n in items]
        rows.append({"shipped_order_info": shipped, "logistics_code": number, "pack_id": package.deliver_id})
    answer: Json = {"pack_list": rows}
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
    address = int(params.get("send_address_id") or SEND_ADDRESS_ID)
    package = sim.world.add_package(order, company, number, items, role="extra", address_id=address)
    _note(sim, "order.uploadextrapackage", order, company, number, deliver_id=package.deliver_id)
    return {"deliver_id": package.deliver_id}
