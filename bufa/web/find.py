"""The search box. By POST: four digits of a phone do not belong into addresses and logs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from bufa.apps.cases import queries as cases
from bufa.apps.reissues import queries as reissues
from bufa.web.desk import back_to, desk


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    text = request.POST.get("q", "").strip()[:80]
    hits = [*cases.find(here.all_shops, text), *reissues.find(here.all_shops, text)] if len(text) >= 3 else []
    links = [(hit, address(hit)) for hit in hits]
    if len({link for _, link in links}) == 1:
        return back_to(links[0][1])
    return render(request, "web/find/page.html", {"find_text": text, "hits": links})


def address(hit: object) -> str:
    """Where a hit leads: its case where there is one, else its parcel."""
    case_code = getattr(hit, "case_code", "")
    shop_id = getattr(hit, "shop_id", 0)
    if case_code:
        return reverse("cases_case", args=[shop_id, case_code])
    return reverse("parcels_parcel", args=[shop_id, int(getattr(hit, "ref", "0"))])
