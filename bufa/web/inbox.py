"""The inbox: messages from outside that could not be understood, with the reason: tried again, or said to be none."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from bufa.apps.inbox import actions, queries
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.web.desk import back_to, by, desk, tell, tell_refusal

SHOWN = 100


def page(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, *, chosen: Iterable[int] = (), reason: str = "", status: int = 200) -> HttpResponse:
    here = desk(request)
    is_gone = request.GET.get("view") == "discarded"
    rows = (queries.discarded if is_gone else queries.parked)(here.shops, limit=SHOWN)
    said = {
        "counts": queries.counts(here.shops),
        "rows": rows,
        "is_gone": is_gone,
        "chosen": set(chosen),
        "reason": reason,
    }
    return render(request, "web/inbox/list.html", said, status=status)


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Try the chosen messages again; all of them when none is chosen."""
    chosen = _chosen(request.POST.getlist("message"))

    def work(shop_id: int) -> int:
        rows = queries.parked([shop_id], limit=1000)
        ids = [row.message_id for row in rows if not chosen or row.message_id in chosen]
        return actions.retry(shop_id=shop_id, message_ids=ids, by=by(request)) if ids else 0

    try:
        tell(request, _("%(n)d 条消息重新处理中") % {"n": _each_shop(request, work)})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("inbox"))


@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Say of the chosen messages that they mean nothing, with a reason; the message that says so takes it back."""
    chosen = _chosen(request.POST.getlist("message"))
    reason = request.POST.get("reason", "")
    try:
        if not chosen:
            raise Refused("nothing_chosen")
        count = _each_shop(
            request,
            lambda shop_id: actions.discard(
                shop_id=shop_id, message_ids=sorted(chosen), reason=reason, by=by(request), now=clock.now()
            ),
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return _show(request, chosen=chosen, reason=reason, status=422)
    undo = reverse("inbox_back", args=["-".join(map(str, sorted(chosen)))])
    tell(request, ngettext("%(n)d 条消息已丢弃", "%(n)d 条消息已丢弃", count) % {"n": count}, undo=undo)
    return back_to(reverse("inbox"))


@require_POST
def back(request: HttpRequest, ids: str) -> HttpResponse:
    """Discarded messages are parked again."""
    chosen = _chosen(ids.split("-"))
    try:
        count = _each_shop(
            request,
            lambda shop_id: actions.put_back(shop_id=shop_id, message_ids=sorted(chosen), by=by(request)),
        )
        tell(request, ngettext("%(n)d 条消息放回了搁置", "%(n)d 条消息放回了搁置", count) % {"n": count})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("inbox"))


def _chosen(given: Iterable[str]) -> set[int]:
    return {int(each) for each in given if each.isdigit()}


def _each_shop(request: HttpRequest, work: Callable[[int], int]) -> int:
    """Do it in every shop in which this person may; Refused where there is none."""
    here = desk(request)
    allowed = [shop_id for shop_id in here.shops if here.may(Permission.IMPORT_DATA, shop_id)]
    if not allowed:
        here.check(Permission.IMPORT_DATA, here.one.shop_id)
    return sum(work(shop_id) for shop_id in allowed)
