"""What operators teach about texts: a reading for a template, laid over scans that nothing else could read.

It is laid over the scan that all messages about it make together (`parcels.merge`), never over single messages: so
neither the order of messages nor the moment of teaching changes what a parcel comes to, and it can be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bufa.domain.kinds import Kind, Reason
from bufa.domain.outcome import Refused
from bufa.domain.parcels import Scan
from bufa.domain.reading import TEXT, Reading, read, template_id, template_of

TEACHABLE = frozenset({Kind.UNMAPPED, Kind.NOTE})
"""Kinds of scans that a template may say more about; the others were read."""

KINDS: tuple[Kind, ...] = tuple(kind for kind in Kind if kind is not Kind.UNMAPPED)
"""What a template may be taught to mean."""

WITH_REASON = frozenset({Kind.ATTEMPT_FAILED, Kind.HELD, Kind.REFUSED, Kind.RETURNING, Kind.INTERCEPTED})
"""Kinds that say why."""

SAMPLE_LENGTH = 300
_DIGIT = re.compile(r"\d+")

Readings = Mapping[str, Reading]
"""`template_id` -> what it was taught to mean."""


@dataclass(frozen=True, slots=True)
class Template:
    """`key`: 12 hex characters. `text`: the template itself. `sample`: one text of it, names and digits cut out."""

    key: str
    text: str
    sample: str

    @classmethod
    def of(cls, text: str) -> Template:
        """The template of a scan's text (names and phones cut out already, or not)."""
        template = template_of(text)
        return cls(template_id(template), template, _DIGIT.sub("#", text)[:SAMPLE_LENGTH])


def meaning(kind: str, reason: str = "") -> Reading:
    """The reading that an operator gave. Raises Refused: `template_kind_unknown`, `template_reason_unknown`, or
    `template_reason_unfit` (kind) for a kind that says no reasons."""
    if kind not in KINDS:
        raise Refused("template_kind_unknown", value=kind)
    if reason and reason not in list(Reason):
        raise Refused("template_reason_unknown", value=reason)
    if reason and Kind(kind) not in WITH_REASON:
        raise Refused("template_reason_unfit", scan_kind=kind)
    return Reading(Kind(kind), Reason(reason) if reason else None, "template", TEXT)


def plain_kind(text: str) -> Kind:
    """What a text says by itself, without anything taught."""
    return read(provider="", text=text).kind


def untaught(scan: Scan) -> Scan:
    """The scan as it reads without anything taught. Idempotent; undoes `apply`."""
    if scan.fineness != TEXT or not scan.text:
        return scan  # codes and states are never overruled, so nothing was laid over them
    plain = read(provider=scan.provider, code=scan.code, text=scan.text)
    if plain.kind not in TEACHABLE:
        return scan
    return scan._replace(kind=plain.kind, reason=plain.reason, fineness=plain.fineness)


def apply(scan: Scan, readings: Readings) -> Scan:
    """An untaught scan as the readings have it."""
    if not readings or not scan.text or scan.kind not in TEACHABLE:
        return scan
    taught = readings.get(template_id(template_of(scan.text)))
    return scan if taught is None else scan._replace(kind=taught.kind, reason=taught.reason, fineness=TEXT)


def reread(scan: Scan, readings: Readings) -> Scan:
    """A stored scan, whatever was laid over it before, as the readings have it now."""
    return apply(untaught(scan), readings)
