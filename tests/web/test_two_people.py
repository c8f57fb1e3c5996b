"""Two people at one button: one wins, the other sees who it was and when, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from bufa.apps.cases import actions as cases
from bufa.apps.cases import queries
from bufa.apps.cases.models import LedgerLine
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import Effect
from bufa.apps.reissues import actions, bulk_queries
from bufa.apps.reissues import queries as reissues
from bufa.domain.cases import Action, Claim
from bufa.domain.effects import Result
from bufa.domain.kinds import Measure, Role
from bufa.lib.tenancy import for_shops
from tests.factories import make_ticket
from tests.factories.sample import Sample

SignIn = Callable[[str], Client]
FRESH = "YT8888000000001"


def url(sample: Sample, name: str, act: str = "") -> str:
    return f"/cases/{sample.shop_id}/{sample.cases[name]}/{act}"


def version(sample: Sample, name: str) -> int:
    row = queries.case_by_code([sample.shop_id], sample.cases[name])
    assert row is not None
    return row.version


def effects_of(sample: Sample) -> int:
    with for_shops([sample.shop_id]):
        return Effect.objects.filter(subject__startswith="reissue:").count()


def both(sample: Sample, signed_in: SignIn, name: str, act: str, fields: dict[str, Any]) -> tuple[str, str]:
    """The owner and the lead have the page open as it is now; the lead presses, then the owner."""
    lead, owner = signed_in("lead"), signed_in("owner")
    seen = {"version": version(sample, name)}
    first = lead.post(url(sample, name, act), fields | seen, follow=True).content.decode()
    second = owner.post(url(sample, name, act), fields | seen, follow=True).content.decode()
    assert "处理过这个案件" not in first
    assert "周 刚在 " in second, second[:3000]
    assert "处理过这个案件，没有重复做" in second
    return first, second


def test_a_measure(sample: Sample, signed_in: SignIn) -> None:
    first, _ = both(sample, signed_in, "fresh", "decide/", {"claim": "lost", "measure": "reissue", "hours": "24"})
    assert "已选补发" in first


def test_a_submission(sample: Sample, signed_in: SignIn) -> None:
    """The ten seconds in which the first can be taken back run on; the second adds nothing to the order."""
    draft = reissues.open_draft(sample.shop_id, sample.ids["numbering"], sample.now)
    fields = {"do": "submit", "carrier": "yuantong", "number": FRESH, "pickup": draft.form.pickup_id, "line_0": "1"}
    before = effects_of(sample)
    both(sample, signed_in, "numbering", "reissue/", fields | {"override_reason": "急用"})
    assert effects_of(sample) == before + 1


def test_what_a_person_saw_at_the_platform(sample: Sample, signed_in: SignIn) -> None:
    about = {"shop_id": sample.shop_id, "case_id": sample.ids["numbering"]}
    form = replace(reissues.open_draft(**about, now=sample.now).form, carrier="yuantong", number=FRESH)
    sent = actions.submit(
        **about, form=form, by=sample.actor(Role.LEAD), override_reason="急用", delay=timedelta(0), now=sample.now
    )
    assert sent.effect_id is not None
    begun = effects.begin(shop_id=sample.shop_id, effect_id=sent.effect_id)
    assert begun is not None
    ended = effects.finish(
        shop_id=sample.shop_id, effect_id=sent.effect_id, attempt=begun.attempt, result=Result.UNKNOWN
    )
    assert ended is not None
    actions.on_effect(ended)
    fields = {"reissue": sent.reissue_id, "accepted": "1", "reason": "看到了"}
    both(sample, signed_in, "numbering", "release/", fields)
    assert [one.state for one in reissues.of_case(**about)] == ["accepted"]


@pytest.mark.parametrize("act", ["remedy-platform/", "remedy-done/"])
def test_a_refund(sample: Sample, signed_in: SignIn, act: str) -> None:
    about: dict[str, Any] = {"shop_id": sample.shop_id, "case_id": sample.ids["fresh"], "by": sample.actor(Role.LEAD)}
    cases.act(**about, action=Action.CONFIRM_VERDICT, claim=Claim.LOST)
    cases.act(**about, action=Action.CHOOSE_MEASURE, measure=Measure.REFUND, amount_fen=6000)
    row = queries.case_by_code([sample.shop_id], sample.cases["fresh"])
    assert row is not None
    ticket = make_ticket("8801", row.order_number, type=1, status=6, update_time=5, refund_fen=8900)
    take_in(shop_id=sample.shop_id, after_sales=[ticket], now=sample.now)
    both(sample, signed_in, "fresh", act, {"reference": "T1", "amount": "60"})
    with for_shops([sample.shop_id]):
        asked = Effect.objects.filter(subject__startswith="remedy:").count()
        booked = LedgerLine.objects.filter(case_id=sample.ids["fresh"]).count()
    assert (asked, booked) == ((1, 0) if act == "remedy-platform/" else (0, 1))


def test_a_sheet(sample: Sample, signed_in: SignIn) -> None:
    lead, owner = signed_in("lead"), signed_in("owner")
    text = f"{sample.cases['numbering']}\t圆通\t{FRESH}"
    run = lead.post("/reissues/", {"key": "a" * 32, "text": text})["Location"]
    lead.post(f"{run}take/", {"verdict": "punished_later"})
    first = lead.post(f"{run}start/", {"override_reason": "急用"}, follow=True).content.decode()
    second = owner.post(f"{run}start/", {"override_reason": "急用"}, follow=True).content.decode()
    assert "1 行开始提交" in first
    assert "已经开始提交这一批，没有再提交一遍" in second
    assert "周 在 " in second
    shown = bulk_queries.run_view(sample.shop_id, int(run.split("/")[3]))
    assert shown is not None
    assert (shown.by, shown.taking_part) == ("周", 1)
