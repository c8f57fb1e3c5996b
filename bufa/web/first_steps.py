"""Hints for whoever is new, the act at the thumb, and the way to the next case.

All three follow `domain.first_steps`: what a case waits for, and the control of its page that does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import CaseFilters, CaseRow
from bufa.apps.shops import actions as shops
from bufa.domain.first_steps import Around, Candidate, Pointer, Spot, first_case, point
from bufa.lib import keyset
from bufa.web.desk import back_to, desk, tell
from bufa.web.session import next_page
from bufa.web.words import word

LOOKED_THROUGH = 200
"""Cases among which the first one is chosen."""


@dataclass(frozen=True, slots=True)
class Act:
    """The control that a pointer means. `anchor`: its id on the page, "" where it may not be pressed. `form`, `name`,
    `value`, `address`: how a second button, at the thumb, does the same; only what can be taken back has one, the rest
    is looked at first."""

    anchor: str = ""
    label: str = ""
    form: str = ""
    name: str = ""
    value: str = ""
    address: str = ""
    skips_checks: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """`step`: which of the five the case is at, 0 for none."""

    pointer: Pointer
    act: Act
    step: int = 0

    @property
    def is_done(self) -> bool:
        """The operator's part is over: the hints have done theirs."""
        return self.pointer.code in ("followed", "watched", "closed")


def of_case(said: Mapping[str, Any]) -> Hint:
    """What the page of a case points at; `said` is the page's context."""
    row: CaseRow = said["row"]
    form = said["forms"].get("reissue")
    around = Around(
        has_number=bool(form is not None and form["number"].value()),
        label_wanted=any(each.state == "wanted" for each in said["labels"]),
        answers=len(said.get("carrier_answers") or ()),
        to_phone=said["to_phone"],
        no_contact=not said["talk"].contacts,
    )
    pointer = point(row.why.code, around)
    steps = [each.step for each in said["view"].steps]
    act = _ACTS[pointer.spot](said) if pointer.spot else Act()
    return Hint(pointer, act, steps.index(row.step) + 1 if row.step in steps else 0)


def _measure(said: Mapping[str, Any]) -> Act:
    """The proposed measure; where the case has it already, there is nothing that one key should do."""
    proposed = next((each for each in said["view"].options if each.is_proposed), None)
    if proposed is None or proposed.refused or proposed.is_chosen or not said["may_choose"]:
        return Act()
    label = (_("申请%(measure)s") if proposed.needs_second else _("选%(measure)s")) % {
        "measure": word("measure", proposed.measure)
    }
    return Act("do-measure", label, "decide", "measure", proposed.measure)


def _ask(said: Mapping[str, Any]) -> Act:
    ready = _open(said, "ask_carrier") and said["talk"].contacts and hasattr(said["letter"], "body")
    return Act("do-ask", word("spot", "ask")) if ready else Act()


def _agree(said: Mapping[str, Any]) -> Act:
    return Act("do-agree", word("spot", "agree")) if said["may_operate"] and said["to_answer"] else Act()


def _waybill(said: Mapping[str, Any]) -> Act:
    if not (said["draft"] and _open(said, "fill_number")):
        return Act()
    address = f"{said['action_base']}waybill/"
    return Act("do-waybill", word("spot", "waybill"), "reissue", address=address, skips_checks=True)


def _submit(said: Mapping[str, Any]) -> Act:
    ready = said["draft"] and _open(said, "fill_number")
    return Act("do-submit", word("spot", "submit"), "reissue", "do", "submit") if ready else Act()


def _tell(said: Mapping[str, Any]) -> Act:
    ways = [each.channel for each in said["proposals"] if not each.refused] if _open(said, "tell_customer") else []
    if not ways:
        return Act()
    channel = next((each for each in ways if each != "phone"), ways[0])
    label = _("建电话任务") if channel == "phone" else word("spot", "tell")
    return Act(f"do-{channel}", label, f"tell-{channel}")


def _call(said: Mapping[str, Any]) -> Act:
    task = next(each for each in said["notices"] if each.state == "todo")
    return Act(f"notice-{task.notice_id}", word("spot", "call"))


def _approve(said: Mapping[str, Any]) -> Act:
    mine = _open(said, "approve") and not said["is_asker"]
    return Act("do-approve", word("spot", "approve")) if mine else Act()


def _remedy(said: Mapping[str, Any]) -> Act:
    return Act("remedy", word("spot", "remedy")) if said["view"].remedy else Act()


def _open(said: Mapping[str, Any], action: str) -> bool:
    act = said["acts"][action]
    return act is not None and act.allowed


_ACTS: Mapping[Spot, Callable[[Mapping[str, Any]], Act]] = {
    Spot.MEASURE: _measure,
    Spot.APPROVE: _approve,
    Spot.ASK: _ask,
    Spot.ANSWER: lambda said: Act("do-answer", word("spot", "answer")),
    Spot.AGREE: _agree,
    Spot.WAYBILL: _waybill,
    Spot.SUBMIT: _submit,
    Spot.TELL: _tell,
    Spot.CALL: _call,
    Spot.REMEDY: _remedy,
    Spot.NEXT: lambda said: Act("do-next", word("spot", "next")),
}


# --- ways ------------------------------------------------------------------------------------------------------------


@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """To the case that is the best one to learn on."""
    here = desk(request)
    rows = cases.case_list(here.shops, CaseFilters(), limit=LOOKED_THROUGH).rows
    known = {row.case_id: row for row in rows}
    chosen = first_case(
        (Candidate(row.case_id, row.why.code, row.waiting_for, row.measure, row.owner_id, row.due_at) for row in rows),
        here.operator_id,
    )
    if chosen is None:
        tell(request, _("现在没有等店铺来办的案件；新的异常会自己立案"))
        return back_to(reverse("cases"))
    return back_to(_address(known[chosen]))


@require_GET
def following(request: HttpRequest) -> HttpResponse:
    """The next case that waits for the shop: mine or nobody's, by its time, from the one that is left on; round."""
    here = desk(request)
    shop, _colon, code = request.GET.get("after", "").partition(":")
    left = cases.case_by_code([int(shop)], code) if shop.isdigit() and int(shop) in here.all_shops else None
    filters = CaseFilters(waiting_for="shop")
    cursors = [keyset.make_cursor(left.due_at, left.case_id), ""] if left else [""]
    for cursor in cursors:
        rows = cases.case_list(here.shops, filters, cursor, limit=LOOKED_THROUGH).rows
        if found := _first_free(rows, here.operator_id, left):
            return back_to(_address(found))
    tell(request, _("没有别的等你办的案件了"))
    return back_to(reverse("cases"))


def _first_free(rows: Sequence[CaseRow], me: int, left: CaseRow | None) -> CaseRow | None:
    free = (row for row in rows if row.owner_id in (None, me) and not (left and row.case_id == left.case_id))
    return next(free, None)


def _address(row: CaseRow) -> str:
    return reverse("cases_case", args=[row.shop_id, row.code])


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Put the hints away, or have them back."""
    here = desk(request)
    on = request.POST.get("hints") == "on"
    shops.set_hints(operator_id=here.operator_id, on=on)
    if on:
        tell(request, _("提示打开了，从“今日”开始"))
    else:
        tell(
            request,
            _("提示收起来了；要看的时候在右上角“我的菜单”里打开"),
            undo=reverse("hints"),
            undo_with={"hints": "on"},
        )
    return back_to(next_page(request))
