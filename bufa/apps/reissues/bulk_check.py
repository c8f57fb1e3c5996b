"""The rows of a sheet, looked at all together: which case each one means, and what the gate says to it.

Nothing is asked of the outside and nothing is changed. Each thing is read once for all rows: the questions to the
database are as many for one row as for a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bufa.apps.cases import many
from bufa.apps.cases.many import Known
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.parcels.numbers import clean_number
from bufa.apps.reissues import basis, deliveries
from bufa.apps.reissues.basis import Basis
from bufa.apps.reissues.forms import Checked, ReissueForm, check_forms
from bufa.apps.reissues.ranges import Way
from bufa.domain import bulk
from bufa.domain.bulk import RowState
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.outcome import Why
from bufa.domain.permissions import Permission, may, roles_with
from bufa.domain.reissues import Answer
from bufa.lib.tenancy import for_shops


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row as it was written. `row` counts as a spreadsheet does; `problem`: it could not even be read."""

    row: int
    reference: str
    carrier: str = ""
    number: str = ""
    items: str = ""
    problem: Why | None = None


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """What was found. `form` is None where no case could be told; `whys` holds everything that did not just pass;
    `way` what the platform has to be asked about the carrier's range, None where nothing hangs on that."""

    sheet: SheetRow
    state: RowState
    verdict: Answer
    whys: tuple[Why, ...]
    case: CaseRow | None = None
    form: ReissueForm | None = None
    way: Way | None = None


def check_rows(shop_id: int, rows: Sequence[SheetRow], role: Role, now: datetime) -> list[CheckedRow]:
    """Every row judged, in order, as `submit` would judge it: what `role` may not submit is refused here already."""
    with for_shops([shop_id], reading=True):
        known, whys = _cases(shop_id, rows)
        cases = [one.row if one else None for one in known]
        start = basis.read(shop_id, [case for case in cases if case])
        forms, guessed = _forms(rows, known, start)
        for at in bulk.twice([(form.carrier, form.number) if form and form.number else None for form in forms]):
            whys[at].append(Why("number_twice_in_sheet"))
        for at in bulk.twice([case.case_id if case else None for case in cases]):
            whys[at].append(Why("case_twice_in_sheet"))
        asked = [(case.case_id, form) for case, form in zip(cases, forms, strict=True) if case and form]
        answers = iter(check_forms(shop_id, asked, now, start) if asked else ())
        found = []
        for at, (row, one, form) in enumerate(zip(rows, known, forms, strict=True)):
            checked = next(answers) if one and form else None
            if one and (closed := one.closed_to(Action.FILL_NUMBER, role, now)):
                whys[at].append(closed)
            doubts = (Why("carrier_guessed", {"carrier": form.carrier}),) if form and guessed[at] else ()
            found.append(_judge(row, cases[at], form, checked, whys[at], doubts, role))
        return found


def _cases(shop_id: int, rows: Sequence[SheetRow]) -> tuple[list[Known | None], list[list[Why]]]:
    known = many.by_reference(shop_id, [row.reference for row in rows])
    cases: list[Known | None] = []
    whys: list[list[Why]] = []
    for row in rows:
        fitting = known.get(row.reference, ())
        found = fitting[0] if len(fitting) == 1 and row.problem is None else None
        cases.append(found)
        if row.problem is not None:
            whys.append([row.problem])
        elif found is None:
            whys.append([Why("order_has_several_cases" if fitting else "no_case_there", {"reference": row.reference})])
        else:
            whys.append([])
    return cases, whys


def _forms(
    rows: Sequence[SheetRow], known: Sequence[Known | None], start: Basis
) -> tuple[list[ReissueForm | None], list[bool]]:
    """The form of each row as the page would open it: all that was in the bad parcel, the usual pickup address."""
    forms: list[ReissueForm | None] = []
    guessed: list[bool] = []
    for row, case in zip(rows, known, strict=True):
        if case is None or case.row.order_id not in start.orders:
            forms.append(None)
            guessed.append(False)
            continue
        items = bulk.read_items(row.items)
        number = clean_number(row.number)
        carrier, is_guess = bulk.carrier_of(row.carrier, number)
        guessed.append(is_guess)
        forms.append(
            ReissueForm(
                carrier=carrier,
                number=number,
                items=start.in_the_box(case.row.order_id, case.parcel_id) if items == () else items or (),
                pickup_id=start.usual_pickup,
                delivery=deliveries.proposed({}, start.changes.get(case.row.order_id, ())),
            )
        )
    return forms, guessed


def _judge(
    row: SheetRow,
    case: CaseRow | None,
    form: ReissueForm | None,
    checked: Checked | None,
    against: Sequence[Why],
    doubts: Sequence[Why],
    role: Role,
) -> CheckedRow:
    stops = list(against)
    if case and bulk.read_items(row.items) is None:
        stops.append(Why("items_unreadable"))
    report = checked.report if checked else None
    refused = [one.why for one in report.of(Answer.REFUSED)] if report else []
    punished = [one.why for one in report.of(Answer.PUNISHED_LATER)] if report else []
    unclear = [*doubts, *(one.why for one in report.of(Answer.CANNOT_TELL))] if report else []
    if not may(role, Permission.SUBMIT_REISSUE):
        stops.append(_ask(Permission.SUBMIT_REISSUE))
    if punished and (stop := stop_of(role)):
        stops.append(stop)
    whys = (*stops, *refused, *punished, *unclear)
    if stops or refused or report is None:
        state, verdict = RowState.REFUSED, Answer.REFUSED
        whys = tuple(why for why in whys if why.code not in bulk.ASKS_RANGE)  # nobody asks for what can't go anyway
    elif punished:
        # Never by default: a lead takes such a row in by hand, and gives a reason.
        state, verdict = RowState.LEFT_OUT, Answer.PUNISHED_LATER
    else:
        state, verdict = RowState.READY, Answer.CANNOT_TELL if unclear else Answer.PASS
    asks = checked is not None and checked.asks_range and state is not RowState.REFUSED
    return CheckedRow(row, state, verdict, whys, case, form, checked.way if checked and asks else None)


def stop_of(role: Role | None) -> Why | None:
    """Why someone of this role may not submit what will be punished later; None where they may."""
    return None if role is not None and may(role, Permission.OVERRIDE_GATE) else _ask(Permission.OVERRIDE_GATE)


def _ask(permission: Permission) -> Why:
    return Why("ask_role", {"roles": [each.value for each in roles_with(permission)], "permission": permission.value})


def counted(rows: Sequence[CheckedRow]) -> Mapping[Answer, int]:
    """How many rows the gate answers how."""
    return {answer: sum(row.verdict is answer for row in rows) for answer in Answer}
