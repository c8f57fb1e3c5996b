"""Eighty hostile mails at a shop's door: all are kept or left, none moves a case or ends in an error."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from bufa.apps.cases.models import Case, Statement
from bufa.apps.negotiations import mails as kept
from bufa.apps.negotiations.models import CarrierAnswer, Consent, IncomingMail
from bufa.jobs import mailbox
from bufa.lib.tenancy import for_shops
from tests.factories.sample import PASSWORD, Sample
from tests.integrations.imap.hostile import mails


def test_none_of_them_is_acted_on(sample: Sample) -> None:
    def stand() -> list[object]:
        with for_shops([sample.shop_id]):
            cases = list(Case.objects.order_by("id").values_list("id", "state", "version", "changed_at"))
            return [*cases, Consent.objects.count(), Statement.objects.count()]

    before, hostile = stand(), list(mails())
    taken = sum(mailbox.take(sample.shop_id, raw, "mx.shop.example") for raw in hostile)
    assert taken >= 60
    assert sum(mailbox.take(sample.shop_id, raw, "mx.shop.example") for raw in hostile) == 0
    assert stand() == before
    with for_shops([sample.shop_id]):
        assert IncomingMail.objects.filter(is_trusted=True).count() == 0
        assert CarrierAnswer.objects.filter(is_trusted=True).count() == 0
        assert CarrierAnswer.objects.exclude(state__in=["open", "overtaken"]).count() == 0
    client = Client()
    client.post("/sign-in/", {"username": sample.people["owner"], "password": PASSWORD})
    for address in ("/carriers/", f"/cases/{sample.shop_id}/{sample.cases['asking']}/"):
        page = client.get(address)
        assert page.status_code == 200
        for markup in ("<script>alert", "<img src=x", "<svg onload", "<iframe src"):
            assert markup not in page.content.decode()


def test_mails_are_emptied_when_their_time_is_over(sample: Sample) -> None:
    hostile = [raw for raw in mails() if raw][:3]
    for raw in hostile:
        mailbox.take(sample.shop_id, raw, "")
    old = sample.now + timedelta(days=181)
    assert kept.forget_old(sample.shop_id, old) == 0  # their case is open
    with for_shops([sample.shop_id]):
        IncomingMail.objects.update(case=None, state="unplaced")
    assert kept.forget_old(sample.shop_id, sample.now + timedelta(days=179)) == 0
    assert kept.forget_old(sample.shop_id, old) == 3
    assert kept.forget_old(sample.shop_id, old) == 0
    assert {(one.sender, one.subject, one.text) for one in kept.unplaced([sample.shop_id])} == {("", "", "")}
