"""Waybill numbers: written one way, and remembered for ever as used, without shop or buyer."""

from __future__ import annotations

from collections.abc import Iterable

from bufa.domain import waybills
from bufa.lib import crypto
from bufa.lib.db import cursor


def clean_number(raw: str) -> str:
    """One way to write a number: no spaces, capital letters, without the piece count that scanners add (-1-1-)."""
    return waybills.clean(raw)[:40]


def digest(carrier: str, number: str) -> bytes:
    """What is remembered of a used number: keyed, the same for all shops, telling nothing without the key."""
    return bytes.fromhex(crypto.blind(0, f"{carrier}:{clean_number(number)}", purpose="waybill"))


def is_used(carrier: str, number: str) -> bool:
    """Whether any shop here has used the number before. Never says which."""
    with cursor() as cur:
        cur.execute("SELECT waybill_used(%s)", [digest(carrier, number)])
        row = cur.fetchone()
    return bool(row and row[0])


def remember_numbers(numbers: Iterable[tuple[str, str]]) -> int:
    """Mark (carrier, number) pairs as used. Returns how many were not used before."""
    digests = sorted({digest(carrier, number) for carrier, number in numbers if number})
    if not digests:
        return 0
    with cursor() as cur:
        cur.execute("SELECT count(*) FILTER (WHERE waybill_use(d)) FROM unnest(%s::bytea[]) AS d", [digests])
        row = cur.fetchone()
    return int(row[0]) if row else 0


def used_among(numbers: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those (carrier, number) pairs that were used before, by whomever; in one query."""
    digests = {digest(carrier, number): (carrier, number) for carrier, number in numbers if number}
    if not digests:
        return set()
    with cursor() as cur:
        cur.execute("SELECT d FROM unnest(%s::bytea[]) AS d WHERE waybill_used(d)", [list(digests)])
        return {digests[bytes(row[0])] for row in cur}
