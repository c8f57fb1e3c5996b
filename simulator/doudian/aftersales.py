"""After-sales as the platform tells them, and the merchant's answers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import carriers
from simulator.clock import DAY, stamp
from simulator.doudian.ciphers import mask_address
from simulator.doudian.errors import failed, invalid, missing
from simulator.doudian.orders import divisions, seen
from simulator.state import REFUND_ONLY, REFUSED_ONCE, RESEND, RESENT, SUCCESS, TO_RESEND, WAITING, AfterSale, Json

if TYPE_CHECKING:
    from simulator.sim import Sim

_TYPES = {0: "退货退款", 1: "仅退款", 7: "补寄"}
_STATUS = {
    6: "待商家处理",
    8: "待商家发货",
    12: "售后成功",
    13: "商家已发货，待买家收货",
    14: "补寄完成",
    27: "商家已拒绝",
    28: "售后关闭",
}
_ORDERS = ("status_deadline", "apply_time", "update_time")


def find(sim: Sim, given: object) -> AfterSale:
    text = str(given or "")
    sale = sim.world.aftersales.get(int(text)) if text.isdigit() else None
    if sale is None:
        raise invalid(11000, "售后单不存在")
    return sale


def _order_logistics(sim: Sim, sale: AfterSale) -> list[Json]:
    rows = []
    for package in seen(sim, sim.world.orders[sale.order_id]):
        carrier = carriers.CARRIERS.get(package.carrier)
        rows.append(
            {
                "tracking_no": package.number,
                "company_name": carrier.name if carrier else package.carrier,
                "company_code": package.carrier,
                "logistics_time": package.created_at,
                "logistics_state": 0,
                "value_added_services": [],
            }
        )
    return rows


def _item(sim: Sim, sale: AfterSale) -> Json:
    order = sim.world.orders[sale.order_id]
    line = order.line(sale.sub_id) or order.lines[0]
    refund = order.pay_fen if sale.type == REFUND_ONLY else 0
    return {
        "aftersale_info": {
            "aftersale_id": str(sale.aftersale_id),
            "aftersale_type": sale.type,
            "aftersale_status": sale.status,
            "aftersale_order_type": 1,
            "related_id": sale.sub_id,
            "apply_time": sale.apply_at,
            "create_time": sale.apply_at,
            "update_time": sale.update_at,
            "status_deadline": sale.deadline,
            "aftersale_status_to_final_time": sale.final_at,
            "refund_amount": refund,
            "refund_post_amount": 0,
            "refund_status": 3 if sale.status == SUCCESS and refund else 1 if refund else 0,
            "aftersale_num": line.count,
            "part_type": 0,
            "got_pkg": 0,
            "arbitrate_status": 0,
            "order_logistics": _order_logistics(sim, sale),
            "reason_second_labels": [],
            "aftersale_tags": [],
            "aftersale_sub_type": 0,
        },
        "order_info": {
            "shop_order_id": sale.order_id,
            "related_order_info": [
                {
                    "sku_order_id": line.sub_id,
                    "order_status": order.status,
                    "pay_amount": line.pay_fen,
                    "item_num": line.count,
                    "product_id": line.goods.product_id,
                    "product_name": line.goods.name,
                    "logistics_code": order.packages[0].number if order.packages else "",
                }
            ],
        },
        "seller_logs": [],
        "text_part": {
            "aftersale_type_text": _TYPES.get(sale.type, ""),
            "aftersale_status_text": _STATUS.get(sale.status, ""),
            "reason_text": sale.reason,
        },
    }


def _window(params: Json, start: str, end: str) -> tuple[int, int] | None:
    if params.get(start) is None and params.get(end) is None:
        return None
    return int(params.get(start) or 0), int(params.get(end) or 10**11)


def list_(sim: Sim, params: Json) -> Json:
    """``afterSale.List``: pages from 0; the start of a window counts, its end does not."""
    page, size = params.get("page"), params.get("size")
    if not isinstance(page, int) or not isinstance(size, int):
        raise missing(10001, "page、size 不能为空")
    if page < 0 or not 0 < size <= 100:
        raise invalid(10001, "page 从 0 开始，size 最大 100")
    if page * size > 50_000:
        raise invalid(10001, "page 与 size 之积不能超过 50000")
    given = params.get("order_by") or ["apply_time desc"]
    first = str(given[0] if isinstance(given, list) else given).split()
    if first[0] not in _ORDERS:
        raise invalid(10001, "order_by 不支持")
    applied = _window(params, "start_time", "end_time")
    updated = _window(params, "update_start_time", "update_end_time")
    if updated is not None and first[0] != "update_time":
        raise invalid(10001, "按更新时间查询须按 update_time 排序")
    applied = applied or (sim.clock.now() - 180 * DAY, 10**11)
    status = {int(x) for x in params.get("standard_aftersale_status") or []}
    rows = []
    for sale in sim.world.aftersales.values():
        fits = (
            applied[0] <= sale.apply_at < applied[1]
            and (updated is None or updated[0] <= sale.update_at < updated[1])
            and str(params.get("order_id") or sale.order_id) == sale.order_id
            and str(params.get("aftersale_id") or sale.aftersale_id) == str(sale.aftersale_id)
            and (params.get("aftersale_type") is None or int(params["aftersale_type"]) == sale.type)
            and (not status or sale.status in status)
        )
        if fits:
            rows.append(sale)
    keys = {
        "status_deadline": lambda s: s.deadline,
        "apply_time": lambda s: s.apply_at,
        "update_time": lambda s: s.update_at,
    }
    rows.sort(key=keys[first[0]], reverse=len(first) > 1 and first[1] == "desc")
    shown = rows[page * size : (page + 1) * size]
    more = (page + 1) * size < len(rows)
    items = [_item(sim, s) for s in shown]
    return {"has_more": more, "items": items, "page": page, "size": size, "total": len(rows)}


def detail(sim: Sim, params: Json) -> Json:
    """``afterSale.Detail``: ids are numbers here; the recipient is told for a resend only, as ciphers."""
    sale = find(sim, params.get("after_sale_id"))
    order = sim.world.orders[sale.order_id]
    line = order.line(sale.sub_id) or order.lines[0]
    info: Json = {
        "after_sale_id": sale.aftersale_id,
        "after_sale_type": sale.type,
        "after_sale_type_text": _TYPES.get(sale.type, ""),
        "after_sale_status": sale.status,
        "after_sale_status_desc": _STATUS.get(sale.status, ""),
        "refund_status": 0,
        "refund_amount": order.pay_fen if sale.type == REFUND_ONLY else 0,
        "apply_time": sale.apply_at,
        "update_time": sale.update_at,
        "status_deadline": sale.deadline,
        "reason": sale.reason,
        "reason_code": sale.reason_code,
        "reason_remark": "",
        "evidence": [],
        "after_sale_apply_count": line.count,
        "got_pkg": 0,
        "apply_role": 1,
        "aftersale_tags": [],
        "open_address_id": sim.vault.open_address_id(order.buyer),
    }
    if sale.type == RESEND:
        name, phone, address = sim.vault.receiver(order)
        info |= {
            "post_receiver": order.buyer.mask_name,
            "encrypt_post_receiver": name,
            "post_tel_sec": order.buyer.mask_phone,
            "encrypt_post_tel_sec": phone,
            "post_address": {
                **divisions(order.buyer.place),
                "detail": mask_address(order.buyer),
                "encrypt_detail": address,
                "landmark": "",
            },
        }
    logistics: Json = {"return": {}, "exchange": {}, "order": _order_logistics(sim, sale), "resend": {}}
    if sale.resend is not None and sale.resend_seen_at <= sim.clock.now():
        carrier = carriers.CARRIERS.get(sale.resend["company_code"])
        logistics["resend"] = {**sale.resend, "company_name": carrier.name if carrier else ""}
    records = [{**log, "time": stamp(log["time"])} for log in sale.logs] if params.get("need_operation_record") else []
    return {
        "process_info": {
            "after_sale_info": info,
            "logistics_info": logistics,
            "arbitrate_info": {"arbitrate_id": 0, "arbitrate_status": 0},
            "after_sale_shop_remarks": [],
            "record_logs_list": records,
        },
        "order_info": {
            "shop_order_id": int(order.order_id),
            "sku_order_infos": [
                {
                    "sku_order_id": int(line.sub_id),
                    "order_status": order.status,
                    "pay_amount": line.pay_fen,
                    "item_quantity": line.count,
                    "product_id": line.goods.product_id,
                    "product_name": line.goods.name,
                    "sku_id": line.goods.sku_id,
                }
            ],
        },
    }


def operate(sim: Sim, params: Json) -> Json:
    """``afterSale.operate`` 501, 502 (and 201, 202) with ``update_time`` as a lock. One failure fails all."""
    kind, items = params.get("type"), params.get("items") or []
    if not isinstance(kind, int):
        raise missing(11005, "type 不能为空")
    if not items or len(items) > 20:
        raise invalid(11005, "items 1 到 20 条")
    allowed = {
        501: (RESEND, {WAITING, REFUSED_ONCE}),
        502: (RESEND, {WAITING}),
        201: (REFUND_ONLY, {WAITING, REFUSED_ONCE}),
        202: (REFUND_ONLY, {WAITING}),
    }
    if kind not in allowed:
        raise failed(11001, "请在商家后台处理")
    sale_type, states = allowed[kind]
    sales = []
    for item in items:
        sale = find(sim, item.get("aftersale_id"))
        if sale.type != sale_type:
            raise failed(11005, "售后类型不支持该操作")
        lock = item.get("update_time")
        if sale.status not in states or (lock is not None and int(lock) != sale.update_at):
            raise failed(20309541, "售后单状态已变化，请刷新后重试")
        if kind in {502, 202} and not item.get("reject_reason_code"):
            raise invalid(11005, "拒绝原因不能为空")
        sales.append((sale, str(item.get("remark") or item.get("reason") or "")))
    for sale, reason in sales:
        if kind == 501:
            sim.customers.agree(sale, 2)
        elif kind == 201:
            sim.customers.change(sale, SUCCESS, "商家同意退款", 2)
            sim.customers.tell(206, sale, success_time=sale.update_at)
        else:
            sim.customers.refuse(sale, reason)
    rows = [{"aftersale_id": s.aftersale_id, "status_code": 0, "status_msg": "success"} for s, _ in sales]
    return {"items": rows}


def reject_reasons(sim: Sim, params: Json) -> Json:
    """``afterSale.rejectReasonCodeList``."""
    rows = [(1, "商品已在途，预计近日送达"), (2, "与买家协商一致"), (3, "买家申请有误")]
    items = [
        {"reject_reason_code": code, "reason": text, "evidence_description": "", "evidence_need": "N", "order_type": 1}
        for code, text in rows
    ]
    return {"items": items}


def fill_logistics(sim: Sim, params: Json) -> Json:
    """``afterSale.fillLogistics`` send_type 1: the waybill of an agreed resend. A second fill is refused with 12001."""
    sale = find(sim, params.get("aftersale_id"))
    if params.get("send_type") != 1:
        raise failed(19009, "不支持的寄件方式")
    order = sim.world.orders[sale.order_id]
    if sale.type != RESEND:
        raise invalid(11000, "售后单类型有误")
    if sale.status == RESENT:
        raise failed(12001, "补寄物流已填写")
    if sale.status != TO_RESEND:
        raise failed(12001, "售后单当前状态不可填写物流")
    company, number = str(params.get("company_code") or ""), str(params.get("tracking_no") or "")
    carrier = carriers.CARRIERS.get(company)
    if carrier is None or not carrier.fits(number):
        raise failed(602001, "运单号校验不通过")
    spoilt = (company, number) in sim.world.spoilt
    if spoilt or any(p.number == number for p in order.packages) or sim.world.used_elsewhere(company, number, order):
        raise failed(12000, "运单号已被使用")
    sim.customers.resent(sale, company, number, sim.seen_at(f"{sale.aftersale_id}"))
    sim.world.start_parcel(order, company, number, "resend")
    sim.world.submissions.append(
        {
            "at": sim.clock.now(),
            "method": "afterSale.fillLogistics",
            "order_id": order.order_id,
            "carrier": company,
            "number": number,
            "aftersale_id": sale.aftersale_id,
        }
    )
    return {}
