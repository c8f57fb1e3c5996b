"""What a parcel's page says of its future: a day while it can be believed, and when it cannot any more."""

from __future__ import annotations

import pytest
from django.test import Client

from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import queries as shops
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, at, make_report, make_shipped
from tests.factories.sample import Sample


@pytest.mark.parametrize(("days", "credible"), [(2, True), (5, True), (14, False)])
def test_a_day_that_is_not_to_be_believed_is_struck_out(
    sample: Sample, owner: Client, days: int, *, credible: bool
) -> None:
    number = f"7311112222{days:04d}"
    report = make_report(number, (at(-24 * days), "【杭州转运中心】 快件已到达", "0"))
    take_in(shop_id=sample.shop_id, orders=[make_shipped(f"O{number}", number)], reports=[report], now=NOW)
    with for_shops([sample.shop_id]):
        parcel = Parcel.objects.get(number=number)
    page = owner.get(f"/parcels/{sample.shop_id}/{parcel.pk}/").content.decode()
    assert "预计送达" in page
    assert ("不再可信" in page) is not credible
    assert ("<s " in page) is not credible


def test_a_lead_sets_from_which_chance_of_loss_on_a_silence_is_wrong(sample: Sample, owner: Client) -> None:
    form = owner.get("/settings/").context["form"]
    said = {name: value for name in form.fields if (value := form[name].value()) is not None}
    owner.post("/settings/", said | {"loss_level": "35"})
    assert shops.policy_json(sample.shop_id)["loss_level"] == 35
    assert 'value="35"' in owner.get("/settings/").content.decode()
    assert owner.post("/settings/", said | {"loss_level": "100"}).status_code == 422
    with for_shops([sample.shop_id]):
        assert Parcel.objects.filter(next_deadline=NOW, is_watched=True).exists()  # judged anew, soon
    owner.post("/settings/", said | {"loss_level": ""})
    assert "loss_level" not in shops.policy_json(sample.shop_id)
