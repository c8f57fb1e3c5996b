"""The mail client against the simulator's mailboxes."""

from __future__ import annotations

from typing import Any

import pytest

from bufa.integrations import registry
from bufa.integrations.ports import MailOut, ProviderError
from tests.contract.conftest import World


@pytest.fixture
def post(world: World) -> Any:
    return registry.load("mail", "smtp", dict(world.hello["smtp"]) | {"security": "none"})


def mail(world: World, name: str) -> MailOut:
    return MailOut(
        message_id=f"<{name}@shop.example>",
        sender="晴天小铺 <desk@shop.example>",
        to=(world.hello["carriers"]["zhongtong"]["email"],),
        subject=f"补发申请 {name}",
        text="您好：订单已丢失，申请补发。\n",
    )


def received(world: World, name: str) -> list[tuple[str, str, str]]:
    found = [row for row in world.mails() if row["message_id"] == f"<{name}@shop.example>"]
    return [(row["box"], row["subject"], row["text"].strip()) for row in found]


def test_a_mail_reaches_the_carrier(world: World, post: Any):
    told = mail(world, "whole")
    sent = post.send(told)
    assert (sent.request_id, sent.message_id) == ("250", "<whole@shop.example>")
    assert received(world, "whole") == [(told.to[0], "补发申请 whole", "您好：订单已丢失，申请补发。")]


def test_a_mail_refused_for_now_was_not_sent(world: World, post: Any):
    world.trouble("cut", service="smtp")
    with pytest.raises(ProviderError) as caught:
        post.send(mail(world, "refused"))
    assert (caught.value.why, caught.value.retryable, caught.value.unknown) == ("busy", True, False)
    assert received(world, "refused") == []


def test_a_mail_whose_answer_was_lost_is_unknown_and_found_by_its_id(world: World, post: Any):
    world.trouble("reply_lost", service="smtp")
    with pytest.raises(ProviderError) as caught:
        post.send(mail(world, "lost"))
    assert (caught.value.why, caught.value.retryable, caught.value.unknown) == ("cut", False, True)
    assert len(received(world, "lost")) == 1
