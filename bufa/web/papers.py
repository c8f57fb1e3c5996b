"""Papers for carriers: written from a case, ticked off on its checklist, their layouts changed in the settings."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.negotiations import papers, rules
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_rules import Paper
from bufa.domain.outcome import Refused
from bufa.domain.paper_layouts import FIELDS, MOST_TEXT, Layout, Written, default_for, lines_of, read_layout
from bufa.lib import clock
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, label, say


def pdf(body: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(body, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_GET
def paper(request: HttpRequest, shop_id: int, code: str, paper: str) -> HttpResponse:
    """A paper of one case as PDF; `?note=` goes into its text."""
    here = desk(request)
    here.role(shop_id)
    row = cases.case_by_code([shop_id], code)
    if row is None or paper not in set(Written):
        raise Http404
    try:
        body = papers.paper_pdf(
            shop_id=shop_id,
            case_ids=[row.case_id],
            paper=Written(paper),
            book=rules.of_shop(shop_id),
            by=actor(here, shop_id),
            note=request.GET.get("note", "")[:600],
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("cases_case", args=[shop_id, code]))
    return pdf(body, f"{row.code}-{paper}.pdf")


@require_POST
def tick(request: HttpRequest, shop_id: int, code: str, paper: str) -> HttpResponse:
    here = desk(request)
    by = actor(here, shop_id)
    row = cases.case_by_code([shop_id], code)
    if row is None or paper not in set(Paper):
        raise Http404
    try:
        papers.tick(
            shop_id=shop_id, case_id=row.case_id, paper=Paper(paper), done=request.POST.get("done") == "1", by=by
        )
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("cases_case", args=[shop_id, code]) + "#papers")


class LayoutForm(forms.Form):
    """A layout as words; a name in braces is filled in."""

    title = forms.CharField(label=_("标题"), max_length=60)
    intro = forms.CharField(
        label=_("开头"), max_length=MOST_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    rows = forms.CharField(
        label=_("内容，一行一项"),
        max_length=8_000,
        widget=forms.Textarea(attrs={"rows": 13, "class": "mono"}),
        help_text=_("写成“名称: 内容”。花括号里的会自动填；冒号后面留空，打印出来手写"),
    )
    ask = forms.CharField(
        label=_("请对方做什么"), max_length=MOST_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    closing = forms.CharField(label=_("落款前的话"), max_length=MOST_TEXT, required=False)
    signs = forms.CharField(
        label=_("签字盖章栏，一行一个"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    items = forms.BooleanField(label=_("打印商品清单"), required=False)
    photos = forms.BooleanField(label=_("打印案件的照片"), required=False)

    def row(self) -> dict[str, Any]:
        said = dict(self.cleaned_data)
        return said | {"rows": said["rows"].splitlines(), "signs": said["signs"].splitlines()}


class WhichForm(Choices):
    paper = forms.ChoiceField(label=_("哪种材料"))
    carrier = forms.ChoiceField(label=_("承运商"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("paper", [(each.value, label("paper", each.value)) for each in Written])
        self.choose("carrier", carrier_choices(), blank=_now("通用"))


def settings(request: HttpRequest) -> HttpResponse:
    """One layout at a time: looked at, changed, tried as PDF, set back."""
    here = desk(request)
    shop_id = here.one.shop_id
    which = Written(request.GET["paper"]) if request.GET.get("paper") in set(Written) else Written.APPLICATION
    known = dict(carrier_choices())
    carrier = request.GET.get("carrier", "")
    carrier = carrier if carrier in known else ""
    there = papers.layout_for(shop_id, which, carrier)
    form = LayoutForm(request.POST or None, initial=_initial(there))
    about: dict[str, Any] = {"shop_id": shop_id, "paper": which, "carrier": carrier}
    here_url = f"{reverse('settings_papers')}?paper={which.value}&carrier={carrier}"
    if request.method == "POST":
        by = actor(here, shop_id)
        try:
            if "restore" in request.POST:
                papers.restore_layout(**about, by=by)
                tell(request, _now("已恢复默认"))
                return back_to(here_url)
            if form.is_valid() and "try" in request.POST:
                layout = read_layout({**form.row(), "paper": which.value})
                return pdf(papers.sample_pdf(layout, shops.shop(shop_id).name), "sample.pdf")
            if form.is_valid():
                papers.set_layout(**about, row=form.row(), by=by)
                tell(request, _now("版式已保存，下次打印就用它"))
                return back_to(here_url)
        except Refused as refused:
            tell_refusal(request, refused)
    said = {
        "form": form,
        "which": WhichForm(initial={"paper": which.value, "carrier": carrier}),
        "changed": papers.own_layouts(shop_id).get((which.value, carrier)),
        "is_carriers": bool(default_for(which, carrier).carriers),
        "fields": FIELDS,
        "paper": which.value,
        "carrier": carrier,
    }
    return render(request, "web/papers/settings.html", said, status=422 if form.errors else 200)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The layout as it is typed now, as a picture; what is wrong with it in its place."""
    here = desk(request)
    which = request.GET.get("paper", "")
    if which not in set(Written):
        raise Http404
    form, wrong, picture = LayoutForm(request.POST), "", ""
    if form.is_valid():
        try:
            layout = read_layout({**form.row(), "paper": which})
            picture = base64.b64encode(papers.sample_png(layout, here.one.name)).decode()
        except Refused as refused:
            wrong = say(refused.why)
    else:
        wrong = " ".join(f"{form.fields[name].label}：{errors[0]}" for name, errors in form.errors.items())
    return render(request, "web/papers/preview.html", {"picture": picture, "wrong": wrong})


def _initial(layout: Layout) -> dict[str, Any]:
    return {
        "title": layout.title,
        "intro": layout.intro,
        "rows": "\n".join(lines_of(layout)),
        "ask": layout.ask,
        "closing": layout.closing,
        "signs": "\n".join(layout.signs),
        "items": layout.items,
        "photos": layout.photos,
    }


@require_GET
def sample(request: HttpRequest) -> HttpResponse:
    """The layout that holds now, as PDF with names instead of values."""
    here = desk(request)
    shop_id = here.one.shop_id
    if request.GET.get("paper") not in set(Written):
        raise Http404
    layout = papers.layout_for(shop_id, Written(request.GET["paper"]), request.GET.get("carrier", ""))
    return pdf(papers.sample_pdf(layout, shops.shop(shop_id).name), "sample.pdf")


def of_case(shop_id: int, case_id: int, carrier: str, claim: str) -> dict[str, Any]:
    """The checklist for the case's page."""
    wanted = papers.checklist(shop_id, case_id, carrier, claim, rules.of_shop(shop_id), clock.now())
    return {"papers": wanted, "papers_there": sum(one.is_there for one in wanted)}
