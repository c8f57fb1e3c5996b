"""A shop without API: fields copied one by one, marks kept per operator, the platform's page pasted back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from bufa.apps.cases import queries as cases
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries as effect_queries
from bufa.apps.reissues import actions, copy_pack, queries
from bufa.apps.shops.models import Connection
from bufa.domain.effects import Result
from bufa.domain.kinds import Role
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample

SignIn = Callable[[str], Client]
FRESH = "YT8888000000001"


@pytest.fixture
def by_hand(sample: Sample) -> int:
    """A reissue that only a person can enter: the shop has no connection to the platform."""
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["numbering"]}
    with for_shops([sample.shop_id]):
        Connection.objects.filter(kind="doudian").delete()
    draft = queries.open_draft(**about, now=sample.now)
    form = replace(draft.form, carrier="yuantong", number=FRESH)
    done = actions.submit(**about, form=form, by=sample.actor(Role.LEAD), override_reason="急用")
    assert done.effect_id is None
    return done.reissue_id


def test_copied_fields_are_marked_for_who_copied_them(sample: Sample, by_hand: int, signed_in: SignIn) -> None:
    lead, owner = signed_in("lead"), signed_in("owner")
    page = f"/cases/{sample.shop_id}/{sample.cases['numbering']}/"
    html = lead.get(page).content.decode()
    assert f'data-copy="{FRESH}"' in html
    assert html.index('value="order"') < html.index('value="carrier"') < html.index('value="number"')
    answer = lead.post(f"{page}copied/", {"reissue": by_hand, "name": "number"}, HTTP_HX_REQUEST="true")
    assert answer.content.decode().count("已复制") == 1
    assert lead.get(page).content.decode().count("已复制") == 1
    assert "已复制" not in owner.get(page).content.decode()
    assert lead.post(f"{page}copied/", {"reissue": by_hand, "name": "else"}, HTTP_HX_REQUEST="true").status_code == 403


def test_the_pasted_page_settles_it_or_says_what_differs(sample: Sample, by_hand: int, signed_in: SignIn) -> None:
    lead = signed_in("lead")
    page = f"/cases/{sample.shop_id}/{sample.cases['numbering']}/"
    row = cases.case_by_code([sample.shop_id], sample.cases["numbering"])
    assert row is not None

    def paste(text: str) -> str:
        return lead.post(f"{page}read-page/", {"reissue": by_hand, "page": text}, follow=True).content.decode()

    assert "有的是 YT8888000000002" in paste(f"订单编号 {row.order_number} 圆通 YT8888000000002")
    assert "别的订单" in paste(f"订单编号 1234567890123456 圆通 {FRESH}")
    (sent,) = queries.of_case(sample.shop_id, sample.ids["numbering"])
    assert sent.state == "unknown"
    assert "已认定为受理" in paste(f"订单编号 {row.order_number} 圆通 {FRESH} 收货人 张*")
    (sent,) = queries.of_case(sample.shop_id, sample.ids["numbering"])
    assert sent.state == "accepted"
    assert sent.parcel_id is not None


def test_an_agent_settles_it_by_the_page_but_not_by_a_word(sample: Sample, by_hand: int, signed_in: SignIn) -> None:
    """The page proves it, whoever pasted it; that somebody looked and saw nothing there is a lead's to say."""
    agent = signed_in("agent")
    page = f"/cases/{sample.shop_id}/{sample.cases['numbering']}/"
    row = cases.case_by_code([sample.shop_id], sample.cases["numbering"])
    assert row is not None
    agent.post(f"{page}release/", {"reissue": by_hand, "accepted": "1", "reason": "看过了"})
    (sent,) = queries.of_case(sample.shop_id, sample.ids["numbering"])
    assert sent.state == "unknown"
    fields = {"reissue": by_hand, "page": f"订单编号 {row.order_number} 圆通 {FRESH}"}
    html = agent.post(f"{page}read-page/", fields, follow=True).content.decode()
    assert "平台页面上有这个订单和单号，认定为受理" in html  # the timeline says how
    (sent,) = queries.of_case(sample.shop_id, sample.ids["numbering"])
    assert sent.state == "accepted"


def test_the_page_settles_what_reading_back_could_not(sample: Sample, signed_in: SignIn) -> None:
    """With API, too: the effect ends as that person's finding, and reading back has nothing more to say."""
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["numbering"]}
    form = replace(queries.open_draft(**about, now=sample.now).form, carrier="yuantong", number=FRESH)
    done = actions.submit(**about, form=form, by=sample.actor(Role.LEAD), override_reason="急用", delay=timedelta(0))
    assert done.effect_id is not None
    begun = effects.begin(shop_id=sample.shop_id, effect_id=done.effect_id)
    assert begun is not None
    with for_shops([sample.shop_id]):
        ended = effects.finish(
            shop_id=sample.shop_id, effect_id=done.effect_id, attempt=begun.attempt, result=Result.UNKNOWN
        )
        assert ended is not None
        actions.on_effect(ended)
    agent = signed_in("agent")
    page = f"/cases/{sample.shop_id}/{sample.cases['numbering']}/"
    row = cases.case_by_code([sample.shop_id], sample.cases["numbering"])
    assert row is not None
    assert "read-page/" in agent.get(page).content.decode()
    agent.post(f"{page}read-page/", {"reissue": done.reissue_id, "page": f"订单 {row.order_number} 运单 {FRESH}"})
    settled = effect_queries.by_id([sample.shop_id], [done.effect_id])[done.effect_id]
    assert (settled.state, settled.settled_by) == ("accepted", "林")


def test_the_pack_holds_no_plain_buyer(sample: Sample, by_hand: int) -> None:
    fields = {one.name: one.text for one in copy_pack.pack(sample.shop_id, by_hand, 1)}
    assert tuple(fields) == ("order", "carrier", "number", "items", "pickup", "delivery")
    assert (fields["carrier"], fields["number"]) == ("圆通速递", FRESH)
    assert fields["items"].endswith("×1")
    assert "未来路 1 号" in fields["pickup"]
    assert "*" in fields["delivery"]
