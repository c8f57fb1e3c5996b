"""A case taken to the edge of a change outside, through the product's own actions, against a running world."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.orders.models import AfterSale
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues import queries as reissue_queries
from bufa.apps.reissues.queries import ReissueForm
from bufa.apps.reissues.tickets import answer_ticket
from bufa.apps.shops import actions as shop_actions
from bufa.domain.cases import Action, Claim
from bufa.domain.kinds import Measure, Role
from bufa.jobs import sync
from bufa.jobs.effects import carry_out
from bufa.jobs.sweep import due_parcels
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_shop

NO_DELAY = timedelta(0)
LEAD = Actor(None, "周", Role.LEAD)
TEMPLATES = {"reissue_sent": {"id": "ST_7a1reissue"}, "ask_open_ticket": {"id": "ST_7a2ticket"}}


class Outside(Protocol):
    """What the world of tests/jobs offers."""

    hello: dict[str, Any]

    @property
    def now(self) -> datetime: ...
    def control(self, path: str, body: dict[str, Any] | None = None) -> Any: ...
    def advance(self, **by: float) -> datetime: ...


def connected_shop(world: Outside) -> int:
    """A shop that speaks to the world's platform and mail server."""
    shop = make_shop()
    there = world.hello["doudian"]
    sms = world.hello["sms"]
    shop_actions.connect(
        shop_id=shop,
        kind="doudian",
        settings={
            "app_key": there["app_key"], "shop_id": there["shop_id"], "base_url": there["base_url"],
            "sms_account": sms["account"], "sms_sign": sms["sign"], "sms_templates": TEMPLATES,
        },
        secrets={"app_secret": there["app_secret"]},
    )  # fmt: skip
    mail = world.hello["smtp"]
    settings = {"host": mail["host"], "port": mail["port"], "security": "none", "sender": "kefu@qinghe.example"}
    shop_actions.connect(shop_id=shop, kind="smtp", settings=settings)
    return shop


@dataclass(frozen=True, slots=True)
class Filled:
    """A case whose reissue form is filled in; nobody has pressed submit yet. `reason`: what a lead gives to go on."""

    shop_id: int
    case_id: int
    code: str
    order: str
    form: ReissueForm
    reason: str = ""

    @property
    def number(self) -> str:
        return self.form.number


@dataclass(frozen=True, slots=True)
class Ready:
    """A case whose reissue waits to leave."""

    shop_id: int
    case_id: int
    order: str
    number: str
    reissue_id: int
    effect_id: int


def reissue_ready(world: Outside, shop: int, *, ticket: bool) -> Ready:
    """A parcel that was never collected, decided to be reissued without the carrier; its submission is wanted now.

    `ticket`: by the customer's agreed 补寄 (`afterSale.fillLogistics`), else as an extra package.
    """
    return press_submit(world, forms_filled(world, shop, 1, ticket=ticket)[0])


def press_submit(world: Outside, filled: Filled) -> Ready:
    """A lead submits; the effect may leave at once."""
    with clock.frozen(world.now):
        done = reissues.submit(
            shop_id=filled.shop_id,
            case_id=filled.case_id,
            form=filled.form,
            by=LEAD,
            override_reason=filled.reason,
            delay=NO_DELAY,
        )
    assert done.effect_id is not None
    return Ready(filled.shop_id, filled.case_id, filled.order, filled.number, done.reissue_id, done.effect_id)


def forms_filled(world: Outside, shop: int, count: int, *, ticket: bool = False, first: bool = False) -> list[Filled]:
    """So many parcels that were never collected (`first`: orders that were never shipped, long past their time), each
    one's case taken to a filled-in reissue form."""
    cases_of = anomalies(world, shop, count, ticket=ticket, first=first)
    with clock.frozen(world.now):
        claim = Claim.NOT_SHIPPED if first else Claim.NOT_PICKED_UP
        return [_filled(world, shop, case, order, ticket or first, claim) for order, case in cases_of.items()]


def anomalies(world: Outside, shop: int, count: int, *, ticket: bool = False, first: bool = False) -> dict[str, Case]:
    """So many parcels with a confirmed finding, and the cases that the watch opened, by order as they were made."""
    wanted: dict[str, Any] = {"carrier": "zhongtong", "customer": "silent"}
    wanted |= {"shipped": False} if first else {"fate": "never_collected"}
    orders = [world.control("orders", wanted)["order_id"] for _ in range(count)]
    cases_of = cases_found(world, shop, orders, hours=73 if first else 25)
    if ticket:
        _agreed_tickets(world, shop, orders)
        cases_of = _cases_of(shop, orders)
    return {order: cases_of[order] for order in orders}


def cases_found(world: Outside, shop: int, orders: list[str], *, hours: float) -> dict[str, Case]:
    """So many hours later the watch has opened a case for each of these orders."""
    now = world.advance(hours=hours)
    with clock.frozen(now):
        sync.sync(shop)
        _until(lambda: len(_cases_of(shop, orders)) == len(orders), lambda: due_parcels([shop], now))
    return _cases_of(shop, orders)


def first_shipment_ready(world: Outside, shop: int) -> Ready:
    """A case of an order that was never shipped, long past its time: its first number is wanted now."""
    return press_submit(world, forms_filled(world, shop, 1, first=True)[0])


def _filled(world: Outside, shop: int, case: Case, order: str, no_reason: bool, claim: Claim) -> Filled:
    at: dict[str, Any] = {"shop_id": shop, "case_id": case.pk, "by": LEAD}
    cases.act(**at, action=Action.CONFIRM_VERDICT, claim=claim)
    cases.act(**at, action=Action.CHOOSE_MEASURE, measure=Measure.REISSUE)
    negotiations.go_without_consent(**at, reason="承运商一直没有回音")
    number = world.control("waybills", {"carrier": "zhongtong", "order_id": order})["number"]
    draft = reissue_queries.open_draft(shop, case.pk, clock.now())
    form = ReissueForm("zhongtong", number, draft.form.items, draft.form.pickup_id, draft.form.delivery)
    return Filled(shop, case.pk, case.code, order, form, "" if no_reason else "客户联系不上")


def _agreed_tickets(world: Outside, shop: int, orders: list[str]) -> None:
    opened = [world.control("after-sales", {"order_id": order, "type": 7})["aftersale_id"] for order in orders]
    with clock.frozen(world.advance(minutes=5)):
        sync.sync(shop)
        for number in opened:
            answer_ticket(shop_id=shop, number=number, agree=True, by=LEAD)
        while carry_out(shop):
            pass
    with clock.frozen(world.advance(minutes=5)):
        _until(lambda: _agreed(shop, opened) == len(orders), lambda: sync.sync(shop))


def _agreed(shop: int, numbers: list[str]) -> int:
    with for_shops([shop]):
        return AfterSale.objects.filter(number__in=numbers, status=8).count()


def _cases_of(shop: int, orders: list[str]) -> dict[str, Case]:
    with for_shops([shop]):
        found = Case.objects.filter(order__number__in=orders).exclude(state="closed")
        return {case.order.number: case for case in found.select_related("order")}


def _until(done: Callable[[], bool], again: Callable[[], object]) -> None:
    """Once where nobody else is at work; beside a running worker and sweeper, which may be faster, until it is so."""
    for _ in range(60):
        again()
        if done():
            return
        time.sleep(1)
    raise AssertionError("it did not come to that within a minute")
