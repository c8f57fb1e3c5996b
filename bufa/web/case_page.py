"""One case whole: what is wrong, what to do now, both parcels, the three kinds of evidence, all that was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import ActionView, CaseView
from bufa.apps.effects import queries as effects
from bufa.apps.effects.queries import EffectView
from bufa.apps.negotiations import actions as negotiations_actions
from bufa.apps.negotiations import queries as negotiations
from bufa.apps.notices import queries as notices
from bufa.apps.reissues import booking, corrections
from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Step
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, may
from bufa.lib import clock
from bufa.web import case_forms
from bufa.web.desk import Desk, desk
from bufa.web.findings import put_off_forms
from bufa.web.tasks import OutcomeForm
from bufa.web.timeline import track
from bufa.web.words import say

MOVING = ("ready", "sending", "unknown")
"""Effects that may still change by themselves."""

STEP_OF_NEXT = {
    "submission_accepted": "number",
    "customer_told": "notify",
    "reissue_delivered": "follow",
    "parcel_delivered": "follow",
    "reopen": "follow",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the five steps on the page; the one where the next act happens stands first and open."""

    step: str
    number: int
    template: str
    state: str
    is_now: bool
    is_open: bool


class Acts(dict[str, ActionView | None]):
    """Actions by name; one that has no place here is None, so that templates can ask for any."""

    def __missing__(self, name: str) -> None:
        return None


def page(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    return show(request, shop_id, code)


def show(
    request: HttpRequest, shop_id: int, code: str, failed: dict[str, Form] | None = None, **more: Any
) -> HttpResponse:
    """The page; `failed` are forms as they were typed, by name, with their errors."""
    here = desk(request)
    role = here.role(shop_id)
    now = clock.now()
    found = cases.case_page(shop_id, code, role, now)
    if found is None:
        raise Http404
    said = context(here, found, now, failed or {}) | more
    return render(request, "web/cases/case.html", said, status=422 if failed else 200)


def effects_moved(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """What is under way outside, for htmx to ask; a page whose case has moved on is asked to load itself anew."""
    here = desk(request)
    row = cases.case_by_code([shop_id], code)
    if row is None or shop_id not in here.all_shops:
        raise Http404
    under_way = _effects_of(shop_id, row.case_id)
    signature = sign(row.version, under_way)
    if signature != request.GET.get("seen", ""):
        response = HttpResponse("")
        response["HX-Refresh"] = "true"
        return response
    return render(request, "web/cases/moving.html", _moving(shop_id, code, row.version, under_way))


def sign(version: int, under_way: dict[int, EffectView]) -> str:
    """Changes when there is something new to see."""
    return f"{version}." + ".".join(
        f"{key}{effect.state[0]}{effect.attempt}" for key, effect in sorted(under_way.items())
    )


def _effects_of(shop_id: int, case_id: int) -> dict[int, EffectView]:
    ids = {sent.effect_id for sent in reissues.of_case(shop_id, case_id)}
    ids |= {told.effect_id for told in notices.of_case(shop_id, case_id)}
    ids |= {label.effect_id for label in booking.of_case(shop_id, case_id)}
    ids |= set(negotiations.effect_ids(shop_id, case_id))
    ids |= {each.effect.effect_id for each in corrections.of_case(shop_id, case_id) if each.effect}
    return effects.by_id([shop_id], sorted(each for each in ids if each))


def _moving(shop_id: int, code: str, version: int, under_way: dict[int, EffectView]) -> dict[str, Any]:
    real = clock.real_now()
    rows = []
    for effect in under_way.values():
        if effect.state not in MOVING or (effect.state == "unknown" and effect.needs_person):
            continue
        owner, _, number = effect.subject.partition(":")
        mine = owner in ("reissue", "notice", "correction") and effect.can_cancel and effect.next_at is not None
        left = int((effect.next_at - real).total_seconds()) if mine and effect.next_at else 0
        rows.append({"effect": effect, "owner": owner, "id": number, "seconds": max(0, left)})
    url = reverse("cases_effects", args=[shop_id, code])
    return {
        "moving": rows,
        "moving_url": f"{url}?seen={sign(version, under_way)}",
        "take_back_url": reverse("cases_take_back", args=[shop_id, code]),
    }


def context(here: Desk, found: CaseView, now: datetime, failed: dict[str, Form]) -> dict[str, Any]:
    row = found.row
    shop_id, case_id = row.shop_id, row.case_id
    acts = Acts({each.action: each for each in found.actions})
    current = found.reissue_parcels[-1] if found.reissue_parcels else found.original
    talk = negotiations.of_case(shop_id, case_id, carrier=current.carrier, place=current.place)
    sent = reissues.of_case(shop_id, case_id)
    told = notices.of_case(shop_id, case_id)
    labels = booking.of_case(shop_id, case_id)
    mine |= {one.effect_id for one in labels}
