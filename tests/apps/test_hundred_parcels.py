"""A hundred parcels of one branch: one action, one message; the answers pasted in ten styles resolve them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import answers, contacts, many
from bufa.apps.negotiations.contacts import NewContact
from bufa.apps.negotiations.models import CarrierAnswer, CarrierCase, CarrierMessage, Consent
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import actions as shops
from bufa.domain.cases import Action, Claim
from bufa.domain.chasing import Level
from bufa.domain.kinds import Measure, Role
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.domain.test_group_answers import SAID_AT, STYLES, numbers, read_style
from tests.factories import make_line, make_order, make_package, make_report, make_shop

pytestmark = pytest.mark.django_db
LEAD = Actor(8, "周", Role.LEAD)
BRANCH = "杭州九堡网点"
ASKED_AT = SAID_AT - timedelta(hours=20)


def hundred_at_one_branch() -> tuple[int, dict[str, int]]:
    """A shop with a hundred parcels that stopped at one branch, each with a case that waits for the carrier."""
    shop_id = make_shop("九堡的店", login="jiubao")
    shops.connect(
        shop_id=shop_id, kind="smtp", settings={"host": "127.0.0.1", "port": 25, "sender": "desk@shop.example"}
    )
    every = [number for at in range(len(STYLES)) for number in numbers(at)]
    left, seen = ASKED_AT - timedelta(hours=150), ASKED_AT - timedelta(hours=130)
    orders, reports = [], []
    for at, number in enumerate(every):
        line = make_line(f"nb{at}")
        package = make_package(
            number, carrier="yuantong", lines=[(line.line_id, 1)], shipped_at=left, package_id=f"p{at}"
        )
        orders.append(make_order(f"{6_900_000_000_800_000 + at}", status=3, lines=[line], packages=[package]))
        scan = (seen, f"【杭州市】 快件已到达 【{BRANCH}】", "1002")
        reports.append(
            make_report(number, (left, "【杭州市】 快件已由【杭州余杭】揽收", "103"), scan, carrier="yuantong")
        )
    with clock.frozen(ASKED_AT):
        take_in(shop_id=shop_id, orders=orders, now=left)
        take_in(shop_id=shop_id, reports=reports, now=ASKED_AT)
        with for_shops([shop_id]):
            parcels = dict(Parcel.objects.filter(shop_id=shop_id).values_list("number", "id"))
        found: dict[str, int] = {}
        for number in every:
            case_id = cases.open_case(shop_id=shop_id, parcel_id=parcels[number], now=ASKED_AT, by=LEAD)
            about = {"shop_id": shop_id, "case_id": case_id, "by": LEAD, "now": ASKED_AT}
            cases.act(**about, action=Action.CONFIRM_VERDICT, claim=Claim.STALLED)  # type: ignore[arg-type]
            cases.act(**about, action=Action.CHOOSE_MEASURE, measure=Measure.REISSUE)  # type: ignore[arg-type]
            found[number] = case_id
    return shop_id, found


def test_one_action_one_message_and_the_pasted_answers_resolve_nine_in_ten() -> None:
    shop_id, known = hundred_at_one_branch()
    new = NewContact("yuantong", Level.BRANCH, BRANCH, email="jiubao@yto.example")
    contact_id = contacts.save_contact(shop_id=shop_id, new=new, by=LEAD)

    done = many.ask(
        shop_id=shop_id, case_ids=list(known.values()), contact_id=contact_id, by=LEAD, now=ASKED_AT, key="press",
        due=ASKED_AT + timedelta(hours=24),
    )  # fmt: skip
    assert (len(done.done), done.refused, done.messages) == (100, (), 1)
    with for_shops([shop_id]):
        [effect] = Effect.objects.filter(kind="carrier_mail")
        assert CarrierMessage.objects.filter(effect_id=effect.pk).count() == 100
        assert set(CarrierCase.objects.values_list("state", "asked", "branch")) == {("asked", 1, BRANCH)}
    [text] = effects.intent_of(shop_id, effect.pk, "text")
    assert all(number in text for number in known)
    assert text.count(f"【{BRANCH}】") == 1

    for at in range(len(STYLES)):
        _, _, pasted = read_style(at)
        answers.keep_text(
            shop_id=shop_id,
            text=pasted,
            source="chat",
            sender="周 粘贴",
            is_trusted=True,
            now=SAID_AT,
            carrier="yuantong",
        )
    waiting = answers.waiting([shop_id], carrier="yuantong")
    told, refused = answers.accept_all(shop_id=shop_id, answer_ids=[one.answer_id for one in waiting], by=LEAD)
    assert (told, refused) == (len(waiting), [])

    resolved = wrong = 0
    with for_shops([shop_id]):
        consents = {one.case_id: one for one in Consent.objects.all()}
        said = {one.case_id: answers.read_said(one.said) for one in CarrierAnswer.objects.filter(state="accepted")}
        for at in range(len(STYLES)):
            _, truths, _ = read_style(at)
            for number, truth in truths.items():
                case_id = known[number]
                resolved += truth.is_resolved(said.get(case_id))
                wrong += truth.is_wrong(said.get(case_id))
                consent = consents.get(case_id)
                if consent is not None:
                    wrong += (consent.result == "given") is not truth.consent
                    wrong += consent.amount_fen not in (None, truth.amount_fen)
                if truth.consent and consent is not None:
                    assert Case.objects.get(id=case_id).state == "numbering"
    assert wrong == 0
    assert resolved >= 90
