"""The desk's messages: Chinese in the source, English in locale/en. Needs no gettext program.

python tools/i18n.py extract    bring locale/en/LC_MESSAGES/django.po up to date with code and templates
python tools/i18n.py compile    write the .mo that Django reads
python tools/i18n.py check      fail where a message lacks its English, is fuzzy, or is no longer used
python tools/i18n.py pseudo DIR write a made-up language (en-xa) of the English, 1.4 times as long, for looking at pages
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
SOURCE = ROOT / "bufa"
PO = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"

KEYWORDS = {
    "_": None,
    "_now": None,
    "_in": ((1, "c"), 2),
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_CALL = re.compile(r"""(?:[np]*gettext|_)\((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|[\s,\w])*\)""")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def messages() -> Iterator[tuple[str, str | tuple[str, ...], str | None]]:
    """(file, message, context) of everything that is to be translated, in a stable order."""
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html"), *SOURCE.rglob("*.txt")]):
        if "migrations" in path.parts:
            continue
        where = path.relative_to(ROOT).as_posix()
        text = path.read_text("utf-8")
        if path.suffix != ".py":
            text = _templatized(text, where)
        for _, message, _, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
            yield where, message, context


def _templatized(text: str, origin: str) -> str:
    from django.conf import settings

    if not settings.configured:
        settings.configure()
    from django.utils.translation.template import templatize

    # What is left of the template between the calls is no Python: keep the calls.
    return "\n".join(_CALL.findall(str(templatize(text, origin=origin))))


def wanted() -> Catalog:
    """The catalogue as the source wants it, without translations."""
    catalog = Catalog(locale="en", project="Bufa", charset="utf-8", fuzzy=False)
    for where, message, context in messages():
        catalog.add(message, locations=[(where, 0)], context=context)
    return catalog


def stored() -> Catalog:
    if not PO.exists():
        return Catalog(locale="en", project="Bufa", charset="utf-8", fuzzy=False)
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def extract_all() -> Catalog:
    """Merge what the source wants into what is translated; what is not used any more goes."""
    catalog = stored()
    catalog.update(wanted(), no_fuzzy_matching=True, update_header_comment=False, keep_user_comments=False)
    catalog.obsolete.clear()
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(
            file, catalog, width=120, include_lineno=False, omit_header=False, sort_output=True, ignore_obsolete=True
        )
    return catalog


def compile_all() -> Path:
    """Write the .mo beside the .po, and say where."""
    path = PO.with_suffix(".mo")
    with path.open("wb") as file:
        write_mo(file, stored())
    return path


LONGER = 1.4
PSEUDO = "en_XA"
_KEPT = re.compile(r"%\(\w+\)[sd]|%[%sd]|\{\w+\}|<[^>]+>|&\w+;|https?://\S+")
_LOOKS = str.maketrans("aceinorsuyACEINORSUY", "àçéíñöřšüýÀÇÉÍÑÖŘŠÜÝ")


def pseudo(text: str) -> str:
    """The text as a language would write it that needs more room: every letter can still be read, placeholders stay."""
    at, parts, letters = 0, [], 0
    for kept in _KEPT.finditer(text):
        parts += [text[at : kept.start()].translate(_LOOKS), kept.group()]
        letters += kept.start() - at
        at = kept.end()
    parts.append(text[at:].translate(_LOOKS))
    missing = round((letters + len(text) - at) * (LONGER - 1))
    more = "".join("öüé"[n % 3] if (n + 1) % 6 else " " for n in range(missing))
    return "".join(parts) + (f" {more[1:]}".rstrip() if missing > 1 else more)


def write_pseudo(folder: Path) -> Path:
    """A catalogue of that language for LOCALE_PATHS; returns the .mo."""
    catalog = stored()
    for message in catalog:
        if message.id and isinstance(message.string, (list, tuple)):
            message.string = tuple(pseudo(text) for text in message.string)
        elif message.id:
            message.string = pseudo(str(message.string))
    path = folder / PSEUDO / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return path


def problems() -> list[str]:
    """Everything that keeps the English from being complete; empty when all is well."""
    have = {_key(message): message for message in stored() if message.id}
    found = []
    for message in wanted():
        if not message.id:
            continue
        there = have.pop(_key(message), None)
        if there is None:
            found.append(f"not in the catalogue (run `extract`): {message.id!r}")
        elif not _is_full(there):
            found.append(f"no English: {message.id!r}")
        elif there.fuzzy:
            found.append(f"fuzzy: {message.id!r}")
        elif lost := _lost(there):
            found.append(f"placeholders differ ({', '.join(sorted(lost))}): {message.id!r}")
    found += [f"no longer used (run `extract`): {key[1]!r}" for key in have]
    return found


def _key(message: Message) -> tuple[str | None, object]:
    return message.context, message.id


def _is_full(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return all(strings)


def _lost(message: Message) -> set[str]:
    """Placeholders that one side has and the other lacks."""
    ids = message.id if isinstance(message.id, (list, tuple)) else [message.id]
    strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    before = {name for text in ids for name in _PLACEHOLDER.findall(text)}
    return {name for text in strings for name in before ^ set(_PLACEHOLDER.findall(text))}


def main(words: list[str]) -> int:
    match words:
        case ["extract"]:
            catalog = extract_all()
            missing = sum(not _is_full(message) for message in catalog if message.id)
            print(f"{len(catalog)} messages, {missing} without English")
            return 0
        case ["compile"]:
            print(compile_all().relative_to(ROOT))
            return 0
        case ["pseudo", folder]:
            print(write_pseudo(Path(folder)))
            return 0
        case ["check"]:
            found = problems()
            print("\n".join(found) if found else "every message has its English")
            return 1 if found else 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
