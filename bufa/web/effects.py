"""One change outside, whole: why the system did what it did, every attempt, every read-back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from bufa.apps.cases import queries as cases
from bufa.apps.effects import queries as effects
from bufa.apps.effects.queries import EffectView
from bufa.web.desk import desk


def page(request: HttpRequest, shop_id: int, effect_id: int) -> HttpResponse:
    """`?case=` names the case to go back to."""
    here = desk(request)
    effect = effects.by_id([shop_id], [effect_id]).get(effect_id) if shop_id in here.all_shops else None
    if effect is None:
        raise Http404
    code = request.GET.get("case", "")[:40]
    said: dict[str, Any] = {
        "effect": effect,
        "case": cases.case_by_code([shop_id], code) if code else None,
        "request_fields": _fields(effect),
        "method": effect.attempts[-1].request.get("method", "") if effect.attempts else "",
        "looks": [look | {"at": datetime.fromisoformat(look["at"])} for look in effect.looks],
    }
    return render(request, "web/effect.html", said)


def _fields(effect: EffectView) -> list[tuple[str, str]]:
    """What the last attempt sent, without buyers' data."""
    sent = effect.attempts[-1].request.get("fields", {}) if effect.attempts else {}
    return [(name, _text(value)) for name, value in sent.items()]


def _text(value: object) -> str:
    if isinstance(value, list):
        return "，".join(
            f"{row[0]} × {row[1]}" if isinstance(row, list) and len(row) == 2 else str(row) for row in value
        )
    return str(value)
