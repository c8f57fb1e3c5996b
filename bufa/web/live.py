"""What changes while a page is open: a stream of events, and the same by asking again for whoever can have no stream.

docs/adr/0005 says why it is served here, what it costs and how it ends.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import translation
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET

from bufa.apps.cases import news
from bufa.apps.cases.news import Change, Marks
from bufa.apps.shops import presence
from bufa.apps.shops import queries as shops
from bufa.apps.shops.presence import Viewer
from bufa.web.desk import Desk, desk
from bufa.web.watcher import Listener, watcher
from bufa.web.words import GROUPS, word

BEAT_S = 10.0
"""A sign of life so often: proxies cut lines that are silent for a minute, and a browser that is gone is noticed."""

LASTS_S = (240.0, 360.0)
"""A stream ends after a time between these and the browser opens another: rights are looked at anew, and a server
that is to stop loses its lines a few at a time."""

STREAMS = int(os.environ.get("BUFA_LIVE_STREAMS", "48"))
"""Most streams of one web process: each holds a thread. Whoever comes later asks again and again instead."""

STREAMS_EACH = 6
"""Most streams of one person in one process."""


@dataclass(frozen=True, slots=True)
class Line:
    """One page that listens: whose, about what, in which language."""

    here: Desk
    language: str
    shop_id: int
    subject: str
    window: str
    names: Mapping[int, str]


def _line(request: HttpRequest) -> Line:
    here = desk(request)
    shop, subject = request.GET.get("shop", ""), request.GET.get("at", "")
    shop_id = int(shop) if shop.isdigit() and int(shop) in here.all_shops else 0
    window = "".join(char for char in request.GET.get("window", "") if char.isalnum() or char == "-")[:36]
    kind, _, number = subject.partition(":")
    is_known = bool(shop_id and window and kind.isalpha() and number.isdigit() and len(subject) <= 40)
    names = {each.operator_id: each.display_name or each.login for each in shops.members(here.all_shops)}
    language = translation.get_language() or "zh-hans"
    return Line(here, language, shop_id, subject if is_known else "", window, names)


@require_GET
def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Server-sent events: `hello`, `news`, `viewers`. 204 where there is no room: the page then asks again itself."""
    line = _line(request)
    operator_id = line.here.operator_id
    if not line.here.seats or len(watcher) >= STREAMS or watcher.of(operator_id) >= STREAMS_EACH:
        return HttpResponse(status=204)
    marks, missed = _begin(request, line)
    answer = StreamingHttpResponse(_events(line, marks, missed), content_type="text/event-stream")
    answer["X-Accel-Buffering"] = "no"  # nginx hands each event on at once
    return answer


@require_GET
def ask(request: HttpRequest) -> JsonResponse:
    """The same for pages without a stream: what came behind the marks of the last answer, and who is here."""
    line = _line(request)
    if not line.here.seats:
        return JsonResponse({"marks": "", "news": [], "viewers": []})
    marks, missed = _begin(request, line)
    looking: Sequence[Viewer] = ()
    if line.subject:
        _look(line)  # lasts until it is asked the next time
        looking = presence.viewers([line.shop_id], line.subject)
    said = {"marks": marks.text(), "news": _told(line, missed), "viewers": _seen(line, looking)}
    return JsonResponse(said)


def _begin(request: HttpRequest, line: Line) -> tuple[Marks, list[Change]]:
    """Where to read on, and what was missed since: since the marks that the browser gives back, else since the page
    was drawn (`age`, in milliseconds)."""
    given = request.headers.get("Last-Event-ID") or request.GET.get("marks", "")
    known = news.read_marks(given, line.here.all_shops) if given else None
    if known is not None:
        missed, marks = news.since(known)
        return marks, missed
    marks = news.marks(line.here.all_shops)
    age = request.GET.get("age", "")
    if not age.isdigit():
        return marks, []
    return marks, news.just_before(marks, timedelta(milliseconds=min(int(age), 60_000)))


def _events(line: Line, marks: Marks, missed: list[Change]) -> Iterator[bytes]:
    listener = Listener(frozenset(line.here.all_shops), marks, line.subject, line.here.operator_id)
    until = time.monotonic() + random.uniform(*LASTS_S)  # noqa: S311 - spreads load, keeps no secret
    watcher.join(listener)
    try:
        yield b"retry: 2000\n" + _event("hello", {}, marks)
        if missed:
            yield _event("news", _told(line, missed), marks)
        beat_at = 0.0
        while time.monotonic() < until and not listener.is_over:
            if time.monotonic() >= beat_at:
                if not _still_here(line):
                    break
                beat_at = time.monotonic() + BEAT_S
            changes, viewers, reached = watcher.wait(listener, max(0.0, beat_at - time.monotonic()))
            if changes:
                yield _event("news", _told(line, changes), reached)
            if viewers is not None:
                yield _event("viewers", _seen(line, viewers), reached)
            if not changes and viewers is None:
                yield b": still here\n\n"
    finally:
        watcher.part(listener)
        _quietly_leave(line)


def _still_here(line: Line) -> bool:
    """Renew the mark of who is looking; False when the person may not see all of these shops any more."""
    try:
        current = {each.shop_id for each in shops.shops_of(line.here.operator_id)}
        _look(line)
    except Error:
        return True  # the database is away: the watcher waits for it, and so do we
    finally:
        connection.close()
    return current == set(line.here.all_shops)


def _look(line: Line) -> None:
    if line.subject:
        presence.look(
            shop_id=line.shop_id,
            subject=line.subject,
            operator_id=line.here.operator_id,
            name=line.here.name,
            window=line.window,
        )


def _quietly_leave(line: Line) -> None:
    if not line.subject:
        return
    try:
        presence.leave(shop_id=line.shop_id, window=line.window)
    except Error:
        pass  # the mark goes out by itself
    finally:
        connection.close()


def _event(name: str, data: object, marks: Marks) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\nid: {marks.text()}\ndata: {text}\n\n".encode()


def _told(line: Line, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes as pages get them, in the person's language; who did it only by the name that colleagues know."""
    with translation.override(line.language):
        return [_one(line, each) for each in changes]


def _one(line: Line, change: Change) -> dict[str, Any]:
    person = change.by.removeprefix("operator:")
    operator_id = int(person) if person.isdigit() else 0
    return {
        "key": change.key,
        "shop": change.shop_id,
        "kind": change.kind,
        "subject": change.subject,
        "mine": operator_id == line.here.operator_id,
        "by": line.names.get(operator_id, ""),
        "at": localtime(change.at).strftime("%H:%M") if change.at else "",
        "what": word("action", change.action) if change.kind == "case" and has_action(change.action) else "",
        "count": change.count,
    }


def has_action(action: str) -> bool:
    return action in GROUPS["action"]


def _seen(line: Line, viewers: Sequence[Viewer]) -> list[dict[str, str]]:
    return [
        {"name": each.name, "since": localtime(each.since).strftime("%H:%M")}
        for each in viewers
        if each.operator_id != line.here.operator_id
    ]
