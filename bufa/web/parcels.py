"""Parcels: those at risk first; one parcel with its scans, findings and clocks."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import clocks, pasting
from bufa.apps.cases import incident_views as incidents
from bufa.apps.cases import queries as cases
from bufa.apps.claims import deductions
from bufa.apps.orders.views import order_view
from bufa.apps.parcels import asking
from bufa.apps.parcels import queries as parcels
from bufa.apps.parcels.views import ParcelFilters
from bufa.domain.kinds import Stage
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web.case_forms import PasteForm
from bufa.web.case_measures import told_of
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.finding_forms import penalty_form, put_off_forms, tell_form
from bufa.web.forms import Choices
from bufa.web.timeline import track
from bufa.web.words import carrier_choices, label

RISK, ALL = "risk", "all"


class Filters(Choices):
    text = forms.CharField(label=_("单号"), required=False, max_length=80)
    stage = forms.ChoiceField(label=_("阶段"), required=False)
    carrier = forms.ChoiceField(label=_("承运商"), required=False)
    role = forms.ChoiceField(label=_("哪种包裹"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = ("original", "reissue")
        self.choose("stage", [(each.value, label("stage", each.value)) for each in Stage], blank=_now("不限"))
        self.choose("carrier", carrier_choices(), blank=_now("不限"))
        self.choose("role", [(each, label("parcel_role", each)) for each in roles], blank=_now("不限"))


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    form = Filters(request.GET or None)
    said = form.cleaned_data if form.is_bound and form.is_valid() else {}
    view = ALL if request.GET.get("view") == ALL else RISK
    filters = ParcelFilters(
        stage=said.get("stage", ""),
        carrier=said.get("carrier", ""),
        role=said.get("role", ""),
        text=said.get("text", ""),
        at_risk=view == RISK,
        dearest=view == RISK and request.GET.get("sort") == "money",
    )
    cursor = request.GET.get("after", "")
    found = parcels.parcel_list(here.shops, filters, cursor)
    ids = [row.parcel_id for row in found.rows]
    losses = parcels.losses(found.rows, clock.now())
    wrong: dict[int, list[object]] = {}
    for finding in cases.findings_of(here.shops, ids):
        if finding.state == "open":
            wrong.setdefault(finding.parcel_id, []).append(finding)
    return render(
        request,
        "web/parcels/list.html",
        {
            "form": form,
            "view": view,
            "rows": [(row, wrong.get(row.parcel_id, []), losses.get(row.parcel_id)) for row in found.rows],
            "by_money": filters.dearest,
            "next_cursor": found.next_cursor,
            "at_cursor": cursor,
            "filtered": any(said.values()),
        },
    )


@require_POST
def paste(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    """A trace copied from a carrier's page: shown as it was read, or kept."""
    here = desk(request)
    here.role(shop_id)
    found = parcels.parcel_view(shop_id, parcel_id)
    if found is None:
        raise Http404
    form = PasteForm(request.POST, auto_id="id_paste_%s")
    if not form.is_valid():
        return show(request, shop_id, parcel_id, paste=form, status=422)
    text = form.cleaned_data["trace"]
    if request.POST.get("do") != "save":
        return show(request, shop_id, parcel_id, paste=form, pasted=pasting.look(text, found.carrier, clock.now()))
    try:
        read = pasting.paste_trace(shop_id=shop_id, parcel_id=parcel_id, text=text, by=actor(here, shop_id))
    except Refused as refused:
        tell_refusal(request, refused)
        return show(request, shop_id, parcel_id, paste=form, status=422)
    tell(request, told_of(read))
    return back_to(reverse("parcels_parcel", args=[shop_id, parcel_id]))


@require_GET
def running(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    """The clocks that run, with what moved them: asked for by a page that is there already."""
    desk(request).role(shop_id)
    found = clocks.running(shop_id, parcel_id, clock.now())
    return render(request, "web/parts/clocks.html", {"clocks": found[:5]})


def parcel(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    return show(request, shop_id, parcel_id)


def show(
    request: HttpRequest,
    shop_id: int,
    parcel_id: int,
    typed: dict[str, Any] | None = None,
    *,
    paste: PasteForm | None = None,
    pasted: pasting.Read | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `typed`: forms as they were typed, with their errors, by the names of the page."""
    typed = typed or {}
    here = desk(request)
    here.role(shop_id)
    found = parcels.parcel_view(shop_id, parcel_id)
    if found is None:
        raise Http404
    now = clock.now()
    together(
        partial(parcels.outlook, found, now),
        partial(cases.findings_of, [shop_id], [parcel_id]),
        partial(cases.cases_of_parcels, [shop_id], [parcel_id]),
        partial(parcels.told_of, shop_id, parcel_id),
        partial(order_view, shop_id, found.order_id),
        partial(incidents.of_parcels, shop_id, [parcel_id]),
        partial(deductions.of_parcels, shop_id, [parcel_id], now),
        partial(parcels.follow_info, shop_id, parcel_id),
        partial(cases.waiting_orders, shop_id),
        partial(asking.turn_of, shop_id, parcel_id, now, frozenset()),
    )
    findings = cases.findings_of([shop_id], [parcel_id])
    return render(
        request,
        "web/parcels/parcel.html",
        {
            "parcel": found,
            "track": track(found, now),
            "expected": parcels.outlook(found, now),
            "findings": findings,
            "incidents": incidents.of_parcels(shop_id, [parcel_id]),
            "case": cases.cases_of_parcels([shop_id], [parcel_id]).get(parcel_id),
            "paste": paste or PasteForm(auto_id="id_paste_%s"),
            "pasted": pasted,
            "told": parcels.told_of(shop_id, parcel_id),
            "tell": typed.get("tell") or tell_form(),
            "put_off": put_off_forms(findings, typed.get("put_off_typed")),
            "penalty": typed.get("penalty") or penalty_form(),
            "penalties": deductions.of_parcels(shop_id, [parcel_id], now),
            "penalty_parcel": parcel_id,
            "page_url": reverse("parcels_parcel", args=[shop_id, parcel_id]),
            "order": order_view(shop_id, found.order_id),
            "follow": parcels.follow_info(shop_id, parcel_id),
            "turn": asking.turn_of(shop_id, parcel_id, now, cases.waiting_orders(shop_id)),
        },
        status=422 if typed else status,
    )
