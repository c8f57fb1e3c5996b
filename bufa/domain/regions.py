"""Provinces as the platform's transit clock sees them: near, far, remote."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any


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
