"""Saved views of the list of cases: a name for filters and columns, one's own or the shop's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import SavedView
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.tenancy import for_shops, reading

MOST = 30
"""Views that one person (or the shop) keeps."""

KEPT = timedelta(days=7)
"""How long a deleted view can be brought back."""

SHARING = frozenset({Role.LEAD, Role.OWNER})


@dataclass(frozen=True, slots=True)
class ViewInfo:
    view_id: int
    shop_id: int
    name: str
    query: str
    columns: tuple[str, ...]
    is_shared: bool
    by: str


def views_of(shops: Sequence[int], operator_id: int) -> tuple[ViewInfo, ...]:
    """The shops' shared views, then the operator's own, each in its order."""
    with reading(shops):
        rows = SavedView.objects.filter(shop_id__in=shops, gone_at=None).order_by("position", "id")
        mine = [_view(row) for row in rows if row.owner_id in (None, operator_id)]
    return tuple(sorted(mine, key=lambda one: not one.is_shared))


def save(
    *,
    shop_id: int,
    name: str,
    query: str,
    columns: Sequence[str],
    shared: bool,
    by: Actor,
    now: datetime | None = None,
) -> int:
    """Keep a view. Raises Refused: parameter_missing (name), too_many_views, not_allowed (sharing is the lead's)."""
    operator_id = _person(by, shared=shared)
    if not (name := name.strip()[:40]):
        raise Refused("parameter_missing", name="name")
    with for_shops([shop_id]):
        there = SavedView.objects.filter(shop_id=shop_id, owner_id=None if shared else operator_id, gone_at=None)
        if there.count() >= MOST:
            raise Refused("too_many_views", most=MOST)
        row = SavedView.objects.create(
            shop_id=shop_id,
            owner_id=None if shared else operator_id,
            name=name,
            query=query[:400],
            columns=list(columns),
            by=by.name,
            created_at=now or clock.now(),
        )
        audit.record(shop_id, by.ref, "view.save", f"view:{row.pk}")
        return row.pk


def rename(*, shop_id: int, view_id: int, name: str, by: Actor) -> str:
    """Give it another name; returns the one it had. Raises Refused as `save`, and no_such_view."""
    if not (name := name.strip()[:40]):
        raise Refused("parameter_missing", name="name")
    with for_shops([shop_id]):
        row = _mine(shop_id, view_id, by)
        before, row.name = row.name, name
        row.save(update_fields=["name"])
        audit.record(shop_id, by.ref, "view.rename", f"view:{view_id}")
        return before


def delete(*, shop_id: int, view_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take it out of the tabs; `bring_back` undoes it."""
    now = now or clock.now()
    with for_shops([shop_id]):
        row = _mine(shop_id, view_id, by)
        row.gone_at = now
        row.save(update_fields=["gone_at"])
        SavedView.objects.filter(shop_id=shop_id, gone_at__lt=now - KEPT).delete()
        audit.record(shop_id, by.ref, "view.delete", f"view:{view_id}")


def bring_back(*, shop_id: int, view_id: int, by: Actor) -> None:
    with for_shops([shop_id]):
        row = _mine(shop_id, view_id, by)
        row.gone_at = None
        row.save(update_fields=["gone_at"])
        audit.record(shop_id, by.ref, "view.back", f"view:{view_id}")


def _person(by: Actor, *, shared: bool) -> int:
    if by.role is None or by.operator_id is None:
        raise Refused("people_only", action="view")
    if shared and by.role not in SHARING:
        raise Refused("view_is_shared")
    return by.operator_id


def _mine(shop_id: int, view_id: int, by: Actor) -> SavedView:
    """The view, if it is this person's to change: one's own, and the shop's for who may share."""
    row = SavedView.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, id=view_id).first()
    if row is None or row.owner_id not in (None, by.operator_id):
        raise Refused("no_such_view")
    _person(by, shared=row.owner_id is None)
    return row


def _view(row: SavedView) -> ViewInfo:
    columns = tuple(str(name) for name in row.columns)
    return ViewInfo(row.pk, row.shop_id, row.name, row.query, columns, row.owner_id is None, row.by)
