"""All else that is asked of the platform and dies at every write: a number put right, an e-waybill, a refund, a recall,
the rows of a sheet; and the click that books money.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from bufa.apps.cases import remedies
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, LedgerLine, Remedy
from bufa.apps.effects.models import Effect
from bufa.apps.parcels.models import Parcel
from bufa.apps.reissues import booking, bulk, corrections
from bufa.apps.reissues.bulk_check import SheetRow
from bufa.apps.reissues.models import BulkRow, LabelBooking, Reissue
from bufa.apps.shops import actions as shops
from bufa.domain.kinds import Measure, Role
from bufa.jobs import bulk as bulk_jobs
from bufa.jobs import effects as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.crash.acts import Act, Stock, lead_of
from tests.crash.dying import recover
from tests.factories.journey import LEAD, NO_DELAY, Filled, forms_filled, press_submit
from tests.factories.remedies import Asked, choose, refunds_asked
from tests.jobs.conftest import World


class Wish(Act):
    """One thing that is asked of the platform. `want`: ask for it (again); `applied`: how often the platform did it, by
    its own account; `say`: a person says what they saw there; `is_done`: our own account."""

    again_by_itself = False
    """What is unknown may be asked for again by the same id, so no person is needed."""
    readable = True
    """Whether reading back finds what is there."""

    def __init__(self, stock: Stock, platform: str = "answers") -> None:
        super().__init__(stock, platform)
        stock.knows(self.kind, self.batch)

    def batch(self, world: World, shop: int, count: int) -> list[Any]:
        raise NotImplementedError

    def want(self, job: Any) -> int:
        raise NotImplementedError

    def applied(self, job: Any) -> int:
        raise NotImplementedError

    def say(self, job: Any, *, is_there: bool) -> None:
        raise NotImplementedError

    def is_done(self, job: Any) -> bool:
        raise NotImplementedError

    def ready(self, job: Any) -> dict[str, Any]:
        return {"shop_id": job.shop_id, "effect_id": self.want(job)}

    def untouched(self, job: Any, given: dict[str, Any]) -> bool:
        row = effect(job.shop_id, given["effect_id"])
        return (row.state, row.attempt) == ("ready", 0) and self.applied(job) == 0

    def recover(self, job: Any, given: dict[str, Any]) -> None:
        shop, effect_id = job.shop_id, given["effect_id"]
        recover(shop, effect_id)
        row = effect(shop, effect_id)
        if row.state == "unknown":
            assert (row.needs_person, self.again_by_itself) == (True, False), row.state
            there = self.applied(job) > 0
            assert not (there and self.readable), "reading back should have found what is there"
            self.say(job, is_there=there)
            row = effect(shop, effect_id)
        if row.state == "rejected":
            self.calm()
            again = self.want(job)
            assert again != effect_id, "asked for again, it is the wish that was refused"
            jobs.carry_out(shop, [again])

    def check(self, job: Any) -> None:
        assert self.applied(job) == 1, f"the platform did it {self.applied(job)} times"
        assert self.is_done(job), "not done by our own account"


def effect(shop: int, effect_id: int) -> Effect:
    with for_shops([shop]):
        return Effect.objects.get(id=effect_id)


@dataclass(frozen=True, slots=True)
class Mistyped:
    """A parcel whose number is at the platform and wrong; `number` is the right one."""

    shop_id: int
    case_id: int
    order: str
    parcel_id: int
    number: str


class CorrectWhole(Wish):
    """An original's number put right by `order.logisticsEdit`."""

    kind = "correct_whole"
    method = "order.logisticsEdit"
    first = False

    def batch(self, world: World, shop: int, count: int) -> list[Mistyped]:
        made = forms_filled(world, shop, count, first=self.first)
        for each in made:
            press_submit(world, each)
        with clock.frozen(world.now):
            while jobs.carry_out(shop):
                pass
        return [
            Mistyped(
                shop, each.case_id, each.order, self._parcel(each),
                world.control("waybills", {"carrier": "zhongtong", "order_id": each.order})["number"],
            )
            for each in made
        ]  # fmt: skip

    def _parcel(self, made: Filled) -> int:
        with for_shops([made.shop_id]):
            if not self.first:
                return Case.objects.get(id=made.case_id).parcel_id
            return int(Reissue.objects.get(case_id=made.case_id).parcel_id or 0)

    def want(self, job: Mistyped) -> int:
        return corrections.correct(
            shop_id=job.shop_id, case_id=job.case_id, parcel_id=job.parcel_id, carrier="zhongtong", number=job.number,
            reason="扫错了", by=LEAD, delay=NO_DELAY,
        )  # fmt: skip

    def applied(self, job: Mistyped) -> int:
        return sum(row["number"] == job.number for row in self.truth(job.order)["submissions"])

    def say(self, job: Mistyped, *, is_there: bool) -> None:
        corrections.release(shop_id=job.shop_id, parcel_id=job.parcel_id, is_there=is_there, by=LEAD)

    def is_done(self, job: Mistyped) -> bool:
        with for_shops([job.shop_id]):
            return Parcel.objects.get(id=job.parcel_id).number == job.number


class CorrectPackage(CorrectWhole):
    """The number of one package, after the platform says that the order can't be corrected whole (70011)."""

    kind = "correct_package"
    method = "order.logisticsEditByPack"
    first = True


class Label(Wish):
    """An e-waybill by `logistics.newCreateOrder`; unknown, the same pack_id is asked for again."""

    kind = "extra_package"
    method = "logistics.newCreateOrder"
    again_by_itself = True

    def batch(self, world: World, shop: int, count: int) -> list[Filled]:
        return forms_filled(world, shop, count)

    def want(self, job: Filled) -> int:
        booking.book(shop_id=job.shop_id, case_id=job.case_id, form=replace(job.form, number=""), by=LEAD)
        return booking.of_case(job.shop_id, job.case_id)[-1].effect_id or 0

    def applied(self, job: Filled) -> int:
        desk = [row["number"] for row in self.truth(job.order)["parcels"] if row["role"] == "desk"]
        return len(set(desk) - {job.number})

    def is_done(self, job: Filled) -> bool:
        there = {row["number"] for row in self.truth(job.order)["parcels"]} - {job.number}
        with for_shops([job.shop_id]):
            row = LabelBooking.objects.filter(reissue__case_id=job.case_id).latest("id")
        return row.state == "booked" and row.number in there


class Refund(Wish):
    """The buyer's refund agreed by `afterSale.operate`."""

    kind = "refund"
    method = "afterSale.operate"
    measure, fate = Measure.REFUND, "never_collected"

    def batch(self, world: World, shop: int, count: int) -> list[Asked]:
        return refunds_asked(world, shop, count, fate=self.fate)

    def _remedy(self, job: Asked) -> Remedy:
        with for_shops([job.shop_id]):
            return Remedy.objects.filter(case_id=job.case_id).latest("id")

    def want(self, job: Asked) -> int:
        with for_shops([job.shop_id]):
            tried = Remedy.objects.filter(case_id=job.case_id).exists()
        if tried:
            remedies.by_platform(**job.here, by=LEAD, delay=NO_DELAY)
        else:
            more = {"accept_penalty": True} if self.measure is Measure.INTERCEPT else {}
            choose(job, self.measure, self.world.now, **more)
        return self._remedy(job).effect_id or 0

    def _calls(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.world.http.get(
            self.world.hello["ledger"], params={"method": self.method}
        ).json()
        return [row for row in rows if row.get("outcome") == 10000]

    def applied(self, job: Asked) -> int:
        return sum(f'"{job.ticket}"' in row["text"] for row in self._calls())

    def say(self, job: Asked, *, is_there: bool) -> None:
        remedies.release(shop_id=job.shop_id, remedy_id=self._remedy(job).pk, is_done=is_there, by=LEAD)

    def is_done(self, job: Asked) -> bool:
        with for_shops([job.shop_id]):
            booked = LedgerLine.objects.filter(case_id=job.case_id).count()
        return self._remedy(job).state == "done" and booked <= 1 and self._there(job)

    def _there(self, job: Asked) -> bool:
        (sale,) = self.truth(job.order)["aftersales"]
        return bool(sale["status"] == 12)


class Recall(Refund):
    """The parcel called back by `afterSale.applyLogisticsIntercept`; nothing can be read back, a person looks."""

    kind = "recall"
    method = "afterSale.applyLogisticsIntercept"
    measure, fate = Measure.INTERCEPT, "lost"
    readable = False

    def batch(self, world: World, shop: int, count: int) -> list[Asked]:
        """Only what a carrier has can be called back."""
        made = super().batch(world, shop, count)
        return [
            each
            for each in made
            if any(row["role"] == "original" and row["scans"] for row in self.truth(each.order)["parcels"])
        ]

    def applied(self, job: Asked) -> int:
        return sum(row.get("aftersale_id") == job.ticket for row in self._calls())

    def _there(self, job: Asked) -> bool:
        return True


class Sheet(Act):
    """The worker that submits the rows of a sheet: a row is either submitted or waits, and whoever goes on finishes
    it. Each job is a run of its own with two rows."""

    do = "sheet"
    kind = "sheet"
    method = "afterSale.fillLogistics"
    least = 4

    def __init__(self, stock: Stock, platform: str = "answers") -> None:
        super().__init__(stock, platform)
        stock.knows(self.kind, self._pairs)

    def _pairs(self, world: World, shop: int, count: int) -> list[Pair]:
        made = forms_filled(world, shop, 2 * (count // 2), ticket=True)
        return [Pair(shop, made[at], made[at + 1]) for at in range(0, len(made), 2)]

    def ready(self, job: Pair) -> dict[str, Any]:
        login = lead_of(job.shop_id)
        lead = Actor(shops.add_operator(login, "right-horse-battery"), "周", Role.LEAD)
        rows = [SheetRow(at, each.code, "zhongtong", each.number) for at, each in enumerate(job.cases, start=2)]
        key = f"k{job.first.case_id}"
        run_id = bulk.look_through(shop_id=job.shop_id, key=key, name="补发.xlsx", rows=rows, by=lead)
        assert bulk.start(shop_id=job.shop_id, run_id=run_id, by=lead) == len(rows)
        return {"shop_id": job.shop_id, "run_id": run_id}

    def _states(self, run_id: int, shop: int) -> list[str]:
        with for_shops([shop]):
            return list(BulkRow.objects.filter(run_id=run_id).order_by("row").values_list("state", flat=True))

    def untouched(self, job: Pair, given: dict[str, Any]) -> bool:
        """Nothing was submitted; or one row was, whole: the run goes on with the other, which has the same writes."""
        states = self._states(given["run_id"], job.shop_id)
        with for_shops([job.shop_id]):
            begun = Reissue.objects.filter(case_id__in=[each.case_id for each in job.cases]).count()
        return "waiting" in states and states.count("submitted") == begun

    def recover(self, job: Pair, given: dict[str, Any]) -> None:
        assert bulk_jobs.work_off(job.shop_id, given["run_id"]) is True
        assert self._states(given["run_id"], job.shop_id) == ["submitted", "submitted"]
        with for_shops([job.shop_id]):
            mine = list(Reissue.objects.filter(case_id__in=[each.case_id for each in job.cases]))
            assert len(mine) == len(job.cases), "a row was submitted twice, or not at all"
            ids = [row.effect_id for row in mine if row.effect_id]
            Effect.objects.filter(id__in=ids, state="ready").update(next_at=None)
        for effect_id in ids:
            recover(job.shop_id, effect_id)

    def check(self, job: Pair) -> None:
        for each in job.cases:
            sent = [row["number"] for row in self.truth(each.order)["submissions"]]
            assert sent == [each.number], "not there, or there more than once"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cases of one sheet."""

    shop_id: int
    first: Filled
    second: Filled

    @property
    def cases(self) -> tuple[Filled, Filled]:
        return self.first, self.second

    @property
    def case_id(self) -> int:
        return self.first.case_id

    @property
    def order(self) -> str:
        return self.first.order


class Payment(Act):
    """The click that says "paid", pressed again after it died: one line in the books, one way or the other."""

    do = "click"
    kind = "refund"
    least = 3

    def __init__(self, stock: Stock, platform: str = "answers") -> None:
        super().__init__(stock, platform)
        stock.knows(self.kind, refunds_asked)

    def ready(self, job: Asked) -> dict[str, Any]:
        choose(job, Measure.COMPENSATE, self.world.now, amount_fen=500)
        path = f"/cases/{job.shop_id}/{job.code}/remedy-done/"
        return {"login": lead_of(job.shop_id), "path": path, "fields": {"reference": "T1", "amount": "5"}}

    def _booked(self, job: Asked) -> tuple[list[int], str]:
        with for_shops([job.shop_id]):
            rows = list(LedgerLine.objects.filter(case_id=job.case_id).values_list("amount_fen", flat=True))
            return rows, Remedy.objects.filter(case_id=job.case_id).latest("id").state

    def untouched(self, job: Asked, given: dict[str, Any]) -> bool:
        booked, state = self._booked(job)
        return not booked and state != "done"

    def recover(self, job: Asked, given: dict[str, Any]) -> None:
        booked, _state = self._booked(job)
        assert len(booked) <= 1, booked
        browser = Client(headers={"host": "localhost"})
        browser.force_login(get_user_model().objects.get(username=given["login"]))
        assert browser.post(given["path"], given["fields"]).status_code in (303, 409)

    def check(self, job: Asked) -> None:
        assert self._booked(job) == ([500], "done")


WISHES: dict[str, type[Wish]] = {
    "correct_whole": CorrectWhole,
    "correct_package": CorrectPackage,
    "label": Label,
    "refund": Refund,
    "recall": Recall,
}
