"""The places of the desk: what the rail, the bar at the thumb and the keys `g …` lead to.

A new page adds one line here. Whatever is not in the URLconf, or not for this person, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bufa.domain.permissions import Permission
from bufa.web.desk import Desk

WORK, LOOK, KEEP = "work", "look", "keep"
"""What is done all day; what is looked at; what is set up. The rail draws a line between them."""


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the navigation. `key`: pressed after g. `thumb`: stands in the bar of a phone. `marks`: prefixes
    of URL names that lie in this place."""

    name: str
    label: str | Promise
    icon: str
    group: str = WORK
    key: str = ""
    thumb: bool = False
    marks: tuple[str, ...] = ()
    permission: Permission | None = None


PLACES: tuple[Place, ...] = (
    Place("today", _("今日"), "sun", key="t", thumb=True),
    Place("triage", _("新发现"), "bell-alert", key="n", thumb=True),
    Place("cases", _("案件"), "briefcase", key="c", thumb=True),
    Place("parcels", _("包裹"), "cube", key="p", thumb=True),
    Place("incidents", _("事故"), "fire", key="i"),
    Place("aftersales", _("补寄申请"), "chat-bubble-left-right", key="a"),
    Place("tasks", _("电话"), "phone", key="d", thumb=True),
    Place("carriers", _("承运商"), "building-office-2", key="o"),
    Place("bulk", _("批量补发"), "queue-list", key="b", permission=Permission.SUBMIT_REISSUE),
    Place("warehouse", pgettext_lazy("nav", "仓库"), "qr-code", key="w", thumb=True, permission=Permission.PACK),
    Place("insights", _("洞察"), "chart-bar", LOOK, key="s"),
    Place("inbox", _("收件箱"), "inbox", LOOK, key="m"),
    Place(
        "claims", _("理赔"), "banknotes", LOOK, key="l", marks=("claims", "deductions"), permission=Permission.SEE_MONEY
    ),
    Place("stock", _("库存"), "archive-box", KEEP, key="k"),
    Place("imports", _("导入"), "arrow-up-tray", KEEP, key="u", marks=("import",)),
    Place("settings_shop", _("设置"), "cog-6-tooth", KEEP, key="e", marks=("settings",)),
)

THUMBS = 4
"""Places in the bar of a phone, beside the one that opens all the others."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place as it is drawn for one request."""

    place: Place
    url: str
    is_here: bool
    thumb: bool
    divides: bool


def links(request: HttpRequest, here: Desk | None) -> list[Link]:
    """What this person may open, in order."""
    if here is None or not here.seats:
        return []
    found: list[Link] = []
    thumbs = 0
    group = WORK
    match = request.resolver_match
    current = (match.url_name or "") if match else ""
    for place in PLACES:
        url = _address(place.name)
        if not url or (place.permission and not here.may_anywhere(place.permission)):
            continue
        thumb = place.thumb and thumbs < THUMBS
        thumbs += thumb
        divides = place.group != group
        group = place.group
        found.append(Link(place, url, _is_here(place, current), thumb, divides))
    return found


def _is_here(place: Place, current: str) -> bool:
    marks = place.marks or (place.name,)
    return any(current == mark or current.startswith((f"{mark}_", f"{mark}-")) for mark in marks)


@cache
def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
