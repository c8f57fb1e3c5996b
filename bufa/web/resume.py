"""A form that met no session, or another one, goes on after signing in: with everything that was typed.

With JavaScript a dialog in the page does it (static/bufa/js/keep.js), files included. Without, the server hands what
was typed back inside a page that asks to sign in, and then once more for a press: whoever signed in sees as whom it is
sent. What was typed lives in these pages only; nothing is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bufa.web.session import SignInForm

MOST_FIELDS = 2_000
_OURS = ("csrfmiddlewaretoken",)
_FIELD, _TO = "kept-", "kept_to"


@dataclass(frozen=True, slots=True)
class Kept:
    """A form on its way. `dropped`: names of fields that don't come back: secrets. `files`: names of files, which a
    browser gives only once."""

    to: str
    fields: tuple[tuple[str, str], ...]
    dropped: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class SignedInMiddleware(LoginRequiredMiddleware):
    """A page is private unless it says otherwise. Scripts are told 401; a form is kept; the rest signs in."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        if asks_for_data(request):
            return JsonResponse({"token": get_token(request), "operator": 0}, status=401)
        if request.method == "POST":
            return show_again(request, kept_of(request))
        answer: HttpResponseBase = super().handle_no_permission(request, view_func)
        return answer


def asks_for_data(request: HttpRequest) -> bool:
    """Was it asked by a script in a page, which can do nothing with a page to sign in on?"""
    return request.headers.get("HX-Request") == "true" or "text/html" not in request.headers.get("Accept", "text/html")


def is_ours(request: HttpRequest) -> bool:
    """Was the form on a page of this site? Another site's form is never carried on."""
    if said := request.headers.get("Sec-Fetch-Site"):
        return said == "same-origin"
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return bool(origin) and urlsplit(origin).netloc == request.get_host()


def kept_of(request: HttpRequest) -> Kept:
    fields, dropped = [], []
    for name, values in request.POST.lists():
        if name in _OURS:
            continue
        if any(part in name.lower() for part in ("password", "secret", "token")):
            dropped.append(name)
            continue
        fields += [(name, str(value)) for value in values]
    files = tuple(str(file.name) for _name, sent in request.FILES.lists() for file in sent)
    return Kept(request.get_full_path(), tuple(fields[:MOST_FIELDS]), tuple(dropped), files)


def show_again(request: HttpRequest, kept: Kept, form: SignInForm | None = None) -> HttpResponse:
    """Sign in here, then go on. 403 like every answer to somebody who may not, so that no program takes it for done."""
    said = {"form": form or SignInForm(request), "kept": kept, "field": _FIELD, "to": _TO}
    answer = render(request, "web/session/again.html", said, status=422 if form else 403)
    answer["Cache-Control"] = "no-store, private"
    return answer


def show_go_on(request: HttpRequest, kept: Kept, status: int = 200) -> HttpResponse:
    """One press sends the form with this session's token."""
    said = {"kept": kept, "name": getattr(request.user, "display_name", "") or request.user.get_username()}
    answer = render(request, "web/session/go_on.html", said, status=status)
    answer["Cache-Control"] = "no-store, private"
    return answer


@login_not_required
@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Signs in from the page of `show_again`."""
    names = [name.removeprefix(_FIELD) for name in request.POST if name.startswith(_FIELD)]
    fields = tuple((name, value) for name in names for value in request.POST.getlist(_FIELD + name))
    files = tuple(request.POST.getlist("kept_file"))
    kept = Kept(_safe(request.POST.get(_TO, "")), fields, tuple(request.POST.getlist("kept_dropped")), files)
    form = SignInForm(request, data=request.POST)
    if not form.is_valid():
        return show_again(request, kept, form)
    login(request, form.get_user())
    return show_go_on(request, kept)


def _safe(path: str) -> str:
    """An address of this desk, or its first page."""
    try:
        resolve(urlsplit(path).path)
    except Resolver404:
        return settings.LOGIN_REDIRECT_URL
    return path if path.startswith("/") and not path.startswith("//") else settings.LOGIN_REDIRECT_URL


@login_not_required
@require_http_methods(["GET", "POST"])
def state(request: HttpRequest) -> JsonResponse:
    """For the page itself: who is signed in, and the token that its forms need now. By POST: sign in, in place."""
    if request.method == "POST":
        form = SignInForm(request, data=request.POST)
        if not form.is_valid():
            return JsonResponse({"why": _("登录名或密码不对")}, status=422)
        login(request, form.get_user())
    pk = request.user.pk if request.user.is_authenticated else 0
    return JsonResponse({"token": get_token(request), "operator": pk}, status=200 if pk else 401)
