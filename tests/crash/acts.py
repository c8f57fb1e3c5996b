"""The acts that ask something of the platform, each of which dies at every write; and what has to be true afterwards.

An act is got ready, dies at its n-th write, somebody else takes over, a person answers what reading back can't. Then
it was done exactly once, by the platform's own account, and our account says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import Attempt, Effect
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import actions as shops
from bufa.domain.kinds import Role
from bufa.integrations import wire
from bufa.jobs import effects as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.crash.dying import Victims, recover
from tests.factories.journey import LEAD, Filled, connected_shop, forms_filled, press_submit
from tests.jobs.conftest import World

PLATFORM: Mapping[str, str] = {"answers": "", "drops_the_answer": "reply_lost", "rejects": "refused", "hangs": "hang"}
"""How the platform behaves: word of ours → the world's."""

METHODS: Mapping[str, str] = {
    "ticket": "afterSale.fillLogistics",
    "extra_package": "order.uploadextrapackage",
    "add_pack": "order.logisticsAddMultiPack",
}
KINDS: Mapping[str, dict[str, bool]] = {
    "ticket": {"ticket": True},
    "extra_package": {},
    "add_pack": {"first": True},
}
Batch = Callable[[World, int, int], list[Any]]


def filled(kind: str) -> Batch:
    """Cases whose reissue form is filled in."""
    return lambda world, shop, count: forms_filled(world, shop, count, **KINDS[kind])


PATIENT = wire.TIMEOUT
HANGING = httpx.Timeout(connect=3.0, write=3.0, read=1.0, pool=3.0)
"""A platform that hangs is given up sooner than after ten seconds; nothing depends on how long that is. One that
answers may take its time: on a busy machine it does."""


class Stock:
    """Cases that are ready, by kind, made many at a time: letting time pass and asking the platform is what costs. Each
    batch has a shop of its own, so that none grows slow."""

    def __init__(self, world: World, at_once: int) -> None:
        self.world = world
        self.at_once = at_once
        self.shops: list[int] = []
        self.made = 0
        self._ready: dict[str, list[Any]] = {}
        self._ways: dict[str, Batch] = {name: filled(name) for name in KINDS}

    def knows(self, kind: str, batch: Batch) -> None:
        self._ways.setdefault(kind, batch)

    def take(self, kind: str) -> Any:
        while not self._ready.get(kind):
            wire.TIMEOUT = PATIENT
            self.world.http.delete(self.world.hello["control"] + "/trouble")
            shop = connected_shop(self.world)
            login = lead_of(shop)
            person = shops.add_operator(login, "right-horse-battery", display_name="周")
            shops.add_member(shop_id=shop, operator_id=person, role=Role.LEAD, by="test")
            self._ready[kind] = self._ways[kind](self.world, shop, self.at_once)
            self.shops.append(shop)
        self.made += 1
        return self._ready[kind].pop()


def lead_of(shop: int) -> str:
    """The login of a shop's lead."""
    return f"lead{shop}"


class Act:
    """One act of web or worker on one job. `do`: what the victim does; `kind`: which jobs; `method`: the call."""

    do = "carry_out"
    kind = ""
    method = ""
    least = 8
    """Fewer kills than this, and nothing was shown."""

    def __init__(self, stock: Stock, platform: str = "answers") -> None:
        self.stock = stock
        self.world = stock.world
        self.platform = platform

    def ready(self, job: Any) -> dict[str, Any]:
        """Bring it to the edge of the act; what the victim is told."""
        raise NotImplementedError

    def untouched(self, job: Any, given: dict[str, Any]) -> bool:
        """Whether nothing was written anywhere, so that the same job may go again as it is."""
        raise NotImplementedError

    def recover(self, job: Any, given: dict[str, Any]) -> None:
        """What follows a crash: rescue, reading back, a person's look, asking again for what is not there."""
        raise NotImplementedError

    def check(self, job: Any) -> None:
        """AssertionError unless it was done once and is settled."""
        raise NotImplementedError

    def evidence(self, job: Any) -> dict[str, Any]:
        """All that there is of it, for who looks into a failure."""
        return evidence(self.world, job.shop_id, job.case_id, job.order)

    # --- the platform ------------------------------------------------------------------------------------------------
    def calm(self) -> None:
        self.world.http.delete(self.world.hello["control"] + "/trouble")

    def behave(self) -> None:
        self.calm()
        wire.TIMEOUT = self.patience
        if kind := PLATFORM[self.platform]:
            self.world.control("trouble", {"service": "doudian", "method": self.method, "kind": kind})

    @property
    def patience(self) -> httpx.Timeout:
        return HANGING if self.platform == "hangs" else PATIENT

    def truth(self, order: str) -> dict[str, Any]:
        told: dict[str, Any] = self.world.control(f"orders/{order}")
        return told


class Chain:
    """The same act, killed at write 1, 2, 3 …: a job that a kill left untouched goes again at the next write."""

    def __init__(self, act: Act, victims: Victims, *, by_strace: bool, statements: bool) -> None:
        self.act = act
        self.victims = victims
        self.how: dict[str, Any] = {"by_strace": by_strace, "statements": statements}
        self.jobs = 0
        self.job: Any = None
        self._given: dict[str, Any] | None = None

    def kill(self, n: int) -> bool:
        """Whether it died at write n (False: it came to its end), and all is well. AssertionError where it is not."""
        act = self.act
        if self._given is None:
            self.job = act.stock.take(act.kind)
            self.jobs += 1
            act.calm()
            with clock.frozen(act.world.now):
                self._given = act.ready(self.job)
        job, given = self.job, self._given
        if act.do == "carry_out":
            act.behave()
        died = self.victims.killed_at(n, act.do, **self.how, **given, patience=act.patience.read)
        if act.do != "carry_out":
            act.behave()
        with clock.frozen(act.world.now):
            if died and act.untouched(job, given):
                return True
            self._given = None
            act.recover(job, given)
            act.check(job)
        return died

    def drop(self) -> None:
        """After a failure: the next kill takes a fresh job."""
        self._given = None


# --- a reissue's number ----------------------------------------------------------------------------------------------


class Submission(Act):
    """A reissue's number on its way to the platform, by one of three routes."""

    def __init__(self, stock: Stock, platform: str = "answers", route: str = "ticket") -> None:
        super().__init__(stock, platform)
        self.kind = route
        self.method = METHODS[route]

    def ready(self, job: Filled) -> dict[str, Any]:
        return {"shop_id": job.shop_id, "effect_id": press_submit(self.world, job).effect_id}

    def untouched(self, job: Filled, given: dict[str, Any]) -> bool:
        row = effect_of(job)
        return row is not None and (row.state, row.attempt) == ("ready", 0) and self.submissions(job) == []

    def submissions(self, job: Filled) -> list[str]:
        return [each["number"] for each in self.truth(job.order)["submissions"]]

    def recover(self, job: Filled, given: dict[str, Any]) -> None:
        row = effect_of(job)
        if row is not None:
            if row.state == "ready":  # the ten seconds in which a click can be taken back are over
                with for_shops([job.shop_id]):
                    Effect.objects.filter(id=row.pk, state="ready").update(next_at=None)
            recover(job.shop_id, row.pk)
        self._person_looks(job)

    def _person_looks(self, job: Filled) -> None:
        """Whatever was not settled is in a person's hands: they look at the platform, say what they see, and press
        again if the number is not there."""
        reissue, row = reissue_of(job), effect_of(job)
        if reissue is not None and reissue.state == "unknown":
            assert row is not None, "unknown, and no effect"
            assert (row.state, row.needs_person) == ("unknown", True)
            assert job.number not in self.submissions(job), "reading back should have found what is there"
            reissues.release(shop_id=job.shop_id, reissue_id=reissue.pk, is_there=False, reason="平台上没有", by=LEAD)
            reissue = reissue_of(job)
        if reissue is None or reissue.state in ("draft", "rejected"):
            self.calm()
            jobs.carry_out(job.shop_id, [press_submit(self.world, job).effect_id])

    def check(self, job: Filled) -> None:
        assert self.submissions(job) == [job.number], "not there, or there more than once"
        reissue, row = reissue_of(job), effect_of(job)
        assert reissue is not None, "no reissue"
        assert row is not None, "no effect"
        assert (reissue.state, row.state, row.needs_person) == ("accepted", "accepted", False)


class Click(Submission):
    """The web process: a lead presses "submit" in the reissue form."""

    do = "click"
    least = 4

    def ready(self, job: Filled) -> dict[str, Any]:
        form = job.form
        fields: dict[str, Any] = {"do": "submit", "carrier": form.carrier, "number": form.number}
        fields |= {"pickup": form.pickup_id or "", "override_reason": job.reason}
        fields |= {f"line_{at}": count for at, (_, count) in enumerate(form.items)}
        path = f"/cases/{job.shop_id}/{job.code}/reissue/"
        return {"login": lead_of(job.shop_id), "path": path, "fields": fields}

    def untouched(self, job: Filled, given: dict[str, Any]) -> bool:
        return reissue_of(job) is None and effect_of(job) is None and self.submissions(job) == []


def effect_of(job: Any) -> Effect | None:
    """The newest effect of a case's reissues."""
    with for_shops([job.shop_id]):
        ids = Reissue.objects.filter(case_id=job.case_id).values_list("id", flat=True)
        return Effect.objects.filter(subject__in=[f"reissue:{each}" for each in ids]).order_by("-id").first()


def reissue_of(job: Any) -> Reissue | None:
    """The newest reissue of a case."""
    with for_shops([job.shop_id]):
        return Reissue.objects.filter(case_id=job.case_id).order_by("-id").first()


def evidence(world: World, shop: int, case_id: int, order: str) -> dict[str, Any]:
    """A case's reissues and effects with their attempts, and what the platform has of the order."""
    with for_shops([shop]):
        subjects = [f"reissue:{row.pk}" for row in Reissue.objects.filter(case_id=case_id)]
        rows = Effect.objects.filter(shop_id=shop).order_by("-id")[:6]
        told = [
            {
                "effect": row.pk, "kind": row.kind, "subject": row.subject, "mine": row.subject in subjects,
                "state": row.state, "attempt": row.attempt, "reads": row.reads, "needs_person": row.needs_person,
                "settled_by": row.settled_by, "error": row.error,
                "attempts": [
                    {"n": each.number, "result": each.result, "error": each.error}
                    for each in Attempt.objects.filter(effect_id=row.pk).order_by("id")
                ],
            }
            for row in rows
        ]  # fmt: skip
        mine = [(row.pk, row.state, row.number) for row in Reissue.objects.filter(case_id=case_id).order_by("id")]
    there = world.control(f"orders/{order}")
    return {
        "shop": shop, "case": case_id, "order": order, "reissues": mine, "effects": told,
        "platform": {name: there.get(name) for name in ("submissions", "aftersales")},
        "real_now": str(effects.real_now()),
    }  # fmt: skip
