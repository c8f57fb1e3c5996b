"""The plan of questions to the tracking provider: what it knows, whose turn it is, and what came of each question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from bufa.apps.audit import actions as audit
from bufa.apps.parcels.following import BETWEEN_QUERIES, LONG_AGO, OVER, ToFollow, to_query
from bufa.apps.parcels.models import Parcel, Subscription, TrackingCall
from bufa.apps.shops import queries as shops
from bufa.apps.shops.queries import Asking
from bufa.domain import asking
from bufa.domain.asking import Budget, Call, Turn, Wanting, Why
from bufa.domain.outcome import Refused
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops, reading, writing

ASK = "tracking.query"
PLAN = "tracking.plan"
PERSON = "person"
KEPT = timedelta(days=7)
_LOOKED_AT = 400
"""Parcels that each way of looking (deadline, customer, longest not asked) brings into the plan."""

_FIELDS = (
    "id", "order_id", "carrier", "number", "next_deadline", "created_at", "subscription__last_query_at",
    "subscription__query_after",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call to come, with the parcel it is about."""

    turn: Turn
    carrier: str
    number: str


@dataclass(frozen=True, slots=True)
class MadeCall:
    """One call that was made. `failure`: "" answered, None while nobody knows."""

    parcel_id: int
    carrier: str
    number: str
    at: datetime
    why: str
    by: str
    failure: str | None
    new_scans: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a shop may ask its provider, what it has asked, and what comes next. `wanting`: parcels that are asked about
    by plan; `paused_until`: the provider or the account fails, by `paused_by`."""

    shop_id: int
    how: Asking
    spent: int
    wanting: int
    paused_until: datetime | None
    paused_by: str
    coming: tuple[PlannedCall, ...]

    @property
    def left(self) -> int:
        return max(0, self.how.per_hour - self.spent)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A question that is paid for and has to be asked now."""

    call_id: int
    parcel: ToFollow


def plan(shop_id: int, now: datetime, waiting_orders: Collection[int], *, limit: int = 20) -> Plan:
    """`waiting_orders`: orders whose customer waits for something, as cases know."""
    how = shops.asking(shop_id)
    with for_shops([shop_id], reading=True):
        calls = _calls(shop_id, how.kind, now)
        named, coming = _coming(shop_id, how, calls, now, waiting_orders, limit)
        wanting = _asked_about(shop_id, how, now).count() if how.per_hour else 0
    until = asking.paused_until(calls)
    last = max((call for call in calls if call.failure), key=lambda call: call.at, default=None)
    return Plan(
        shop_id=shop_id,
        how=how,
        spent=asking.spent(calls, now),
        wanting=wanting,
        paused_until=until if until and until > now else None,
        paused_by=(last.failure or "") if last and until and until > now else "",
        coming=tuple(PlannedCall(turn, *named[turn.parcel_id]) for turn in coming),
    )


def turn_of(shop_id: int, parcel_id: int, now: datetime, waiting_orders: Collection[int]) -> Turn | None:
    """When the plan comes to this parcel; None where it does not ask about it. Beyond the plan's sight `at` is when the
    parcel is due, room or no room."""
    how = shops.asking(shop_id)
    if not how.per_hour:
        return None
    with for_shops([shop_id], reading=True):
        row = _asked_about(shop_id, how, now).filter(id=parcel_id).values_list(*_FIELDS).first()
        if row is None:
            return None
        calls = _calls(shop_id, how.kind, now)
        _, coming = _coming(shop_id, how, calls, now, waiting_orders, 200)
    seen = next((turn for turn in coming if turn.parcel_id == parcel_id), None)
    return seen or asking.due(_wanting(row, waiting_orders), BETWEEN_QUERIES)


def made(shop_id: int, *, limit: int = 20) -> list[MadeCall]:
    """The latest calls, newest first."""
    with reading([shop_id]):
        rows = (
            TrackingCall.objects.filter(shop_id=shop_id).select_related("parcel").order_by("-asked_at", "-id")[:limit]
        )
        return [
            MadeCall(
                row.parcel_id, row.parcel.carrier, row.parcel.number, row.asked_at, row.why, row.by, row.failure,
                row.new_scans,
            )
            for row in rows
        ]  # fmt: skip


# --- asking ----------------------------------------------------------------------------------------------------------


def claim_next(shop_id: int, now: datetime, waiting_orders: Collection[int]) -> Claimed | None:
    """Take the next question that may be asked now and write it down as spent, before it is asked; None when the
    budget, a pause or the parcels say "later". Two workers never take the same one."""
    with writing([shop_id]):
        how = shops.asking(shop_id)
        if not how.kind or not how.per_hour:
            return None
        _, coming = _coming(shop_id, how, _calls(shop_id, how.kind, now), now, waiting_orders, 1)
        if not coming or coming[0].at > now:
            return None
        turn = coming[0]
        call_id = _write_down(shop_id, turn.parcel_id, how.kind, now, why=turn.why.value, by="system")
        parcel = to_query(shop_id, turn.parcel_id)
        return Claimed(call_id, parcel) if parcel else None


def claim_for_person(shop_id: int, parcel_id: int, now: datetime, *, by: str) -> int:
    """The same for somebody who wants to know now. Raises Refused: `asked_recently` within the provider's half hour,
    `budget_spent` where the hour's calls are used up, both with `again_at` (ISO)."""
    with writing([shop_id]):
        how = shops.asking(shop_id)
        row = Subscription.objects.select_for_update().get(shop_id=shop_id, parcel_id=parcel_id)
        if row.last_query_at is not None and now < row.last_query_at + BETWEEN_QUERIES:
            raise Refused("asked_recently", again_at=(row.last_query_at + BETWEEN_QUERIES).isoformat())
        again = asking.free_for_people(Budget(how.per_hour), _calls(shop_id, how.kind, now), now)
        if again is not None:
            raise Refused("budget_spent", again_at=again.isoformat(), per_hour=how.per_hour)
        return _write_down(shop_id, parcel_id, how.kind, now, why=PERSON, by=by)


def refresh_tracking(*, shop_id: int, parcel_id: int, by: str, now: datetime) -> None:
    """A person wants to know now: the provider is asked once, soon.

    Raises Refused: `no_number`, `no_tracking_connection`, and as `claim_for_person`.
    """
    with for_shops([shop_id]):
        if not Parcel.objects.filter(shop_id=shop_id, id=parcel_id).exclude(number="").exists():
            raise Refused("no_number")
        kind = shops.tracking_kind(shop_id)
        if not kind:
            raise Refused("no_tracking_connection")
        Subscription.objects.get_or_create(parcel_id=parcel_id, defaults={"shop_id": shop_id, "provider": kind})
        claim_for_person(shop_id, parcel_id, now, by=by)
        audit.record(shop_id, by, "parcel.refresh_tracking", f"parcel:{parcel_id}")
        hint(ASK, once=f"query:{parcel_id}", shop_id=shop_id, parcel_id=parcel_id)


def open_call(shop_id: int, parcel_id: int) -> int | None:
    """The latest question about a parcel whose answer nobody knows yet."""
    with reading([shop_id]):
        rows = TrackingCall.objects.filter(shop_id=shop_id, parcel_id=parcel_id, failure__isnull=True)
        return rows.order_by("-asked_at", "-id").values_list("id", flat=True).first()


def settle(
    shop_id: int,
    call_id: int,
    now: datetime,
    *,
    failure: str = "",
    new_scans: int = 0,
    wait: timedelta | None = None,
) -> None:
    """Write down what came of a question. `failure` "" for an answer, with or without news; `wait`: the provider said
    how long."""
    with for_shops([shop_id]):
        call = TrackingCall.objects.select_for_update().filter(shop_id=shop_id, id=call_id).first()
        if call is None:
            return
        call.failure, call.new_scans = failure[:30], new_scans
        call.save(update_fields=["failure", "new_scans"])
        row = Subscription.objects.select_for_update().filter(shop_id=shop_id, parcel_id=call.parcel_id).first()
        if row is None:
            return
        row.error = failure[:120]
        if not failure:
            row.query_failures, row.query_after = 0, None
        elif failure not in asking.STANDING:
            row.query_failures = min(row.query_failures + 1, 1000)
            pause = max(asking.back_off(failure, row.query_failures, BETWEEN_QUERIES), wait or timedelta(0))
            row.query_after = now + pause
        row.save(update_fields=["error", "query_failures", "query_after"])


def prune(shop_ids: Iterable[int], now: datetime) -> int:
    """Forget old calls. Returns how many."""
    with for_shops(shop_ids) as ids:
        return TrackingCall.objects.filter(shop_id__in=ids, asked_at__lt=now - KEPT).delete()[0]


def _write_down(shop_id: int, parcel_id: int, kind: str, now: datetime, *, why: str, by: str) -> int:
    call = TrackingCall.objects.create(
        shop_id=shop_id, parcel_id=parcel_id, provider=kind, asked_at=now, why=why, by=by[:80], failure=None
    )
    Subscription.objects.update_or_create(
        parcel_id=parcel_id,
        defaults={"last_query_at": now},
        create_defaults={"shop_id": shop_id, "provider": kind, "last_query_at": now},
    )
    return call.pk


# --- what the plan looks at ------------------------------------------------------------------------------------------


def _calls(shop_id: int, kind: str, now: datetime) -> list[Call]:
    """Those of the last hour, and as many more as tell whether the provider fails."""
    rows = TrackingCall.objects.filter(shop_id=shop_id, provider=kind)
    fresh = rows.filter(asked_at__gt=now - asking.HOUR).values_list("asked_at", "why", "failure")
    latest = (
        rows.filter(asked_at__lte=now - asking.HOUR).order_by("-asked_at").values_list("asked_at", "why", "failure")
    )
    return [Call(at, why != PERSON, failure) for at, why, failure in [*fresh, *latest[:10]]]


def _asked_about(shop_id: int, how: Asking, now: datetime) -> Any:
    """Parcels under way with a number. Where the provider pushes, those that it does not follow."""
    rows = Parcel.objects.filter(shop_id=shop_id, is_watched=True).exclude(number="").exclude(stage__in=OVER)
    rows = rows.filter(Q(last_scan_at__isnull=True) | Q(last_scan_at__gt=now - LONG_AGO))
    return rows.exclude(subscription__state="active") if how.pushes else rows


def _coming(
    shop_id: int, how: Asking, calls: list[Call], now: datetime, waiting_orders: Collection[int], limit: int
) -> tuple[Mapping[int, tuple[str, str]], list[Turn]]:
    """(parcel → carrier and number, the next turns). Of a large shop the plan looks at those with the nearest deadline,
    those whose customer waits and those longest not asked."""
    if not how.per_hour:
        return {}, []
    rows = _asked_about(shop_id, how, now)
    found: dict[int, Any] = {}
    for some in (
        rows.filter(next_deadline__isnull=False).order_by("next_deadline", "id"),
        rows.filter(order_id__in=list(waiting_orders)).order_by("id"),
        rows.order_by("subscription__last_query_at", "created_at", "id"),
        rows.filter(subscription__last_query_at__isnull=True).order_by("created_at", "id"),
    ):
        found |= {row[0]: row for row in some.values_list(*_FIELDS)[:_LOOKED_AT]}
    wanting = [_wanting(row, waiting_orders) for row in found.values()]
    coming = asking.turns(wanting, Budget(how.per_hour), calls, now, between=BETWEEN_QUERIES, limit=limit)
    return {row[0]: (row[2], row[3]) for row in found.values()}, coming


def _wanting(row: Any, waiting_orders: Collection[int]) -> Wanting:
    parcel_id, order_id, _, _, deadline, created_at, asked_at, not_before = row
    return Wanting(parcel_id, deadline, order_id in waiting_orders, asked_at, created_at, not_before)


def reasons() -> tuple[str, ...]:
    """Every word that `why` may be."""
    return (*(why.value for why in Why), PERSON)
