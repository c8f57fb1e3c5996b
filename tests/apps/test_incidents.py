"""Incidents: grouped from open findings a shop at a time, left by parcels that move, worked on as one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bufa.apps.audit import queries as audit
from bufa.apps.cases import incident_views as views
from bufa.apps.cases import incidents, many, putting_off, queries
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.incident_views import IncidentRow
from bufa.apps.cases.models import Case, Finding, Incident, IncidentRun
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import queries as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import expecting, mails, reply_tags, together
from bufa.apps.negotiations import queries as talks
from bufa.apps.negotiations.models import CarrierAnswer, CarrierMessage, IncomingMail
from bufa.apps.negotiations.together import Deed, Wish
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shops
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.integrations.mailbox import MailRead
from bufa.jobs import incidents as jobs
from bufa.lib.tenancy import for_shops
from tests.factories import at, make_report, make_shipped, make_shop
from tests.factories.sample import Sample

LEAD = Actor(8, "周", Role.LEAD)
HUB = "武汉转运中心"


def one(sample: Sample) -> IncidentRow:
    """The incident of the sample: parcels that stopped at one hub."""
    jobs.regroup([sample.shop_id], sample.now)
    (row,) = views.open_incidents([sample.shop_id])
    return row


def numbers(sample: Sample) -> dict[int, str]:
    with for_shops([sample.shop_id]):
        return dict(Parcel.objects.exclude(number="").values_list("id", "number"))


def ask_wish(sample: Sample) -> Wish:
    to = talks.contacts([sample.shop_id], "zhongtong")[0]
    return Wish(Deed.ASK, contact_id=to.contact_id, due=sample.now + timedelta(hours=24), extra="周四前急用")


def owner_of(sample: Sample, code: str) -> int | None:
    with for_shops([sample.shop_id]):
        return Case.objects.values_list("owner_id", flat=True).get(code=code)


def worker(sample: Sample, role: Role = Role.LEAD) -> int:
    return next(
        each for each, name in together.workers(sample.shop_id) if name == {Role.LEAD: "周", Role.AGENT: "林"}[role]
    )


# --- grouped ---------------------------------------------------------------------------------------------------------


def test_parcels_stuck_at_one_hub_become_one_incident(sample: Sample) -> None:
    row = one(sample)
    assert (row.cause, row.carrier, row.key, row.family) == ("hub", "zhongtong", HUB, "transit")
    assert row.code.startswith("I-2026")
    assert row.is_open
    assert row.left == 0
    inside = views.members(sample.shop_id, row.incident_id)
    assert len(inside) == row.parcels == row.ever >= 5
    assert row.cost_fen == sum(each.cost_fen for each in inside)
    assert [each.action for each in audit.newest([sample.shop_id], subject=f"incident:{row.incident_id}")] == [
        "incident.open"
    ]


def test_nothing_new_writes_nothing(sample: Sample) -> None:
    one(sample)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert not incidents.regroup(shop_id=sample.shop_id, now=sample.now)
    said = [each["sql"] for each in asked.captured_queries]
    assert not [sql for sql in said if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len([sql for sql in said if sql.startswith("SELECT")]) <= 5


def test_taking_scans_in_asks_nothing_about_incidents(sample: Sample) -> None:
    row = one(sample)
    number = next(iter(views.members(sample.shop_id, row.incident_id))).number
    with CaptureQueriesContext(connection) as asked:
        take_in(
            shop_id=sample.shop_id,
            reports=[make_report(number, (sample.now, f"【武汉市】 快件已离开 【{HUB}】", "1003"))],
            now=sample.now,
        )
    assert not [each for each in asked.captured_queries if "cases_incident" in each["sql"]]


def test_parcels_leave_as_they_move_and_the_last_ones_keep_it_open(sample: Sample) -> None:
    row = one(sample)
    inside = views.members(sample.shop_id, row.incident_id)
    later = sample.now + timedelta(hours=1)
    moved, kept = inside[:-2], inside[-2:]
    scans = [make_report(each.number, (later, "【广州市】 快件已到达 【广州转运中心】", "1002")) for each in moved]
    take_in(shop_id=sample.shop_id, reports=scans, now=later)
    jobs.regroup([sample.shop_id], later)

    (same,) = views.open_incidents([sample.shop_id])
    assert (same.code, same.parcels, same.left, same.ever) == (row.code, 2, len(moved), len(inside))
    gone = views.gone(sample.shop_id, row.incident_id)
    assert {(each.number, each.left_how) for each in gone} == {(each.number, "moved") for each in moved}

    signed = [make_report(each.number, (later, "【广州市】 已签收，签收人：本人", "301")) for each in kept]
    take_in(shop_id=sample.shop_id, reports=signed, now=later)
    jobs.regroup([sample.shop_id], later)
    assert views.open_incidents([sample.shop_id]) == ()
    (past,) = views.past_incidents([sample.shop_id])
    assert (past.code, past.parcels, past.closed_at) == (row.code, 0, later)
    hows = {each.number: each.left_how for each in views.gone(sample.shop_id, row.incident_id)}
    assert {hows[each.number] for each in kept} == {"arrived"}


def test_a_dismissed_finding_leaves_a_snoozed_one_stays(sample: Sample) -> None:
    row = one(sample)
    first, second, *_ = views.members(sample.shop_id, row.incident_id)
    with for_shops([sample.shop_id]):
        found = {
            each: list(
                Finding.objects.filter(parcel_id=each, state="open", rule__in=incidents.rules_of("transit"))
                .values_list("id", flat=True)
            )
            for each in (first.parcel_id, second.parcel_id)
        }  # fmt: skip
    for finding_id in found[first.parcel_id]:
        putting_off.dismiss(shop_id=sample.shop_id, finding_id=finding_id, by=LEAD, reason="已核实")
    for finding_id in found[second.parcel_id]:
        putting_off.snooze(
            shop_id=sample.shop_id,
            finding_id=finding_id,
            by=LEAD,
            reason="明天到",
            until=sample.now + timedelta(hours=9),
        )
    jobs.regroup([sample.shop_id], sample.now)
    assert [(each.parcel_id, each.left_how) for each in views.gone(sample.shop_id, row.incident_id)] == [
        (first.parcel_id, "dismissed")
    ]
    assert second.parcel_id in views.parcel_ids(sample.shop_id, row.incident_id)


def test_the_shops_own_number_of_parcels(sample: Sample) -> None:
    shops.change_policy(shop_id=sample.shop_id, changes={"incident_parcels": 50}, by="test")
    assert jobs.regroup([sample.shop_id], sample.now) == 0
    assert incidents.least(sample.shop_id) == 50
    shops.change_policy(shop_id=sample.shop_id, changes={"incident_parcels": None}, by="test")
    assert incidents.least(sample.shop_id) == 5


def test_another_shop_sees_nothing(sample: Sample) -> None:
    row = one(sample)
    other = make_shop("别家店", login="other")
    assert views.incident(other, row.code) is None
    with for_shops([other]):
        assert not Incident.objects.exists()
    with pytest.raises(Refused) as told:
        together.start(shop_id=other, code=row.code, key="k", wish=Wish(Deed.SNOOZE, reason="x"), by=LEAD)
    assert told.value.why.code == "no_such_incident"


# --- one deed for all ------------------------------------------------------------------------------------------------


def test_looking_first_writes_nothing(sample: Sample) -> None:
    row = one(sample)
    with CaptureQueriesContext(connection) as asked:
        seen = expecting.expect(row, ask_wish(sample), LEAD, sample.now)
    said = [each["sql"] for each in asked.captured_queries]
    assert not [sql for sql in said if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert seen.will + seen.wont == row.parcels
    assert seen.mails == 1
    assert seen.mail is not None
    assert seen.mail.subject.startswith(f"{HUB} {seen.will} 票快件中途停滞，请于 ")
    assert seen.mail.subject.endswith(f"[{row.code}]")
    for each in seen.rows:
        assert (each.number in seen.mail.body) is bool(each.what)
    assert "周四前急用" in seen.mail.body
    assert "138" not in seen.mail.body


def test_one_mail_asks_about_all_of_them_once(sample: Sample) -> None:
    row = one(sample)
    wish = ask_wish(sample)
    before = {each: len(talks.effect_ids(sample.shop_id, each)) for each in sample.ids.values()}
    seen = expecting.expect(row, wish, LEAD, sample.now)
    run_id = together.start(shop_id=sample.shop_id, code=row.code, key="press", wish=wish, by=LEAD, now=sample.now)
    again = together.start(shop_id=sample.shop_id, code=row.code, key="press", wish=wish, by=LEAD, now=sample.now)
    assert again == run_id

    (run,) = views.runs(sample.shop_id, row.incident_id)
    assert (run.done, run.refused, run.todo) == (seen.will, seen.wont, 0)
    (effect_id,) = run.effects
    mail = effects.by_id([sample.shop_id], [effect_id])[effect_id]
    assert (mail.kind, mail.state) == ("carrier_mail", "ready")
    assert mail.can_cancel
    done = [each for each in run.rows if each.state == "done"]
    for each in done:
        assert each.case_id is not None
        ids = talks.effect_ids(sample.shop_id, each.case_id)
        assert ids[-1] == effect_id
        assert len(ids) == before[each.case_id] + 1
        talk = talks.of_case(sample.shop_id, each.case_id, carrier="zhongtong")
        assert talk.messages[-1].subject == seen.mail.subject if seen.mail else False

    negotiations.on_effect(
        Settled(sample.shop_id, effect_id, "carrier_mail", mail.subject, "accepted", outcome={}, by="answer")
    )
    for each in done:
        talk = talks.of_case(sample.shop_id, each.case_id or 0, carrier="zhongtong")
        assert talk.messages[-1].state == "sent"


def test_a_mail_is_taken_back_before_it_leaves(sample: Sample) -> None:
    row = one(sample)
    run_id = together.start(
        shop_id=sample.shop_id, code=row.code, key="k", wish=ask_wish(sample), by=LEAD, now=sample.now
    )
    (run,) = views.runs(sample.shop_id, row.incident_id)
    fresh = next(each for each in run.rows if each.case_id == sample.ids["fresh"])
    assert fresh.state == "done"
    together.undo(shop_id=sample.shop_id, run_id=run_id, by=LEAD, now=sample.now)

    (run,) = views.runs(sample.shop_id, row.incident_id)
    assert {each.state for each in run.rows} <= {"undone", "refused"}
    assert run.undone_by == "周"
    assert effects.by_id([sample.shop_id], list(run.effects))[run.effects[0]].state == "cancelled"
    page = queries.case_page(sample.shop_id, sample.cases["fresh"], Role.LEAD, sample.now)
    assert page is not None
    assert page.facts["carrier_asked_at"] is None
    assert page.timeline[0].kind == "carrier_mail_cancelled"
    talk = talks.of_case(sample.shop_id, sample.ids["fresh"], carrier="zhongtong")
    assert talk.messages[-1].state == "cancelled"
    with pytest.raises(Refused) as told:
        together.undo(shop_id=sample.shop_id, run_id=run_id, by=LEAD, now=sample.now)
    assert told.value.why.code == "run_undone_already"


def test_everything_goes_to_one_person_and_back(sample: Sample) -> None:
    row = one(sample)
    lead, agent = worker(sample), worker(sample, Role.AGENT)
    inside = {each.case_code for each in views.members(sample.shop_id, row.incident_id) if each.case_code}
    before = {code: owner_of(sample, code) for code in inside}
    wish = Wish(Deed.TAKE, owner_id=agent)
    run_id = together.start(shop_id=sample.shop_id, code=row.code, key="t", wish=wish, by=LEAD, now=sample.now)
    assert {owner_of(sample, code) for code in inside} == {agent}
    second = together.start(shop_id=sample.shop_id, code=row.code, key="t2", wish=wish, by=LEAD, now=sample.now)
    (run, _) = views.runs(sample.shop_id, row.incident_id)
    assert run.run_id == second
    assert {each.why.code for each in run.rows if each.why} == {"has_this_owner"}

    other = min(inside)
    with for_shops([sample.shop_id]):
        case_id = Case.objects.values_list("id", flat=True).get(code=other)
    from bufa.apps.cases import actions
    from bufa.domain.cases import Action

    actions.act(shop_id=sample.shop_id, case_id=case_id, action=Action.TAKE, by=LEAD, owner=lead)
    together.undo(shop_id=sample.shop_id, run_id=run_id, by=LEAD, now=sample.now)
    assert {code: owner_of(sample, code) for code in inside} == before | {other: lead}


def test_all_are_put_off_with_one_reason_and_brought_back(sample: Sample) -> None:
    row = one(sample)
    wish = Wish(Deed.SNOOZE, until=sample.now + timedelta(hours=12), reason="中心爆仓，明早疏通 13812345678")
    run_id = together.start(shop_id=sample.shop_id, code=row.code, key="s", wish=wish, by=LEAD, now=sample.now)
    (run,) = views.runs(sample.shop_id, row.incident_id)
    assert run.done == row.parcels
    assert "138" not in str(run.params["reason"])
    inside = views.members(sample.shop_id, row.incident_id)
    assert {each.snoozed_until for each in inside} == {wish.until}
    jobs.regroup([sample.shop_id], sample.now)
    assert views.incident(sample.shop_id, row.code).parcels == row.parcels  # type: ignore[union-attr]
    together.undo(shop_id=sample.shop_id, run_id=run_id, by=LEAD, now=sample.now)
    assert {each.snoozed_until for each in views.members(sample.shop_id, row.incident_id)} == {None}


def test_a_large_one_is_worked_off_batch_by_batch(sample: Sample) -> None:
    row = one(sample)
    wish = Wish(Deed.SNOOZE, reason="等网点回话")
    run_id = together.start(shop_id=sample.shop_id, code=row.code, key="b", wish=wish, by=LEAD, now=sample.now, batch=2)
    assert views.with_todo([sample.shop_id]) == [(sample.shop_id, run_id)]
    with pytest.raises(Refused) as told:
        together.undo(shop_id=sample.shop_id, run_id=run_id, by=LEAD, now=sample.now)
    assert told.value.why.code == "run_still_going"
    jobs.run(shop_id=sample.shop_id, run_id=run_id)
    (run,) = views.runs(sample.shop_id, row.incident_id)
    assert (run.done, run.todo, views.with_todo([sample.shop_id])) == (row.parcels, 0, [])


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(Deed.TAKE, owner_id=99_999), "no_such_member"),
        (Wish(Deed.ASK, contact_id=99_999), "no_such_contact"),
        (Wish(Deed.SNOOZE, reason=" "), "parameter_missing"),
        (Wish(Deed.SNOOZE, reason="x", until=at(-1)), "until_is_past"),
        (Wish(Deed.SNOOZE, reason="x", until=at(24 * 40)), "snooze_too_long"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(sample: Sample, wish: Wish, code: str) -> None:
    row = one(sample)
    for work in (
        lambda: expecting.expect(row, wish, LEAD, sample.now),
        lambda: together.start(shop_id=sample.shop_id, code=row.code, key="x", wish=wish, by=LEAD, now=sample.now),
    ):
        with pytest.raises(Refused) as told:
            work()
        assert told.value.why.code == code
    assert views.runs(sample.shop_id, row.incident_id) == ()


def test_the_carriers_others_are_no_addressee_and_finance_may_not(sample: Sample) -> None:
    row = one(sample)
    other = talks.contacts([sample.shop_id], "yuantong")[0]
    wish = Wish(Deed.ASK, contact_id=other.contact_id, due=sample.now + timedelta(hours=2))
    with pytest.raises(Refused) as told:
        together.start(shop_id=sample.shop_id, code=row.code, key="x", wish=wish, by=LEAD, now=sample.now)
    assert told.value.why.code == "no_such_contact"
    with pytest.raises(Refused) as told:
        expecting.expect(row, Wish(Deed.SNOOZE, reason="x"), Actor(9, "吴", Role.FINANCE), sample.now)
    assert told.value.why.code == "not_allowed"


def test_a_parcel_without_a_case_gets_one_first(sample: Sample) -> None:
    shop = sample.shop_id
    for n in range(3):
        number = f"7399000000{n:04d}"
        take_in(shop_id=shop, orders=[make_shipped(f"o{n}", number, shipped_at=at(-150))], now=at(-150))
        report = make_report(
            number,
            (at(-148), "【杭州市】 快件已由【杭州余杭】揽收", "103"),
            (at(-143), "【杭州市】 快件已到达 【杭州转运中心】", "1002"),
            (at(-130), f"【武汉市】 快件已到达 【{HUB}】", "1002"),
        )
        take_in(shop_id=shop, reports=[report], now=sample.now)
    row = one(sample)
    with for_shops([shop]):
        mine = Parcel.objects.get(number="73990000000000")
        Case.objects.filter(parcel=mine).update(
            state="closed", closed_at=sample.now, closed_by="x", outcome="other"
        )  # somebody closed it by hand, the parcel is stuck all the same
    seen = expecting.expect(row, Wish(Deed.TAKE, owner_id=worker(sample)), LEAD, sample.now)
    assert seen.opens == 1
    together.start(
        shop_id=shop, code=row.code, key="o", wish=Wish(Deed.TAKE, owner_id=worker(sample)), by=LEAD, now=sample.now
    )
    with for_shops([shop]):
        assert Case.objects.filter(parcel=mine).exclude(state="closed").values_list("owner_id", flat=True).get() == (
            worker(sample)
        )


def test_a_contact_who_was_removed_meanwhile_ends_the_run_with_a_reason(sample: Sample) -> None:
    row = one(sample)
    wish = ask_wish(sample)
    with for_shops([sample.shop_id]):
        waiting = IncidentRun.objects.create(
            shop_id=sample.shop_id,
            incident_id=row.incident_id,
            key="late",
            deed="ask",
            params={"contact": wish.contact_id, "due": wish.due.isoformat() if wish.due else "", "extra": ""},
            rows=[{"parcel": each, "state": "todo"} for each in views.parcel_ids(sample.shop_id, row.incident_id)],
            todo=row.parcels,
            by="周",
            operator_id=8,
            role="lead",
            at=sample.now,
        )
    negotiations.remove_contact(shop_id=sample.shop_id, contact_id=wish.contact_id, by=LEAD)
    assert together.carry_on(shop_id=sample.shop_id, run_id=waiting.pk, now=sample.now)
    (run,) = views.runs(sample.shop_id, row.incident_id)
    assert {(each.state, each.why.code if each.why else "") for each in run.rows} == {("refused", "no_such_contact")}
    page = queries.case_page(sample.shop_id, sample.cases["fresh"], Role.LEAD, sample.now)
    assert page is not None
    assert page.facts["carrier_asked_at"] is None


# --- what the carrier answers ----------------------------------------------------------------------------------------


def asked_together(sample: Sample) -> tuple[IncidentRow, list[int], str]:
    """(the incident, the cases that one mail asked about, that mail's Message-ID)."""
    row = one(sample)
    together.start(shop_id=sample.shop_id, code=row.code, key="k", wish=ask_wish(sample), by=LEAD, now=sample.now)
    (run,) = views.runs(sample.shop_id, row.incident_id)
    done = sorted(each.case_id or 0 for each in run.rows if each.state == "done")
    with for_shops([sample.shop_id]):
        token = CarrierMessage.objects.filter(case_id=done[0]).order_by("-id").values_list("message_id", flat=True)[0]
    assert len(done) > 1
    return row, done, token


def answered(sample: Sample, **mail: object) -> tuple[str, set[int]]:
    """A mail of the contact comes in: by what it was placed, and the cases of which it says something."""
    told = {
        "message_id": "<a@b>",
        "sender": "zhongtong@carrier.example",
        "to": (),
        "subject": "Re:",
        "text": "",
        **mail,
    }
    taken = mails.take_mail(shop_id=sample.shop_id, mail=MailRead(**told), raw_digest="x", now=sample.now)  # type: ignore[arg-type]
    with for_shops([sample.shop_id]):
        by = IncomingMail.objects.get(id=taken.mail_id).placed_by
        return by, set(CarrierAnswer.objects.filter(mail_id=taken.mail_id).values_list("case_id", flat=True))


AGREED = "您好，以上快件确认遗失，同意补发，请提供理赔材料。"


def test_an_answer_in_the_thread_of_one_mail_for_many_speaks_of_each_of_them(sample: Sample) -> None:
    _, cases, token = asked_together(sample)
    assert answered(sample, text=AGREED, answers=(token,)) == ("thread", set(cases))


def test_an_answer_that_names_one_parcel_speaks_of_that_one_only(sample: Sample) -> None:
    _, cases, token = asked_together(sample)
    number = numbers(sample)[many.newest_parcels(sample.shop_id, cases)[cases[1]]]
    assert answered(sample, text=f"{number} 确认遗失，同意补发", answers=(token,)) == ("thread", {cases[1]})


def test_an_answer_is_placed_by_the_incidents_code_or_by_the_address_that_was_made_for_it(sample: Sample) -> None:
    row, cases, _ = asked_together(sample)
    assert answered(sample, text=AGREED, subject=f"回复：{row.code}", vouched=True) == ("code", set(cases))
    with for_shops([sample.shop_id]):
        CarrierAnswer.objects.all().delete()
    settings = {"host": "127.0.0.1", "port": 2525, "sender": "desk@shop.example", "reply_tags": True}
    shops.connect(shop_id=sample.shop_id, kind="smtp", settings=settings, secrets={})
    made = reply_tags.reply_to_round(sample.shop_id, row.code, "desk@shop.example")
    assert answered(sample, text=AGREED, to=(made,), message_id="<b@b>") == ("token", set(cases))
    forged = made.replace("+i-", "+i-1")
    assert answered(sample, text="好的", to=(forged,), message_id="<c@b>") == ("", set())
