"""Mails and text messages against the real wire: sent once, or shown as unknown; never twice on a guess."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bufa.apps.cases.models import Case
from bufa.apps.effects import queries as effect_queries
from bufa.apps.effects.actions import real_now
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.notices import actions as notices
from bufa.apps.notices import queries as notice_queries
from bufa.apps.shops import actions as shop_actions
from bufa.domain.notices import Channel
from bufa.jobs import effects as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, NO_DELAY, Ready, connected_shop, reissue_ready
from tests.jobs.conftest import World

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def ready(world: World) -> Ready:
    """A reissue that the platform has, so that the customer is to be told."""
    made = reissue_ready(world, connected_shop(world), ticket=False)
    with clock.frozen(world.now):
        assert jobs.carry_out(made.shop_id) == 1
    return made


def effect(ready: Ready, kind: str) -> Effect:
    with for_shops([ready.shop_id]):
        return Effect.objects.get(kind=kind)


def sms(world: World, ready: Ready) -> list[str]:
    found: list[str] = world.control(f"orders/{ready.order}")["sms"]
    return found


def mails(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.http.get(world.hello["mail"] + ".json").json()
    return found


def send_sms(ready: Ready) -> None:
    ids = {"shop_id": ready.shop_id, "case_id": ready.case_id}
    notices.send(**ids, channel=Channel.SMS, by=LEAD, delay=NO_DELAY)
    assert jobs.carry_out(ready.shop_id) == 1


def case_state(ready: Ready) -> str:
    with for_shops([ready.shop_id]):
        return Case.objects.get(id=ready.case_id).state


def test_the_customer_is_told_the_number_by_sms(world: World, ready: Ready) -> None:
    with clock.frozen(world.now):
        send_sms(ready)
    (text,) = sms(world, ready)
    assert ready.number in text
    assert (effect(ready, "platform_sms").state, case_state(ready)) == ("accepted", "following")


def test_an_sms_whose_answer_was_lost_is_found_by_its_tag(world: World, ready: Ready) -> None:
    world.control("trouble", {"service": "doudian", "method": "sms.send", "kind": "reply_lost", "times": 1})
    with clock.frozen(world.now):
        send_sms(ready)
    unknown = effect(ready, "platform_sms")
    assert (unknown.state, unknown.needs_person, case_state(ready)) == ("unknown", False, "telling")
    with clock.frozen(world.advance(minutes=3)):
        assert jobs.carry_out(ready.shop_id) == 0  # it is never ready again
        assert jobs.settle_unknown(ready.shop_id, [unknown.pk]) == 1
    settled = effect(ready, "platform_sms")
    assert (settled.state, settled.settled_by, settled.attempt) == ("accepted", "read_back", 1)
    assert len(sms(world, ready)) == 1
    assert case_state(ready) == "following"


def ask(ready: Ready) -> None:
    ids = {"shop_id": ready.shop_id, "case_id": ready.case_id}
    contact = negotiations.add_contact(
        shop_id=ready.shop_id, carrier="zhongtong", email="claims@zhongtong.example", by=LEAD
    )
    negotiations.ask_carrier(**ids, contact_id=contact, by=LEAD)
    assert jobs.carry_out(ready.shop_id) == 1


def test_a_mail_reaches_the_carrier_with_its_own_id(world: World, ready: Ready) -> None:
    with clock.frozen(world.now):
        ask(ready)
    (mail,) = mails(world)
    with for_shops([ready.shop_id]):
        code = Case.objects.get(id=ready.case_id).code
    assert mail["to"] == ["claims@zhongtong.example"]
    assert mail["message_id"].startswith(f"<{code.lower()}.")
    assert code in mail["subject"]
    assert effect(ready, "carrier_mail").state == "accepted"


def test_a_mail_cut_off_after_it_left_waits_for_a_person_and_is_not_sent_again(world: World, ready: Ready) -> None:
    world.control("trouble", {"service": "smtp", "method": "DATA", "kind": "reply_lost", "times": 1})
    with clock.frozen(world.now):
        ask(ready)
        unknown = effect(ready, "carrier_mail")
        assert (unknown.state, unknown.needs_person, unknown.next_at) == ("unknown", True, None)
        assert [one.effect_id for one in effect_queries.waiting_for_a_person([ready.shop_id])] == [unknown.pk]
        assert jobs.carry_out(ready.shop_id) == 0
        assert effect_queries.due_reads([ready.shop_id]) == {}
        message_id = int(unknown.subject.partition(":")[2])
        negotiations.release(shop_id=ready.shop_id, message_id=message_id, arrived=True, by=LEAD)
    assert len(mails(world)) == 1
    settled = effect(ready, "carrier_mail")
    assert (settled.state, settled.settled_by, settled.needs_person) == ("accepted", "周", False)


def test_a_mail_server_that_is_busy_surely_did_not_take_it_and_is_tried_again(world: World, ready: Ready) -> None:
    world.control("trouble", {"service": "smtp", "method": "DATA", "kind": "http500", "times": 1})
    with clock.frozen(world.now):
        ask(ready)
        waits = effect(ready, "carrier_mail")
        assert (waits.state, waits.attempt, waits.error["code"]) == ("ready", 1, "451")
        assert waits.next_at is not None
        assert timedelta(0) < waits.next_at - real_now() <= timedelta(seconds=2)
        with for_shops([ready.shop_id]):
            Effect.objects.filter(id=waits.pk).update(next_at=real_now())
        assert jobs.carry_out(ready.shop_id) == 1
    assert len(mails(world)) == 1
    assert effect(ready, "carrier_mail").attempt == 2


def test_without_a_mail_server_nothing_leaves_and_it_is_said(world: World, ready: Ready) -> None:
    with clock.frozen(world.now):
        contact = negotiations.add_contact(
            shop_id=ready.shop_id, carrier="zhongtong", email="a@zhongtong.example", by=LEAD
        )
        negotiations.ask_carrier(shop_id=ready.shop_id, case_id=ready.case_id, contact_id=contact, by=LEAD)
        shop_actions.switch_off(shop_id=ready.shop_id, kind="smtp", by="test")
        assert jobs.carry_out(ready.shop_id) == 1
    rejected = effect(ready, "carrier_mail")
    assert (rejected.state, rejected.error) == ("rejected", {"why": "not_connected"})
    assert mails(world) == []
    assert notice_queries.of_case(ready.shop_id, ready.case_id) == ()
