"""The style sheets hold what pages use and nothing else, and stay small."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

import pytest

from bufa.web.templatetags.parts import CSS, sheets

WEB = Path(__file__).resolve().parents[2] / "bufa" / "web"
MOST_KB, MOST_PACKED_KB = 48, 18

CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
BLOCK = re.compile(r"\{[^{}]*\}")


@cache
def used() -> str:
    """All text in which a class could be named: templates, modules, and the Python that makes bits of pages."""
    texts = [*WEB.rglob("*.html"), *(WEB / "static" / "bufa" / "js").glob("*.js"), *WEB.rglob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in texts)


def classes(name: str) -> set[str]:
    text = COMMENT.sub("", (CSS / f"{name}.css").read_text("utf-8"))
    return set(CLASS.findall(BLOCK.sub("{}", text)))


def is_used(each: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", used()) is not None


# Words of states that templates put into a class by variable; each is a value of the group in bufa/web/words.
BY_VARIABLE = {
    "pass",
    "refused",
    "punished_later",
    "cannot_tell",
    "done",
    "now",
    "trouble",
    "success",
    "error",
    "warning",
}


@pytest.mark.parametrize("name", sheets())
def test_every_class_is_used(name: str) -> None:
    dead = {
        each for each in classes(name) - BY_VARIABLE if not re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", used())
    }
    assert dead == set()


def test_the_sheets_are_small() -> None:
    raw = [(CSS / f"{name}.css").read_bytes() for name in sheets()]
    assert sum(map(len, raw)) <= MOST_KB * 1024
    assert sum(len(gzip.compress(each, 9)) for each in raw) <= MOST_PACKED_KB * 1024
