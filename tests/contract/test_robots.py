"""Clients of group robots against the simulator's strict doors."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bufa.integrations import registry
from bufa.integrations.ports import ProviderError
from tests.contract.conftest import World

KINDS = ("wecom", "dingtalk", "feishu")


def settings(world: World, kind: str) -> dict[str, str]:
    told = world.hello["robots"][kind]
    parts = urlsplit(told["address"])
    query = parse_qs(parts.query)
    token = query.get("key", query.get("access_token", [parts.path.rpartition("/")[2]]))[0]
    base = f"{world.hello['robots']['base_url']}/{kind}"
    return {"token": token, "base_url": base} | ({} if kind == "wecom" else {"secret": told["secret"]})


def robot(world: World, kind: str, **other: str) -> Any:
    return registry.load("robot", kind, settings(world, kind) | other)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_is_heard_in_the_group(world: World, kind: str):
    robot(world, kind).say(f"【{kind}】YT1 请核实")
    assert world.get("/groups")[kind][-1] == f"【{kind}】YT1 请核实"


@pytest.mark.parametrize(
    ("kind", "wrong", "why"),
    [
        ("wecom", {"token": "wrong-token-of-a-robot"}, "token"),
        ("dingtalk", {"token": "wrong-token-of-a-robot"}, "token"),
        ("feishu", {"token": "wrong-token-of-a-robot"}, "token"),
        ("dingtalk", {"secret": "SECwrong"}, "denied"),
        ("dingtalk", {"secret": ""}, "denied"),
        ("feishu", {"secret": "wrong"}, "denied"),
        ("feishu", {"secret": ""}, "denied"),
    ],
)
def test_a_wrong_address_or_key_is_a_plain_no(world: World, kind: str, wrong: dict[str, str], why: str):
    before = world.get("/groups")[kind]
    with pytest.raises(ProviderError) as told:
        robot(world, kind, **wrong).say("x")
    assert (told.value.why, told.value.unknown, told.value.retryable) == (why, False, False)
    assert world.get("/groups")[kind] == before


def test_an_empty_text_is_refused(world: World):
    for kind in KINDS:
        with pytest.raises(ProviderError) as told:
            robot(world, kind).say("")
        assert told.value.why == "input"


@pytest.mark.parametrize("trouble", ["reply_lost", "half", "garbage"])
def test_an_answer_that_was_lost_leaves_it_unknown_and_it_was_said_once(world: World, trouble: str):
    before = len(world.get("/groups")["feishu"])
    world.trouble(trouble, service="feishu", method="say")
    with pytest.raises(ProviderError) as told:
        robot(world, "feishu").say(f"one {trouble}")
    assert (told.value.unknown, told.value.retryable) == (True, False)
    assert len(world.get("/groups")["feishu"]) == before + 1


def test_whoever_is_too_fast_is_told_to_wait(world: World):
    said = robot(world, "wecom")
    with pytest.raises(ProviderError) as told:
        for at in range(25):
            said.say(f"{at}")
    assert (told.value.why, told.value.retryable, told.value.unknown) == ("limited", True, False)
