"""What the case's page shows of the carrier's side: its rules and the money asked from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bufa.apps.cases.shapes import CaseRow, CaseView
from bufa.apps.negotiations import answers, mails, talks
from bufa.apps.parcels.views import ParcelView
from bufa.domain.permissions import Permission
from bufa.web import carrier_rules, case_requests, claims, papers
from bufa.web.desk import Desk


def beside(here: Desk, row: CaseRow, current: ParcelView, now: datetime) -> list[Callable[[], object]]:
    """The same for reading it together with the rest of the page."""
    return [
        lambda: claims.of_case(here, row.shop_id, row.case_id),
        lambda: carrier_rules.beside_case(row.shop_id, current.carrier, "", now),
        lambda: papers.of_case(row.shop_id, row.case_id, current.carrier, ""),
        lambda: mails.of_case(row.shop_id, row.case_id),
        lambda: talks.of_case(row.shop_id, row.case_id),
        *case_requests.beside(row.shop_id, row.case_id),
        lambda: answers.waiting([row.shop_id], case_id=row.case_id),
    ]


def place_of(row: CaseRow, current: ParcelView) -> str:
    """Where the parcel was seen last: the branch that the carrier names, else the city."""
    talk = talks.of_case(row.shop_id, row.case_id)
    return (talk.branch if talk else "") or current.place


def context(here: Desk, found: CaseView, current: ParcelView, now: datetime) -> dict[str, Any]:
    row = found.row
    claim = str(found.facts.get("claim") or (found.verdict.claim if found.verdict else ""))
    return papers.of_case(row.shop_id, row.case_id, current.carrier, claim) | {
        "carrier_case": talks.of_case(row.shop_id, row.case_id),
        "may_not_work": here.refusal(Permission.WORK_CASE, row.shop_id),
        **case_requests.context(found, now),
        "incoming_mails": mails.of_case(row.shop_id, row.case_id),
        "carrier_answers": answers.waiting([row.shop_id], case_id=row.case_id) if row.is_open else (),
        "case_claims": claims.of_case(here, row.shop_id, row.case_id),
        "carrier_rules": carrier_rules.beside_case(row.shop_id, current.carrier, claim, now) if current.carrier else (),
    }
