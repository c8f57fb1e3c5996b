"""Recipients of imported rows: what the columns leave out is read from the address, and doubts are noted.

An order is good without its recipient's district: nothing here keeps a row out, and what can't be read for certain
stays as the file has it.
"""

from __future__ import annotations

from collections.abc import Mapping

from bufa.domain.address_parser import ParsedAddress, Verdict, parse_columns
from bufa.domain.divisions import Fit
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_report import Effect
from bufa.lib.divisions import divisions

_NOTES: Mapping[Verdict, str] = {Verdict.AMBIGUOUS: "address_ambiguous", Verdict.UNKNOWN: "address_unknown"}
_WRONG = (Fit.DISAGREE, Fit.PROVINCE_UNKNOWN, Fit.CITY_UNKNOWN, Fit.DISTRICT_UNKNOWN)
_TO_CHECK = {"name_uncertain", "phones_several", "text_moved"}


def whole(fields: Fields, said: Mapping[str, str]) -> dict[str, str]:
    """The recipient's fields of one row (name, phone, province, city, district, address), completed.

    Columns win over what the address says. A whole recipient pasted into the address column is taken apart.
    """
    known = dict(said)
    if known["province"] and known["city"] and known["district"]:
        found = divisions().check(known["province"], known["city"], known["district"])
        if found.fit in _WRONG:
            fields.problem("district", "divisions_wrong", Effect.NOTE)
        return known
    if not known["address"]:
        return known
    read = parse_columns(
        divisions(),
        province=known["province"],
        city=known["city"],
        district=known["district"],
        detail=known["address"],
        name=known["name"],
        phone=known["phone"],
    )
    _take_person(fields, known, read)
    if read.verdict is not Verdict.OK:
        fields.problem("address", _NOTES[read.verdict], Effect.NOTE)
        return known
    rest = read.town + read.detail
    return known | {
        "province": read.province,
        "city": read.city,
        "district": read.district,
        "address": rest or known["address"],
    }


def _take_person(fields: Fields, known: dict[str, str], read: ParsedAddress) -> None:
    codes = {why.code for why in read.problems}
    if not known["phone"] and read.phone:
        known["phone"] = f"{read.phone}-{read.extension}" if read.extension else read.phone
    if not known["name"]:
        known["name"] = read.name
    if codes & _TO_CHECK:
        fields.problem("address", "address_to_check", Effect.NOTE)
