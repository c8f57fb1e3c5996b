"""Documents that are made from code: `write` makes them, `check` says which are stale."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def _case_states() -> str:
    from tools.case_diagram import page  # after the line above has made it importable

    return page()


def _carrier_states() -> str:
    from tools.talk_diagram import page

    return page()


def _crosswalk() -> str:
    from tools.crosswalk import page

    return page()


def _rules() -> str:
    from tools.rulespage import page

    return page()


def _proof() -> str:
    from tools.proofpage import page

    return page()


def _benchmarks() -> str:
    from tools.benchmarks import page

    return page()


def _carriers() -> str:
    from tools.carrierspage import page

    return page()


PAGES: dict[str, Callable[[], str]] = {
    "docs/benchmarks.md": _benchmarks,
    "docs/carrier-states.md": _carrier_states,
    "docs/carriers.md": _carriers,
    "docs/case-states.md": _case_states,
    "docs/crosswalk.md": _crosswalk,
    "docs/proof.md": _proof,
    "docs/rules.md": _rules,
}


def stale(root: Path) -> list[str]:
    """Paths whose text is not what the code says."""
    return [path for path, make in PAGES.items() if not (root / path).exists() or (root / path).read_text() != make()]


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        for page, made in PAGES.items():
            (ROOT / page).write_text(made())
    elif old := stale(ROOT):
        print("stale, run `make docs`: " + ", ".join(old))
        sys.exit(1)
    else:
        print("generated docs: fine")
