"""The picture in the README: Today of a running sample shop, as its lead sees it.

python -m tools.picture [ADDRESS]    write docs/img/today.png (`bufa up --demo` must run; by default http://127.0.0.1:8800)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.browser import ensure, with_fonts

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "img" / "today.png"
ADDRESS, LOGIN = "http://127.0.0.1:8800", "zhou"
PASSWORD = "bufa-demo"  # noqa: S105 - of the sample shop, printed at every start
WIDTH, HEIGHT = 1366, 768


def take(address: str) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=ensure(), args=args, env=with_fonts(Path(folder)))
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            reduced_motion="reduce",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        page.goto(f"{address}/sign-in/")
        page.fill("#id_username", LOGIN)
        page.fill("#id_password", PASSWORD)
        page.click("main button.primary")
        page.wait_for_url(f"{address}/")
        if page.locator("#first").count():  # what a newcomer sees; the lead has long put it away
            page.locator("#first form button").click()
            page.goto(f"{address}/")
        page.wait_for_timeout(300)
        page.evaluate("document.getElementById('flashes')?.replaceChildren()")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    take((sys.argv[1] if len(sys.argv) > 1 else ADDRESS).rstrip("/"))
    print(PICTURE.relative_to(PICTURE.parents[2]))
