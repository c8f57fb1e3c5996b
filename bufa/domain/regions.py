"""Provinces as the platform's transit clock sees them: near, far, remote."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_BETWEEN = re.compile(r"[,，\s]+")


class Distance(StrEnum):
    """The class of a province pair (doudian-openapi.md §12.4)."""

    NEAR = "near"
    FAR = "far"
    REMOTE = "remote"


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((files("bufa.domain") / "rulebooks" / "regions.toml").read_text("utf-8"))


@lru_cache(maxsize=4096)
def short_province(text: str) -> str:
    """`浙江省`, `浙江`, `330000` or `33` -> `浙江`; `内蒙古自治区` -> `内蒙古`; empty when it is no province."""
    text = text.strip()
    codes: dict[str, str] = _data()["codes"]
    if text.isdigit():
        return codes.get(text[:2], "")
    return next((name for name in codes.values() if text.startswith(name)), "")


@lru_cache(maxsize=4096)
def province_of(place: str) -> str:
    """The province of a place as providers write it (`陕西省,西安市`, `西安市`), short; "" where it is not certain:
    朝阳 is a city of Liaoning and a district of Beijing, and a station's name may hold any city's."""
    first = next((part for part in _BETWEEN.split(place) if part), "")
    return _cities().get(first) or _province_named(first)


@lru_cache(maxsize=4096)
def province_number(place: str) -> int:
    """The same as the first two digits of its division code (GB/T 2260); 0 where it is not certain."""
    return _numbers().get(province_of(place), 0)


def _province_named(text: str) -> str:
    found = short_province(text)
    rest = text.removeprefix(found)
    return found if rest in ("", "省", "市") or rest.endswith(("自治区", "特别行政区")) or rest.isdigit() else ""


@cache
def _numbers() -> dict[str, int]:
    return {name: int(code) for code, name in _data()["codes"].items()}


@cache
def _cities() -> dict[str, str]:
    """Cities, prefectures and leagues by their whole names, to the short name of their province."""
    data = _data()
    return {city: data["codes"][code] for code, cities in data["cities"].items() for city in cities.split()}


@lru_cache(maxsize=4096)
def distance(origin: str, destination: str) -> Distance | None:
    """The distance class of two provinces, or None when either is not known.

    One remote end makes the pair remote, even inside one province: the rule names "either end".
    """
    one, two = short_province(origin), short_province(destination)
    if not one or not two:
        return None
    data = _data()
    if one in data["remote"] or two in data["remote"]:
        return Distance.REMOTE
    if one == two or any(one in group and two in group for group in data["near_groups"]):
        return Distance.NEAR
    return Distance.FAR
