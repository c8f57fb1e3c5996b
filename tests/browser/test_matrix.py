"""Each page as people see it: light and dark, wide and on a phone; usable for everybody, quiet in the console.

Built from the URLconf: an address that nobody says how to look at fails. Then once more in a language that needs more
room. Pictures are kept in artefacts/pages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import resolve
from playwright.sync_api import Browser, Page

from bufa.apps.shops import actions as shops
from tests.browser.looking import FORMS, SIZES, audit, cut_text, listen, look, picture, shape, sign_in
from tests.browser.register import NOT_PAGES, PAGES, Seen, names
from tests.chromium import ARTEFACTS
from tests.factories.sample import Sample
from tools import i18n

FOLDER = ARTEFACTS / "pages"
LONG = "en-xa"
GROUPS = 4
"""One server, one shop and one signed-in window for each; test processes share the groups."""


def test_every_address_is_looked_at_or_shows_no_page() -> None:
    seen = {page.url_name for page in PAGES}
    assert names() - seen - set(NOT_PAGES) == set(), "say in tests/browser/register.py how to look at it"
    assert (seen | set(NOT_PAGES)) - names() == set(), "no such address any more"
    assert seen & set(NOT_PAGES) == set()


@pytest.mark.browser
def test_each_kind_of_text_is_judged(chromium: Browser) -> None:
    """Of many alike one is judged; what differs in its colour, its ground or by floating is judged by itself."""
    page = chromium.new_page()
    page.set_content(
        '<html lang="en"><title>t</title><body style="background:#fff;color:#000"><main><h1>Fine</h1>'
        '<p>one</p><p>two</p><p style="color:#aaa">pale</p><p style="color:#aaa">pale, too</p>'
        '<div style="background:#222"><p>dark on dark</p></div>'
        '<div style="position:relative;background:#333;color:#fff">ground'
        '<span style="position:absolute;color:#000">over</span>'
        "</div><input></main></body></html>"
    )
    colours = audit(page, whole=False)
    assert len(colours) == 1
    assert colours[0].startswith("color-contrast (3): ")
    assert {one.split(" ")[0] for one in audit(page)} == {"color-contrast", "label"}
    page.close()


@pytest.fixture
def longer(settings: Any, tmp_path: Path) -> None:
    """A made-up language, 1.4 times as long as English."""
    i18n.write_pseudo(tmp_path)
    settings.LOCALE_PATHS = [tmp_path, *settings.LOCALE_PATHS]  # the first one holds
    settings.LANGUAGES = [*settings.LANGUAGES, (LONG, "longer")]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("longer")
@pytest.mark.parametrize("group", range(GROUPS))
def test_every_page_is_usable_and_quiet(sample: Sample, live_server: Any, chromium: Browser, group: int) -> None:
    for folder in [*(f"{theme}-{size}" for theme, size in FORMS), *(f"longer-{size}" for size in SIZES)]:
        (FOLDER / folder).mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    heard = listen(page, live_server.url)
    here = sorted(PAGES[group::GROUPS], key=lambda seen: seen.signed_in)
    wrong = []
    in_already = False
    for seen in here:
        if seen.signed_in and not in_already:
            sign_in(page, live_server.url, sample.people["owner"])
            in_already = True
        wrong += visit(page, live_server.url, seen, sample)
        # A page that is not there says so with its status, which the browser's console repeats.
        wrong += [f"{seen.label}: {said}" for said in heard.take() if not (seen.status == 404 and "404" in said)]
    shops.set_language(operator_id=operator_of(sample.people["owner"]), language=LONG)
    for seen in here:
        if seen.signed_in:
            page.goto(live_server.url + seen.address(sample))
            wrong += look_for_room(page, seen.label)
    context.close()
    assert not wrong, "\n".join(wrong)


def look_for_room(page: Page, name: str) -> list[str]:
    """In a language that needs 1.4 times the room nothing is cut, nothing reaches out of its box or the window."""
    wrong = []
    for size in SIZES:
        shape(page, "light", size)
        if wider := picture(page, FOLDER / f"longer-{size}" / name):
            wrong.append(f"longer-{size} {name}: scrolls sideways by {wider} px")
        wrong += [f"longer-{size} {name}: {found}" for found in cut_text(page)]
    return wrong


def operator_of(login: str) -> int:
    return int(get_user_model().objects.get(username=login).pk)


def visit(page: Page, base: str, seen: Seen, sample: Sample) -> list[str]:
    address = seen.address(sample)
    assert resolve(address.split("?")[0]).url_name == seen.url_name
    answer = page.goto(base + address)
    assert answer is not None
    assert answer.status == seen.status, seen.label
    return look(page, seen.label, FOLDER)
