"""One real Chromium for all tests of a process: a second one would meet the first one's event loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools.browser import find

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>
"""

ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.fail("no Chromium: set BUFA_CHROMIUM, or run `make test`, which gets one")
    # A machine without Chinese fonts would draw boxes: lend it the font that documents are set in.
    fonts = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    spec = find_spec("pylopdf_fonts_zh_cn")
    fonts.write_text(FONTS.format(folder=Path(spec.origin).parent if spec and spec.origin else ""))
    with sync_playwright() as playwright:
        # Playwright leaves an event loop running in this thread; what Django does here is still synchronous.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        browser = playwright.chromium.launch(
            executable_path=path, args=list(ARGUMENTS), env={**os.environ, "FONTCONFIG_FILE": str(fonts)}
        )
        yield browser
        browser.close()
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
