"""The code tables of tracking services and carriers (codes*.toml): a code -> kind and reason, and how much it can be
trusted."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from bufa.domain.kinds import Kind, Reason

WORDS = "words"
_FILES = ("codes.toml", "codes_carriers.toml", "codes_world.toml")


class Grade(StrEnum):
    """How a code stands to the text beside it."""

    FINE = "fine"
    COARSE = "coarse"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Coded:
    """What one code says."""

    kind: Kind
    reason: Reason | None
    grade: Grade

    @property
    def name(self) -> str:
        """`held.weather`, or the kind alone where there is no reason."""
        return f"{self.kind.value}.{self.reason.value}" if self.reason else self.kind.value


_LONGEST = 60


def lookup(provider: str, code: str) -> Coded | None:
    """What `code` means to `provider` (our name of it, or another in use); None where no table knows it. Doudian and
    files speak in words, and the others write a word beside their number. Capitals count only where they must."""
    code = code.strip()
    return _found(provider, code) if len(code) <= _LONGEST else None  # a text in a code's place is not remembered


@lru_cache(maxsize=16_384)
def _found(provider: str, code: str) -> Coded | None:
    table = tables().get(_alias(provider), {})
    return table.get(code) or _loosely(table, code) or tables()[WORDS].get(code)


def _loosely(table: Mapping[str, Coded], code: str) -> Coded | None:
    small = code.casefold()
    for key, coded in table.items():
        wanted = key.casefold()
        if wanted == small or (wanted.endswith("*") and small.startswith(wanted[:-1])):
            return coded
    return None


def _alias(provider: str) -> str:
    name = provider.strip().lower()
    return _data()[1].get(name, name)


def split_name(name: str) -> tuple[Kind, Reason | None]:
    """`held.weather` -> (Kind.HELD, Reason.WEATHER). Raises ValueError for words that are not ours."""
    kind, _, reason = name.partition(".")
    return Kind(kind), Reason(reason) if reason else None


def tables() -> Mapping[str, Mapping[str, Coded]]:
    """Every table: provider -> code -> what it says. `WORDS` serves them all."""
    return _data()[0]


@cache
def _data() -> tuple[dict[str, dict[str, Coded]], dict[str, str]]:
    found: dict[str, dict[str, Coded]] = {}
    alias: dict[str, str] = {}
    for file in _FILES:
        data = tomllib.loads(files("bufa.domain").joinpath(file).read_text(encoding="utf-8"))
        alias |= data.pop("alias", {})
        for provider, grades in data.items():
            table = found.setdefault(provider, {})
            for grade, codes in grades.items():
                for code, name in codes.items():
                    if code in table:
                        raise ValueError(f"{file}: {provider} {code} is listed twice")
                    table[code] = Coded(*split_name(name), Grade(grade))
    return found, alias
