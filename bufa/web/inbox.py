"""The inbox: messages from outside that could not be understood, with the reason, to be tried again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.inbox import actions, queries
from bufa.domain.permissions import Permission
from bufa.web.desk import back_to, by, desk, tell


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    return render(
        request,
        "web/inbox/list.html",
        {"counts": queries.counts(here.shops), "rows": queries.parked(here.shops, limit=100)},
    )


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Try the chosen messages again; all of them when none is chosen."""
    here = desk(request)
    chosen = {int(each) for each in request.POST.getlist("message") if each.isdigit()}
    count = 0
    allowed = [shop_id for shop_id in here.shops if here.may(Permission.IMPORT_DATA, shop_id)]
    if not allowed:
        here.check(Permission.IMPORT_DATA, here.one.shop_id)
    for shop_id in allowed:
        ids = [
            row.message_id for row in queries.parked([shop_id], limit=1000) if not chosen or row.message_id in chosen
        ]
        if ids:
            count += actions.retry(shop_id=shop_id, message_ids=ids, by=by(request))
    tell(request, _("%(n)d 条消息重新处理中") % {"n": count})
    return back_to(reverse("inbox"))
