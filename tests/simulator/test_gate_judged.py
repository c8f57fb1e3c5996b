"""The gate against the world's own judge: what passes is neither refused nor punished, what is good is never refused.

Each form is filled in for an order of its own, in a state drawn at random, with one to three things done wrong (or
none). Gate and judge see the same form and nothing of each other's rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import carriers as own_carriers
from bufa.domain import waybills
from bufa.domain.reach import Coverage, Reach
from bufa.domain.reissues import Answer, Form, FormAddress, FormItem, RecipientMatch, Route, TicketFacts, gate
from bufa.integrations.platforms.doudian.shipping import extra_package_params
from bufa.lib.divisions import divisions
from simulator import carriers, goods
from simulator.clock import HOUR, Clock, parse_iso
from simulator.doudian.errors import Refusal
from simulator.doudian.gateway import METHODS
from simulator.goods import Person
from simulator.judge import Judgement, Label, is_late, judge
from simulator.sim import Sim
from simulator.state import RESEND, Order
from simulator.world import SEND_ADDRESS_ID
from tests import proofs

START = parse_iso("2026-10-05T00:00:00+00:00")
FORMS, A_WORLD = 10_000, 250
WAREHOUSE = FormAddress("陕西省", "西安市", "长安区", True, True, True, str(SEND_ADDRESS_ID))

WRONGS = (
    "other_carrier", "garbage", "no_number", "no_carrier", "unknown_carrier", "original", "used_elsewhere", "spoilt",
    "check_digit", "too_early", "other_receiver", "no_receiver_phone", "no_detail", "no_pickup", "pickup_unknown",
    "no_items", "zero", "negative", "above", "strange_line", "out_of_range",
)  # fmt: skip
STATES = ("fine", "fine", "fine", "late", "late", "unshipped", "cancelled", "unpaid", "finished")
TICKETS = ("none", "none", "asked", "agreed", "agreed", "refused")


@dataclass
class Case:
    """An order in a state, and the form as a person would fill it in without a mistake."""

    order: Order
    form: Form
    receiver: Person | None
    wrongs: tuple[str, ...]


def world(seed: int) -> tuple[Sim, list[Order]]:
    """Orders in every state; half of what was shipped has been lying at the door for 30 hours."""
    sim = Sim(seed=seed, clock=Clock(START, stepping=True), orders_per_day=0)
    orders = []
    for at in range(A_WORLD):
        state = STATES[at % len(STATES)]
        order = sim.world.make_order(fate="never_collected" if state == "late" else "delivered")
        order.noticed.add(state)
        orders.append(order)
        if state == "unpaid":
            continue
        sim.world.pay(order, plan=False)
        if state == "cancelled":
            sim.world.cancel(order, "不想要了")
        elif state in ("late", "finished"):
            sim.world.ship(order)
            if state == "finished":
                sim.world.finish(order)
    step(sim, 25)
    for order in orders:
        if "fine" in order.noticed:
            sim.world.ship(order)
    step(sim, 5)
    return sim, orders


def step(sim: Sim, hours: int) -> None:
    until = sim.clock.now() + hours * HOUR
    sim.world.line.run(until)
    sim.clock.set(until)


def case_of(sim: Sim, order: Order, rng: Random) -> Case:
    ticket = _ticket(sim, order, rng)
    carrier = carriers.pick(rng)
    number = sim.world.hand_out(order, carrier).number
    place = order.buyer.place
    mine = RecipientMatch("a1", "a1", order.buyer.full, order.buyer.full)
    form = Form(
        order_number=order.order_id,
        carrier=carrier,
        number=number,
        pickup=WAREHOUSE,
        delivery=FormAddress(place.province, place.city, place.district, True, True, True, from_platform=True),
        recipient=mine,
        items=tuple(FormItem(line.sub_id, rng.randint(1, line.count), line.count) for line in order.lines),
        original_numbers=frozenset(package.number for package in order.packages),
        used_before=False,
        order_is_late=is_late(sim, order),
        shipped=bool(order.packages),
        ticket=ticket,
        paid_at=datetime.fromtimestamp(order.paid_at, UTC) if order.paid_at else None,
        order_status=order.status,
        uncounted=(),
        reach=Reach(Coverage.SERVED),
    )
    wrongs = tuple(rng.sample(WRONGS, rng.choice((0, 0, 1, 1, 1, 2, 3))))
    case = Case(order, form, order.buyer, wrongs)
    for wrong in wrongs:
        spoil(sim, case, wrong, rng)
    return case


def _ticket(sim: Sim, order: Order, rng: Random) -> TicketFacts | None:
    wanted = rng.choice(TICKETS) if order.packages else "none"
    sale = sim.customers.open(order, RESEND) if wanted != "none" else None
    if sale is None:
        return None
    if wanted == "agreed":
        sim.customers.agree(sale, 2)
    elif wanted == "refused":
        sim.customers.refuse(sale, "暂不补寄")
    return TicketFacts(str(sale.aftersale_id), sale.status, datetime.fromtimestamp(sale.deadline, UTC))


def spoil(sim: Sim, case: Case, wrong: str, rng: Random) -> None:
    """One mistake. What the shop knows of it (a number used before, a first scan) is on the form."""
    changes = _typed(case, wrong, rng) or _known_number(sim, case, wrong, rng) or _people(sim, case, wrong, rng)
    case.form = replace(case.form, **(changes or _items(case, wrong, rng)))


def _typed(case: Case, wrong: str, rng: Random) -> dict[str, Any]:
    form = case.form
    match wrong:
        case "other_carrier":
            return {"carrier": rng.choice([code for code in carriers.CARRIERS if code != form.carrier])}
        case "garbage":
            return {"number": rng.choice(("123", "运单号", "A" * 40, form.number[:-3], form.number + "9", "73-0000"))}
        case "no_number":
            return {"number": ""}
        case "no_carrier":
            return {"carrier": ""}
        case "unknown_carrier":
            return {"carrier": "nobodyexpress"}
        case "check_digit":
            serial = f"{rng.randrange(10**8):08d}"
            digit = (int(carriers.s10_check(serial)) + rng.randint(1, 9)) % 10
            return {"carrier": "youzhengguonei", "number": f"PA{serial}{digit}CN"}
    return {}


def _known_number(sim: Sim, case: Case, wrong: str, rng: Random) -> dict[str, Any]:
    form, order = case.form, case.order
    match wrong:
        case "original" if order.packages:
            return {"carrier": order.packages[0].carrier, "number": order.packages[0].number}
        case "used_elsewhere":
            others = [one for one in sim.world.orders.values() if one.packages and one.buyer.full != order.buyer.full]
            used = rng.choice(others).packages[0]
            return {"carrier": used.carrier, "number": used.number, "used_before": True}
        case "spoilt":
            sim.world.spoilt[form.carrier, form.number] = 70022
            return {"used_before": True}
        case "too_early" if order.paid_at:
            parcel = sim.world.by_number.get(form.number)
            if parcel is not None and parcel.life.scans:
                parcel.life.scans[0].at = order.paid_at - HOUR
                return {"collected_at": datetime.fromtimestamp(order.paid_at - HOUR, UTC)}
    return {}


def _people(sim: Sim, case: Case, wrong: str, rng: Random) -> dict[str, Any]:
    form, order = case.form, case.order
    match wrong:
        case "other_receiver":
            case.receiver = goods.person(rng)
            return {"recipient": RecipientMatch("a1", "a2", order.buyer.full, case.receiver.full)}
        case "no_receiver_phone":
            case.receiver = None
            return {"delivery": replace(form.delivery, has_phone=False)}
        case "no_detail":
            case.receiver = None
            return {"delivery": replace(form.delivery, has_detail=False)}
        case "no_pickup":
            return {"pickup": FormAddress()}
        case "pickup_unknown":
            return {"pickup": replace(form.pickup, address_id="")}
        case "out_of_range":
            place = order.buyer.place
            sim_places = sim.out_of_range.setdefault(form.carrier, [])
            sim_places.append((place.province, place.city, place.district))
            return {"pickup": form.pickup}
    return {}


def _items(case: Case, wrong: str, rng: Random) -> dict[str, Any]:
    items = case.form.items
    count = {"zero": 0, "negative": -1, "above": (items[0].ordered or 0) + rng.randint(1, 3) if items else 0}
    if wrong == "no_items":
        return {"items": ()}
    if wrong == "strange_line":
        return {"items": (*items, FormItem("999", 1, 0))}
    if wrong in count and items:
        return {"items": (replace(items[0], quantity=count[wrong]), *items[1:])}
    return {}


def call_of(case: Case, route: Route) -> tuple[str, dict[str, Any]]:
    """The call that this form becomes, as our client writes it."""
    form = case.form
    lines = [(item.line_id, item.quantity) for item in form.items]
    if route is Route.RESEND and form.ticket is not None:
        sent = {"aftersale_id": int(form.ticket.aftersale_id), "send_type": 1}
        return "afterSale.fillLogistics", sent | {"company_code": form.carrier, "tracking_no": form.number}
    if route is Route.ADD_PACK:
        infos = [{"shipped_order_id": line, "shipped_num": count} for line, count in lines]
        pack = {"shipped_order_info": infos, "logistics_code": form.number, "company_code": form.carrier}
        return "order.logisticsAddMultiPack", {
            "order_id": form.order_number, "request_id": form.order_number, "pack_list": [pack],
        }  # fmt: skip
    return "order.uploadextrapackage", extra_package_params(
        form.order_number, lines, form.carrier, form.number, form.pickup.address_id
    )


def reach(sim: Sim, case: Case) -> Reach:
    """What the platform says when it is asked."""
    place, sender = case.order.buyer.place, WAREHOUSE
    try:
        said = METHODS["logistics.getOutRange"](
            sim,
            {
                "logistics_code": case.form.carrier,
                "type": 0,
                "sender_address": {
                    "province_name": sender.province, "city_name": sender.city, "detail_address": "#1#",
                },
                "receiver_address": {
                    "province_name": place.province, "city_name": place.city, "district_name": place.district,
                    "detail_address": "#1#",
                },
            },
        )  # fmt: skip
    except Refusal:
        return Reach(Coverage.NO_ANSWER)
    return Reach(Coverage.OUT_OF_RANGE if said["is_out_range"] else Coverage.SERVED)


def judged(sim: Sim, case: Case) -> tuple[Answer, list[str], Judgement]:
    now = datetime.fromtimestamp(sim.clock.now(), UTC)
    case.form = replace(case.form, reach=reach(sim, case))
    report = gate(case.form, now, divisions())
    method, params = call_of(case, report.route)
    form = case.form
    sender = form.pickup.province or None
    label = Label(case.receiver, sender, tuple((item.line_id, item.quantity) for item in form.items))
    said = [f"{check.code}:{check.why.code}" for check in report.checks if check.verdict is report.verdict]
    return report.verdict, said, judge(sim, case.order, method, params, label)


def all_forms(count: int) -> Iterator[tuple[Sim, Case]]:
    for at in range(count // A_WORLD):
        sim, orders = world(at)
        rng = Random(f"forms:{at}")
        for order in orders:
            yield sim, case_of(sim, order, rng)


@pytest.mark.slow
def test_ten_thousand_forms() -> None:
    wrong: list[str] = []
    seen: Counter[tuple[str, bool]] = Counter()
    for sim, case in all_forms(FORMS):
        verdict, said, truth = judged(sim, case)
        seen[verdict.value, truth.is_good] += 1
        lets = verdict is Answer.PASS and not truth.is_good
        blocks = verdict in (Answer.REFUSED, Answer.PUNISHED_LATER) and truth.is_good
        if lets or blocks:
            wrong.append(f"{verdict.value} {said} but {truth}: {case.wrongs} {sorted(case.order.noticed)} {case.form}")
    assert not wrong, f"{len(wrong)} of {sum(seen.values())} ({seen}):\n" + "\n".join(wrong[:12])
    assert sum(seen.values()) == FORMS
    # Otherwise it would have shown nothing: both kinds came, and the gate commits itself to most of what is good.
    assert seen["pass", True] >= 1500
    assert seen["refused", False] >= 3000
    assert seen["punished_later", False] >= 300
    assert seen["cannot_tell", True] <= seen["pass", True] / 4
    good = sum(many for (_, is_good), many in seen.items() if is_good)
    proofs.count(forms=FORMS, good=good, bad=FORMS - good, passed_though_bad=0, refused_though_good=0)


@pytest.mark.parametrize("code", carriers.CARRIERS)
@given(st.data())
def test_todays_forms_of_a_number_are_the_worlds(code: str, data: st.DataObject) -> None:
    """A number that fits a carrier for us fits it for the platform, and a fresh one of theirs fits for us."""
    ours = data.draw(st.sampled_from(own_carriers.carriers()[code].patterns))
    number = data.draw(st.from_regex(re.compile(ours.pattern, re.ASCII), fullmatch=True))
    assert carriers.CARRIERS[code].fits(number), number
    theirs = carriers.waybill(code, Random(data.draw(st.integers(0, 10**6))))
    assert waybills.check(code, theirs).state is waybills.NumberState.OK, theirs
