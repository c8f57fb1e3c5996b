"""Platform objects → facts, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bufa.integrations.platforms.doudian import aftersales, orders, shipping
from bufa.integrations.platforms.doudian.push import Push
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.ports import (
    AfterSaleFact,
    CarrierFact,
    InterceptFact,
    LineFact,
    OrderFact,
    PackageFact,
    PickupAddressFact,
    ProviderError,
    PushEvent,
    PushRefused,
    RawScan,
    RecipientFact,
    TrackReport,
)
from tests.integrations.support import payload, sample


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


ORDER = OrderFact(
    number="6931457700112233445",
    status=3,
    main_status=3,
    created_at=at(1772330000),
    paid_at=at(1772330400),
    ship_by=at(1772503200),
    promise_hours=48,
    paid_fen=5980,
    updated_at=at(1772420000),
    finished_at=None,
    lines=(
        LineFact(
            "6931457700112233446",
            "3600000000000000001",
            "1760000000000000009",
            "手冲咖啡滤纸",
            "规格:V60; 数量:100片",
            2,
            5980,
        ),
    ),
    recipient=RecipientFact(
        name_cipher="#aXk3#c2Vj0001#1##",
        name_mask="张**",
        phone_cipher="$Qk1$cGhvbmU0001$1$$",
        phone_mask="138****0001",
        address_cipher="#bW4x#YWRkcjAwMDE=#1##",
        address_mask="梅***号",
        province="浙江省",
        city="杭州市",
        district="西湖区",
        town="转塘街道",
        open_address_id="oa-77121",
    ),
    packages=(
        PackageFact(
            "7000000000000000101", "yuantong", "YT8800112233445", at(1772416800), (("6931457700112233446", 2),)
        ),
    ),
)


def test_an_order():
    assert orders.order_fact(payload("doudian", "order")) == ORDER


def test_a_plain_name_of_the_platform_is_not_kept():
    row = payload("doudian", "order") | {"encrypt_post_receiver": "", "mask_post_receiver": ""}
    recipient = orders.order_fact(row).recipient
    assert (recipient.name_cipher, recipient.name_mask, recipient.name) == ("", "", "")


def test_an_order_whose_fields_were_cut_is_still_an_order():
    fact = orders.order_fact({"order_id": 6931457700112233445, "sku_order_list": None, "post_addr": "x"})
    assert fact == OrderFact(
        "6931457700112233445", 0, 0, None, None, None, None, 0, None, None, (), RecipientFact(), ()
    )


def test_the_earliest_line_says_when_to_ship_when_the_order_does_not():
    lines = [{"exp_ship_time": 1772600000}, {"exp_ship_time": 1772503200}, {}]
    fact = orders.order_fact({"pay_time": 1772330400, "sku_order_list": lines})
    assert (fact.ship_by, fact.promise_hours) == (at(1772503200), 48)


@pytest.mark.parametrize(("seconds", "hours"), [(0, 0), (1, 1), (3600, 1), (3601, 2), (48 * 3600, 48), (-1, None)])
def test_a_promise_is_counted_in_begun_hours(seconds, hours):
    paid = at(1772330400)
    assert orders.promise_hours(paid, paid + timedelta(seconds=seconds)) == hours


@pytest.mark.parametrize(("page", "total", "more"), [(0, 100, False), (0, 101, True), (1, 201, True), (1, 200, False)])
def test_a_page_of_orders_reckons_whether_more_follows(page, total, more):
    found = orders.order_page({"total": total, "shop_order_list": [{"order_id": "1"}]}, page, 100)
    assert found.has_more is more


def test_no_orders_come_as_an_empty_list_or_object():
    assert orders.order_page([], 0, 100).items == ()
    assert orders.order_page({}, 0, 100).has_more is False


TICKET = AfterSaleFact(
    number="7085126861562380588",
    order_number="6931457700112233445",
    type=7,
    status=6,
    deadline=at(1772672800),
    applied_at=at(1772500000),
    updated_at=at(1772500000),
    update_time=1772500000,
    reason="商品丢失/损坏",
)


def test_a_list_of_tickets():
    page = aftersales.after_sale_page(payload("doudian", "after_sale_list"), 0, 100)
    other = AfterSaleFact("7085126861562380599", "", 1, 12, None, None, None, 0)
    assert (page.items, page.total, page.has_more) == ((TICKET, other), 2, False)


def test_a_ticket_in_detail_knows_the_recipient_and_the_resend():
    ticket = aftersales.detailed(payload("doudian", "after_sale_detail"))
    assert ticket == AfterSaleFact(
        number="7085126861562380588",
        order_number="6931457700112233445",
        type=7,
        status=13,
        deadline=at(1772672800),
        applied_at=at(1772500000),
        updated_at=at(1772510001),
        update_time=1772510001,
        reason="商品丢失/损坏",
        resend_carrier="yuantong",
        resend_number="YT8800998877665",
        recipient=RecipientFact(
            name_cipher="#Zz09#c2VjMDAwOQ==#1##",
            name_mask="李*",
            phone_cipher="$Tm8=$cGhvbmU5$1$$",
            address_cipher="#bW4x#YWRkcjAwMDk=#1##",
            province="浙江省",
            city="杭州市",
            district="西湖区",
            open_address_id="oa-77121",
        ),
    )
    assert aftersales.resend_number_of(ticket) == "YT8800998877665"


def test_an_answer_without_a_ticket_is_not_found():
    with pytest.raises(ProviderError, match="not_found"):
        aftersales.detailed({})


def test_packages_one_a_waybill():
    assert shipping.packages(payload("doudian", "packages")) == (
        PackageFact(
            "7000000000000000101", "yuantong", "YT8800112233445", at(1772416800), (("6931457700112233446", 2),)
        ),
        PackageFact("7000000000000000102", "yuantong", "YT8800998877665", None, (("6931457700112233446", 1),), True),
    )


def test_addresses():
    assert shipping.addresses(payload("doudian", "addresses")) == (
        PickupAddressFact(
            "55001", "仓库一", "05710001111", "浙江省", "金华市", "义乌市", "福田街道", "云仓路1号", True
        ),
        PickupAddressFact("55002", "仓库二", "", "广东省", "", "", "", "", False),
    )


def test_reject_reasons():
    data = {"items": [{"reject_reason_code": "12", "reason": "已签收", "evidence_need": "Y"}, {"reason": "其他"}]}
    assert [(r.code, r.text, r.needs_proof) for r in aftersales.reject_reasons(data)] == [
        (12, "已签收", True),
        (0, "其他", False),
    ]


@pytest.mark.parametrize("key", ["route_node_list", "route__node_list"])
def test_a_route_is_oldest_first_under_either_name(key):
    nodes = [
        {
            "content": "已签收",
            "timestamp": "1772420000",
            "state": "1",
            "state_description": "签收",
            "site_name": "杭州",
        },
        {"content": "已揽收", "timestamp": "1772330400", "state": "2"},
    ]
    assert shipping.route({key: nodes}, "yuantong", "YT1") == TrackReport(
        "doudian",
        "yuantong",
        "YT1",
        (
            RawScan(at(1772330400), "已揽收", "2"),
            RawScan(at(1772420000), "已签收", "1", "签收", "杭州"),
        ),
    )


# ── pushes ──


def parse(body: str) -> tuple[PushEvent, ...]:
    return Push(Settings("k", "s")).parse(body.encode())


def test_messages_name_their_order_and_ticket():
    body = (
        '[{"tag":"0","msg_id":"0","data":"2026-01-01T01:00:00+08:00"},'
        '{"tag":"101","msg_id":"m1","data":"{\\"p_id\\":6931457700112233445,\\"shop_id\\":40391623}"},'
        '{"tag":226,"msgId":"m2","data":{"p_id":"1","aftersale_id":7085126861562380588}},'
        '{"tag":"227","msg_id":"m3","data":"{\\"after_sale_id\\":\\"99\\"}"}]'
    )
    assert parse(body) == (
        PushEvent(0, "0", {"text": "2026-01-01T01:00:00+08:00"}),
        PushEvent(101, "m1", {"p_id": 6931457700112233445, "shop_id": 40391623}, "6931457700112233445"),
        PushEvent(226, "m2", {"p_id": "1", "aftersale_id": 7085126861562380588}, "1", "7085126861562380588"),
        PushEvent(227, "m3", {"after_sale_id": "99"}, "", "99"),
    )


def test_one_odd_message_does_not_cost_the_others():
    events = parse('[{"tag":"x","data":"{cut"},{"tag":"100","msg_id":"m","data":"{\\"p_id\\":1}"}]')
    assert [(event.tag, event.order_number) for event in events] == [(-1, ""), (100, "1")]


@pytest.mark.parametrize("body", ["", "{", "[1]", '"x"', "[" * 100_000, '[{"tag":"1"'])
def test_a_body_that_is_no_list_of_messages_is_refused(body):
    with pytest.raises(PushRefused) as refused:
        parse(body)
    assert refused.value.why == "malformed"


def test_the_reply_is_what_the_platform_waits_for():
    assert Push(Settings("k", "s")).accepted(at(1772420000)) == b'{"code":0,"msg":"success"}'


# ── captured payloads ──


@pytest.mark.samples
def test_captured_carriers():
    data = sample("doudian", "order-logisticsCompanyList")["response"]["data"]
    assert shipping.carriers(data) == (CarrierFact("yuantong", "圆通快递"),)


@pytest.mark.samples
def test_captured_route_keeps_its_text_and_drops_an_impossible_time():
    data = sample("doudian", "logistics-trackNoRouteDetail")["response"]["data"]
    assert shipping.route(data, "shentong", "78393454") == TrackReport(
        "doudian", "shentong", "78393454", (RawScan(None, "配送中", "1", "配送", "北京"),)
    )


@pytest.mark.samples
def test_captured_intercept():
    data = sample("doudian", "afterSale-applyLogisticsIntercept")["response"]["data"]
    assert aftersales.intercepts(data) == (
        InterceptFact("powertestexpress", "3213123123", False, False, 400, "-10006", "服务器开了小差，请稍后重试"),
    )
