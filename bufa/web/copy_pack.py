"""The copy pack of a shop without API: marks of what was copied, and the platform's page pasted back."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.reissues import copy_pack
from bufa.apps.reissues import queries as reissues
from bufa.domain.copy_pack import Page, Proof
from bufa.domain.outcome import Refused, Why
from bufa.web.case_actions import Doing, finish, start

LONGEST = 200_000


@require_POST
def copied(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Remember a copied field; with htmx the pack comes back with its marks."""
    doing = start(request, shop_id, code)
    reissue_id = _mine(doing)
    if not getattr(request, "htmx", False):
        return finish(doing, lambda: _mark(doing, reissue_id))
    try:
        _mark(doing, reissue_id)
    except Refused:
        return HttpResponse(status=403)
    fields = copy_pack.pack(shop_id, reissue_id, doing.here.operator_id)
    said = {"pack": fields, "reissue_id": reissue_id, "action_base": request.path.removesuffix("copied/")}
    return render(request, "web/cases/copy_fields.html", said)


def _mark(doing: Doing, reissue_id: int) -> str:
    copy_pack.mark(shop_id=doing.shop_id, reissue_id=reissue_id, name=doing.request.POST.get("name", ""), by=doing.by)
    return ""


@require_POST
def read(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Settle the reissue by the pasted page, or say what differs."""
    doing = start(request, shop_id, code)
    reissue_id = _mine(doing)

    def work() -> str:
        text = request.POST.get("page", "")[:LONGEST]
        page = copy_pack.read_back(shop_id=doing.shop_id, reissue_id=reissue_id, text=text, by=doing.by)
        if page.proof is not Proof.THERE:
            raise _differs(page)
        return _("页面里有这个订单和单号，已认定为受理")

    return finish(doing, work)


def _differs(page: Page) -> Refused:
    refused = Refused(f"page_{page.proof.value}")
    refused.why = Why(f"page_{page.proof.value}", {"others": "、".join(page.orders), "found": "、".join(page.numbers)})
    return refused


def _mine(doing: Doing) -> int:
    wanted = doing.request.POST.get("reissue", "")
    for row in reissues.of_case(doing.shop_id, doing.case_id):
        if str(row.reissue_id) == wanted:
            return row.reissue_id
    raise Http404
