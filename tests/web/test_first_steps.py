"""Hints for whoever is new, the way to the next case, and four digits in the list's own search."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client

from bufa.apps.cases import queries as cases
from tests.factories.sample import Sample
from tests.web.test_queries import at_most

SignIn = Callable[[str], Client]


def pointed(client: Client, address: str) -> str | None:
    """The id that the page's hint points at, and that it is there to be pressed; None without a hint."""
    page = client.get(address).content.decode()
    found = re.search(r'data-points href="#?([^"]+)"', page)
    if found and not found[1].startswith("/"):
        assert page.count(f'id="{found[1]}"') == 1
    return found[1] if found else None


def test_hints_follow_the_case_until_they_are_put_away(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    assert 'href="/cases/first/"' in agent.get("/").content.decode()
    with at_most():
        begun = agent.get("/cases/first/")
    assert begun["Location"] == f"/cases/{sample.shop_id}/{sample.cases['fresh']}/"
    where = {name: pointed(agent, f"/cases/{sample.shop_id}/{code}/") for name, code in sample.cases.items()}
    assert where["fresh"] == "do-measure"
    assert where["numbering"] == "do-sms"  # the buyer has to ask for it first
    assert where["asking"].startswith("/cases/next/?after=")  # type: ignore[union-attr]
    assert where["submitting"] is None
    assert where["closed"] is None
    agent.post("/hints/", {"hints": "off", "next": "/"})
    today = agent.get("/").content.decode()
    assert 'id="first"' not in today
    assert "提示收起来了" in today
    assert pointed(agent, f"/cases/{sample.shop_id}/{sample.cases['fresh']}/") is None
    # Each person's own; whoever does not work on cases has none.
    assert 'id="first"' in signed_in("lead").get("/").content.decode()
    assert 'id="first"' not in signed_in("finance").get("/").content.decode()
    agent.post("/hints/", {"hints": "on"})
    assert 'id="first"' in agent.get("/").content.decode()


def test_the_next_case_goes_round_and_leaves_out_what_waits_for_others(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    waiting = {row.code for row in cases.case_list([sample.shop_id]).rows if row.waiting_for == "shop"}
    begin = sample.cases["fresh"]
    seen, code = [], begin
    for _ in range(len(waiting)):
        with at_most():
            answer = agent.get(f"/cases/next/?after={sample.shop_id}:{code}")
        code = answer["Location"].rstrip("/").rpartition("/")[2]
        seen.append(code)
    assert set(seen) == waiting
    assert seen[-1] == begin
    assert agent.get("/cases/next/?after=nonsense").status_code == 303
    assert agent.get("/cases/next/?after=99999:C-1")["Location"].startswith(f"/cases/{sample.shop_id}/")


def test_a_phones_end_finds_its_cases_from_the_list_and_stays_out_of_the_address(
    sample: Sample, signed_in: SignIn
) -> None:
    agent = signed_in("agent")
    page = agent.post("/cases/", {"text": "5678", "state": "all"})
    assert page.status_code == 200
    said = page.content.decode()
    assert sample.cases["fresh"] in said
    assert "手机尾号不写进地址" in said
    assert "5678" not in re.sub(r'value="5678"|\*5678', "", said)
    assert sample.cases["fresh"] not in agent.post("/cases/", {"text": "0000"}).content.decode()
    other = agent.post("/cases/", {"text": "731", "measure": "reissue", "cols": "parcel,order", "state": ""})
    assert (other.status_code, other["Location"]) == (303, "/cases/?text=731&measure=reissue&cols=parcel%2Corder")


def test_parcels_at_risk_by_money_and_their_chance_of_loss(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    with at_most():
        page = agent.get("/parcels/?sort=money").content.decode()
    risks = [
        [int(fen) for fen in re.findall(r"¥(\d+)", cell)]
        for cell in re.findall(r'data-label="将赔" class="num"><span>(.*?)</td>', page, re.DOTALL)
    ]
    money = [after - before for before, after, *_ in risks]
    assert money == sorted(money, reverse=True)
    assert len(money) > 1
    every = agent.get("/parcels/?view=all").content.decode()
    assert re.search(r'data-label="丢失可能" class="num"><span class="bad">\d+%</span>', every)
