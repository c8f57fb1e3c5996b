"""Every page opens for everybody who may see it, in both languages, without many queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories.sample import ROLES, Sample

PAGES = (
    "/",
    "/find/",
    "/cases/",
    "/cases/?state=closed",
    "/cases/?step=number&carrier=zhongtong&owner=none",
    "/cases/?overdue=1",
    "/parcels/",
    "/parcels/?view=all",
    "/parcels/?view=all&stage=in_transit&text=73",
    "/after-sales/",
    "/after-sales/?view=all",
    "/tasks/",
    "/inbox/",
    "/import/",
    "/warehouse/",
    "/warehouse/?by=order",
    "/warehouse/scan/",
    "/warehouse/lists/",
    "/settings/",
    "/settings/rules/",
    "/settings/calendar/",
    "/settings/pickup/",
    "/settings/connections/",
    "/settings/carriers/",
    "/settings/people/",
)
LISTS = (
    "/warehouse/",
    "/warehouse/scan/",
    "/warehouse/lists/",
    "/",
    "/cases/",
    "/parcels/?view=all",
    "/after-sales/",
    "/tasks/",
    "/inbox/",
)


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_for_every_role(sample: Sample, signed_in: Callable[[str], Client], role: str) -> None:
    client = signed_in(role)
    addresses = [*PAGES, f"/parcels/{sample.shop_id}/{sample.parcel_id}/"]
    addresses += [f"/cases/{sample.shop_id}/{code}/" for code in sample.cases.values()]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        page = answer.content.decode()
        assert "<h1" in page, address
        assert unbalanced(page) == [], address


VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "path"})


class Balance(HTMLParser):
    """Collects tags that are closed without being open, or left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}, open: {self.open[-3:]}")
        else:
            self.open.pop()


def unbalanced(page: str) -> list[str]:
    reader = Balance()
    reader.feed(page)
    return reader.wrong[:3] + reader.open[:3]


@pytest.mark.parametrize("address", LISTS)
def test_a_list_takes_few_queries(sample: Sample, owner: Client, address: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as ran:
        assert owner.get(address).status_code == 200
    asked = [
        each["sql"] for each in ran if not re.match(r"(SAVEPOINT|RELEASE|BEGIN|COMMIT|SELECT set_config)", each["sql"])
    ]
    assert len(asked) <= 12, "\n".join(asked)


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_sent_to_the_door(db: None, client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_steps_that_nobody_took_are_not_called_done(sample: Sample, owner: Client) -> None:
    page = owner.get(f"/cases/{sample.shop_id}/{sample.cases['closed']}/").content.decode()
    assert re.findall(r'<li class="step (\w+)"', page) == ["done", "skipped", "skipped", "skipped", "done"]


def test_a_trace_is_pasted_on_the_parcels_page(sample: Sample, owner: Client) -> None:
    at = f"/parcels/{sample.shop_id}/{sample.parcel_id}/"
    text = "2026-11-19 10:00:00 【深圳市】快件已到达【深圳转运中心】"
    look = owner.post(f"{at}paste/", {"trace": text, "do": "look"}).content.decode()
    assert "读出 1 条" in look
    assert "深圳转运中心" not in owner.get(at).content.decode()
    assert owner.post(f"{at}paste/", {"trace": text, "do": "save"}).status_code == 303
    assert "深圳转运中心" in owner.get(at).content.decode()
    assert owner.post(f"{at}paste/", {"trace": "没有时间", "do": "save"}).status_code == 422
