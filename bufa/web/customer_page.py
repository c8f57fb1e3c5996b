"""The customer's page and the form for those who come first: no account, no script, no cookie; phone first.

The address is all that opens it, so there is nothing that another site could borrow from a visitor: forms carry no
token of ours, and nothing is kept in the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bufa.apps.cases.letter_words import measure_words, reason_words
from bufa.apps.notices import coming_first, customer_page
from bufa.apps.notices.customer_page import MOST_PHOTOS, MOST_WORDS, Page
from bufa.domain.cases import Claim
from bufa.domain.customer_says import Answer
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language, date_range
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import shop_day
from bufa.lib import clock
from bufa.web.case_forms import ManyFiles
from bufa.web.forms import Choices
from bufa.web.words import say, word

LARGEST_PHOTO = 15 * 1024 * 1024
TINTS = {name: f"tint-{name}" for name in ("teal", "blue", "plum", "rust", "moss")}
"""The colours that a shop can give its page, and their classes: tint-teal tint-blue tint-plum tint-rust tint-moss."""
LANGUAGES = {"zh": "zh-hans", "en": "en"}
SHOWN_FIRST = 5

View = Callable[..., HttpResponse]


class SayForm(Choices):
    """One answer. `item_<n>`: how many of the order's n-th line are damaged."""

    answer = forms.ChoiceField(choices=[(one.value, one.value) for one in Answer])
    words = forms.CharField(
        label=_("想补充的话"), required=False, max_length=MOST_WORDS, widget=forms.Textarea(attrs={"rows": 2})
    )
    stars = forms.IntegerField(required=False, min_value=1, max_value=5)
    photos = ManyFiles(label=_("照片，最多 4 张"), required=False)

    def __init__(self, *args: Any, lines: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        self.fields["photos"].widget.attrs |= {"accept": "image/*"}
        for at, line in enumerate(lines):
            self.fields[f"item_{at}"] = forms.IntegerField(
                label=f"{line.title} {line.spec}".strip(),
                required=False,
                min_value=0,
                max_value=line.quantity,
                initial=line.quantity if len(lines) == 1 else 0,
                help_text=_now("共 %(n)d 件") % {"n": line.quantity},
            )

    @property
    def item_fields(self) -> list[Any]:
        return [self[f"item_{at}"] for at in range(len(self.lines))]

    def clean_photos(self) -> list[Any]:
        photos = list(self.cleaned_data.get("photos") or [])
        if len(photos) > MOST_PHOTOS:
            raise forms.ValidationError(_now("最多 %(n)d 张照片") % {"n": MOST_PHOTOS})
        if any((photo.size or 0) > LARGEST_PHOTO for photo in photos):
            raise forms.ValidationError(_now("照片超过 15 MB"))
        return photos

    def items(self) -> tuple[tuple[str, int], ...]:
        counted = [(line.line_id, self.cleaned_data.get(f"item_{at}") or 0) for at, line in enumerate(self.lines)]
        return tuple((line, count) for line, count in counted if count)


class ComeForm(Choices):
    """For customers who come first."""

    number = forms.CharField(
        label=_("订单编号"),
        max_length=40,
        help_text=_("在抖音订单详情里，可以复制"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    tail = forms.RegexField(
        label=_("收货手机号的后四位"),
        regex=r"^\d{4}$",
        error_messages={"invalid": _("要四位数字")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "maxlength": "4"}),
    )
    trouble = forms.ChoiceField(label=_("出了什么事"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = ((Answer.NOT_RECEIVED, _now("一直没有收到")), (Answer.DAMAGED, _now("收到了，但有损坏或少件")))
        self.choose("trouble", [(one.value, words) for one, words in offered])


def public(view: View) -> View:
    """A page for people outside, in the language that they ask for, kept by nobody on the way."""

    @login_not_required
    @csrf_exempt
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = LANGUAGES.get(request.GET.get("lang", ""), translation.get_language() or "zh-hans")
        with translation.override(language):
            response = view(request, *args, **kwargs)
        response["Content-Language"] = language
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "same-origin"
        return response

    return shown


@public
@require_GET
def page(request: HttpRequest, token: str) -> HttpResponse:
    return _show(request, token)


@public
@require_POST
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """One answer; what was typed comes back with the reason where it can't be taken."""
    now = clock.now()
    try:
        found = customer_page.open_page(token, now)
    except Refused as refused:
        return _slow_down(request, refused)
    if found is None:
        return _gone(request)
    form = SayForm(request.POST, request.FILES, lines=found.items)
    if not form.is_valid():
        return _show(request, token, form)
    said = form.cleaned_data
    try:
        customer_page.answer(
            token=token,
            answer=Answer(said["answer"]),
            words=said["words"],
            items=form.items() if said["answer"] == Answer.DAMAGED else (),
            photos=[photo.read() for photo in said["photos"]],
            stars=said["stars"],
            now=now,
        )
    except Refused as refused:
        if refused.why.code == "page_gone":
            return _gone(request)
        form.add_error(None, say(refused.why))
        return _show(request, token, form)
    return _to(request, f"/m/{token}/", done=said["answer"])


@public
@require_http_methods(["GET", "POST"])
def come(request: HttpRequest, shop_id: int) -> HttpResponse:
    """Order number and the phone's last digits lead to the page, or to one and the same no."""
    name = coming_first.name_of(shop_id)
    if name is None:
        return _gone(request)
    form = ComeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            path = coming_first.come(
                shop_id=shop_id,
                number=said["number"],
                tail=said["tail"],
                trouble=Answer(said["trouble"]),
                place=request.META.get("REMOTE_ADDR", ""),
                now=clock.now(),
            )
            return _to(request, path, done=said["trouble"])
        except Refused as refused:
            form.add_error(None, say(refused.why))
            status = 429 if refused.why.code == "too_many_tries" else 422
    said = {"form": form, "shop": name, "language": translation.get_language()}
    return render(request, "web/customer/come.html", said, status=422 if form.errors and status == 200 else status)


# --- inside ----------------------------------------------------------------------------------------------------------


def _show(request: HttpRequest, token: str, form: SayForm | None = None) -> HttpResponse:
    try:
        found = customer_page.open_page(token, clock.now())
    except Refused as refused:
        return _slow_down(request, refused)
    if found is None:
        return _gone(request)
    done = request.GET.get("done", "")
    said = {
        "page": found,
        "say_url": _with(request, f"/m/{token}/say/"),
        "tint": TINTS.get(found.tint, ""),
        "what": _what(found),
        "expected": _expected(found),
        "first_lines": found.lines[:SHOWN_FIRST],
        "more_lines": found.lines[SHOWN_FIRST:],
        "offers": {one.value for one in found.offers},
        "form": form or SayForm(lines=found.items),
        "failed": form.data.get("answer", "") if form else "",
        "done": word("answer", done) if done in set(Answer) else "",
        "language": translation.get_language(),
    }
    return render(request, "web/customer/page.html", said, status=422 if form else 200)


def _what(found: Page) -> dict[str, str]:
    """The first sentence in large, and what we do about it."""
    language = Language.EN if (translation.get_language() or "").startswith("en") else Language.ZH
    stage = found.newest.stage
    again = len(found.boxes) > 1
    if stage == "delivered":
        head = _now("补发的包裹已经送达") if again else _now("包裹已经送达")
    elif stage == "ready_for_pickup":
        head = _now("包裹到了取件点，请去取")
    elif again:
        head = _now("已经为您补发，正在路上")
    elif found.measure == Measure.REFUND:
        head = _now("为您退款")
    else:
        head = _now("我们在处理您的包裹")
    claim = Claim(found.claim) if found.claim in set(Claim) else None
    measure = Measure(found.measure) if found.measure in set(Measure) else None
    return {
        "head": head,
        "reason": reason_words(claim, language),
        "measure": measure_words(measure, language) if measure else _now("正在核实，想最好的办法"),
    }


def _expected(found: Page) -> str:
    if found.expected is None:
        return ""
    language = Language.EN if (translation.get_language() or "").startswith("en") else Language.ZH
    return date_range(shop_day(found.expected[0]), shop_day(found.expected[1]), language)


def _to(request: HttpRequest, path: str, **query: str) -> HttpResponse:
    return HttpResponseRedirect(_with(request, path, **query), status=303)


def _with(request: HttpRequest, path: str, **query: str) -> str:
    """The path with the language that was asked for kept in it."""
    lang = request.GET.get("lang", "")
    told = query | ({"lang": lang} if lang in LANGUAGES else {})
    tail = "&".join(f"{key}={value}" for key, value in told.items())
    return f"{path}?{tail}" if tail else path


def _gone(request: HttpRequest) -> HttpResponse:
    return render(
        request, "web/customer/gone.html", {"why": _now("这个页面已经失效，请向店铺要一个新的链接。")}, status=404
    )


def _slow_down(request: HttpRequest, refused: Refused) -> HttpResponse:
    return render(request, "web/customer/gone.html", {"why": say(refused.why)}, status=429)
