"""A shop without API: what a person copies into the platform's page, and what the page's text then proves."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from bufa.domain import waybills

FIELDS = ("order", "carrier", "number", "items", "pickup", "delivery")
"""In the order in which the platform's page asks for them."""

_ORDER = re.compile(r"(?<![0-9A-Za-z])\d{15,20}(?![0-9A-Za-z])")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:[A-Za-z]{1,4}\d{8,20}[A-Za-z]{0,2}|\d{10,14})(?![0-9A-Za-z])")


class Proof(StrEnum):
    """What a pasted page proves. Only `there` settles anything: a page that lacks a number may be the wrong part."""

    THERE = "there"
    OTHER_ORDER = "other_order"
    NO_ORDER = "no_order"
    OTHER_NUMBER = "other_number"
    NO_NUMBER = "no_number"


@dataclass(frozen=True, slots=True)
class Page:
    """`orders` and `numbers`: what else stands there that looks like an order or a waybill number, at most five."""

    proof: Proof
    orders: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def read_page(text: str, order: str, number: str) -> Page:
    """Find this order and this waybill in the text of the platform's page, copied whole. A number counts only when it
    stands alone: as a part of a longer one it is another number."""
    plain = unicodedata.normalize("NFKC", text)
    wanted = waybills.clean(number)
    orders = _unique(found for found in _ORDER.findall(plain) if found != order)
    numbers = _unique(found for found in map(waybills.clean, _NUMBER.findall(plain)) if found not in (wanted, order))
    if not order or not _alone(order, plain):
        return Page(Proof.OTHER_ORDER if orders else Proof.NO_ORDER, orders, numbers)
    if not wanted or not _alone(wanted, plain):
        return Page(Proof.OTHER_NUMBER if numbers else Proof.NO_NUMBER, orders, numbers)
    return Page(Proof.THERE, orders, numbers)


def _alone(wanted: str, text: str) -> bool:
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(wanted)}(?![0-9A-Za-z])", text, re.IGNORECASE) is not None


def _unique(found: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:5]  # type: ignore[call-overload]
