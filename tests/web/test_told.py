"""Settings › who is told, and what the told person sees."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from bufa.apps.audit import queries as audit
from bufa.apps.parcels.views import parcel_list
from bufa.apps.shops import queries as shops
from tests.factories import NOW
from tests.factories.sample import Sample

pytestmark = pytest.mark.django_db
PAGE = "/settings/telling/"


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_lead_sets_hours_and_whom_and_takes_one_back(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    lead = signed_in("lead")
    said = {"warn_pickup_timeout": "6", "tell_transit_timeout": "leads", "hours_lost_suspected": "100"}
    assert lead.post(PAGE, said).status_code == 303
    policy = shops.policy(sample.shop_id, NOW)
    assert (policy.warn_hours, policy.hours) == ({"pickup_timeout": 6}, {"lost_suspected": 100})
    assert shops.policy_json(sample.shop_id)["tell"] == {"transit_timeout": "leads"}
    assert {row.next_deadline for row in parcel_list([sample.shop_id]).rows if row.stage == "collected"} == {NOW}
    (act, *_) = audit.newest([sample.shop_id], subject=f"shop:{sample.shop_id}")
    assert act.action == "policy.change"

    page = html(lead, PAGE)
    assert len(re.findall(r'name="restore" value="(\w+)"', page)) == 3
    assert lead.post(PAGE, {**said, "restore": "transit_timeout"}).status_code == 303
    assert "tell" not in shops.policy_json(sample.shop_id)
    assert shops.policy(sample.shop_id, NOW).warn_hours == {"pickup_timeout": 6}
    assert lead.post(PAGE, {"restore": "no_such_rule"}).status_code == 404


def test_wrong_hours_are_named_and_nothing_is_lost(sample: Sample, owner: Client) -> None:
    answer = owner.post(
        PAGE, {"warn_pickup_timeout": "6000", "warn_transit_timeout": "5", "tell_lost": "nobody_at_all"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="6000"' in page and 'value="5"' in page  # noqa: PT018
    assert page.count('class="error"') == 2
    assert shops.policy_json(sample.shop_id) == {}


def test_an_agent_sees_but_does_not_set(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    agent = signed_in("agent")
    agent.post(PAGE, {"warn_pickup_timeout": "6"})
    assert shops.policy_json(sample.shop_id) == {}
    assert re.search(r'<button class="btn primary" disabled', html(agent, PAGE))


def test_the_told_person_sees_it_on_today_in_the_list_and_on_the_badge(
    sample: Sample, signed_in: Callable[[str], Client]
) -> None:
    lead, agent = signed_in("lead"), signed_in("agent")
    count = re.search(r'class="n hot"><span aria-hidden="true">(\d+)', html(lead, "/told/badge/"))
    assert count is not None
    assert html(agent, "/told/badge/").strip() == ""
    assert 'id="told"' in html(lead, "/")
    assert 'id="told"' not in html(agent, "/")
    assert "没有要告诉你的" in html(agent, "/told/")
    assert html(lead, "/told/").count("<tr data-row") >= int(count[1])
    assert lead.post("/told/seen/", {"at": "today"}).headers["Location"] == "/"
    assert 'id="told"' not in html(lead, "/")
    assert html(lead, "/told/badge/").strip() == ""
    assert "<tr data-row" in html(lead, "/told/")


def test_each_member_chooses_mails_for_themselves(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    agent = signed_in("agent")
    assert "也发邮件给我" in html(agent, PAGE)
    said = {"address": "lin@shop.example", "every": "30", "quiet_from": "21", "quiet_to": "7"}
    wrong = agent.post("/settings/telling/mail/", {**said, "address": "林@shop.example"})
    assert wrong.status_code == 422
    assert 'value="林@shop.example"' in wrong.content.decode()
    assert agent.post("/settings/telling/mail/", said).headers["Location"] == "/settings/telling/#mail"
    page = html(agent, PAGE)
    assert 'value="lin@shop.example"' in page
    assert re.search(r'<option value="30" selected', page)
    assert re.search(r'name="stop"', page)
    assert 'value="lin@shop.example"' not in html(signed_in("lead"), PAGE)
    assert agent.post("/settings/telling/mail/", {"stop": "1"}).status_code == 303
    assert 'name="stop"' not in html(agent, PAGE)
