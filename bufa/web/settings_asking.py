"""How the tracking provider is used: what was asked this hour, who comes next and why; and asking about one parcel."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.parcels import asking
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.web.desk import back_to, by, desk, tell, tell_refusal


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    now = clock.now()
    said = {"plan": asking.plan(shop_id, now, cases.waiting_orders(shop_id)), "made": asking.made(shop_id)}
    return render(request, "web/settings/asking.html", said)


@require_POST
def ask_now(request: HttpRequest, shop_id: int, parcel_id: int) -> HttpResponse:
    """Ask about one parcel now, out of the hour's calls."""
    here = desk(request)
    try:
        here.check(Permission.WORK_CASE, shop_id)
        asking.refresh_tracking(shop_id=shop_id, parcel_id=parcel_id, by=by(request), now=clock.now())
        tell(request, _now("已经去问了，有新轨迹会出现在这里"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("parcels_parcel", args=[shop_id, parcel_id]))
