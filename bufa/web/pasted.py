"""Hundreds of pasted numbers: each found and named, and all cases among them acted on at once."""

from __future__ import annotations

from collections import Counter

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bufa.apps.cases import sorting
from bufa.apps.reissues import queries as reissues
from bufa.domain import pasted_numbers
from bufa.web import runs
from bufa.web.desk import desk

KINDS = ("case", "parcel", "order", "unknown")


class HeapForm(forms.Form):
    numbers = forms.CharField(
        label=_("单号"),
        max_length=200_000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false", "autofocus": True}),
        help_text=_("运单号、订单号、补发单号或案件号，一次最多 2000 个；从表格或聊天里整段复制就行"),
    )


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    form = HeapForm(request.POST or None, auto_id="id_heap_%s")
    said: dict[str, object] = {"form": form}
    if form.is_bound and form.is_valid():
        heap = pasted_numbers.read(form.cleaned_data["numbers"])
        if not heap.numbers:
            form.add_error("numbers", _now("没有认出单号：单号是 4 到 40 个字母和数字"))
        else:
            known = reissues.by_codes(here.shops, [one.text for one in heap.numbers])
            found = sorting.sort_out(here.shops, heap.numbers, known)
            counts = Counter(one.kind for one in found)
            people = runs.people_of(here)
            said |= {
                "found": found,
                "left_over": heap.left_over,
                "counts": [(kind, counts[kind]) for kind in KINDS if counts[kind]],
                "twice": sum(one.pasted.times - 1 for one in found) + sum(bool(one.same_as) for one in found),
                "picked": [one.case for one in found if one.case is not None and one.case.is_open and not one.same_as],
                "closed": sum(one.case is not None and not one.case.is_open for one in found),
                "many": runs.fresh_form(here, people),
            }
    return render(request, "web/cases/numbers.html", said, status=422 if form.is_bound and form.errors else 200)
