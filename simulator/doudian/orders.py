"""Orders as the platform tells them: list, detail, packages, tracks, addresses, buyers' ciphers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import carriers, goods
from simulator.clock import DAY
from simulator.doudian.ciphers import mask_address
from simulator.doudian.errors import failed, invalid, missing
from simulator.lives import Scan
from simulator.places import ORIGIN, Place
from simulator.state import Json, Line, Order, Package
from simulator.world import RETURN_ADDRESS_ID, SEND_ADDRESS_ID

if TYPE_CHECKING:
    from simulator.sim import Sim

_STATUS = {1: "待支付", 2: "备货中", 101: "部分发货", 3: "已发货", 4: "已取消", 5: "已完成"}
_STATES = {
    "label": ("1", "已下单"),
    "collected": ("2", "已揽收"),
    "out": ("5", "派送中"),
    "out_again": ("5", "派送中"),
    "to_shelf": ("6", "待取件"),
    "signed": ("7", "已签收"),
    "signed_for": ("7", "已签收"),
    "signed_late": ("7", "已签收"),
    "from_shelf": ("7", "已签收"),
    "refused": ("8", "拒签"),
    "returning": ("9", "退回中"),
    "return_hub": ("9", "退回中"),
    "returned": ("10", "退回签收"),
}


def divisions(place: Place) -> Json:
    """Province to street as the platform nests them; ids are texts."""
    return {
        "province": {"id": str(place.province_id), "name": place.province},
        "city": {"id": str(place.city_id), "name": place.city},
        "town": {"id": str(place.district_id), "name": place.district},
        "street": {"id": str(place.street_id), "name": place.street},
    }


def find(sim: Sim, order_id: object) -> Order:
    order = sim.world.orders.get(str(order_id or ""))
    if order is None:
        raise failed(20014, "订单不存在")
    return order


def seen(sim: Sim, order: Order) -> list[Package]:
    """The order's packages as reading calls know them: they may lag behind what was submitted."""
    now = sim.clock.now()
    return [package for package in order.packages if package.seen_at <= now]


def _sub(sim: Sim, order: Order, line: Line) -> Json:
    open_sale = sim.customers.open_one(order)
    sale: Json = {"after_sale_status": 0, "after_sale_type": 0, "refund_status": 0}
    if open_sale is not None and open_sale.sub_id == line.sub_id:
        sale = {"after_sale_status": open_sale.status, "after_sale_type": open_sale.type, "refund_status": 0}
    return {
        "order_id": line.sub_id,
        "parent_order_id": order.order_id,
        "order_status": order.status,
        "order_status_desc": _STATUS[order.status],
        "main_status": order.status,
        "product_id": line.goods.product_id,
        "product_id_str": str(line.goods.product_id),
        "product_name": line.goods.name,
        "product_pic": "",
        "sku_id": line.goods.sku_id,
        "out_sku_id": line.goods.code,
        "code": line.goods.code,
        "spec": [{"name": "规格", "value": line.goods.spec}],
        "item_num": line.count,
        "goods_price": line.goods.price_fen,
        "order_amount": line.pay_fen,
        "pay_amount": line.pay_fen,
        "exp_ship_time": order.exp_ship_at,
        "ship_time": order.ship_at,
        "logistics_receipt_time": 0,
        "confirm_receipt_time": order.finish_at,
        "after_sale_info": sale,
        "given_product_type": "",
        "pre_sale_type": 0,
        "need_serial_number": False,
        "sku_order_tag_ui": [],
    }


def _logistics(order: Order, package: Package) -> Json:
    carrier = carriers.CARRIERS.get(package.carrier)
    products = []
    for sub_id, n in package.items:
        line = order.line(sub_id)
        if line is not None:
            products.append(
                {
                    "product_name": line.goods.name,
                    "price": line.goods.price_fen,
                    "outer_sku_id": line.goods.code,
                    "sku_id": line.goods.sku_id,
                    "sku_specs": [{"name": "规格", "value": line.goods.spec}],
                    "product_count": n,
                    "product_id": line.goods.product_id,
                    "product_id_str": str(line.goods.product_id),
                    "sku_order_id": sub_id,
                }
            )
    return {
        "tracking_no": package.number,
        "company": package.carrier,
        "company_name": carrier.name if carrier else package.carrier,
        "ship_time": package.created_at,
        "delivery_id": package.deliver_id,
        "product_info": products,
        "added_services": [],
        "hour_up_pickup_code": "",
    }


def shape(sim: Sim, order: Order) -> Json:
    """One order as ``order.searchList`` and ``order.orderDetail`` give it."""
    name, phone, detail = sim.vault.receiver(order)
    buyer = order.buyer
    return {
        "order_id": order.order_id,
        "shop_id": sim.world.shop_id,
        "shop_name": goods.SHOP_NAME,
        "order_status": order.status,
        "order_status_desc": _STATUS[order.status],
        "main_status": order.status,
        "main_status_desc": _STATUS[order.status],
        "order_type": 0,
        "biz": 2,
        "create_time": order.created_at,
        "pay_time": order.paid_at,
        "update_time": order.update_at,
        "finish_time": order.finish_at,
        "order_expire_time": 1800,
        "exp_ship_time": order.exp_ship_at,
        "ship_time": order.ship_at,
        "buyer_words": "",
        "seller_words": order.remark,
        "seller_remark_stars": 0,
        "cancel_reason": order.cancel_reason,
        "pay_type": 4 if order.paid_at else 0,
        "order_amount": order.pay_fen,
        "pay_amount": order.pay_fen,
        "post_amount": 0,
        "post_receiver": "",
        "encrypt_post_receiver": name,
        "mask_post_receiver": buyer.mask_name,
        "post_tel": "",
        "encrypt_post_tel": phone,
        "mask_post_tel": buyer.mask_phone,
        "post_addr": {**divisions(buyer.place), "detail": "", "encrypt_detail": detail},
        "mask_post_addr": {**divisions(buyer.place), "detail": mask_address(buyer)},
        "doudian_open_id": sim.vault.open_id(buyer),
        "open_address_id": sim.vault.open_address_id(buyer),
        "logistics_info": [_logistics(order, p) for p in seen(sim, order) if not p.extra],
        "sku_order_list": [_sub(sim, order, line) for line in order.lines],
        "shop_order_tag_ui": [],
        "address_tag_ui": [],
        "promise_info": f'{{"delivery":{{"promise_hours":{order.promise_hours}}}}}',
    }


def _wanted(params: Json) -> tuple[set[int], set[int]]:
    combine = params.get("combine_status") or []
    if not isinstance(combine, list) or len(combine) > 1:
        raise invalid(20012, "combine_status 只支持一组")
    if not combine:
        return set(), set()
    both = []
    for key in ("order_status", "main_status"):
        text = str(combine[0].get(key) or "")
        both.append({int(x) for x in text.split(",") if x.strip().isdigit()})
    return both[0], both[1]


def search_list(sim: Sim, params: Json) -> Json:
    """``order.searchList``: pages from 0, 100 at most, a time window is required."""
    page, size = _page(params)
    by = str(params.get("order_by") or "create_time")
    windows = _windows(sim, params)
    statuses, mains = _wanted(params)
    rows = []
    for order in sim.world.orders.values():
        times = {"create_time": order.created_at, "update_time": order.update_at}
        if any(not start <= times[key] <= end for key, start, end in windows):
            continue
        if (statuses and order.status not in statuses) or (mains and order.status not in mains):
            continue
        if params.get("tracking_no") and all(p.number != params["tracking_no"] for p in order.packages):
            continue
        rows.append(order)
    newest_first = not params.get("order_asc", False)
    rows.sort(key=lambda o: (o.update_at if by == "update_time" else o.created_at, o.order_id), reverse=newest_first)
    shown = rows[page * size : (page + 1) * size]
    return {"page": page, "size": size, "total": len(rows), "shop_order_list": [shape(sim, o) for o in shown]}


def _page(params: Json) -> tuple[int, int]:
    page, size = params.get("page"), params.get("size")
    if not isinstance(page, int) or not isinstance(size, int):
        raise missing(20009, "page、size 不能为空")
    if page < 0:
        raise invalid(10035, "page 不能小于 0")
    if not 0 < size <= 100:
        raise invalid(20008, "size 取值 1 到 100")
    if page * size > 50_000:
        raise invalid(20010, "page 与 size 之积不能超过 50000")
    return page, size


def _windows(sim: Sim, params: Json) -> list[tuple[str, int, int]]:
    """The time windows asked for; at least one, each whole, in seconds, of the last 90 days."""
    windows = []
    for key in ("create_time", "update_time"):
        start, end = params.get(f"{key}_start"), params.get(f"{key}_end")
        if start is None and end is None:
            continue
        if not isinstance(start, int) or not isinstance(end, int) or start >= end:
            raise invalid(20011, f"{key}_start 须早于 {key}_end，且都为秒")
        if end > 10**11 or start < sim.clock.now() - 91 * DAY:
            raise invalid(20011, "只支持近 90 天")
        windows.append((key, start, end))
    if not windows:
        raise invalid(20011, "开始时间不能为空")
    return windows


def order_detail(sim: Sim, params: Json) -> Json:
    """``order.orderDetail`` of a parent order."""
    if not params.get("shop_order_id"):
        raise missing(20000, "shop_order_id 不能为空")
    return {"shop_order_detail": shape(sim, find(sim, params["shop_order_id"]))}


def company_list(sim: Sim, params: Json) -> list[Json]:
    """``order.logisticsCompanyList``: the one method here whose data is an array."""
    return [{"id": c.platform_id, "name": c.name, "code": c.code} for c in carriers.CARRIERS.values()]


def address_list(sim: Sim, params: Json) -> Json:
    """``address.list``: the shop's pickup and return addresses, with the platform's own spelling of fields."""
    if not isinstance(params.get("page_no"), int) or params["page_no"] < 1:
        raise invalid(10001, "page_no 从 1 开始")
    rows = []
    for address_id, remark, detail, back in (
        (SEND_ADDRESS_ID, "发货仓", "郭杜街道樱花一路88号青禾鲜果仓1号门", 0),
        (RETURN_ADDRESS_ID, "退货仓", "郭杜街道樱花一路88号青禾鲜果仓3号门", 1),
    ):
        rows.append(
            {
                "address_id": address_id,
                "reciever_name": "青禾仓库",
                "mobile": "029-8811****",
                "is_default": back,
                "is_send_default": 1 - back,
                "create_time": "2025-03-01 10:00:00",
                "update_time": "2025-03-01 10:00:00",
                "receiver_provinc": ORIGIN.province,
                "receiver_city": ORIGIN.city,
                "receiver_district": ORIGIN.district,
                "receiver_street": ORIGIN.street,
                "receiver_detail": detail,
                "remark": remark,
            }
        )
    size = int(params.get("page_size") or 10)
    start = (params["page_no"] - 1) * size
    shown = rows[start : start + size]
    return {"total": len(rows), "page_size": size, "page_no": params["page_no"], "address_list": shown}


def _products(order: Order, package: Package) -> list[Json]:
    rows = []
    for sub_id, n in package.items:
        line = order.line(sub_id)
        if line is not None:
            rows.append(
                {
                    "sku_order_id": sub_id,
                    "product_id": line.goods.product_id,
                    "product_name": line.goods.name,
                    "sku_id": line.goods.sku_id,
                    "sku_img": "",
                    "num": n,
                    "is_free": False,
                }
            )
    return rows


def tracks(sim: Sim, package: Package) -> list[Json]:
    """Scans as the platform shows them, newest first."""
    parcel = sim.world.parcels.get((package.carrier, package.number))
    if parcel is None:
        return []
    return scans_shown(list(reversed(parcel.life.known(sim.clock.now()))))


def scans_shown(scans: list[Scan]) -> list[Json]:
    """Scans in the platform's words, in the order given."""
    rows = []
    for scan in scans:
        state, text = _STATES.get(scan.kind, ("3", "运输中"))
        row = {"context": scan.text, "time_stamp": scan.at, "site": scan.place, "state": state, "state_desc": text}
        rows.append(row)
    return rows


def _package(sim: Sim, order: Order, package: Package) -> Json:
    carrier = carriers.CARRIERS.get(package.carrier)
    rows = tracks(sim, package)
    return {
        "track_state": rows[0]["state"] if rows else "0",
        "is_complement_deliver": package.extra,
        "send_type": package.send_type,
        "product_info": _products(order, package),
        "delivery_info": [
            {
                "deliver_id": package.deliver_id,
                "deliver_type": 3 if package.extra else 2,
                "track_no": package.number,
                "create_time": package.created_at,
                "company_info": {
                    "company_code": package.carrier,
                    "company_name": carrier.name if carrier else package.carrier,
                },
                "track_info": rows,
                "send_from": 3,
                "send_to": 1,
            }
        ],
    }


def package_info(sim: Sim, params: Json) -> Json:
    """``order.queryOrderPackageInfo``; ``order.queryOrderLogistics`` gives the same without the complement flag."""
    order = find(sim, params.get("order_id"))
    rest = [(x.sub_id, x.count - x.shipped) for x in order.lines if x.count > x.shipped]
    waiting = Package("", "", "", 0, rest)
    return {
        "order_package_info": {
            "shop_id": sim.world.shop_id,
            "shop_order_id": order.order_id,
            "order_status": order.status,
            "is_multi_package": len(seen(sim, order)) > 1,
            "package_info": [_package(sim, order, p) for p in seen(sim, order)],
            "wait_send_product_info": {"product_info": _products(order, waiting), "delivery_info": []},
        }
    }


def order_logistics(sim: Sim, params: Json) -> Json:
    answer = package_info(sim, params)
    info = answer["order_package_info"]
    for key in ("is_multi_package", "wait_send_product_info"):
        del info[key]
    for package in info["package_info"]:
        del package["is_complement_deliver"], package["send_type"]
    return answer


def add_remark(sim: Sim, params: Json) -> Json:
    """``order.addOrderRemark``; a remark does not move the order's update_time."""
    order = sim.world.orders.get(str(params.get("order_id") or ""))
    if order is None:
        raise failed(20002, "订单不存在")
    if len(str(params.get("remark") or "")) > 500:
        raise invalid(50056, "备注过长")
    order.remark = str(params.get("remark") or "")
    return {}
