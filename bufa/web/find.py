"""The search box. By POST: four digits of a phone do not belong into addresses and logs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import Hit
from bufa.apps.reissues import queries as reissues
from bufa.apps.reissues.queries import Found
from bufa.web.desk import back_to, desk
from bufa.web.words import carrier, word


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    text = request.POST.get("q", "").strip()[:80]
    hits: list[Hit | Found] = (
        [*cases.find(here.all_shops, text), *reissues.find(here.all_shops, text)] if len(text) >= 3 else []
    )
    links = [(hit, address(hit)) for hit in hits]
    if request.headers.get("Accept", "") == "application/json":
        return JsonResponse({"hits": list({link: _said(hit, link) for hit, link in links}.values())})
    if len({link for _hit, link in links}) == 1:
        return back_to(links[0][1])
    return render(request, "web/find/page.html", {"find_text": text, "hits": links})


def _said(hit: Hit | Found, link: str) -> dict[str, str]:
    """A hit for the palette; it holds numbers of orders and parcels, and nothing of the buyer."""
    label = _("案件 %(n)s") % {"n": hit.case_code} if hit.case_code else _("包裹")
    number = f"{carrier(hit.carrier)} {hit.number}" if hit.number else ""
    stage = getattr(hit, "stage", "")
    parts = (number, hit.order_number, word("stage", stage) if stage else "")
    return {"label": label, "sub": " · ".join(part for part in parts if part), "url": link}


def address(hit: object) -> str:
    """Where a hit leads: its case where there is one, else its parcel."""
    case_code = getattr(hit, "case_code", "")
    shop_id = getattr(hit, "shop_id", 0)
    if case_code:
        return reverse("cases_case", args=[shop_id, case_code])
    return reverse("parcels_parcel", args=[shop_id, int(getattr(hit, "ref", "0"))])
