"""The list of cases: views as tabs, filters and columns in the address, a page at a time, many picked at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bufa.apps.cases import queries as cases
from bufa.apps.cases import saved
from bufa.apps.cases.saved import ViewInfo
from bufa.apps.cases.shapes import CaseFilters
from bufa.apps.claims import queries as claims
from bufa.apps.reissues import queries as reissues
from bufa.domain.kinds import Measure, Step
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web import runs
from bufa.web.desk import back_to, desk
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, label

COLUMNS: dict[str, str | Promise] = {
    "parcel": _("包裹"),
    "step": _("到哪一步"),
    "next": _("下一步"),
    "due": _("时限"),
    "risk": _("将赔"),
    "owner": _("谁在办"),
    "order": _("订单"),
    "opened": _("立案"),
    "scan": _("最近轨迹"),
    "shop": _("店铺"),
}
"""Columns beside the problem itself, by the name under which the address and saved views keep them."""

USUAL = ("parcel", "step", "next", "due", "risk", "owner")
KEPT = ("step", "overdue", "text", "state", "waiting", "measure", "carrier", "owner", "problem")
"""Parts of the address that a saved view keeps."""


TAIL = re.compile(r"[0-9]{4}")
MOST_OF_TAIL = 200
"""Cases shown for the end of a phone; they stand on one page, because no address can name the next."""


class Filters(Choices):
    text = forms.CharField(label=_("单号、手机尾号"), required=False, max_length=80)
    state = forms.ChoiceField(label=_("状态"), required=False)
    waiting = forms.ChoiceField(label=_("等谁"), required=False)
    measure = forms.ChoiceField(label=_("措施"), required=False)
    carrier = forms.ChoiceField(label=_("承运商"), required=False)
    owner = forms.ChoiceField(label=_("谁在办"), required=False)

    def __init__(self, *args: Any, owners: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = ("shop", "carrier", "platform", "customer")
        self.choose("state", [("", _now("在办")), ("closed", _now("已结案")), ("all", _now("全部"))])
        self.choose("waiting", [(each, label("waiting", each)) for each in waiting], blank=_now("不限"))
        self.choose("measure", [(each.value, label("measure", each.value)) for each in Measure], blank=_now("不限"))
        self.choose("carrier", carrier_choices(), blank=_now("不限"))
        self.choose("owner", [("me", _now("我")), ("none", _now("没有人")), *owners], blank=_now("不限"))


@dataclass(frozen=True, slots=True)
class Tab:
    """A saved view as a tab; `address` opens it."""

    view: ViewInfo
    address: str
    is_open: bool


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The list as the address says. What is filtered comes by POST and goes into the address, but for four digits: they
    may be the end of a buyer's phone, which stands in no address and no log."""
    asked, tail = cast(QueryDict, request.GET), ""
    if request.method == "POST":
        asked = QueryDict(mutable=True)
        for key in (*KEPT, "cols"):
            if given := request.POST.get(key):
                asked[key] = given
        text = str(asked.get("text", "")).strip()
        tail = text if TAIL.fullmatch(text) else ""
        if not tail:
            return back_to(f"{reverse('cases')}{'?' if asked else ''}{asked.urlencode()}")
    here = desk(request)
    now = clock.now()
    together(
        partial(runs.people_of, here),
        partial(saved.views_of, here.shops, here.operator_id),
        partial(cases.step_counts, here.shops, now),
    )
    people = runs.people_of(here)
    form = Filters(asked or None, owners=[(str(key), name) for key, name in people.items() if key != here.operator_id])
    said = form.cleaned_data if form.is_bound and form.is_valid() else {}
    filters = _filters(asked, said, here.operator_id, here.shops)
    if tail:
        filters = replace(filters, ids=tuple(cases.tailed(here.shops, tail)), text="")
    cursor = asked.get("after", "")
    found = cases.case_list(here.shops, filters, cursor, limit=MOST_OF_TAIL if tail else 50, now=now)
    counts = cases.step_counts(here.shops, now)
    columns = chosen_columns(asked)
    tabs = tabs_of(asked, saved.views_of(here.shops, here.operator_id))
    return render(
        request,
        "web/cases/list.html",
        {
            "form": form,
            "filters": filters,
            "rows": found.rows,
            "claim_windows": claims.windows(here.shops, [row.case_id for row in found.rows]),
            "next_cursor": "" if tail else found.next_cursor,
            "tail": tail,
            "at_cursor": cursor,
            "counts": counts,
            "total": sum(each.count for each in counts),
            "overdue": sum(each.overdue for each in counts),
            "filtered": any(said.values()) or filters.overdue,
            "columns": columns,
            "column_choices": [(name, label, name in columns) for name, label in COLUMNS.items()],
            "kept_query": [(key, value) for key, value in parse_qsl(view_query(asked))],
            "tabs": tabs,
            "open_tab": next((tab.view for tab in tabs if tab.is_open), None),
            "may_share": here.seats and here.one.role in saved.SHARING,
            "many": runs.fresh_form(here, people),
        },
    )


def _filters(said: QueryDict, checked: dict[str, Any], me: int, shops: list[int]) -> CaseFilters:
    step, text = said.get("step", ""), checked.get("text", "")
    sent = reissues.find(shops, text, limit=200) if text[:1] in ("R", "r") else ()
    ids = tuple(row.case_id for row in cases.cases_by_code(shops, [each.case_code for each in sent])) if sent else None
    return CaseFilters(
        step=step if step in {each.value for each in Step} else "",
        state=checked.get("state", ""),
        owner_id=_owner(checked.get("owner", ""), me),
        measure=checked.get("measure", ""),
        carrier=checked.get("carrier", ""),
        waiting_for=checked.get("waiting", ""),
        text="" if ids else text,
        overdue=said.get("overdue") == "1",
        headline=said.get("problem", "")[:40],
        ids=ids,
    )


def _owner(said: str, me: int) -> int | None:
    return {"": None, "me": me, "none": 0}.get(said, int(said) if said.isdigit() else None)


def chosen_columns(said: QueryDict) -> list[str]:
    """The columns that the address names (`cols`, in its order), else the usual ones."""
    wanted = [name for name in ",".join(said.getlist("cols")).split(",") if name in COLUMNS]
    return list(dict.fromkeys(wanted)) or list(USUAL)


def view_query(said: QueryDict) -> str:
    """The part of an address that a saved view keeps, in one order, so that two can be compared."""
    return urlencode([(key, said[key]) for key in KEPT if said.get(key)])


def tabs_of(said: QueryDict, views: tuple[ViewInfo, ...]) -> list[Tab]:
    open_id = said.get("view", "")
    tabs = []
    for view in views:
        cols = [("cols", ",".join(view.columns))] if view.columns else []
        address = "?" + urlencode([*parse_qsl(view.query), *cols, ("view", str(view.view_id))])
        tabs.append(Tab(view, address, open_id == str(view.view_id)))
    return tabs
