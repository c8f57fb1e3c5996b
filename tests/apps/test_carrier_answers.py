"""Carriers' answers: kept once, decided by a person, never acted on by themselves; papers of a case."""

from __future__ import annotations

from datetime import timedelta

import pypdfium2
import pytest
import zxingcpp

from bufa.apps.cases import actions as case_actions
from bufa.apps.cases import files
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, Statement, TimelineEntry
from bufa.apps.negotiations import answers, asking, papers, rules, scores
from bufa.apps.negotiations.models import CarrierAnswer, CarrierMessage, Consent
from bufa.apps.parcels.models import Parcel
from bufa.domain.carrier_rules import Paper
from bufa.domain.case_facts import Claim
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.paper_layouts import Written
from bufa.lib.tenancy import for_shops
from tests.factories import make_shop
from tests.factories.sample import Sample
from tests.lib.test_papers import photo

AGENT, LEAD, WAREHOUSE = Actor(7, "林", Role.AGENT), Actor(8, "周", Role.LEAD), Actor(6, "陈", Role.WAREHOUSE)


def number(sample: Sample, name: str) -> str:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids[name]).parcel.number


def paste(sample: Sample, text: str, **more: object) -> answers.Kept:
    told = {"source": "chat", "sender": "林 粘贴", "is_trusted": True, "now": sample.now} | more
    return answers.keep_text(shop_id=sample.shop_id, text=text, **told)  # type: ignore[arg-type]


def test_a_pasted_answer_is_laid_before_people_and_changes_nothing(sample: Sample) -> None:
    mine, other = number(sample, "asking"), number(sample, "fresh")
    with for_shops([sample.shop_id]):
        before = list(Case.objects.order_by("id").values_list("version", "state"))
    text = (
        f"{mine} 丢了，同意补发，赔付60元\n{other} 明天派送\n73990000000000 丢了\n{number(sample, 'numbering')} 核实中"
    )
    kept = paste(sample, text)
    assert (kept.kept, kept.repeated, kept.unread, kept.unknown) == (
        2, 0, (number(sample, "numbering"),), ("73990000000000",),
    )  # fmt: skip
    assert (paste(sample, text).kept, paste(sample, text).repeated) == (0, 2)
    with for_shops([sample.shop_id]):
        assert list(Case.objects.order_by("id").values_list("version", "state")) == before
        assert Consent.objects.filter(result="given").count() == 0
    views = {one.number: one for one in answers.waiting([sample.shop_id])}
    assert views[mine].said.amount_fen == 6000
    assert views[mine].words == "丢了，同意补发，赔付60元"
    assert answers.waiting([make_shop()]) == ()


def test_accepted_it_is_a_consent_where_the_case_waits_for_one_and_a_statement_elsewhere(sample: Sample) -> None:
    mine, other = number(sample, "asking"), number(sample, "fresh")
    paste(sample, f"{mine} 丢了，同意补发，赔付60元，运费我司承担\n{other} 破损，后天送到")
    views = {one.number: one for one in answers.waiting([sample.shop_id])}
    with pytest.raises(Refused, match="not_allowed"):
        answers.accept(shop_id=sample.shop_id, answer_id=views[mine].answer_id, by=WAREHOUSE)
    answers.accept(shop_id=sample.shop_id, answer_id=views[mine].answer_id, by=AGENT)
    answers.accept(shop_id=sample.shop_id, answer_id=views[other].answer_id, by=AGENT)
    with for_shops([sample.shop_id]):
        consent = Consent.objects.get(case_id=sample.ids["asking"], result="given")
        assert (consent.amount_fen, consent.freight_by, consent.by) == (6000, "carrier", "林")
        assert Statement.objects.filter(case_id=sample.ids["fresh"], source="carrier", claim="damaged").count() == 1
        [promise] = TimelineEntry.objects.filter(case_id=sample.ids["fresh"], kind="carrier_promised")
        assert promise.data == {"day": (sample.now + timedelta(days=2)).date().isoformat()}
    with pytest.raises(Refused, match="answer_is_decided"):
        answers.accept(shop_id=sample.shop_id, answer_id=views[mine].answer_id, by=AGENT)
    assert answers.waiting([sample.shop_id]) == ()


def test_a_newer_answer_of_the_same_kind_takes_the_place_of_an_open_one(sample: Sample) -> None:
    mine = number(sample, "asking")
    paste(sample, f"{mine} 在途，明天送到")
    paste(sample, f"{mine} 丢了")
    [one] = answers.waiting([sample.shop_id])
    assert one.said.claim is Claim.LOST
    with for_shops([sample.shop_id]):
        assert CarrierAnswer.objects.filter(state="overtaken").count() == 1


def test_a_closed_case_takes_no_answer_and_one_that_fails_leaves_the_others(sample: Sample) -> None:
    mine, other = number(sample, "asking"), number(sample, "fresh")
    paste(sample, f"{mine} 丢了\n{other} 丢了")
    ids = [one.answer_id for one in answers.waiting([sample.shop_id])]
    case_actions.act(
        shop_id=sample.shop_id, case_id=sample.ids["fresh"], action=Action.CLOSE, by=LEAD, reason="客户收到了"
    )
    done, refused = answers.accept_all(shop_id=sample.shop_id, answer_ids=ids, by=AGENT)
    assert done == 1
    assert [(at, why.why.code) for at, why in refused] == [(other, "case_is_closed")]


def test_a_hundred_parcels_of_one_branch_are_one_text(sample: Sample) -> None:
    found = asking.parcels_of(sample.shop_id, [sample.ids["asking"], sample.ids["fresh"]])
    assert [one.number for one in found] == [number(sample, "asking"), number(sample, "fresh")]
    assert "138" not in repr(found)
    [row] = asking.carriers([sample.shop_id])[:1]
    assert (row.carrier, row.asking >= 1, row.answers) == ("zhongtong", True, 0)


def test_a_paper_of_the_case_has_its_waybill_photos_and_masks_only(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "by": AGENT}
    files.add_file(**about, case_id=sample.ids["asking"], name="破.jpg", raw=photo("red"), now=sample.now)
    body = papers.paper_pdf(
        **about, case_ids=[sample.ids["asking"], sample.ids["fresh"]], paper=Written.APPLICATION,
        book=rules.of_shop(sample.shop_id), note="客户等着用", now=sample.now,
    )  # fmt: skip
    document = pypdfium2.PdfDocument(body)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert {one.text for page in document for one in zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())} == {
        number(sample, "asking"), number(sample, "fresh"),
    }  # fmt: skip
    for words in ("客户等着用", "张**", "138****5678", "快件疑似丢失", "¥89.00", "国内快递服务合同示范文本"):
        assert words in text
    with for_shops([sample.shop_id]):
        assert Parcel.objects.count() > 2
    with pytest.raises(Refused, match="papers_none"):
        papers.paper_pdf(
            shop_id=make_shop(), case_ids=[sample.ids["asking"]], paper=Written.APPLICATION, by=AGENT,
            book=rules.of_shop(sample.shop_id),
        )  # fmt: skip


def test_a_checklist_by_kind_is_ticked_off(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["asking"]}
    book = rules.of_shop(sample.shop_id)
    before = papers.checklist(**about, carrier="zhongtong", claim="lost", book=book, now=sample.now)
    assert [(one.paper, one.is_there) for one in before] == [
        ("application", True), ("order_info", True), ("value_proof", False), ("tracks", False), ("chats", False),
    ]  # fmt: skip
    papers.tick(**about, paper=Paper.TRACKS, done=True, by=AGENT)
    papers.tick(**about, paper=Paper.TRACKS, done=True, by=LEAD)
    after = papers.checklist(**about, carrier="zhongtong", claim="lost", book=book, now=sample.now)
    assert [(one.paper, one.done_by) for one in after if one.done_by] == [("tracks", "林")]
    papers.tick(**about, paper=Paper.TRACKS, done=False, by=AGENT)
    assert papers.checklist(**about, carrier="zhongtong", claim="lost", book=book, now=sample.now) == before


def test_a_shops_layout_goes_before_and_goes_back(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "paper": Written.APPLICATION}
    row = {"title": "我们的表", "rows": ["单号: {运单号}"]}
    with pytest.raises(Refused, match="not_allowed"):
        papers.set_layout(**about, carrier="", row=row, by=AGENT)
    with pytest.raises(Refused, match="layout_unknown_field"):
        papers.set_layout(**about, carrier="", row={**row, "ask": "{什么}"}, by=LEAD)
    papers.set_layout(**about, carrier="", row=row, by=LEAD)
    assert papers.layout_for(sample.shop_id, Written.APPLICATION, "suer").title == "我们的表"
    assert papers.layout_for(sample.shop_id, Written.APPLICATION, "zhongtong").title != "我们的表"
    papers.set_layout(**about, carrier="zhongtong", row=row, by=LEAD)
    assert papers.layout_for(sample.shop_id, Written.APPLICATION, "zhongtong").title == "我们的表"
    papers.restore_layout(**about, carrier="zhongtong", by=LEAD)
    papers.restore_layout(**about, carrier="", by=LEAD)
    assert papers.own_layouts(sample.shop_id) == {}
    assert papers.sample_pdf(papers.layout_for(sample.shop_id, Written.ORDER_INFO, ""), "店")[:5] == b"%PDF-"


def test_how_carriers_keep_their_word_is_counted(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        CarrierMessage.objects.update(state="sent", sent_at=sample.now - timedelta(hours=30))
    assert scores.scores([sample.shop_id], sample.now)["zhongtong"] == scores.Score(asked=1)
    mine, other = number(sample, "asking"), number(sample, "fresh")
    paste(sample, f"{mine} 丢了，同意补发\n{other} 今天送到")
    for one in answers.waiting([sample.shop_id]):
        answers.accept(shop_id=sample.shop_id, answer_id=one.answer_id, by=AGENT, now=sample.now)
    later = scores.scores([sample.shop_id], sample.now + timedelta(days=2))
    assert later["zhongtong"] == scores.Score(asked=1, answered=1, answer_hours=30.0, promises=1, kept=0)
    assert scores.scores([make_shop()], sample.now) == {}
