"""Find a Chromium for the browser tests, or get one. Prints its path.

Order: BUFA_CHROMIUM, the system's, the system's package manager (as root), Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>
"""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str | None:
    """The path of a Chromium that is there, else None."""
    if given := os.environ.get("BUFA_CHROMIUM"):
        return given if Path(given).is_file() else None
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights()


def with_fonts(folder: Path) -> dict[str, str]:
    """The environment in which it draws Chinese: a machine without such fonts would draw boxes, so it is lent the font
    that documents are set in. `folder` takes the configuration that says so."""
    spec = find_spec("pylopdf_fonts_zh_cn")
    path = folder / "fonts.conf"
    path.write_text(FONTS.format(folder=Path(spec.origin).parent if spec and spec.origin else ""))
    return {**os.environ, "FONTCONFIG_FILE": str(path)}


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def ensure() -> str:
    """Find one, else install one. Raises SystemExit with a sentence that says how to help."""
    if found := find():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": sys.stderr, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        _try(["apt-get", "update", "-q"], quiet)
        _try(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"], quiet)
    if not find():
        _try([sys.executable, "-m", "playwright", "install", "chromium"], {"stdout": sys.stderr})
    if found := find():
        return found
    raise SystemExit(
        "There is no Chromium for the browser tests and none could be installed. Install one (Debian, Ubuntu: "
        "`apt-get install chromium`), or name one: `BUFA_CHROMIUM=/path/to/chromium make test`."
    )


def _try(command: list[str], how: dict[str, object]) -> None:
    try:
        subprocess.run(command, check=False, timeout=600, **how)  # type: ignore[call-overload]
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", file=sys.stderr)


if __name__ == "__main__":
    print(ensure())
