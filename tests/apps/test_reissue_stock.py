"""Goods go with their reissue: promised when it is submitted, let go when it comes to nothing, gone when collected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bufa.apps.cases.actors import Actor
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import Effect
from bufa.apps.parcels.models import Parcel
from bufa.apps.reissues import actions, queries
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.reissues import Answer
from bufa.jobs.sweep import sweep_once
from bufa.lib.tenancy import for_shops
from tests.factories.sample import Sample

LEAD = Actor(8, "周", Role.LEAD)
FRESH = "YT8888000000001"


def goods(sample: Sample) -> Goods:
    line = queries.open_draft(sample.shop_id, sample.ids["numbering"], sample.now).order.lines[0]
    return Goods(line.sku_id, line.title, line.spec)


def count(sample: Sample, pieces: int) -> None:
    stock.count(shop_id=sample.shop_id, goods=goods(sample), on_hand=pieces, by="chen", now=sample.now)


def level(sample: Sample) -> tuple[int, int]:
    found = stock.levels(sample.shop_id, [goods(sample)])[goods(sample)]
    return found.on_hand, found.reserved


def submit(sample: Sample, number: str = FRESH) -> int:
    draft = queries.open_draft(sample.shop_id, sample.ids["numbering"], sample.now)
    form = replace(draft.form, carrier="yuantong", number=number)
    done = actions.submit(
        shop_id=sample.shop_id, case_id=sample.ids["numbering"], form=form, by=LEAD, override_reason="客户急用"
    )
    return done.reissue_id


def said(sample: Sample) -> tuple[Answer, str]:
    draft = queries.open_draft(sample.shop_id, sample.ids["numbering"], sample.now)
    form = replace(draft.form, carrier="yuantong", number=FRESH)
    checked = queries.check_form(sample.shop_id, sample.ids["numbering"], form, sample.now)
    return next((one.verdict, one.why.code) for one in checked.report.checks if one.code == "stock")


def told(sample: Sample, reissue_id: int, state: str) -> None:
    with for_shops([sample.shop_id]):
        row = Reissue.objects.get(id=reissue_id)
    actions.on_effect(
        Settled(row.shop_id, row.effect_id or 0, "extra_package", f"reissue:{row.pk}", state, by="answer")
    )


def test_the_gate_says_what_the_shelf_holds(sample: Sample) -> None:
    assert said(sample) == (Answer.CANNOT_TELL, "stock_not_kept")
    stock.count(shop_id=sample.shop_id, goods=Goods("", "别的"), on_hand=1, by="chen", now=sample.now)
    assert said(sample) == (Answer.CANNOT_TELL, "stock_not_counted")
    count(sample, 1)
    assert said(sample) == (Answer.PASS, "stock_pass")
    count(sample, 0)
    assert said(sample) == (Answer.REFUSED, "stock_short")
    with pytest.raises(Refused) as refused:
        submit(sample)
    assert refused.value.why.params["checks"] == ["stock"]


def test_promised_on_submitting_and_let_go_when_stopped_or_refused(sample: Sample) -> None:
    count(sample, 3)
    one = submit(sample)
    assert level(sample) == (3, 1)
    actions.stop(shop_id=sample.shop_id, reissue_id=one, by=LEAD)
    assert level(sample) == (3, 0)
    told(sample, submit(sample), "rejected")
    assert level(sample) == (3, 0)
    two = submit(sample, "YT8888000000002")
    told(sample, two, "unknown")
    with for_shops([sample.shop_id]):
        Effect.objects.filter(subject=f"reissue:{two}").update(state="unknown")
    assert level(sample) == (3, 1)
    actions.release(shop_id=sample.shop_id, reissue_id=two, is_there=False, reason="后台没有", by=LEAD)
    assert level(sample) == (3, 0)


def test_gone_with_the_first_scan_of_its_carrier(sample: Sample) -> None:
    count(sample, 3)
    one = submit(sample)
    told(sample, one, "accepted")
    sweep_once(sample.now)
    assert level(sample) == (3, 1)
    with for_shops([sample.shop_id]):
        Parcel.objects.filter(reissue__id=one).update(stage="collected")
    sweep_once(sample.now + timedelta(seconds=1))
    assert level(sample) == (2, 0)
    assert actions.goods_left([sample.shop_id], sample.now) == 0


def test_let_go_when_it_went_wrong_before_any_carrier_had_it(sample: Sample) -> None:
    count(sample, 3)
    one = submit(sample)
    told(sample, one, "accepted")
    with for_shops([sample.shop_id]):
        Reissue.objects.filter(id=one).update(state="wrong")
    assert actions.goods_left([sample.shop_id], sample.now) == 1
    assert level(sample) == (3, 0)


def test_the_shelf_names_the_reissue_that_holds_goods(sample: Sample) -> None:
    count(sample, 3)
    one = submit(sample)
    [held] = stock.holders(sample.shop_id).values()
    assert held == [(f"reissue:{one}", 1)]
    found = queries.codes_of(sample.shop_id, [subject for subject, _ in held])
    assert found[f"reissue:{one}"].case_code == sample.cases["numbering"]
