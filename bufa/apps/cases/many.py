"""Many cases at once, for work on a whole sheet: one query however many cases are meant, each case read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from bufa.apps.cases import facts as case_facts
from bufa.apps.cases.models import Case
from bufa.apps.cases.rows import case_row, case_rows
from bufa.apps.cases.shapes import CaseRow
from bufa.domain import cases as domain
from bufa.domain.cases import Action, CaseFacts
from bufa.domain.kinds import Role
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading

NOTHING_AROUND = case_facts.Around((), (), 0, None, False, False, False, None, 0.0)
_READ = (
    *(field.name for field in Case._meta.concrete_fields),
    *("order__number", "owner__display_name", "owner__username"),
    *("parcel__carrier", "parcel__number", "parcel__stage", "parcel__place", "parcel__last_scan_at"),
)
"""What `case_row` asks for. Whole orders and parcels would be most of the time that a sheet takes."""


@dataclass(frozen=True, slots=True)
class Known:
    """A case that a row of a sheet may mean. `parcel_id`: what people work on, the newest reissue, else the original.
    `facts`: what the case itself keeps, without its parcels, findings and tickets."""

    row: CaseRow
    parcel_id: int
    facts: CaseFacts

    def closed_to(self, action: Action, role: Role, now: datetime) -> Why | None:
        """Why the action is closed to this role here; None where it is open."""
        refused = domain.can(self.facts, action, role, now)
        return refused.why if refused is not None else None


def by_reference(shop_id: int, references: Sequence[str]) -> dict[str, tuple[Known, ...]]:
    """What is written → its cases: a case code names one case, an order number the open cases of that order."""
    wanted = [text for text in references if text]
    found: dict[str, list[Known]] = {}
    for one in _known(shop_id, Q(code__in=wanted) | (Q(order__number__in=wanted) & ~Q(state="closed"))):
        for text in {one.row.code, one.row.order_number}:
            if text == one.row.code or one.row.is_open:
                found.setdefault(text, []).append(one)
    return {text: tuple(found[text]) for text in wanted if text in found}


def newest_parcels(shop_id: int, case_ids: Sequence[int]) -> dict[int, int]:
    """Case → the parcel that people work on: the newest reissue, else the original."""
    return {one.row.case_id: one.parcel_id for one in _known(shop_id, Q(id__in=case_ids))}


def closed_to(shop_id: int, case_ids: Sequence[int], action: Action, role: Role, now: datetime) -> dict[int, Why]:
    """Case → why the action is closed to this role there (`Known.closed_to`); cases where it is open are missing."""
    refused = {one.row.case_id: one.closed_to(action, role, now) for one in _known(shop_id, Q(id__in=case_ids))}
    return {case_id: why for case_id, why in refused.items() if why is not None}


def _known(shop_id: int, which: Q) -> list[Known]:
    with reading([shop_id]):
        return [
            Known(case_row(case), case_facts.parcel_ids(case)[-1], case_facts.read(case, NOTHING_AROUND))
            for case in case_rows([shop_id]).filter(which).only(*_READ).order_by("id")
        ]
