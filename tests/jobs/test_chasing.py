"""A carrier that stays silent is chased over real SMTP, level by level, until somebody answers by IMAP; the consent
unlocks the reissue, the claim is paid short, and the difference is seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, TimelineEntry
from bufa.apps.claims import actions as claims
from bufa.apps.claims import queries as claim_queries
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import answers, contacts, ladder, robots, talks
from bufa.apps.negotiations.contacts import NewContact
from bufa.apps.negotiations.models import CarrierContact, CarrierMessage
from bufa.apps.shops import actions as shop_actions
from bufa.domain.chasing import Level
from bufa.domain.claims import ClaimAct
from bufa.domain.kinds import Role
from bufa.jobs import claims as claim_jobs
from bufa.jobs import mailbox
from bufa.jobs.effects import carry_out
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, connected_shop
from tests.jobs.test_mailbox import asked, mailbox_settings

OWNER = Actor(1, "老板", Role.OWNER)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def send_all(shop: int) -> None:
    while carry_out(shop):
        pass


def test_chased_until_somebody_answers(world: Any) -> None:
    shop = connected_shop(world)
    shop_actions.connect(shop_id=shop, kind="smtp", settings=mailbox_settings(world))
    case_id, number = asked(world, shop, "slow")
    up = NewContact("zhongtong", Level.PLATFORM, name="平台", email="platform@zhongtong.sim.example")
    contacts.save_contact(shop_id=shop, new=up, by=LEAD)
    ladder.again(shop_id=shop, now=world.now)

    rungs = []
    while (talk := talks.of_case(shop, case_id)) is not None and talk.next_at is not None and len(rungs) < 6:
        now = world.advance(seconds=(talk.next_at - world.now).total_seconds() + 1)
        with clock.frozen(now):
            assert ladder.climb(shop_id=shop) == 1
            assert ladder.climb(shop_id=shop) == 0
            send_all(shop)
        rungs.append((talk.next_rung, talk.next_contact.level if talk.next_contact else ""))
        if rungs[-1][0] == "platform":
            break
    assert rungs == [("remind", "head_office"), ("platform", "platform")]
    with for_shops([shop]):
        assert set(CarrierMessage.objects.filter(case_id=case_id).values_list("state", flat=True)) == {"sent"}
    inbox = [mail for mail in world.http.get(world.hello["mail"] + ".json").json() if "zhongtong" in mail["box"]]
    assert [mail["box"] for mail in inbox] == [
        "kefu@zhongtong.sim.example", "kefu@zhongtong.sim.example", "platform@zhongtong.sim.example",
    ]  # fmt: skip

    with clock.frozen(world.advance(hours=30)):
        assert mailbox.poll(shop) == 1
        [answer] = answers.waiting([shop], case_id=case_id)
        assert (answer.number, answer.said.consent, answer.is_trusted) == (number, True, True)
        said = answers.accept(shop_id=shop, answer_id=answer.answer_id, by=LEAD)
        found = talks.of_case(shop, case_id)
        assert found is not None
        assert (found.state, found.next_rung, found.asked) == ("consented", "", 3)
        with for_shops([shop]):
            case = Case.objects.get(id=case_id)
            assert case.state == "numbering"
            kinds = TimelineEntry.objects.filter(case_id=case_id, kind__startswith="carrier_mail").order_by("id")
            assert list(kinds.values_list("kind", flat=True)) == [*["carrier_mail_sent"] * 3, "carrier_mail_received"]
        claim_jobs.watch([shop], world.now)
        [claim] = claim_queries.of_case(shop, case_id)
        promised = said.amount_fen or claim.ask_fen
        for act, amount in ((ClaimAct.ASK, promised), (ClaimAct.ANSWER, promised), (ClaimAct.PAY, promised - 1_000)):
            claims.act(shop_id=shop, claim_id=claim.claim_id, act=act, by=LEAD, amount_fen=amount, now=world.now)
        [claim] = claim_queries.of_case(shop, case_id)
        assert (claim.state, claim.short_fen) == ("short_paid", 1_000)


def test_a_bounce_and_a_group(world: Any, settings: Any) -> None:
    """An address that nobody has comes back over IMAP and is passed by; the next one is a robot in a DingTalk group."""
    shop = connected_shop(world)
    settings.BUFA_ROBOT_SIMULATOR = world.hello["robots"]["base_url"]
    shop_actions.connect(shop_id=shop, kind="smtp", settings=mailbox_settings(world))
    case_id, number = asked(world, shop, "silent")
    told = world.hello["robots"]["dingtalk"]
    robot_id = robots.save_robot(
        shop_id=shop, name="中通总部群", address=told["address"], secret=told["secret"], by=OWNER
    )
    with for_shops([shop]):
        CarrierContact.objects.filter(shop_id=shop).update(is_active=False)
    now = world.advance(hours=30)
    with clock.frozen(now):
        wrong = NewContact("zhongtong", Level.BRANCH, name="站长", email="nobody@zhongtong.sim.example")
        group = NewContact("zhongtong", Level.HEAD_OFFICE, name="总部群", robot_id=robot_id)
        ids = [contacts.save_contact(shop_id=shop, new=new, by=LEAD) for new in (wrong, group)]
        negotiations.ask_carrier(shop_id=shop, case_id=case_id, contact_id=ids[0], by=LEAD)
        send_all(shop)
        assert mailbox.poll(shop) == 1
        assert mailbox.poll(shop) == 0
        found = talks.of_case(shop, case_id)
        assert found is not None
        assert (found.next_rung, found.next_contact.robot_name if found.next_contact else "") == (
            "head_office",
            "中通总部群",
        )
        with for_shops([shop]):
            assert CarrierMessage.objects.get(contact_id=ids[0]).state == "bounced"
    with clock.frozen(max(now, found.next_at or now) + timedelta(minutes=1)):
        assert ladder.climb(shop_id=shop) == 1
        send_all(shop)
    [said] = world.control("groups")["dingtalk"]
    assert number in said
    assert said.startswith("【升级】")
    with for_shops([shop]):
        message = CarrierMessage.objects.get(contact_id=ids[1])
        assert (message.state, message.channel, message.rung) == ("sent", "robot", "head_office")
