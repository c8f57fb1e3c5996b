"""The label of a reissue from its case page, and how its number is said."""

from __future__ import annotations

import pypdfium2
import zxingcpp
from django.test import Client

from bufa.apps.orders.models import Recipient
from bufa.apps.reissues import booking
from bufa.apps.reissues import queries as reissues
from bufa.lib.tenancy import for_shops
from tests.factories import NOW
from tests.factories.sample import Sample


def test_the_label_of_a_case_is_printed_in_its_size(sample: Sample, owner: Client) -> None:
    [sent] = reissues.of_case(sample.shop_id, sample.ids["telling"])
    at = f"/cases/{sample.shop_id}/{sample.cases['telling']}/"
    page = owner.get(at).content.decode()
    assert f"{at}label/{sent.reissue_id}/?size=100x150" in page
    assert " ".join(sent.spoken[0]) in page
    answer = owner.get(f"{at}label/{sent.reissue_id}/?size=100x150")
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/pdf", "no-store")
    [printed] = pypdfium2.PdfDocument(answer.content)
    assert {found.text for found in zxingcpp.read_barcodes(printed.render(scale=203 / 72).to_pil())} == {
        sent.code,
        sent.number,
    }
    assert owner.get(f"{at}label/{sent.reissue_id}/?size=1x1").status_code == 404
    assert owner.get(f"{at}label/{sent.reissue_id + 999}/").status_code == 404


def test_an_e_waybill_is_asked_for_from_the_form_without_a_number(sample: Sample, owner: Client) -> None:
    at = f"/cases/{sample.shop_id}/{sample.cases['numbering']}/"
    draft = reissues.open_draft(sample.shop_id, sample.ids["numbering"], NOW)
    with for_shops([sample.shop_id]):
        Recipient.objects.update(name_cipher="#n#", phone_cipher="$p$", address_cipher="#a#")
    said = {"carrier": "yuantong", "number": "", "pickup": draft.form.pickup_id, "line_0": 1}
    assert "取电子面单" in owner.get(at).content.decode()
    assert owner.post(f"{at}waybill/", {**said, "line_0": "x"}).status_code == 422
    assert owner.post(f"{at}waybill/", said).status_code == 303
    [label] = booking.of_case(sample.shop_id, sample.ids["numbering"])
    assert (label.state, label.carrier, label.number) == ("wanted", "yuantong", "")
    page = owner.get(at).content.decode()
    assert "正在取电子面单，单号回来后会填进表单" in page
    owner.post(f"{at}waybill/{label.booking_id}/cancel/")
    assert "现在不能取消" in owner.get(at).content.decode()
    assert owner.get(f"{at}waybill/{label.booking_id + 9}/print/").status_code == 404
