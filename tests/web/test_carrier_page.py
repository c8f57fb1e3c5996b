"""The carrier's page: a secret address, an answer for each parcel, nothing acted on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import CaseFile
from bufa.apps.negotiations import answers, links
from bufa.apps.negotiations.models import Consent
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.sample import PASSWORD, Sample, make_sample
from tests.lib.test_papers import photo

AGENT = Actor(7, "林", Role.AGENT)


def made(sample: Sample, **more: object) -> str:
    ids = [sample.ids["asking"], sample.ids["fresh"]]
    given = {"shop_id": sample.shop_id, "carrier": "zhongtong", "case_ids": ids, "by": AGENT} | more
    return links.make_link(**given)  # type: ignore[arg-type]


def test_made_at_the_desk_opened_without_an_account_answered_and_accepted(sample: Sample, owner: Client) -> None:
    page = owner.post("/carriers/zhongtong/link/", {"name": "刘经理", "days": "3"}).content.decode()
    token = page.partition("/c/")[2].partition("/")[0]
    stranger = Client()
    answer = stranger.get(f"/c/{token}/")
    said = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "73000000000001" in said
    assert "138****5678" not in said
    assert "5678" not in said
    assert "张" not in said
    case_id = sample.ids["asking"]
    at = f"/c/{token}/{case_id}/"
    told = {"result": "lost", "consent": "yes", "amount": "60", "freight": "carrier", "words": "网点赔付",
            "photo": SimpleUploadedFile("a.png", photo("red"))}  # fmt: skip
    assert stranger.post(at, told).status_code == 303
    assert "已答" in stranger.get(f"/c/{token}/").content.decode()
    with for_shops([sample.shop_id]):
        assert Consent.objects.filter(result="given").count() == 0
        assert CaseFile.objects.get(case_id=case_id).by == "承运商页面 刘经理"
    [one] = answers.waiting([sample.shop_id], case_id=case_id)
    assert (one.sender, one.said.consent, one.said.amount_fen, one.words) == ("刘经理", True, 6000, "网点赔付")
    owner.post(f"/carriers/answers/{sample.shop_id}/{one.answer_id}/accept/", {})
    with for_shops([sample.shop_id]):
        assert Consent.objects.get(result="given").person == "刘经理"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "至少答一项"),
        ({"consent": "no"}, "不同意要写原因"),
        ({"amount": "-1"}, "大于"),
        ({"promise_on": "2020-01-01"}, "90 天内"),
        ({"result": "eaten"}, "eaten"),
        ({"photo": SimpleUploadedFile("a.jpg", b"not a picture")}, "打不开"),
    ],
)
def test_a_broken_answer_comes_back_with_a_reason_and_nothing_is_kept(
    sample: Sample, told: dict[str, object], words: str
) -> None:
    token = made(sample)
    answer = Client().post(f"/c/{token}/{sample.ids['asking']}/", told)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert answers.waiting([sample.shop_id]) == ()


def test_an_address_opens_only_while_it_holds_and_only_its_own_cases(sample: Sample) -> None:
    token = made(sample, days=2)
    stranger = Client()
    shop, _, secret = token.partition("-")
    for wrong in (f"{shop}-x", f"{int(shop) + 1}-{secret}", "x", "-", f"{shop}-", "9" * 30 + "-a", f"{shop}-{secret}x"):
        assert stranger.get(f"/c/{wrong}/").status_code == 404
        assert stranger.post(f"/c/{wrong}/{sample.ids['asking']}/", {"result": "lost"}).status_code == 404
    assert stranger.post(f"/c/{token}/{sample.ids['numbering']}/", {"result": "lost"}).status_code == 404
    with clock.frozen(sample.now + timedelta(days=2, minutes=1)):
        assert stranger.get(f"/c/{token}/").status_code == 404
    assert stranger.get(f"/c/{token}/").status_code == 200
    [row] = links.links(sample.shop_id, "zhongtong", sample.now)
    assert (row.cases, row.opened, row.is_live) == (2, 1, True)
    links.revoke_link(shop_id=sample.shop_id, link_id=row.link_id, by=AGENT)
    assert stranger.get(f"/c/{token}/").status_code == 404
    assert stranger.post(f"/c/{token}/{sample.ids['asking']}/", {"result": "lost"}).status_code == 404


def test_an_operator_of_another_shop_sees_the_page_as_any_stranger_does(sample: Sample) -> None:
    token, other = made(sample), make_sample("别家", prefix="o")
    client = Client()
    client.post("/sign-in/", {"username": other.people["owner"], "password": PASSWORD})
    assert client.get(f"/c/{token}/").status_code == 200
    assert client.post(f"/c/{token}/{sample.ids['asking']}/", {"result": "lost"}).status_code == 303


def test_a_link_is_made_for_open_cases_of_that_carrier_only(sample: Sample) -> None:
    for wrong in ({"carrier": "yunda"}, {"case_ids": [sample.ids["closed"]]}, {"days": 31}, {"contact_id": 99_999}):
        with pytest.raises(Refused):
            made(sample, **wrong)


def test_a_script_is_slowed_down(sample: Sample) -> None:
    token, at = made(sample), None
    stranger = Client()
    for count in range(links.MOST_ANSWERS + 1):
        at = stranger.post(f"/c/{token}/{sample.ids['asking']}/", {"result": "lost", "words": str(count)})
    assert at is not None
    assert at.status_code == 422
    assert "太快" in at.content.decode()
