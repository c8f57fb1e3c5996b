"""Many cases at once: picked or pasted, looked through, done once, taken back; views kept and shared."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client

from bufa.apps.cases import queries as cases
from bufa.apps.cases import run_queries, runs
from bufa.apps.cases.actors import Actor
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Role
from bufa.domain.many import ManyAct
from tests.factories.sample import Sample
from tests.web.test_queries import at_most


def picks(sample: Sample, *names: str) -> list[str]:
    return [f"{sample.shop_id}:{sample.cases[name]}" for name in names]


def owners(sample: Sample) -> dict[str, str]:
    rows = cases.cases_by_code([sample.shop_id], list(sample.cases.values()))
    by_code = {row.code: row.owner_name for row in rows}
    return {name: by_code[code] for name, code in sample.cases.items()}


def agent_id(sample: Sample) -> int:
    return next(one.operator_id for one in shops.members([sample.shop_id]) if one.role is Role.AGENT)


def test_assign_is_shown_then_done_then_taken_back(sample: Sample, owner: Client) -> None:
    before = owners(sample)
    names = ("fresh", "asking", "closed")
    said = {"key": "k1", "act": "assign", "owner": str(agent_id(sample)), "until": "scan", "measure": "chase"}
    answer = owner.post("/cases/many/", {**said, "case": picks(sample, *names)})
    assert (answer.status_code, answer["Location"]) == (303, "/cases/runs/k1/")
    assert owners(sample) == before, "nothing is done before it was looked at"
    with at_most(12):
        page = owner.get("/cases/runs/k1/").content.decode()
    assert "会做 2 个案件" in page
    assert "1 个不能做" in page, "a closed case is said to be left out"
    assert page.count('<td data-label="会变成">林</td>') == 2

    for _ in range(2):  # pressed twice
        owner.post("/cases/runs/k1/start/")
    after = owners(sample)
    assert (after["fresh"], after["asking"], after["closed"]) == ("林", "林", before["closed"])
    page = owner.get("/cases/runs/k1/").content.decode()
    assert "2 个里 2 个有了结果" in page
    view = cases.case_page(sample.shop_id, sample.cases["fresh"], Role.OWNER, sample.now)
    assert view is not None
    assert [entry.kind for entry in view.timeline].count("take") == 1

    owner.post("/cases/runs/k1/undo/")
    assert owners(sample) == before


def test_the_same_form_twice_is_one_run(sample: Sample, owner: Client) -> None:
    said = {"key": "k2", "act": "note", "reason": "客户催了两次", "owner": "me", "until": "scan", "measure": "chase"}
    for _ in range(2):
        owner.post("/cases/many/", {**said, "case": picks(sample, "fresh", "asking")})
    (run,) = run_queries.by_key([sample.shop_id], "k2")
    assert run.total == 2
    owner.post("/cases/runs/k2/start/")
    owner.post("/cases/runs/k2/start/")
    view = cases.case_page(sample.shop_id, sample.cases["fresh"], Role.OWNER, sample.now)
    assert view is not None
    assert [entry.words for entry in view.timeline].count("客户催了两次") == 1


def test_an_act_that_cannot_be_done_says_why_in_its_row(sample: Sample, owner: Client) -> None:
    said = {"key": "k3", "act": "measure", "measure": "chase", "owner": "me", "until": "scan"}
    owner.post("/cases/many/", {**said, "case": picks(sample, "fresh", "following")})
    (run,) = run_queries.by_key([sample.shop_id], "k3")
    assert [row.state for row in run.rows] == ["closed", "closed"], "no verdict yet; the reissue is on its way"
    assert all(row.why is not None for row in run.rows)
    page = owner.get("/cases/runs/k3/").content.decode()
    assert "disabled" in page


def test_confirm_then_measure(sample: Sample, owner: Client) -> None:
    common = {"owner": "me", "until": "scan", "measure": "chase"}
    owner.post("/cases/many/", {"key": "k4", "act": "confirm", **common, "case": picks(sample, "fresh")})
    owner.post("/cases/runs/k4/start/")
    owner.post("/cases/many/", {"key": "k5", "act": "measure", **common, "case": picks(sample, "fresh")})
    owner.post("/cases/runs/k5/start/")
    row = cases.case_by_code([sample.shop_id], sample.cases["fresh"])
    assert row is not None
    assert (row.measure, row.step) == ("chase", "negotiate")
    answer = owner.post("/cases/runs/k5/undo/", follow=True)
    assert "不能一起撤销" in answer.content.decode()


def test_snooze_and_back(sample: Sample, owner: Client) -> None:
    said = {"key": "k6", "act": "snooze", "until": "24", "reason": "等网点回话", "owner": "me", "measure": "chase"}
    owner.post("/cases/many/", {**said, "case": picks(sample, "fresh", "asking")})
    owner.post("/cases/runs/k6/start/")
    (run,) = run_queries.by_key([sample.shop_id], "k6")
    assert [row.state for row in run.rows] == ["done", "done"]
    assert {each.state for each in cases.findings_of([sample.shop_id], [row.case.parcel_id for row in run.rows])} == {
        "snoozed"
    }
    owner.post("/cases/runs/k6/undo/")
    assert {each.state for each in cases.findings_of([sample.shop_id], [row.case.parcel_id for row in run.rows])} >= {
        "open"
    }


def test_a_run_that_died_goes_on_where_it_stood(sample: Sample) -> None:
    by = Actor(agent_id(sample), "林", Role.AGENT)
    ids = [sample.ids["fresh"], sample.ids["asking"], sample.ids["numbering"]]
    run_id = runs.look_through(
        shop_id=sample.shop_id, key="k7", act=ManyAct.SNOOZE, params={}, words="等", case_ids=ids, by=by
    )
    assert runs.start(shop_id=sample.shop_id, run_id=run_id, by=by) == 3
    assert runs.do_next(shop_id=sample.shop_id, run_id=run_id)  # and then the process is gone
    assert run_queries.running([sample.shop_id]) == [(sample.shop_id, run_id)]
    while runs.do_next(shop_id=sample.shop_id, run_id=run_id):
        pass
    (run,) = run_queries.by_key([sample.shop_id], "k7")
    assert (run.state, run.count("done")) == ("done", 3)


def test_a_stranger_and_the_warehouse_do_nothing(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    said = {"key": "k8", "act": "assign", "owner": "none", "until": "scan", "measure": "chase"}
    warehouse = signed_in("warehouse")
    answer = warehouse.post("/cases/many/", {**said, "case": picks(sample, "fresh")}, follow=True)
    assert "cases/runs" not in answer.request["PATH_INFO"]
    assert run_queries.by_key([sample.shop_id], "k8") == ()
    assert 'name="case"' not in warehouse.get("/cases/").content.decode()


def test_pasted_numbers_are_named(sample: Sample, owner: Client) -> None:
    row = cases.case_by_code([sample.shop_id], sample.cases["fresh"])
    assert row is not None
    heap = f"""中通 {row.number}, {row.number}
      {sample.cases["asking"]}；6900000000000020
      订单：{row.order_number} 9999888877776666"""
    with at_most(30):
        page = owner.post("/cases/numbers/", {"numbers": heap}).content.decode()
    cells = re.findall(r'<td data-label="是什么"><span><span class="badge \w*">([^<]+)</span>', page)
    assert cells == ["案件", "案件", "订单", "案件", "没找到"]
    assert "粘贴了 2 次，只算一次" in page
    assert f"和 {row.number} 是同一个案件" in page
    assert page.count('<input type="hidden" name="case"') == 2


def test_nothing_that_is_a_number_is_said_so(sample: Sample, owner: Client) -> None:
    answer = owner.post("/cases/numbers/", {"numbers": "你好，在吗？"})
    assert answer.status_code == 422
    assert "没有认出单号" in answer.content.decode()


def test_a_view_is_kept_renamed_deleted_and_brought_back(sample: Sample, owner: Client) -> None:
    said = {"query": "step=number&waiting=shop&after=xx&cols=parcel&cols=order", "name": "待填号", "shared": ""}
    answer = owner.post("/cases/views/", said)
    view = re.search(r"view=(\d+)", answer["Location"])
    assert view is not None
    page = owner.get("/cases/").content.decode()
    assert f'href="?step=number&amp;waiting=shop&amp;cols=parcel%2Corder&amp;view={view[1]}"' in page
    opened = owner.get(f"/cases/?step=number&waiting=shop&cols=parcel%2Corder&view={view[1]}").content.decode()
    assert '<th scope="col">订单</th>' in opened
    assert '<th scope="col">谁在办</th>' not in opened

    do = f"/cases/views/{sample.shop_id}/{view[1]}"
    owner.post(f"{do}/rename/", {"name": "今天要填"})
    assert "今天要填" in owner.get("/cases/").content.decode()
    answer = owner.post(f"{do}/delete/", follow=True)
    assert f"{do}/back/" in answer.content.decode(), "the message can undo it"
    assert "今天要填" not in owner.get("/cases/").content.decode()
    owner.post(f"{do}/back/")
    assert "今天要填" in owner.get("/cases/").content.decode()


def test_views_are_ones_own_or_the_shops(sample: Sample, signed_in: Callable[[str], Client], owner: Client) -> None:
    owner.post("/cases/views/", {"query": "step=number", "name": "老板的", "shared": ""})
    owner.post("/cases/views/", {"query": "overdue=1", "name": "大家的", "shared": "1"})
    agent = signed_in("agent")
    page = agent.get("/cases/").content.decode()
    assert "大家的" in page
    assert "老板的" not in page
    shared = re.search(r"overdue=1&amp;view=(\d+)", page)
    assert shared is not None
    answer = agent.post(f"/cases/views/{sample.shop_id}/{shared[1]}/delete/", follow=True)
    assert "由主管或店主" in answer.content.decode()
    answer = agent.post("/cases/views/", {"query": "", "name": "偷偷分享", "shared": "1"}, follow=True)
    assert "由主管或店主" in answer.content.decode()
