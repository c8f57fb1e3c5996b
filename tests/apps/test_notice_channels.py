"""From the first channel to the next: receipts, silence, quiet hours, limits, wishes and money, on real rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from bufa.apps.cases import incident_views
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import Effect
from bufa.apps.notices import actions, opt_outs, planning, queries, receipts, together, wordings
from bufa.apps.notices.models import Notice, Spending
from bufa.apps.notices.queries import NoticeView
from bufa.apps.orders import actions as orders_in
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.domain.case_facts import Purpose
from bufa.domain.kinds import Role
from bufa.domain.notice_plan import POLICY, Rules, shop_date
from bufa.domain.notices import Channel, Language, default_wording
from bufa.domain.outcome import Refused
from bufa.integrations.messages import Receipt, Reply
from bufa.jobs import incidents as incident_jobs
from bufa.jobs import notices as jobs
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import make_order, make_recipient
from tests.factories.sample import Sample

AGENT = Actor(7, "林", Role.AGENT)
LEAD = Actor(8, "周", Role.LEAD)
PHONE = "13812345678"
ORDER = (Channel.ALIYUN_SMS, Channel.EMAIL)


def rules(sample: Sample, **changes: Any) -> None:
    told = replace(Rules(order=ORDER), **changes)
    shop_actions.change_policy(shop_id=sample.shop_id, changes={POLICY: told.stored()}, by="test")


def approve(sample: Sample, purpose: Purpose, channel: Channel = Channel.ALIYUN_SMS) -> None:
    wordings.save(
        shop_id=sample.shop_id,
        purpose=purpose,
        channel=channel,
        language=Language.ZH,
        text=default_wording(purpose).text,
        vendor_id="SMS_1",
        approval="approved",
        by=LEAD,
    )


@pytest.fixture
def reachable(sample: Sample) -> Iterator[Sample]:
    """The telling case's customer has a phone and an email, and the shop an account at Alibaba Cloud."""
    with clock.frozen(sample.now):
        (call,) = queries.of_case(sample.shop_id, sample.ids["telling"])
        actions.take_back(shop_id=sample.shop_id, notice_id=call.notice_id, by=AGENT)
        with for_shops([sample.shop_id]):
            number = Case.objects.get(id=sample.ids["telling"]).order.number
        to = make_recipient(name="张三", phone=PHONE, address="南山区某路 1 号", email="zhang@buyer.example")
        fact = replace(make_order(number, recipient=to), status=3, updated_at=sample.now + timedelta(hours=1))
        take_in(shop_id=sample.shop_id, orders=[fact], now=sample.now, source=orders_in.FROM_FILE)
        settings = {"key_id": "id", "sign": "青禾鲜果"}
        shop_actions.connect(shop_id=sample.shop_id, kind="aliyun_sms", settings=settings, secrets={"key_secret": "s"})
        approve(sample, Purpose.REISSUE_SENT)
        rules(sample)
        yield sample


def tell(sample: Sample, channel: Channel | None = None, hours: float = 0, **more: Any) -> NoticeView:
    now = sample.now + timedelta(hours=hours)
    known = {"shop_id": sample.shop_id, "case_id": sample.ids["telling"]}
    made = actions.send(**known, channel=channel, by=AGENT, now=now, **more)
    return next(one for one in told(sample) if one.notice_id == made)


def told(sample: Sample) -> tuple[NoticeView, ...]:
    """The case's notices without the call that the fixture took back."""
    return queries.of_case(sample.shop_id, sample.ids["telling"])[1:]


def outcome(notice: NoticeView, state: str, **error: str) -> None:
    kind = {"aliyun_sms": "aliyun_sms", "email": "customer_mail"}[notice.channel]
    said = Settled(
        notice.shop_id, notice.effect_id or 0, kind, f"notice:{notice.notice_id}", state,
        outcome={"message_id": f"biz-{notice.notice_id}"}, error=error,
    )  # fmt: skip
    actions.on_effect(said)


def row(notice: NoticeView) -> Notice:
    with for_shops([notice.shop_id]):
        return Notice.objects.get(id=notice.notice_id)


def states(sample: Sample) -> list[tuple[str, str, str]]:
    return [(one.channel, one.state, one.receipt) for one in told(sample)]


def hear(sample: Sample, *what: Receipt | Reply, minutes: float = 0) -> int:
    now = sample.now + timedelta(minutes=minutes)
    return receipts.take(shop_id=sample.shop_id, kind="aliyun_sms", told=what, now=now)


def test_the_shops_order_chooses_and_says_why(reachable: Sample) -> None:
    rules(reachable, order=(Channel.VOICE, Channel.TENCENT_SMS, Channel.ALIYUN_SMS, Channel.EMAIL))
    notice = tell(reachable)
    assert (notice.channel, notice.state, notice.segments, notice.cost_li) == ("aliyun_sms", "queued", 2, 90)
    assert [(channel, why.code) for channel, why in notice.skipped] == [
        ("voice", "not_connected"),
        ("tencent_sms", "not_connected"),
    ]
    with for_shops([reachable.shop_id]):
        effect = Effect.objects.get(id=notice.effect_id)
        assert (effect.kind, PHONE.encode() in bytes(effect.intent)) == ("aliyun_sms", False)
    assert notice.text.startswith("【青禾鲜果】您尾号")


def test_no_receipt_in_time_then_the_next_channel_and_never_both_again(reachable: Sample) -> None:
    sms = tell(reachable)
    outcome(sms, "accepted")
    first = row(sms)
    assert (first.receipt, first.provider_id) == ("waiting", f"biz-{sms.notice_id}")
    assert first.receipt_due_at == reachable.now + timedelta(minutes=30)
    for minutes in (2, 5, 10, 15):
        assert first.look_at == reachable.now + timedelta(minutes=minutes)
        looked = receipts.looked(
            shop_id=reachable.shop_id, notice_id=sms.notice_id, now=reachable.now + timedelta(minutes=minutes)
        )
        assert not looked
        first = row(sms)
    late = reachable.now + timedelta(minutes=30)
    assert receipts.looked(shop_id=reachable.shop_id, notice_id=sms.notice_id, now=late)
    assert not receipts.looked(shop_id=reachable.shop_id, notice_id=sms.notice_id, now=late)
    assert states(reachable) == [("aliyun_sms", "silent", "none"), ("email", "queued", "")]
    mail = told(reachable)[1]
    assert mail.follows_id == sms.notice_id
    outcome(mail, "accepted")
    with pytest.raises(Refused, match="already_told"):
        tell(reachable)
    # The receipt after all: the mail has left, so both stand as they are.
    assert hear(reachable, Receipt("delivered", row(sms).tag, f"biz-{sms.notice_id}"), minutes=40) == 1
    assert states(reachable) == [("aliyun_sms", "silent", "delivered"), ("email", "sent", "")]


def test_a_vendor_that_cannot_be_asked_is_no_silence(reachable: Sample) -> None:
    sms = tell(reachable)
    outcome(sms, "accepted")
    known = {"shop_id": reachable.shop_id, "notice_id": sms.notice_id}
    late = reachable.now + timedelta(hours=3)
    assert not receipts.looked(**known, now=late, asked=False)
    assert (row(sms).state, row(sms).look_at) == ("sent", late + receipts.AGAIN)
    assert receipts.looked(**known, now=reachable.now + receipts.GIVE_UP, asked=False)
    assert states(reachable)[1] == ("email", "queued", "")


def test_a_late_receipt_keeps_back_what_was_to_follow(reachable: Sample) -> None:
    sms = tell(reachable)
    outcome(sms, "accepted")
    receipts.looked(shop_id=reachable.shop_id, notice_id=sms.notice_id, now=reachable.now + timedelta(hours=1))
    assert hear(reachable, Receipt("delivered", row(sms).tag), minutes=61) == 1
    assert states(reachable) == [("aliyun_sms", "delivered", "delivered"), ("email", "cancelled", "")]


def test_a_refused_one_costs_nothing_and_the_next_takes_over(reachable: Sample) -> None:
    sms = tell(reachable)
    assert planning.spent(reachable.shop_id, shop_date(reachable.now)) == 90
    outcome(sms, "rejected", why="opted_out")
    assert states(reachable) == [("aliyun_sms", "failed", ""), ("email", "queued", "")]
    assert planning.spent(reachable.shop_id, shop_date(reachable.now)) == 0
    assert [one.source for one in opt_outs.standing(reachable.shop_id)] == ["vendor"]
    outcome(told(reachable)[1], "rejected", why="business")
    with for_shops([reachable.shop_id]):
        found = Case.objects.get(id=reachable.ids["telling"])
    assert (found.state, found.why["code"]) == ("telling", "notice_failed")


def test_a_failed_receipt_ends_with_a_call_at_the_latest(reachable: Sample) -> None:
    rules(reachable, order=(Channel.ALIYUN_SMS,))
    sms = tell(reachable)
    outcome(sms, "accepted")
    assert hear(reachable, Receipt("failed", row(sms).tag, "", None, "UNDELIV", "关机"), minutes=1) == 1
    assert states(reachable) == [("aliyun_sms", "failed", "failed"), ("phone", "todo", "")]
    assert planning.spent(reachable.shop_id, shop_date(reachable.now)) == 90  # it was sent, and is charged


def test_unknown_waits_for_the_truth_and_a_receipt_is_the_truth(reachable: Sample) -> None:
    sms = tell(reachable)
    with for_shops([reachable.shop_id]):
        Effect.objects.filter(id=sms.effect_id).update(state="unknown", attempt=1)
    outcome(sms, "unknown")
    late = reachable.now + timedelta(hours=5)
    assert not receipts.looked(shop_id=reachable.shop_id, notice_id=sms.notice_id, now=late)
    assert states(reachable) == [("aliyun_sms", "unknown", "")]
    with pytest.raises(Refused, match="already_told"):
        tell(reachable, Channel.EMAIL)
    assert hear(reachable, Receipt("delivered", row(sms).tag, "biz-later"), minutes=1) == 1
    assert states(reachable) == [("aliyun_sms", "delivered", "delivered")]
    with for_shops([reachable.shop_id]):
        assert Effect.objects.get(id=sms.effect_id).settled_by == "receipt"
        assert Case.objects.get(id=reachable.ids["telling"]).state == "following"


def test_the_night_is_quiet(reachable: Sample) -> None:
    held = tell(reachable, hours=10)  # 22:00
    assert (held.state, held.cost_li) == ("held", 0)
    morning = reachable.now + timedelta(hours=20)
    assert held.send_at == morning
    assert held.held is not None
    assert held.held.code == "quiet_hours"
    assert jobs.wake([reachable.shop_id], morning - timedelta(minutes=1)) == 0
    assert jobs.wake([reachable.shop_id], morning) == 1
    assert states(reachable) == [("aliyun_sms", "queued", "")]
    assert row(held).day == shop_date(morning)
    with clock.frozen(reachable.now + timedelta(hours=34)):  # put off into the next night
        assert actions.may_leave(reachable.shop_id, held.notice_id, clock.now()) == morning + timedelta(days=1)


def test_what_is_held_can_be_stopped_and_a_closed_case_needs_it_no_more(reachable: Sample) -> None:
    held = tell(reachable, hours=10)
    actions.take_back(shop_id=reachable.shop_id, notice_id=held.notice_id, by=AGENT, now=reachable.now)
    again = tell(reachable, hours=10)
    with for_shops([reachable.shop_id]):
        Case.objects.filter(id=reachable.ids["telling"]).update(
            state="closed", outcome="other", closed_at=reachable.now, closed_by="test"
        )
    jobs.wake([reachable.shop_id], reachable.now + timedelta(hours=20))
    assert row(again).state == "cancelled"
    assert row(again).chosen["let_go"] == "told_case_closed"


def test_the_limit_of_a_day_and_the_budget_of_a_day(reachable: Sample) -> None:
    rules(reachable, per_day=1)
    first = tell(reachable)
    outcome(first, "accepted")
    fourth = receipts.looked(
        shop_id=reachable.shop_id, notice_id=first.notice_id, now=reachable.now + timedelta(hours=1)
    )
    assert fourth
    assert states(reachable)[1] == ("email", "held", "")
    assert told(reachable)[1].held.code == "limit_of_the_day"  # type: ignore[union-attr]
    rules(reachable, budget_li=100)
    approve(reachable, Purpose.APOLOGY)
    with pytest.raises(Refused, match="notice_budget_spent"):
        tell(reachable, Channel.ALIYUN_SMS, purpose=Purpose.APOLOGY)
    with for_shops([reachable.shop_id]):
        spending = Spending.objects.get(shop_id=reachable.shop_id)
        assert spending.cost_li == 90
    assert planning.recount(reachable.shop_id, shop_date(reachable.now)) == 90


def test_a_reply_that_says_no_more_is_kept(reachable: Sample) -> None:
    held = tell(reachable, hours=10)
    assert hear(reachable, Reply(PHONE, "你好，什么时候到？"), Reply("13900000000", "TD")) == 1
    assert row(held).state == "held"
    assert hear(reachable, Reply(PHONE, "TD")) == 1
    assert hear(reachable, Reply(PHONE, "TD")) == 0
    assert (row(held).state, row(held).chosen["let_go"]) == ("cancelled", "opted_out")
    with pytest.raises(Refused, match="no_channel_open"):
        tell(reachable)
    with pytest.raises(Refused, match="opted_out"):
        tell(reachable, Channel.EMAIL)
    assert tell(reachable, Channel.PHONE).state == "todo"  # a person may still ring
    wish = next(one for one in opt_outs.standing(reachable.shop_id) if one.mask == "138****5678")
    opt_outs.lift(shop_id=reachable.shop_id, opt_out_id=wish.opt_out_id, by=AGENT)
    assert opt_outs.of_order(reachable.shop_id, _order(reachable)) == ()
    opt_outs.leave_alone(shop_id=reachable.shop_id, case_id=reachable.ids["telling"], by=AGENT, now=reachable.now)
    assert [one.source for one in opt_outs.of_order(reachable.shop_id, _order(reachable))] == ["person"]


def _order(sample: Sample) -> int:
    with for_shops([sample.shop_id]):
        return int(Case.objects.values_list("order_id", flat=True).get(id=sample.ids["telling"]))


# --- receipts that mean harm -----------------------------------------------------------------------------------------


@override_settings(ROOT_URLCONF="bufa.api.urls")
def test_hostile_receipts_have_no_effect_and_never_break_us(reachable: Sample) -> None:
    sms = tell(reachable)
    outcome(sms, "accepted")
    info = shops.connection(reachable.shop_id, "aliyun_sms")
    assert info is not None
    client = Client(raise_request_exception=False)
    good = {"phone_number": PHONE, "success": True, "report_time": "2026-11-20 12:00:09", "err_code": "DELIVERED"}
    good |= {"biz_id": f"biz-{sms.notice_id}", "out_id": row(sms).tag}
    failed = good | {"success": False, "err_code": "UNDELIV"}

    def post(rows: Any, path: str = info.hook_path) -> int:
        body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        return client.post(path, body, content_type="application/json").status_code

    forged = [
        [good | {"out_id": "b00000000000000"}],
        [good | {"biz_id": "another"}],
        [good | {"out_id": "", "biz_id": "another"}],
        [{**good, "out_id": row(sms).tag[:-1]}],
    ]
    assert [post(one) for one in forged] == [200] * 4
    assert post([good], info.hook_path[:-20] + "x" * 9 + "/aliyun_sms") == 404
    junk: list[Any] = [b"", b"{", b"\xff\xfe", b"[" * 5000, [good] * 5000, "x" * 2_000_000, [1], None, {"a": 1}]
    assert {post(one) for one in junk} <= {400, 413}
    while jobs.handle_receipts(reachable.shop_id, reachable.now):
        pass
    assert states(reachable) == [("aliyun_sms", "sent", "waiting")]
    assert [post([good]), post([good]), post([failed])] == [200, 200, 200]
    jobs.handle_receipts(reachable.shop_id, reachable.now)
    assert states(reachable) == [("aliyun_sms", "delivered", "delivered")]
    with for_shops([reachable.shop_id]):
        found = Case.objects.get(id=reachable.ids["telling"])
        assert found.timeline.filter(kind="notice_delivered").count() == 1


# --- texts -----------------------------------------------------------------------------------------------------------


def test_texts_have_versions_and_vendors_a_say(reachable: Sample) -> None:
    known: dict[str, Any] = {
        "shop_id": reachable.shop_id, "purpose": Purpose.REISSUE_SENT, "channel": Channel.ALIYUN_SMS,
        "language": Language.ZH, "by": LEAD,
    }  # fmt: skip
    with pytest.raises(Refused, match="wording_unknown_name"):
        wordings.save(**known, text="{number}{secret}")
    with pytest.raises(Refused, match="wording_needs_name"):
        wordings.save(**known, text="您好")
    with pytest.raises(Refused, match="not_allowed"):
        wordings.save(**known | {"by": AGENT}, text="{number}")
    assert wordings.save(**known, text="补发了，单号{number}", vendor_id="SMS_1", approval="approved") == 2
    now = wordings.wording_of(reachable.shop_id, Purpose.REISSUE_SENT, Channel.ALIYUN_SMS, Language.ZH)
    assert (now.version, now.approval, now.may_be_sent) == (2, "draft", False)  # another text than was approved
    with pytest.raises(Refused, match="template_not_approved"):
        tell(reachable, Channel.ALIYUN_SMS)
    wordings.save(**known, text="补发了，单号{number}", vendor_id="SMS_2", approval="approved")
    assert tell(reachable, Channel.ALIYUN_SMS).text.startswith("【青禾鲜果】补发了，单号7")
    assert wordings.take_back(**known) == 4
    assert wordings.restore(**known, version=0) == 5
    now = wordings.wording_of(reachable.shop_id, Purpose.REISSUE_SENT, Channel.ALIYUN_SMS, Language.ZH)
    assert (now.is_own, now.text) == (False, default_wording(Purpose.REISSUE_SENT).text)
    assert [one.version for one in wordings.history(reachable.shop_id, *_key(known))] == [5, 4, 3, 2, 1]


def _key(known: dict[str, Any]) -> tuple[Purpose, Channel, Language]:
    return known["purpose"], known["channel"], known["language"]


# --- many at once ----------------------------------------------------------------------------------------------------


def test_an_incident_is_told_once_to_each_at_a_pace_and_can_be_stopped(sample: Sample) -> None:
    incident_jobs.regroup([sample.shop_id], sample.now)
    wish = together.Wish(Purpose.EARLY_WARNING, Channel.SITE, "{shop}：尾号{order_tail}在路上耽搁了，{reason}", 3)
    (incident,) = incident_views.open_incidents([sample.shop_id])
    known: dict[str, Any] = {"shop_id": sample.shop_id, "code": incident.code}
    with clock.frozen(sample.now):
        seen = together.preview(sample.shop_id, incident.code, wish, AGENT, sample.now)
        assert (seen.total, seen.minutes) == (7, 3)
        with pytest.raises(Refused, match="wording_unknown_name"):
            together.preview(sample.shop_id, incident.code, replace(wish, text="{x}"), AGENT, sample.now)
        run_id = together.start(**known, key="k1", wish=wish, by=AGENT, now=sample.now)
        assert together.start(**known, key="k1", wish=wish, by=AGENT, now=sample.now) == run_id
        assert together.carry_on(shop_id=sample.shop_id, run_id=run_id, now=sample.now) == 3
        assert together.carry_on(shop_id=sample.shop_id, run_id=run_id, now=sample.now) == 0  # this minute's are done
        assert together.stop(shop_id=sample.shop_id, run_id=run_id, by=AGENT, now=sample.now) == 4
        assert together.carry_on(shop_id=sample.shop_id, run_id=run_id, now=sample.now + timedelta(hours=1)) == 0
        assert together.go_on(shop_id=sample.shop_id, run_id=run_id, by=AGENT, now=sample.now) == 4
        for minute in range(4):
            together.carry_on(shop_id=sample.shop_id, run_id=run_id, now=sample.now + timedelta(minutes=minute))
        with for_shops([sample.shop_id]):
            texts = [one.case_id for one in Notice.objects.filter(purpose="early_warning", channel="site")]
        (run,) = together.of_incident(sample.shop_id, incident.incident_id)
        assert (run.state, run.told, run.todo, run.told + run.refused) == ("done", len(texts), 0, 7)
        assert len(texts) == len(set(texts)) == 7
        second = together.start(**known, key="k2", wish=wish, by=AGENT, now=sample.now)
        together.carry_on(shop_id=sample.shop_id, run_id=second, now=sample.now)
        newest = together.of_incident(sample.shop_id, incident.incident_id)[0]
        assert {r["why"]["code"] for r in newest.rows if r["state"] == "refused"} == {"already_told"}
