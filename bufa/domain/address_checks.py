"""The gate's checks of an address: complete, and of real divisions that belong together."""

from __future__ import annotations

from dataclasses import dataclass

from bufa.domain import addresses
from bufa.domain.checks import Answer, Check, said
from bufa.domain.divisions import Divisions, Finding, Fit

ADDRESS_RULE = "doudian 5.2"
_DIVISION_RULE = "GB/T 2260"

_SOME_DETAIL = "路1号楼101室"
"""Stands for a detail that we hold masked or as a cipher only."""


@dataclass(frozen=True, slots=True)
class FormAddress:
    """An address on the form, without plain text where that is not needed: `has_*` say whether it is there.

    A pickup address also needs `address_id`, the platform's `send_address_id`, unless the shop has no API access.
    `from_platform`: the platform itself gave this address, partly as ciphers, so that it knows what we may not.
    """

    province: str = ""
    city: str = ""
    district: str = ""
    has_detail: bool = False
    has_name: bool = False
    has_phone: bool = False
    address_id: str = ""
    from_platform: bool = False


def missing_parts(address: FormAddress, divisions: Divisions | None = None) -> tuple[str, ...]:
    """What an address lacks, out of province, city, district, detail, name, phone, in this order.

    With `divisions`, a city or district that the place does not have (仙桃市, Hong Kong) is not missed.
    """
    detail = _SOME_DETAIL if address.has_detail else ""
    why = addresses.complete(address.province, address.city, address.district, detail)
    missing = list(why.params.get("missing", ["province"])) if why else []
    missing += [name for name, there in (("name", address.has_name), ("phone", address.has_phone)) if not there]
    if divisions is not None and _where(address, divisions).fit in (Fit.REAL, Fit.FORMER, Fit.NOT_LISTED):
        missing = [name for name in missing if name not in ("city", "district")]
    return tuple(missing)


def _where(address: FormAddress, divisions: Divisions) -> Finding:
    return divisions.check(address.province, address.city, address.district)


def address_check(code: str, address: FormAddress, divisions: Divisions | None) -> Check:
    """A courier finds most places without a district, so that alone does not refuse the form."""
    missing = missing_parts(address, divisions)
    if address.from_platform and set(missing) & {"province", "city"}:
        return said(code, Answer.CANNOT_TELL, "divisions_hidden", ADDRESS_RULE, missing=list(missing))
    if set(missing) - {"district"}:
        return said(code, Answer.REFUSED, f"{code}_incomplete", ADDRESS_RULE, missing=list(missing))
    found = _where(address, divisions) if divisions is not None else None
    if missing and (found is None or found.fit is Fit.NO_DISTRICT):
        return said(code, Answer.CANNOT_TELL, "district_missing", ADDRESS_RULE, missing=list(missing))
    if found is None:
        return said(code, Answer.CANNOT_TELL, "divisions_not_checked", _DIVISION_RULE)
    return _division_check(code, address, found)


def _division_check(code: str, address: FormAddress, found: Finding) -> Check:
    """Whether province, city and district are real and belong together. Our table and the platform's differ for months
    after a change, so a name that ours lacks is doubted; what contradicts itself is refused, unless the platform wrote
    it."""
    meant = [one.province + one.city.removeprefix(one.province) + one.district for one in found.meant[:6]]
    written = address.province + address.city + address.district
    worst = Answer.CANNOT_TELL if address.from_platform else Answer.REFUSED
    match found.fit:
        case Fit.REAL:
            return said(code, Answer.PASS)
        case Fit.FORMER if len(found.meant) == 1:
            return said(code, Answer.PASS, "division_renamed", _DIVISION_RULE, written=written, now=meant[0])
        case Fit.FORMER:
            why, answer = "division_dissolved", Answer.CANNOT_TELL
        case Fit.ZONE:
            why, answer = "zone_no_division", Answer.CANNOT_TELL
        case Fit.NOT_LISTED:
            why, answer = "outside_mainland", Answer.CANNOT_TELL
        case Fit.DISTRICT_UNKNOWN | Fit.NO_DISTRICT:
            why, answer = "district_unknown", Answer.CANNOT_TELL
        case Fit.DISAGREE:
            why, answer = "divisions_disagree", worst
        case _:
            why, answer = "divisions_unknown", worst
    zone, province = address.district, address.province
    return said(code, answer, why, _DIVISION_RULE, written=written, candidates=meant, zone=zone, province=province)
