"""Carrier cases at the desk: the list, one question about many, the ladder's switch, contacts, robots and policy."""

from __future__ import annotations

import re

from django.test import Client

from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import queries, robots, talks
from bufa.apps.negotiations.carrier_cases import ladder_of
from bufa.apps.negotiations.models import CarrierCase, CarrierMessage
from bufa.domain.chasing import Rung
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample

AT = "/carriers/zhongtong/"


def words(page: bytes) -> str:
    return re.sub(r"\\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_from_the_list_to_one_question_and_a_text_by_hand(sample: Sample, owner: Client) -> None:
    listed = words(owner.get("/carriers/talks/?carrier=zhongtong&state=asked").content)
    assert sample.cases["asking"] in listed
    assert "催办" in listed
    assert sample.cases["asking"] not in words(owner.get("/carriers/talks/?view=closed").content)
    assert "没有符合的" in words(owner.get("/carriers/talks/?state=refused").content)

    name = {"carrier": "zhongtong", "level": "platform", "name": "平台客服"}
    assert owner.post("/settings/carriers/", name).status_code == 303
    by_hand = next(one for one in queries.contacts([sample.shop_id], "zhongtong") if one.name == "平台客服")
    assert (by_hand.channel, by_hand.level) == ("by_hand", "platform")
    some = {"case": [sample.cases["fresh"], sample.cases["asking"]], "all": "1"}
    page = owner.post(f"{AT}chosen/", some).content.decode()
    assert "选了 2 件" in page
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key
    wish = some | {"key": key[1], "contact": by_hand.contact_id, "hours": "12", "language": "en", "extra": "urgent"}
    assert "Under: " in owner.post(f"{AT}ask/", wish | {"do": "look"}).content.decode()
    assert talks.to_copy([sample.shop_id]) == ()
    assert owner.post(f"{AT}ask/", wish | {"hours": "0"}).status_code == 422
    done = words(owner.post(f"{AT}ask/", wish, follow=True).content)
    assert "一条消息问了 2 件" in done
    [text] = talks.to_copy([sample.shop_id])
    assert (text.parcels, text.text.rstrip().endswith("urgent")) == (2, True)
    assert "2 parcels, please answer by waybill" in owner.get("/carriers/").content.decode()
    told = owner.post(f"/carriers/texts/{sample.shop_id}/", {"message": text.message_id, "sent": "1"}, follow=True)
    assert "2 件开始等答复" in words(told.content)
    with for_shops([sample.shop_id]):
        assert set(CarrierMessage.objects.filter(contact_id=by_hand.contact_id).values_list("state", flat=True)) == {
            "sent"
        }
        assert Effect.objects.filter(kind="carrier_mail").count() == 1  # the sample's own

    made = owner.post(
        f"{AT}link/", {"case": [sample.cases["fresh"]], "all": "1", "days": "3", "name": "刘"}
    ).content.decode()
    assert re.search(r"/c/\d+-", made)
    assert "1 件 · 打开 0 次" in words(made.encode())


def test_the_ladder_contacts_robots_and_policy(sample: Sample, owner: Client) -> None:
    case = f"/cases/{sample.shop_id}/{sample.cases['asking']}/"
    assert "停止自动催办" in owner.get(case).content.decode()
    owner.post(f"{case}ladder-stop/", {"reason": "站长说今天送"})
    page = words(owner.get(case).content)
    assert "站长说今天送" in page
    owner.post(f"{case}ladder-resume/", {"reason": "没送"})
    with for_shops([sample.shop_id]):
        row = CarrierCase.objects.get(case_id=sample.ids["asking"])
        assert (row.next_rung, row.stopped_at) == ("remind", None)

    given = {
        "carrier": "yuantong",
        "branch": "九堡",
        "email": "a@b.example",
        "opens": "09:00",
        "closes": "18:00",
        "days": ["1", "2", "3", "4", "5"],
    }
    owner.post("/settings/carriers/", given)
    page = words(owner.get("/settings/carriers/").content)
    assert "周一–周五 09:00–18:00" in page
    assert owner.post("/settings/carriers/", given | {"closes": "08:00"}).status_code == 422
    made = next(one for one in queries.contacts([sample.shop_id], "yuantong") if one.branch == "九堡")
    assert 'value="09:00"' in owner.get(f"/settings/carriers/?contact={made.contact_id}").content.decode()
    owner.post("/settings/carriers/", given | {"contact": made.contact_id, "email": "c@b.example", "days": []})
    changed = next(one for one in queries.contacts([sample.shop_id], "yuantong") if one.branch == "九堡")
    assert (changed.contact_id, changed.email, changed.days) == (made.contact_id, "c@b.example", "1234567")

    policy = {"is_on": "on", "reminders": "2"} | {rung.value: "8" for rung in Rung}
    owner.post("/settings/carriers/chase/", policy)
    assert (ladder_of(sample.shop_id).reminders, ladder_of(sample.shop_id).hours[Rung.PLATFORM]) == (2, 8)
    assert owner.post("/settings/carriers/chase/", policy | {"remind": "999"}).status_code == 422
    evil = {"name": "群", "address": "https://evil.example/robot/send?access_token=0123456789"}
    assert "不会往那里发" in words(owner.post("/settings/carriers/robot/", evil, follow=True).content)
    assert robots.robots([sample.shop_id]) == ()
