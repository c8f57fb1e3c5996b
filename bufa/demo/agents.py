"""The sample shop's staff during its history: they listen, read mail, and work cases as they would at the desk.

Each act is the action that a page calls. What they do depends on the case and the hour only, so the same world makes
the same history; the last days they leave some cases at each step, for whoever opens the desk to go on.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bufa.apps.cases import actions as cases
from bufa.apps.cases import queries
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.shapes import CaseFilters, CaseRow
from bufa.apps.orders import queries as orders
from bufa.apps.orders.views import order_view
from bufa.apps.parcels.views import parcels_of_order
from bufa.apps.reissues import tickets
from bufa.demo import steps
from bufa.demo.carrier_words import customer_claim, wants_refund
from bufa.demo.shop import SENDER, Shop
from bufa.demo.world import Mail, Said, World
from bufa.domain.cases import Action, CaseState, Outcome
from bufa.domain.kinds import Measure, Step
from bufa.domain.outcome import Refused
from bufa.domain.verdict import Source

ZONE = ZoneInfo("Asia/Shanghai")
OPENS, CLOSES = 9, 21
ATTENTION = 0.6
"""How likely a case is looked at in one round of a working day."""

TAIL = timedelta(hours=44)
"""How long before the end cases begin to be left lying."""

TAIL_OF_STEPS = timedelta(hours=28)
"""And those at the steps of `_LEFT`: before, some still leave, and are followed in the end."""

_LEFT: Mapping[Step, int] = {Step.DETERMINE: 5, Step.NUMBER: 3, Step.NOTIFY: 3}
"""How many cases are left at a step in the end. Cases wait for carriers of themselves, and parcels are on their way."""

_LEFT_ALONE = 0.25
"""The share of cases that nobody writes to a carrier about, and of tickets that nobody answers, in the end."""

_REFUND, _REFUNDED = 1, 12

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Agents:
    """Whoever works in the shop, and what they remember between two rounds."""

    shop: Shop
    world: World
    ends_at: datetime
    settle: Callable[[datetime], None]
    refused: Counter[str] = field(default_factory=Counter)
    acted: Counter[str] = field(default_factory=Counter)
    _said: list[Said] = field(default_factory=list)
    _answers: dict[str, list[Mail]] = field(default_factory=dict)
    _lying: dict[Step, set[str]] = field(default_factory=dict)
    _memory: steps.Memory = field(default_factory=steps.Memory)

    def work(self, now: datetime) -> None:
        """One round at `now`: nothing at night, else tickets and messages, then the cases one after the other."""
        if not OPENS <= now.astimezone(ZONE).hour < CLOSES:
            return
        self._listen(now)
        self._read_mail()
        self._answer_tickets(now)
        for row in self._open_cases():
            if self._attends(row, now):
                self._try(lambda row=row: self._work_on(row, now), row.code)  # type: ignore[misc]
        self.settle(now)

    def _open_cases(self) -> Sequence[CaseRow]:
        found: list[CaseRow] = []
        cursor = ""
        while True:
            page = queries.case_list([self.shop.shop_id], CaseFilters(state="open"), cursor, 500)
            found += page.rows
            cursor = page.next_cursor
            if not cursor:
                return found

    def _try(self, work: Callable[[], object], about: str) -> bool:
        """A refusal is an answer, too: the person reads it and goes on with something else."""
        try:
            work()
        except Refused as refused:
            self.refused[refused.why.code] += 1
            log.debug("refused: %s", refused.why.code, extra={"case": about})
            return False
        return True

    # --- what customers say -------------------------------------------------------------------------------------------
    def _listen(self, now: datetime) -> None:
        self._said += self.world.listen()
        waiting = self._said
        self._said = [one for one in waiting if not self._hear(one, now)]

    def _hear(self, one: Said, now: datetime) -> bool:
        """Write a customer's message down at its case; False keeps it for later (the order is not there yet)."""
        if one.kind != "message":
            return True
        shop_id = self.shop.shop_id
        order_id = orders.ids_of(shop_id, [one.order_number]).get(one.order_number)
        if order_id is None:
            return False
        if wants_refund(one.text):
            self._memory.refund_wished.add(order_id)
        claim = customer_claim(one.text)
        case_id = self._case_of(order_id, now)
        if case_id is None or claim is None:
            return True
        by = self._who(str(case_id))
        self._try(
            lambda: cases.add_statement(
                shop_id=shop_id,
                case_id=case_id,
                source=Source.CUSTOMER,
                claim=claim,
                words=one.text,
                said_at=min(one.at, now),
                by=by,
                now=now,
            ),
            one.order_number,
        )
        self.acted["statement"] += 1
        return True

    def _case_of(self, order_id: int, now: datetime) -> int | None:
        """The order's open case; a new one where the customer knows of trouble that nobody has seen."""
        shop_id = self.shop.shop_id
        row = queries.of_orders([shop_id], [order_id]).get(order_id)
        if row is not None:
            return row.case_id if row.is_open else None
        originals = [one for one in parcels_of_order(shop_id, order_id) if one.role == "original"]
        if not originals:
            return None
        parcel_id = originals[0].parcel_id
        return cases.open_case(shop_id=shop_id, parcel_id=parcel_id, now=now, by=self._who(str(order_id)))

    def _read_mail(self) -> None:
        for mail in self.world.read_mail(SENDER):
            code = mail.answers.strip("<>").partition(".")[0].upper()
            if mail.answers and code.startswith("C-"):
                self._answers.setdefault(code, []).append(mail)

    def _answer_tickets(self, now: datetime) -> None:
        """Customers who ask for a resend get it, where there is a case; else one is opened first."""
        shop_id = self.shop.shop_id
        for ticket in orders.tickets_to_answer([shop_id], limit=200):
            if self._left_lying(f"ticket:{ticket.number}", now):
                continue
            self._case_of(ticket.order_id, now)
            by = self._who(ticket.number)
            answered = self._try(
                lambda number=ticket.number, by=by: tickets.answer_ticket(  # type: ignore[misc]
                    shop_id=shop_id, number=number, agree=True, by=by, now=now
                ),
                ticket.number,
            )
            self.acted["ticket"] += answered
        self.settle(now)

    # --- cases --------------------------------------------------------------------------------------------------------
    def _attends(self, row: CaseRow, now: datetime) -> bool:
        if row.code in self._answers and row.state == CaseState.ASKING:
            return not self._left_lying(row.code, now, row.step)
        if row.waiting_for != "shop" and (row.state != CaseState.FOLLOWING or row.measure == Measure.REISSUE):
            return row.waiting_for == "customer" and not self._left_lying(row.code, now, row.step)
        if Random(f"{row.code}:{now.isoformat()}").random() > ATTENTION:
            return False
        return not self._left_lying(row.code, now, row.step)

    def _left_lying(self, name: str, now: datetime, step: str = "") -> bool:
        """In the last days some work is not done; who lies once, lies until the end."""
        if now < self.ends_at - TAIL:
            return False
        if step in _LEFT:
            if now < self.ends_at - TAIL_OF_STEPS:
                return False
            lying = self._lying.setdefault(Step(step), set())
            if len(lying) < _LEFT[Step(step)]:
                lying.add(name)
            return name in lying
        return Random(f"lot:{name}").random() < _LEFT_ALONE

    def _who(self, name: str) -> Actor:
        return self.shop.lead if Random(f"owner:{name}").random() < 0.4 else self.shop.agent

    def _work_on(self, row: CaseRow, now: datetime) -> None:
        """Take it, then do what comes next, and what comes after that where it can be done at once."""
        by = self._who(row.code)
        if row.owner_id is None:
            cases.act(
                shop_id=row.shop_id, case_id=row.case_id, action=Action.TAKE, by=by, now=now, owner=by.operator_id
            )
        for _ in range(3):
            before = (row.state, row.version)
            doing = steps.Doing(self.shop, self.world, row, by, now, self._memory)
            mails = self._answers.pop(row.code, [])
            for mail in mails:
                steps.hear_carrier(doing, mail)
            if not mails:
                self._step(doing)
            again = queries.cases_by_id([row.shop_id], [row.case_id])[row.case_id]
            if not again.is_open or again.waiting_for != "shop" or (again.state, again.version) == before:
                return
            if again.step != row.step and self._left_lying(again.code, now, again.step):
                return
            row = again

    def _step(self, doing: steps.Doing) -> None:
        if self._refunded_elsewhere(doing):
            return
        work = steps.BY_STATE.get(CaseState(doing.row.state))
        if work is not None:
            work(doing)
            self.acted[doing.row.state] += 1

    def _refunded_elsewhere(self, doing: steps.Doing) -> bool:
        """The platform gave the money back: there is nothing left to send."""
        if doing.row.order_id not in self._memory.refund_wished:
            return False
        order = order_view(doing.row.shop_id, doing.row.order_id)
        if order is None or not any(one.type == _REFUND and one.status == _REFUNDED for one in order.after_sales):
            return False
        if doing.row.state == CaseState.SUBMITTING:
            return False
        doing.act(Action.CLOSE, reason="平台已退款给客户", outcome=Outcome.REFUNDED)
        return True
