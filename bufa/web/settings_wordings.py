"""Settings: the texts that customers get. One editor a purpose, channel and language, drawn live with a real case."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.notices import planning, trying, wordings
from bufa.apps.notices.wordings import APPROVALS, WordingView
from bufa.domain.case_facts import Purpose
from bufa.domain.notice_wording import KNOWN, for_vendor
from bufa.domain.notices import VENDOR_CHANNELS, Channel, Language, Wording
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import say, word

SHOWN = tuple(each for each in Channel if each is not Channel.PHONE)
"""Channels whose texts are edited each by itself; a call reads the same words as an in-site message."""


class WordingForm(Choices):
    text = forms.CharField(
        label=_("正文"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})
    )
    subject = forms.CharField(label=_("标题"), max_length=120, required=False)
    vendor_id = forms.CharField(label=_("对方的模板编号"), max_length=40, required=False)
    approval = forms.ChoiceField(label=_("审到哪一步"), required=False)
    refusal = forms.CharField(label=_("没有通过的原因"), max_length=200, required=False)

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("approval", [(each, word("approval", each)) for each in APPROVALS])
        for name, needed in (
            ("subject", channel is Channel.EMAIL),
            *((n, channel in VENDOR_CHANNELS) for n in _VENDOR),
        ):
            if not needed:
                del self.fields[name]

    @property
    def vendor_fields(self) -> list[Any]:
        return [self[name] for name in _VENDOR if name in self.fields]


_VENDOR = ("vendor_id", "approval", "refusal")


def page(request: HttpRequest) -> HttpResponse:
    """All texts: a row a purpose, a cell a channel."""
    here = desk(request)
    shop_id = here.one.shop_id
    language = _language(request.GET.get("language", "zh-hans"))
    channels = trying.used_channels(shop_id, SHOWN)
    rows = [
        (purpose, [wordings.wording_of(shop_id, purpose, channel, language) for channel in channels])
        for purpose in Purpose
    ]
    said = {"rows": rows, "channels": channels, "language": language.value, "languages": list(Language)}
    return render(request, "web/settings/wordings.html", said)


def edit(request: HttpRequest, purpose: str, channel: str, language: str) -> HttpResponse:
    """One text: words, preview, approval, history."""
    here = desk(request)
    shop_id = here.one.shop_id
    key = _key(purpose, channel, language)
    now = wordings.wording_of(shop_id, *key)
    form = WordingForm(request.POST if request.method == "POST" else None, channel=key[1], initial=_initial(now))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            here.check(Permission.EDIT_POLICY, shop_id)
            wordings.save(
                shop_id=shop_id,
                purpose=key[0],
                channel=key[1],
                language=key[2],
                text=said["text"],
                subject=said.get("subject", ""),
                vendor_id=said.get("vendor_id", ""),
                approval=said.get("approval") or "draft",
                refusal=said.get("refusal", ""),
                by=actor(here, shop_id),
            )
            tell(request, _now("文案已保存"), undo=reverse("settings_wording_undo", args=[purpose, channel, language]))
            return back_to(reverse("settings_wording", args=[purpose, channel, language]))
        except Refused as refused:
            form.add_error("text" if refused.why.code.startswith("wording") else None, say(refused.why))
    text = form["text"].value() or ""
    return render(
        request,
        "web/settings/wording.html",
        {
            "form": form,
            "kept": now,
            "known": KNOWN,
            "history": wordings.history(shop_id, *key),
            "preview_url": reverse("settings_wording_preview", args=[purpose, channel, language]),
            **_preview(request, shop_id, key, text, form["subject"].value() or "" if "subject" in form.fields else ""),
        },
        status=422 if form.errors else 200,
    )


@require_POST
def preview(request: HttpRequest, purpose: str, channel: str, language: str) -> HttpResponse:
    """How the text would look now, for htmx; nothing is kept."""
    key = _key(purpose, channel, language)
    said = _preview(
        request, desk(request).one.shop_id, key, request.POST.get("text", "")[:2000], request.POST.get("subject", "")
    )
    return render(request, "web/settings/wording_preview.html", said)


@require_POST
def undo(request: HttpRequest, purpose: str, channel: str, language: str) -> HttpResponse:
    """The version before the newest one, or the one named, counts again."""
    here = desk(request)
    shop_id = here.one.shop_id
    key = _key(purpose, channel, language)
    known = {"shop_id": shop_id, "purpose": key[0], "channel": key[1], "language": key[2], "by": actor(here, shop_id)}
    version = request.POST.get("version", "")
    try:
        here.check(Permission.EDIT_POLICY, shop_id)
        if version.isdigit():
            wordings.restore(**known, version=int(version))  # type: ignore[arg-type]
        else:
            wordings.take_back(**known)  # type: ignore[arg-type]
        tell(request, _now("已换回这一版"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_wording", args=[purpose, channel, language]))


def _preview(
    request: HttpRequest, shop_id: int, key: tuple[Purpose, Channel, Language], text: str, subject: str
) -> dict[str, Any]:
    """The message drawn with a real case (`?case=`), else with made-up values; what is wrong with it; what it costs."""
    purpose, channel, language = key
    code = (request.POST.get("case") or request.GET.get("case") or "").strip()
    row = cases.case_by_code([shop_id], code) if code else None
    problems = wordings.problems_of(purpose, channel, text.strip(), subject.strip())
    said: dict[str, Any] = {
        "problems": problems,
        "case_code": code,
        "case_missing": bool(code) and row is None,
        "drawn": None,
        "draw_refused": None,
        "cost_li": 0,
        "vendor_text": for_vendor(text, by_position=channel is Channel.TENCENT_SMS)
        if channel in VENDOR_CHANNELS
        else "",
    }
    if problems:
        return said
    try:
        drawn = trying.draw_sample(
            shop_id, row.case_id if row else None, purpose, channel, language, Wording(text, subject)
        )
        said["drawn"] = drawn
        said["cost_li"] = planning.rules_of(shop_id).cost(channel, drawn.segments)
    except Refused as refused:
        said["draw_refused"] = refused.why
    return said


def _initial(now: WordingView) -> dict[str, Any]:
    return {
        "text": now.text,
        "subject": now.subject,
        "vendor_id": now.vendor_id,
        "approval": now.approval,
        "refusal": now.refusal,
    }


def _key(purpose: str, channel: str, language: str) -> tuple[Purpose, Channel, Language]:
    try:
        return Purpose(purpose), Channel(channel), Language(language)
    except ValueError:
        raise Http404 from None


def _language(code: str) -> Language:
    try:
        return Language(code)
    except ValueError:
        return Language.ZH
