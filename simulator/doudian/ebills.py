"""E-waybills (电子面单): booked once per order and pack_id, printed, cancelled while no courier has them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator import carriers
from simulator.doudian.errors import failed, invalid, missing
from simulator.state import Json, Order

if TYPE_CHECKING:
    from simulator.sim import Sim

MOST_PER_CALL = 50
_PACK_ID = re.compile(r"[A-Za-z0-9_]{0,64}")


@dataclass
class Ebill:
    order_id: str
    pack_id: str
    carrier: str
    number: str
    cancelled: bool = False


def needs(what: Json, names: tuple[str, ...], where: str) -> None:
    for name in names:
        value = what.get(name)
        if not isinstance(value, str) or not value.strip():
            raise missing(1, f"{where}.{name} 不能为空")


def _someone(info: object, where: str, *, sender: bool) -> tuple[Json, Json]:
    """Address and contact of the sender or the receiver, all there. A receiver's parts may be ciphers."""
    if not isinstance(info, dict):
        raise missing(1, f"{where} 不能为空")
    address, contact = info.get("address"), info.get("contact")
    if not isinstance(address, dict) or not isinstance(contact, dict):
        raise missing(1, f"{where}.address 和 contact 不能为空")
    needs(address, ("country_code", "province_name", "city_name", "detail_address"), where)
    if sender:
        needs(address, ("district_name",), where)
    if address["country_code"] != "CHN":
        raise invalid(1, f"{where}.country_code 须为 CHN")
    needs(contact, ("name",), where)
    if not (contact.get("phone") or contact.get("mobile")):
        raise missing(1, f"{where} 要有 phone 或 mobile")
    return address, contact


def _order(sim: Sim, info: Json) -> Order:
    order_id = info.get("order_id")
    if not isinstance(order_id, str) or not order_id:
        raise missing(1, "order_id 不能为空")
    order = sim.world.orders.get(order_id)
    if order is None:
        raise failed(15002, "订单不存在")
    return order


def _error(order: Order, pack_id: str, code: str, text: str) -> Json:
    return {"order_id": order.order_id, "pack_id": pack_id, "err_code": code, "err_msg": text}


def new_create_order(sim: Sim, params: Json) -> Json:
    """``logistics.newCreateOrder``: the same order and pack_id give the same number for ever."""
    company = str(params["logistics_code"])
    if company not in carriers.CARRIERS:
        raise failed(60018, "物流公司不存在")
    infos = params["order_infos"]
    if not 0 < len(infos) <= MOST_PER_CALL:
        raise invalid(1, f"order_infos 须为 1 到 {MOST_PER_CALL} 条")
    _someone(params["sender_info"], "sender_info", sender=True)
    booked: list[Json] = []
    refused: list[Json] = []
    for info in infos:
        order = _order(sim, info)
        pack_id = info.get("pack_id") or ""
        if not isinstance(pack_id, str) or not _PACK_ID.fullmatch(pack_id):
            raise invalid(1, "pack_id 只能有字母、数字和下划线")
        _items(info.get("items"))
        address, contact = _someone(info.get("receiver_info"), "receiver_info", sender=False)
        known = sim.ebills.get((order.order_id, pack_id))
        if known is None and sim.ebill_balance.get(company, 1) <= 0:
            refused.append(_error(order, pack_id, "10701", "电子面单余额不足"))
            continue
        if not _own(sim, order, (address["detail_address"], contact["name"], contact.get("mobile"))):
            refused.append(_error(order, pack_id, "15003", "收件人密文与订单不符"))
            continue
        if known is None:
            parcel = sim.world.hand_out(order, company)
            known = Ebill(order.order_id, pack_id, company, parcel.number)
            sim.ebills[order.order_id, pack_id] = known
            if company in sim.ebill_balance:
                sim.ebill_balance[company] -= 1
        booked.append(_shown(known))
    return {"ebill_infos": booked, "err_infos": refused}


def _items(items: object) -> None:
    if not isinstance(items, list) or not items:
        raise missing(1, "items 不能为空")
    for item in items:
        needs(item, ("item_name",), "items")
        count = item.get("item_count")
        if not isinstance(count, int) or isinstance(count, bool) or count <= 0:
            raise invalid(1, "item_count 必须大于 0")


def _own(sim: Sim, order: Order, parts: tuple[object, ...]) -> bool:
    """Ciphers are of this very order; plain text is taken as it is."""
    for part in parts:
        text = str(part or "")
        if text[:1] in "#$" and text:
            found = sim.vault.find(text)
            if found is None or found.order_id != order.order_id:
                return False
    return True


def _shown(bill: Ebill) -> Json:
    digest = hashlib.sha256(bill.number.encode()).hexdigest()
    return {
        "order_id": bill.order_id,
        "pack_id": bill.pack_id,
        "track_no": bill.number,
        "company": bill.carrier,
        "sort_code": f"{int(digest[:3], 16) % 900 + 100}-{int(digest[3:6], 16) % 90 + 10}",
        "package_center_name": "",
        "short_address_name": "",
        "sub_waybill_codes": "",
        "hint_msg": "",
    }


def find(sim: Sim, company: str, number: str) -> Ebill | None:
    return next((one for one in sim.ebills.values() if (one.carrier, one.number) == (company, number)), None)


def cancel_order(sim: Sim, params: Json) -> Json:
    """``logistics.cancelOrder``: not once a courier has it; a second time is an error of its own."""
    company, number = str(params["logistics_code"]), str(params["track_no"])
    bill = find(sim, company, number)
    if bill is None:
        raise failed(10711, "没有该面单的订购关系")
    if bill.cancelled:
        raise failed(1102, "重复取消")
    parcel = sim.world.parcels.get((company, number))
    if parcel is not None and any(scan.at <= sim.clock.now() for scan in parcel.life.scans):
        raise failed(1105, "快递已揽收，不能取消")
    bill.cancelled = True
    sim.world.spoilt[company, number] = 70018
    return {"cancel_result": {"success": True}}


def waybill_apply(sim: Sim, params: Json) -> Json:
    """``logistics.waybillApply``: print data, encrypted for the print component, of numbers booked here."""
    told: list[Json] = []
    refused: list[Json] = []
    for one in params["waybill_applies"]:
        company, number = str(one.get("logistics_code") or ""), str(one.get("track_no") or "")
        bill = find(sim, company, number)
        if bill is None or bill.cancelled:
            refused.append({"track_no": number, "order_id": "", "err_code": 10015, "err_msg": "非抖音电子面单或已取消"})
            continue
        data = base64.b64encode(hashlib.sha512(f"{sim.seed}:{number}".encode()).digest()).decode()
        sign = hashlib.md5(data.encode(), usedforsecurity=False).hexdigest()
        told.append({"order_id": bill.order_id, "track_no": number, "print_data": data, "sign": sign})
    return {"waybill_infos": told, "err_infos": refused}
