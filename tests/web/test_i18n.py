"""Chinese in the source, English complete beside it, and no page that mixes the two."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.factories import make_shop
from tools import i18n

CHINESE = re.compile(r"[\u4e00-\u9fff]+")
OURS = ("补", "发", "补发", "简体中文")
"""The brand, and the name of the other language in that language."""

PAGES = (
    "/", "/find/", "/cases/", "/parcels/", "/parcels/?view=all", "/after-sales/", "/tasks/", "/inbox/", "/import/",
    "/settings/", "/settings/connections/", "/settings/carriers/", "/settings/pickup/", "/settings/people/",
    "/settings/rules/", "/nowhere/",
)  # fmt: skip


def test_every_message_has_its_english() -> None:
    assert i18n.problems() == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_an_empty_shop_in_english_holds_no_chinese(client: Client, address: str) -> None:
    make_shop("Test shop", login="ann")
    client.post("/sign-in/", {"username": "ann", "password": "right-horse-battery"})
    client.post("/my-language/", {"language": "en"})
    page = client.get(address).content.decode()
    assert 'lang="en"' in page
    assert [found for found in CHINESE.findall(page) if found not in OURS] == []


@pytest.mark.django_db
def test_the_language_is_the_operators_own(client: Client) -> None:
    make_shop("Test shop", login="ann")
    client.post("/sign-in/", {"username": "ann", "password": "right-horse-battery"})
    assert "<h1>没有" not in client.get("/settings/").content.decode()
    client.post("/my-language/", {"language": "en"})
    other = Client()
    other.post("/sign-in/", {"username": "ann", "password": "right-horse-battery"})
    assert "<h1>Settings</h1>" in other.get("/settings/").content.decode()
