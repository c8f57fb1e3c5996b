"""What this person is told: findings and warnings of the rules that the shop lets them hear of."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import told_whom
from bufa.apps.cases.told_whom import Chair
from bufa.lib import clock
from bufa.web.desk import Desk, back_to, desk, tell

PAGE = 50


def chairs(here: Desk) -> list[Chair]:
    """The shops that the page is about, with this person's role in each."""
    return [Chair(seat.shop_id, seat.role, seat.policy) for seat in here.seats if seat.shop_id in here.shops]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """All of it, the news first."""
    here = desk(request)
    skip = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    found = told_whom.told(here.operator_id, chairs(here), clock.now(), PAGE + 1, skip)
    said = {
        "rows": found.rows[:PAGE],
        "news": found.news,
        "skip": skip,
        "after": skip + PAGE if len(found.rows) > PAGE else None,
    }
    return render(request, "web/told/page.html", said)


@require_GET
def badge(request: HttpRequest) -> HttpResponse:
    """The number beside the place in the rail, asked for when a page has loaded."""
    here = desk(request)
    count = told_whom.news(here.operator_id, chairs(here), clock.now()) if here.seats else 0
    return render(request, "web/told/badge.html", {"count": count})


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    told_whom.seen(operator_id=here.operator_id, shop_ids=here.shops, now=clock.now())
    tell(request, _("都看过了；再有新的会重新数起"))
    return back_to(reverse("today") if request.POST.get("at") == "today" else reverse("told"))
