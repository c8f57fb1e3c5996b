"""A case's own cap, and a large sheet that its bringer may not start."""

from __future__ import annotations

import pytest

from bufa.apps.reissues import actions, bulk
from bufa.apps.reissues.models import BulkRow
from bufa.apps.reissues.queries import ReissueForm, open_draft
from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries as shop_queries
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.lib.tenancy import for_shops
from tests.apps.test_bulk import FRESH, WHY, looked_through, person
from tests.factories import NOW
from tests.factories.sample import Sample


@pytest.mark.django_db
def test_a_case_has_its_own_cap_and_a_large_sheet_needs_a_second_person(sample: Sample) -> None:
    lead, agent = person(sample, "lead", Role.LEAD), person(sample, "agent", Role.AGENT)
    shops.change_policy(shop_id=sample.shop_id, changes={"bulk_second_from": 1}, by="boss")
    run = looked_through(sample, lead, ("numbering", FRESH), ("submitting", "YT8888000000002"))
    about = {"shop_id": sample.shop_id, "run_id": run}
    with for_shops([sample.shop_id]):
        BulkRow.objects.filter(run_id=run).update(state="ready", verdict="will_pass")
    with pytest.raises(Refused, match="bulk_needs_second"):
        bulk.start(**about, by=lead, override_reason=WHY)
    assert bulk.start(**about, by=agent) == 2
    shops.change_policy(shop_id=sample.shop_id, changes={"reissues_per_case": 1}, by="boss")
    draft = open_draft(sample.shop_id, sample.ids["following"], NOW)
    form = ReissueForm(
        "yuantong", FRESH, draft.form.items, shop_queries.pickup_addresses([sample.shop_id])[0].pickup_id
    )
    with pytest.raises(Refused, match="cap_case"):
        actions.submit(shop_id=sample.shop_id, case_id=sample.ids["following"], form=form, by=lead, override_reason=WHY)
