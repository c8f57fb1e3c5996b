"""The list of cases: filters in the address, a page at a time."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import CaseFilters
from bufa.apps.claims import queries as claims
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Measure, Step
from bufa.lib import clock
from bufa.web.desk import desk
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, word


class Filters(Choices):
    text = forms.CharField(label=_("单号"), required=False, max_length=80)
    state = forms.ChoiceField(label=_("状态"), required=False)
    waiting = forms.ChoiceField(label=_("等谁"), required=False)
    measure = forms.ChoiceField(label=_("措施"), required=False)
    carrier = forms.ChoiceField(label=_("承运商"), required=False)
    owner = forms.ChoiceField(label=_("谁在办"), required=False)

    def __init__(self, *args: Any, owners: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = ("shop", "carrier", "platform", "customer")
        self.choose("state", [("", _now("在办")), ("closed", _now("已结案")), ("all", _now("全部"))])
        self.choose("waiting", [(each, word("waiting", each)) for each in waiting], blank=_now("不限"))
        self.choose("measure", [(each.value, word("measure", each.value)) for each in Measure], blank=_now("不限"))
        self.choose("carrier", carrier_choices(), blank=_now("不限"))
        self.choose("owner", [("me", _now("我")), ("none", _now("没有人")), *owners], blank=_now("不限"))


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    now = clock.now()
    people = {
        member.operator_id: member.display_name or member.login
        for member in shops.members(here.shops)
        if member.is_active
    }
    form = Filters(
        request.GET or None, owners=[(str(key), name) for key, name in people.items() if key != here.operator_id]
    )
    said = form.cleaned_data if form.is_bound and form.is_valid() else {}
    step = request.GET.get("step", "")
    filters = CaseFilters(
        step=step if step in {each.value for each in Step} else "",
        state=said.get("state", ""),
        owner_id=_owner(said.get("owner", ""), here.operator_id),
        measure=said.get("measure", ""),
        carrier=said.get("carrier", ""),
        waiting_for=said.get("waiting", ""),
        text=said.get("text", ""),
        overdue=request.GET.get("overdue") == "1",
    )
    cursor = request.GET.get("after", "")
    found = cases.case_list(here.shops, filters, cursor, now=now)
    counts = cases.step_counts(here.shops, now)
    return render(
        request,
        "web/cases/list.html",
        {
            "form": form,
            "filters": filters,
            "rows": found.rows,
            "claim_windows": claims.windows(here.shops, [row.case_id for row in found.rows]),
            "next_cursor": found.next_cursor,
            "at_cursor": cursor,
            "counts": counts,
            "total": sum(each.count for each in counts),
            "overdue": sum(each.overdue for each in counts),
            "filtered": any(said.values()) or filters.overdue,
        },
    )


def _owner(said: str, me: int) -> int | None:
    return {"": None, "me": me, "none": 0}.get(said, int(said) if said.isdigit() else None)
