"""SIGKILL at every write of all else that is asked of the platform: a number put right, an e-waybill, a refund, a
recall, and the rows of a sheet. Done once, never lost, always settled or shown; and money booked once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bufa.apps.cases import remedies
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, LedgerLine, Remedy
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import Effect
from bufa.apps.parcels.models import Parcel
from bufa.apps.reissues import booking, bulk, corrections
from bufa.apps.reissues.bulk_check import SheetRow
from bufa.apps.reissues.models import BulkRow, LabelBooking, Reissue
from bufa.apps.shops import actions as shops
from bufa.domain.kinds import Measure, Role
from bufa.jobs import bulk as bulk_jobs
from bufa.jobs import effects as jobs
from bufa.jobs.status import status
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests import proofs
from tests.crash.dying import LONG, Victims, recover, strace_works
from tests.factories.journey import LEAD, NO_DELAY, Filled, connected_shop, forms_filled, press_submit
from tests.factories.remedies import Asked, choose, refunds_asked
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("impatient")]

PLATFORM = {"answers": "", "drops_the_answer": "reply_lost", "rejects": "refused", "hangs": "hang"}
SHORT = ("drops_the_answer",)
COUNTERS = ("points", "strace") if LONG else ("points",)
AT_ONCE = 40 if LONG else 14


class Way:
    """One thing that is asked of the platform. `method`: the call; `want`: ask for it (again); `applied`: how often the
    platform did it, by its own account; `say`: a person says what they saw there; `is_done`: our own account."""

    method: str
    again_by_itself = False
    """What is unknown may be asked for again by the same id, so no person is needed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shop = connected_shop(world)
        self._stock: list[Any] = []

    def next_job(self) -> Any:
        if not self._stock:
            self._stock = self.ready(AT_ONCE)
        return self._stock.pop()

    def ready(self, count: int) -> list[Any]:
        raise NotImplementedError

    def want(self, job: Any) -> int:
        raise NotImplementedError

    def applied(self, job: Any) -> int:
        raise NotImplementedError

    def say(self, job: Any, *, is_there: bool) -> None:
        raise NotImplementedError

    def is_done(self, job: Any) -> bool:
        raise NotImplementedError

    def truth(self, order: str) -> dict[str, Any]:
        told: dict[str, Any] = self.world.control(f"orders/{order}")
        return told


class CorrectWhole(Way):
    """An original's number put right by `order.logisticsEdit`."""

    method = "order.logisticsEdit"
    first = False

    def ready(self, count: int) -> list[Any]:
        filled = forms_filled(self.world, self.shop, count, first=self.first)
        for each in filled:
            press_submit(self.world, each)
        with clock.frozen(self.world.now):
            while jobs.carry_out(self.shop):
                pass
        right = [
            self.world.control("waybills", {"carrier": "zhongtong", "order_id": f.order})["number"] for f in filled
        ]
        return [(each, number, self._parcel(each)) for each, number in zip(filled, right, strict=True)]

    def _parcel(self, filled: Filled) -> int:
        with for_shops([self.shop]):
            if not self.first:
                return Case.objects.get(id=filled.case_id).parcel_id
            return int(Reissue.objects.get(case_id=filled.case_id).parcel_id or 0)

    def want(self, job: Any) -> int:
        filled, number, parcel_id = job
        return corrections.correct(
            shop_id=self.shop, case_id=filled.case_id, parcel_id=parcel_id, carrier="zhongtong", number=number,
            reason="扫错了", by=LEAD, delay=NO_DELAY,
        )  # fmt: skip

    def applied(self, job: Any) -> int:
        filled, number, _ = job
        return sum(row["number"] == number for row in self.truth(filled.order)["submissions"])

    def say(self, job: Any, *, is_there: bool) -> None:
        corrections.release(shop_id=self.shop, parcel_id=job[2], is_there=is_there, by=LEAD)

    def is_done(self, job: Any) -> bool:
        with for_shops([self.shop]):
            return Parcel.objects.get(id=job[2]).number == job[1]


class CorrectPackage(CorrectWhole):
    """The number of one package, after the platform says that the order can't be corrected whole (70011)."""

    method = "order.logisticsEditByPack"
    first = True


class Label(Way):
    """An e-waybill by `logistics.newCreateOrder`; unknown, the same pack_id is asked for again."""

    method = "logistics.newCreateOrder"
    again_by_itself = True

    def ready(self, count: int) -> list[Filled]:
        return forms_filled(self.world, self.shop, count)

    def want(self, job: Filled) -> int:
        booking.book(shop_id=self.shop, case_id=job.case_id, form=replace(job.form, number=""), by=LEAD)
        return booking.of_case(self.shop, job.case_id)[-1].effect_id or 0

    def applied(self, job: Filled) -> int:
        desk = [row["number"] for row in self.truth(job.order)["parcels"] if row["role"] == "desk"]
        return len(set(desk) - {job.number})

    def is_done(self, job: Filled) -> bool:
        there = {row["number"] for row in self.truth(job.order)["parcels"]} - {job.number}
        with for_shops([self.shop]):
            row = LabelBooking.objects.filter(reissue__case_id=job.case_id).latest("id")
        return row.state == "booked" and row.number in there


class Refund(Way):
    """The buyer's refund agreed by `afterSale.operate`."""

    method = "afterSale.operate"
    measure, fate = Measure.REFUND, "never_collected"

    def ready(self, count: int) -> list[Asked]:
        return refunds_asked(self.world, self.shop, count, fate=self.fate)

    def _remedy(self, job: Asked) -> Remedy:
        with for_shops([self.shop]):
            return Remedy.objects.filter(case_id=job.case_id).latest("id")

    def want(self, job: Asked) -> int:
        with for_shops([self.shop]):
            tried = Remedy.objects.filter(case_id=job.case_id).exists()
        if tried:
            remedies.by_platform(**job.here, by=LEAD, delay=NO_DELAY)
        else:
            more = {"accept_penalty": True} if self.measure is Measure.INTERCEPT else {}
            choose(job, self.measure, self.world.now, **more)
        return self._remedy(job).effect_id or 0

    def applied(self, job: Asked) -> int:
        rows = self.world.http.get(self.world.hello["ledger"], params={"method": self.method}).json()
        return sum(f'"{job.ticket}"' in row["text"] and row["outcome"] == 10000 for row in rows)

    def say(self, job: Asked, *, is_there: bool) -> None:
        remedies.release(shop_id=self.shop, remedy_id=self._remedy(job).pk, is_done=is_there, by=LEAD)

    def is_done(self, job: Asked) -> bool:
        with for_shops([self.shop]):
            booked = LedgerLine.objects.filter(case_id=job.case_id).count()
        return self._remedy(job).state == "done" and booked <= 1 and self._there(job)

    def _there(self, job: Asked) -> bool:
        (sale,) = self.truth(job.order)["aftersales"]
        return bool(sale["status"] == 12)


class Recall(Refund):
    """The parcel called back by `afterSale.applyLogisticsIntercept`; nothing can be read back, a person looks."""

    method = "afterSale.applyLogisticsIntercept"
    measure, fate = Measure.INTERCEPT, "lost"

    def ready(self, count: int) -> list[Asked]:
        """Only what a carrier has can be called back."""
        return [each for each in super().ready(count) if self._is_under_way(each)]

    def _is_under_way(self, job: Asked) -> bool:
        return any(row["role"] == "original" and row["scans"] for row in self.truth(job.order)["parcels"])

    def applied(self, job: Asked) -> int:
        rows = self.world.http.get(self.world.hello["ledger"], params={"method": self.method}).json()
        return sum(row.get("aftersale_id") == job.ticket and row["outcome"] == 10000 for row in rows)

    def _there(self, job: Asked) -> bool:
        return True


WAYS: dict[str, Callable[[World], Way]] = {
    "correct_whole": CorrectWhole,
    "correct_package": CorrectPackage,
    "label": Label,
    "refund": Refund,
    "recall": Recall,
}


def effect(effect_id: int) -> Effect:
    return Effect.objects.get(id=effect_id)


def behave(world: World, way: Way, platform: str) -> None:
    if kind := PLATFORM[platform]:
        world.control("trouble", {"service": "doudian", "method": way.method, "kind": kind})


def ended(world: World, way: Way, job: Any, effect_id: int) -> None:
    """What follows a crash: rescue, reading back, a person's look, and asking again for what is not there."""
    recover(way.shop, effect_id)
    with for_shops([way.shop]):
        row = effect(effect_id)
    if row.state == "unknown":
        assert (row.needs_person, way.again_by_itself) == (True, False), row.state
        there = way.applied(job) > 0
        assert not (there and way.method not in Recall.method), "reading back should have found what is there"
        way.say(job, is_there=there)
        with for_shops([way.shop]):
            row = effect(effect_id)
    if row.state == "rejected":
        world.http.delete(world.hello["control"] + "/trouble")
        again = way.want(job)
        assert again != effect_id
        jobs.carry_out(way.shop, [again])


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("name", WAYS if LONG else ("correct_whole", "label", "refund"))
@pytest.mark.parametrize("platform", PLATFORM if LONG else SHORT)
def test_a_worker_killed_anywhere(world: World, victims: Victims, platform: str, name: str, counter: str) -> None:
    if counter == "strace" and not strace_works():
        pytest.skip("strace is missing, or ptrace is not allowed here; our own kill points were used alone")
    way = WAYS[name](world)
    for n in range(1, 1000):
        job = way.next_job()
        world.http.delete(world.hello["control"] + "/trouble")
        with clock.frozen(world.now):
            effect_id = way.want(job)
        behave(world, way, platform)
        died = victims.killed_at(
            n, "carry_out", by_strace=counter == "strace", statements=LONG, shop_id=way.shop, effect_id=effect_id
        )
        with clock.frozen(world.now):
            ended(world, way, job, effect_id)
            assert way.applied(job) == 1, f"{name} × {platform}, write {n}: {victims.said}"
            assert way.is_done(job), f"{name} × {platform}, write {n}: {victims.said}"
        if not died:
            break
    assert n > 7
    proofs.count(flows=1, kills=n - 1, **{f"killed_by_{counter}": n - 1}, done_twice=0, lost=0)
    assert status([way.shop])["violations"] == []


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_sheets_worker_killed_anywhere(world: World, victims: Victims, counter: str) -> None:
    """A row is either submitted or waits; whoever goes on with the run finishes it, and each number leaves once."""
    if counter == "strace" and not strace_works():
        pytest.skip("strace is missing, or ptrace is not allowed here; our own kill points were used alone")
    shop = connected_shop(world)
    lead = Actor(shops.add_operator(f"lead{shop}", "right-horse-battery", display_name="周"), "周", Role.LEAD)
    shops.add_member(shop_id=shop, operator_id=lead.operator_id or 0, role=Role.LEAD, by="test")
    stock: list[Filled] = []
    for n in range(1, 1000):
        if len(stock) < 2:
            stock = forms_filled(world, shop, AT_ONCE, ticket=True)
        cases = [stock.pop(), stock.pop()]
        with clock.frozen(world.now):
            rows = [SheetRow(at, each.code, "zhongtong", each.number) for at, each in enumerate(cases, start=2)]
            run_id = bulk.look_through(shop_id=shop, key=f"k{n}", name="补发.xlsx", rows=rows, by=lead)
            assert bulk.start(shop_id=shop, run_id=run_id, by=lead) == len(cases)
        strace = counter == "strace"
        died = victims.killed_at(n, "sheet", by_strace=strace, statements=LONG, shop_id=shop, run_id=run_id)
        with clock.frozen(world.now):
            assert bulk_jobs.work_off(shop, run_id) is True
            with for_shops([shop]):
                assert {row.state for row in BulkRow.objects.filter(run_id=run_id)} == {"submitted"}
                Effect.objects.filter(shop_id=shop, state="ready").update(next_at=None)
                mine = Reissue.objects.filter(case_id__in=[each.case_id for each in cases])
                assert mine.count() == len(cases), f"write {n}: {victims.said}"
            jobs.carry_out(shop)
        for each in cases:
            sent = [row["number"] for row in world.control(f"orders/{each.order}")["submissions"]]
            assert sent == [each.number], f"write {n}: {victims.said}"
        if not died:
            break
    assert n > 4
    proofs.count(flows=1, kills=n - 1, **{f"killed_by_{counter}": n - 1}, done_twice=0, lost=0)
    assert status([shop])["violations"] == []


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_payment_by_hand_is_booked_once(world: World, victims: Victims, counter: str) -> None:
    """The click that says "paid" dies anywhere and is pressed again: one line in the books, one way or the other."""
    if counter == "strace" and not strace_works():
        pytest.skip("strace is missing, or ptrace is not allowed here; our own kill points were used alone")
    shop = connected_shop(world)
    login = f"lead{shop}"
    person = shops.add_operator(login, "right-horse-battery", display_name="周")
    shops.add_member(shop_id=shop, operator_id=person, role=Role.LEAD, by="test")
    stock: list[Asked] = []
    for n in range(1, 1000):
        if not stock:
            stock = refunds_asked(world, shop, AT_ONCE)
        job = stock.pop()
        choose(job, Measure.COMPENSATE, world.now, amount_fen=500)
        path = f"/cases/{shop}/{job.code}/remedy-done/"
        given: dict[str, Any] = {"login": login, "path": path, "fields": {"reference": "T1", "amount": "5"}}
        died = victims.killed_at(n, "click", by_strace=counter == "strace", statements=LONG, **given)
        with for_shops([shop]):
            begun = LedgerLine.objects.filter(case_id=job.case_id).count()
        assert victims.wait(victims.start("click", **given)) == 0, f"pressed again after write {n}: {victims.said}"
        with for_shops([shop]):
            booked = [row.amount_fen for row in LedgerLine.objects.filter(case_id=job.case_id)]
            state = Remedy.objects.filter(case_id=job.case_id).latest("id").state
        assert (booked, state, begun <= 1) == ([500], "done", True), f"write {n}: {victims.said}"
        if not died:
            break
    assert n > 2
    proofs.count(flows=1, kills=n - 1, **{f"killed_by_{counter}": n - 1}, done_twice=0, lost=0)


def test_real_time_is_what_leases_go_by(world: World) -> None:
    """The rescue looks at the database's clock, not at the world's: a day passing there frees nothing."""
    way = Refund(world)
    job = way.next_job()
    with clock.frozen(world.now):
        effect_id = way.want(job)
        assert effects.begin(shop_id=way.shop, effect_id=effect_id) is not None
    with clock.frozen(world.advance(hours=24)):
        assert jobs.rescue([way.shop]) == 0
    with for_shops([way.shop]):
        assert effect(effect_id).state == "sending"
