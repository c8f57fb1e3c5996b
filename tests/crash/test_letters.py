"""SIGKILL around every message to a carrier: what the other side holds is there once, whoever takes over.

Three acts die at their first write, their second, and so on until they come to an end: the click that asks about many
parcels at once, the rung of the ladder, and the sending itself, by mail and by a robot. The short run counts commits,
lines to the post office and requests; `make letters` counts every statement, too, and lets the other side fail as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import contacts, ladder, robots
from bufa.apps.negotiations.contacts import NewContact
from bufa.apps.negotiations.models import CarrierCase, CarrierMessage
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shops
from bufa.domain.cases import Action, Claim
from bufa.domain.chasing import Level
from bufa.domain.kinds import Measure, Role
from bufa.jobs import effects as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests import proofs
from tests.crash.dying import LONG, Victims, recover
from tests.factories import make_line, make_order, make_package, make_report, make_shop
from tests.factories.journey import LEAD
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.usefixtures("impatient")]

WAYS = ("mail", "robot") if LONG else ("mail",)
TROUBLE = ("", "reply_lost", "cut") if LONG else ("",)
BATCH = 30 if LONG else 12
STRIDE = 1 if LONG else 2
"""The short run takes every second point."""

SENDER = "desk@letters.example"
_NUMBERS = count(1)  # the world outlives a test, and knows each waybill for ever
OWNER = Actor(1, "老板", Role.OWNER)


class Scene:
    """A shop whose parcels go one after the other; the post office and the groups say what they hold."""

    def __init__(self, world: World, way: str, settings: Any) -> None:
        self.world, self.way, self.killed = world, way, 0
        self.shop = make_shop("信件铺", login=f"owner-{way}-{world.now:%s}")
        self.login = f"lead{self.shop}"
        person = shops.add_operator(self.login, "right-horse-battery", display_name="周")
        shops.add_member(shop_id=self.shop, operator_id=person, role=Role.LEAD, by="test")
        smtp = world.hello["smtp"]
        told = {"host": smtp["host"], "port": smtp["port"], "security": "none", "sender": SENDER}
        shops.connect(shop_id=self.shop, kind="smtp", settings=told)
        robot_id = None
        if way == "robot":
            settings.BUFA_ROBOT_SIMULATOR = world.hello["robots"]["base_url"]
            given = world.hello["robots"]["feishu"]
            robot_id = robots.save_robot(
                shop_id=self.shop, name="群", address=given["address"], secret=given["secret"], by=OWNER
            )
        new = NewContact(
            "yuantong", Level.HEAD_OFFICE, name="总部", robot_id=robot_id,
            email="" if robot_id else "kefu@yuantong.sim.example",
        )  # fmt: skip
        self.contact = contacts.save_contact(shop_id=self.shop, new=new, by=LEAD)
        self._stock: list[tuple[int, str, str]] = []

    def next_case(self) -> tuple[int, str, str]:
        """(case, its code, waybill) of a parcel that stalled, with the measure chosen."""
        if not self._stock:
            self._stock = self._more()
        return self._stock.pop()

    def _more(self) -> list[tuple[int, str, str]]:
        now = self.world.now
        left, orders, reports, numbers = now - timedelta(hours=150), [], [], []
        for _ in range(BATCH):
            made = next(_NUMBERS)
            number = f"YT{self.shop % 1000:03d}{made:010d}"
            line = make_line(f"l{self.shop}-{made}")
            box = make_package(
                number, carrier="yuantong", lines=[(line.line_id, 1)], shipped_at=left, package_id=number
            )
            orders.append(
                make_order(
                    f"{6_910_000_000_000_000 + self.shop * 10_000 + made}", status=3, lines=[line], packages=[box]
                )
            )
            reports.append(
                make_report(number, (left, "【杭州市】 快件已由【杭州余杭】揽收", "103"), carrier="yuantong")
            )
            numbers.append(number)
        take_in(shop_id=self.shop, orders=orders, now=left)
        take_in(shop_id=self.shop, reports=reports, now=now)
        found = []
        with for_shops([self.shop]):
            parcels = dict(Parcel.objects.filter(shop_id=self.shop, number__in=numbers).values_list("number", "id"))
        for number, parcel_id in parcels.items():
            case_id = cases.open_case(shop_id=self.shop, parcel_id=parcel_id, now=now, by=LEAD)
            about: dict[str, Any] = {"shop_id": self.shop, "case_id": case_id, "by": LEAD, "now": now}
            cases.act(**about, action=Action.CONFIRM_VERDICT, claim=Claim.STALLED)
            cases.act(**about, action=Action.CHOOSE_MEASURE, measure=Measure.CHASE)
            with for_shops([self.shop]):
                found.append((case_id, Case.objects.get(id=case_id).code, number))
        return found

    def held(self, number: str) -> list[str]:
        """What the other side got about a parcel."""
        if self.way == "robot":
            return [text for text in self.world.control("groups")["feishu"] if number in text]
        mails = self.world.http.get(self.world.hello["mail"] + ".json").json()
        return [
            mail["subject"] for mail in mails if number in mail["text"] + mail["subject"] and "yuantong" in mail["box"]
        ]

    def messages(self, case_id: int) -> list[CarrierMessage]:
        with for_shops([self.shop]):
            return list(CarrierMessage.objects.filter(case_id=case_id).order_by("id"))

    def calm(self) -> None:
        self.world.http.delete(self.world.hello["control"] + "/trouble")

    def trouble(self, kind: str) -> None:
        if kind:
            service = "feishu" if self.way == "robot" else "smtp"
            self.world.control("trouble", {"service": service, "method": "", "kind": kind})

    def settle(self, case_id: int) -> None:
        """The sweep takes over; a person looks at the other side and says what is there of what nobody knows."""
        for message in self.messages(case_id):
            if message.effect_id is None:
                continue
            with for_shops([self.shop]):
                Effect.objects.filter(id=message.effect_id, state="ready").update(next_at=None)
            recover(self.shop, message.effect_id)
        for message in self.messages(case_id):
            if message.state == "unknown":
                with for_shops([self.shop]):
                    effect = Effect.objects.get(id=message.effect_id or 0)
                    number = Case.objects.get(id=case_id).parcel.number
                assert (effect.state, effect.needs_person) == ("unknown", True)
                there = len(self.held(number)) >= len(self.messages(case_id))
                negotiations.release(shop_id=self.shop, message_id=message.pk, arrived=there, by=LEAD)

    def asked(self) -> tuple[int, str, str]:
        case_id, code, number = self.next_case()
        with clock.frozen(self.world.now):
            negotiations.ask_carrier(shop_id=self.shop, case_id=case_id, contact_id=self.contact, by=LEAD)
        return case_id, code, number

    def check(self, case_id: int, number: str, what: str) -> None:
        """Each message that counts as sent is there once; one that failed is not there."""
        messages = self.messages(case_id)
        sent = [one for one in messages if one.state == "sent"]
        assert {one.state for one in messages} <= {"sent", "failed"}, what
        assert len(self.held(number)) == len(sent), what


@pytest.fixture(params=WAYS)
def scene(request: pytest.FixtureRequest, world: World, settings: Any) -> Scene:
    with clock.frozen(world.now):
        return Scene(world, request.param, settings)


def until_it_ends(scene: Scene, victims: Victims, act: str, given: dict[str, Any], n: int) -> bool:
    died = victims.killed_at(n, act, by_strace=False, statements=LONG, **given)
    scene.killed += died
    return died


def test_the_sending_dies(scene: Scene, victims: Victims) -> None:
    for kind in TROUBLE:
        for n in range(1, 1_000, STRIDE):
            case_id, _, number = scene.asked()
            [message] = scene.messages(case_id)
            scene.calm()
            scene.trouble(kind)
            died = until_it_ends(
                scene, victims, "carry_out", {"shop_id": scene.shop, "effect_id": message.effect_id}, n
            )
            with clock.frozen(scene.world.now):
                scene.settle(case_id)
            scene.calm()
            scene.check(case_id, number, f"{scene.way}, {kind or 'answers'}, point {n}")
            if not died:
                break
    assert scene.killed >= 3
    proofs.count(letters_killed=scene.killed)


def test_the_rung_dies(scene: Scene, victims: Victims) -> None:
    for n in range(1, 1_000, STRIDE):
        case_id, _, number = scene.asked()
        with clock.frozen(scene.world.now):
            scene.settle(case_id)
        with for_shops([scene.shop]):
            CarrierCase.objects.exclude(case_id=case_id).update(next_at=None, next_rung="")
            at: datetime | None = CarrierCase.objects.get(case_id=case_id).next_at
        assert at is not None
        died = until_it_ends(scene, victims, "climb", {"shop_id": scene.shop, "now": at.isoformat()}, n)
        with clock.frozen(at):
            ladder.climb(shop_id=scene.shop, now=at)
            ladder.climb(shop_id=scene.shop, now=at)
            scene.settle(case_id)
        assert [one.rung for one in scene.messages(case_id)] == ["", "remind"], f"{scene.way}, point {n}"
        assert len(scene.held(number)) == 2, f"{scene.way}, point {n}"
        scene.check(case_id, number, f"{scene.way}, point {n}")
        if not died:
            break
    assert scene.killed >= 1
    proofs.count(rungs_killed=scene.killed)


def test_the_click_dies(scene: Scene, victims: Victims) -> None:
    for n in range(1, 1_000, STRIDE):
        some = [scene.next_case() for _ in range(3)]
        fields = {"contact": str(scene.contact), "hours": "24", "language": "zh-hans", "extra": "", "key": f"press{n}"}
        given = {
            "login": scene.login, "path": "/carriers/yuantong/ask/",
            "fields": fields | {"case": [code for _, code, _ in some], "all": "1"},
        }  # fmt: skip
        died = until_it_ends(scene, victims, "click", given, n)
        until_it_ends(scene, victims, "click", given, 0)  # the person presses again
        with clock.frozen(scene.world.now):
            for case_id, _, _ in some:
                scene.settle(case_id)
        for case_id, _, number in some:
            assert len(scene.messages(case_id)) == 1, f"{scene.way}, point {n}"
            scene.check(case_id, number, f"{scene.way}, point {n}")
        if not died:
            break
    assert scene.killed >= 1
    proofs.count(clicks_killed=scene.killed)
    assert jobs.carry_out(scene.shop) == 0
