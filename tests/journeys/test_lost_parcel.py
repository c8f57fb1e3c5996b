"""From the first bad scan to the goods in the customer's hands, as a person does it in a browser.

Nothing is called behind the desk's back: the test clicks, types, and lets the world's clock run. What it claims is
asserted three times: on the page, in the database, and in the ledger of what the outside world received.
"""

from __future__ import annotations

import base64
import email
from email import policy
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import CARRIER
from tests.journeys.desk import SENDER, Desk
from tests.journeys.stack import Stack, World, advance_until, until_case, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_lost_parcel_is_reissued_and_arrives(desk: Desk, stack: Stack, world: World) -> None:
    made = world.post(
        "/orders", carrier=CARRIER, fate="lost", reissue_fate="delivered", province="四川",
        customer="asks_when_told", carrier_answer="consent",
    )  # fmt: skip
    case_id = until_case(stack, world, made["order_id"])
    code = desk.open_case_of(made["number"])

    expect(desk.page.locator("h1")).to_contain_text("中转超时")
    desk.panel("determine").get_by_label("判定为").select_option("lost")
    desk.press("选补发", desk.panel("determine"))
    desk.says("已选补发")
    _ask_and_record(desk, stack, world, made["number"])
    _have_a_ticket_opened(desk, stack, world, made["order_id"])
    number = _submit(desk, stack, world, made["order_id"], case_id, round_=1)
    _tell(desk, stack, case_id)

    advance_until(
        stack, world, "SELECT 1 FROM cases_case WHERE id = %s AND state = 'closed'", case_id, hours=4, at_most=60
    )
    desk.reload()
    expect(desk.page.locator(".crumbs")).to_contain_text("已结")

    assert stack.rows("SELECT code, round, outcome FROM cases_case WHERE id = %s", case_id) == [
        (code, 1, "reissue_delivered")
    ]
    assert stack.rows(
        "SELECT r.state, p.role, p.stage, p.number FROM reissues_reissue r JOIN parcels_parcel p ON p.id = r.parcel_id"
        " WHERE r.case_id = %s", case_id,
    ) == [("delivered", "reissue", "delivered", number)]  # fmt: skip
    truth = world.order(made["order_id"])
    assert [(each["number"], each["method"]) for each in truth["submissions"]] == [(number, "afterSale.fillLogistics")]
    wait_for(lambda: len(world.order(made["order_id"])["sms"]) == 3, "ask for a ticket, tell, and say that it arrived")
    assert stack.status()["violations"] == []


def test_a_reissue_that_is_lost_too_gets_a_second_round(desk: Desk, stack: Stack, world: World) -> None:
    made = world.post(
        "/orders", carrier=CARRIER, fate="lost", reissue_fate="lost", province="广东", customer="silent",
        carrier_answer="consent",
    )  # fmt: skip
    case_id = until_case(stack, world, made["order_id"])
    desk.open_case_of(made["number"])
    desk.press("选补发", desk.panel("determine"))
    _ask_and_record(desk, stack, world, made["number"])
    first = _submit(desk, stack, world, made["order_id"], case_id, round_=1, reason="客户联系不上，先补发", fate="lost")
    _tell(desk, stack, case_id)

    advance_until(stack, world, "SELECT 1 FROM cases_case WHERE id = %s AND round = 2", case_id, hours=6, at_most=60)
    desk.reload()
    expect(desk.page.locator(".crumbs")).to_contain_text("第 2 轮")
    desk.press("选补发", desk.panel("determine"))
    _ask_and_record(desk, stack, world, first, by_itself=True)
    second = _submit(desk, stack, world, made["order_id"], case_id, round_=2, reason="客户联系不上，先补发")
    _tell(desk, stack, case_id)
    advance_until(
        stack, world, "SELECT 1 FROM cases_case WHERE id = %s AND state = 'closed'", case_id, hours=4, at_most=60
    )

    assert stack.rows("SELECT round, outcome FROM cases_case WHERE id = %s", case_id) == [(2, "reissue_delivered")]
    assert stack.rows(
        "SELECT round, state, number FROM reissues_reissue WHERE case_id = %s ORDER BY round", case_id
    ) == [(1, "wrong", first), (2, "delivered", second)]
    truth = world.order(made["order_id"])
    assert [each["number"] for each in truth["submissions"]] == [first, second]
    assert stack.rows(
        "SELECT count(*) FROM cases_case WHERE order_id = (SELECT order_id FROM cases_case WHERE id = %s)", case_id
    ) == [(1,)]
    assert stack.status()["violations"] == []


# --- what a person does ----------------------------------------------------------------------------------------------


def _ask_and_record(desk: Desk, stack: Stack, world: World, number: str, *, by_itself: bool = False) -> None:
    """Mail the carrier, or see that it was mailed; wait for its answer in the mailbox, write the consent down."""
    if by_itself:  # a reissue that fails is asked about as soon as it is known
        wait_for(lambda: len(_mails_about(world, number)) == 1, "the mail at the carrier", 40)
    else:
        assert _mails_about(world, number) == []
        desk.press("发给承运商", desk.panel("negotiate"))
        wait_for(lambda: len(_mails_about(world, number)) == 1, "the mail at the carrier", 40)
    for _ in range(24):
        world.advance(3)
        wait_for(stack.settled, "the step to be understood")
        if answer := _answer_about(world, number):
            break
    else:
        raise AssertionError("the carrier did not answer")
    _record(desk, answer)
    if desk.page.get_by_text("处理过这个案件").count():  # a reminder left in the very moment: look, and say it again
        _record(desk, answer)
    desk.says("已记下：承运商同意")
    assert len(_mails_about(world, number)) >= 1


def _record(desk: Desk, answer: str) -> None:
    desk.reload()
    panel = desk.panel("negotiate")
    if not panel.get_by_label("谁答复的").is_visible():
        panel.get_by_text("记录承运商的答复…").click()
    panel.get_by_label("同意", exact=True).check()
    desk.fill(panel, {"谁答复的": "中通总部客服", "条件，或不同意的原因": answer, "凭据": "邮件答复"})
    panel.get_by_label("补发运费谁付").select_option("carrier")
    desk.press("记下答复", panel)
    expect(
        desk.page.get_by_text("已记下：承运商同意").or_(desk.page.get_by_text("处理过这个案件")).first
    ).to_be_visible()


def _have_a_ticket_opened(desk: Desk, stack: Stack, world: World, order_id: str) -> None:
    """The order is late, so a further number needs the customer's 补寄: ask for it, and agree when it comes."""
    desk.says("补发要挂在客户的补寄申请上")
    desk.press("发给客户", desk.panel("notify"))
    wait_for(lambda: len(world.order(order_id)["sms"]) == 1, "the customer to be asked", 40)
    for _ in range(24):
        world.advance(3)
        wait_for(stack.settled, "the step to be understood")
        if any(sale["type"] == 7 for sale in world.order(order_id)["aftersales"]):
            break
    else:
        raise AssertionError("the customer opened no ticket")
    desk.reload()
    desk.press("同意补寄")
    wait_for(lambda: [sale["status"] for sale in world.order(order_id)["aftersales"]] == [8], "the agreed ticket", 40)
    wait_for(stack.settled, "the agreement to be understood")
    desk.reload()


def _mails_about(world: World, number: str) -> list[dict[str, Any]]:
    return [entry for entry in world.ledger(service="smtp") if number in _text(entry)]


def _text(entry: dict[str, Any]) -> str:
    """A received mail as text, whatever its transfer encoding."""
    raw = entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])
    parsed = email.message_from_bytes(raw, policy=policy.default)
    body = parsed.get_body(("plain",))
    return f"{parsed['subject']}\n{body.get_content() if body else ''}"


def _answer_about(world: World, number: str) -> str:
    mails = world.http.get(world.said["mail"] + ".json").json()
    answers = [mail for mail in mails if mail["sender"] != SENDER and number in mail["subject"] + mail["text"]]
    return str(answers[0]["text"]) if answers else ""


def _submit(
    desk: Desk,
    stack: Stack,
    world: World,
    order_id: str,
    case_id: int,
    round_: int,
    reason: str = "",
    fate: str = "delivered",
) -> str:
    """Take a label, type its number, submit; ten seconds later the platform has it, once."""
    number = str(world.post("/waybills", carrier=CARRIER, order_id=order_id, fate=fate)["number"])
    desk.reload()
    panel = desk.panel("number")
    panel.get_by_label("补发承运商").select_option(CARRIER)
    panel.get_by_label("补发运单号").fill(number)
    desk.press("预检", panel)
    if reason:
        desk.says("会被罚")
        desk.panel("number").get_by_text("越过预检…").click()
        desk.panel("number").get_by_label("越过预检的原因").fill(reason)
    desk.press("提交补发单号", desk.panel("number"))
    desk.says("10 秒后提交，可以撤回")
    wait_for(
        lambda: stack.rows(
            "SELECT 1 FROM reissues_reissue WHERE case_id = %s AND round = %s AND state = 'accepted'", case_id, round_
        ),
        "the platform's yes", 60,
    )  # fmt: skip
    wait_for(stack.settled, "the yes to be understood")
    desk.reload()
    return number


def _tell(desk: Desk, stack: Stack, case_id: int) -> None:
    desk.press("发给客户", desk.panel("notify"))
    desk.says("通知 10 秒后发出，可以撤回")
    wait_for(
        lambda: stack.rows("SELECT 1 FROM cases_case WHERE id = %s AND state = 'following'", case_id),
        "the customer to be told", 60,
    )  # fmt: skip
    desk.reload()
