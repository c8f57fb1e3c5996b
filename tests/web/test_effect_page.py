"""The page that says why the system did something outside, and reveals that go to the platform's ciphers."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client

from bufa.apps.effects import queries as effects
from bufa.apps.reissues import queries as reissues
from tests.factories.sample import Sample
from tests.web.test_case_acts import view

SignIn = Callable[[str], Client]


def first_effect(sample: Sample) -> tuple[str, int]:
    """The code of a case with a reissue that left, and its effect."""
    for name, code in sample.cases.items():
        row = view(sample, name).row
        for sent in reissues.of_case(sample.shop_id, row.case_id):
            if sent.effect_id and effects.by_id([sample.shop_id], [sent.effect_id])[sent.effect_id].attempts:
                return code, sent.effect_id
    raise AssertionError("the sample has no reissue that left")


def test_a_case_leads_to_why_the_system_did_it(sample: Sample, owner: Client) -> None:
    code, effect_id = first_effect(sample)
    link = f"/changes/{sample.shop_id}/{effect_id}/?case={code}"
    assert link in owner.get(f"/cases/{sample.shop_id}/{code}/").content.decode()
    page = owner.get(link).content.decode()
    effect = effects.by_id([sample.shop_id], [effect_id])[effect_id]
    assert "系统为什么这样做" in page
    assert effect.attempts[0].request["fields"]["number"] in page
    assert effect.attempts[0].request["method"] in page
    assert effect.attempts[0].request_id in page
    assert f'href="/cases/{sample.shop_id}/{code}/"' in page
    assert not re.search(
        r"1[3-9]\d{9}(?!\d)", re.sub(r"<[^>]+>", " ", page).replace(effect.attempts[0].request["fields"]["number"], "")
    )


def test_another_shops_change_is_not_there(sample: Sample, owner: Client) -> None:
    _, effect_id = first_effect(sample)
    assert owner.get(f"/changes/{sample.shop_id + 1}/{effect_id}/").status_code == 404
    assert owner.get(f"/changes/{sample.shop_id}/{effect_id + 100000}/").status_code == 404
