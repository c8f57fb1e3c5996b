"""Every page of the desk by the name of its address, and how to get to it in the sample shop.

`PAGES` are looked at in all their forms by test_matrix.py; `NOT_PAGES` are addresses that show no page of their own.
An address that stands in neither fails a test: whoever adds a page says here how to see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, reverse

from bufa.api import urls as api_urls
from bufa.web import urls as web_urls
from tests.factories.sample import Sample


@dataclass(frozen=True, slots=True)
class Seen:
    """One way to see a page. `query` stands behind the address; `status`: what the server answers."""

    label: str
    url_name: str
    arguments: Callable[[Sample], tuple[object, ...]] = lambda sample: ()
    query: str = ""
    signed_in: bool = True
    status: int = 200

    def address(self, sample: Sample) -> str:
        return reverse(self.url_name, args=self.arguments(sample)) + self.query


def _case(name: str) -> Callable[[Sample], tuple[object, ...]]:
    return lambda sample: (sample.shop_id, sample.cases[name])


CASES = ("fresh", "asking", "numbering", "submitting", "unknown", "telling", "following", "closed")

PAGES: tuple[Seen, ...] = (
    Seen("sign-in", "sign_in", signed_in=False),
    Seen("today", "today"),
    Seen("find", "find"),
    Seen("cases", "cases"),
    Seen("cases-closed", "cases", query="?state=closed"),
    Seen("cases-empty", "cases", query="?text=nothing"),
    *(Seen(f"case-{name}", "cases_case", _case(name)) for name in CASES),
    Seen("incidents", "incidents"),
    Seen("incidents-past", "incidents", query="?view=past"),
    Seen("incident", "incidents_incident", lambda sample: (sample.shop_id, sample.incident)),
    Seen("carriers-all", "carriers"),
    Seen("talks", "carriers_talks"),
    Seen("talks-stuck", "carriers_talks", query="?view=stuck"),
    Seen("carrier", "carriers_carrier", lambda sample: ("zhongtong",)),
    Seen("told", "told"),
    Seen("triage", "triage"),
    Seen("triage-list", "triage", query="?view=list"),
    Seen("insights", "insights"),
    Seen("numbers", "cases_numbers"),
    Seen("run", "runs_run", lambda sample: ("a" * 32,)),
    Seen("carrier-page", "carrier_page", lambda sample: (sample.link,), signed_in=False),
    Seen("carrier-page-gone", "carrier_page", lambda sample: ("none",), signed_in=False, status=404),
    Seen("customer-page", "customer_page", lambda sample: (sample.page,), signed_in=False),
    Seen("customer-page-late", "customer_page", lambda sample: (sample.early_page,), signed_in=False),
    Seen("customer-page-gone", "customer_page", lambda sample: ("none",), signed_in=False, status=404),
    Seen("customer-come", "customer_come", lambda sample: (sample.shop_id,), signed_in=False),
    Seen("warehouse", "warehouse"),
    Seen("scan", "warehouse_scan"),
    Seen("lists", "warehouse_lists"),
    Seen("list", "warehouse_list", lambda sample: (sample.ids["list"],)),
    Seen("claims", "claims", query="?view=all"),
    Seen("claims-ledger", "claims_ledger"),
    Seen("scores", "carriers_scores"),
    Seen("scores-routes", "carriers_scores", query="?by=route"),
    Seen("deductions", "deductions", query="?view=all"),
    Seen("deduction", "deductions_one", lambda sample: (sample.shop_id, sample.ids["deduction"])),
    Seen("claims-sheets", "claims_sheets"),
    Seen("claim", "claims_claim", lambda sample: (sample.shop_id, sample.ids["claim"])),
    Seen("bulk", "bulk"),
    Seen("bulk-run", "bulk_run", lambda sample: (sample.shop_id, sample.ids["run"])),
    Seen("effect", "effects_effect", lambda sample: (sample.shop_id, sample.ids["effect"])),
    Seen("parcels", "parcels"),
    Seen("parcels-all", "parcels", query="?view=all"),
    Seen("parcel", "parcels_parcel", lambda sample: (sample.shop_id, sample.parcel_id)),
    Seen("after-sales", "aftersales"),
    Seen("tasks", "tasks"),
    Seen("inbox", "inbox"),
    Seen("import", "imports"),
    Seen("stock", "stock"),
    Seen("settings", "settings_shop"),
    Seen("calendar", "settings_calendar"),
    Seen("measures", "settings_measures"),
    Seen("notices", "settings_notices"),
    Seen("wordings", "settings_wordings"),
    Seen("wording", "settings_wording", lambda sample: ("reissue_sent", "sms", "zh-hans")),
    Seen("incident-tell", "incidents_tell", lambda sample: (sample.shop_id, sample.incident)),
    Seen("rules", "settings_rules"),
    Seen("pickup", "settings_pickup"),
    Seen("connections", "settings_connections"),
    Seen("asking", "settings_asking"),
    Seen("telling", "settings_telling"),
    Seen("papers", "settings_papers"),
    Seen("carriers", "settings_carriers"),
    Seen("carrier-rules", "settings_carrier_rules"),
    Seen("carrier-rule", "settings_carrier_rule", lambda sample: ("amount_tongda",)),
    Seen("texts", "settings_templates"),
    Seen("people", "settings_people"),
    Seen("style", "style"),
    Seen("not-found", "cases_case", lambda sample: (sample.shop_id, "none"), status=404),
)

ACT = "changes something and leads to a page that stands above"
PART = "a part of a page, put into it by htmx"
FILE = "a file to keep or to print"
MACHINE = "for programs"

NOT_PAGES: Mapping[str, str] = {
    "sign_out": ACT,
    "settings_outbound": ACT,
    "session_state": MACHINE,
    "session_again": ACT,
    "live": MACHINE,
    "live_ask": MACHINE,
    "theme": ACT,
    "language": ACT,
    "choose_shop": ACT,
    "carriers_scores_export": FILE,
    "settings_rule_undo": ACT,
    "settings_papers_preview": PART,
    "deductions_export": FILE,
    "deductions_pack": FILE,
    "deductions_again": ACT,
    "deductions_place": ACT,
    "deductions_proof": ACT,
    "deductions_act": ACT,
    "cases_effects": PART,
    "cases_first": "leads to the case to begin with",
    "cases_next": "leads to another case",
    "hints": ACT,
    "cases_reveal": ACT,
    "cases_reissue_check": PART,
    "cases_reissue": ACT,
    "cases_label": FILE,
    "cases_waybill": ACT,
    "cases_waybill_cancel": ACT,
    "cases_waybill_print": FILE,
    "cases_copied": ACT,
    "cases_read_page": ACT,
    "cases_take_back": ACT,
    "cases_file": FILE,
    "cases_paste": ACT,
    "cases_act": ACT,
    "bulk_sheet": FILE,
    "bulk_rows": PART,
    "bulk_results": FILE,
    "bulk_do": ACT,
    "cases_paper": FILE,
    "cases_paper_tick": ACT,
    "carriers_accept": ACT,
    "carriers_ask": ACT,
    "carriers_chosen": ACT,
    "carriers_copied": ACT,
    "settings_chase": ACT,
    "settings_robot": ACT,
    "carriers_decide": ACT,
    "carriers_paste": ACT,
    "carriers_bring": ACT,
    "carriers_sheet": FILE,
    "carriers_applications": FILE,
    "carriers_mail": ACT,
    "runs_look": ACT,
    "runs_do": ACT,
    "views_save": ACT,
    "views_do": ACT,
    "insights_export": FILE,
    "triage_act": ACT,
    "carriers_link": ACT,
    "carriers_revoke": ACT,
    "carrier_page_answer": ACT,
    "customer_say": ACT,
    "mail_hook": MACHINE,
    "warehouse_release": ACT,
    "warehouse_pick_pdf": FILE,
    "warehouse_pick_xlsx": FILE,
    "warehouse_labels": FILE,
    "warehouse_submit": ACT,
    "warehouse_guess": MACHINE,
    "warehouse_read": PART,
    "warehouse_undo": ACT,
    "warehouse_codes": FILE,
    "warehouse_list_open": ACT,
    "warehouse_list_read": PART,
    "warehouse_list_pdf": FILE,
    "warehouse_list_xlsx": FILE,
    "warehouse_list_act": ACT,
    "told_badge": PART,
    "told_seen": ACT,
    "settings_telling_mail": ACT,
    "inbox_discard": ACT,
    "inbox_back": ACT,
    "settings_papers_sample": FILE,
    "claims_open": ACT,
    "claims_line": ACT,
    "claims_export": FILE,
    "claims_act": ACT,
    "claims_insure": ACT,
    "incidents_runs": PART,
    "incidents_look": ACT,
    "incidents_do": ACT,
    "incidents_undo": ACT,
    "incidents_tell_runs": PART,
    "incidents_tell_switch": ACT,
    "settings_notices_undo": ACT,
    "settings_opt_out_lift": ACT,
    "settings_wording_preview": PART,
    "settings_wording_undo": ACT,
    "parcels_ask": ACT,
    "parcels_paste": ACT,
    "parcels_clocks": PART,
    "parcels_penalty": ACT,
    "parcels_told": ACT,
    "findings_put_off": ACT,
    "findings_back": ACT,
    "aftersales_answer": ACT,
    "tasks_done": ACT,
    "inbox_retry": ACT,
    "settings_calendar_switch": ACT,
    "settings_connect": ACT,
    "settings_test": ACT,
    "settings_templates_export": FILE,
    "healthz": MACHINE,
    "hook": MACHINE,
}


def names() -> set[str]:
    """The names of all addresses of the desk and of the machines' doors."""
    patterns = [*web_urls.urlpatterns, *api_urls.urlpatterns]
    return {pattern.name or str(pattern.pattern) for pattern in patterns if isinstance(pattern, URLPattern)}
