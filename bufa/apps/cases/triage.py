"""New findings, looked at one after the other: real, the same as something known, none, or later. Each is undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions, putting_off
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, Finding
from bufa.apps.cases.rows import case_row, case_rows, finding_view
from bufa.apps.cases.shapes import CaseRow, FindingView
from bufa.apps.orders import queries as orders
from bufa.apps.orders.views import order_view
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock, keyset
from bufa.lib.shelf import together
from bufa.lib.tenancy import reading, writing

REAL = "real"
COUNTED = 1_000
"""How far the queue is counted."""

_ORDER = keyset.Order(Finding._meta.db_table, "found_at")
_NEW = (
    "t.state = 'open'",
    "t.triaged_at IS NULL",
    # What somebody works on by now needs no triage any more.
    (
        "(t.case_id IS NULL OR EXISTS (SELECT 1 FROM cases_case c WHERE c.id = t.case_id AND c.shop_id = t.shop_id"
        " AND c.state = 'determining' AND c.owner_id IS NULL))"
    ),
)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A finding that nobody has looked at, with what it is about. `known`: open cases that it may be the same as."""

    shop_id: int
    finding: FindingView
    parcel: ParcelView
    case: CaseRow | None
    known: tuple[CaseRow, ...] = ()


def queue(shops: Sequence[int], cursor: str = "", limit: int = 50) -> tuple[tuple[Fresh, ...], str]:
    """New findings, the one that waits longest first, a page at a time; with them where the next page begins."""
    with reading(shops):
        found, more = keyset.ids(shops, _ORDER, _NEW, {}, cursor, limit)
        return _fresh(shops, found), more


def count(shops: Sequence[int]) -> int:
    """How many wait; `COUNTED` + 1 for more."""
    with reading(shops):
        return len(keyset.ids(shops, _ORDER, _NEW, {}, "", COUNTED + 1)[0])


def one(shops: Sequence[int], finding_id: int | None = None) -> tuple[Fresh | None, int]:
    """The finding named, if it waits, else the first of the queue, with its scans and the cases that it may belong to;
    and how many wait."""
    with reading(shops):
        waiting, _ = keyset.ids(shops, _ORDER, _NEW, {}, "", COUNTED + 1)
        wanted = finding_id if finding_id in waiting else next(iter(waiting), None)
        first = next(iter(_fresh(shops, [wanted], with_scans=True)), None) if wanted else None
        if first is None:
            return None, len(waiting)
        return replace(first, known=_known(first, clock.now())), len(waiting)


def _fresh(shops: Sequence[int], finding_ids: Sequence[int], *, with_scans: bool = False) -> tuple[Fresh, ...]:
    found = Finding.objects.filter(shop_id__in=shops, id__in=finding_ids)
    rows = {row.pk: row for row in found.select_related("case__order", "case__parcel", "case__owner")}
    ids = sorted({row.parcel_id for row in rows.values()})
    beside: list[Callable[[], object]] = []
    for row in rows.values() if with_scans else ():
        if row.case is not None:  # who it is for, and who else that was
            beside.append(partial(order_view, row.shop_id, row.case.order_id))
            beside.append(partial(orders.same_recipient, row.shop_id, row.case.order_id, row.since))
    together(lambda: parcel_views(shops, ids, with_scans=with_scans), *beside)
    parcels = parcel_views(shops, ids, with_scans=with_scans)
    waiting = [rows[key] for key in finding_ids if key in rows and rows[key].parcel_id in parcels]
    return tuple(
        Fresh(row.shop_id, finding_view(row), parcels[row.parcel_id], case_row(row.case) if row.case else None)
        for row in waiting
    )


def _known(fresh: Fresh, now: datetime) -> tuple[CaseRow, ...]:
    """Other open cases of the same order, or of the same recipient."""
    shop_id, mine = fresh.shop_id, fresh.case.case_id if fresh.case else 0
    others = orders.same_recipient(shop_id, fresh.parcel.order_id, now - putting_off.LONGEST * 3, limit=50)
    rows = case_rows([shop_id]).filter(order_id__in=[fresh.parcel.order_id, *others]).exclude(state="closed")
    return tuple(case_row(row) for row in rows.exclude(id=mine).order_by("-id")[:5])


def confirm(*, shop_id: int, finding_id: int, by: Actor, now: datetime | None = None) -> None:
    """It is real: from now on it counts as certain. Raises Refused `finding_not_open`, `already_triaged` (by)."""
    now = now or clock.now()
    _may(by)
    with writing([shop_id]):
        row = _waiting(shop_id, finding_id)
        row.triaged_at, row.triaged_by, row.triaged_as = now, by.name, REAL
        row.save(update_fields=["triaged_at", "triaged_by", "triaged_as"])
        _tell(row, "finding_real", by, now)


def take_back(*, shop_id: int, finding_id: int, by: Actor, now: datetime | None = None) -> None:
    """Undo `confirm`: the finding waits again."""
    now = now or clock.now()
    _may(by)
    with writing([shop_id]):
        row = Finding.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=finding_id)
        if row.triaged_at is None:
            raise Refused("finding_not_put_off")
        row.triaged_at, row.triaged_by, row.triaged_as = None, "", ""
        row.save(update_fields=["triaged_at", "triaged_by", "triaged_as"])
        _tell(row, "finding_real_back", by, now)


def same_as(*, shop_id: int, finding_id: int, code: str, by: Actor, now: datetime | None = None) -> None:
    """It is what another open case is about: dismissed here with that reason, and written down there.

    `putting_off.bring_back` undoes it. Raises Refused no_open_case (case), same_as_itself, and as `confirm` does.
    """
    now = now or clock.now()
    _may(by)
    with writing([shop_id]):
        row = _waiting(shop_id, finding_id)
        other = Case.objects.filter(shop_id=shop_id, code=code.strip().upper()).exclude(state="closed").first()
        if other is None:
            raise Refused("no_open_case", case=code.strip()[:24])
        if other.pk == row.case_id:
            raise Refused("same_as_itself")
        putting_off.dismiss(shop_id=shop_id, finding_id=finding_id, by=by, reason=f"→ {other.code}", now=now)
        data = {"rule": row.rule, "code": row.case.code if row.case else ""}
        actions.log(shop_id=shop_id, case_id=other.pk, kind="finding_same", by=by, now=now, data=data)


def none(*, shop_id: int, finding_id: int, by: Actor, reason: str, now: datetime | None = None) -> None:
    """It is no anomaly: dismissed with the reason. `putting_off.bring_back` undoes it."""
    with writing([shop_id]):
        _waiting(shop_id, finding_id)
        putting_off.dismiss(shop_id=shop_id, finding_id=finding_id, by=by, reason=reason, now=now)


def later(*, shop_id: int, finding_id: int, by: Actor, reason: str, now: datetime | None = None) -> None:
    """Put off until the parcel's next scan. `putting_off.bring_back` undoes it."""
    with writing([shop_id]):
        _waiting(shop_id, finding_id)
        putting_off.snooze(shop_id=shop_id, finding_id=finding_id, by=by, reason=reason, now=now)


def _may(by: Actor) -> None:
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)


def _waiting(shop_id: int, finding_id: int) -> Finding:
    row = Finding.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=finding_id)
    if row.triaged_at is not None:
        raise Refused("already_triaged", by_name=row.triaged_by)
    if row.state != "open":
        raise Refused("finding_not_open", finding_state=row.state)
    return row


def _tell(row: Finding, kind: str, by: Actor, now: datetime) -> None:
    audit.record(row.shop_id, by.ref, kind.replace("_", ".", 1), f"finding:{row.pk}", {"rule": row.rule})
    if row.case_id is not None:
        actions.log(shop_id=row.shop_id, case_id=row.case_id, kind=kind, by=by, now=now, data={"rule": row.rule})
        actions.look_again(shop_id=row.shop_id, case_id=row.case_id, now=now)
