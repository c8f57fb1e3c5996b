"""What is known about a parcel beyond its scans, over all of its cases: who said what, which files, which reissues."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bufa.apps.cases.actions import statement_place
from bufa.apps.cases.files import files_of_parcel
from bufa.apps.cases.models import Case, Statement
from bufa.apps.cases.shapes import FileView
from bufa.lib.crypto import unseal
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class Said:
    """One statement; `source` and `claim` are codes."""

    source: str
    claim: str
    said_at: datetime
    by: str
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """`case_id`: the newest case, None without any. `reissues`: parcels sent again, in order. Files that are still
    there, with the case that each lies in."""

    case_id: int | None
    case_code: str
    said: tuple[Said, ...]
    files: tuple[tuple[int, FileView], ...]
    reissues: tuple[int, ...]


def of_parcel(shop_id: int, parcel_id: int) -> Known:
    """All of an original parcel's cases together; three queries."""
    with reading([shop_id]):
        cases = list(Case.objects.filter(shop_id=shop_id, parcel_id=parcel_id).order_by("id"))
        rows = Statement.objects.filter(shop_id=shop_id, case__parcel_id=parcel_id).order_by("said_at", "id")
        said = tuple(Said(row.source, row.claim, row.said_at, row.by, _words(row)) for row in rows)
        files = tuple(each for each in files_of_parcel(shop_id, parcel_id) if not each[1].is_gone)
    newest = cases[-1] if cases else None
    reissues = tuple(int(one) for case in cases for one in case.facts.get("reissue_parcels", []))
    return Known(newest.pk if newest else None, newest.code if newest else "", said, files, reissues)


def _words(row: Statement) -> str:
    sealed = bytes(row.words)
    place = statement_place(row.case_id, row.recorded_at)
    return unseal(row.shop_id, sealed, where=place).decode() if sealed else ""
