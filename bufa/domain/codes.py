"""The code tables of tracking providers (codes.toml): a code -> kind and reason, and how much it can be trusted."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from bufa.domain.kinds import Kind, Reason


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


def lookup(provider: str, code: str) -> Coded | None:
    """What `code` means to `provider`; None where no table knows it. Doudian and files speak in words, and the
    others write a word beside their number."""
    code = code.strip()
    own = _tables().get(provider, {}).get(code)
    return own or _tables()["words"].get(code)


def split_name(name: str) -> tuple[Kind, Reason | None]:
    """`held.weather` -> (Kind.HELD, Reason.WEATHER). Raises ValueError for words that are not ours."""
    kind, _, reason = name.partition(".")
    return Kind(kind), Reason(reason) if reason else None


@cache
def _tables() -> dict[str, dict[str, Coded]]:
    data = tomllib.loads(files("bufa.domain").joinpath("codes.toml").read_text(encoding="utf-8"))
    tables: dict[str, dict[str, Coded]] = {}
    for provider, grades in data.items():
        table = tables.setdefault(provider, {})
        for grade, codes in grades.items():
            for code, name in codes.items():
                if code in table:
                    raise ValueError(f"codes.toml: {provider} {code} is listed twice")
                table[code] = Coded(*split_name(name), Grade(grade))
    return tables
