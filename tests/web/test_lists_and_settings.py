"""Search, filters, tickets, calls, inbox, import, settings: end to end by plain forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.audit import queries as audit
from bufa.apps.cases import queries as cases
from bufa.apps.inbox import queries as inbox
from bufa.apps.negotiations import queries as negotiations
from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import queries as shops
from tests.factories.sample import PASSWORD, Sample, make_sample

SignIn = Callable[[str], Client]


@pytest.mark.parametrize("wish", ["code", "tail", "waybill", "order"])
def test_the_search_box_leads_to_the_case(sample: Sample, owner: Client, wish: str) -> None:
    row = cases.case_by_code([sample.shop_id], sample.cases["asking"])
    assert row is not None
    text = {"code": row.code, "tail": row.code[-4:], "waybill": row.number, "order": row.order_number}[wish]
    answer = owner.post("/find/", {"q": f" {text} "})
    if answer.status_code == 303:
        assert answer["Location"] == f"/cases/{sample.shop_id}/{row.code}/"
    else:
        assert row.code in answer.content.decode()


def test_the_search_box_knows_reissue_numbers_and_phones(sample: Sample, owner: Client) -> None:
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["following"])
    answer = owner.post("/find/", {"q": sent.code.lower()})
    assert answer["Location"] == f"/cases/{sample.shop_id}/{sample.cases['following']}/"
    assert "没有找到" in owner.post("/find/", {"q": "nothing-here"}).content.decode()


def test_what_is_searched_for_never_stands_in_an_address(sample: Sample, owner: Client) -> None:
    assert "要找什么" in owner.get("/find/?q=5678").content.decode()


def test_filters_and_pages(sample: Sample, owner: Client) -> None:
    def codes(query: str) -> list[str]:
        page = owner.get(f"/cases/{query}").content.decode()
        return [name for name, code in sample.cases.items() if f"/{code}/" in page]

    assert codes("?step=negotiate") == ["asking"]
    assert codes("?state=closed") == ["closed"]
    assert codes("?measure=chase") == ["asking"]
    assert codes("?waiting=platform&step=number") == ["submitting"]
    assert codes("?owner=me") == []
    assert len(codes("?owner=none")) == 7
    assert codes("?carrier=yuantong") == []
    assert "没有符合的案件" in owner.get("/cases/?text=none").content.decode()
    assert owner.get("/cases/?step=nonsense&state=nonsense&after=nonsense").status_code == 200


def test_a_ticket_is_agreed_or_refused(sample: Sample, signed_in: SignIn) -> None:
    agent, finance = signed_in("agent"), signed_in("finance")
    page = finance.get("/after-sales/").content.decode()
    assert "disabled" in page
    finance.post(f"/after-sales/{sample.shop_id}/7001/agree/")
    assert kinds(sample) == []
    answer = agent.post(f"/after-sales/{sample.shop_id}/7001/refuse/", {"reason": ""})
    assert answer.status_code == 422
    agent.post(f"/after-sales/{sample.shop_id}/7001/agree/")
    assert kinds(sample) == ["ticket.agree"]


def kinds(sample: Sample) -> list[str]:
    """What was asked of the platform about tickets, as the audit chain has it."""
    return [each.action for each in audit.newest([sample.shop_id]) if each.action.startswith("ticket.")]


def test_a_call_that_nobody_answered_stays(sample: Sample, owner: Client) -> None:
    page = owner.get("/tasks/").content.decode()
    assert sample.cases["telling"] in page
    notice = page.partition(f"/tasks/{sample.shop_id}/")[2].partition("/")[0]
    owner.post(f"/tasks/{sample.shop_id}/{notice}/", {"outcome": "no_answer"})
    assert "无人接听" in owner.get("/tasks/").content.decode()
    owner.post(f"/tasks/{sample.shop_id}/{notice}/", {"outcome": "reached"})
    assert sample.cases["telling"] not in owner.get("/tasks/").content.decode()


def test_parked_messages_say_why_and_come_back(sample: Sample, signed_in: SignIn) -> None:
    lead = signed_in("lead")
    assert "没有这个运单的包裹：7300000000" in lead.get("/inbox/").content.decode()
    signed_in("agent").post("/inbox/retry/")
    assert inbox.counts([sample.shop_id])["parked"] == 1
    lead.post("/inbox/retry/")
    assert inbox.counts([sample.shop_id])["parked"] == 0


def upload(client: Client, text: str, name: str = "a.csv", encoding: str = "utf-8") -> str:
    file = SimpleUploadedFile(name, text.encode(encoding), "text/csv")
    answer = client.post("/import/", {"kind": "orders", "file": file})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_file_says_row_by_row_what_it_could_not_take(sample: Sample, owner: Client) -> None:
    rows = "订单编号,商品名称,商品数量,实付金额\n6911111111111111,杯子,1,19.90\n6922222222222222,碗,零,5\n"
    page = upload(owner, rows)
    assert "2 行里收下 1 行，没有收 1 行" in page
    assert "数量 零 不对" in page
    assert "没有收 1 行" in upload(owner, rows, encoding="gbk")
    assert "整个文件都没有收" in upload(owner, "甲,乙\n1,2\n")
    assert "6911111111111111" in owner.get("/parcels/?view=all&text=6911111111111111").content.decode()


def test_an_agent_may_not_import(sample: Sample, signed_in: SignIn) -> None:
    page = upload(signed_in("agent"), "订单编号,商品名称,商品数量\n6911111111111111,杯子,1\n")
    assert 'id="report"' not in page
    assert "请有这个权限的同事来做" in page


def test_settings_are_the_owners(sample: Sample, owner: Client, signed_in: SignIn) -> None:
    said = {
        "name": "新店名",
        "consent": "always",
        "freight": "9.5",
        "wait_hours": "36",
        "chase_hours": "12",
    }
    signed_in("lead").post("/settings/", said)
    assert shops.policy_json(sample.shop_id) == {}
    assert owner.post("/settings/", said | {"freight": "x"}).status_code == 422
    owner.post("/settings/", said)
    assert shops.shop(sample.shop_id).name == "新店名"
    assert shops.policy_json(sample.shop_id)["freight_fen"] == 950


def test_contacts_addresses_and_people(sample: Sample, owner: Client) -> None:
    owner.post("/settings/carriers/", {"carrier": "shunfeng", "email": "sf@carrier.example", "branch": "余杭"})
    (made,) = negotiations.contacts([sample.shop_id], "shunfeng")
    owner.post("/settings/carriers/", {"remove": made.contact_id})
    assert negotiations.contacts([sample.shop_id], "shunfeng") == ()
    address = {"contact": "李", "phone": "13900000000", "province": "上海市", "city": "上海市", "detail": "南京路 1 号"}
    owner.post("/settings/pickup/", address)
    assert len(shops.pickup_addresses([sample.shop_id])) == 2
    used = next(each for each in shops.pickup_addresses([sample.shop_id]) if each.is_default)
    owner.post("/settings/pickup/", {"remove": used.pickup_id})
    assert len(shops.pickup_addresses([sample.shop_id])) == 2
    owner.post("/settings/people/", {"login": "new", "role": "agent", "password": "short"})
    assert "new" not in {each.login for each in shops.members([sample.shop_id])}
    owner.post("/settings/people/", {"login": "new", "role": "agent", "password": "a-long-enough-word"})
    made_ = next(each for each in shops.members([sample.shop_id]) if each.login == "new")
    owner.post("/settings/people/", {"operator": made_.operator_id, "role": "lead"})
    owner.post("/settings/people/", {"operator": made_.operator_id, "disable": "1"})
    after = next(each for each in shops.members([sample.shop_id]) if each.login == "new")
    assert (after.role, after.is_active) == ("lead", False)
    # The message takes it back, with the role that they had.
    page = owner.get("/settings/people/").content.decode()
    assert "已停用，从现在起进不了这家店" in page
    undo = page[: page.rindex("data-undo")].rpartition("<form")[2]
    assert 'name="enable" value="1"' in undo
    owner.post("/settings/people/", {"operator": made_.operator_id, "enable": "1"})
    back = next(each for each in shops.members([sample.shop_id]) if each.login == "new")
    assert (back.role, back.is_active) == ("lead", True)


def test_the_last_owner_stays(sample: Sample, owner: Client) -> None:
    me = next(each for each in shops.members([sample.shop_id]) if each.role == "owner")
    owner.post("/settings/people/", {"operator": me.operator_id, "disable": "1"})
    assert "至少要有一位店主" in owner.get("/settings/people/").content.decode()


def test_secrets_go_in_and_never_come_out(sample: Sample, owner: Client, signed_in: SignIn) -> None:
    said = {"customer": "C1", "key": "very-secret-key", "salt": "pepper", "base_url": "http://127.0.0.1:9"}
    signed_in("lead").post("/settings/connections/kuaidi100/", said)
    assert shops.connection(sample.shop_id, "kuaidi100") is None
    owner.post("/settings/connections/kuaidi100/", said)
    stored = shops.connection(sample.shop_id, "kuaidi100")
    assert stored is not None
    assert (stored.state, stored.has_secret) == ("failing", ("key", "salt"))
    page = owner.get("/settings/connections/").content.decode()
    assert "very-secret-key" not in page
    assert "没有连上" in page
    assert f"/hooks/{sample.shop_id}-" in page
    assert f"/hooks/{sample.shop_id}-" not in signed_in("lead").get("/settings/connections/").content.decode()


def test_changing_a_connection_keeps_what_the_form_does_not_show(sample: Sample, owner: Client) -> None:
    said = {"app_kind": "self", "app_key": "k2", "shop_id": "1", "base_url": "http://127.0.0.1:9", "app_secret": ""}
    said |= {"sms_reissue_sent": "ST_9", "sms_apology": "ST_1"}
    owner.post("/settings/connections/doudian/", said)
    stored = shops.connection(sample.shop_id, "doudian")
    assert stored is not None
    assert stored.settings["app_key"] == "k2"
    assert stored.settings["sms_templates"] == {"reissue_sent": {"id": "ST_9"}, "apology": {"id": "ST_1"}}
    assert stored.has_secret == ("app_secret",)


def test_one_shop_or_all_of_them(sample: Sample, owner: Client) -> None:
    other = make_sample("二店", prefix="b")
    me = next(each for each in shops.members([sample.shop_id]) if each.role == "owner")
    from bufa.apps.shops import actions

    actions.add_member(shop_id=other.shop_id, operator_id=me.operator_id, role="agent", by="test")  # type: ignore[arg-type]
    assert "14 个在办" in owner.get("/cases/").content.decode()
    owner.post("/choose-shop/", {"shop": other.shop_id, "next": "/cases/"})
    assert "7 个在办" in owner.get("/cases/").content.decode()
    assert owner.get(f"/cases/{sample.shop_id}/{sample.cases['fresh']}/").status_code == 200
    owner.post("/choose-shop/", {"shop": "999", "next": "https://elsewhere.example/"})
    assert "14 个在办" in owner.get("/cases/").content.decode()


def test_who_was_disabled_sees_nothing(sample: Sample, owner: Client, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    person = next(each for each in shops.members([sample.shop_id]) if each.login == sample.people["agent"])
    owner.post("/settings/people/", {"operator": person.operator_id, "disable": "1"})
    assert "你还不在任何店铺里" in agent.get("/").content.decode()
    assert agent.get(f"/cases/{sample.shop_id}/{sample.cases['fresh']}/").status_code == 404
    assert agent.get("/cases/").status_code == 200


def test_the_door(sample: Sample, client: Client) -> None:
    wrong = client.post("/sign-in/", {"username": "owner", "password": "nope"})
    assert wrong.status_code == 422
    assert "登录名或密码不对" in wrong.content.decode()
    assert client.post("/sign-in/", {"username": sample.people["owner"], "password": PASSWORD}).status_code == 302
    assert client.get("/")["Cache-Control"] == "no-store, private"
    client.post("/theme/", {"theme": "dark", "next": "/cases/"})
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/sign-out/")
    assert client.get("/").status_code == 302


def test_a_pasted_pickup_address_is_read_and_shown_but_not_saved(sample: Sample, owner: Client) -> None:
    before = shops.pickup_addresses([sample.shop_id])
    pasted = "李掌柜 0571-88889999-8 浙江省杭州市下城区天水街道体育场路229号"
    page = owner.post("/settings/pickup/", {"read": "1", "pasted": pasted})
    assert page.status_code == 200
    assert page.context["form"].initial == {
        "contact": "李掌柜",
        "phone": "0571-88889999-8",
        "province": "浙江省",
        "city": "杭州市",
        "district": "拱墅区",
        "street": "天水街道",
        "detail": "体育场路229号",
    }
    assert "下城区 是旧区划名，现在是拱墅区" in page.content.decode()
    assert owner.post("/settings/pickup/", {"read": "1", "pasted": " "}).status_code == 200
    assert shops.pickup_addresses([sample.shop_id]) == before


def test_a_lead_enters_when_clocks_stand_still_and_takes_it_back(
    sample: Sample, signed_in: Callable[[str], Client]
) -> None:
    said = {
        "code": "festival", "name": "春节", "first": "2027-02-05", "last": "2027-02-12", "end": "either",
        "source": "国务院办公厅通知", "carrier": "",
    }  # fmt: skip
    lead = signed_in("owner")
    assert lead.post("/settings/calendar/", {**said, "last": "2027-02-01"}).status_code == 200
    assert lead.post("/settings/calendar/", {**said, "source": ""}).status_code == 422
    assert lead.post("/settings/calendar/", said).status_code == 303
    page = lead.get("/settings/calendar/").content.decode()
    assert "2027-02-05 – 02-12" in page
    assert "国务院办公厅通知" in page
    address = re.search(r"/settings/calendar/\d+/remove/", page)
    assert address
    assert lead.post(address[0]).status_code == 303
    shown = lead.get("/settings/calendar/").content.decode()
    assert "国务院办公厅通知" not in shown
    assert address[0].replace("remove", "back") in shown
    assert signed_in("agent").post("/settings/calendar/", said).status_code == 200
    assert "国务院办公厅通知" not in lead.get("/settings/calendar/").content.decode()


UNDO = re.compile(
    r'<form method="post" action="([^"]+)"><input[^>]*>((?:<input type="hidden"[^>]*>)*)<button[^>]* data-undo>'
)
HIDDEN = re.compile(r'name="([^"]+)" value="([^"]*)"')


def undo(client: Client, page: str) -> str:
    """Press the undo of the message on this page, and return the page that comes then."""
    found = UNDO.search(page)
    assert found is not None, page
    answer = client.post(found[1], dict(HIDDEN.findall(found[2])), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_deleted_address_and_a_contact_come_back_by_undo(sample: Sample, owner: Client) -> None:
    before = shops.pickup_addresses([sample.shop_id])
    added = replace(before[0], detail="未来路 9 号", is_default=False, platform_id="")
    names = ("contact", "phone", "province", "city", "district", "street", "detail")
    fields = {name: getattr(added, name) for name in names}
    owner.post("/settings/pickup/", fields)
    (new,) = [each for each in shops.pickup_addresses([sample.shop_id]) if each.detail == "未来路 9 号"]
    page = owner.post("/settings/pickup/", {"remove": new.pickup_id}, follow=True).content.decode()
    assert len(shops.pickup_addresses([sample.shop_id])) == len(before)
    assert "未来路 9 号" in undo(owner, page)

    (contact, *_) = negotiations.contacts([sample.shop_id])
    page = owner.post("/settings/carriers/", {"remove": contact.contact_id}, follow=True).content.decode()
    assert contact.email not in {each.email for each in negotiations.contacts([sample.shop_id])}
    undo(owner, page)
    assert contact.email in {each.email for each in negotiations.contacts([sample.shop_id])}
