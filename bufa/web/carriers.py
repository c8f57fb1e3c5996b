"""Talking with carriers about many parcels: whom we wait for, one sheet or text out, answers in and accepted."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.negotiations import answers, asking, links, mails, papers, rules, scores
from bufa.apps.negotiations import queries as talks
from bufa.apps.negotiations import talks as talks_read
from bufa.apps.shops import queries as shops
from bufa.domain import group_texts
from bufa.domain.carrier_answers import MOST_CHARS, Answer
from bufa.domain.outcome import Refused
from bufa.domain.paper_layouts import Written
from bufa.domain.permissions import Permission
from bufa.jobs.carrier_sheet import AskedRow, read_sheet, write_sheet
from bufa.jobs.import_report import say as say_problem
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.papers import pdf
from bufa.web.words import carrier as carrier_name
from bufa.web.words import moment, say, word, yuan

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST = 10 * 1024 * 1024
ANSWER_WITHIN = timedelta(hours=24)


class PasteForm(forms.Form):
    text = forms.CharField(
        label=_("群里的回复"),
        max_length=MOST_CHARS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("整段粘贴就行：按运单号拆开，每一件的说法列在下面，一键采纳"),
    )


class LinkForm(Choices):
    contact = forms.ChoiceField(label=_("给谁"), required=False)
    name = forms.CharField(label=_("或写一个称呼"), max_length=60, required=False)
    days = forms.IntegerField(label=_("几天内有效"), min_value=1, max_value=links.MOST_DAYS, initial=7)

    def __init__(self, carrier: str, shop_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = talks.contacts([shop_id], carrier)
        named = [(str(row.contact_id), f"{row.name or row.email} {row.branch}".strip()) for row in rows]
        self.choose("contact", named, blank=_now("不指定"))


class SheetForm(forms.Form):
    file = forms.FileField(label=_("承运商填好的表"), help_text=_("xlsx 或 csv，按运单号读回，最大 10 MB"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_now("文件超过 10 MB，请分成几份"))
        return file


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    now = clock.now()
    together(
        lambda: asking.carriers(here.shops),
        lambda: scores.scores(here.shops, now),
        lambda: answers.waiting(here.shops, limit=100),
        lambda: mails.unplaced(here.shops),
        lambda: talks_read.to_copy(here.shops),
    )
    said = {
        "to_copy": talks_read.to_copy(here.shops),
        "carriers": asking.carriers(here.shops),
        "scores": scores.scores(here.shops, now),
        "answers": answers.waiting(here.shops, limit=100),
        "unplaced": mails.unplaced(here.shops),
    }
    return render(request, "web/carriers/list.html", said)


@require_GET
def carrier(request: HttpRequest, carrier: str) -> HttpResponse:
    return _show(request, carrier)


def _show(request: HttpRequest, carrier: str, status: int = 200, **more: Any) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    every, now = request.GET.get("all") == "1", clock.now()
    together(
        lambda: asking.cases_at(shop_id, carrier, asking=not every),
        lambda: answers.waiting([shop_id], carrier=carrier),
        lambda: links.links(shop_id, carrier, now),
        lambda: shops.shop(shop_id),
        lambda: rules.of_shop(shop_id),
        lambda: talks.contacts([shop_id], carrier),
    )
    rows = asking.cases_at(shop_id, carrier, asking=not every)
    chosen = [row.case_id for row in rows]
    said = {
        "carrier": carrier,
        "shop_id": shop_id,
        "rows": rows,
        "every": every,
        "answers": answers.waiting([shop_id], carrier=carrier),
        "paste": PasteForm(),
        "sheet": SheetForm(),
        "link_form": LinkForm(carrier, shop_id),
        "links": links.links(shop_id, carrier, now),
        "group_text": group_texts.write(
            asking.parcels_of(shop_id, chosen, rules.of_shop(shop_id)), shops.shop(shop_id).name, now + ANSWER_WITHIN
        ),
    } | more
    return render(request, "web/carriers/carrier.html", said, status=status)


@require_POST
def paste(request: HttpRequest, carrier: str) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    form = PasteForm(request.POST)
    if not form.is_valid():
        return _show(request, carrier, 422, paste=form)
    try:
        here.check(Permission.WORK_CASE, shop_id)
        kept = answers.keep_text(
            shop_id=shop_id,
            text=form.cleaned_data["text"],
            source="chat",
            sender=_now("%(who)s 粘贴") % {"who": here.name},
            is_trusted=True,
            now=clock.now(),
            carrier=carrier,
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("carriers_carrier", args=[carrier]))
    return _show(request, carrier, kept=kept)


@require_POST
def bring(request: HttpRequest, carrier: str) -> HttpResponse:
    """The sheet came back: each row by its waybill."""
    here = desk(request)
    shop_id = here.one.shop_id
    form = SheetForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, carrier, 422, sheet=form)
    now = clock.now()
    try:
        here.check(Permission.WORK_CASE, shop_id)
        file = form.cleaned_data["file"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"sheet{Path(file.name or '').suffix.lower()[:8]}")
            with path.open("wb") as copy:
                for chunk in file.chunks():
                    copy.write(chunk)
            rows, report = read_sheet(path, now)
        told = [Answer(row.number, row.said, row.words) for row in rows if not row.said.is_empty]
        kept = answers.keep(
            shop_id=shop_id,
            answers=told,
            known=answers.numbers_of_open_cases(shop_id, carrier),
            source="sheet",
            sender=_now("%(who)s 上传") % {"who": here.name},
            is_trusted=True,
            now=now,
            unread=tuple(row.number for row in rows if row.said.is_empty),
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("carriers_carrier", args=[carrier]))
    problems = [(each, say_problem(each)) for each in report.problems[:200]]
    return _show(request, carrier, kept=kept, problems=problems)


@require_GET
def sheet(request: HttpRequest, carrier: str) -> HttpResponse:
    """The xlsx for the carrier: the cases chosen, else all that wait for it."""
    here = desk(request)
    shop_id = here.one.shop_id
    rows = [
        AskedRow(
            one.number,
            (
                one.case_code, one.order_tail, one.reason, moment(one.collected_at) if one.collected_at else "",
                f"{moment(one.last_scan_at)} {one.place}" if one.last_scan_at else "", one.contents,
                f"{one.value_fen / 100:.2f}", group_texts.ASKED[one.ask][0],
            ),
        )
        for one in asking.parcels_of(shop_id, _chosen(request, shop_id, carrier))
    ]  # fmt: skip
    if not rows:
        tell_refusal(request, Refused("papers_none"))
        return back_to(reverse("carriers_carrier", args=[carrier]))
    body = write_sheet(rows, carrier_name(carrier), shops.shop(shop_id).name)
    answer = HttpResponse(body, content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="bufa-{carrier}.xlsx"'
    return answer


@require_GET
def applications(request: HttpRequest, carrier: str) -> HttpResponse:
    """The reissue applications of the cases chosen, as one PDF."""
    here = desk(request)
    shop_id = here.one.shop_id
    try:
        body = papers.paper_pdf(
            shop_id=shop_id,
            case_ids=_chosen(request, shop_id, carrier)[: papers.MOST_PAPERS],
            paper=Written.APPLICATION,
            book=rules.of_shop(shop_id),
            by=actor(here, shop_id),
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("carriers_carrier", args=[carrier]))
    return pdf(body, f"{carrier}-applications.pdf")


def _chosen(request: HttpRequest, shop_id: int, carrier: str) -> list[int]:
    """Case ids named in the address that are this carrier's; all that wait for it where none is named."""
    rows = asking.cases_at(shop_id, carrier, asking=request.GET.get("all") != "1")
    wanted = set(request.GET.getlist("case"))
    return [row.case_id for row in rows if not wanted or row.code in wanted]


@require_POST
def decide(request: HttpRequest, shop_id: int, answer_id: int, act: str) -> HttpResponse:
    """Accept one answer, or say that it is nothing."""
    here = desk(request)
    by = actor(here, shop_id)
    try:
        if act == "accept":
            said = answers.accept(shop_id=shop_id, answer_id=answer_id, by=by)
            tell(request, _accepted(said))
        elif act == "dismiss":
            answers.dismiss(shop_id=shop_id, answer_id=answer_id, by=by)
            tell(request, _now("已放到一边"))
        else:
            raise Http404
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(_back(request, here))


@require_POST
def accept_many(request: HttpRequest, shop_id: int) -> HttpResponse:
    here = desk(request)
    by = actor(here, shop_id)
    ids = [int(each) for each in request.POST.getlist("answer") if each.isdigit()]
    try:
        here.check(Permission.RECORD_CONSENT, shop_id)
        done, refused = answers.accept_all(shop_id=shop_id, answer_ids=ids, by=by)
        tell(request, ngettext("采纳了 %(n)d 条答复", "采纳了 %(n)d 条答复", done) % {"n": done})
        for number, why in refused[:5]:
            tell_refusal(request, Refused("answer_not_taken", number=number, text=say(why.why)))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(_back(request, here))


@require_POST
def link(request: HttpRequest, carrier: str) -> HttpResponse:
    """Make a page for the carrier; its address is shown this once."""
    here = desk(request)
    shop_id = here.one.shop_id
    form = LinkForm(carrier, shop_id, request.POST)
    picked = set(request.POST.getlist("case"))
    if not form.is_valid():
        return _show(request, carrier, 422, link_form=form)
    said = form.cleaned_data
    every = request.POST.get("all") == "1"
    rows = asking.cases_at(shop_id, carrier, asking=not every)
    try:
        token = links.make_link(
            shop_id=shop_id,
            carrier=carrier,
            case_ids=[row.case_id for row in rows if not picked or row.code in picked],
            by=actor(here, shop_id),
            contact_id=int(said["contact"]) if said["contact"] else None,
            name=said["name"],
            days=said["days"],
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("carriers_carrier", args=[carrier]))
    return _show(request, carrier, made=request.build_absolute_uri(reverse("carrier_page", args=[token])))


@require_POST
def revoke(request: HttpRequest, shop_id: int, link_id: int) -> HttpResponse:
    here = desk(request)
    by = actor(here, shop_id)
    try:
        links.revoke_link(shop_id=shop_id, link_id=link_id, by=by)
        tell(request, _now("链接已作废"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(_back(request, here))


@require_POST
def mail(request: HttpRequest, shop_id: int, mail_id: int) -> HttpResponse:
    """Say which case an unplaced mail is about, or that it is about none."""
    here = desk(request)
    by = actor(here, shop_id)
    try:
        if request.POST.get("do") == "aside":
            mails.set_aside(shop_id=shop_id, mail_id=mail_id, by=by)
            tell(request, _now("已放到一边"))
        else:
            code = request.POST.get("code", "")[:30]
            found = mails.place_by_hand(shop_id=shop_id, mail_id=mail_id, code=code, by=by, now=clock.now())
            tell(request, _now("已放到案件，读出 %(n)d 条答复") % {"n": found})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("carriers"))


def _accepted(said: Any) -> str:
    if said.consent is not None:
        return _now("已记下承运商的同意") if said.consent else _now("已记下承运商的拒绝")
    amount = _now("，答应赔 %(m)s") % {"m": yuan(said.amount_fen)} if said.amount_fen else ""
    return _now("已记为承运商的说法：%(claim)s%(amount)s") % {
        "claim": word("claim", said.claim.value) if said.claim else _now("见原话"),
        "amount": amount,
    }


def _back(request: HttpRequest, here: Desk) -> str:
    """Where the button was pressed: a case's page, a carrier's, or the list of all."""
    at = request.POST.get("at", "")
    known = ("/cases/", "/carriers/")
    return at if at.startswith(known) and "//" not in at and "\\" not in at else reverse("carriers")
