"""Many cases at once, for work on a whole sheet: each question is one query however many cases are meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from bufa.apps.cases import facts as case_facts
from bufa.apps.cases.models import Case
from bufa.apps.cases.rows import case_row, case_rows
from bufa.apps.cases.shapes import CaseRow
from bufa.domain import cases as domain
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading

_NOTHING_AROUND = case_facts.Around((), (), 0, None, False, False, False, None, 0.0)


def by_reference(shop_id: int, references: Sequence[str]) -> dict[str, tuple[CaseRow, ...]]:
    """What is written → its cases: a case code names one case, an order number the open cases of that order."""
    wanted = [text for text in references if text]
    found: dict[str, list[CaseRow]] = {}
    with reading([shop_id]):
        rows = case_rows([shop_id]).filter(Q(code__in=wanted) | (Q(order__number__in=wanted) & ~Q(state="closed")))
        for row in map(case_row, rows.order_by("id")):
            for text in {row.code, row.order_number}:
                if text == row.code or row.is_open:
                    found.setdefault(text, []).append(row)
    return {text: tuple(found[text]) for text in wanted if text in found}


def newest_parcels(shop_id: int, case_ids: Sequence[int]) -> dict[int, int]:
    """Case → the parcel that people work on: the newest reissue, else the original."""
    with reading([shop_id]):
        rows = Case.objects.filter(shop_id=shop_id, id__in=case_ids).only("parcel_id", "facts")
        return {row.pk: case_facts.parcel_ids(row)[-1] for row in rows}


def closed_to(shop_id: int, case_ids: Sequence[int], action: Action, role: Role, now: datetime) -> dict[int, Why]:
    """Case → why the action is closed to this role there; cases where it is open are missing. Judged by what the case
    itself keeps, without its parcels, findings and tickets."""
    refused: dict[int, Why] = {}
    with reading([shop_id]):
        for row in Case.objects.filter(shop_id=shop_id, id__in=case_ids).select_related("parcel"):
            why = domain.can(case_facts.read(row, _NOTHING_AROUND), action, role, now)
            if why is not None:
                refused[row.pk] = why.why
    return refused
