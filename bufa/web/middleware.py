"""Seats the operator before a page runs: role, shops, language, and one transaction around every reading request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils import translation

from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.lib.tenancy import for_shops
from bufa.web import desk, errors, resume
from bufa.web.brake import TooManyTries

PUBLIC = ("/c/", "/m/", "/q/")
"""Pages for people outside: whoever looks, signed in or not, sees what the address shows and nothing of a desk."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class PackedPages(GZipMiddleware):
    """Packs pages, and nothing that is packed already (pictures, sheets) or that has to leave at once (events).

    Django adds bytes of random length to each answer, so that its size tells nothing about a token inside (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0]
        if response.streaming or kind not in ("text/html", "application/json"):
            return response
        packed: HttpResponseBase = super().process_response(request, response)
        return packed


class _Abandon(Exception):
    """Carries a failed answer out of its transaction, which is then rolled back instead of committed."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


class DeskMiddleware:
    """Comes after authentication. A page that only reads does so in one transaction over the operator's shops, so that
    all its numbers are of one moment; a page that changes something opens its own through actions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PUBLIC) or not request.user.is_authenticated:
            return self.get_response(request)
        language = getattr(request.user, "language", "") or translation.get_language() or "zh-hans"
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self._answer(request, request.user.pk)
            if response.status_code == 405 and request.method == "GET" and not resume.asks_for_data(request):
                response = errors.not_by_link(request, response.get("Allow", ""))
        response.headers["Content-Language"] = language
        # Pages hold buyers' data behind masks: no shared cache, no copy on the machine's disk.
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """An address that names somebody else's shop leads nowhere, like one of a shop that never was."""
        here = getattr(request, "desk", None)
        if here is not None and "shop_id" in kwargs and kwargs["shop_id"] not in here.all_shops:
            raise Http404
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The trade's "no" that a page did not expect: said in words on the page before, never a fault. A row that the
        address names and these shops do not have is not found, be it another shop's or nobody's. Who tries too often is
        told so."""
        if isinstance(exception, ObjectDoesNotExist) and request.resolver_match and request.resolver_match.kwargs:
            return errors.not_found(request)
        if isinstance(exception, TooManyTries):
            return errors.too_many(request, exception.wait_s)
        if not isinstance(exception, Refused):
            return None
        desk.tell_refusal(request, exception)
        before = urlsplit(request.headers.get("Referer", "")).path
        return desk.back_to(before if before and before != request.path else "/")

    def _answer(self, request: HttpRequest, operator_id: int) -> HttpResponse:
        roles = shops.roles_of(operator_id) if request.method in SAFE else {}
        if not roles:
            request.desk = desk.build(request, shops.shops_of(operator_id))  # type: ignore[attr-defined]
            return self.get_response(request)
        try:
            with for_shops(roles, reading=True):
                request.desk = desk.build(request, shops.named(roles))  # type: ignore[attr-defined]
                response = self.get_response(request)
                if response.status_code >= 500:
                    raise _Abandon(response)
        except _Abandon as failed:
            return failed.response
        return response
