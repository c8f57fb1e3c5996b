"""Each page as people see it: light and dark, wide and on a phone; usable for everybody, quiet in the console."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from bufa.apps.cases.incident_views import open_incidents
from bufa.jobs import incidents
from tests.chromium import ARTEFACTS
from tests.factories.sample import PASSWORD, Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"wide": (1366, 768), "phone": (390, 844)}
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@dataclass
class Heard:
    """What a page said on the console, and what it asked of anybody but us."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def addresses(sample: Sample) -> dict[str, str]:
    incidents.regroup([sample.shop_id], sample.now)
    (incident,) = open_incidents([sample.shop_id])
    pages = {
        "incidents": "/incidents/",
        "told": "/told/",
        "warehouse": "/warehouse/",
        "scan-station": "/warehouse/scan/",
        "hand-over": "/warehouse/lists/",
        "telling": "/settings/telling/",
        "incidents-past": "/incidents/?view=past",
        "incident": f"/incidents/{sample.shop_id}/{incident.code}/",
        "today": "/",
        "find": "/find/",
        "cases": "/cases/",
        "cases-closed": "/cases/?state=closed",
        "cases-empty": "/cases/?text=nothing",
        "cases-columns": "/cases/?cols=parcel,order,opened,scan,shop",
        "numbers": "/cases/numbers/",
        "triage": "/triage/",
        "triage-list": "/triage/?view=list",
        "insights": "/insights/",
        "parcels": "/parcels/",
        "parcels-all": "/parcels/?view=all",
        "parcel": f"/parcels/{sample.shop_id}/{sample.parcel_id}/",
        "after-sales": "/after-sales/",
        "tasks": "/tasks/",
        "inbox": "/inbox/",
        "import": "/import/",
        "settings": "/settings/",
        "rules": "/settings/rules/",
        "calendar": "/settings/calendar/",
        "pickup": "/settings/pickup/",
        "connections": "/settings/connections/",
        "asking": "/settings/asking/",
        "carriers": "/settings/carriers/",
        "carrier-rules": "/settings/carrier-rules/",
        "carrier-rule": "/settings/carrier-rules/amount_tongda/",
        "papers": "/settings/papers/",
        "carriers-all": "/carriers/",
        "carrier": "/carriers/zhongtong/",
        "claims": "/claims/?view=all",
        "claims-ledger": "/claims/ledger/",
        "claims-sheets": "/claims/sheets/",
        "people": "/settings/people/",
        "style": "/style/",
        "not-found": "/cases/1/none/",
    }
    return pages | {f"case-{name}": f"/cases/{sample.shop_id}/{code}/" for name, code in sample.cases.items()}


def listen(page: Page, base: str) -> Heard:
    heard = Heard()
    page.on("console", lambda said: heard.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.errors.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((base, "data:")) else heard.strangers.append(sent.url))
    return heard


def sign_in(page: Page, base: str, login: str) -> None:
    page.goto(f"{base}/sign-in/")
    page.fill("#id_username", login)
    page.fill("#id_password", PASSWORD)
    page.click("main button.primary")
    page.wait_for_url(f"{base}/")


@pytest.fixture
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    theme, size = request.param
    width, height = SIZES[size]
    made = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    yield made
    made.close()


@pytest.mark.parametrize(
    "context",
    [(theme, size) for theme in ("light", "dark") for size in SIZES],
    indirect=True,
    ids=lambda wish: "-".join(wish),
)
def test_every_page_is_usable_and_quiet(
    sample: Sample, live_server: Any, context: BrowserContext, request: pytest.FixtureRequest
) -> None:
    wish = request.node.callspec.id
    folder = ARTEFACTS / "pages" / wish
    folder.mkdir(parents=True, exist_ok=True)
    page = context.new_page()
    heard = listen(page, live_server.url)
    page.goto(f"{live_server.url}/sign-in/")
    wrong = look(page, "sign-in", folder)
    sign_in(page, live_server.url, sample.people["owner"])
    for name, address in addresses(sample).items():
        page.goto(live_server.url + address)
        wrong += look(page, name, folder)
    # A page that is not there says so with status 404, which the browser's console repeats.
    noise = [text for text in heard.errors if "404" not in text]
    assert not wrong, "\n".join(wrong)
    assert noise == []
    assert heard.strangers == []


def look(page: Page, name: str, folder: Any) -> list[str]:
    """A picture of the page, and everything that is wrong with it."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    wrong = []
    whole = page.viewport_size or {"width": 0, "height": 0}
    # The bar at the thumb covers what happens to lie below it; what can be scrolled free is not covered for good.
    page.set_viewport_size({"width": whole["width"], "height": page.evaluate("document.documentElement.scrollHeight")})
    scroll, width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if scroll > width:
        wrong.append(f"{name}: scrolls sideways, {scroll} > {width}")
    for violation in Axe().run(page, options=AXE).response["violations"]:
        nodes = [node["html"][:160] + " | " + node["failureSummary"][:300] for node in violation["nodes"][:3]]
        wrong.append(f"{name}: {violation['id']} ({len(violation['nodes'])}): " + " || ".join(nodes))
    page.set_viewport_size(whole)
    return wrong
