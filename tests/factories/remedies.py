"""Cases in which something other than a reissue is asked of the platform: a refund, a recall, a number put right, an
e-waybill. Each is taken to the edge of its call through the product's own actions, against a running world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases.models import Case
from bufa.apps.orders.models import AfterSale
from bufa.domain.cases import Action, Claim
from bufa.domain.kinds import Measure
from bufa.jobs import sync
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, NO_DELAY, Outside, cases_found

REFUND_ONLY = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A case with a verdict whose customer has an after-sale open; nobody has chosen a measure yet."""

    shop_id: int
    case_id: int
    code: str
    order: str
    ticket: str

    @property
    def here(self) -> dict[str, int]:
        return {"shop_id": self.shop_id, "case_id": self.case_id}


def refunds_asked(world: Outside, shop: int, count: int, *, fate: str = "never_collected") -> list[Asked]:
    """So many parcels that went wrong, whose buyers asked for their money back; the verdict is confirmed."""
    orders = [
        world.control("orders", {"carrier": "zhongtong", "customer": "silent", "fate": fate})["order_id"]
        for _ in range(count)
    ]
    found = cases_found(world, shop, orders, hours=25)
    tickets = {
        order: world.control("after-sales", {"order_id": order, "type": REFUND_ONLY})["aftersale_id"]
        for order in orders
    }
    with clock.frozen(world.advance(minutes=5)):
        sync.sync(shop)
        for case in found.values():
            at: Any = {"shop_id": shop, "case_id": case.pk, "by": LEAD}
            cases.act(**at, action=Action.CONFIRM_VERDICT, claim=Claim.NOT_PICKED_UP)
    return [Asked(shop, case.pk, case.code, order, tickets[order]) for order, case in found.items()]


def choose(asked: Asked, measure: Measure, now: datetime, **more: Any) -> None:
    """The measure is chosen, and what it asks of the platform may leave at once."""
    with clock.frozen(now):
        cases.act(**asked.here, action=Action.CHOOSE_MEASURE, by=LEAD, measure=measure, delay=NO_DELAY, **more)


def ticket_status(asked: Asked) -> int:
    """As we know it."""
    with for_shops([asked.shop_id]):
        return AfterSale.objects.get(shop_id=asked.shop_id, number=asked.ticket).status


def case_of(asked: Asked) -> Case:
    with for_shops([asked.shop_id]):
        return Case.objects.get(shop_id=asked.shop_id, id=asked.case_id)
