"""Telling customers: once, on the best open channel, taken back while it waits, with a call to fall back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import Effect
from bufa.apps.notices import actions, queries
from bufa.apps.notices.models import Notice
from bufa.apps.orders import actions as orders_in
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.domain.cases import Purpose
from bufa.domain.kinds import Role
from bufa.domain.notices import Channel, Language
from bufa.domain.outcome import Refused
from bufa.lib.tenancy import for_shops
from tests.factories import make_order, make_recipient
from tests.factories.sample import Sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)


def telling(sample: Sample) -> dict[str, int]:
    return {"shop_id": sample.shop_id, "case_id": sample.ids["telling"]}


def case(sample: Sample, name: str = "telling") -> Case:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids[name])


def notices(sample: Sample, name: str = "telling") -> tuple[queries.NoticeView, ...]:
    return queries.of_case(sample.shop_id, sample.ids[name])


@pytest.fixture
def untold(sample: Sample) -> Sample:
    """The sample with the waiting call of the telling case taken back."""
    (call,) = notices(sample)
    actions.take_back(shop_id=sample.shop_id, notice_id=call.notice_id, by=AGENT)
    return sample


def settled(notice: queries.NoticeView, state: str, **error: str) -> Settled:
    kind = "platform_sms" if notice.channel == "sms" else "customer_mail"
    effect_id = notice.effect_id or 0
    return Settled(notice.shop_id, effect_id, kind, f"notice:{notice.notice_id}", state, error=error)


def test_proposals_name_what_is_open_and_why_not(untold: Sample) -> None:
    found = {one.channel: one for one in queries.proposals(untold.shop_id, untold.ids["telling"])}
    assert {one.purpose for one in found.values()} == {"reissue_sent"}
    assert found["sms"].refused is None
    assert found["email"].refused is not None
    assert found["email"].refused.code == "no_email"
    assert found["phone"].refused is None
    assert len(found["phone"].script) == 4
    assert found["sms"].to == "138****5678"
    with for_shops([untold.shop_id]):
        reissue = case(untold).reissues.get(state="accepted")
    for part in ("圆通速递", reissue.number, "补发", "快件疑似丢失", "青禾鲜果旗舰店"):
        assert part in found["sms"].text


def test_an_sms_takes_the_platforms_cipher_and_template(untold: Sample) -> None:
    notice_id = actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    (_, notice) = notices(untold)
    assert (notice.notice_id, notice.state, notice.purpose, notice.round) == (notice_id, "queued", "reissue_sent", 1)
    with for_shops([untold.shop_id]):
        effect = Effect.objects.get(id=notice.effect_id)
        assert (effect.kind, effect.state, effect.key) == ("platform_sms", "ready", f"notice:{notice_id}")
        assert b"cipher" not in bytes(effect.intent)
    assert case(untold).facts["notice_state"] == "queued"


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PHONE])
def test_once_per_case_purpose_and_round_on_whatever_channel(untold: Sample, channel: Channel) -> None:
    actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    with pytest.raises(Refused) as told:
        actions.send(**telling(untold), channel=channel, by=LEAD)
    assert told.value.why.code == "already_told"
    with for_shops([untold.shop_id]):
        assert Effect.objects.filter(kind="platform_sms").count() == 1


def test_told_leads_to_following(untold: Sample) -> None:
    actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    notice = notices(untold)[-1]
    actions.on_effect(settled(notice, "accepted"))
    actions.on_effect(settled(notice, "accepted"))
    found = case(untold)
    assert (found.state, found.step, found.facts["notice_state"]) == ("following", "follow", "sent")
    with for_shops([untold.shop_id]):
        assert found.timeline.filter(kind="customer_told").count() == 1


def test_a_failed_sms_falls_back_to_a_call(untold: Sample) -> None:
    actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    actions.on_effect(settled(notices(untold)[-1], "rejected", why="business"))
    found = case(untold)
    assert (found.state, found.next_action, found.why["code"]) == ("telling", "tell_customer", "notice_failed")
    call = actions.send(**telling(untold), channel=Channel.PHONE, by=AGENT)
    actions.finish_call(shop_id=untold.shop_id, notice_id=call, outcome="reached", by=AGENT)
    assert case(untold).state == "following"


def test_an_sms_of_unknown_fate_waits_for_a_person(untold: Sample) -> None:
    actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    notice = notices(untold)[-1]
    actions.on_effect(settled(notice, "unknown"))
    assert (case(untold).state, notices(untold)[-1].state) == ("telling", "unknown")
    with pytest.raises(Refused) as told:
        actions.send(**telling(untold), channel=Channel.PHONE, by=AGENT)
    assert told.value.why.code == "already_told"
    with pytest.raises(Refused) as told:
        actions.release(shop_id=untold.shop_id, notice_id=notice.notice_id, arrived=False, by=AGENT)
    assert told.value.why.code == "not_allowed"


def test_ten_seconds_to_take_it_back_then_it_may_be_said_anew(untold: Sample) -> None:
    actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    notice = notices(untold)[-1]
    actions.take_back(shop_id=untold.shop_id, notice_id=notice.notice_id, by=AGENT)
    with for_shops([untold.shop_id]):
        assert Effect.objects.get(id=notice.effect_id).state == "cancelled"
    assert notices(untold)[-1].state == "cancelled"
    with pytest.raises(Refused) as told:
        actions.take_back(shop_id=untold.shop_id, notice_id=notice.notice_id, by=AGENT)
    assert told.value.why.code == "already_left"
    actions.send(**telling(untold), channel=Channel.PHONE, by=AGENT)


def test_edited_values_go_out_and_empty_ones_do_not(untold: Sample) -> None:
    edited = {"reason": "快件在武汉遗失", "measure": " "}
    actions.send(**telling(untold), channel=Channel.PHONE, by=AGENT, edited=edited)
    notice = notices(untold)[-1]
    assert notice.params["reason"] == "快件在武汉遗失"
    assert notice.params["measure"] == "补发"
    assert "快件在武汉遗失" in notice.text


def test_english_for_who_reads_english(untold: Sample) -> None:
    actions.send(**telling(untold), channel=Channel.PHONE, by=AGENT, language=Language.EN)
    notice = notices(untold)[-1]
    assert notice.language == "en"
    assert "YTO Express" in notice.text
    assert "it is probably lost" in notice.text


@pytest.mark.parametrize(
    ("outcome", "state"), [("no_answer", "todo"), ("call_later", "todo"), ("wrong_number", "failed")]
)
def test_calls_that_reached_nobody(sample: Sample, outcome: str, state: str) -> None:
    (call,) = notices(sample)
    actions.finish_call(shop_id=sample.shop_id, notice_id=call.notice_id, outcome=outcome, by=AGENT, note="张女士没接")
    (again,) = notices(sample)
    assert (again.state, again.outcome, again.note) == (state, outcome, "张女士没接")
    assert case(sample).state == "telling"


def test_a_call_ends_once_and_in_known_words(sample: Sample) -> None:
    (call,) = notices(sample)
    with pytest.raises(Refused) as told:
        actions.finish_call(shop_id=sample.shop_id, notice_id=call.notice_id, outcome="maybe", by=AGENT)
    assert told.value.why.code == "parameter_unknown"
    actions.finish_call(shop_id=sample.shop_id, notice_id=call.notice_id, outcome="reached", by=AGENT)
    with pytest.raises(Refused) as told:
        actions.finish_call(shop_id=sample.shop_id, notice_id=call.notice_id, outcome="reached", by=AGENT)
    assert told.value.why.code == "call_is_over"


def test_the_system_owes_a_notice_once(sample: Sample) -> None:
    following = {"shop_id": sample.shop_id, "case_id": sample.ids["following"]}
    assert actions.send_by_itself(**following, purpose=Purpose.REISSUE_DELIVERED) is not None
    assert actions.send_by_itself(**following, purpose=Purpose.REISSUE_DELIVERED) is None
    last = notices(sample, "following")[-1]
    assert (last.purpose, last.channel, last.by) == ("reissue_delivered", "phone", "system")  # no template for it


def test_an_email_goes_to_who_gave_one(untold: Sample) -> None:
    with for_shops([untold.shop_id]):
        number = case(untold).order.number
    recipient = make_recipient(name="张三", phone="13812345678", address="南山区某路 1 号", email="zhang@buyer.example")
    fact = replace(make_order(number, recipient=recipient), status=3, updated_at=untold.now + timedelta(hours=1))
    take_in(shop_id=untold.shop_id, orders=[fact], now=untold.now, source=orders_in.FROM_FILE)
    found = {one.channel: one for one in queries.proposals(untold.shop_id, untold.ids["telling"])}
    assert found["email"].refused is None
    assert found["email"].to == "z***@buyer.example"
    actions.send(**telling(untold), channel=Channel.EMAIL, by=AGENT)
    with for_shops([untold.shop_id]), connection.cursor() as cursor:
        assert Effect.objects.get(id=notices(untold)[-1].effect_id).kind == "customer_mail"
        cursor.execute("SELECT params::text || encode(text, 'escape') FROM notices_notice")
        assert not [kept for (kept,) in cursor.fetchall() if "buyer.example" in kept or "张三" in kept]


def test_without_a_template_or_sender_the_channel_is_closed(untold: Sample) -> None:
    known = shops.connection(untold.shop_id, "doudian")
    assert known is not None
    settings = {**known.settings, "sms_templates": {}}
    shop_actions.connect(shop_id=untold.shop_id, kind="doudian", settings=settings)
    with pytest.raises(Refused) as told:
        actions.send(**telling(untold), channel=Channel.SMS, by=AGENT)
    assert told.value.why.code == "no_sms_template"
    with for_shops([untold.shop_id]):
        assert Notice.objects.filter(case_id=untold.ids["telling"], state="queued").count() == 0
