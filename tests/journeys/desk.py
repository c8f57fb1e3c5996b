"""The desk as its user sees it: Chinese words on buttons, nothing else."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

from tests.journeys.stack import OWNER, PASSWORD, Stack, World, wait_for

SENDER = "kefu@qinghe.example"


class Desk:
    """One browser window, signed in as the owner."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.stack = stack
        page.set_default_timeout(15_000)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.stack.address + path)
        assert answer is not None
        assert answer.status == 200, path

    def reload(self) -> None:
        """Load the page anew. The page does so by itself when something outside has moved; the two may meet."""
        for last in (False, False, True):
            try:
                self.page.reload()
                return
            except Error as error:
                if last or "ERR_ABORTED" not in error.message:
                    raise
                self.page.wait_for_load_state()

    def press(self, name: str, within: Locator | None = None) -> None:
        with self.page.expect_navigation():
            (within or self.page).get_by_role("button", name=name, exact=True).first.click()

    def says(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def panel(self, step: str) -> Locator:
        """The part of the case page that belongs to a step, opened where it is folded."""
        panel = self.page.locator(f"#{step}")
        if panel.evaluate("it => it.tagName === 'DETAILS' && !it.open"):
            panel.locator("summary").first.click()
        return panel

    # --- the first morning --------------------------------------------------------------------------------------------
    def sign_in(self) -> None:
        self.go("/sign-in/")
        self.page.get_by_label("登录名").fill(OWNER)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.press("登录")

    def connect(self, world: World) -> None:
        """Everything a new shop types in once; then the platform and the tracking provider know where to push."""
        said = world.said
        self._connect(
            "doudian",
            {
                "App Key": said["doudian"]["app_key"],
                "App Secret": said["doudian"]["app_secret"],
                "抖店店铺 ID": said["doudian"]["shop_id"],
                "短信账号": said["sms"]["account"],
                "短信签名": said["sms"]["sign"],
                "接口地址": said["doudian"]["base_url"],
                "短信模板：补发通知": "ST_7a1reissue",
                "短信模板：请客户申请补寄": "ST_7a2ticket",
                "短信模板：补发送达": "ST_7a3arrived",
            },
        )
        hook = self.page.locator("#hook-doudian").input_value()
        assert world.post("/push", url=hook) == {"registered": True, "probe": "answered", "url": hook}
        self._connect(
            "kuaidi100",
            {
                "customer 编号": said["kuaidi100"]["customer"],
                "授权 key": said["kuaidi100"]["key"],
                "接口地址": said["kuaidi100"]["base_url"],
            },
        )
        self._connect(
            "smtp",
            {"SMTP 服务器": said["smtp"]["host"], "端口": str(said["smtp"]["port"]), "发件邮箱": SENDER},
            security="none",
        )

    def _connect(self, kind: str, fields: dict[str, str], security: str = "") -> None:
        self.go("/settings/connections/")
        card = self.page.locator(f"section#{kind}")
        if not card.get_by_role("button", name="保存并连接").is_visible():
            card.locator("summary").first.click()
        for label, value in fields.items():
            card.get_by_label(label, exact=True).fill(value)
        if security:
            card.get_by_label("加密", exact=True).select_option(security)
        self.press("保存并连接", card)
        expect(self.page.locator(f"section#{kind} .badge").first).to_have_text("已连接")

    def add_contact(self, carrier: str, email: str) -> None:
        self.go("/settings/carriers/")
        form = self.page.locator("form.card")
        form.get_by_label("承运商", exact=True).select_option(carrier)
        form.get_by_label("邮箱").fill(email)
        self.press("添加", form)
        self.says(email)

    # --- a case -------------------------------------------------------------------------------------------------------
    def open_case_of(self, number: str) -> str:
        """Type the waybill into the search box and land on its case; returns the case's code."""
        self.go("/")
        box = self.page.get_by_role("searchbox").first
        box.fill(number)
        box.press("Enter")
        self.page.wait_for_load_state()
        if "/cases/" not in self.page.url:
            self.page.locator("main").get_by_role("link", name=re.compile(r"C-\d{8}-\d+")).first.click()
            self.page.wait_for_load_state()
        found = re.search(r"C-\d{8}-\d+", self.page.url)
        assert found, self.page.url
        return found.group()

    def reload_until(self, text: str, why: str) -> None:
        def there() -> bool:
            self.reload()
            return self.page.get_by_text(text).first.is_visible()

        wait_for(there, why)

    def fill(self, within: Locator, fields: dict[str, Any]) -> None:
        for label, value in fields.items():
            within.get_by_label(label).first.fill(str(value))
