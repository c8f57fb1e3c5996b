"""What a member is told, as a mail that a real server takes: collected, seldom enough, and with nobody's data in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bufa.apps.audit import queries as audit
from bufa.apps.cases import told_mail, told_whom
from bufa.apps.cases.told_mail import Wish
from bufa.apps.effects import queries as effect_queries
from bufa.apps.effects.models import Effect
from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries as shop_queries
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.jobs.effects import carry_out
from bufa.jobs.sweep import write_told
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample
from tests.jobs.conftest import World

pytestmark = pytest.mark.django_db
WISH = Wish("lead@shop.example", 60, 22, 8, "https://desk.example")


@pytest.fixture
def lead(world: World, sample: Sample) -> int:
    """The sample's lead, in a shop whose mail leaves by the world's server."""
    there = world.hello["smtp"]
    settings = {"host": there["host"], "port": there["port"], "security": "none", "sender": "desk@shop.example"}
    shops.connect(shop_id=sample.shop_id, kind="smtp", settings=settings, secrets={})
    return next(one.operator_id for one in shop_queries.members([sample.shop_id]) if one.role is Role.LEAD)


def mails(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.http.get(world.hello["mail"] + ".json?box=lead@shop.example").json()
    return found


def send(sample: Sample) -> int:
    """What the job does of what is asked for here; the sample has other mails that wait."""
    with for_shops([sample.shop_id]):
        ready = list(Effect.objects.filter(kind="told_mail", state="ready").values_list("id", flat=True))
    return carry_out(sample.shop_id, ready)


def choose(sample: Sample, operator: int, wish: Wish = WISH) -> None:
    told_mail.choose(shop_id=sample.shop_id, operator_id=operator, wish=wish, by="lead", now=day(sample, 10))


def day(sample: Sample, hour: int, days: int = 0) -> datetime:
    """That hour of the sample's day in China."""
    return sample.now.replace(hour=0, minute=0) + timedelta(days=days, hours=hour - 8)


def write(sample: Sample, now: datetime) -> int:
    """What the sweep does, and the job that it asks for."""
    wanted = write_told(now)
    send(sample)
    return wanted


def make_news(sample: Sample, operator: int) -> None:
    """As if everything had been found since: what it says is news again."""
    told_whom.seen(operator_id=operator, shop_ids=[sample.shop_id], now=sample.now - timedelta(days=20))
    with for_shops([sample.shop_id]):
        told_mail.ToldMail.objects.update(told_until=sample.now - timedelta(days=20))


def test_it_says_at_once_that_it_is_on_and_then_tells_the_news_once(world: World, sample: Sample, lead: int) -> None:
    choose(sample, lead)
    send(sample)
    (welcome,) = mails(world)
    assert welcome["to"] == ["lead@shop.example"]
    assert "60 分钟里最多一封" in welcome["text"]
    assert "22 点到 8 点不发" in welcome["text"]
    told_whom.seen(operator_id=lead, shop_ids=[sample.shop_id], now=sample.now)
    assert write(sample, day(sample, 12)) == 0  # they have seen all that there is

    make_news(sample, lead)
    assert write(sample, day(sample, 12)) == 1
    assert write(sample, day(sample, 14)) == 0  # told once
    _, mail = mails(world)
    assert sample.cases["fresh"] in mail["text"]
    assert f"https://desk.example/cases/{sample.shop_id}/{sample.cases['fresh']}/" in mail["text"]
    assert "条新的：" in mail["subject"]
    (act, *_) = audit.newest([sample.shop_id], subject=f"operator:{lead}")
    assert act.action == "told.mail"


def test_no_buyer_no_order_and_no_waybill_stands_in_it(world: World, sample: Sample, lead: int) -> None:
    choose(sample, lead)
    make_news(sample, lead)
    assert write(sample, day(sample, 12)) == 1
    with for_shops([sample.shop_id]):
        numbers = set(Parcel.objects.exclude(number="").values_list("number", flat=True))
        orders = set(Order.objects.values_list("number", flat=True))
        places = set(Parcel.objects.exclude(place="").values_list("place", flat=True))
    told = mails(world)[-1]
    words = told["subject"] + told["text"]
    assert len(numbers) > 3
    assert [one for one in numbers | orders | places if one in words] == []


def test_at_most_one_in_so_long_and_none_at_quiet_hours(world: World, sample: Sample, lead: int) -> None:
    choose(sample, lead)
    make_news(sample, lead)
    send(sample)
    assert write(sample, day(sample, 10) + timedelta(minutes=59)) == 0  # the first said that it is on, at ten
    assert write(sample, day(sample, 23)) == 0
    assert write(sample, day(sample, 7, days=1)) == 0
    assert write(sample, day(sample, 8, days=1)) == 1
    assert len(mails(world)) == 2


def test_what_was_seen_on_the_desk_is_in_no_mail(sample: Sample, lead: int) -> None:
    choose(sample, lead)
    make_news(sample, lead)
    told_whom.seen(operator_id=lead, shop_ids=[sample.shop_id], now=day(sample, 23))
    assert write_told(day(sample, 12)) == 0


def test_who_stopped_or_left_is_not_written_to(sample: Sample, lead: int) -> None:
    choose(sample, lead)
    make_news(sample, lead)
    assert told_mail.stop(shop_id=sample.shop_id, operator_id=lead, by="lead")
    assert not told_mail.stop(shop_id=sample.shop_id, operator_id=lead, by="lead")
    assert write_told(day(sample, 12)) == 0
    choose(sample, lead)
    make_news(sample, lead)
    shops.disable_member(shop_id=sample.shop_id, operator_id=lead, by="owner")
    assert write_told(day(sample, 12)) == 0


def test_a_refused_mail_told_nobody_so_its_news_go_into_the_next(world: World, sample: Sample, lead: int) -> None:
    choose(sample, lead, Wish("no address@shop.example", 60, 22, 8))
    send(sample)
    make_news(sample, lead)
    assert write(sample, day(sample, 12)) == 1
    there = told_mail.chosen(sample.shop_id, lead)
    assert there is not None
    assert (there.state, mails(world)) == ("rejected", [])
    with for_shops([sample.shop_id]):
        told_mail.ToldMail.objects.update(address="lead@shop.example")
    assert write(sample, day(sample, 14)) == 1
    assert len(mails(world)) == 1


def test_a_mail_whose_answer_was_lost_asks_nobody_and_is_not_sent_again(
    world: World, sample: Sample, lead: int
) -> None:
    world.control("trouble", {"service": "smtp", "method": "DATA", "kind": "reply_lost", "times": 1})
    choose(sample, lead)
    assert send(sample) == 1
    with for_shops([sample.shop_id]):
        row = Effect.objects.get(kind="told_mail")
    assert (row.state, row.needs_person, row.next_at) == ("unknown", False, None)
    assert effect_queries.waiting_for_a_person([sample.shop_id]) == [
        one for one in effect_queries.waiting_for_a_person([sample.shop_id]) if one.kind != "told_mail"
    ]
    assert send(sample) == 0
    assert len(mails(world)) == 1


def test_without_a_mail_of_the_shops_own_it_cannot_be_chosen(sample: Sample, lead: int) -> None:
    shops.switch_off(shop_id=sample.shop_id, kind="smtp", by="owner")
    with pytest.raises(Refused, match="not_connected"):
        choose(sample, lead)
    assert told_mail.chosen(sample.shop_id, lead) is None
