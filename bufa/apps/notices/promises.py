"""The promise ledger: each date that a customer was told has a clock of its own, and is kept, broken or told anew.

The sweep looks at what is due. Before a promise breaks its case says so, and Today; a person sends the new date, which
is worked out from the lane. Nothing is sent by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import Count

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM
from bufa.apps.cases.models import Case
from bufa.apps.notices.models import Notice, Promise
from bufa.apps.parcels.queries import outlook
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.domain.cases import CaseFacts, CaseState, Purpose
from bufa.domain.parcels import ParcelState
from bufa.domain.promise_ledger import Promised, PromiseState, Ruling, holds_until, new_dates, rule
from bufa.lib.tenancy import reading, writing

RENEWS = (Purpose.NEW_PROMISE, Purpose.CHASE_UPDATE)
"""Messages that tell a new date; each once a round, in this order."""

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One date told, in a list."""

    shop_id: int
    case_id: int
    case_code: str
    promise_id: int
    state: str
    made_at: datetime
    first: datetime
    until: datetime
    warned_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Promises whose last day lay in a span, by what became of them."""

    kept: int = 0
    broken: int = 0
    moved: int = 0
    void: int = 0
    running: int = 0

    @property
    def settled(self) -> int:
        return self.kept + self.broken + self.moved

    @property
    def share(self) -> float | None:
        """Of those that came to an end: kept, or told anew in time. None without any."""
        return (self.kept + self.moved) / self.settled if self.settled else None


def made(row: Notice, now: datetime) -> None:
    """A message with a date reached the customer: from now on it is a promise. Inside the shop's turn to write."""
    if row.promised_to is None or "eta" not in row.params:
        return
    _, parcels, _ = cases.about(shop_id=row.shop_id, case_id=row.case_id)
    until = holds_until(row.promised_to)
    first = cases.kept_facts(shop_id=row.shop_id, case_id=row.case_id).get("promise_from")
    told = Promise(
        shop_id=row.shop_id,
        notice=row,
        case_id=row.case_id,
        parcel_id=parcels[-1],
        made_at=now,
        first=datetime.fromisoformat(first) if first else row.promised_to,
        until=until,
    )
    earlier = Promise.objects.filter(shop_id=row.shop_id, case_id=row.case_id, state="running")
    earlier.update(next_at=now)  # settled by the next look: this one has taken their place
    if now >= until:
        told.state, told.settled_at = PromiseState.BROKEN.value, until  # it was over before it arrived
    else:
        told.next_at = now
    if not Promise.objects.filter(shop_id=row.shop_id, notice=row).exists():
        told.save()


def dates(shop_id: int, facts: CaseFacts, current: ParcelView, now: datetime) -> tuple[datetime, datetime] | None:
    """The days that a new message tells: the lane's, never one that is over. None where nothing was promised."""
    if facts.promise_at is None:
        return None
    seen = outlook(current, now)
    expected = (seen.eta.p50, seen.eta.p90) if seen is not None and seen.credible else None
    return new_dates(expected, holds_until(facts.promise_at), now)


def next_purpose(shop_id: int, case_id: int, facts: CaseFacts) -> Purpose | None:
    """Which message tells the new date now; None where no promise is about to break, or both have been used."""
    if not facts.promise_breaks or facts.state is not CaseState.FOLLOWING:
        return None
    with reading([shop_id]):
        rows = Notice.objects.filter(shop_id=shop_id, case_id=case_id, round=facts.round)
        said = set(rows.exclude(state__in=["cancelled", "failed"]).values_list("purpose", flat=True))
    return next((purpose for purpose in RENEWS if purpose.value not in said), None)


def look(shops: Sequence[int], now: datetime) -> int:
    """Look at the promises that are due; returns how many. Each case's in a transaction of its own."""
    with reading(shops):
        rows = Promise.objects.filter(shop_id__in=shops, state="running", next_at__lte=now).order_by("next_at", "id")
        due = sorted(set(rows.values_list("shop_id", "case_id")[:AT_ONCE]))
    for (shop_id, case_id), _ in groupby(due):
        with writing([shop_id]):
            _look(shop_id, case_id, now)
    return len(due)


def breaking(shops: Sequence[int], limit: int = 6) -> tuple[PromiseRow, ...]:
    """Promises that look as if they would break, the soonest first: what Today shows."""
    with reading(shops):
        rows = Promise.objects.filter(shop_id__in=shops, state="running", warned_at__isnull=False)
        return tuple(_row(one) for one in rows.select_related("case").order_by("until", "id")[:limit])


def of_case(shop_id: int, case_id: int) -> tuple[PromiseRow, ...]:
    """All that a case promised, oldest first."""
    with reading([shop_id]):
        rows = Promise.objects.filter(shop_id=shop_id, case_id=case_id).select_related("case").order_by("id")
        return tuple(_row(one) for one in rows)


def ledger(shops: Sequence[int], since: datetime, until: datetime) -> Ledger:
    """What became of the promises that ended between two instants."""
    with reading(shops):
        rows = Promise.objects.filter(shop_id__in=shops, until__gt=since, until__lte=until)
        found = dict(rows.values_list("state").annotate(count=Count("id")).order_by())
    return Ledger(**{state.value: found.get(state.value, 0) for state in PromiseState})


# --- inside ----------------------------------------------------------------------------------------------------------


def _look(shop_id: int, case_id: int, now: datetime) -> None:
    running = Promise.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, case_id=case_id, state="running")
    told = list(running.order_by("id"))
    if not told:
        return
    case = Case.objects.get(shop_id=shop_id, id=case_id)
    facts, ids, _ = cases.about(shop_id=shop_id, case_id=case_id)
    views = parcel_views([shop_id], ids)
    seen = outlook(views[ids[-1]], now) if ids[-1] in views else None
    expected = seen.eta.p90 if seen is not None and seen.credible else None
    all_made = list(Promise.objects.filter(shop_id=shop_id, case_id=case_id).values_list("made_at", flat=True))
    warn = False
    for one in told:
        ruling = rule(
            Promised(one.made_at, one.until),
            arrived_at=_arrived(views, one.made_at),
            renewed_at=min((at for at in all_made if at > one.made_at), default=None),
            ended_at=case.closed_at,
            expected=expected,
            now=now,
        )
        _settle(one, ruling, now)
        warn = warn or ruling.warn
    if warn != facts.promise_breaks:
        cases.update_facts(shop_id=shop_id, case_id=case_id, now=now, promise_breaks=warn)


def _settle(row: Promise, ruling: Ruling, now: datetime) -> None:
    is_new = ruling.warn and row.warned_at is None and ruling.state is PromiseState.RUNNING
    row.state, row.settled_at, row.next_at = ruling.state.value, ruling.settled_at, ruling.next_at
    if ruling.state is PromiseState.RUNNING:
        row.warned_at = (row.warned_at or now) if ruling.warn else None
    row.save(update_fields=["state", "settled_at", "next_at", "warned_at"])
    kinds = {PromiseState.KEPT: "promise_kept", PromiseState.BROKEN: "promise_broken"}
    kind = "promise_breaks" if is_new else kinds.get(ruling.state)
    if kind is not None:
        data = {"until": row.until.isoformat()}
        cases.log(shop_id=row.shop_id, case_id=row.case_id, kind=kind, by=SYSTEM, now=now, data=data)


def _arrived(views: dict[int, ParcelView], since: datetime) -> datetime | None:
    """When the first of the case's parcels was signed for, after the promise."""
    times = [ParcelState.from_json(view.state).delivered_at for view in views.values() if view.stage == "delivered"]
    return min((at for at in times if at is not None and at >= since), default=None)


def _row(one: Promise) -> PromiseRow:
    return PromiseRow(
        one.shop_id, one.case_id, one.case.code, one.pk, one.state, one.made_at, one.first, one.until, one.warned_at,
        one.settled_at,
    )  # fmt: skip
