"""Shops, people, connections, and the chain of what was done to them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from bufa.apps.audit import actions as audit
from bufa.apps.audit import anchors
from bufa.apps.audit import queries as audits
from bufa.apps.shops import actions, queries
from bufa.apps.shops.clients import StoredTokens, push_for
from bufa.apps.shops.models import Connection
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.integrations.ports import PickupAddressFact, Tokens
from bufa.lib.db import cursor
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shop

pytestmark = pytest.mark.django_db


def doudian(shop: int, **more: Any) -> str:
    return actions.connect(
        shop_id=shop, kind="doudian", settings={"app_key": "k", **more}, secrets={"app_secret": "hidden-away"}
    )


def test_a_shop_has_an_owner_and_sees_only_itself() -> None:
    one, two = make_shop("一店", login="anna"), make_shop("二店", login="bert")
    assert queries.all_shop_ids() == [one, two]
    (member,) = queries.members([one])
    assert (member.login, member.role) == ("anna", Role.OWNER)
    assert [shop.name for shop in queries.shops_of(member.operator_id)] == ["一店"]
    assert queries.role_in(member.operator_id, two) is None


def test_one_login_may_own_several_shops() -> None:
    one, two = make_shop("一店", login="anna"), make_shop("二店", login="anna")
    (member,) = queries.members([one])
    assert [shop.shop_id for shop in queries.shops_of(member.operator_id)] == [one, two]


def test_the_last_owner_stays() -> None:
    shop = make_shop()
    (owner,) = queries.members([shop])
    with pytest.raises(Refused, match="last_owner"):
        actions.disable_member(shop_id=shop, operator_id=owner.operator_id, by="x")
    other = actions.add_operator("lena", "right-horse-battery")
    actions.add_member(shop_id=shop, operator_id=other, role=Role.OWNER, by="x")
    actions.change_role(shop_id=shop, operator_id=owner.operator_id, role=Role.AGENT, by="x")
    assert queries.role_in(owner.operator_id, shop) is Role.AGENT
    actions.disable_member(shop_id=shop, operator_id=owner.operator_id, by="x")
    assert queries.shops_of(owner.operator_id) == []


def test_a_weak_password_is_refused_for_a_real_shop() -> None:
    with pytest.raises(Refused, match="password_weak"):
        actions.create_shop("店", owner_login="anna", owner_password="1234")
    assert queries.all_shop_ids() == []


def test_secrets_are_sealed_and_kept_when_left_out() -> None:
    shop = make_shop()
    first = doudian(shop)
    with for_shops([shop]):
        row = Connection.objects.get()
        assert b"hidden-away" not in bytes(row.secrets)
        assert "app_secret" not in row.settings
    again = actions.connect(shop_id=shop, kind="doudian", settings={"app_key": "k", "shop_id": "9"})
    assert again == first
    settings = queries.provider_settings(shop, "doudian")
    assert settings == {"app_key": "k", "app_secret": "hidden-away", "shop_id": "9"}


def test_a_hook_is_known_by_its_secret_only() -> None:
    shop = make_shop()
    path = doudian(shop)
    token = path.split("/")[2]
    assert queries.check_hook(token, "doudian") == shop
    assert queries.check_hook(token, "kuaidi100") is None
    assert queries.check_hook(token[:-1] + "x", "doudian") is None
    assert queries.check_hook(f"{shop + 1}-{token.split('-', 1)[1]}", "doudian") is None
    assert queries.check_hook("", "doudian") is None
    renewed = actions.connect(shop_id=shop, kind="doudian", settings={"app_key": "k"}, renew_hook=True)
    assert renewed != path
    assert queries.check_hook(token, "doudian") is None
    actions.switch_off(shop_id=shop, kind="doudian", by="x")
    assert queries.check_hook(renewed.split("/")[2], "doudian") is None
    with pytest.raises(Refused, match="not_connected"):
        push_for(shop, "doudian")


def test_tokens_are_fetched_once_by_whoever_comes_first() -> None:
    shop = make_shop()
    doudian(shop)
    keeper = StoredTokens(shop, "doudian")
    until = datetime(2026, 12, 1, tzinfo=UTC)
    calls: list[Tokens | None] = []

    def fetch(stored: Tokens | None) -> Tokens:
        calls.append(stored)
        return Tokens(f"a{len(calls)}", f"refresh-token-{len(calls)}", until + timedelta(days=len(calls)), "9")

    assert keeper.current() is None
    first = keeper.renew(None, fetch)
    assert keeper.renew(None, fetch) == first == keeper.current()
    assert keeper.renew(first, fetch).access == "a2"
    assert keeper.renew(first, fetch).access == "a2"
    assert calls == [None, first]
    with for_shops([shop]):
        assert b"refresh-token" not in bytes(Connection.objects.get().tokens)


@pytest.mark.django_db(transaction=True)
def test_who_has_a_living_token_goes_on_while_another_renews() -> None:
    shop = make_shop()
    doudian(shop)
    keeper = StoredTokens(shop, "doudian")
    until = datetime(2026, 12, 1, tzinfo=UTC)
    old = keeper.renew(None, lambda stored: Tokens("old", "r", until, "9"))
    renewing, go_on = threading.Event(), threading.Event()
    got: list[Tokens] = []

    def slowly(stored: Tokens | None) -> Tokens:
        renewing.set()
        assert go_on.wait(20)
        return Tokens("new", "r2", until, "9")

    def renew() -> None:
        try:
            got.append(keeper.renew(old, slowly))
        finally:
            connection.close()

    def never(stored: Tokens | None) -> Tokens:
        raise AssertionError("two renew at once")

    one = threading.Thread(target=renew)
    one.start()
    assert renewing.wait(20)
    try:
        assert keeper.renew(old, never, wait=False) == old
    finally:
        go_on.set()
        one.join(20)
    assert [each.access for each in got] == ["new"]
    assert keeper.renew(old, never, wait=False).access == "new"
    assert keeper.renew(old, never).access == "new"


def test_one_pickup_address_is_the_default() -> None:
    shop = make_shop()
    fact = PickupAddressFact(
        "p1", "仓库", "13800138000", "浙江省", "杭州市", "余杭区", "", "文一路1号", is_default=False
    )
    one = actions.set_pickup_address(shop_id=shop, fact=fact, by="x")
    assert actions.set_pickup_address(shop_id=shop, fact=fact, by="x") == one
    other = PickupAddressFact(
        "p2", "仓库", "13800138000", "广东省", "深圳市", "南山区", "", "科技路1号", is_default=True
    )
    two = actions.set_pickup_address(shop_id=shop, fact=other, by="x")
    assert [(row.pickup_id, row.is_default) for row in queries.pickup_addresses([shop])] == [(two, True), (one, False)]
    assert queries.origin_province(shop) == "广东省"


def test_policy_is_read_strictly() -> None:
    shop = make_shop()
    actions.set_policy(shop_id=shop, policy={"hours": {"lost_suspected": 96}, "muted": ["held"]}, by="x")
    policy = queries.policy(shop, NOW)
    assert (policy.hours, policy.muted) == ({"lost_suspected": 96}, frozenset({"held"}))
    with pytest.raises(Refused, match="policy_hours"):
        actions.set_policy(shop_id=shop, policy={"hours": {"lost_suspected": -1}}, by="x")


def test_the_chain_holds_and_a_change_is_found() -> None:
    shop = make_shop()
    for number in range(5):
        audit.record(shop, "operator:1", "note.add", f"case:{number}", {"text": "换一个", "count": number})
    verified = anchors.verify(shop)
    assert (verified.ok, verified.entries) == (True, 6)
    newest = audits.newest([shop], limit=1)[0]
    assert (newest.action, newest.data) == ("note.add", {"text": "换一个", "count": 4})


@pytest.mark.django_db(transaction=True)
def test_the_application_cannot_rewrite_the_chain() -> None:
    shop = make_shop()
    audit.record(shop, "operator:1", "note.add")
    with pytest.raises(Exception, match="permission denied"), for_shops([shop]), cursor() as cur:
        cur.execute("UPDATE audit_auditentry SET by = 'nobody'")
    assert anchors.verify(shop).ok


def test_which_shops_are_pushed_and_which_are_asked_by_plan() -> None:
    pushed, asked, nobody = make_shop(), make_shop(), make_shop()
    actions.connect(shop_id=pushed, kind="kuaidi100", settings={"customer": "C"}, secrets={"key": "K"})
    actions.connect(
        shop_id=asked, kind="17track", settings={"follow": "ask", "calls_per_hour": 9}, secrets={"key": "K"}
    )
    everyone = [pushed, asked, nobody]
    assert (queries.pushing_shops(everyone), queries.asking_shops(everyone)) == ([pushed], [asked])
    # The preferred provider decides: a second one that pushes changes nothing for a shop that asks the first.
    actions.connect(shop_id=pushed, kind="kuaidi100", settings={"customer": "C", "follow": "ask", "calls_per_hour": 0})
    actions.connect(shop_id=pushed, kind="kdniao", settings={"business_id": "1"}, secrets={"app_key": "K"})
    assert (queries.pushing_shops(everyone), queries.asking_shops(everyone)) == ([], [asked])
