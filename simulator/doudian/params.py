"""The types of the parameters that a call must bring: a text is a text and a number a number, whatever a lenient
gateway might let pass. `!` marks what must be there and not empty."""

from __future__ import annotations

from simulator.doudian.errors import invalid, missing
from simulator.state import Json

_KINDS: dict[str, type | tuple[type, ...]] = {"int": int, "str": str, "bool": bool, "list": list, "object": dict}

_TOLD = """
order.orderDetail               shop_order_id:str
order.queryOrderPackageInfo     order_id:str!
order.queryOrderLogistics       order_id:str!
order.logisticsAdd              order_id:str company_code:str logistics_code:str address_id:int store_id:int
order.logisticsAddMultiPack     order_id:str request_id:str pack_list:list address_id:str is_reject_refund:bool
order.logisticsAddSinglePack    order_id_list:list request_id:str shipped_order_info:list logistics_code:str
order.logisticsAddSinglePack    company_code:str address_id:str is_reject_refund:bool
order.logisticsEdit             order_id:str company_code:str logistics_code:str
order.logisticsEditByPack       order_id:str pack_id:str company_code:str logistics_code:str
order.uploadextrapackage        shop_order_id:str product_orders:list tracking_no:str company_code:str
order.uploadextrapackage        send_address_id:int parent_tracking_no:str store_id:int
logistics.newCreateOrder        sender_info:object! logistics_code:str! order_infos:list! user_id:int
logistics.cancelOrder           logistics_code:str! track_no:str! user_id:int
logistics.waybillApply          waybill_applies:list!
logistics.getOutRange           logistics_code:str! type:int sender_address:object! receiver_address:object!
logistics.trackNoRouteDetail    logistics_code:str! track_no:str
order.batchDecrypt              cipher_infos:list account_id:str account_type:str
order.batchSensitive            cipher_infos:list account_id:str account_type:str
afterSale.Detail                after_sale_id:str need_operation_record:bool
afterSale.fillLogistics         aftersale_id:int send_type:int company_code:str tracking_no:str
afterSale.operate               type:int items:list
afterSale.rejectReasonCodeList  aftersale_id:int
afterSale.applyLogisticsIntercept after_sale_id:str! op_from:int! intercept_targets:list!
sms.send                        sms_account:str sign:str template_id:str template_param:str post_tel:str tag:str
"""


def _read(told: str) -> dict[str, list[tuple[str, str, bool]]]:
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for row in told.strip().splitlines():
        method, *fields = row.split()
        for field in fields:
            name, _, kind = field.partition(":")
            found.setdefault(method, []).append((name, kind.rstrip("!"), kind.endswith("!")))
    return found


FIELDS = _read(_TOLD)


def check(method: str, params: Json) -> None:
    """Raise the platform's refusal for the first parameter that is missing or of another type."""
    for name, kind, needed in FIELDS.get(method, ()):
        value = params.get(name)
        if value is None or value == "":
            if needed:
                raise missing(1, f"{name} 不能为空")
            continue
        fits = isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool))
        if not fits:
            raise invalid(1, f"{name} 类型应为 {kind}")
