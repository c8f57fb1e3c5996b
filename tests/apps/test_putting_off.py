"""Putting findings off: until a time, until the next scan, for good; and taking each of these back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from bufa.apps.audit import queries as audit
from bufa.apps.cases import actions, putting_off, queries
from bufa.apps.cases.models import Case, Finding
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import queries as shops
from bufa.domain.cases import Action, Claim
from bufa.domain.kinds import Measure, Role
from bufa.domain.outcome import Refused
from bufa.jobs.sweep import due_parcels
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_report, make_shipped, make_shop
from tests.factories.sample import Sample

pytestmark = pytest.mark.django_db

Z1 = "73111122223333"
COLLECTED = (at(-170), "【杭州市】 快件已由【杭州余杭】揽收", "103")
HUB = (at(-169), "【杭州市】 快件已到达 【杭州转运中心】", "0")


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def finding(sample: Sample, name: str = "fresh") -> Finding:
    with for_shops([sample.shop_id]):
        case = Case.objects.get(shop_id=sample.shop_id, id=sample.ids[name])
        return Finding.objects.filter(parcel_id=case.parcel_id, state="open").latest("since")


def states(sample: Sample, parcel_id: int) -> set[str]:
    with for_shops([sample.shop_id]):
        return set(Finding.objects.filter(parcel_id=parcel_id).values_list("state", flat=True))


def put_off_all(sample: Sample, until: datetime | None) -> Finding:
    """Everything open on the fresh case is snoozed; returns one of them."""
    one = finding(sample)
    with for_shops([sample.shop_id]):
        ids = list(Finding.objects.filter(parcel_id=one.parcel_id, state="open").values_list("id", flat=True))
    for each in ids:
        putting_off.snooze(
            shop_id=sample.shop_id, finding_id=each, by=sample.actor(Role.AGENT), reason="网点说明天到", until=until
        )
    return one


def test_a_snoozed_finding_makes_its_case_wait_and_comes_back_by_the_sweep(sample: Sample) -> None:
    one = put_off_all(sample, at(6))
    case = queries.cases_by_id([sample.shop_id], [sample.ids["fresh"]])[sample.ids["fresh"]]
    assert (case.state, case.waiting_for, case.due_at, case.why.code) == (
        "determining",
        "carrier",
        at(6),
        "findings_put_off",
    )
    assert case.risk_fen >= 0
    assert states(sample, one.parcel_id) <= {"snoozed", "cleared"}
    with for_shops([sample.shop_id]):
        assert Parcel.objects.get(id=one.parcel_id).next_deadline <= at(6)
    due_parcels([sample.shop_id], at(5.9))
    assert "open" not in states(sample, one.parcel_id)
    due_parcels([sample.shop_id], at(6))
    assert "snoozed" not in states(sample, one.parcel_id)
    case = queries.cases_by_id([sample.shop_id], [sample.ids["fresh"]])[sample.ids["fresh"]]
    assert (case.waiting_for, case.why.code) == ("shop", "finding_open")


def test_until_the_next_scan() -> None:
    shop = make_shop()
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-172))], now=at(-172))
    damaged = (at(-100), "【广州市】 快件破损，已登记", "")
    take_in(shop_id=shop, reports=[make_report(Z1, COLLECTED, HUB, damaged)], now=NOW)
    actor = Sample(shop, NOW, shops.members([shop])[0].operator_id).actor()
    with for_shops([shop]):
        row = Finding.objects.get(shop_id=shop, rule="damaged")
    putting_off.snooze(shop_id=shop, finding_id=row.pk, by=actor, reason="等网点拍照", now=NOW)
    again = (at(1), "【广州市】 快件破损，等待处理", "")
    take_in(shop_id=shop, reports=[make_report(Z1, COLLECTED, HUB, damaged)], now=at(0.5))
    with for_shops([shop]):
        row.refresh_from_db()
        assert (row.state, row.snoozed_until) == ("snoozed", at(72))
    take_in(shop_id=shop, reports=[make_report(Z1, COLLECTED, HUB, damaged, again)], now=at(2))
    with for_shops([shop]):
        row.refresh_from_db()
    assert row.state == "open"


def test_ignoring_all_closes_an_untouched_case_and_undo_opens_it_again() -> None:
    shop = make_shop()
    actor = Sample(shop, NOW, shops.members([shop])[0].operator_id).actor()
    take_in(shop_id=shop, orders=[make_shipped("1", Z1, shipped_at=at(-172))], now=at(-172))
    take_in(shop_id=shop, reports=[make_report(Z1, COLLECTED, HUB)], now=NOW)
    with for_shops([shop]):
        case = Case.objects.get(shop_id=shop)
        ids = list(Finding.objects.filter(shop_id=shop, state="open").values_list("id", flat=True))
    for each in ids:
        putting_off.dismiss(shop_id=shop, finding_id=each, by=actor, reason="网点说已到货")
    row = queries.cases_by_id([shop], [case.pk])[case.pk]
    assert (row.state, row.outcome) == ("closed", "dismissed")
    for each in ids:
        putting_off.bring_back(shop_id=shop, finding_id=each, by=actor)
    row = queries.cases_by_id([shop], [case.pk])[case.pk]
    assert (row.state, row.outcome) == ("determining", "")
    with for_shops([shop]):
        assert set(Finding.objects.filter(id__in=ids).values_list("state", flat=True)) == {"open"}
        assert Case.objects.filter(shop_id=shop).count() == 1
    page = queries.case_page(shop, case.code, Role.AGENT, NOW)
    assert page is not None
    said = [(entry.kind, entry.words) for entry in page.timeline]
    assert ("finding_dismissed", "网点说已到货") in said
    assert any(kind == "finding_back" for kind, _ in said)


def test_what_is_refused(sample: Sample) -> None:
    shop_id, one = sample.shop_id, finding(sample)
    finance, agent = sample.actor(Role.FINANCE), sample.actor(Role.AGENT)

    def refused(**said: object) -> str:
        with pytest.raises(Refused) as caught:
            putting_off.snooze(**{"shop_id": shop_id, "finding_id": one.pk, "by": agent, "reason": "x"} | said)  # type: ignore[arg-type]
        return caught.value.why.code

    assert refused(reason="  ") == "parameter_missing"
    assert refused(until=at(-1)) == "until_is_past"
    assert refused(until=at(24 * 31)) == "snooze_too_long"
    assert refused(by=finance) == "not_allowed"
    putting_off.dismiss(shop_id=shop_id, finding_id=one.pk, by=agent, reason="x")
    assert refused() == "finding_not_open"
    with pytest.raises(Finding.DoesNotExist):
        putting_off.dismiss(shop_id=make_shop("别家"), finding_id=one.pk, by=agent, reason="x")


def test_a_parcel_that_comes_back_while_its_case_waits(sample: Sample) -> None:
    known = {"shop_id": sample.shop_id, "case_id": sample.ids["fresh"], "by": sample.actor()}
    actions.act(**known, action=Action.CONFIRM_VERDICT, claim=Claim.STALLED)
    actions.act(**known, action=Action.CHOOSE_MEASURE, measure=Measure.WAIT, until=at(24))
    number = queries.cases_by_id([sample.shop_id], [sample.ids["fresh"]])[sample.ids["fresh"]].number
    back = (at(1), "【深圳市】 快件已退回，正在退回寄件人", "")
    take_in(shop_id=sample.shop_id, reports=[make_report(number, back)], now=at(2))
    row = queries.cases_by_id([sample.shop_id], [sample.ids["fresh"]])[sample.ids["fresh"]]
    assert (row.state, row.measure, row.stage) == ("determining", "", "returning")


def test_it_is_in_the_audit_log(sample: Sample) -> None:
    one = put_off_all(sample, at(6))
    done = [entry.action for entry in audit.newest([sample.shop_id], subject=f"finding:{one.pk}")]
    assert done == ["finding.snoozed"]
