"""What people do on a case page, by plain forms: the way without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from bufa.apps.audit import queries as audit
from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import CaseView
from bufa.apps.negotiations import queries as negotiations
from bufa.apps.notices import queries as notices
from bufa.apps.reissues import queries as reissues
from bufa.domain.kinds import Role
from tests.factories import NOW
from tests.factories.sample import Sample

SignIn = Callable[[str], Client]
NEW = "75990000000001"


def view(sample: Sample, name: str) -> CaseView:
    found = cases.case_page(sample.shop_id, sample.cases[name], Role.OWNER, NOW)
    assert found is not None
    return found


def do(client: Client, sample: Sample, name: str, act: str, **said: Any) -> Any:
    """Send a form as the page would, with the version that the person sees."""
    said.setdefault("version", view(sample, name).row.version)
    answer = client.post(f"/cases/{sample.shop_id}/{sample.cases[name]}/{act}/", said)
    assert answer.status_code in (303, 409, 422), (act, answer.status_code)
    return answer


def flash(client: Client, sample: Sample, name: str) -> str:
    page = client.get(f"/cases/{sample.shop_id}/{sample.cases[name]}/").content.decode()
    return page.partition('id="flashes"')[2]


def reissue_form(sample: Sample, name: str, **said: Any) -> dict[str, Any]:
    draft = reissues.open_draft(sample.shop_id, sample.ids[name], NOW)
    form = {"carrier": "yuantong", "number": NEW, "pickup": draft.form.pickup_id, "line_0": 1, "do": "submit"}
    return form | said


def test_verdict_and_measure_in_one_press(sample: Sample, signed_in: SignIn) -> None:
    client = signed_in("agent")
    do(client, sample, "fresh", "decide", claim="lost", measure="reissue")
    row = view(sample, "fresh").row
    assert (row.state, row.measure) == ("asking", "reissue")
    assert "已选补发" in flash(client, sample, "fresh")


def test_waiting_asks_for_hours(sample: Sample, owner: Client) -> None:
    do(owner, sample, "fresh", "decide", claim="stalled", measure="wait", hours="12")
    assert view(sample, "fresh").row.state == "waiting"
    do(owner, sample, "fresh", "wait-over")
    assert view(sample, "fresh").row.state == "determining"


def test_a_change_of_mind_needs_a_reason_and_keeps_what_was_typed(sample: Sample, owner: Client) -> None:
    answer = do(owner, sample, "asking", "decide", claim="lost", measure="refund", reason="")
    assert answer.status_code == 422
    assert "写一句为什么改" in answer.content.decode()
    do(owner, sample, "asking", "decide", claim="lost", measure="refund", reason="客户要退款")
    assert view(sample, "asking").row.measure == "refund"


def test_a_statement_changes_the_verdict(sample: Sample, owner: Client) -> None:
    said = {"source": "carrier", "claim": "lost", "said_at": "2026-11-20T11:00", "words": "已核实丢失"}
    do(owner, sample, "fresh", "statement", **said)
    found = view(sample, "fresh")
    assert [each.words for each in found.statements] == ["显示武汉好几天了，周四要用", "已核实丢失"]
    assert found.verdict is not None
    assert found.verdict.claim == "lost"


def test_an_incomplete_form_comes_back_as_it_was(sample: Sample, owner: Client) -> None:
    answer = do(owner, sample, "fresh", "statement", source="customer", claim="", said_at="bad", words="丢了一整箱")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "丢了一整箱" in page
    assert 'aria-invalid="true"' in page


def test_the_carrier_is_asked_and_answers(sample: Sample, owner: Client) -> None:
    do(owner, sample, "fresh", "decide", claim="lost", measure="reissue")
    contact = negotiations.contacts([sample.shop_id], "zhongtong")[0].contact_id
    do(owner, sample, "fresh", "ask", contact=contact, hours="12", extra="请今天答复")
    talk = negotiations.of_case(sample.shop_id, sample.ids["fresh"], carrier="zhongtong")
    assert [each.purpose for each in talk.messages] == ["ask_consent"]
    assert "请今天答复" in talk.messages[0].body
    consent = {
        "given": "1",
        "person": "王主管",
        "said_at": "2026-11-20T11:30",
        "amount": "38.5",
        "freight_by": "carrier",
    }
    do(owner, sample, "fresh", "consent", **consent)
    (kept,) = negotiations.of_case(sample.shop_id, sample.ids["fresh"], carrier="zhongtong").consents
    assert (kept.result, kept.person, kept.amount_fen, kept.freight_by) == ("given", "王主管", 3850, "carrier")
    assert view(sample, "fresh").row.state == "numbering"


def test_a_refusal_needs_its_reason(sample: Sample, owner: Client) -> None:
    answer = do(owner, sample, "asking", "consent", given="0", person="王", said_at="2026-11-20T11:30")
    assert answer.status_code == 422
    assert "不同意的话，请写下原因" in answer.content.decode()


def test_only_a_lead_goes_on_without_consent(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    refused = do(agent, sample, "asking", "without", reason="等不及了")
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "请有这个权限的同事来做" in page.partition('id="flashes"')[2]
    assert "等不及了" in page
    assert view(sample, "asking").row.state == "asking"
    do(signed_in("lead"), sample, "asking", "without", reason="客户急用")
    assert view(sample, "asking").row.state == "following"


def test_the_gate_answers_before_anything_is_kept(sample: Sample, owner: Client) -> None:
    said = reissue_form(sample, "numbering", number=view(sample, "numbering").original.number, carrier="zhongtong")
    answer = do(owner, sample, "numbering", "reissue/check", **said)
    page = answer.content.decode()
    assert "这是原件的运单号" in page
    address = f"/cases/{sample.shop_id}/{sample.cases['numbering']}/reissue/check/"
    part = owner.post(address, said, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<div id="gate"')
    assert view(sample, "numbering").row.state == "numbering"
    assert reissues.of_case(sample.shop_id, sample.ids["numbering"]) == ()


def test_a_number_that_will_be_punished_needs_a_lead_and_a_reason(sample: Sample, signed_in: SignIn) -> None:
    agent, lead = signed_in("agent"), signed_in("lead")
    answer = do(agent, sample, "numbering", "reissue", **reissue_form(sample, "numbering"))
    assert answer.status_code == 422
    assert NEW in answer.content.decode()
    assert view(sample, "numbering").row.state == "numbering"
    answer = do(lead, sample, "numbering", "reissue", **reissue_form(sample, "numbering"))
    assert answer.status_code == 422
    assert "请写明原因" in answer.content.decode()
    do(lead, sample, "numbering", "reissue", **reissue_form(sample, "numbering", override_reason="客户急用"))
    assert view(sample, "numbering").row.state == "submitting"
    page = lead.get(f"/cases/{sample.shop_id}/{sample.cases['numbering']}/").content.decode()
    assert "data-take-back" in page


def test_a_draft_is_kept_without_submitting(sample: Sample, owner: Client) -> None:
    do(owner, sample, "numbering", "reissue", **reissue_form(sample, "numbering", do="save"))
    (kept,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    assert (kept.state, kept.number) == ("draft", NEW)


def test_ten_seconds_to_take_a_submission_back(sample: Sample, owner: Client) -> None:
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["submitting"])
    do(owner, sample, "submitting", "take-back", owner="reissue", id=sent.reissue_id)
    assert view(sample, "submitting").row.state == "numbering"
    do(owner, sample, "submitting", "take-back", owner="reissue", id=sent.reissue_id)
    assert "撤不回来了" in flash(owner, sample, "submitting")


def test_an_unknown_submission_is_settled_by_a_lead(sample: Sample, signed_in: SignIn) -> None:
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["unknown"])
    said = {"reissue": sent.reissue_id, "accepted": "1", "reason": "后台看到了"}
    do(signed_in("agent"), sample, "unknown", "release", **said)
    assert view(sample, "unknown").row.state == "submitting"
    do(signed_in("lead"), sample, "unknown", "release", **said)
    assert view(sample, "unknown").row.state == "telling"


def test_the_customer_is_told_once(sample: Sample, owner: Client) -> None:
    do(owner, sample, "fresh", "tell", purpose="early_warning", channel="phone")
    (task,) = notices.of_case(sample.shop_id, sample.ids["fresh"])
    assert (task.channel, task.state) == ("phone", "todo")
    do(owner, sample, "fresh", "tell", purpose="early_warning", channel="phone")
    assert "这一轮已经说过了" in flash(owner, sample, "fresh")
    owner.post(f"/tasks/{sample.shop_id}/{task.notice_id}/", {"outcome": "reached", "note": "知道了"})
    (task,) = notices.of_case(sample.shop_id, sample.ids["fresh"])
    assert (task.state, task.outcome, task.note) == ("done", "reached", "知道了")


def test_taking_noting_dismissing_closing_reopening(sample: Sample, owner: Client) -> None:
    do(owner, sample, "fresh", "take")
    assert view(sample, "fresh").row.owner_name == "owner"
    assert sample.cases["fresh"] in owner.get("/").content.decode()
    do(owner, sample, "fresh", "take", owner="")
    assert view(sample, "fresh").row.owner_id is None
    do(owner, sample, "fresh", "note", text="客户很急")
    assert view(sample, "fresh").timeline[0].words == "客户很急"
    do(owner, sample, "fresh", "dismiss", reason="仓库误点")
    assert view(sample, "fresh").row.outcome == "dismissed"
    do(owner, sample, "fresh", "reopen", reason="又停了")
    assert view(sample, "fresh").row.state == "determining"
    do(owner, sample, "fresh", "close", reason="说好了", outcome="other")
    assert view(sample, "fresh").row.outcome == "other"


def test_two_people_on_one_button(sample: Sample, signed_in: SignIn) -> None:
    one, other = signed_in("agent"), signed_in("lead")
    seen = view(sample, "fresh").row.version
    do(one, sample, "fresh", "decide", claim="lost", measure="reissue", version=seen)
    late = do(other, sample, "fresh", "decide", claim="lost", measure="refund", version=seen, reason="x")
    assert late.status_code == 409
    assert "刚在" in late.content.decode().partition('id="flashes"')[2]
    assert view(sample, "fresh").row.measure == "reissue"


def test_plain_recipient_is_shown_only_to_who_may_and_is_recorded(sample: Sample, signed_in: SignIn) -> None:
    address = f"/cases/{sample.shop_id}/{sample.cases['fresh']}/reveal/"
    assert signed_in("finance").post(address).status_code == 200
    assert [each.action for each in audit.newest([sample.shop_id])].count("buyer.reveal") == 0
    assert signed_in("agent").post(address).status_code == 200
    assert [each.action for each in audit.newest([sample.shop_id])].count("buyer.reveal") == 1


@pytest.mark.parametrize("act", ["decide", "ask", "consent", "reissue", "tell", "close", "nonsense"])
def test_another_shops_case_is_not_there(sample: Sample, owner: Client, act: str) -> None:
    code = sample.cases["fresh"]
    assert owner.post(f"/cases/{sample.shop_id + 1}/{code}/{act}/").status_code == 404
    assert owner.get(f"/cases/{sample.shop_id + 1}/{code}/").status_code == 404


def test_a_page_that_has_moved_on_asks_to_be_loaded_anew(sample: Sample, owner: Client) -> None:
    address = f"/cases/{sample.shop_id}/{sample.cases['submitting']}/"
    page = owner.get(address).content.decode()
    asked = page.partition('id="moving"')[2].partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    still = owner.get(asked)
    assert "HX-Refresh" not in still
    assert 'id="moving"' in still.content.decode()
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["submitting"])
    do(owner, sample, "submitting", "take-back", owner="reissue", id=sent.reissue_id)
    assert owner.get(asked)["HX-Refresh"] == "true"


def test_a_finding_is_put_off_and_brought_back(sample: Sample, signed_in: SignIn) -> None:
    agent = signed_in("agent")
    page = f"/cases/{sample.shop_id}/{sample.cases['fresh']}/"
    found = next(each for each in view(sample, "fresh").findings if each.state == "open")
    address = f"/findings/{sample.shop_id}/{found.finding_id}/"
    assert address in agent.get(page).content.decode()
    answer = agent.post(address, {"until": "24", "reason": "网点说明天到", "next": page})
    assert (answer.status_code, answer["Location"]) == (303, page)
    shown = agent.get(page).content.decode()
    assert "网点说明天到" in shown
    assert "11-21 12:00 再看" in shown
    assert f'action="{address}back/"' in shown
    assert agent.post(f"{address}back/", {"next": page}).status_code == 303
    assert {each.state for each in view(sample, "fresh").findings if each.finding_id == found.finding_id} == {"open"}
    elsewhere = agent.post(address, {"until": "24", "reason": " ", "next": "https://elsewhere.example/"})
    assert (elsewhere.status_code, elsewhere["Location"]) == (303, "/")
    empty = agent.post(address, {"until": "24", "reason": " ", "next": page})
    assert empty.status_code == 422
    assert "必填" in empty.content.decode()
    assert signed_in("finance").post(address, {"until": "none", "reason": "x", "next": page}).status_code == 422
    assert {each.state for each in view(sample, "fresh").findings if each.finding_id == found.finding_id} == {"open"}


def test_a_changed_address_is_written_down_and_used(sample: Sample, signed_in: SignIn) -> None:
    client = signed_in("agent")
    said = {"said_at": "2026-11-20T10:00", "proof_kind": "chat", "proof": "飞鸽"}
    unsure = do(client, sample, "numbering", "address", text="朝阳区建国路 88 号", **said)
    assert unsure.status_code == 422
    assert "朝阳区建国路 88 号" in unsure.content.decode()
    done = do(client, sample, "numbering", "address", text="王小明 浙江省杭州市西湖区文三路 138 号", **said)
    assert done.status_code == 303
    page = client.get(f"/cases/{sample.shop_id}/{sample.cases['numbering']}/").content.decode()
    assert "客户要求改地址" in page
    assert "浙江省杭州市西湖区" in page
    assert "王小明" not in page
    assert "客户要求改地址到" in page
    change = page.partition('name="change" value="')[2].partition('"')[0]
    assert do(client, sample, "numbering", "address-back", change=change).status_code == 303
    assert "已撤回" in client.get(f"/cases/{sample.shop_id}/{sample.cases['numbering']}/").content.decode()
