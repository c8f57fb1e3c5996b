"""No page asks the database more than twelve times. Every address of the desk stands here: a new one without an entry
fails, so that nobody adds a slow page unseen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, reverse

from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries as shop_queries
from bufa.domain.carrier_rules import defaults
from bufa.domain.kinds import Role
from bufa.web.urls import urlpatterns
from tests.factories import make_shop
from tests.factories.sample import PASSWORD, Sample

MOST = 12

Addresses = Callable[[Sample], list[str]]


def _always(*addresses: str) -> Addresses:
    return lambda sample: list(addresses)


def _cases(tail: str = "") -> Addresses:
    return lambda sample: [f"/cases/{sample.shop_id}/{code}/{tail}" for code in sample.cases.values()]


PAGES: dict[str, Addresses] = {
    "today": _always("/"),
    "find": _always("/find/"),
    "style": _always("/style/"),
    "cases": _always(
        "/cases/",
        "/cases/?state=closed",
        "/cases/?step=number&carrier=zhongtong&owner=none&measure=reissue&waiting=shop",
        "/cases/?overdue=1",
        "/cases/?text=7310000000",
    ),
    "cases_numbers": _always("/cases/numbers/"),
    "cases_case": _cases(),
    "cases_effects": _cases("effects/?seen=0."),
    "bulk": _always("/reissues/"),
    "bulk_sheet": _always("/reissues/sheet.xlsx"),
    "parcels": _always("/parcels/", "/parcels/?view=all&stage=in_transit&text=73"),
    "parcels_parcel": lambda sample: [f"/parcels/{sample.shop_id}/{sample.parcel_id}/"],
    "parcels_clocks": lambda sample: [f"/parcels/{sample.shop_id}/{sample.parcel_id}/clocks/"],
    "incidents": _always("/incidents/"),
    "claims": _always("/claims/"),
    "claims_ledger": _always("/claims/ledger/"),
    "claims_sheets": _always("/claims/sheets/"),
    "carriers_scores": _always("/carriers/scores/", "/carriers/scores/?by=branch"),
    "carriers_scores_export": _always("/carriers/scores.xlsx"),
    "deductions": _always("/deductions/", "/deductions/?view=all"),
    "deductions_export": _always("/deductions/deductions.xlsx", "/deductions/deductions.xlsx?view=ledger"),
    "claims_export": _always("/claims/export.xlsx"),
    "settings_carrier_rules": _always("/settings/carrier-rules/"),
    "settings_carrier_rule": lambda sample: [f"/settings/carrier-rules/{defaults().rules[0].rule_id}/"],
    "insights": _always("/insights/", "/insights/?first=2026-11-01&last=2026-11-20"),
    "insights_export": _always("/insights/insights.xlsx"),
    "triage": _always("/triage/", "/triage/?view=list"),
    "aftersales": _always("/after-sales/", "/after-sales/?view=all"),
    "tasks": _always("/tasks/"),
    "inbox": _always("/inbox/"),
    "imports": _always("/import/"),
    "stock": _always("/stock/"),
    "settings_shop": _always("/settings/"),
    "settings_calendar": _always("/settings/calendar/"),
    "settings_measures": _always("/settings/measures/"),
    "settings_notices": _always("/settings/notices/"),
    "settings_wordings": _always("/settings/notices/texts/"),
    "settings_wording": _always("/settings/notices/texts/reissue_sent/sms/zh-hans/"),
    "settings_rules": _always("/settings/rules/"),
    "settings_pickup": _always("/settings/pickup/"),
    "settings_connections": _always("/settings/connections/"),
    "settings_asking": _always("/settings/asking/"),
    "settings_telling": _always("/settings/telling/"),
    "settings_papers": _always("/settings/papers/"),
    "carriers": _always("/carriers/"),
    "carriers_talks": _always("/carriers/talks/", "/carriers/talks/?view=stuck&carrier=zhongtong"),
    "warehouse": _always("/warehouse/"),
    "warehouse_scan": _always("/warehouse/scan/"),
    "warehouse_codes": _always("/warehouse/scan/codes.pdf"),
    "warehouse_lists": _always("/warehouse/lists/"),
    "carriers_carrier": _always("/carriers/zhongtong/"),
    "told": _always("/told/"),
    "told_badge": _always("/told/badge/"),
    "settings_carriers": _always("/settings/carriers/"),
    "settings_templates": _always("/settings/texts/"),
    "settings_templates_export": _always("/settings/texts/export/"),
    "settings_people": _always("/settings/people/"),
}
"""Name of an address → what to open of it."""


def _named(name: str, *of: Callable[[Sample], object], query: str = "") -> Addresses:
    return lambda sample: [reverse(name, args=[each(sample) for each in of]) + query]


def _shop(sample: Sample) -> object:
    return sample.shop_id


def _id(name: str) -> Callable[[Sample], object]:
    return lambda sample: sample.ids[name]


OF_ROWS: dict[str, Addresses] = {
    "effects_effect": _named("effects_effect", _shop, _id("effect")),
    "runs_run": _named("runs_run", lambda sample: "a" * 32),
    "bulk_run": _named("bulk_run", _shop, _id("run")),
    "bulk_rows": _named("bulk_rows", _shop, _id("run")),
    "bulk_results": _named("bulk_results", _shop, _id("run")),
    "claims_claim": _named("claims_claim", _shop, _id("claim")),
    "incidents_incident": _named("incidents_incident", _shop, lambda sample: sample.incident),
    "incidents_runs": _named("incidents_runs", _shop, lambda sample: sample.incident),
    "warehouse_pick_pdf": _named("warehouse_pick_pdf"),
    "warehouse_pick_xlsx": _named("warehouse_pick_xlsx"),
    "warehouse_labels": _named("warehouse_labels"),
    "warehouse_list": _named("warehouse_list", _id("list")),
    "warehouse_list_pdf": _named("warehouse_list_pdf", _id("list")),
    "warehouse_list_xlsx": _named("warehouse_list_xlsx", _id("list")),
    "warehouse_guess": _named("warehouse_guess", query="?number=YT8888000000001"),
    "carrier_page": _named("carrier_page", lambda sample: sample.link),
    "customer_page": _named("customer_page", lambda sample: sample.page),
    "live_ask": _named("live_ask"),
    "session_state": _named("session_state"),
    "cases_paper": _named("cases_paper", _shop, lambda sample: sample.cases["asking"], lambda sample: "application"),
    "carriers_sheet": _named("carriers_sheet", lambda sample: "zhongtong"),
    "carriers_applications": _named("carriers_applications", lambda sample: "zhongtong"),
    "settings_papers_sample": _named("settings_papers_sample", query="?paper=application"),
}
"""The same for addresses of rows that only the whole sample has."""

MORE = {
    "warehouse_labels": 16, "carrier_page": 17, "customer_page": 26, "cases_paper": 30, "carriers_applications": 30,
}  # fmt: skip
"""Papers, and pages that are no part of the desk, whose parts are not read together yet: not more than they ask now."""

ELSEWHERE = {
    "incidents_tell",
    "incidents_tell_runs",
    "cases_first",
    "cases_next",
    "cases_label",
    "cases_file",
    "cases_waybill_print",
    "customer_come",
    "incidents_look",
    "live",
    "deductions_one",
    "deductions_pack",
}
"""Files of one row, read by its key; what is answered by going elsewhere; a stream."""


@dataclass
class Asked:
    """The statements that went to the database. Left out: transaction control, and giving a setting back, which only
    happens inside of a test's own transaction."""

    statements: list[str] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        control = re.match(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK", sql)
        if not control and not ("set_config" in sql and params[1] == ""):
            self.statements.append(re.sub(r"SELECT .+? FROM", "SELECT … FROM", sql, flags=re.DOTALL)[:140])
        return execute(sql, params, many, context)


@contextmanager
def at_most(most: int = MOST) -> Iterator[Asked]:
    asked = Asked()
    with connection.execute_wrapper(asked):
        yield asked
    assert len(asked.statements) <= most, "\n".join(asked.statements)


@pytest.fixture
def in_two_shops(sample: Sample, owner: Client) -> Client:
    """The sample's owner works for a second shop, too: pages are about both."""
    other = make_shop("另一家店", login="other")
    (me,) = [each for each in shop_queries.members([sample.shop_id]) if each.login == sample.people["owner"]]
    shops.add_member(shop_id=other, operator_id=me.operator_id, role=Role.LEAD, by="test")
    return owner


def test_every_page_asks_little(sample: Sample, in_two_shops: Client) -> None:
    slow: list[str] = []
    for name, addresses in PAGES.items():
        for address in addresses(sample):
            with at_most(999) as asked:
                answer = in_two_shops.get(address)
            assert answer.status_code == 200, (name, address)
            if len(asked.statements) > MOST:
                slow.append("\n  ".join([f"{name} {address}: {len(asked.statements)}", *asked.statements]))
    assert not slow, "\n".join(slow)


def test_pages_of_rows_ask_little(whole_sample: Sample) -> None:
    client, slow = Client(), []
    client.post("/sign-in/", {"username": whole_sample.people["owner"], "password": PASSWORD})
    for name, addresses in OF_ROWS.items():
        for address in addresses(whole_sample):
            with at_most(999) as asked:
                answer = client.get(address)
            if answer.status_code != 200 or len(asked.statements) > MORE.get(name, MOST):
                said = f"{name} {address}: {answer.status_code}, {len(asked.statements)}"
                slow.append("\n  ".join([said, *asked.statements]))
    assert not slow, "\n".join(slow)


def test_every_address_has_an_entry(sample: Sample, owner: Client) -> None:
    """An address that only takes posts needs none; it says so itself."""
    values: dict[str, Any] = {"shop_id": sample.shop_id, "code": sample.cases["fresh"]}
    missing = []
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        assert pattern.name
        if pattern.name in {*PAGES, *OF_ROWS, *ELSEWHERE, "sign_in", "sign_out"}:
            continue
        wanted = {
            name: values.get(name, 1 if "int" in type(converter).__name__.lower() else "x")
            for name, converter in pattern.pattern.converters.items()
        }
        if owner.get(reverse(pattern.name, kwargs=wanted)).status_code != 405:
            missing.append(pattern.name)
    assert missing == [], f"say in PAGES of {__name__} what to open of these: {missing}"
    known = {pattern.name for pattern in urlpatterns}
    assert {*PAGES, *OF_ROWS, *ELSEWHERE} <= known
