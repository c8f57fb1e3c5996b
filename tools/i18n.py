"""The message catalogue: Simplified Chinese is written in the code, English in locale/en.

`compile` makes the .mo file, `extract` brings django.po up to date with the code, `check` fails for a message without
English, a message nobody uses, or a placeholder that differs. Babel does the reading, so gettext need not be installed.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
PO = Path("locale/en/LC_MESSAGES/django.po")
_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None, "_lazy": None, "N_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def messages_in_code(root: Path) -> Catalog:
    """Every message of the Python files and templates of bufa/, with the places where it stands."""
    from django.conf import settings
    from django.utils.translation.template import templatize

    if not settings.configured:
        settings.configure()
    catalog = Catalog(locale="en", domain="django", fuzzy=False)
    for path in sorted((root / "bufa").rglob("*")):
        if path.suffix not in {".py", ".html", ".txt"} or "migrations" in path.parts:
            continue
        text = path.read_text()
        if path.suffix != ".py":
            text = templatize(text, origin=str(path))
        for line, ids, _comments, context in extract("python", io.BytesIO(text.encode()), keywords=_KEYWORDS):
            key = tuple(ids) if isinstance(ids, tuple | list) else ids
            if key and key != ("",):
                catalog.add(key, locations=[(str(path.relative_to(root)), line)], context=context)
    return catalog


def read(root: Path) -> Catalog:
    path = root / PO
    if not path.exists():
        return Catalog(locale="en", domain="django", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale="en", domain="django", abort_invalid=True)


def update(root: Path) -> None:
    """Add what the code has, drop what it no longer has, keep every translation there is."""
    ours, known = messages_in_code(root), read(root)
    for message in ours:
        if message.id and (old := known.get(message.id, message.context)) is not None:
            message.string = old.string
    path = root / PO
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, ours, width=110, sort_output=True, omit_header=False, include_lineno=False, ignore_obsolete=True)


def compile_all(root: Path) -> None:
    """Write each django.mo beside its django.po where it is older."""
    for path in (root / "locale").glob("*/LC_MESSAGES/django.po"):
        target = path.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= path.stat().st_mtime:
            continue
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.parts[-3], domain="django", abort_invalid=True)
        with target.open("wb") as file:
            write_mo(file, catalog)


def faults(root: Path) -> Iterator[str]:
    """A line for each message that isn't translated, isn't used, or has other placeholders."""
    ours, known = messages_in_code(root), read(root)
    for message in ours:
        if not message.id:
            continue
        translated = known.get(message.id, message.context)
        where = f"{message.locations[0][0]}:{message.locations[0][1]}"
        if translated is None or not _strings(translated) or not all(_strings(translated)) or translated.fuzzy:
            yield f"{where} has no English: {_first(message)}"
        elif any(_placeholders(_first(message)) != _placeholders(text) for text in _strings(translated)):
            yield f"{where} has other placeholders in English: {_first(message)}"
    for message in known:
        if message.id and ours.get(message.id, message.context) is None:
            yield f"{PO} keeps a message that nobody uses: {_first(message)}"


def _first(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else str(message.id)


def _strings(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple | list) else [str(message.string or "")]


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text.replace("%%", "")))


if __name__ == "__main__":
    wish = sys.argv[1] if len(sys.argv) > 1 else "check"
    if wish == "compile":
        compile_all(ROOT)
    elif wish == "extract":
        update(ROOT)
    else:
        problems = list(faults(ROOT))
        print("\n".join(problems) or "messages: fine")
        sys.exit(bool(problems))
