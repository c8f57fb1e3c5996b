"""After-sales as the platform tells them, and the merchant's answers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import carriers
from simulator.clock import DAY, stamp
from simulator.doudian.ciphers import mask_address
from simulator.doudian.errors import failed, invalid, missing
from simulator.doudian.orders import divisions, seen
from simulator.state import (
    EXCHANGE,
    REFUND_ONLY,
    REFUND_UNSHIPPED,
    REFUSED_ONCE,
    RESEND,
    RESENT,
    RETURN,
    RETURN_REFUSED,
    RETURNED,
    SUCCESS,
    TO_RESEND,
    TO_RETURN,
    WAITING,
    AfterSale,
    Json,
    Order,
)

if TYPE_CHECKING:
    from simulator.sim import Sim

_TYPES = {0: "退货退款", 1: "仅退款", 2: "仅退款（未发货）", 3: "换货", 7: "补寄"}
_STATUS = {
    6: "待商家处理",
    7: "待买家退货",
    11: "待商家收货",
    29: "商家拒绝退货",
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


def refund_status(sale: AfterSale) -> int:
    """3 paid back, 1 to be paid back, 0 nothing to pay."""
    return 0 if not sale.refund_fen else 3 if sale.status == SUCCESS else 1


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
    refund = sale.refund_fen
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
            "refund_status": refund_status(sale),
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
        "refund_status": refund_status(sale),
        "refund_amount": sale.refund_fen,
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


# type → (after-sale types, statuses in which it is allowed, what becomes of the ticket), as the platform lists them.
_STEPS: dict[int, tuple[frozenset[int], frozenset[int], str]] = {
    101: (frozenset({RETURN}), frozenset({WAITING, REFUSED_ONCE}), "agree_return"),
    102: (frozenset({RETURN}), frozenset({WAITING}), "refuse_return"),
    111: (frozenset({RETURN}), frozenset({TO_RETURN, RETURNED, RETURN_REFUSED}), "refund"),
    112: (frozenset({RETURN}), frozenset({RETURNED}), "refuse_returned"),
    121: (frozenset({RETURN}), frozenset({WAITING, REFUSED_ONCE}), "refund"),
    201: (frozenset({REFUND_ONLY}), frozenset({WAITING, REFUSED_ONCE}), "refund"),
    202: (frozenset({REFUND_ONLY}), frozenset({WAITING}), "refuse_refund"),
    203: (frozenset({REFUND_ONLY}), frozenset({WAITING}), "refund"),
    321: (frozenset({EXCHANGE}), frozenset({WAITING, TO_RETURN, RETURNED, RETURN_REFUSED}), "refund"),
    401: (frozenset({REFUND_UNSHIPPED}), frozenset({WAITING}), "refund"),
    501: (frozenset({RESEND}), frozenset({WAITING, REFUSED_ONCE}), "agree_resend"),
    502: (frozenset({RESEND}), frozenset({WAITING}), "refuse_resend"),
}
_REFUSALS = frozenset({"refuse_return", "refuse_returned", "refuse_refund", "refuse_resend"})
_REASONS = {1: "商品已在途，预计近日送达", 2: "与买家协商一致", 3: "买家申请有误"}
_NEEDS_PROOF = {3}


def operate(sim: Sim, params: Json) -> Json:
    """``afterSale.operate``: the ticket's type and status decide what is allowed, ``update_time`` is a lock, and one
    failure fails all. Exchange and repair beyond their refund are for the back office here (11001)."""
    kind, items = params.get("type"), params.get("items") or []
    if kind is None:
        raise missing(11005, "type 不能为空")
    if not items or len(items) > 20:
        raise invalid(11005, "items 1 到 20 条")
    if kind not in _STEPS:
        raise failed(11001, "请在商家后台处理")
    step = _STEPS[kind]
    sales = [_checked(sim, kind, step, item) for item in items]
    for sale, reason in sales:
        _carry_out(sim, step[2], sale, reason)
    rows = [{"aftersale_id": s.aftersale_id, "status_code": 0, "status_msg": "success"} for s, _ in sales]
    return {"items": rows}


def _checked(
    sim: Sim, kind: int, step: tuple[frozenset[int], frozenset[int], str], item: Json
) -> tuple[AfterSale, str]:
    types, states, what = step
    if not isinstance(item.get("aftersale_id"), str):
        raise invalid(11005, "aftersale_id 类型应为 str")
    sale = find(sim, item["aftersale_id"])
    if sale.type not in types:
        raise failed(11005, "售后类型不支持该操作")
    lock = item.get("update_time")
    if lock is not None and (not isinstance(lock, int) or isinstance(lock, bool)):
        raise invalid(11005, "update_time 类型应为 int")
    if sale.status not in states or (lock is not None and lock != sale.update_at):
        raise failed(20309541, "售后单状态已变化，请刷新后重试")
    if item.get("logistics") and kind != 311:
        raise invalid(11005, "logistics 仅 311 可填")
    if what in _REFUSALS:
        code = item.get("reject_reason_code")
        if code is None:
            raise invalid(11005, "拒绝原因不能为空")
        if isinstance(code, bool) or not isinstance(code, int) or code not in _REASONS:
            raise invalid(11005, "拒绝原因编码有误")
        if code in _NEEDS_PROOF and not item.get("evidence"):
            raise missing(11005, "该拒绝原因须上传凭证")
    if what == "agree_return" and not isinstance(item.get("receiver_address_id"), int):
        raise invalid(11005, "receiver_address_id 类型应为 int")
    return sale, str(item.get("remark") or item.get("reason") or "")


def _carry_out(sim: Sim, what: str, sale: AfterSale, reason: str) -> None:
    match what:
        case "agree_resend":
            sim.customers.agree(sale, 2)
        case "refund":
            sim.customers.pay_back(sale, 2)
        case "agree_return":
            sim.customers.let_return(sale)
        case "refuse_return" | "refuse_returned":
            sim.customers.refuse(sale, reason, tag=205)
        case _:
            sim.customers.refuse(sale, reason)


def reject_reasons(sim: Sim, params: Json) -> Json:
    """``afterSale.rejectReasonCodeList``; empty for a ticket that is over."""
    given = params.get("aftersale_id")
    if given is not None and find(sim, given).final_at:
        return {"items": []}
    items = [
        {
            "reject_reason_code": code,
            "reason": text,
            "evidence_description": "请上传聊天记录截图" if code in _NEEDS_PROOF else "",
            "evidence_need": "Y" if code in _NEEDS_PROOF else "N",
            "order_type": 1,
        }
        for code, text in _REASONS.items()
    ]
    return {"items": items}


def intercept(sim: Sim, params: Json) -> Json:
    """``afterSale.applyLogisticsIntercept``: only between pickup and delivery, each parcel with its own answer."""
    sale = find(sim, params.get("after_sale_id"))
    if sale.final_at:
        raise failed(20309541, "售后单已完结")
    if params.get("op_from") not in (1, 3):
        raise invalid(11005, "op_from 取值 1 或 3")
    targets = params.get("intercept_targets")
    if not isinstance(targets, list) or not targets:
        raise missing(11005, "intercept_targets 不能为空")
    order = sim.world.orders[sale.order_id]
    rows = [_stopped(sim, order, target) for target in targets]
    good = sum(row["is_success"] for row in rows)
    return {"intercept_results": rows, "success_count": good, "failed_count": len(rows) - good}


def _stopped(sim: Sim, order: Order, target: Json) -> Json:
    code, number = target.get("company_code"), target.get("tracking_no")
    if not isinstance(code, str) or not isinstance(number, str):
        raise invalid(11005, "intercept_targets 类型有误")
    why = _why_not(sim, order, code, number)
    if not why:
        sim.world.stop(order, sim.world.parcels[code, number])
    return {
        "company_code": code,
        "tracking_no": number,
        "can_intercept": not why,
        "is_success": not why,
        "unavailable_reason_code": 0 if not why else _UNAVAILABLE[why],
        "unavailable_reason": why,
        "intercept_cost": 0 if why else 500,
        "settlement_mode": 1,
    }


_UNAVAILABLE = {"运单不属于该订单": 1, "快递尚未揽收": 2, "包裹已签收": 3, "包裹已在退回": 4}


def _why_not(sim: Sim, order: Order, code: str, number: str) -> str:
    parcel = sim.world.parcels.get((code, number))
    if parcel is None or parcel.order_id != order.order_id:
        return "运单不属于该订单"
    kinds = {scan.kind for scan in parcel.life.known(sim.clock.now())}
    if "collected" not in kinds:
        return "快递尚未揽收"
    if kinds & {"signed", "signed_for", "signed_late", "from_shelf"}:
        return "包裹已签收"
    return "包裹已在退回" if kinds & {"returning", "return_hub", "returned", "intercepted"} else ""


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
