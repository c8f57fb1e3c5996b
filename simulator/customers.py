"""Customers notice trouble, write, open after-sales, answer text messages; and the platform's deadlines on that."""

from __future__ import annotations

from simulator.clock import DAY, HOUR, between_hours, iso
from simulator.state import (
    CLOSED,
    REFUND_ONLY,
    REFUNDS,
    REFUSED_ONCE,
    RESEND,
    RESEND_DONE,
    RESENT,
    RETURN,
    RETURNED,
    SUCCESS,
    TO_RESEND,
    TO_RETURN,
    WAITING,
    AfterSale,
    Json,
    Order,
    Parcel,
    Sms,
)
from simulator.world import World

FAILED = {"lost", "damaged", "never_collected", "returned"}
_WORDS = {
    "lost": "我的快递好几天没动静了，是不是丢了？",
    "never_collected": "显示发货了但一直没有揽收，到底发了没有？",
    "damaged": "物流说包裹破损了，水果还能吃吗？请给我处理。",
    "not_received": "物流显示已签收，可是我根本没有收到！",
    "short": "收到了，但是少了一件，请补给我。",
    "stalled": "快递怎么一直停着不走？",
}
_TYPES = {0: "退货退款", 1: "仅退款", 2: "仅退款（未发货）", 3: "换货", 7: "补寄"}
_REASONS = {
    "lost": ("快递丢失", 130),
    "never_collected": ("一直未揽收", 131),
    "damaged": ("商品破损", 132),
    "not_received": ("未收到货", 133),
    "short": ("少件漏发", 134),
}


class Customers:
    """What the buyers do; hooks itself into the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.on_trouble = self.trouble
        world.on_end = self.ended

    def trouble(self, order: Order, parcel: Parcel) -> None:
        """The moment at which a customer could notice; what they do follows in waking hours."""
        if parcel.role == "desk" or parcel.life.outcome == "delivered" or order.customer == "silent":
            return
        rng = self.world.rng(f"notice:{parcel.number}")
        when = between_hours(self.world.clock.now() + rng.uniform(1, 20) * HOUR, 8, 23, int(rng.uniform(0, 2 * HOUR)))
        self.world.line.at(when, lambda: self.notice(order, parcel))

    def notice(self, order: Order, parcel: Parcel) -> None:
        """The customer writes, and opens what their manner says. A replacement on its way keeps them waiting."""
        outcome = parcel.life.outcome
        if outcome == "delivered" or parcel.number in order.noticed:
            return
        order.noticed.add(parcel.number)
        if self.replacement(order, parcel) is not None:
            return
        self.world.say(order, "message", _WORDS.get(outcome, _WORDS["stalled"]))
        if order.customer == "asks_resend":
            self.open(order, RESEND, outcome)
        elif order.customer == "refuses":
            self.world.say(order, "message", "不用补发了，直接退款吧。")
            self.open(order, REFUND_ONLY, outcome)

    def replacement(self, order: Order, parcel: Parcel) -> Parcel | None:
        """A parcel that left after this one and has not failed."""
        for other in self.world.parcels.values():
            later = other.order_id == order.order_id and other.started_at > parcel.started_at
            if later and other.life.outcome not in FAILED:
                return other
        return None

    def open(self, order: Order, kind: int, outcome: str = "lost", refund_fen: int | None = None) -> AfterSale | None:
        """Open an after-sale, unless one is open. The merchant has 48 hours to answer."""
        if self.open_one(order) is not None:
            return None
        now = self.world.clock.now()
        reason, code = _REASONS.get(outcome, _REASONS["lost"])
        sale = AfterSale(
            self.world.new_id("aftersale", 71),
            order.order_id,
            order.lines[0].sub_id,
            kind,
            WAITING,
            reason,
            code,
            now,
            now,
            now + 48 * HOUR,
        )
        if kind in REFUNDS:
            sale.refund_fen = order.pay_fen if refund_fen is None else refund_fen
        self._log(sale, "买家发起申请", 1)
        self.world.aftersales[sale.aftersale_id] = sale
        order.aftersales.append(sale.aftersale_id)
        self.world.say(order, "aftersale", f"买家申请{_TYPES.get(kind, '售后')}：{reason}")
        self.tell(200, sale, reason_code=code, refund_amount=sale.refund_fen, refund_post_amount=0, apply_time=now)
        self.world.line.at(sale.deadline, lambda: self.overdue(sale, WAITING))
        return sale

    def open_one(self, order: Order) -> AfterSale | None:
        """The order's open after-sale, if any; a resend on its way does not count once its parcel has failed."""
        for sale_id in reversed(order.aftersales):
            sale = self.world.aftersales[sale_id]
            if sale.status in {WAITING, TO_RESEND, TO_RETURN, RETURNED}:
                return sale
            if sale.status == RESENT and sale.resend is not None:
                parcel = self.world.parcels.get((sale.resend["company_code"], sale.resend["tracking_no"]))
                if parcel is not None and parcel.life.outcome == "delivered":
                    return sale
        return None

    def _log(self, sale: AfterSale, text: str, role: int) -> None:
        operator = {1: "买家", 2: "商家", 4: "系统"}[role]
        now = self.world.clock.now()
        sale.logs.append({"operator": operator, "time": now, "text": text, "action": text, "role": role})

    def tell(self, tag: int, sale: AfterSale, **more: object) -> None:
        """Push a change of an after-sale. Tag 227 spells its status key differently, as the platform does."""
        key = "after_sale_status" if tag == 227 else "aftersale_status"
        data: Json = {
            "p_id": int(sale.order_id),
            "s_id": int(sale.sub_id),
            "shop_id": self.world.shop_id,
            "aftersale_id": sale.aftersale_id,
            "aftersale_type": sale.type,
            key: sale.status,
            "reason_code": sale.reason_code,
            "update_time": iso(sale.update_at) if tag in {226, 227} else sale.update_at,
            **more,
        }
        self.world.push(tag, data)

    def change(self, sale: AfterSale, status: int, text: str, role: int, *, deadline: int = 0) -> None:
        """Move an after-sale on. ``update_at`` always rises, so that it serves as a lock."""
        sale.status = status
        sale.update_at = max(self.world.clock.now(), sale.update_at + 1)
        sale.deadline = deadline
        if status in {SUCCESS, RESEND_DONE, CLOSED}:
            sale.final_at = sale.update_at
        self._log(sale, text, role)

    def agree(self, sale: AfterSale, role: int) -> None:
        """The resend is agreed: the merchant has 72 hours to ship it."""
        self.change(sale, TO_RESEND, "同意补寄", role, deadline=self.world.clock.now() + 72 * HOUR)
        self.tell(227, sale)
        self.world.line.at(sale.deadline, lambda: self.overdue(sale, TO_RESEND))

    def pay_back(self, sale: AfterSale, role: int) -> None:
        """The buyer gets the money back; the after-sale is over."""
        self.change(sale, SUCCESS, "商家同意退款" if role == 2 else "超时自动同意退款", role)
        if sale.type not in REFUNDS:
            sale.refund_fen = self.world.orders[sale.order_id].pay_fen
        self.tell(201, sale, agree_time=sale.update_at)
        self.tell(206, sale, success_time=sale.update_at)

    def let_return(self, sale: AfterSale) -> None:
        """The buyer may send it back, and has seven days for that."""
        self.change(sale, TO_RETURN, "商家同意退货", 2, deadline=self.world.clock.now() + 7 * DAY)
        self.tell(202, sale, agree_time=sale.update_at)
        self.world.line.at(sale.deadline, lambda: self.overdue(sale, TO_RETURN))

    def refuse(self, sale: AfterSale, reason: str, tag: int = 204) -> None:
        """The merchant refuses; the buyer lets it rest for three days, then it is closed."""
        self.change(sale, REFUSED_ONCE, f"拒绝申请：{reason}", 2, deadline=self.world.clock.now() + 3 * DAY)
        self.tell(tag, sale, refuse_time=sale.update_at)
        self.world.line.at(sale.deadline, lambda: self.overdue(sale, REFUSED_ONCE))

    def resent(self, sale: AfterSale, carrier: str, number: str, seen_at: int = 0) -> None:
        """The merchant filled in the waybill of the resend."""
        now = self.world.clock.now()
        sale.resend = {"company_code": carrier, "tracking_no": number, "logistics_time": now}
        sale.resend_seen_at = seen_at
        self.change(sale, RESENT, "商家已补寄", 2, deadline=now + 10 * DAY)
        self.tell(226, sale)

    def overdue(self, sale: AfterSale, status: int) -> None:
        """What the platform does when a deadline passes unused."""
        if sale.status != status or sale.deadline > self.world.clock.now():
            return
        if status == WAITING and sale.type == RESEND:
            self.agree(sale, 4)
        elif status == WAITING and sale.type == RETURN:
            self.let_return(sale)
        elif status == WAITING:
            self.pay_back(sale, 4)
        else:
            self.change(sale, CLOSED, "超时关闭", 4)
            self.tell(207, sale, close_time=sale.update_at)

    def ended(self, order: Order, parcel: Parcel) -> None:
        """A parcel reached its end: a resend that was delivered completes its after-sale."""
        if parcel.life.outcome != "delivered":
            return
        for sale_id in order.aftersales:
            sale = self.world.aftersales[sale_id]
            resend = sale.resend
            if sale.status == RESENT and resend is not None and resend["tracking_no"] == parcel.number:
                self.change(sale, RESEND_DONE, "买家已收到补寄商品", 1)
                self.tell(206, sale, success_time=sale.update_at)

    def text_message(self, order: Order, sms: Sms) -> None:
        """A text message arrived: whoever is asked to open a resend may do so some hours later."""
        asked = "申请" in sms.content and "补寄" in sms.content
        if not asked or order.customer not in {"asks_resend", "asks_when_told", "writes"}:
            return
        rng = self.world.rng(f"told:{sms.message_id}")
        when = between_hours(self.world.clock.now() + rng.uniform(0.3, 8) * HOUR, 8, 23, 1800)
        troubled = [p for p in self.world.parcels.values() if p.order_id == order.order_id and p.life.trouble_at]
        outcome = troubled[-1].life.outcome if troubled else "lost"
        self.world.line.at(when, lambda: self._opens(order, outcome))

    def _opens(self, order: Order, outcome: str) -> None:
        self.open(order, RESEND, outcome)
