"""Carrier cases as a list, and one question about many parcels: looked at first, then sent as one message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import asking, links, many, rules, talks
from bufa.apps.negotiations import queries as contacts
from bufa.apps.negotiations.talks import TalkFilters
from bufa.domain.carrier_cases import TalkState
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.web.case_forms import contact_name
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, say, word

VIEWS = ("open", "overdue", "soon", "stuck", "stopped", "closed")


class Filters(Choices):
    carrier = forms.ChoiceField(label=_("承运商"), required=False)
    branch = forms.ChoiceField(label=_("在哪"), required=False)
    state = forms.ChoiceField(label=_("谈到哪"), required=False)

    def __init__(self, branches: tuple[str, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("carrier", carrier_choices(), blank=_now("不限"))
        self.choose("branch", [(each, each) for each in branches], blank=_now("不限"))
        states = [each for each in TalkState if each is not TalkState.CLOSED]
        self.choose("state", [(each.value, word("talk_state", each.value)) for each in states], blank=_now("不限"))


class AskManyForm(Choices):
    """One question about the parcels chosen: to whom, until when, in which language, and what to add."""

    contact = forms.ChoiceField(label=_("问谁"))
    hours = forms.IntegerField(label=_("多少小时内答复"), min_value=1, max_value=240, initial=24)
    language = forms.ChoiceField(label=_("语言"), required=False)
    extra = forms.CharField(
        label=_("另外要说的"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, known: tuple[contacts.ContactView, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("contact", [(str(each.contact_id), contact_name(each)) for each in known])
        self.choose("language", [(each.value, word("letter_language", each.value)) for each in Language])

    def said_language(self) -> Language:
        return Language(self.cleaned_data["language"] or Language.ZH)


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else "open"
    known = dict(carrier_choices())
    chosen = request.GET.get("carrier", "")
    form = Filters(talks.branches(here.shops, chosen if chosen in known else ""), request.GET or None)
    said = form.cleaned_data if form.is_bound and form.is_valid() else {}
    filters = TalkFilters(view, said.get("carrier", ""), said.get("branch", ""), said.get("state", ""))
    cursor = request.GET.get("after", "")
    found = talks.listing(here.shops, filters, clock.now(), cursor)
    context = {
        "form": form, "views": VIEWS, "view": view, "rows": found.rows, "next_cursor": found.next_cursor,
        "at_cursor": cursor, "filtered": any(said.values()),
    }  # fmt: skip
    return render(request, "web/carriers/talks.html", context)


@require_POST
def chosen(request: HttpRequest, carrier: str) -> HttpResponse:
    """The parcels chosen on a carrier's page: the message that they would be asked with, and a link for them."""
    return _chosen(request, desk(request), carrier)


def _chosen(
    request: HttpRequest, here: Desk, carrier: str, form: AskManyForm | None = None, status: int = 200
) -> HttpResponse:
    shop_id = here.one.shop_id
    if carrier not in dict(carrier_choices()):
        raise Http404
    picked = set(request.POST.getlist("case"))
    rows = [
        row
        for row in asking.cases_at(shop_id, carrier, asking=request.POST.get("all") != "1")
        if not picked or row.code in picked
    ]
    if not rows:
        tell_refusal(request, Refused("papers_none"))
        return back_to(reverse("carriers_carrier", args=[carrier]))
    parcels = asking.parcels_of(shop_id, [row.case_id for row in rows], rules.of_shop(shop_id))
    places = {one.place for one in parcels}
    known = contacts.contacts_for(shop_id, carrier, next(iter(places)) if len(places) == 1 else "")
    form = form or AskManyForm(known)
    language = Language.EN if form.data.get("language") == Language.EN.value else Language.ZH
    due = clock.now() + timedelta(hours=24)
    context = {
        "carrier": carrier, "shop_id": shop_id, "rows": rows, "parcels": parcels, "form": form, "contacts": known,
        "letter": many.letter(shop_id, parcels, due, language=language) if parcels else None,
        "key": uuid4().hex, "days": links.MOST_DAYS, "all": request.POST.get("all", ""),
    }  # fmt: skip
    return render(request, "web/carriers/chosen.html", context, status=status)


@require_POST
def ask(request: HttpRequest, carrier: str) -> HttpResponse:
    """Send it: one message, each case waits by itself; what could not be asked is named."""
    here = desk(request)
    shop_id = here.one.shop_id
    form = AskManyForm(contacts.contacts_for(shop_id, carrier), request.POST)
    if not form.is_valid() or request.POST.get("do") == "look":
        return _chosen(request, here, carrier, form, 422 if form.errors else 200)
    said, now = form.cleaned_data, clock.now()
    picked = set(request.POST.getlist("case"))
    rows = {row.case_id: row for row in asking.cases_at(shop_id, carrier, asking=False) if row.code in picked}
    try:
        here.check(Permission.WORK_CASE, shop_id)
        done = many.ask(
            shop_id=shop_id, case_ids=list(rows), contact_id=int(said["contact"]), by=actor(here, shop_id),
            due=now + timedelta(hours=said["hours"]), now=now, key=f"many:{request.POST.get('key', '')[:32]}",
            extra=said["extra"], language=form.said_language(),
        )  # fmt: skip
    except Refused as refused:
        tell_refusal(request, refused)
        return _chosen(request, here, carrier, form, 409)
    if done.done:
        told = ngettext("一条消息问了 %(n)d 件", "一条消息问了 %(n)d 件", len(done.done)) % {"n": len(done.done)}
        if done.messages > 1:
            told = _now("%(m)d 条消息问了 %(n)d 件") % {"m": done.messages, "n": len(done.done)}
        tell(request, told)
    for case_id, why in done.refused[:5]:
        number = rows[case_id].number if case_id in rows else ""
        tell_refusal(request, Refused("answer_not_taken", number=number, text=say(why.why)))
    return back_to(reverse("carriers_carrier", args=[carrier]))


@require_POST
def copied(request: HttpRequest, shop_id: int) -> HttpResponse:
    """A text was sent by hand, or will not be."""
    here = desk(request)
    by = actor(here, shop_id)
    given = request.POST.get("message", "")
    if not given.isdigit():
        raise Http404
    try:
        if request.POST.get("sent") == "0":
            negotiations.not_copied(shop_id=shop_id, message_id=int(given), by=by)
            tell(request, _now("这段话不发了"))
        else:
            count = negotiations.copied(shop_id=shop_id, message_id=int(given), by=by)
            tell(request, _now("已记下：发到群里了，%(n)d 件开始等答复") % {"n": count})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("carriers"))
