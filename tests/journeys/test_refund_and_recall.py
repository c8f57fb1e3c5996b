"""Money back, and a parcel called back, as a person does it in a browser: what the click asks of the platform, what the
platform makes of it, and what the case learns. Asserted on the page, in the database and by the world's own account.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import CARRIER
from tests.journeys.desk import Desk
from tests.journeys.stack import Stack, World, advance_until, until_case, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]

REFUND_ONLY, PAID_BACK = 1, 12


def wants_money_back(desk: Desk, stack: Stack, world: World) -> tuple[dict[str, Any], int, str]:
    """A parcel that went silent, whose buyer asks for a refund: the order, its case and the ticket."""
    made = world.post("/orders", carrier=CARRIER, fate="lost", province="四川", customer="silent")
    case_id = until_case(stack, world, made["order_id"])
    ticket = str(world.post("/after-sales", order_id=made["order_id"], type=REFUND_ONLY)["aftersale_id"])
    world.advance(1)
    wait_for(
        lambda: stack.rows("SELECT 1 FROM orders_aftersale WHERE number = %s", ticket), "the buyer's ticket at the desk"
    )
    wait_for(stack.settled, "the ticket to be understood")
    desk.open_case_of(made["number"])
    return made, case_id, ticket


def remedy(stack: Stack, case_id: int) -> tuple[str, str]:
    (row,) = stack.rows("SELECT measure, state FROM cases_remedy WHERE case_id = %s ORDER BY id DESC LIMIT 1", case_id)
    return str(row[0]), str(row[1])


def test_a_refund_is_paid_back_by_the_platform(desk: Desk, stack: Stack, world: World) -> None:
    made, case_id, ticket = wants_money_back(desk, stack, world)
    desk.press("选退款", desk.panel("determine"))
    desk.says("已选退款")
    expect(desk.page.get_by_role("button", name="撤回").first).to_be_visible()  # ten seconds to think again
    wait_for(lambda: remedy(stack, case_id) == ("refund", "done"), lambda: remedy(stack, case_id), 60)
    truth = world.order(made["order_id"])
    assert [(sale["aftersale_id"], sale["status"]) for sale in truth["aftersales"]] == [(ticket, PAID_BACK)]
    asked = [row for row in world.ledger("doudian", "afterSale.operate") if f'"{ticket}"' in row["text"]]
    assert len(asked) == 1
    desk.reload()
    desk.panel("determine")
    desk.says(f"台账：退款 ¥{truth['paid_fen'] / 100:g}")
    assert stack.rows("SELECT kind, amount_fen FROM cases_ledgerline WHERE case_id = %s", case_id) == [
        ("refund", truth["paid_fen"])
    ]
    world.advance(1)  # the platform tells of it, too: that is the same money
    wait_for(stack.settled, "the platform's own word of it")
    assert stack.rows("SELECT count(*) FROM cases_ledgerline WHERE case_id = %s", case_id) == [(1,)]
    assert stack.rows("SELECT status FROM orders_aftersale WHERE number = %s", ticket) == [(PAID_BACK,)]
    assert stack.status()["violations"] == []


def test_a_parcel_is_called_back_and_its_track_says_so(desk: Desk, stack: Stack, world: World) -> None:
    made, case_id, _ = wants_money_back(desk, stack, world)
    panel = desk.panel("determine")
    panel.get_by_label("客户没有要求拦截，接受轨迹异常赔付").check()
    desk.press("选拦截", panel)
    desk.says("已选拦截")
    wait_for(lambda: remedy(stack, case_id) == ("intercept", "done"), lambda: remedy(stack, case_id), 60)
    asked = world.ledger("doudian", "afterSale.applyLogisticsIntercept")
    assert [row["outcome"] for row in asked if made["number"] in row["text"]] == [10000]
    advance_until(
        stack, world,
        "SELECT 1 FROM parcels_parcel WHERE number = %s AND stage IN ('returning', 'returned')", made["number"],
        hours=6, at_most=40,
    )  # fmt: skip
    (parcel,) = [row for row in world.order(made["order_id"])["parcels"] if row["number"] == made["number"]]
    assert parcel["outcome"] == "returned"
    desk.reload()
    desk.panel("determine")
    desk.says("台账：拦截费 ¥5")
    assert stack.status()["violations"] == []
