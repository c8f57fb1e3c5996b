"""Where parcels may go and where they went: the range of a carrier, and the track of an e-waybill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import carriers
from simulator.doudian.ebills import find as find_ebill
from simulator.doudian.ebills import needs
from simulator.doudian.errors import failed, invalid, missing
from simulator.doudian.orders import scans_shown
from simulator.state import Json

if TYPE_CHECKING:
    from simulator.sim import Sim

BOTH, PICKUP, DELIVERY = 0, 1, 2


def get_out_range(sim: Sim, params: Json) -> Json:
    """``logistics.getOutRange``: whether a carrier does not fetch here, or does not deliver there (``type``)."""
    company = str(params["logistics_code"])
    if company not in carriers.CARRIERS:
        raise failed(60018, "物流公司不存在")
    which = params.get("type", BOTH)
    if which not in (BOTH, PICKUP, DELIVERY):
        raise invalid(1, "type 须为 0、1 或 2")
    ends = []
    if which in (BOTH, PICKUP):
        ends.append(("揽收", _place(params["sender_address"], "sender_address")))
    if which in (BOTH, DELIVERY):
        ends.append(("派送", _place(params["receiver_address"], "receiver_address")))
    for word, place in ends:
        closed = next((one for one in sim.out_of_range.get(company, ()) if place[: len(one)] == one), None)
        if closed is not None:
            return {"is_out_range": True, "out_range_reason": f"{''.join(closed)} 不在{word}范围内"}
    return {"is_out_range": False, "out_range_reason": ""}


def _place(address: object, where: str) -> tuple[str, ...]:
    if not isinstance(address, dict):
        raise missing(1, f"{where} 不能为空")
    needs(address, ("province_name", "city_name", "detail_address"), where)
    return str(address["province_name"]), str(address["city_name"]), str(address.get("district_name") or "")


def track_route(sim: Sim, params: Json) -> Json:
    """``logistics.trackNoRouteDetail``: only of numbers booked here and shipped with since. Oldest line first; the
    list's name has two underscores, as the platform writes it."""
    company, number = str(params.get("logistics_code") or ""), str(params.get("track_no") or "")
    if not number:
        raise missing(4006, "运单号不能为空")
    if company not in carriers.CARRIERS:
        raise failed(-10001, "参数错误")
    bill = find_ebill(sim, company, number)
    shipped = any(
        (package.carrier, package.number) == (company, number) and package.seen_at <= sim.clock.now()
        for order in sim.world.orders.values()
        for package in order.packages
    )
    if bill is None or bill.cancelled or not shipped:
        raise failed(10015, "非抖音电子面单，或尚未发货")
    parcel = sim.world.parcels.get((company, number))
    rows = scans_shown(parcel.life.known(sim.clock.now())) if parcel is not None else []
    if not rows:
        raise failed(-10004, "没有物流轨迹")
    return {
        "route__node_list": [
            {
                "content": row["context"],
                "timestamp": str(row["time_stamp"]),
                "state": row["state"],
                "state_description": row["state_desc"],
                "site_name": row["site"],
            }
            for row in rows
        ],
        "track_info": {"track_no": number, "express": company},
    }
