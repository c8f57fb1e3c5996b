"""What the platform makes of a submission in the end: refuses it, takes it and punishes later, or lets it be.

A judge of its own beside the gateway, for whoever wants to know how good their own checks are. It looks at the world as
only the world can. To judge is to submit: use a world that nobody needs afterwards, or an order a judgement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.carriers import s10_check
from simulator.clock import HOUR
from simulator.doudian import params as types
from simulator.doudian.errors import Refusal
from simulator.doudian.gateway import METHODS
from simulator.goods import Person
from simulator.state import Json, Order

if TYPE_CHECKING:
    from simulator.sim import Sim

PICKUP_HOURS = 24
"""Without a pickup this long after the upload, the order is late (物流轨迹超时)."""

_S10 = re.compile(r"[A-Z]{2}(\d{8})(\d)[A-Z]{2}")
_NEW_ON_ORDER = frozenset({"order.uploadextrapackage"})


@dataclass(frozen=True)
class Label:
    """What the paper on the parcel says. ``sender``: where it is to be fetched, None when nobody was told."""

    receiver: Person | None
    sender: str | None
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Judgement:
    """``refused``: the gateway's sub_code, "" when it took it. ``punished``: for what the shop pays later."""

    refused: str
    punished: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.refused and not self.punished


def judge(sim: Sim, order: Order, method: str, params: Json, label: Label) -> Judgement:
    """Submit, and say what came of it. The world is another one afterwards."""
    carrier = str(params.get("company_code") or "")
    number = str(params.get("tracking_no") or params.get("logistics_code") or "")
    for pack in params.get("pack_list") or []:
        carrier, number = str(pack.get("company_code") or ""), str(pack.get("logistics_code") or "")
    punished = tuple(sorted(_later(sim, order, method, carrier, number, label)))
    try:
        types.check(method, params)
        METHODS[method](sim, params)
    except Refusal as refusal:
        return Judgement(refusal.sub_code, punished)
    return Judgement("", punished)


def _later(sim: Sim, order: Order, method: str, carrier: str, number: str, label: Label) -> set[str]:
    """The rules that are not checked at the door (12.4 and 12.5)."""
    found = set()
    if label.receiver is None or label.receiver.full != order.buyer.full or label.receiver.phone != order.buyer.phone:
        found.add("receiver_differs")
    if any(package.number == number for package in order.packages):
        found.add("number_of_another_parcel")
    if sim.world.used_elsewhere(carrier, number, order):
        found.add("used_for_another_address")
    if sim.world.starts_before_payment(carrier, number, order):
        found.add("track_before_payment")
    serial = _S10.fullmatch(number)
    if serial is not None and s10_check(serial.group(1)) != serial.group(2):
        found.add("never_collected")  # no carrier ever printed it
    place = (order.buyer.place.province, order.buyer.place.city, order.buyer.place.district)
    if any(place[: len(one)] == one for one in sim.out_of_range.get(carrier, ())):
        found.add("comes_back")  # nobody delivers there
    if label.sender is None:
        found.add("never_collected")
    bought = {line.sub_id: line.count for line in order.lines}
    if not label.items or any(not 0 < count <= bought.get(sub_id, 0) for sub_id, count in label.items):
        found.add("not_what_was_bought")
    if method in _NEW_ON_ORDER and is_late(sim, order):
        found.add("sent_again_when_late")
    return found


def is_late(sim: Sim, order: Order) -> bool:
    """Whether a parcel of the order missed its pickup."""
    now = sim.clock.now()
    for package in order.packages:
        parcel = sim.world.parcels.get((package.carrier, package.number))
        scans = parcel.life.known(now) if parcel is not None else []
        collected = [scan.at for scan in scans if scan.kind != "label"]
        if (min(collected) if collected else now) > package.created_at + PICKUP_HOURS * HOUR:
            return True
    return False
