"""The world that events move: orders come in, the warehouse ships, parcels live, customers answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from simulator import carriers, goods, lives
from simulator.clock import DAY, HOUR, Clock, Timeline, between_hours, midnight
from simulator.state import (
    CANCELLED,
    FINISHED,
    PARTLY,
    SHIPPED,
    TO_SHIP,
    AfterSale,
    Feed,
    Json,
    Line,
    Mail,
    Order,
    Package,
    Parcel,
    Sms,
)

# orders by hour of the Beijing day: quiet nights, a lunch break, long evenings
_CURVE = [2, 1, 1, 0.5, 0.5, 1, 2, 4, 6, 7, 8, 8, 9, 8, 7, 7, 7, 7, 7, 9, 12, 13, 10, 5]
_CUSTOMERS = {"asks_resend": 55, "asks_when_told": 17, "writes": 10, "silent": 10, "refuses": 8}
_ANSWERS = {"consent": 68, "checking": 16, "refuse": 6, "silent": 10}
SEND_ADDRESS_ID = 31415926
RETURN_ADDRESS_ID = 31415927

Push = Callable[[int, Json], None]


class World:
    """All state, in memory. ``push`` tells the platform's subscribers about a change: tag and data."""

    def __init__(self, seed: int, clock: Clock, *, orders_per_day: int = 60, shop_id: int = 40391623) -> None:
        self.seed = seed
        self.clock = clock
        self.line = Timeline(clock)
        self.orders_per_day = orders_per_day
        self.shop_id = shop_id
        self.started_at = clock.now()
        self.orders: dict[str, Order] = {}
        self.parcels: dict[tuple[str, str], Parcel] = {}
        self.by_number: dict[str, Parcel] = {}
        self.aftersales: dict[int, AfterSale] = {}
        self.feed: list[Feed] = []
        self.sms: list[Sms] = []
        self.mails: list[Mail] = []
        self.submissions: list[Json] = []
        self.spoilt: dict[tuple[str, str], int] = {}  # waybills that the platform refuses, and with which number
        self.security_events: list[Json] = []
        self.push: Push = lambda tag, data: None
        self.on_trouble: Callable[[Order, Parcel], None] = lambda order, parcel: None
        self.on_end: Callable[[Order, Parcel], None] = lambda order, parcel: None
        self._people: list[goods.Person] = []
        self._counts: dict[str, int] = {}
        self._ids = Random(f"{seed}:ids")

    def rng(self, name: str) -> Random:
        """A source of chance of its own for one thing, so that the order of events changes nothing."""
        return Random(f"{self.seed}:{name}")

    def count(self, name: str) -> int:
        self._counts[name] = self._counts.get(name, 0) + 1
        return self._counts[name]

    def new_id(self, name: str, first: int) -> int:
        """A 19-digit id whose leading digits are ``first``; rising within a name, as the platform's are."""
        n = self.count(name)
        tail = Random(f"{self.seed}:{name}:{n}").randrange(10**6)
        width = 19 - len(str(first))
        return int(first * 10**width + (n * 10**6 + tail) % 10**width)

    # orders

    def open_days(self) -> None:
        """Start the stream of orders."""
        if self.orders_per_day > 0:
            self._plan_day(midnight(self.clock.now()))

    def _plan_day(self, day: int) -> None:
        rng = self.rng(f"day:{day}")
        volume = round(self.orders_per_day * rng.uniform(0.85, 1.15))
        hours = rng.choices(range(24), weights=_CURVE, k=volume)
        for at in sorted(day + hour * HOUR + rng.randrange(HOUR) for hour in hours):
            if at >= self.started_at:
                self.line.at(at, self._order_comes)
        self.line.at(day + DAY, lambda: self._plan_day(day + DAY))

    def _order_comes(self) -> None:
        order = self.make_order()
        rng = self.rng(f"pay:{order.order_id}")
        self.line.after(rng.uniform(5, 400), lambda: self.pay(order))

    def make_order(
        self,
        *,
        province: str | None = None,
        carrier: str | None = None,
        fate: str | None = None,
        reissue_fate: str | None = None,
        customer: str | None = None,
        carrier_answer: str | None = None,
        paid_fen: int | None = None,
        created_at: int | None = None,
    ) -> Order:
        """An unpaid order; whatever is not given is left to chance."""
        order_id = str(self.new_id("order", 692))
        rng = self.rng(f"order:{order_id}")
        known = province is None and len(self._people) > 20 and rng.random() < 0.12
        buyer = rng.choice(self._people) if known else goods.person(rng, province)
        if not known:
            self._people.append(buyer)
        basket = goods.basket(rng)
        total = sum(g.price_fen * n for g, n in basket)
        pay = paid_fen if paid_fen is not None else total - rng.choice((0, 0, 300, 500, 1000))
        lines, left = [], pay
        for index, (item, n) in enumerate(basket):
            share = left if index == len(basket) - 1 else pay * item.price_fen * n // total
            left -= share
            sub_id = order_id if index == 0 else str(int(order_id) + index)
            lines.append(Line(sub_id, item, n, share))
        again = rng.choice(lives.REISSUE_TROUBLES) if rng.random() < 0.06 else "delivered"
        order = Order(
            order_id,
            buyer,
            lines,
            pay,
            created_at if created_at is not None else self.clock.now(),
            0,
            48,
            carrier or carriers.pick(rng),
            fate or lives.choose(rng),
            reissue_fate or again,
            customer or rng.choices(list(_CUSTOMERS), weights=list(_CUSTOMERS.values()))[0],
            carrier_answer or rng.choices(list(_ANSWERS), weights=list(_ANSWERS.values()))[0],
            f"{self.seed}:{order_id}",
            update_at=self.clock.now(),
            fixed_fate=reissue_fate is not None,
        )
        self.orders[order_id] = order
        self.push(100, self._trade(order, create_time=order.created_at))
        return order

    def _trade(self, order: Order, **more: object) -> Json:
        return {
            "p_id": int(order.order_id),
            "s_ids": [int(x.sub_id) for x in order.lines],
            "shop_id": self.shop_id,
            "order_status": order.status,
            "order_type": 0,
            "biz": 2,
            **more,
        }

    def pay(self, order: Order, *, paid_at: int | None = None, plan: bool = True) -> None:
        """The buyer pays; with ``plan`` the warehouse gets to work."""
        order.status = TO_SHIP
        order.paid_at = paid_at if paid_at is not None else self.clock.now()
        order.update_at = self.clock.now()
        self.push(101, self._trade(order, pay_type=4, pay_time=order.paid_at, pay_amount=order.pay_fen))
        self.push(110, self._trade(order))
        if not plan:
            return
        rng = self.rng(f"ship:{order.order_id}")
        luck = rng.random()
        if luck < 0.015:
            self.line.after(rng.uniform(600, 3 * HOUR), lambda: self.cancel(order, "不想要了"))
        hours = rng.uniform(0.7, 9) if luck < 0.94 else rng.uniform(30, 62) if luck < 0.98 else rng.uniform(70, 130)
        when = between_hours(order.paid_at + hours * HOUR, 8, 21, int(rng.uniform(0, 3 * HOUR)))
        self.line.at(when, lambda: self._ship_planned(order))

    def cancel(self, order: Order, reason: str) -> None:
        """The buyer calls it off before it ships."""
        if order.status != TO_SHIP:
            return
        order.status, order.cancel_reason, order.update_at = CANCELLED, reason, self.clock.now()
        self.push(106, self._trade(order, cancel_time=self.clock.now(), cancel_reason=reason))

    # shipping

    def ship(self, order: Order) -> Package | None:
        """The warehouse's own system ships the whole order and uploads the number."""
        if order.status != TO_SHIP:
            return None
        number = self.fresh_number(order.carrier, f"ship:{order.order_id}")
        return self.add_package(order, order.carrier, number, self._rest(order), role="original")

    def _ship_planned(self, order: Order) -> None:
        self.ship(order)

    @staticmethod
    def _rest(order: Order) -> list[tuple[str, int]]:
        return [(x.sub_id, x.count - x.shipped) for x in order.lines if x.count > x.shipped]

    def fresh_number(self, carrier: str, name: str) -> str:
        """A number that no parcel has yet."""
        rng = self.rng(f"number:{name}:{self.count('number:' + name)}")
        while True:
            number = carriers.waybill(carrier, rng)
            if number not in self.by_number:
                return number

    def add_package(
        self, order: Order, carrier: str, number: str, items: list[tuple[str, int]], *, role: str, address_id: int = 0
    ) -> Package:
        """Put a waybill on the order, let its parcel live, and say so. A forward one fills the order's remainder."""
        now = self.clock.now()
        deliver_id = str(self.new_id("deliver", 73))
        extra = role == "extra"
        how = {"extra": "extra", "split": "pack"}.get(role, "whole")
        package = Package(deliver_id, number, carrier, now, items, extra, 4, address_id, how)
        order.packages.append(package)
        if not extra:
            for sub_id, n in items:
                line = order.line(sub_id)
                if line is not None:
                    line.shipped += n
            order.status = PARTLY if self._rest(order) else SHIPPED
            order.ship_at, order.update_at = order.ship_at or now, now
            self.push(108 if order.status == PARTLY else 102, self._shipped(order, package))
        self.start_parcel(order, carrier, number, role)
        return package

    def change_number(self, order: Order, package: Package, carrier: str, number: str) -> None:
        """The merchant puts a wrong waybill right; the order's update_time stays, so that only the push tells."""
        old = self.parcels.get((package.carrier, package.number))
        package.carrier, package.number = carrier, number
        self.start_parcel(order, carrier, number, old.role if old is not None else "original")
        self.push(104, self._shipped(order, package))

    def _shipped(self, order: Order, package: Package) -> Json:
        carrier = carriers.CARRIERS.get(package.carrier)
        logistics: Json = {
            "express_company_id": carrier.code if carrier else package.carrier,
            "logistics_code": package.number,
            "pack_id": package.deliver_id,
        }
        buyer = order.buyer
        receiver = {"name": buyer.mask_name, "tel": buyer.mask_phone, "addr": buyer.place.province + buyer.place.city}
        return self._trade(order, update_time=self.clock.now(), receiver_msg=receiver, logistics_msg=logistics)

    def start_parcel(self, order: Order, carrier: str, number: str, role: str) -> Parcel:
        """A parcel begins to live; a number that already lives (label desk) goes on living and takes the role."""
        now = self.clock.now()
        parcel = self.parcels.get((carrier, number))
        if parcel is not None:
            if parcel.role == "desk":
                parcel.role = role
            parcel.submitted_at = parcel.submitted_at or now
            return parcel
        fate = order.fate if role == "original" else self._reissue_fate(order)
        life = lives.live(fate, carrier, order.buyer.place, now, Random(f"{order.seed}:life:{carrier}:{number}"))
        parcel = Parcel(carrier, number, order.order_id, now, role, life, 0 if role == "desk" else now)
        self.parcels[carrier, number] = parcel
        self.by_number[number] = parcel
        self._plan_life(order, parcel)
        if role != "original":
            self._perhaps_revive(order)
        return parcel

    def _reissue_fate(self, order: Order) -> str:
        """What becomes of a replacement. Where chance decides, bad luck strikes an order's first one only."""
        again = any(p.order_id == order.order_id and p.role not in {"original", "split"} for p in self.parcels.values())
        return order.reissue_fate if order.fixed_fate or not again else "delivered"

    def _plan_life(self, order: Order, parcel: Parcel) -> None:
        life = parcel.life
        if life.trouble_at is not None:
            self.line.at(life.trouble_at, lambda: self.on_trouble(order, parcel))
        if life.outcome in {"delivered", "not_received", "short", "returned"}:
            self.line.at(life.ends_at, lambda: self._ends(order, parcel))
        if life.fate == "revived":
            wait = self.rng(f"revive:{parcel.number}").uniform(9, 12) * DAY
            self.line.after(wait, lambda: self.revive(order, parcel))

    def _perhaps_revive(self, order: Order) -> None:
        """A given-up original likes to move again once its replacement is on its way."""
        for package in order.packages:
            original = self.parcels.get((package.carrier, package.number))
            if original is not None and original.role == "original" and original.life.fate == "revived":
                wait = self.rng(f"revive:{original.number}:again").uniform(14, 40) * HOUR
                self.line.after(wait, lambda parcel=original: self.revive(order, parcel))  # type: ignore[misc]

    def revive(self, order: Order, parcel: Parcel) -> None:
        if parcel.life.outcome != "lost":
            return
        rng = self.rng(f"revived:{parcel.number}")
        lives.revive(parcel.life, parcel.carrier, order.buyer.place, self.clock.now(), rng)
        self.line.at(parcel.life.ends_at, lambda: self._ends(order, parcel))

    def stop(self, order: Order, parcel: Parcel) -> None:
        """The carrier calls the parcel back; what would still have happened to it does not."""
        rng = self.rng(f"stop:{parcel.number}")
        lives.intercept(parcel.life, parcel.carrier, order.buyer.place, self.clock.now(), rng)

    def _ends(self, order: Order, parcel: Parcel) -> None:
        if parcel.life.outcome == "delivered" and parcel.role in {"original", "split"}:
            wait = self.rng(f"confirm:{order.order_id}").uniform(1, 7) * DAY
            self.line.after(wait, lambda: self.finish(order))
        self.on_end(order, parcel)

    def finish(self, order: Order) -> None:
        """The buyer confirms receipt, or the platform does it for them."""
        if order.status != SHIPPED:
            return
        order.status, order.finish_at, order.update_at = FINISHED, self.clock.now(), self.clock.now()
        self.push(103, self._trade(order, complete_time=self.clock.now()))

    def hand_out(self, order: Order, carrier: str) -> Parcel:
        """The label desk: a fresh waybill for an order, already waiting for the courier."""
        return self.start_parcel(order, carrier, self.fresh_number(carrier, f"desk:{order.order_id}"), "desk")

    def used_elsewhere(self, carrier: str, number: str, order: Order) -> bool:
        """Whether the number belongs to another order with another recipient."""
        parcel = self.parcels.get((carrier, number))
        if parcel is None or parcel.order_id == order.order_id:
            return False
        return self.orders[parcel.order_id].buyer.full != order.buyer.full

    def starts_before_payment(self, carrier: str, number: str, order: Order) -> bool:
        """Whether the number's first scan is older than the order's payment."""
        parcel = self.parcels.get((carrier, number))
        return parcel is not None and any(scan.at < order.paid_at for scan in parcel.life.scans)

    def say(self, order: Order, kind: str, text: str) -> None:
        """A customer says something to the shop's staff."""
        self.feed.append(Feed(self.clock.now(), order.order_id, kind, text))
