"""Refunds and recalls to their end against the platform: chosen, asked of it once, read back, learned by the case."""

from __future__ import annotations

from typing import Any

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases import pasting, remedies
from bufa.apps.cases.models import LedgerLine, Remedy
from bufa.apps.effects.models import Effect
from bufa.apps.parcels.models import Parcel
from bufa.domain.cases import Claim
from bufa.domain.kinds import Measure, Stage
from bufa.domain.outcome import Refused
from bufa.domain.verdict import Source
from bufa.jobs import effects as jobs
from bufa.jobs import sync
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, NO_DELAY, connected_shop
from tests.factories.remedies import Asked, case_of, choose, refunds_asked, ticket_status
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]

OPERATE, RECALL = "afterSale.operate", "afterSale.applyLogisticsIntercept"
PAID_BACK = 12


@pytest.fixture
def shop(world: World) -> int:
    return connected_shop(world)


def calls(world: World, method: str, *, done: bool = False) -> int:
    rows = world.http.get(world.hello["ledger"], params={"method": method}).json()
    return sum(1 for row in rows if not done or row["outcome"] == 10000)


def remedy(asked: Asked) -> Remedy:
    with for_shops([asked.shop_id]):
        return Remedy.objects.filter(shop_id=asked.shop_id, case_id=asked.case_id).latest("id")


def effect(asked: Asked) -> Effect:
    with for_shops([asked.shop_id]):
        return Effect.objects.get(shop_id=asked.shop_id, id=remedy(asked).effect_id)


def ledger(asked: Asked) -> list[tuple[str, int]]:
    with for_shops([asked.shop_id]):
        rows = LedgerLine.objects.filter(shop_id=asked.shop_id, case_id=asked.case_id)
        return [(row.kind, row.amount_fen) for row in rows]


def at_platform(world: World, asked: Asked) -> int:
    (sale,) = world.control(f"orders/{asked.order}")["aftersales"]
    return int(sale["status"])


def test_a_refund_is_agreed_at_the_platform_and_the_case_tells_the_customer(world: World, shop: int) -> None:
    (asked,) = refunds_asked(world, shop, 1)
    paid = world.control(f"orders/{asked.order}")["paid_fen"]
    choose(asked, Measure.REFUND, world.now)
    assert (remedy(asked).state, remedy(asked).ticket) == ("under_way", asked.ticket)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    assert at_platform(world, asked) == PAID_BACK
    assert (remedy(asked).state, ledger(asked)) == ("done", [("refund", paid)])
    assert case_of(asked).state == "telling"
    with clock.frozen(world.advance(minutes=10)):
        sync.sync(shop)
    assert ticket_status(asked) == PAID_BACK
    assert ledger(asked) == [("refund", paid)]  # the platform's own word of it books nothing twice


@pytest.mark.parametrize(("kind", "arrived"), [("reply_lost", True), ("20000", False)])
def test_a_refunds_lost_answer_is_read_back(world: World, shop: int, kind: str, arrived: bool) -> None:
    (asked,) = refunds_asked(world, shop, 1)
    before = calls(world, OPERATE)
    world.control("trouble", {"service": "doudian", "method": OPERATE, "kind": kind})
    choose(asked, Measure.REFUND, world.now)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        assert (remedy(asked).state, effect(asked).state) == ("unknown", "unknown")
        for _ in range(3):
            jobs.settle_unknown(shop, [effect(asked).pk])
        assert calls(world, OPERATE) - before == 1
        if arrived:
            assert (remedy(asked).state, effect(asked).settled_by) == ("done", "read_back")
            return
        assert effect(asked).needs_person is True
        remedies.release(shop_id=shop, remedy_id=remedy(asked).pk, is_done=False, by=LEAD)
        assert remedy(asked).state == "failed"
        remedies.by_platform(**asked.here, by=LEAD, delay=NO_DELAY)
        jobs.carry_out(shop)
    assert (remedy(asked).state, at_platform(world, asked)) == ("done", PAID_BACK)
    assert calls(world, OPERATE) - before == 2


def test_what_the_platform_refused_can_be_asked_for_again(world: World, shop: int) -> None:
    """Its ticket has not changed since: the second asking is a call of its own, and pressed twice it is one."""
    (asked,) = refunds_asked(world, shop, 1)
    before = calls(world, OPERATE)
    world.control("trouble", {"service": "doudian", "method": OPERATE, "kind": "refused"})
    choose(asked, Measure.REFUND, world.now)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        assert (remedy(asked).state, case_of(asked).state) == ("failed", "telling")
        assert "校验不通过" in remedy(asked).why
        remedies.by_platform(**asked.here, by=LEAD, delay=NO_DELAY)
        with pytest.raises(Refused, match="no_remedy_waits"):
            remedies.by_platform(**asked.here, by=LEAD, delay=NO_DELAY)
        jobs.carry_out(shop)
    assert (remedy(asked).state, at_platform(world, asked)) == ("done", PAID_BACK)
    assert calls(world, OPERATE) - before == 2


def test_what_was_taken_back_can_be_asked_for_later(world: World, shop: int) -> None:
    (asked,) = refunds_asked(world, shop, 1)
    choose(asked, Measure.REFUND, world.now)
    with clock.frozen(world.now):
        remedies.take_back(shop_id=shop, remedy_id=remedy(asked).pk, by=LEAD)
        jobs.carry_out(shop)
        assert (remedy(asked).state, at_platform(world, asked)) == ("todo", 6)
        remedies.by_platform(**asked.here, by=LEAD, delay=NO_DELAY)
        jobs.carry_out(shop)
    assert (remedy(asked).state, at_platform(world, asked)) == ("done", PAID_BACK)


def recall(world: World, shop: int) -> tuple[Asked, Any]:
    """A parcel on its way whose buyer wants it stopped, by their own word."""
    (asked,) = refunds_asked(world, shop, 1, fate="lost")
    (parcel,) = [row for row in world.control(f"orders/{asked.order}")["parcels"] if row["role"] == "original"]
    assert parcel["scans"], "it has to be under way"
    with clock.frozen(world.now):
        cases.add_statement(
            **asked.here,
            source=Source.CUSTOMER,
            claim=Claim.NOT_PICKED_UP,
            words="不要了，请拦截",
            said_at=world.now,
            by=LEAD,
            wish=Measure.INTERCEPT,
        )
    return asked, parcel


def test_a_recall_is_taken_on_and_believed_when_the_track_says_so(world: World, shop: int) -> None:
    asked, parcel = recall(world, shop)
    choose(asked, Measure.INTERCEPT, world.now)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
    assert (remedy(asked).state, ledger(asked)) == ("done", [("intercept_fee", 500)])
    world.advance(hours=48)
    (stopped,) = [row for row in world.control(f"orders/{asked.order}")["parcels"] if row["role"] == "original"]
    assert stopped["outcome"] == "returned"
    text = "\n".join(f"{row['at'][:16].replace('T', ' ')} {row['text']}" for row in stopped["scans"])
    assert parcel["number"] == stopped["number"]
    with clock.frozen(world.now):
        case = case_of(asked)
        pasting.paste_trace(shop_id=shop, parcel_id=case.parcel_id, text=text, by=LEAD)
        with for_shops([shop]):
            stage = Parcel.objects.get(id=case.parcel_id).stage
    assert stage in (Stage.RETURNING, Stage.RETURNED), text


def test_a_recall_without_an_answer_waits_for_a_person(world: World, shop: int) -> None:
    asked, _ = recall(world, shop)
    world.control("trouble", {"service": "doudian", "method": RECALL, "kind": "reply_lost"})
    before = calls(world, RECALL)
    choose(asked, Measure.INTERCEPT, world.now)
    with clock.frozen(world.now):
        jobs.carry_out(shop)
        assert (effect(asked).state, effect(asked).needs_person, remedy(asked).state) == ("unknown", True, "unknown")
        jobs.carry_out(shop)
        remedies.release(shop_id=shop, remedy_id=remedy(asked).pk, is_done=True, by=LEAD)
    assert (remedy(asked).state, calls(world, RECALL) - before) == ("done", 1)
