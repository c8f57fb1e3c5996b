"""Sign in, sign out, theme, language, which shop."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.shops import actions as shops
from bufa.web.brake import SIGN_IN
from bufa.web.desk import CHOSEN, back_to, desk

YEAR = 365 * 24 * 3600


class SignInForm(AuthenticationForm):
    username = forms.CharField(
        label=_("登录名"), widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label=_("密码"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def clean(self) -> dict[str, Any]:
        """Raises TooManyTries where somebody keeps guessing this login from this address."""
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        who = (self.data.get("username", "").casefold(), address)
        SIGN_IN.check(who)
        try:
            said: dict[str, Any] = super().clean()
        except forms.ValidationError:
            SIGN_IN.failed(who)
            raise
        SIGN_IN.forget(who)
        return said


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    template_name = "web/session/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SignOut(LogoutView):
    http_method_names = ["post", "options"]


def next_page(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}) else "/"


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark or as the system says; kept in a cookie, so that it holds before sign-in too."""
    response = back_to(next_page(request))
    chosen = request.POST.get("theme", "")
    if chosen in ("light", "dark"):
        response.set_cookie(
            "theme", chosen, max_age=YEAR, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
        )
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The operator's own language; before sign-in the browser's."""
    response = back_to(next_page(request))
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            shops.set_language(operator_id=desk(request).operator_id, language=chosen)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=YEAR, samesite="Lax")
    return response


@require_POST
def choose_shop(request: HttpRequest) -> HttpResponse:
    """One shop, or all that the operator works for. A page about one parcel or case leads to its list instead."""
    here = desk(request)
    wanted = request.POST.get("shop", "")
    if wanted.isdigit() and int(wanted) in here.all_shops:
        request.session[CHOSEN] = int(wanted)
    else:
        request.session.pop(CHOSEN, None)
    return back_to(next_page(request))
