"""The picture of the case in docs/ is made from the table that runs."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_page_is_fresh() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "case_diagram.py"))

    assert (ROOT / "docs" / "case-states.md").read_text("utf-8") == tool["page"](), "run: python tools/case_diagram.py"
