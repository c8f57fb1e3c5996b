"""The label of a reissue from its case page, and how its number is said."""

from __future__ import annotations

import pypdfium2
import zxingcpp
from django.test import Client

from bufa.apps.reissues import queries as reissues
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
