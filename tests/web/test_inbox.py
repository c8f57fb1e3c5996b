"""Parked messages: tried again, discarded with a reason, put back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from bufa.apps.audit import queries as audit
from bufa.apps.inbox import actions, queries
from tests.factories import NOW
from tests.factories.sample import Sample

pytestmark = pytest.mark.django_db


def test_a_message_that_means_nothing_is_discarded_with_a_reason_and_put_back(sample: Sample, owner: Client) -> None:
    (row,) = queries.parked([sample.shop_id])
    none = owner.post("/inbox/discard/", {"message": row.message_id, "reason": "  "})
    assert none.status_code == 422
    assert f'value="{row.message_id}" checked' in none.content.decode()
    kept = owner.post("/inbox/discard/", {"reason": "别家店的单号"})
    assert (kept.status_code, 'value="别家店的单号"' in kept.content.decode()) == (422, True)
    assert len(queries.parked([sample.shop_id])) == 1

    said = {"message": row.message_id, "reason": "别家店的单号，问 13812345678"}
    assert owner.post("/inbox/discard/", said).status_code == 303
    assert queries.parked([sample.shop_id]) == []
    (gone,) = queries.discarded([sample.shop_id])
    assert (gone.code, gone.discarded_by, gone.discarded_at) == (row.code, sample.people["owner"], NOW)
    assert gone.discarded_why.startswith("别家店的单号")
    assert "138" not in gone.discarded_why
    assert next(each.action for each in audit.newest([sample.shop_id])) == "inbox.discard"
    page = owner.get("/inbox/?view=discarded").content.decode()
    assert "别家店的单号" in page
    assert page.count(f"/inbox/back/{row.message_id}/") == 2  # beside it, and in the flash that says so

    # A number that appears, or trying all again, does not wake what was discarded.
    assert actions.numbers_appeared(sample.shop_id, ["7300000000"]) == 0
    assert actions.retry(shop_id=sample.shop_id, message_ids=[row.message_id], by="x") == 0
    assert owner.post(f"/inbox/back/{row.message_id}/").status_code == 303
    assert queries.parked([sample.shop_id]) == [row]
    assert actions.numbers_appeared(sample.shop_id, ["7300000000"]) == 1


def test_an_agent_may_not(sample: Sample, signed_in: Callable[[str], Client]) -> None:
    (row,) = queries.parked([sample.shop_id])
    agent = signed_in("agent")
    assert agent.post("/inbox/discard/", {"message": row.message_id, "reason": "x"}).status_code == 422
    agent.post("/inbox/retry/")
    assert queries.parked([sample.shop_id]) == [row]
