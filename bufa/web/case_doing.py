"""What every act on a case shares: who does what to which case, how a mistyped form comes back, how it ends."""

from __future__ import annotations

from collections.abc import Callable
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


def checked(name: str, form: Any) -> dict[str, Any]:
    if not form.is_valid():
        raise Mistyped(name, form)
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


def finish(doing: Doing, work: Callable[[], str]) -> HttpResponse:
    """Do it; say what was done, or why not, and go back to the case."""
    request, row = doing.request, doing.row
    try:
        said = work()
    except Mistyped as mistyped:
        return case_page.show(request, row.shop_id, row.code, {mistyped.name: mistyped.form}, **mistyped.found)
    except Refused as refused:
        _tell_who_was_faster(doing, refused)
        tell_refusal(request, refused)
    else:
        if said:
            tell(request, said)
    return back_to(doing.request.path.split(f"/{row.code}/")[0] + f"/{row.code}/")


def _tell_who_was_faster(doing: Doing, refused: Refused) -> None:
    """Two people, one button: the reason alone ("nothing waits here") would leave the second wondering."""
    if doing.version is None or refused.why.code == "changed_meanwhile":
        return
    if why := cases_actions.overtaken(shop_id=doing.shop_id, case_id=doing.case_id, version=doing.version):
        messages.warning(doing.request, say(why))
