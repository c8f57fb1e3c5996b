"""Chasing carriers: rungs leave by themselves, once, by working hours; people stop and resume; rows never know better
than what happened."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import actions, carrier_cases, contacts, ladder, mails, many, talks
from bufa.apps.negotiations.contacts import NewContact
from bufa.apps.negotiations.models import CarrierCase, CarrierContact, CarrierMessage, Consent
from bufa.apps.parcels.models import Parcel
from bufa.domain.cases import Action, Claim
from bufa.domain.chasing import Hours, Ladder, Level, Rung
from bufa.domain.kinds import Measure, Role
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE
from bufa.integrations.mailbox import Bounce
from bufa.jobs import chasing
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)
DAY = timedelta(days=1)


def row(sample: Sample, name: str = "asking") -> CarrierCase:
    with for_shops([sample.shop_id]):
        return CarrierCase.objects.select_related("next_contact").get(case_id=sample.ids[name])


def sent(sample: Sample, name: str = "asking") -> list[tuple[str, str, str]]:
    """(purpose, rung, contact's level) of a case's messages, in order."""
    with for_shops([sample.shop_id]):
        rows = CarrierMessage.objects.filter(case_id=sample.ids[name]).order_by("id")
        return [(one.purpose, one.rung, one.contact.level if one.contact else "") for one in rows]


def levels(sample: Sample) -> None:
    for level in (Level.HEAD_OFFICE, Level.PLATFORM):
        new = NewContact("zhongtong", level, name=level.value, email=f"{level.value}@x.example")
        contacts.save_contact(shop_id=sample.shop_id, new=new, by=LEAD)
    ladder.again(shop_id=sample.shop_id, now=sample.now)


def climb_at(sample: Sample, at: datetime) -> int:
    with clock.frozen(at):
        return ladder.climb(shop_id=sample.shop_id)


def test_asking_opens_the_carrier_case_and_plans_the_reminder(sample: Sample) -> None:
    found = row(sample)
    assert (found.state, found.round, found.asked, found.next_rung) == ("asked", 1, 1, "remind")
    assert found.due_at == sample.now + actions.ANSWER_WITHIN
    assert found.next_at == found.due_at
    assert found.parcel_id == Case.objects.none().count() or found.carrier == "zhongtong"


def test_silence_climbs_from_reminder_to_the_platform_once_a_rung(sample: Sample) -> None:
    levels(sample)
    assert climb_at(sample, sample.now + timedelta(hours=23)) == 0
    rungs = []
    for _ in range(12):
        at = row(sample).next_at
        if at is None:
            break
        assert climb_at(sample, at) == 1
        assert climb_at(sample, at) == 0
        rungs.append(sent(sample)[-1])
    assert rungs == [
        ("remind", "remind", "head_office"),
        ("escalate", "platform", "platform"),
        ("remind", "remind", "platform"),
    ]
    assert (row(sample).state, row(sample).no_rung) == ("escalated", "nobody_left")
    with for_shops([sample.shop_id]):
        assert Effect.objects.filter(kind="carrier_mail").count() == 4
        assert "【升级】" in _subject(sample, 2)


def _subject(sample: Sample, at: int) -> str:
    from bufa.apps.negotiations import queries

    return queries.of_case(sample.shop_id, sample.ids["asking"], carrier="zhongtong").messages[at].subject


def test_the_row_is_what_a_fresh_fold_says(sample: Sample) -> None:
    before = row(sample)
    with for_shops([sample.shop_id]):
        CarrierCase.objects.filter(id=before.pk).update(state="refused", due_at=None, next_rung="", next_at=None)
    carrier_cases.refresh(shop_id=sample.shop_id, case_ids=[sample.ids["asking"]], now=sample.now)
    after = row(sample)
    assert (after.state, after.due_at, after.next_rung, after.next_at) == (
        before.state, before.due_at, before.next_rung, before.next_at,
    )  # fmt: skip


def test_the_database_itself_refuses_a_second_message_of_one_day(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        message = CarrierMessage.objects.get(case_id=sample.ids["asking"])
        message.pk = None
        with pytest.raises(IntegrityError, match="carrier_asked_once_a_day"), transaction.atomic():
            message.save(force_insert=True)
        message.state = "cancelled"
        message.save(force_insert=True)


def test_it_is_stopped_and_resumed_by_hand_with_a_reason(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["asking"], "by": AGENT}
    with pytest.raises(Refused):
        ladder.stop(**about, reason=" ")  # type: ignore[arg-type]
    ladder.stop(**about, reason="站长说今天送")  # type: ignore[arg-type]
    found = row(sample)
    assert (found.no_rung, found.next_at, found.stopped_by) == ("stopped", None, "林")
    assert climb_at(sample, sample.now + 9 * DAY) == 0
    with clock.frozen(sample.now + 3 * DAY):
        ladder.resume(**about, reason="没有送")  # type: ignore[arg-type]
    assert row(sample).next_rung == "remind"
    assert climb_at(sample, sample.now + 3 * DAY) == 1


@pytest.mark.parametrize(
    ("given", "state"), [(True, "consented"), (False, "refused")],
)  # fmt: skip
def test_the_carriers_word_ends_the_chase(sample: Sample, given: bool, state: str) -> None:
    actions.record_answer(
        shop_id=sample.shop_id, case_id=sample.ids["asking"], given=given, person="刘", terms="见信", by=AGENT
    )
    assert (row(sample).state, row(sample).next_at) == (state, None)
    assert climb_at(sample, sample.now + 9 * DAY) == 0


def test_a_closed_case_closes_its_talk(sample: Sample) -> None:
    cases.act(
        shop_id=sample.shop_id, case_id=sample.ids["asking"], action=Action.CLOSE, by=AGENT, reason="x", outcome="other"
    )
    assert chasing.follow([sample.shop_id], sample.now) >= 1
    assert (row(sample).state, row(sample).next_at) == ("closed", None)
    assert chasing.follow([sample.shop_id], sample.now) == 0


def test_a_case_that_comes_to_the_talk_is_there_before_it_is_asked(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["fresh"], "by": LEAD}
    cases.act(**about, action=Action.CONFIRM_VERDICT, claim=Claim.LOST)  # type: ignore[arg-type]
    cases.act(**about, action=Action.CHOOSE_MEASURE, measure=Measure.REISSUE)  # type: ignore[arg-type]
    assert chasing.follow([sample.shop_id], sample.now) >= 1
    found = row(sample, "fresh")
    assert (found.state, found.asked, found.next_rung, found.no_rung) == ("opened", 0, "", "not_waiting")


def test_many_of_one_contact_are_chased_in_one_message(sample: Sample) -> None:
    contact = CarrierContact.objects
    with for_shops([sample.shop_id]):
        head = contact.filter(carrier="zhongtong").first()
    assert head is not None
    names = ("fresh", "numbering", "telling")
    ids = [sample.ids[name] for name in names]
    with for_shops([sample.shop_id]):
        Consent.objects.filter(case_id__in=ids).delete()  # nobody went on without the carrier
    done = many.ask(
        shop_id=sample.shop_id,
        case_ids=ids,
        contact_id=head.pk,
        by=AGENT,
        due=sample.now + DAY,
        now=sample.now,
        key="k",
    )
    assert (sorted(done.done), done.refused, done.messages) == (sorted(ids), (), 1)
    again = many.ask(
        shop_id=sample.shop_id,
        case_ids=ids,
        contact_id=head.pk,
        by=AGENT,
        due=sample.now + DAY,
        now=sample.now,
        key="k",
    )
    assert (sorted(again.done), again.effects) == (sorted(ids), done.effects)
    other = many.ask(
        shop_id=sample.shop_id,
        case_ids=ids,
        contact_id=head.pk,
        by=AGENT,
        due=sample.now + DAY,
        now=sample.now,
        key="l",
    )
    assert (other.done, {why.why.code for _, why in other.refused}) == ((), {"asked_today"})

    assert climb_at(sample, sample.now + DAY) == 4  # and the one that was asked by itself
    with for_shops([sample.shop_id]):
        reminders = CarrierMessage.objects.filter(rung="remind")
        assert reminders.count() == 4
        assert reminders.values("effect_id").distinct().count() == 1
        assert Effect.objects.filter(kind="carrier_mail").count() == 3


def test_an_unknown_message_is_never_sent_again_by_itself(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        message = CarrierMessage.objects.get(case_id=sample.ids["asking"])
    told = Settled(
        sample.shop_id, message.effect_id or 0, "carrier_mail", f"message:{message.pk}", "unknown", by="answer"
    )
    actions.on_effect(told)
    assert climb_at(sample, sample.now + timedelta(hours=23)) == 0
    assert climb_at(sample, sample.now + DAY) == 1  # a reminder of its own, the next day
    with for_shops([sample.shop_id]):
        assert Effect.objects.filter(kind="carrier_mail").count() == 2


def test_a_bounce_is_seen_and_the_ladder_goes_on_to_somebody_else(sample: Sample) -> None:
    levels(sample)
    with for_shops([sample.shop_id]):
        message = CarrierMessage.objects.get(case_id=sample.ids["asking"])
    back = Bounce(("<other@x>", message.message_id), "5.1.1", is_permanent=True)
    assert mails.take_bounce(shop_id=sample.shop_id, bounce=back, now=sample.now + timedelta(minutes=5)) == 1
    assert mails.take_bounce(shop_id=sample.shop_id, bounce=back, now=sample.now) == 0
    found = row(sample)
    assert (found.next_rung, found.next_contact.email if found.next_contact else "") == (
        "head_office", "head_office@x.example",
    )  # fmt: skip
    with for_shops([sample.shop_id]):
        case = Case.objects.get(id=sample.ids["asking"])
        assert case.timeline.filter(kind="carrier_mail_bounced").count() == 1
    assert (case.waiting_for, case.next_action) == ("shop", "ask_carrier")
    with pytest.raises(Refused) as told:
        actions.ask_carrier(
            shop_id=sample.shop_id, case_id=sample.ids["asking"], contact_id=message.contact_id or 0, by=AGENT
        )
    assert told.value.why.code == "contact_bounced"


def test_a_contact_without_address_gives_a_text_to_copy_and_the_ladder_waits_for_the_hand(sample: Sample) -> None:
    new = NewContact("zhongtong", Level.PLATFORM, name="平台客服")
    contact_id = contacts.save_contact(shop_id=sample.shop_id, new=new, by=LEAD)
    asked = actions.ask_carrier(shop_id=sample.shop_id, case_id=sample.ids["asking"], contact_id=contact_id, by=AGENT)
    assert asked.effect_id == 0
    [text] = talks.to_copy([sample.shop_id])
    assert (text.message_id, text.parcels) == (asked.message_id, 1)
    assert (row(sample).no_rung, row(sample).state) == ("to_copy", "asked")
    assert actions.copied(shop_id=sample.shop_id, message_id=asked.message_id, by=AGENT) == 1
    assert talks.to_copy([sample.shop_id]) == ()
    assert (row(sample).state, row(sample).next_rung) == ("escalated", "remind")
    with pytest.raises(Refused):
        actions.copied(shop_id=sample.shop_id, message_id=asked.message_id, by=AGENT)


def test_a_rung_waits_for_working_hours(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        CarrierContact.objects.filter(carrier="zhongtong").update(opens=9 * 60, closes=11 * 60)
    ladder.again(shop_id=sample.shop_id, now=sample.now)
    at = row(sample).next_at
    assert at is not None
    assert at.astimezone(SHOP_ZONE).strftime("%H:%M") == "09:00"
    assert at > sample.now + actions.ANSWER_WITHIN


def test_the_policy_is_the_shops_and_only_a_leads_to_change(sample: Sample) -> None:
    wish = Ladder(False, 1, dict.fromkeys(Rung, 12))
    with pytest.raises(Refused):
        ladder.set_policy(shop_id=sample.shop_id, ladder=wish, by=AGENT)
    ladder.set_policy(shop_id=sample.shop_id, ladder=wish, by=LEAD)
    assert (row(sample).next_at, row(sample).no_rung) == (None, "switched_off")
    assert climb_at(sample, sample.now + 9 * DAY) == 0


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (NewContact("yunda", email="nobody"), "email_shape"),
        (NewContact("yunda"), "contact_unreachable"),
        (NewContact("yunda", email="a@b.example", origin="火星"), "province_unknown"),
        (NewContact("yunda", email="a@b.example", answer_hours=0), "contact_answer_hours"),
        (NewContact("yunda", robot_id=999), "no_such_robot"),
    ],
)
def test_a_contact_that_can_not_be(sample: Sample, new: NewContact, code: str) -> None:
    with pytest.raises(Refused) as told:
        contacts.save_contact(shop_id=sample.shop_id, new=new, by=LEAD)
    assert told.value.why.code == code


def test_a_contact_is_changed_and_a_new_address_may_be_written_to_again(sample: Sample) -> None:
    hours = Hours(8 * 60, 20 * 60, frozenset({1, 2, 3}))
    new = NewContact("yunda", Level.BRANCH, "九堡", "浙江省", "", "陈", "a@b.example", None, hours, 6)
    contact_id = contacts.save_contact(shop_id=sample.shop_id, new=new, by=LEAD)
    with for_shops([sample.shop_id]):
        CarrierContact.objects.filter(id=contact_id).update(bounced_at=sample.now)
    other = NewContact("yunda", Level.BRANCH, "九堡", "浙江", "", "陈", "c@b.example", None, hours, 6)
    assert contacts.save_contact(shop_id=sample.shop_id, new=other, by=LEAD, contact_id=contact_id) == contact_id
    with for_shops([sample.shop_id]):
        kept = CarrierContact.objects.get(id=contact_id)
    assert (kept.email, kept.origin, kept.days, kept.bounced_at, kept.answer_hours) == (
        "c@b.example",
        "浙江",
        "123",
        None,
        6,
    )


def test_a_consent_that_ran_out_locks_the_number_and_is_asked_for_again(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["asking"]}
    cases.act(**about, action=Action.CHANGE_MEASURE, by=LEAD, measure=Measure.REISSUE, reason="x")  # type: ignore[arg-type]
    until = sample.now + timedelta(hours=5)
    actions.record_answer(
        **about, given=True, person="刘", by=AGENT, valid_until=until, covers="reissue", rule_id="terms_risk"
    )
    with for_shops([sample.shop_id]):
        assert Case.objects.get(id=about["case_id"]).state == "numbering"
    with clock.frozen(until + timedelta(minutes=1)):
        cases.look_again(**about)
        with for_shops([sample.shop_id]):
            case = Case.objects.get(id=about["case_id"])
        assert (case.next_action, case.why["code"]) == ("ask_carrier", "consent_expired")
        contact = CarrierContact.objects
        with for_shops([sample.shop_id]):
            head = contact.get(carrier="zhongtong")
        with clock.frozen(sample.now + DAY):
            actions.ask_carrier(**about, contact_id=head.pk, by=AGENT)
    with for_shops([sample.shop_id]):
        assert Case.objects.get(id=about["case_id"]).state == "asking"


def test_a_reissue_that_goes_wrong_again_is_asked_about_by_itself(sample: Sample) -> None:
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["following"]}
    with for_shops([sample.shop_id]):
        case = Case.objects.get(id=about["case_id"])
        box = Parcel.objects.get(id=case.facts["reissue_parcels"][-1])
        CarrierContact.objects.filter(carrier="zhongtong").update(carrier=box.carrier)
    cases.act(**about, action=Action.REISSUE_WRONG, by=SYSTEM, now=sample.now)
    assert chasing.follow([sample.shop_id], sample.now) >= 1
    with for_shops([sample.shop_id]):
        found = CarrierCase.objects.get(case_id=about["case_id"], round=2)
    assert (found.state, found.next_rung, found.parcel_id) == ("opened", "ask", box.pk)
    assert climb_at(sample, sample.now) == 1
    with for_shops([sample.shop_id]):
        message = CarrierMessage.objects.get(case_id=about["case_id"], round=2)
        assert (message.rung, message.purpose, message.parcel_id) == ("ask", "ask_consent", box.pk)
        assert CarrierCase.objects.get(case_id=about["case_id"], round=2).state == "asked"
