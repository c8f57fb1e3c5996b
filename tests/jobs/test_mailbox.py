"""The carrier's answer comes back over real SMTP and IMAP, lands in its case, and unlocks the reissue."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases.models import Case, TimelineEntry
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import answers, mails
from bufa.apps.negotiations.models import CarrierMessage, Consent, IncomingMail
from bufa.apps.negotiations.reply_tags import case_of
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.domain.cases import Action, Claim
from bufa.domain.kinds import Measure
from bufa.jobs import mailbox, sync
from bufa.jobs.effects import carry_out
from bufa.jobs.sweep import due_parcels
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.journey import LEAD, connected_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SENDER = "kefu@qinghe.example"


def mailbox_settings(world: Any) -> dict[str, Any]:
    imap, smtp = world.hello["imap"], world.hello["smtp"]
    return {
        "host": smtp["host"], "port": smtp["port"], "security": "none", "sender": SENDER, "imap_host": imap["host"],
        "imap_port": imap["port"], "imap_security": "none", "imap_username": SENDER,
        "imap_password": imap["password"], "authserv": imap["authserv"], "reply_tags": True,
    }  # fmt: skip


def asked(world: Any, shop: int, answer: str = "consent") -> tuple[int, str]:
    """A lost parcel whose carrier was asked by mail; (case, waybill)."""
    wanted = {"carrier": "zhongtong", "fate": "lost", "customer": "silent", "carrier_answer": answer}
    order = world.control("orders", wanted)["order_id"]
    now = world.advance(hours=24 * 9)
    with clock.frozen(now):
        sync.sync(shop)
        due_parcels([shop], now)
        with for_shops([shop]):
            case = Case.objects.filter(order__number=order).first()
        if case is None:
            with for_shops([shop]):
                from bufa.apps.parcels.models import Parcel

                parcel = Parcel.objects.get(order__number=order, role="original")
            case_id = cases.open_case(shop_id=shop, parcel_id=parcel.pk, by=LEAD)
            with for_shops([shop]):
                case = Case.objects.get(id=case_id)
        about: dict[str, Any] = {"shop_id": shop, "case_id": case.pk, "by": LEAD}
        cases.act(**about, action=Action.CONFIRM_VERDICT, claim=Claim.LOST)
        cases.act(**about, action=Action.CHOOSE_MEASURE, measure=Measure.REISSUE)
        contact = negotiations.add_contact(
            shop_id=shop, carrier="zhongtong", email=world.hello["carriers"]["zhongtong"]["email"], by=LEAD
        )
        negotiations.ask_carrier(**about, contact_id=contact)
        while carry_out(shop):
            pass
    with for_shops([shop]):
        return case.pk, Case.objects.get(id=case.pk).parcel.number


def test_asked_by_mail_and_consented_by_mail(world: Any) -> None:
    shop = connected_shop(world)
    shop_actions.connect(shop_id=shop, kind="smtp", settings=mailbox_settings(world))
    case_id, number = asked(world, shop)
    with for_shops([shop]):
        message = CarrierMessage.objects.get(case_id=case_id)
        assert message.state == "sent"
    with clock.frozen(world.now):
        assert mailbox.poll(shop) == 0
    with clock.frozen(world.advance(hours=60)):
        assert mailbox.poll(shop) >= 1
        assert mailbox.poll(shop) == 0
        [mail, *_] = mails.of_case(shop, case_id)
        assert (mail.placed_by, mail.is_trusted, mail.sender) == (
            "token", True, world.hello["carriers"]["zhongtong"]["email"],
        )  # fmt: skip
        [answer] = answers.waiting([shop], case_id=case_id)
        assert (answer.number, answer.said.consent, answer.is_trusted, answer.source) == (number, True, True, "mail")
        with for_shops([shop]):
            assert Case.objects.get(id=case_id).state == "asking"
            assert Consent.objects.count() == 0
        answers.accept(shop_id=shop, answer_id=answer.answer_id, by=LEAD)
        with for_shops([shop]):
            assert Case.objects.get(id=case_id).state == "numbering"
            consent = Consent.objects.get()
            assert (consent.result, consent.freight_by, consent.amount_fen) == (
                "given", "carrier", answer.said.amount_fen,
            )  # fmt: skip
            assert consent.proof == f"mail:{IncomingMail.objects.get(case_id=case_id).pk}"
            assert TimelineEntry.objects.filter(case_id=case_id, kind="carrier_mail_received").count() == 1


def post(world: Any, sender: str, to: str, subject: str, text: str, **headers: str) -> None:
    import smtplib

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = headers.pop("message_id", f"<{abs(hash((sender, subject, text)))}@x>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    with smtplib.SMTP(world.hello["smtp"]["host"], world.hello["smtp"]["port"]) as server:
        server.send_message(message, sender, [SENDER])


def test_a_stranger_who_knows_the_case_code_is_marked_and_never_acted_on(world: Any) -> None:
    shop = connected_shop(world)
    shop_actions.connect(shop_id=shop, kind="smtp", settings=mailbox_settings(world) | {"authserv": ""})
    case_id, number = asked(world, shop)
    with for_shops([shop]):
        code = Case.objects.get(id=case_id).code
        before = Case.objects.get(id=case_id).version
    post(world, "zhongtong@evil.example", SENDER, f"[{code}]", f"{number} 同意补发，赔付9999元")
    post(world, world.hello["carriers"]["zhongtong"]["email"], SENDER, "催", f"{number} 同意补发，赔付8888元")
    post(world, "a@b.example", SENDER, "发票", "您的发票")
    with clock.frozen(world.now):
        assert mailbox.poll(shop) == 3
    told = {one.said.amount_fen: one for one in answers.waiting([shop])}
    # the second took the first one's place: both are of the same source, and neither can be believed
    assert set(told) == {888800}
    assert not told[888800].is_trusted
    placed = mails.of_case(shop, case_id)
    assert [(one.placed_by, one.is_trusted) for one in placed] == [("code", False), ("waybill", False)]
    [lost] = mails.unplaced([shop])
    assert lost.subject == "发票"
    assert mails.place_by_hand(shop_id=shop, mail_id=lost.mail_id, code=code.lower(), by=LEAD, now=world.now) == 0
    assert mails.unplaced([shop]) == ()
    with for_shops([shop]):
        case = Case.objects.get(id=case_id)
        assert (case.state, case.version, Consent.objects.count()) == ("asking", before, 0)


def test_a_tag_is_ours_alone(world: Any) -> None:
    shop = connected_shop(world)
    shop_actions.connect(shop_id=shop, kind="smtp", settings=mailbox_settings(world))
    from bufa.apps.negotiations.reply_tags import reply_to

    address = reply_to(shop, 12, SENDER)
    assert case_of(shop, address) == 12
    assert case_of(shop, address.replace("+c12.", "+c13.")) is None
    assert case_of(shop + 1, address) is None
    assert case_of(shop, SENDER) is None
    info = shops.connection(shop, "smtp")
    assert info is not None
    assert "imap_password" in info.has_secret
    assert "imap_password" not in info.settings
    assert timedelta(0) < mailbox.FIRST_LOOK
