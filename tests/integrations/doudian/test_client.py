"""What each ability asks and how it takes the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.integrations.platforms.doudian import paging
from bufa.integrations.platforms.doudian.client import Client
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.ports import Page, ProviderError, Sent, SmsReceipt
from tests.integrations.support import NOW, Keeper, Wire, ok, payload, refusal, tokens

SETTINGS = Settings("701", "secret", base_url="http://gateway.test", sms_account="7acc", sms_sign="晴天小铺")


def client(wire: Wire) -> Client:
    return Client(SETTINGS, Keeper(tokens()), wire.client, lambda: NOW)


def test_orders_are_asked_by_change_oldest_first():
    wire = Wire(ok({"total": 1, "shop_order_list": [payload("doudian", "order")]}))
    page = client(wire).list_orders(NOW - timedelta(hours=1), NOW, 2)
    end = int(NOW.timestamp())
    assert wire.json() == {
        "order_asc": True,
        "order_by": "update_time",
        "page": 2,
        "size": 100,
        "update_time_start": end - 3600,
        "update_time_end": end,
    }
    assert [order.number for order in page.items] == ["6931457700112233445"]


def test_equal_ends_of_a_window_are_never_sent():
    wire = Wire(ok({}))
    client(wire).list_after_sales(NOW, NOW)
    asked = wire.json()
    assert asked["update_end_time"] - asked["update_start_time"] == 1
    assert asked["order_by"] == ["update_time asc"]


@pytest.mark.parametrize(
    "answer",
    [refusal(50002, "isv.business-failed:20014"), refusal(40004, "isv.parameter-invalid:20015"), ok({})],
)
def test_an_order_nobody_knows_is_not_found(answer):
    with pytest.raises(ProviderError) as caught:
        client(Wire(answer)).order("1")
    assert (caught.value.why, caught.value.retryable) == ("not_found", False)


def test_a_resend_is_filled_in():
    wire = Wire(ok({}))
    sent = client(wire).fill_resend("7085126861562380588", "yuantong", "YT1231231231")
    assert wire.requests[0].url.path == "/afterSale/fillLogistics"
    assert wire.json() == {
        "aftersale_id": 7085126861562380588,
        "company_code": "yuantong",
        "send_type": 1,
        "tracking_no": "YT1231231231",
    }
    assert (sent.request_id, sent.message_id) == ("LOG1", "")
    assert b"LOG1" in sent.raw


def test_a_ticket_number_that_is_none_never_leaves():
    wire = Wire()
    with pytest.raises(ProviderError, match="input"):
        client(wire).fill_resend("AS-1", "yuantong", "YT1")
    assert wire.requests == []


def test_a_resend_is_agreed_with_the_lock():
    wire = Wire(ok({"items": [{"aftersale_id": 7, "status_code": 0}]}))
    client(wire).agree_resend("7", 1772500000)
    assert wire.json() == {"items": [{"aftersale_id": "7", "update_time": 1772500000}], "type": 501}


def test_a_resend_is_refused_with_a_reason():
    wire = Wire(ok({"items": []}))
    client(wire).refuse_resend("7", 1, "已签收", 12)
    assert wire.json() == {
        "items": [
            {"aftersale_id": "7", "reason": "已签收", "reject_reason_code": 12, "remark": "已签收", "update_time": 1}
        ],
        "type": 502,
    }


def test_the_second_level_of_an_answer_counts():
    wire = Wire(ok({"items": [{"aftersale_id": 7, "status_code": 20309541, "status_msg": "状态已变更"}]}))
    with pytest.raises(ProviderError) as caught:
        client(wire).agree_resend("7", 1)
    assert (caught.value.why, caught.value.sub_code, caught.value.unknown) == ("business", "20309541", False)


def test_an_extra_package_is_added():
    wire = Wire(ok({"deliver_id": 7000000000000000102}))
    sent = client(wire).add_extra_package("69", (("70", 1), ("71", 2)), "yuantong", "YT1", "55001")
    assert wire.json() == {
        "company_code": "yuantong",
        "product_orders": [
            {"product_count": 1, "product_order_id": "70"},
            {"product_count": 2, "product_order_id": "71"},
        ],
        "send_address_id": 55001,
        "shop_order_id": "69",
        "tracking_no": "YT1",
    }
    assert sent.message_id == "7000000000000000102"


def test_an_unset_address_is_not_sent():
    wire = Wire(ok({}))
    client(wire).add_extra_package("69", (("70", 1),), "yuantong", "YT1")
    assert "send_address_id" not in wire.json()


def test_an_sms_goes_to_the_cipher():
    wire = Wire(ok({"code": 0, "message": "", "message_id": "sm-1"}))
    sent = client(wire).send_sms("$Qk1$cGg$1$$", "ST_1", {"number": "YT1", "b": "二"}, "case:1")
    assert wire.json() == {
        "post_tel": "$Qk1$cGg$1$$",
        "sign": "晴天小铺",
        "sms_account": "7acc",
        "tag": "case:1",
        "template_id": "ST_1",
        "template_param": '{"b":"二","number":"YT1"}',
    }
    assert sent == Sent("LOG1", "sm-1", sent.raw)


def test_an_sms_the_inner_level_refused_was_not_sent():
    with pytest.raises(ProviderError) as caught:
        client(Wire(ok({"code": 4, "message": "签名未通过"}))).send_sms("$a$b$1$$", "ST_1", {})
    error = caught.value
    assert (error.why, error.sub_code, error.text, error.unknown) == ("business", "4", "签名未通过", False)


def test_receipts_leave_the_text_behind():
    row = {"message_id": "sm-1", "status": 2, "send_time": 1772420000, "code": "E1", "sms_content": "张三", "tag": "t"}
    page = client(Wire(ok({"sms_send_result_list": [row, {"status": 3}], "total": 2}))).sms_receipts(NOW, NOW)
    assert page.items == (
        SmsReceipt("sm-1", "failed", datetime.fromtimestamp(1772420000, UTC), "E1", "", "t"),
        SmsReceipt("", "delivered", None),
    )
    assert page.has_more is False


def test_addresses_are_read_to_the_end():
    first = {"total": 3, "address_list": [{"address_id": 1}, {"address_id": 2}]}
    wire = Wire(ok(first), ok({"total": 3, "address_list": [{"address_id": 3}]}))
    assert [a.platform_id for a in client(wire).addresses()] == ["1", "2", "3"]
    assert [wire.json(i)["page_no"] for i in (0, 1)] == [1, 2]


# ── walking a window ──


@dataclass(frozen=True)
class Row:
    number: str
    updated_at: datetime | None


def listing(rows: list[Row], size: int, after: Callable[[], None] = lambda: None):
    """A platform that lists by change, start inclusive, `size` a page."""

    def fetch(since: datetime, until: datetime, page: int) -> Page[Row]:
        found = sorted(
            (r for r in rows if r.updated_at is not None and since <= r.updated_at <= until),
            key=lambda r: (r.updated_at, r.number),
        )
        items = tuple(found[page * size : (page + 1) * size])
        answer = Page(items, len(found), bool(items) and (page + 1) * size < len(found))
        after()
        return answer

    return fetch


START = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=1)


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(2, 5))
def test_a_walk_hands_out_every_row_once(seconds, size):
    rows = [Row(f"o{i}", START + timedelta(seconds=s)) for i, s in enumerate(seconds)]
    seen = [row for step in paging.walk(listing(rows, size), START, UNTIL) for row in step.items]
    assert sorted(seen, key=lambda r: r.number) == sorted(rows, key=lambda r: r.number)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_row_that_changes_under_the_walk_costs_no_other(size):
    rows = [Row(f"o{i:02}", START + timedelta(seconds=10 * i)) for i in range(30)]
    everyone = {row.number for row in rows}

    def first_moves_on() -> None:
        moved = rows.pop(0)
        rows.append(Row(moved.number, UNTIL + timedelta(seconds=1)))

    seen = {row.number for step in paging.walk(listing(rows, size, first_moves_on), START, UNTIL) for row in step.items}
    unseen = everyone - seen
    assert unseen <= {row.number for row in rows if row.updated_at is not None and row.updated_at > UNTIL}


def test_a_walk_says_how_far_it_is():
    rows = [Row(f"o{i}", START + timedelta(minutes=i)) for i in range(5)]
    steps = list(paging.walk(listing(rows, 2), START, UNTIL))
    assert [(step.done, step.total) for step in steps][-1] == (5, 5)
    assert steps[0].through == START + timedelta(minutes=1)
    assert steps[-1].through == UNTIL


def test_a_list_out_of_order_is_paged_not_jumped():
    rows = [Row(f"o{i}", START + timedelta(minutes=9 - i)) for i in range(9)]

    def newest_first(since: datetime, until: datetime, page: int) -> Page[Row]:
        found = [r for r in rows if r.updated_at is not None and since <= r.updated_at <= until]
        return Page(tuple(found[page * 2 : page * 2 + 2]), len(found), (page + 1) * 2 < len(found))

    seen = [row for step in paging.walk(newest_first, START, UNTIL) for row in step.items]
    assert seen == rows


def test_a_second_with_more_than_can_be_listed_is_an_error():
    full = Page((Row("o1", START),), 99_999, has_more=True)
    with pytest.raises(ProviderError, match="business"):
        list(paging.walk(lambda since, until, page: full, START, UNTIL))
