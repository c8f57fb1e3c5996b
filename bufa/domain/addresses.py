"""Addresses, thinly: whether one is complete enough for a courier, and one way to write a recipient."""

from __future__ import annotations

import re
import unicodedata

from bufa.domain.outcome import Why
from bufa.domain.regions import short_province

MIN_DETAIL = 4
"""Shorter details (家里, 3楼) do not say where to ring."""

NO_DISTRICT = frozenset({"东莞", "中山", "儋州", "嘉峪关"})
"""Cities without districts: their second and third level are the same, or a town takes the district's place."""

NO_CITY = frozenset({"香港", "澳门", "台湾"})
"""Their lower levels are written in many ways, and no table of the mainland has them."""

_EXTENSION = re.compile(r"(?:[-－—,，#*]|转|分机|ext\.?)\s*\d{1,6}\s*$", re.IGNORECASE)
_COUNTRY = re.compile(r"^(?:\+|00)\s*86[-\s]*|^86[-\s]*(?=1\d{10}$)")
_DASH = re.compile(r"(?<=\d)\s*[-‐-―−~]\s*(?=\d)")
_NOT_PLAIN = re.compile(r"[^\w-]+|_+|(?<!\d)-|-(?!\d)")


def complete(province: str, city: str, district: str, detail: str) -> Why | None:
    """None when the address names province, city, district and a place in it; else what is missing.

    The Why is `address_incomplete` with `missing`: a list out of province, city, district, detail; or
    `address_unknown_province` when the province is none.
    """
    province, city, district, detail = (_width(part).strip() for part in (province, city, district, detail))
    missing = [name for name, value in (("province", province), ("city", city), ("district", district)) if not value]
    if short_province(province) in NO_CITY:
        missing = [name for name in missing if name == "province"]
    if "district" in missing and city.removesuffix("市") in NO_DISTRICT:
        missing.remove("district")
    if len(_bare_detail(province, city, district, detail)) < MIN_DETAIL:
        missing.append("detail")
    if missing:
        return Why("address_incomplete", {"missing": missing})
    return None if short_province(province) else Why("address_unknown_province", {"province": province})


def normalise_phone(phone: str) -> str:
    """A phone without +86, extension, blanks and signs: two ways to write one number become equal."""
    text = _COUNTRY.sub("", _width(phone).strip())
    digits = _digits(text)
    if len(digits) == 11 and digits.startswith("1"):
        return digits  # 138-1234-5678 has no extension
    main = _digits(_EXTENSION.sub("", text))
    return main if len(main) >= 7 else digits


def normalise_recipient(name: str, phone: str, province: str, city: str, district: str, detail: str) -> str:
    """One line for a recipient, equal for every usual way to write the same one; meant for blind indexes only.

    Widths, blanks and punctuation are evened out, the phone loses its country code and extension, the province its
    suffix, and a detail that repeats province, city and district loses them.
    """
    bare = _bare_detail(province, city, district, detail)
    short = short_province(_width(province)) or _plain(province)
    return "|".join((_plain(name), normalise_phone(phone), short, _plain(city), _plain(district), bare))


def _bare_detail(province: str, city: str, district: str, detail: str) -> str:
    bare = _plain(detail)
    for part in (province, city, district):
        plain = _plain(part)
        if plain and bare.startswith(plain):
            bare = bare[len(plain) :]
    return bare


def _width(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _plain(text: str) -> str:
    """Without blanks and punctuation, but 1-2 stays apart from 12: they are different doors."""
    return _NOT_PLAIN.sub("", _DASH.sub("-", _width(text))).lower()
