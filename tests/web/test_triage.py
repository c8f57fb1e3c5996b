"""Triage: the finding that waits longest first; real, the same, none or later; each taken back; one wins."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client

from bufa.apps.cases import queries as cases
from bufa.apps.cases import triage
from bufa.domain.kinds import Role
from tests.factories.sample import Sample


def waiting(sample: Sample) -> list[int]:
    return [each.finding.finding_id for each in triage.queue([sample.shop_id])[0]]


def undo_of(page: str) -> str:
    found = re.search(r'action="(/triage/\d+/\d+/(?:back|return)/)"', page)
    assert found is not None
    return found[1]


def state_of(sample: Sample, finding_id: int) -> tuple[str, str]:
    view = cases.case_page(sample.shop_id, sample.cases["fresh"], Role.OWNER, sample.now)
    assert view is not None
    found = next(each for each in view.findings if each.finding_id == finding_id)
    return found.state, found.certainty


def test_only_what_nobody_works_on_waits(sample: Sample, owner: Client) -> None:
    page = owner.get("/triage/").content.decode()
    (only,) = waiting(sample)
    assert "1 个等着看" in page
    assert f"/triage/{sample.shop_id}/{only}/confirm/" in page
    assert "autofocus" in page, "the keyboard stands on the finding"
    listed = owner.get("/triage/?view=list").content.decode()
    assert listed.count('data-row-key="1"') == 1


def test_confirm_counts_and_is_taken_back(sample: Sample, owner: Client) -> None:
    (only,) = waiting(sample)
    assert state_of(sample, only) == ("open", "suspected") or state_of(sample, only)[1] == "confirmed"
    before = cases.case_page(sample.shop_id, sample.cases["fresh"], Role.OWNER, sample.now)
    page = owner.post(f"/triage/{sample.shop_id}/{only}/confirm/", follow=True).content.decode()
    assert waiting(sample) == []
    assert "没有等着看的新发现" in page
    assert state_of(sample, only) == ("open", "confirmed")
    after = cases.case_page(sample.shop_id, sample.cases["fresh"], Role.OWNER, sample.now)
    assert before is not None
    assert before.verdict is not None
    assert after is not None
    assert after.verdict is not None
    assert after.verdict.confidence >= before.verdict.confidence
    assert next(entry.kind for entry in after.timeline) == "finding_real"
    owner.post(undo_of(page))
    assert waiting(sample) == [only]


def test_two_people_on_one_finding(sample: Sample, owner: Client, signed_in: Callable[[str], Client]) -> None:
    (only,) = waiting(sample)
    agent = signed_in("agent")
    agent.post(f"/triage/{sample.shop_id}/{only}/confirm/")
    page = owner.post(f"/triage/{sample.shop_id}/{only}/none/", follow=True).content.decode()
    assert "林 已经看过了" in page
    assert state_of(sample, only)[0] == "open"


def test_none_later_and_back(sample: Sample, owner: Client) -> None:
    (only,) = waiting(sample)
    page = owner.post(f"/triage/{sample.shop_id}/{only}/later/", {"view": "list"}, follow=True).content.decode()
    assert state_of(sample, only)[0] == "snoozed"
    owner.post(undo_of(page))
    assert state_of(sample, only)[0] == "open"
    page = owner.post(
        f"/triage/{sample.shop_id}/{only}/none/", {"reason": "客户说收到了"}, follow=True
    ).content.decode()
    assert state_of(sample, only)[0] == "dismissed"
    owner.post(undo_of(page))
    assert waiting(sample) == [only]


def test_the_same_as_another_case(sample: Sample, owner: Client) -> None:
    (only,) = waiting(sample)
    page = owner.post(f"/triage/{sample.shop_id}/{only}/same/", {"code": "C-19990101-0001"}, follow=True)
    assert "没有在办的案件 C-19990101-0001" in page.content.decode()
    page = owner.post(f"/triage/{sample.shop_id}/{only}/same/", {"code": sample.cases["fresh"]}, follow=True)
    assert "这就是它自己的案件" in page.content.decode()
    other = sample.cases["asking"]
    page = owner.post(f"/triage/{sample.shop_id}/{only}/same/", {"code": other}, follow=True)
    assert state_of(sample, only)[0] == "dismissed"
    view = cases.case_page(sample.shop_id, other, Role.OWNER, sample.now)
    assert view is not None
    assert (view.timeline[0].kind, view.timeline[0].data["code"]) == ("finding_same", sample.cases["fresh"])
    owner.post(undo_of(page.content.decode()))
    assert waiting(sample) == [only]


def test_who_may_not_work_cases_only_looks(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    (only,) = waiting(sample)
    finance = signed_in("finance")
    assert 'data-key="1" disabled' in finance.get("/triage/").content.decode()
    finance.post(f"/triage/{sample.shop_id}/{only}/confirm/")
    assert waiting(sample) == [only]
