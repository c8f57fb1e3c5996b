"""补寄 tickets: what the customer asked for, the platform's clock on it, agree or refuse."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.orders import queries as orders
from bufa.apps.reissues import tickets
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal


class RefuseForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("拒绝原因"),
        max_length=200,
        help_text=gettext_lazy("客户会看到这段话"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def page(request: HttpRequest, refuse: tuple[str, RefuseForm] | None = None) -> HttpResponse:
    here = desk(request)
    which = request.GET.get("view", "open")
    rows = orders.resend_tickets(here.shops, open_only=which != "all")
    known = cases.of_orders(here.shops, [row.order_id for row in rows])
    said = {
        "view": which,
        "cases": known,
        "rows": [
            (row, refuse[1] if refuse and refuse[0] == row.number else RefuseForm(auto_id=f"id_{row.number}_%s"))
            for row in rows
        ],
        "failed": refuse[0] if refuse else "",
    }
    return render(request, "web/aftersales/list.html", said, status=422 if refuse else 200)


@require_POST
def answer(request: HttpRequest, shop_id: int, number: str, answer: str) -> HttpResponse:
    """Agree to send again, or refuse with a reason; the platform is told by an effect."""
    here = desk(request)
    here.role(shop_id)
    if answer not in ("agree", "refuse"):
        raise Http404
    reason = ""
    if answer == "refuse":
        form = RefuseForm(request.POST, auto_id=f"id_{number}_%s")
        if not form.is_valid():
            return page(request, (number, form))
        reason = form.cleaned_data["reason"]
    try:
        here.check(Permission.OPERATE_AFTERSALE, shop_id)
        tickets.answer_ticket(
            shop_id=shop_id, number=number, agree=answer == "agree", reason=reason, by=actor(here, shop_id)
        )
        tell(request, _("正在告诉平台：同意补寄") if answer == "agree" else _("正在告诉平台：拒绝补寄"))
    except Refused as refused:
        tell_refusal(request, refused)
    after = request.POST.get("next", "")
    return back_to(after if after.startswith("/cases/") else reverse("aftersales"))
