"""What providers push: checked, kept as it came, and thanked for in their own words. Understood later.

A reply of thanks is sent after the commit only. Whatever comes in, the answer is never a 500: what cannot be believed
or read is refused with the provider's own failure reply and a status that says why.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bufa.apps.inbox import actions as inbox
from bufa.apps.inbox.bell import Bell
from bufa.apps.inbox.letterbox import Letterbox
from bufa.apps.shops.receivers import receiver
from bufa.domain.outcome import Refused
from bufa.integrations.ports import PushRefused
from bufa.lib import clock

LARGEST_BODY = 1024 * 1024
PROBE_TAG = 0

log = logging.getLogger(__name__)
_bell = Bell()
_letterbox = Letterbox(partial(inbox.keep_for, ask=_bell.ring))

# What a broken body may raise deep inside of a parser: it is the sender's mistake, not ours.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError)


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    """POST /hooks/<shop>-<secret>/<kind>: 200 with the provider's thanks once it is stored; 400 unreadable, 403 not
    signed as it must be, 404 no such hook, 413 too large, 503 try again."""
    body = _body(request)
    if isinstance(body, HttpResponse):
        return body
    try:
        found = receiver(token, kind)
    except (Refused, DatabaseError):
        return _plain_refusal("unavailable", 503)
    if found is None:
        return _plain_refusal("unknown_hook", 404)
    shop_id, push = found
    try:
        push.verify(request.headers, body)
        facts = push.parse(body)
        messages = _messages(kind, body, facts)
    except PushRefused as refused:
        return _refusal(push, refused.why, shop_id, kind)
    except _UNREADABLE:
        return _refusal(push, "malformed", shop_id, kind)
    try:
        _letterbox.put(shop_id, messages)
    except DatabaseError:
        log.exception("a push could not be stored", extra={"shop_id": shop_id, "provider": kind})
        return _refusal(push, "unavailable", shop_id, kind)
    return HttpResponse(push.accepted(clock.real_now()), content_type="application/json")


def _body(request: HttpRequest) -> bytes | HttpResponse:
    try:
        said = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return _plain_refusal("malformed", 400)
    if said > LARGEST_BODY:
        return _plain_refusal("too_large", 413)
    try:
        body = request.read(LARGEST_BODY + 1)
    except (UnreadablePostError, OSError):
        return _plain_refusal("cut", 400)
    if len(body) > LARGEST_BODY:
        return _plain_refusal("too_large", 413)
    if len(body) < said:
        return _plain_refusal("cut", 400)
    return body


def _messages(kind: str, body: bytes, facts: Sequence[Any]) -> list[inbox.Raw]:
    """One raw message a push; Doudian sends several events in one, each known by its own id."""
    now = clock.now()
    if kind != "doudian":
        return [inbox.Raw(kind, "push", "", body, now)]
    told = json.loads(body)
    parts = told if isinstance(told, list) else [told]
    return [
        inbox.Raw(kind, str(event.tag), event.message_id, json.dumps(part, ensure_ascii=False).encode(), now)
        for event, part in zip(facts, parts, strict=True)
        if event.tag != PROBE_TAG
    ]


_STATUS = {"signature": 403, "unsigned": 403, "malformed": 400, "unavailable": 503}


def _refusal(push: Any, why: str, shop_id: int, kind: str) -> HttpResponse:
    log.warning("a push was refused: %s", why, extra={"shop_id": shop_id, "provider": kind, "code": why})
    reply = push.refused(clock.real_now(), why)
    answer = HttpResponse(reply, content_type="application/json", status=_STATUS.get(why, 400))
    answer["X-Refused"] = why
    return answer


def _plain_refusal(why: str, status: int) -> JsonResponse:
    answer = JsonResponse({"error": why}, status=status)
    answer["X-Refused"] = why
    return answer
