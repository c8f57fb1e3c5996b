"""Who sits at the desk, for which shops, and what they may do there. `request.desk` on every signed-in request."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseRedirect

from bufa.apps.cases.actors import Actor
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, may, roles_with
from bufa.lib import clock
from bufa.web.words import say, word

CHOSEN = "shop"  # the session's key of the one shop chosen; absent for "all my shops"


@dataclass(frozen=True)
class Seat:
    """One shop that the operator works for."""

    shop_id: int
    name: str
    role: Role
    policy: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    paused: shops.Paused | None = None


@dataclass(frozen=True)
class Desk:
    """`seats`: all shops of the operator. `chosen`: the one picked in the top bar, None for all of them."""

    operator_id: int
    name: str
    seats: tuple[Seat, ...]
    chosen: Seat | None

    @property
    def shops(self) -> list[int]:
        """The shops that pages are about."""
        return [self.chosen.shop_id] if self.chosen else [seat.shop_id for seat in self.seats]

    @property
    def paused(self) -> list[Seat]:
        """The shops that pages are about from which nothing leaves at present."""
        return [seat for seat in ([self.chosen] if self.chosen else self.seats) if seat.paused]

    @property
    def all_shops(self) -> list[int]:
        return [seat.shop_id for seat in self.seats]

    @cached_property
    def names(self) -> dict[int, str]:
        return {seat.shop_id: seat.name for seat in self.seats}

    @property
    def one(self) -> Seat:
        """The shop for pages that are about exactly one: the chosen one, else the first."""
        if not self.seats:
            raise Http404
        return self.chosen or self.seats[0]

    def role(self, shop_id: int) -> Role:
        """The operator's role in that shop; Http404 when they have none (a stranger learns nothing)."""
        for seat in self.seats:
            if seat.shop_id == shop_id:
                return seat.role
        raise Http404

    @property
    def main_role(self) -> Role:
        return self.one.role

    def may(self, permission: Permission | str, shop_id: int | None = None) -> bool:
        role = self.one.role if shop_id is None else self.role(shop_id)
        return may(role, Permission(permission))

    def may_anywhere(self, permission: Permission) -> bool:
        return any(may(seat.role, permission) for seat in self.seats)

    def refusal(self, permission: Permission | str, shop_id: int | None = None) -> str:
        """Why a button is grey, in words; "" when it may be pressed."""
        # Who belongs to no shop still sees pages, with nothing to press.
        if self.seats and self.may(permission, shop_id):
            return ""
        return say(not_allowed(Permission(permission)))

    def check(self, permission: Permission, shop_id: int) -> None:
        """Raise `Refused` unless the operator may do this in that shop."""
        if not may(self.role(shop_id), permission):
            raise Refused("not_allowed", role=self.role(shop_id).value, permission=permission.value)


def not_allowed(permission: Permission) -> Why:
    return Why("ask_role", {"roles": [role.value for role in roles_with(permission)], "permission": permission.value})


class DeskRequest(HttpRequest):
    """What views of the desk get: a request with the desk and htmx on it."""

    desk: Desk
    htmx: bool


def build(request: HttpRequest, found: Sequence[shops.ShopInfo]) -> Desk:
    """The desk of a signed-in request; `found`: the operator's shops."""
    user = request.user
    operator_id = cast(int, user.pk)
    seats = tuple(Seat(each.shop_id, each.name, each.role or Role.AGENT, each.policy, each.paused) for each in found)
    wanted = request.session.get(CHOSEN)
    chosen = next((seat for seat in seats if seat.shop_id == wanted), None)
    if chosen is None and len(seats) == 1:
        chosen = seats[0]
    return Desk(operator_id, getattr(user, "display_name", "") or user.get_username(), seats, chosen)


def desk(request: HttpRequest) -> Desk:
    return cast(DeskRequest, request).desk


def actor(here: Desk, shop_id: int) -> Actor:
    """Who acts, with the role held in that shop."""
    return Actor(here.operator_id, here.name, here.role(shop_id))


def by(request: HttpRequest) -> str:
    """The name under which the operator's acts are recorded."""
    return request.user.get_username()


def tell(request: HttpRequest, text: str, *, undo: str = "", undo_with: Mapping[str, Any] | None = None) -> None:
    """Show a success on the next page; `undo` is the address that takes it back by POST, with these fields."""
    messages.success(
        request, text, extra_tags=f"{undo}?{urlencode(undo_with, doseq=True)}" if undo and undo_with else undo
    )


def tell_refusal(request: HttpRequest, refusal: Refused) -> None:
    messages.error(request, say(refusal.why))


def back_to(url: str) -> HttpResponseRedirect:
    """Go on by GET, so that reloading the page repeats nothing."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def hints(request: HttpRequest, here: Desk | None) -> bool:
    """Whether this person is shown what to press next: until they put it away, and only who works on cases."""
    asked = here is not None and bool(here.seats) and getattr(request.user, "hints", False)
    return asked and here is not None and here.may_anywhere(Permission.WORK_CASE)


def shell(request: HttpRequest) -> dict[str, object]:
    """What the frame around every page needs (a template context processor)."""
    here = getattr(request, "desk", None)
    theme = request.COOKIES.get("theme", "")
    return {
        "desk": here,
        "theme": theme if theme in ("light", "dark") else "",
        "now": clock.now(),
        "world": world_address(),
        "find_text": "",
        "hints": hints(request, here),
        "role_word": word("role", here.main_role.value) if here and here.seats else "",
    }


def world_address() -> str:
    """Where the simulated world shows itself, "" outside of the demo."""
    raw = os.environ.get("BUFA_SIMULATOR", "")
    if not raw:
        return ""
    import json

    try:
        said = json.loads(raw)
    except ValueError:
        return ""
    return str(said.get("world", "")) if isinstance(said, dict) else ""


def sort_by_time(rows: Sequence[tuple[datetime | None, object]]) -> list[object]:
    """Earliest first, those without a time last."""
    timed = sorted(((at, n) for n, (at, _) in enumerate(rows) if at is not None), key=lambda pair: pair[0])
    return [rows[n][1] for _, n in timed] + [row for at, row in rows if at is None]
