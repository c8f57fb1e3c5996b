"""Talking with carriers: mails hold what finds the parcel, nothing of the buyer; consent has who, what and proof."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.effects import queries as effect_queries
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import actions, queries
from bufa.apps.negotiations.models import CarrierMessage
from bufa.domain.cases import Claim
from bufa.domain.kinds import Role
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.jobs.cases import end_waits
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)


def asking(sample: Sample) -> dict[str, int]:
    return {"shop_id": sample.shop_id, "case_id": sample.ids["asking"]}


def case(sample: Sample) -> Case:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids["asking"])


def talk(sample: Sample) -> queries.Talk:
    return queries.of_case(**asking(sample), carrier="zhongtong")


def test_the_letter_says_what_finds_the_parcel_and_nothing_of_the_buyer(sample: Sample) -> None:
    (message,) = talk(sample).messages
    with for_shops([sample.shop_id]):
        parcel = Case.objects.get(id=sample.ids["asking"]).parcel
    assert (message.direction, message.purpose, message.state, message.round) == ("out", "ask_consent", "queued", 1)
    assert sample.cases["asking"] in message.subject
    assert parcel.number in message.body
    assert "138" not in message.body + message.subject
    assert "张" not in message.body + message.subject
    assert message.answer_by == sample.now + actions.ANSWER_WITHIN


def test_the_mail_is_an_effect_of_its_own_and_leaves_once(sample: Sample) -> None:
    (message,) = talk(sample).messages
    assert message.effect_id is not None
    effect = effect_queries.by_id([sample.shop_id], [message.effect_id])[message.effect_id]
    assert (effect.kind, effect.subject, effect.state) == ("carrier_mail", f"message:{message.message_id}", "ready")
    with for_shops([sample.shop_id]):
        assert Effect.objects.filter(kind="carrier_mail").count() == 1


def test_asked_again_it_is_a_reminder(sample: Sample) -> None:
    contact = queries.contacts([sample.shop_id], "zhongtong")[0]
    again = {"contact_id": contact.contact_id, "by": AGENT, "language": Language.EN, "extra": "Thursday at the latest"}
    with pytest.raises(Refused) as told:
        actions.ask_carrier(**asking(sample), **again)  # type: ignore[arg-type]
    assert told.value.why.code == "asked_today"
    actions.ask_carrier(**asking(sample), **again, now=sample.now + timedelta(days=1))  # type: ignore[arg-type]
    first, second = talk(sample).messages
    assert (first.purpose, second.purpose) == ("ask_consent", "remind")
    assert second.subject.startswith("Reminder: waybill ")
    assert second.body.rstrip().endswith("Thursday at the latest")


def test_only_the_shops_own_contacts(sample: Sample) -> None:
    with pytest.raises(Refused) as told:
        actions.ask_carrier(**asking(sample), contact_id=999_999, by=AGENT)
    assert told.value.why.code == "no_such_contact"
    assert len(talk(sample).messages) == 1


@pytest.mark.parametrize(
    ("place", "first"), [("武汉转运中心", "wuhan@x.example"), ("拉萨", "zhongtong@carrier.example")]
)
def test_the_nearest_branch_comes_first_else_the_head_office(sample: Sample, place: str, first: str) -> None:
    for branch in ("武汉转运中心", "成都转运中心"):
        email = "wuhan@x.example" if branch.startswith("武汉") else "chengdu@x.example"
        actions.add_contact(shop_id=sample.shop_id, carrier="zhongtong", branch=branch, email=email, by=LEAD)
    assert queries.contacts_for(sample.shop_id, "zhongtong", place)[0].email == first


def test_a_contact_twice_is_one_and_comes_back(sample: Sample) -> None:
    one = {"shop_id": sample.shop_id, "carrier": "yunda", "email": "a@b.example", "by": LEAD}
    contact = actions.add_contact(**one)
    actions.remove_contact(shop_id=sample.shop_id, contact_id=contact, by=LEAD)
    assert queries.contacts([sample.shop_id], "yunda") == ()
    assert actions.add_contact(**one) == contact
    assert [each.email for each in queries.contacts([sample.shop_id], "yunda")] == ["a@b.example"]
    with pytest.raises(Refused):
        actions.add_contact(shop_id=sample.shop_id, carrier="yunda", email="no address", by=LEAD)


@pytest.mark.parametrize(
    ("state", "expected", "line"),
    [
        ("accepted", "sent", "carrier_mail_sent"),
        ("rejected", "failed", "carrier_mail_failed"),
        ("unknown", "unknown", "carrier_mail_unknown"),
    ],
)
def test_what_became_of_the_mail_is_seen(sample: Sample, state: str, expected: str, line: str) -> None:
    (message,) = talk(sample).messages
    settled = Settled(
        sample.shop_id, message.effect_id or 0, "carrier_mail", f"message:{message.message_id}", state, by="answer"
    )
    actions.on_effect(settled)
    actions.on_effect(settled)
    with for_shops([sample.shop_id]):
        row = CarrierMessage.objects.get(id=message.message_id)
        assert row.state == expected
        assert row.case.timeline.filter(kind=line).count() == 1


def test_consent_holds_who_on_which_terms_until_when_with_what_proof(sample: Sample) -> None:
    until = sample.now + timedelta(days=7)
    actions.record_answer(
        **asking(sample),
        given=True,
        person="刘经理",
        position="网点负责人",
        amount_fen=8900,
        freight_by="carrier",
        terms="同意补发，按实际价值赔付",
        valid_until=until,
        proof="邮件 ZT001",
        claim=Claim.LOST,
        by=AGENT,
    )
    (consent,) = talk(sample).consents
    assert (consent.result, consent.person, consent.position, consent.amount_fen, consent.freight_by) == (
        "given",
        "刘经理",
        "网点负责人",
        8900,
        "carrier",
    )
    assert (consent.terms, consent.valid_until, consent.proof, consent.round) == (
        "同意补发，按实际价值赔付",
        until,
        "邮件 ZT001",
        1,
    )
    assert case(sample).state == "following"  # the measure was to chase: the carrier moves it
    assert "carrier" in case(sample).verdict["agree"]


def test_a_refusal_is_kept_and_the_case_asks_for_another_way(sample: Sample) -> None:
    actions.record_answer(**asking(sample), given=False, person="客服", terms="件还在走", by=AGENT)
    found = case(sample)
    assert (found.state, found.next_action, found.why["code"]) == ("asking", "change_measure", "carrier_refused")
    (consent,) = talk(sample).consents
    assert (consent.result, consent.terms) == ("refused", "件还在走")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valid_until": timedelta(hours=-1)}, "valid_until_is_past"),
        ({"amount_fen": -1}, "amount_negative"),
        ({"person": " "}, "parameter_missing"),
    ],
)
def test_a_consent_that_can_not_be(sample: Sample, more: dict[str, object], code: str) -> None:
    given = {"person": "刘", **more}
    if isinstance(later := given.get("valid_until"), timedelta):
        given["valid_until"] = sample.now + later
    with pytest.raises(Refused) as told:
        actions.record_answer(**asking(sample), given=True, by=AGENT, **given)  # type: ignore[arg-type]
    assert told.value.why.code == code
    assert talk(sample).consents == ()


def test_only_a_lead_goes_on_without_it_and_says_why(sample: Sample) -> None:
    with pytest.raises(Refused) as told:
        actions.go_without_consent(**asking(sample), reason="客户急", by=AGENT)
    assert told.value.why.code == "not_allowed"
    actions.go_without_consent(**asking(sample), reason="客户急", by=LEAD)
    (consent,) = talk(sample).consents
    assert (consent.result, consent.terms, consent.by) == ("overridden", "客户急", "周")


def test_a_carrier_that_lets_its_time_pass_is_noticed_though_nothing_comes_in(sample: Sample) -> None:
    due = case(sample).due_at
    assert due is not None
    assert (case(sample).waiting_for, case(sample).next_action) == ("carrier", "record_consent")
    with clock.frozen(due - timedelta(seconds=1)):
        assert end_waits([sample.shop_id]) == 0
    with clock.frozen(due + timedelta(minutes=1)):
        assert end_waits([sample.shop_id]) >= 1
        assert end_waits([sample.shop_id]) == 0
    assert (case(sample).waiting_for, case(sample).next_action, case(sample).why["code"]) == (
        "shop",
        "ask_carrier",
        "carrier_silent",
    )
