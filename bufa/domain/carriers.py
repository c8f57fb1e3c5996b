"""Carriers (carriers.toml), identified by Doudian's company_code; other providers' codes are translated at the edge."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier. `patterns` are today's number forms, `old` those still met; both match whole cleaned numbers."""

    code: str
    name: str
    english: str
    kuaidi100: str = ""
    kdniao: str = ""
    hotline: str = ""
    code_is_seen: bool = False
    needs_phone: bool = False
    s10: bool = False
    aliases: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    old: tuple[re.Pattern[str], ...] = ()


@cache
def carriers() -> Mapping[str, Carrier]:
    """All carriers by company_code, in the order of the table (the large ones first)."""
    data = tomllib.loads(files("bufa.domain").joinpath("carriers.toml").read_text(encoding="utf-8"))
    return {
        code: Carrier(
            code=code,
            name=row["name"],
            english=row["english"],
            kuaidi100=row.get("kuaidi100", ""),
            kdniao=row.get("kdniao", ""),
            hotline=row.get("hotline", ""),
            code_is_seen=row.get("platform") == "seen",
            needs_phone=row.get("needs_phone", False),
            s10=row.get("s10", False),
            aliases=tuple(row.get("aliases", ())),
            patterns=tuple(re.compile(pattern) for pattern in row.get("patterns", ())),
            old=tuple(re.compile(pattern) for pattern in row.get("old", ())),
        )
        for code, row in data.items()
    }


def get(code: str) -> Carrier | None:
    """The carrier with this company_code, or None for one that the table does not know."""
    return carriers().get(code)


def from_kuaidi100(code: str) -> str | None:
    """Kuaidi100's `com` -> company_code."""
    return _index("kuaidi100").get(code.strip().lower())


def to_kuaidi100(code: str) -> str | None:
    """company_code -> Kuaidi100's `com`."""
    found = get(code)
    return found.kuaidi100 or None if found else None


def from_kdniao(code: str) -> str | None:
    """KDNiao's ShipperCode -> company_code."""
    return _index("kdniao").get(code.strip().lower())


def to_kdniao(code: str) -> str | None:
    """company_code -> KDNiao's ShipperCode."""
    found = get(code)
    return found.kdniao or None if found else None


def by_name(text: str) -> str | None:
    """What people, files and other systems write (中通, 中通快递, ZTO, zhongtong) -> company_code, or None."""
    return _names().get(_plain(text))


@cache
def _index(provider: str) -> dict[str, str]:
    return {getattr(row, provider).lower(): code for code, row in carriers().items() if getattr(row, provider)}


@cache
def _names() -> dict[str, str]:
    """Names in the order of certainty, so that an alias never hides another carrier's own code or name."""
    names: dict[str, str] = {}
    for row in carriers().values():
        names.setdefault(_plain(row.code), row.code)
    for row in carriers().values():
        for name in (row.name, row.english, row.kuaidi100, row.kdniao):
            if name:
                names.setdefault(_plain(name), row.code)
    for row in carriers().values():
        for name in row.aliases:
            names.setdefault(_plain(name), row.code)
    return names


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"[\s()·.\-_]+", "", text)
    return re.sub(r"(?:有限公司|股份有限公司|股份|集团)$", "", text)
