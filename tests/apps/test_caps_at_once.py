"""The day's cap under many at once. A module of its own: what it asks must be committed."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from bufa.apps.reissues import actions
from bufa.apps.reissues.models import Reissue
from bufa.apps.reissues.queries import ReissueForm, open_draft
from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries as shop_queries
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.apps.test_bulk import WHY
from tests.factories import NOW
from tests.factories.sample import make_sample

TRIES = 64


@pytest.mark.django_db(transaction=True)
def test_sixty_four_at_once_do_not_pass_the_days_cap() -> None:
    with clock.frozen(NOW):
        sample = make_sample()
        with for_shops([sample.shop_id]):
            before = Reissue.objects.filter(shop_id=sample.shop_id, submitted_at__isnull=False).count()
        shops.change_policy(shop_id=sample.shop_id, changes={"reissues_per_day": before}, by="boss")
        draft = open_draft(sample.shop_id, sample.ids["numbering"], NOW)
        pickup = shop_queries.pickup_addresses([sample.shop_id])[0].pickup_id
        said: list[str] = []

        def submit(at: int) -> None:
            form = ReissueForm("yuantong", f"YT88880000{at:05d}", draft.form.items, pickup)
            try:
                actions.submit(
                    shop_id=sample.shop_id, case_id=sample.ids["numbering"], form=form, by=sample.actor(),
                    override_reason=WHY, now=NOW,
                )  # fmt: skip
                said.append("sent")
            except Refused as refused:
                said.append(refused.why.code)
            except Exception as error:  # noqa: BLE001 - a thread that dies in silence would count as held
                said.append(repr(error))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=submit, args=(at,)) for at in range(TRIES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == ["cap_day"] * TRIES
        shops.change_policy(shop_id=sample.shop_id, changes={"reissues_per_day": before + 1}, by="boss")
        submit(0)
        submit(1)
        assert said[TRIES:] == ["sent", "cap_day"]
