"""What every act on a case shares: who does what to which case, how a mistyped form comes back, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse

from bufa.apps.cases import actions as cases_actions
from bufa.apps.cases import queries as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.shapes import CaseRow
from bufa.domain.case_facts import Action
from bufa.domain.outcome import Refused
from bufa.web import case_page
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.words import say


@dataclass(frozen=True, slots=True)
class Doing:
    """One act on its way: who does what to which case. `version` is what the person saw."""

    request: HttpRequest
    here: Desk
    row: CaseRow
    by: Actor
    version: int | None

    @property
    def shop_id(self) -> int:
        return self.row.shop_id

    @property
    def case_id(self) -> int:
        return self.row.case_id

    def do(self, action: Action, **params: Any) -> None:
        cases_actions.act(
            shop_id=self.shop_id, case_id=self.case_id, action=action, by=self.by, version=self.version, **params
        )

    def refuse_if_overtaken(self) -> None:
        """Before a form is judged by what the case is now. Raises Refused `changed_meanwhile`."""
        if self.version is not None and (
            why := cases_actions.overtaken(shop_id=self.shop_id, case_id=self.case_id, version=self.version)
        ):
            raise Refused(why.code, **why.params)

    def number(self, name: str) -> int:
        """An id that the form sends along; 404 for anything else."""
        given = self.request.POST.get(name, "")
        if not given.isdigit():
            raise Http404
        return int(given)


class Mistyped(Exception):
    """A form with errors: the page is shown again with everything that was typed, and what was found beside it."""

    def __init__(self, name: str, form: Form, **found: Any) -> None:
        super().__init__(name)
        self.name = name
        self.form = form
        self.found = found


_typed: ContextVar[tuple[str, Form] | None] = ContextVar("typed", default=None)
"""The form that was well filled in: when the act itself is refused, it comes back as it was typed."""


def checked(name: str, form: Any) -> dict[str, Any]:
    if not form.is_valid():
        raise Mistyped(name, form)
    _typed.set((name, form))
    cleaned: dict[str, Any] = form.cleaned_data
    return cleaned


def start(request: HttpRequest, shop_id: int, code: str) -> Doing:
    here = desk(request)
    here.role(shop_id)
    row = cases.case_by_code([shop_id], code)
    if row is None:
        raise Http404
    seen = request.POST.get("version", "")
    return Doing(request, here, row, actor(here, shop_id), int(seen) if seen.isdigit() else None)


@dataclass(frozen=True, slots=True)
class Undoable:
    """What was done, and the act (with its fields) that takes it back."""

    said: str
    act: str
    fields: dict[str, str]


def finish(doing: Doing, work: Callable[[], str | Undoable]) -> HttpResponse:
    """Do it; say what was done, or why not, and go back to the case. What was typed for an act that is refused stands
    there again."""
    request, row = doing.request, doing.row
    _typed.set(None)
    try:
        said = work()
    except Mistyped as mistyped:
        _tell_who_was_faster(doing)
        return case_page.show(request, row.shop_id, row.code, {mistyped.name: mistyped.form}, **mistyped.found)
    except Refused as refused:
        _tell_who_was_faster(doing, refused)
        tell_refusal(request, refused)
        if typed := _typed.get():
            return case_page.show(request, row.shop_id, row.code, kept=dict([typed]), status=409)
    else:
        if isinstance(said, Undoable):
            tell(request, said.said, undo=f"{_page_of(doing)}{said.act}/", undo_with=said.fields)
        elif said:
            tell(request, said)
    return back_to(_page_of(doing))


def _page_of(doing: Doing) -> str:
    return doing.request.path.split(f"/{doing.row.code}/")[0] + f"/{doing.row.code}/"


def _tell_who_was_faster(doing: Doing, refused: Refused | None = None) -> None:
    """Two people, one button: the reason alone ("nothing waits here") would leave the second wondering; and a form is
    judged by what the case has become."""
    if doing.version is None or (refused and refused.why.code == "changed_meanwhile"):
        return
    if why := cases_actions.overtaken(shop_id=doing.shop_id, case_id=doing.case_id, version=doing.version):
        messages.warning(doing.request, say(why))
