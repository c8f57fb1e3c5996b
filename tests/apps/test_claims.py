"""Claims beside cases: reckoned as a case changes, paid short, matched from a sheet, never lapsed unseen."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, TimelineEntry
from bufa.apps.claims import actions, queries, reckoning, scorecard, sheets
from bufa.apps.claims.models import Claim, ClaimEntry, SheetLine
from bufa.apps.claims.sheets import PaidRow
from bufa.apps.negotiations import rules
from bufa.apps.parcels.models import Parcel
from bufa.domain.carrier_rules import Topic
from bufa.domain.case_facts import Claim as Kind
from bufa.domain.claims import ClaimAct, ClaimState
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.scorecards import Level
from bufa.jobs import claims as claim_jobs
from bufa.lib.tenancy import for_shops
from tests.factories import make_shop
from tests.factories.sample import Sample

AGENT, LEAD, FINANCE = Actor(7, "林", Role.AGENT), Actor(8, "周", Role.LEAD), Actor(9, "吴", Role.FINANCE)
WAREHOUSE = Actor(6, "陈", Role.WAREHOUSE)


def reckoned(sample: Sample, name: str = "asking") -> queries.ClaimRow:
    claim_jobs.watch([sample.shop_id], sample.now)
    return queries.of_case(sample.shop_id, sample.ids[name])[-1]


def test_each_case_is_reckoned_once_and_again_when_it_changes(sample: Sample) -> None:
    book = rules.of_shop(sample.shop_id)
    looked = reckoning.reckon_due(sample.shop_id, book, sample.now)
    assert looked >= 8
    later = sample.now + timedelta(seconds=1)
    assert reckoning.reckon_due(sample.shop_id, book, later) == looked
    assert reckoning.reckon_due(sample.shop_id, book, later) == 0
    found = queries.of_case(sample.shop_id, sample.ids["asking"])[0]
    assert (found.kind, found.state, found.value_fen, found.ask_fen) == ("lost", "open", 8900, 8900)
    assert (found.freight_fen, found.low_fen, found.high_fen, found.rule_id) == (800, 2400, 4000, "amount_tongda")
    assert found.window_rule == "window_loss"
    assert found.until == sample.now - timedelta(hours=148) + timedelta(hours=8760)
    with for_shops([sample.shop_id]):
        Case.objects.filter(id=sample.ids["asking"]).update(
            changed_at=sample.now + timedelta(minutes=1), facts={"claim": "delivered"}
        )
    assert reckoning.reckon_due(sample.shop_id, book, sample.now) == 1
    assert queries.of_case(sample.shop_id, sample.ids["asking"]) == ()


def test_a_parcel_with_a_second_case_keeps_one_claim_and_the_newer_case_has_it(sample: Sample) -> None:
    book = rules.of_shop(sample.shop_id)
    with for_shops([sample.shop_id]):
        parcel_id = Case.objects.get(id=sample.ids["closed"]).parcel_id
    second = cases.open_case(shop_id=sample.shop_id, parcel_id=parcel_id, by=LEAD, now=sample.now)
    later = sample.now + timedelta(seconds=1)
    assert reckoning.reckon_due(sample.shop_id, book, later) >= 8
    assert reckoning.reckon_due(sample.shop_id, book, later) == 0
    with for_shops([sample.shop_id]):
        assert Claim.objects.get(parcel_id=parcel_id).case_id == second
        Claim.objects.filter(parcel_id=parcel_id).update(state="asked", case_id=sample.ids["closed"])
        Case.objects.filter(id=second).update(changed_at=later)
    assert reckoning.reckon_due(sample.shop_id, book, later + timedelta(seconds=1)) == 1
    assert reckoning.reckon_due(sample.shop_id, book, later + timedelta(seconds=1)) == 0


def test_asked_and_paid_short_stands_on_the_case_and_in_the_ledger(sample: Sample) -> None:
    found = reckoned(sample)
    ids = {"shop_id": sample.shop_id, "claim_id": found.claim_id, "by": FINANCE}
    actions.act(**ids, act=ClaimAct.ASK, amount_fen=8900, version=found.version)
    with pytest.raises(Refused, match="claim_changed"):
        actions.act(**ids, act=ClaimAct.ASK, amount_fen=1, version=found.version)
    moved = actions.act(**ids, act=ClaimAct.PAY, amount_fen=3000, reference="LP-9")
    assert (moved.state, moved.short_fen) == (ClaimState.SHORT_PAID, 5900)
    actions.act(**ids, act=ClaimAct.ACCEPT, reason="条款上限")
    assert [(one.act, one.amount_fen, one.words) for one in queries.entries(sample.shop_id, found.claim_id)] == [
        ("ask", 8900, ""), ("pay", 3000, ""), ("accept", 0, "条款上限"),
    ]  # fmt: skip
    with for_shops([sample.shop_id]):
        kinds = TimelineEntry.objects.filter(case_id=sample.ids["asking"], kind__startswith="claim_")
        assert sorted(kinds.values_list("kind", flat=True)) == ["claim_asked", "claim_paid", "claim_settled"]
    [line] = queries.ledger([sample.shop_id])
    assert (line.month, line.carrier, line.asked_fen, line.paid_fen, line.share) == (
        date(2026, 11, 1), "zhongtong", 8900, 3000, 34,
    )  # fmt: skip
    assert queries.ledger([make_shop()]) == ()


def test_what_was_insured_decides_the_amount_by_sheet_or_by_hand(sample: Sample) -> None:
    found = reckoned(sample)
    sheet = {"shop_id": sample.shop_id, "carrier": "zhongtong", "name": "保价.xlsx", "by": FINANCE, "now": sample.now}
    rows = [PaidRow(2, found.number, 5000), PaidRow(3, "73999999999998", 100)]
    placed = sheets.take_sheet(**sheet, kind="insured", rows=rows)
    assert (placed.matched, placed.unmatched) == (1, 1)
    told = reckoned(sample)
    assert (told.ask_fen, told.low_fen, told.high_fen, told.rule_id) == (5000, 5000, 5000, "amount_insured")
    ids = {"shop_id": sample.shop_id, "claim_id": found.claim_id, "by": FINANCE, "now": sample.now}
    actions.insure(**ids, insured_fen=20000, version=told.version)
    reckoning.reckon_case(sample.shop_id, sample.ids["asking"], rules.of_shop(sample.shop_id), sample.now)
    by_hand = queries.claim(sample.shop_id, found.claim_id)
    assert by_hand is not None
    assert (by_hand.insured_fen, by_hand.ask_fen) == (20000, 8900)
    with pytest.raises(Refused, match="claim_changed"):
        actions.insure(**ids, insured_fen=1, version=told.version)
    actions.act(**ids, act=ClaimAct.ASK, amount_fen=8900)
    with pytest.raises(Refused, match="claim_not_now"):
        actions.insure(**ids, insured_fen=1)


def test_who_has_nothing_to_do_with_money_may_not(sample: Sample) -> None:
    found = reckoned(sample)
    with pytest.raises(Refused, match="not_allowed"):
        actions.act(shop_id=sample.shop_id, claim_id=found.claim_id, act=ClaimAct.ASK, amount_fen=1, by=WAREHOUSE)


def test_a_window_that_ends_unused_is_said_and_stays_in_sight(sample: Sample) -> None:
    found = reckoned(sample)
    with for_shops([sample.shop_id]):
        Claim.objects.filter(id=found.claim_id).update(until=sample.now + timedelta(hours=70))
    assert [one.claim_id for one in queries.due_soon([sample.shop_id], sample.now)] == [found.claim_id]
    over = sample.now + timedelta(hours=71)
    assert reckoning.lapse_due(sample.shop_id, over) == 1
    assert reckoning.lapse_due(sample.shop_id, over) == 0
    [still] = queries.due_soon([sample.shop_id], over)
    assert (still.claim_id, still.state) == (found.claim_id, "lapsed")
    assert queries.windows([sample.shop_id], [sample.ids["asking"]])[sample.ids["asking"]].state == "lapsed"
    with for_shops([sample.shop_id]):
        assert TimelineEntry.objects.filter(case_id=sample.ids["asking"], kind="claim_lapsed").count() == 1
    actions.act(shop_id=sample.shop_id, claim_id=found.claim_id, act=ClaimAct.ASK, amount_fen=8900, by=AGENT, now=over)
    assert queries.due_soon([sample.shop_id], over) == ()


def test_a_carriers_sheet_is_laid_against_claims_once(sample: Sample) -> None:
    found = reckoned(sample)
    shop = sample.shop_id
    actions.act(shop_id=shop, claim_id=found.claim_id, act=ClaimAct.ASK, amount_fen=8900, by=AGENT)
    rows = [
        PaidRow(2, f" {found.number} ", 5000, date(2026, 11, 19), "LP1"),
        PaidRow(3, "73999999999999", 1200),
        PaidRow(4, found.number, 3900, date(2026, 11, 19), "LP2"),
    ]
    sheet = {"shop_id": shop, "kind": "paid", "carrier": "zhongtong", "name": "11 月理赔.xlsx", "by": FINANCE}
    placed = sheets.take_sheet(**sheet, rows=rows)
    assert (placed.matched, placed.unmatched, placed.repeated, placed.paid_fen) == (2, 1, 0, 8900)
    assert queries.claim(shop, found.claim_id).state == "paid"  # type: ignore[union-attr]
    again = sheets.take_sheet(**sheet, rows=[*rows, PaidRow(5, found.number, 100)])
    assert (again.matched, again.unmatched, again.repeated, again.paid_fen) == (1, 0, 3, 100)
    assert queries.claim(shop, found.claim_id).paid_fen == 9000  # type: ignore[union-attr]
    [line] = queries.unmatched([shop])
    assert (line.number, line.amount_fen, line.has_parcel) == ("73999999999999", 1200, False)
    other = reckoned(sample, "numbering")
    sheets.place_line(shop_id=shop, line_id=line.line_id, claim_id=other.claim_id, by=FINANCE)
    assert queries.claim(shop, other.claim_id).state == "paid"  # type: ignore[union-attr]
    with pytest.raises(Refused, match="line_is_placed"):
        sheets.set_aside(shop_id=shop, line_id=line.line_id, by=FINANCE)
    assert queries.unmatched([shop]) == ()


def test_a_freight_bill_changes_what_the_terms_give(sample: Sample) -> None:
    found = reckoned(sample)
    placed = sheets.take_sheet(
        shop_id=sample.shop_id, kind="bill", carrier="", name="bill.csv", by=FINANCE,
        rows=[PaidRow(2, found.number, 350), PaidRow(3, "nobody", 350)],
    )  # fmt: skip
    assert (placed.matched, placed.unmatched) == (1, 1)
    now = reckoned(sample)
    assert (now.freight_fen, now.low_fen, now.high_fen) == (350, 1050, 1750)


def test_a_row_for_nothing_is_set_aside_and_a_sheet_without_rows_refused(sample: Sample) -> None:
    sheet = {"shop_id": sample.shop_id, "kind": "paid", "carrier": "", "name": "x", "by": FINANCE}
    with pytest.raises(Refused, match="sheet_empty"):
        sheets.take_sheet(**sheet, rows=[])
    sheets.take_sheet(**sheet, rows=[PaidRow(2, "A", 1)])
    [line] = queries.unmatched([sample.shop_id])
    sheets.set_aside(shop_id=sample.shop_id, line_id=line.line_id, by=FINANCE)
    assert queries.unmatched([sample.shop_id]) == ()
    with for_shops([sample.shop_id]):
        assert SheetLine.objects.get().state == "set_aside"


def test_another_shop_sees_none_of_it(sample: Sample) -> None:
    found = reckoned(sample)
    other = make_shop("别家")
    assert queries.claim(other, found.claim_id) is None
    with for_shops([other]):
        assert Claim.objects.count() == ClaimEntry.objects.count() == 0


def test_a_shops_own_rule_is_kept_used_and_taken_back(sample: Sample) -> None:
    row = {
        "topic": "amount", "zh": "合同：按货值八成，最多 50 元", "source": "合同 2026-07", "since": "2026-07-01",
        "basis": "value", "percent": 80, "cap_fen": 5000, "carriers": ["zhongtong"],
    }  # fmt: skip
    with pytest.raises(Refused, match="not_allowed"):
        rules.set_rule(shop_id=sample.shop_id, row=row, by=AGENT, rule_id="amount_tongda")
    with pytest.raises(Refused, match="no_such_rule"):
        rules.set_rule(shop_id=sample.shop_id, row=row, by=LEAD, rule_id="nothing")
    rules.set_rule(shop_id=sample.shop_id, row=row, by=LEAD, rule_id="amount_tongda")
    found = reckoned(sample)
    assert (found.ask_fen, found.low_fen, found.high_fen) == (5000, 5000, 5000)
    assert rules.restore_rule(shop_id=sample.shop_id, rule_id="amount_tongda", by=LEAD)
    book = rules.of_shop(sample.shop_id)
    first = book.first(Topic.AMOUNT, "zhongtong", Kind.LOST, sample.now.date())
    assert first is not None
    assert first.zh.startswith("通达、极兔未保价")


def test_what_carriers_lose_and_pay_by_carrier_branch_and_route(sample: Sample) -> None:
    found = reckoned(sample)
    ids = {"shop_id": sample.shop_id, "claim_id": found.claim_id, "by": FINANCE, "now": sample.now}
    actions.act(**ids, act=ClaimAct.ASK, amount_fen=8900)
    actions.act(**ids, act=ClaimAct.PAY, amount_fen=3000)
    levels = scorecard.losses([sample.shop_id])
    whole = levels[Level.CARRIER][("zhongtong", "")]
    with for_shops([sample.shop_id]):
        parcels = Parcel.objects.filter(carrier="zhongtong").count()
        lost = Case.objects.filter(facts__claim="lost", parcel__carrier="zhongtong").count()
    assert (whole.parcels, whole.lost, whole.claims, whole.asked_fen, whole.paid_fen) == (parcels, lost, 1, 8900, 3000)
    for level in (Level.BRANCH, Level.ROUTE):
        rows = [one for (carrier, _), one in levels[level].items() if carrier == "zhongtong"]
        assert sum(one.paid_fen for one in rows) == 3000
    assert scorecard.losses([make_shop()]) == {level: {} for level in Level}
