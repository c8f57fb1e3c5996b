"""SIGKILL at every write of one reissue's way to the platform: never twice, never lost, always settled or shown.

The click (web) and the carrying out (worker) each die at their first write, at their second, and so on until one comes
to its end; each time somebody else takes over, and a person answers what reading back can't. The short run counts
commits and requests; `make crash` kills at every statement by our own points and, where ptrace is allowed, at every
write to a socket by strace.
"""

from __future__ import annotations

from typing import Any

import pytest

from bufa.apps.effects.models import Effect
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import actions as shops
from bufa.domain.kinds import Role
from bufa.jobs import effects as jobs
from bufa.jobs.status import status
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests import proofs
from tests.crash.dying import LONG, Victims, kind_of, recover, strace_works
from tests.factories.journey import LEAD, Filled, Ready, connected_shop, forms_filled, press_submit
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("impatient")]

METHODS = {
    "ticket": "afterSale.fillLogistics",
    "extra_package": "order.uploadextrapackage",
    "add_pack": "order.logisticsAddMultiPack",
}
PLATFORM = {"answers": "", "drops_the_answer": "reply_lost", "rejects": "refused", "hangs": "hang"}
COUNTERS = ("points", "strace") if LONG else ("points",)
ROUTES = tuple(METHODS) if LONG else ("ticket",)
AT_ONCE = 48 if LONG else 16
"""So many cases are got ready together: letting time pass and asking the platform is what costs."""


class Scene:
    """One shop whose cases go one after the other; `check` is the platform's own account."""

    def __init__(self, world: World, route: str, platform: str) -> None:
        self.world = world
        self.route = route
        self.platform = platform
        self.shop = connected_shop(world)
        self.login = f"lead{self.shop}"
        person = shops.add_operator(self.login, "right-horse-battery", display_name="周")
        shops.add_member(shop_id=self.shop, operator_id=person, role=Role.LEAD, by="test")
        self._stock: list[Filled] = []
        self.killed = 0

    def next_case(self) -> Filled:
        if not self._stock:
            self._stock = forms_filled(self.world, self.shop, AT_ONCE, **kind_of(self.route))
        return self._stock.pop()

    def platform_behaves(self) -> None:
        if kind := PLATFORM[self.platform]:
            self.world.control("trouble", {"service": "doudian", "method": METHODS[self.route], "kind": kind})

    def click_fields(self, case: Filled) -> dict[str, Any]:
        form = case.form
        fields: dict[str, Any] = {"do": "submit", "carrier": form.carrier, "number": form.number}
        fields |= {"pickup": form.pickup_id or "", "override_reason": case.reason}
        return fields | {f"line_{at}": count for at, (_, count) in enumerate(form.items)}

    def submissions(self, case: Filled | Ready) -> list[str]:
        return [each["number"] for each in self.world.control(f"orders/{case.order}")["submissions"]]

    def effect_of(self, case: Filled) -> Effect | None:
        with for_shops([self.shop]):
            return Effect.objects.filter(subject__in=self._subjects(case)).order_by("-id").first()

    def _subjects(self, case: Filled) -> list[str]:
        ids = Reissue.objects.filter(case_id=case.case_id).values_list("id", flat=True)
        return [f"reissue:{each}" for each in ids]

    def reissue_of(self, case: Filled) -> Reissue | None:
        with for_shops([self.shop]):
            return Reissue.objects.filter(case_id=case.case_id).order_by("-id").first()

    def leave_now(self, case: Filled) -> Effect | None:
        """The ten seconds in which a click can be taken back are over."""
        with for_shops([self.shop]):
            Effect.objects.filter(subject__in=self._subjects(case), state="ready").update(next_at=None)
        return self.effect_of(case)

    # --- after the crash --------------------------------------------------------------------------------------------
    def recover(self, case: Filled) -> None:
        effect = self.effect_of(case)
        if effect is not None:
            recover(self.shop, effect.pk)

    def person_looks(self, case: Filled) -> None:
        """Whatever was not settled is in a person's hands: they look at the platform, say what they see, and press
        again if the number is not there."""
        reissue, effect = self.reissue_of(case), self.effect_of(case)
        if reissue is not None and reissue.state == "unknown":
            assert effect is not None
            assert (effect.state, effect.needs_person) == ("unknown", True)
            there = case.number in self.submissions(case)
            assert not there, "reading back should have found what is there"
            reissues.release(shop_id=self.shop, reissue_id=reissue.pk, is_there=there, reason="平台上没有", by=LEAD)
            reissue = self.reissue_of(case)
        if reissue is None or reissue.state in ("draft", "rejected"):
            self.world.http.delete(self.world.hello["control"] + "/trouble")
            again = press_submit(self.world, case)
            jobs.carry_out(self.shop, [again.effect_id])

    def check(self, case: Filled, what: str) -> None:
        assert self.submissions(case) == [case.number], what
        reissue, effect = self.reissue_of(case), self.effect_of(case)
        assert reissue is not None, what
        assert effect is not None, what
        assert (reissue.state, effect.state, effect.needs_person) == ("accepted", "accepted", False), what


def every_n(scene: Scene, victims: Victims, act: str, counter: str) -> int:
    """Kill at write 1, 2, 3 … until the act comes to its end; how many kills that took."""
    world = scene.world
    for n in range(1, 1000):
        case = scene.next_case()
        world.http.delete(world.hello["control"] + "/trouble")
        given: dict[str, Any]
        if act == "click":
            path = f"/cases/{scene.shop}/{case.code}/reissue/"
            given = {"login": scene.login, "path": path, "fields": scene.click_fields(case)}
        else:
            ready = press_submit(world, case)
            given = {"shop_id": scene.shop, "effect_id": ready.effect_id}
            scene.platform_behaves()
        died = victims.killed_at(n, act, by_strace=counter == "strace", statements=LONG, **given)
        if act == "click":
            scene.platform_behaves()
        with clock.frozen(world.now):
            scene.leave_now(case)
            scene.recover(case)
            scene.person_looks(case)
            scene.check(case, f"{act} × {scene.platform} × {scene.route}, write {n}: {victims.said}")
        if not died:
            return n - 1
    raise AssertionError(f"{act} never came to its end")


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("platform", PLATFORM)
def test_a_worker_killed_anywhere(world: World, victims: Victims, platform: str, route: str, counter: str) -> None:
    needs(counter)
    scene = Scene(world, route, platform)
    killed = every_n(scene, victims, "carry_out", counter)
    assert killed >= 8
    proofs.count(flows=1, kills=killed, **{f"killed_by_{counter}": killed}, done_twice=0, lost=0)
    assert status([scene.shop])["violations"] == []


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("platform", PLATFORM if LONG else ("drops_the_answer",))
def test_a_click_killed_anywhere(world: World, victims: Victims, platform: str, counter: str) -> None:
    needs(counter)
    scene = Scene(world, "ticket", platform)
    killed = every_n(scene, victims, "click", counter)
    assert killed >= 4
    proofs.count(flows=1, kills=killed, **{f"killed_by_{counter}": killed}, done_twice=0, lost=0)
    assert status([scene.shop])["violations"] == []


def needs(counter: str) -> None:
    if counter == "strace" and not strace_works():
        pytest.skip("strace is missing, or ptrace is not allowed here; our own kill points were used alone")
