"""The carrier's page: an address without a log-in, its parcels, an answer for each. What comes in is untrusted."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.negotiations import links
from bufa.domain.carrier_says import Said
from bufa.domain.case_facts import Claim
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.web.desk import back_to
from bufa.web.forms import Choices
from bufa.web.words import say

LARGEST_PHOTO = 15 * 1024 * 1024
RESULTS: tuple[tuple[str, Any], ...] = (
    (Claim.MOVING.value, _("找到了，正在走")),
    (Claim.LOST.value, _("丢了")),
    (Claim.DAMAGED.value, _("破损")),
    (Claim.SHORT.value, _("内件短少")),
    (Claim.DELIVERED.value, _("已送达")),
    (Claim.RETURNED.value, _("已退回")),
)


class AnswerForm(Choices):
    result = forms.ChoiceField(label=_("核实结果"), required=False)
    consent = forms.ChoiceField(label=_("同意我店补发吗"), required=False)
    promise_on = forms.DateField(
        label=_("哪天送达"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    amount = forms.DecimalField(
        label=_("赔付多少元"), required=False, min_value=0, max_value=1_000_000, decimal_places=2
    )
    freight = forms.ChoiceField(label=_("补发运费谁付"), required=False)
    words = forms.CharField(
        label=_("条件，或不同意的原因"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    photo = forms.FileField(label=_("照片"), required=False, widget=forms.FileInput(attrs={"accept": "image/*"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("result", [(code, str(words)) for code, words in RESULTS], blank=_now("还没有结果"))
        self.choose("consent", [("yes", _now("同意")), ("no", _now("不同意"))], blank=_now("先不答"))
        self.choose("freight", [("carrier", _now("我司")), ("shop", _now("店铺"))], blank=_now("未说"))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("consent") == "no" and not said.get("words", "").strip():
            self.add_error("words", _now("不同意要写原因"))
        photo = said.get("photo")
        if photo is not None and (photo.size or 0) > LARGEST_PHOTO:
            self.add_error("photo", _now("照片超过 15 MB"))
        return said

    def clean_promise_on(self) -> date | None:
        on: date | None = self.cleaned_data["promise_on"]
        today = localtime(clock.now()).date()
        if on is not None and not today <= on <= today + timedelta(days=90):
            raise forms.ValidationError(_now("日期要在今天到 90 天内"))
        return on

    def said(self) -> Said:
        given = self.cleaned_data
        amount: Decimal | None = given.get("amount")
        return Said(
            consent={"yes": True, "no": False}.get(given["consent"]),
            claim=Claim(given["result"]) if given["result"] else None,
            promise_on=given["promise_on"],
            amount_fen=int(amount * 100) if amount else None,
            freight_by=given["freight"],
        )


@login_not_required
@require_GET
def page(request: HttpRequest, token: str) -> HttpResponse:
    return _show(request, token)


def _show(request: HttpRequest, token: str, failed: tuple[int, AnswerForm] | None = None) -> HttpResponse:
    now = clock.now()
    found = links.open_link(token, now)
    if found is None:
        return _private(render(request, "web/carrier_page/gone.html", status=404))
    rows = [
        {
            "asked": one,
            "form": failed[1] if failed and failed[0] == one.case_id else AnswerForm(auto_id=f"id_{one.case_id}_%s"),
            "is_open": bool(failed and failed[0] == one.case_id),
        }
        for one in found.rows
    ]
    said = {"link": found, "rows": rows, "token": token, "answered": sum(one.said is not None for one in found.rows)}
    return _private(render(request, "web/carrier_page/page.html", said, status=422 if failed else 200))


@login_not_required
@require_POST
def answer(request: HttpRequest, token: str, case_id: int) -> HttpResponse:
    """One parcel's answer; a broken form comes back with everything that was typed."""
    form = AnswerForm(request.POST, request.FILES, auto_id=f"id_{case_id}_%s")
    if not form.is_valid():
        return _show(request, token, (case_id, form))
    photo = form.cleaned_data["photo"]
    try:
        links.answer(
            token=token,
            case_id=case_id,
            said=form.said(),
            words=form.cleaned_data["words"],
            photo=photo.read() if photo is not None else None,
            now=clock.now(),
        )
    except Refused as refused:
        if refused.why.code in ("link_gone", "link_other_case"):
            return _private(render(request, "web/carrier_page/gone.html", status=404))
        form.add_error(None, say(refused.why))
        return _show(request, token, (case_id, form))
    messages.success(request, _now("已收到，谢谢。需要更正就再答一次"))
    return _private(back_to(f"{reverse('carrier_page', args=[token])}#p{case_id}"))


def _private(answer: HttpResponse) -> HttpResponse:
    """The address is a secret: nobody keeps it on the way; the referrer policy tells it to no other site."""
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
