"""Mails that the shop's own mail server hands over as they come, beside or instead of a mailbox that we ask."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bufa.apps.shops import queries as shops
from bufa.jobs import mailbox
from bufa.lib.tenancy import for_shops

LARGEST = 6 * 1024 * 1024

log = logging.getLogger(__name__)


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, token: str) -> JsonResponse:
    """POST /hooks/<shop>-<secret>/mail with the raw mail: 200 once it is kept (`new` false: it had come before); 404 no
    such hook, 413 too large, 400 cut off, 503 try again."""
    if _length(request) > LARGEST:
        return JsonResponse({"error": "too_large"}, status=413)
    try:
        raw = request.read(LARGEST + 1)
    except (UnreadablePostError, OSError):
        return JsonResponse({"error": "cut"}, status=400)
    if len(raw) > LARGEST:
        return JsonResponse({"error": "too_large"}, status=413)
    try:
        named = shops.shop_of_hook(token)
        with for_shops([] if named is None else [named]):
            shop_id = shops.check_hook(token, "smtp")
        info = shops.connection(shop_id, "smtp") if shop_id is not None else None
        if shop_id is None or info is None:
            return JsonResponse({"error": "unknown_hook"}, status=404)
        new = mailbox.take(shop_id, raw, str(info.settings.get("authserv", "")))
    except DatabaseError:
        log.exception("a mail could not be kept")
        return JsonResponse({"error": "unavailable"}, status=503)
    return JsonResponse({"new": bool(new)})


def _length(request: HttpRequest) -> int:
    said = request.headers.get("Content-Length") or "0"
    return int(said) if said.isdigit() else LARGEST + 1
