"""The scan station read into by a scanner: physical keys at 8 ms, whatever has the focus, an input method composing.

Keys are real key events of the browser, sent through its debugging port with the time at which each was struck. The
time is the scanner's, not this machine's, so that a busy machine changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from bufa.apps.reissues import queries as reissues
from bufa.domain.reissue_numbers import reissue_number
from tests.browser.looking import Heard, listen, sign_in
from tests.factories.sample import Sample

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

READS, KEY_MS, PAUSE_MS = 500, 8, 400
FOCI = ("nothing", "field", "composing", "button", "select")


class Scanner:
    """Types as a keyboard wedge does: 8 ms from key to key, Enter at the end. Keys that come up again are left out, for
    the sake of time: nobody listens to them."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.at = time.time()

    def read(self, text: str, *, composing: bool = False) -> None:
        for sign in text:
            self._key(sign, composing)
        self._strike("Enter", "Enter", 13, "\r")
        self.at += PAUSE_MS / 1000

    def _key(self, sign: str, composing: bool) -> None:
        if sign == "-":
            self._strike("-", "Minus", 189, "-", composing)
        elif sign.isdigit():
            self._strike(sign, f"Digit{sign}", ord(sign), sign, composing)
        else:
            self._strike(sign.lower(), f"Key{sign.upper()}", ord(sign.upper()), sign.lower(), composing)

    def _strike(self, key: str, code: str, number: int, text: str, composing: bool = False) -> None:
        event = {"code": code, "timestamp": self.at}
        if composing:  # an input method takes the key: the page learns which one was struck, and nothing is typed
            self._send({**event, "type": "rawKeyDown", "key": "Process", "windowsVirtualKeyCode": 229})
        else:
            self._send({**event, "type": "keyDown", "key": key, "windowsVirtualKeyCode": number, "text": text})
        self.at += KEY_MS / 1000

    def _send(self, event: dict[str, Any]) -> None:
        self.cdp.send("Input.dispatchKeyEvent", event)

    def compose(self, text: str) -> None:
        """An input method is in the middle of a word."""
        self.cdp.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def page(sample: Sample, live_server: Any, chromium: Browser, heard: Heard) -> Iterator[Page]:
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    heard.errors = listen(page, live_server.url).errors
    sign_in(page, live_server.url, sample.people["warehouse"])
    yield page
    assert heard.errors == []
    context.close()


def numbers(count: int) -> list[str]:
    """Our numbers and waybills of all kinds, none twice."""
    rng = Random("scanner")
    kinds = (
        lambda at: reissue_number(7, at),
        lambda at: f"YT{rng.randrange(10**12):012d}{at % 10}",
        lambda at: f"78{rng.randrange(10**11):011d}{at % 10}",
        lambda at: f"JDVA{rng.randrange(10**8):08d}{at % 10}",
    )
    return [kinds[at % len(kinds)](at) for at in range(count)]


def focus(page: Page, scanner: Scanner, where: str) -> None:
    match where:
        case "nothing":
            page.evaluate("document.activeElement.blur()")
        case "field" | "composing":
            page.focus(".typed input[name=text]")
            if where == "composing":
                scanner.compose("bu'fa")
        case "button":
            page.focus(".typed button")
        case _:
            page.focus("#tried")


def test_500_reads_whatever_has_the_focus_500_right_0_merged(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(f"{live_server.url}/warehouse/scan/")
    # What the server makes of each read has tests of its own: here the reads end at the page's door.
    page.evaluate(
        """() => {
            document.getElementById("station").removeAttribute("data-station");
            window.heard = [];
            window.addEventListener("bufa:read", (event) => window.heard.push(event.detail));
            const select = document.createElement("select");
            select.id = "tried";
            select.innerHTML = "<option>yuantong</option><option>78</option>";
            document.querySelector(".typed").append(select);
        }"""
    )
    scanner = Scanner(page)
    wanted = numbers(READS)
    for at, text in enumerate(wanted):
        if at % (READS // len(FOCI)) == 0:
            where = FOCI[at * len(FOCI) // READS]
            focus(page, scanner, where)
        elif where == "composing" and at % 10 == 0:
            scanner.compose("ni'hao")
        scanner.read(text, composing=where == "composing")
    heard = [text.upper() for text in page.evaluate("window.heard")]
    assert len(heard) == READS
    assert heard == [text.upper() for text in wanted]
    # Nothing of a read stayed in a field, pressed a button, or walked the page.
    assert page.input_value(".typed input[name=text]") in ("", "bu'fa", "ni'hao")
    assert page.url.endswith("/warehouse/scan/")


def test_what_a_person_types_stays_a_persons(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(f"{live_server.url}/warehouse/scan/")
    page.evaluate("window.heard = []; window.addEventListener('bufa:read', (e) => window.heard.push(e.detail))")
    page.locator(".typed input[name=text]").press_sequentially("hello world 123456", delay=90)
    assert page.input_value(".typed input[name=text]") == "hello world 123456"
    assert page.evaluate("window.heard") == []
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/cases/")


def test_a_box_is_tied_by_two_reads_loud_and_big(sample: Sample, live_server: Any, page: Page) -> None:
    page.goto(f"{live_server.url}/warehouse/")
    page.get_by_role("button", name="放到拣货单").click()
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["numbering"])
    code = sent.code
    page.goto(f"{live_server.url}/warehouse/scan/")
    scanner = Scanner(page)
    scanner.read(code)
    expect(page.locator(".said.good .word")).to_contain_text("装 1 件")
    scanner.read("NOT-A-NUMBER")
    expect(page.locator(".said.bad .word")).to_contain_text("不认识")
    scanner.read(code)
    expect(page.locator(".said.soft .word")).to_contain_text("已经打开")
    scanner.read("YT8888000000001")
    expect(page.locator(".said .word")).to_contain_text("装好了")
    scanner.read("YT8888000000001")
    expect(page.locator(".said.soft .word")).to_contain_text("装过了")
    scanner.read("BUFA-UNDO")
    expect(page.locator(".said.soft .word")).to_contain_text("撤回了")


def test_reads_wait_while_the_network_is_away(sample: Sample, live_server: Any, page: Page, heard: Heard) -> None:
    page.goto(f"{live_server.url}/warehouse/scan/")
    page.route("**/warehouse/scan/read/", lambda route: route.abort())
    scanner = Scanner(page)
    scanner.read("NOT-A-NUMBER")
    scanner.read("YT8888000000001")
    expect(page.locator(".said .away")).to_contain_text("网断了")
    page.unroute("**/warehouse/scan/read/")
    expect(page.locator(".heard li")).to_have_count(2, timeout=15_000)
    heard.errors.clear()  # the browser's own words about the network
