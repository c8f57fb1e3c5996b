"""Incidents at the desk: found on Today and in the list, looked into, and worked on as one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from bufa.apps.cases import incident_views as views
from bufa.apps.cases.incident_views import IncidentRow
from bufa.apps.negotiations import queries as talks
from bufa.jobs import incidents as jobs
from tests.factories.sample import Sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(sample: Sample) -> IncidentRow:
    jobs.regroup([sample.shop_id], sample.now)
    (found,) = views.open_incidents([sample.shop_id])
    return found


def url(row: IncidentRow, rest: str = "") -> str:
    return f"/incidents/{row.shop_id}/{row.code}/{rest}"


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def hidden(html: str, name: str) -> str:
    (value,) = re.findall(rf'<form[^>]*do/".*?name="{name}" value="([^"]*)"', html, re.DOTALL)
    return value


def test_it_is_found_from_today_the_list_its_parcels_and_cases(owner: Client, sample: Sample, row: IncidentRow) -> None:
    here = url(row)
    inside = views.members(row.shop_id, row.incident_id)
    for path in (
        "/",
        "/incidents/",
        f"/parcels/{row.shop_id}/{inside[0].parcel_id}/",
        f"/cases/{row.shop_id}/{sample.cases['fresh']}/",
    ):
        assert f'href="{here}"' in text(owner, path), path
    page = text(owner, here)
    assert "中通快递 武汉转运中心" in page
    assert all(each.number in page for each in inside)
    assert "还没有过去的事故" in text(owner, "/incidents/?view=past")


def test_nothing_there_says_what_would_come(owner: Client, sample: Sample) -> None:
    assert "现在没有事故" in text(owner, "/incidents/")
    assert owner.get(f"/incidents/{sample.shop_id}/I-20260101-01/").status_code == 404


def test_the_letter_is_seen_first_and_a_double_press_sends_one(owner: Client, row: IncidentRow) -> None:
    to = talks.contacts([row.shop_id], row.carrier)[0].contact_id
    said = {"deed": "ask", "contact": str(to), "hours": "12", "extra": "周四前急用"}
    seen = owner.post(url(row, "look/"), said)
    html = seen.content.decode()
    assert seen.status_code == 200
    assert "还什么都没有做" in html and "周四前急用" in html and f"[{row.code}]" in html  # noqa: PT018
    assert views.runs(row.shop_id, row.incident_id) == ()
    press = {**said, "key": hidden(html, "key")}
    assert [owner.post(url(row, "do/"), press).status_code for _ in range(2)] == [303, 303]
    (run,) = views.runs(row.shop_id, row.incident_id)
    assert (run.deed, len(run.effects)) == ("ask", 1)
    page = text(owner, url(row))
    assert "data-take-back" in page
    assert text(owner, url(row, "runs/")).count("每一件的结果") == 1

    assert owner.post(url(row, f"runs/{run.run_id}/undo/")).status_code == 303
    assert views.runs(row.shop_id, row.incident_id)[0].undone_by
    assert owner.post(url(row, "runs/99999/undo/")).status_code == 404


def test_what_was_typed_stays_where_it_is_wrong(owner: Client, row: IncidentRow) -> None:
    answer = owner.post(url(row, "look/"), {"deed": "snooze", "until": "24", "reason": ""})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(r'id="deed-snooze".*?aria-invalid="true"', html, re.DOTALL)
    assert '<option value="24" selected>' in html
    assert owner.post(url(row, "look/"), {"deed": "nothing"}).status_code == 404
    assert owner.post(url(row, "do/"), {"deed": "snooze", "until": "24", "reason": "x"}).status_code == 404  # no key


def test_who_may_not_work_on_cases_sees_why(signed_in: Callable[[str], Client], row: IncidentRow) -> None:
    finance = signed_in("finance")
    page = text(finance, url(row))
    assert re.search(r'data-key="2" disabled', page)
    answer = finance.post(url(row, "look/"), {"deed": "snooze", "until": "24", "reason": "等"})
    assert answer.status_code == 422
    assert views.runs(row.shop_id, row.incident_id) == ()


def test_the_page_asks_no_more_for_more_parcels(
    owner: Client, row: IncidentRow, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with django_assert_max_num_queries(40):  # type: ignore[attr-defined]
        text(owner, url(row))


def test_english(owner: Client, row: IncidentRow) -> None:
    owner.post("/my-language/", {"language": "en", "next": "/"})
    page = text(owner, url(row))
    shown = re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1])
    shown = re.sub(r"武汉转运中心|广东省|武汉市|浙江省|林|周", "", shown)
    assert not re.search(r"[\u4e00-\u9fff]", shown), re.findall(r".{20}[\u4e00-\u9fff]+.{5}", shown)[:8]
