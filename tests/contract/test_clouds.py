"""Three vendors of messages behind one port, against gateways that check signatures, templates, numbers and limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from bufa.integrations import registry
from bufa.integrations.messages import Receipt, Telling
from bufa.integrations.ports import ProviderError
from bufa.lib import clock
from tests.contract.conftest import Hook, World

NAMES = ("aliyun_sms", "tencent_sms", "aliyun_voice")
WRONG_KEY = {"aliyun_sms": "key_secret", "aliyun_voice": "key_secret", "tencent_sms": "secret_key"}
ARE_LIMITED = {"aliyun_sms": {"minute": 1}, "tencent_sms": {"day": 1}, "aliyun_voice": {"hour": 1}}


@pytest.fixture(autouse=True)
def as_usual(world: World) -> None:
    every = {name: {} for name in NAMES}
    world.post(
        "/clouds",
        urls=dict.fromkeys(NAMES, ""),
        receipts=dict.fromkeys(NAMES, "usual"),
        credit=dict.fromkeys(NAMES, 1000),
        limits=every,
        again={"tencent_sms": 0},
        failing={},
        blacklist=[],
    )


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def channel(world: World, name: str) -> Any:
    return registry.load("message", name, dict(world.hello[name]))


def message(world: World, name: str, phone: str, tag: str, **more: Any) -> Telling:
    told = world.get("/clouds")["templates"]
    key = next(key for key, one in told.items() if one["service"] == name and "催办" in one["text"])
    values = {"template_id": key, "params": (("order_tail", "0001"), ("reason", "快件丢失"))} | more
    return Telling(phone, tag=tag, **values)


def ours(world: World, tag: str) -> list[dict[str, Any]]:
    return [told for told in world.get("/clouds")["told"] if told["tag"] == tag]


def receipt(world: World, channel: Any, phone: str, tag: str, message_id: str = "") -> Receipt | None:
    now = world.now()
    found: Receipt | None = channel.receipt(phone, tag, message_id, now - timedelta(minutes=10), now)
    return found


def test_told_once_and_its_receipt_is_found_by_asking(world: World, channel: Any, name: str):
    phone, tag = "13811110001", f"b{NAMES.index(name)}1"
    sent = channel.tell(message(world, name, phone, tag))
    assert sent.message_id
    (told,) = ours(world, tag)
    assert (told["phone"], "尾号0001" in told["text"], "快件丢失" in told["text"]) == (phone, True, True)
    world.advance(minutes=1)
    found = receipt(world, channel, phone, tag, sent.message_id)
    assert found is not None
    assert (found.status, found.code) == ("delivered", "")


def test_a_failed_receipt_says_why(world: World, channel: Any, name: str):
    phone, tag = "13811110002", f"b{NAMES.index(name)}2"
    world.post("/clouds", failing={phone: "200010" if name == "aliyun_voice" else "UNDELIV"})
    sent = channel.tell(message(world, name, phone, tag))
    world.advance(minutes=1)
    found = receipt(world, channel, phone, tag, sent.message_id)
    assert found is not None
    assert found.status == "failed"
    assert found.code


def test_receipts_are_pushed(world: World, channel: Any, name: str, hook: Hook):
    phone, tag = "13811110003", f"b{NAMES.index(name)}3"
    push = registry.load_push("message", name, dict(world.hello[name]))
    hook.reply = lambda body: push.accepted(clock.real_now())
    world.post("/clouds", urls={name: hook.url})
    sent = channel.tell(message(world, name, phone, tag))
    world.advance(minutes=2)
    ((_, body),) = hook.got
    (told,) = push.parse(body)
    assert (told.status, told.message_id) == ("delivered", sent.message_id)
    assert told.tag == ("" if name == "tencent_sms" else tag)  # they give back only their own number
    world.advance(minutes=30)
    assert len(hook.got) == 1  # thanked for, so it does not come again


def test_a_reply_is_pushed(world: World, name: str, hook: Hook):
    if name == "aliyun_voice":
        return
    push = registry.load_push("message", name, dict(world.hello[name]))
    hook.reply = lambda body: push.accepted(clock.real_now())
    world.post("/clouds", urls={name: hook.url}, reply={"service": name, "phone": "13811110004", "text": "TD"})
    world.advance(minutes=1)
    (told,) = push.parse(hook.got[0][1])
    assert (told.phone, told.text) == ("13811110004", "TD")


@pytest.mark.parametrize("kind", ["reply_lost", "garbage", "lying", "half"])
def test_a_lost_answer_is_unknown_and_settled_by_asking(world: World, channel: Any, name: str, kind: str):
    phone, tag = "13811110005", f"b{NAMES.index(name)}{kind[:6]}5"
    world.trouble(kind, service=name)
    with pytest.raises(ProviderError) as caught:
        channel.tell(message(world, name, phone, tag))
    assert (caught.value.unknown, caught.value.retryable) == (True, False)
    assert len(ours(world, tag)) == 1
    world.advance(minutes=1)
    found = receipt(world, channel, phone, tag)
    if name == "aliyun_voice":
        assert found is None  # calls are asked for by the id that we never got: the push tells, or a person
    else:
        assert found is not None
        assert found.tag == tag


@pytest.mark.parametrize("kind", ["cut", "http500"])
def test_nothing_left_and_nobody_knows_it(world: World, channel: Any, name: str, kind: str):
    tag = f"b{NAMES.index(name)}{kind[:6]}6"
    world.trouble(kind, service=name)
    with pytest.raises(ProviderError) as caught:
        channel.tell(message(world, name, "13811110006", tag))
    assert caught.value.unknown
    world.advance(minutes=1)
    assert (ours(world, tag), receipt(world, channel, "13811110006", tag)) == ([], None)


def test_refusals(world: World, channel: Any, name: str):
    phone, tag = "13811110007", f"b{NAMES.index(name)}7"

    def why(told: Telling, by: Any = channel) -> str:
        with pytest.raises(ProviderError) as caught:
            by.tell(told)
        assert not caught.value.unknown
        return caught.value.why

    good = message(world, name, phone, tag)
    assert why(message(world, name, phone, tag, template_id="NONE")) == "template"
    assert why(message(world, name, phone, tag, params=(("order_tail", "0001"),))) == "template"
    wrong = registry.load("message", name, dict(world.hello[name]) | {WRONG_KEY[name]: "wrong"})
    assert why(good, wrong) == "denied"
    with pytest.raises(ProviderError) as caught:
        wrong.check()
    assert caught.value.why == "denied"
    channel.check()
    world.post("/clouds", blacklist=[phone])
    assert why(good) == "opted_out"
    world.post("/clouds", blacklist=[], credit={name: 0})
    assert why(good) == "no_credit"
    world.post("/clouds", credit={name: 1000}, limits={name: ARE_LIMITED[name]})
    channel.tell(good)
    assert why(good) == "limited"
    assert len(ours(world, tag)) == 1


def test_a_signed_call_cannot_be_played_again(world: World):
    kept: list[httpx.Request] = []
    http = httpx.Client(event_hooks={"request": [kept.append]}, trust_env=False)
    channel = registry.load("message", "aliyun_sms", dict(world.hello["aliyun_sms"]), http=http)
    tag = "breplayed"
    channel.tell(message(world, "aliyun_sms", "13811110008", tag))
    again = http.send(kept[0])
    assert (again.status_code, again.json()["Code"]) == (400, "SignatureNonceUsed")
    late = dict(kept[0].headers) | {"x-acs-date": "2026-01-01T00:00:00Z"}
    assert http.post(kept[0].url, headers=late).json()["Code"] == "SignatureDoesNotMatch"
    assert len(ours(world, tag)) == 1
