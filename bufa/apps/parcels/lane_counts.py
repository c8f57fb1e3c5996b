"""What passed parcels have taught about lanes: each counted once, as histograms, asked for by a parcel's levels."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import QuerySet

from bufa.apps.parcels.models import LaneCount, Parcel
from bufa.apps.parcels.recording import scans_of
from bufa.apps.shops import queries as shops
from bufa.domain import lanes, passing
from bufa.domain.histograms import Histogram, total
from bufa.domain.kinds import Stage
from bufa.domain.lanes import Eta, Learned, Leg
from bufa.domain.parcels import SIGNATURE_SETTLES, ParcelState
from bufa.domain.passing import CountKey, Fate
from bufa.domain.regions import Distance, distance
from bufa.lib.db import unnest_insert
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import for_shops, writing

LOSS_LEVEL = "loss_level"
"""Entry of the shop's policy: from which chance of loss on, in per cent, a silence that no rule covers is wrong."""

OVER = (Stage.DELIVERED.value, Stage.RETURNED.value, Stage.CANCELLED.value)
REMEMBERED = 600.0
"""Real seconds for which a process remembers an allowance: lanes change by the week."""

_allowances: dict[tuple[int, tuple[str, ...], Stage, float], tuple[float, float | None]] = {}
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of a parcel. `loss`: the chance that it is lost, given its silence; None where it says nothing.
    `rests_on`: how many parcels of its lane the estimate rests on, 0 for the fixed hours."""

    eta: Eta
    loss: float | None
    rests_on: int

    @property
    def credible(self) -> bool:
        """Whether the expected delivery may still be believed."""
        return lanes.is_credible(self.loss)


# --- learning --------------------------------------------------------------------------------------------------------


def learn(shop_ids: Sequence[int], now: datetime, limit: int = 500) -> int:
    """Count parcels that reached an end since the last time. Returns how many were taken up; 0 when none is left."""
    with for_shops(shop_ids):
        rows = Parcel.objects.filter(shop_id__in=shop_ids, learned_at__isnull=True, stage__in=OVER)
        ripe = rows.filter(last_scan_at__lt=now - SIGNATURE_SETTLES).order_by("last_scan_at")
        found = list(ripe.values_list("shop_id", "id")[:limit])
    return sum(_learn(shop_id, ids, now) for shop_id, ids in _by_shop(found))


def learn_losses(shop_ids: Sequence[int], now: datetime, after: int, limit: int = 2000) -> tuple[int, int | None]:
    """The same for parcels that never ended, a page by id from `after` on: how many were counted, and the last id
    looked at (None at the end). Once a day is enough: it takes weeks until a parcel is given up."""
    silent_since = now - timedelta(days=lanes.settings()["lost_when_said_days"])
    with for_shops(shop_ids):
        rows = Parcel.objects.filter(shop_id__in=shop_ids, id__gt=after, learned_at__isnull=True)
        rows = rows.exclude(stage__in=OVER).filter(last_scan_at__lt=silent_since).order_by("id")
        found = list(rows.values_list("shop_id", "id")[:limit])
    counted = sum(_learn(shop_id, ids, now) for shop_id, ids in _by_shop(found))
    return counted, max(row_id for _, row_id in found) if len(found) == limit else None


def _by_shop(found: Iterable[tuple[int, int]]) -> list[tuple[int, list[int]]]:
    return [(shop_id, [one[1] for one in ids]) for shop_id, ids in groupby(sorted(found), key=lambda one: one[0])]


def _learn(shop_id: int, parcel_ids: Sequence[int], now: datetime) -> int:
    """Count these parcels, unless somebody did meanwhile; those that are still open are left for later."""
    counts: dict[CountKey, list[Histogram]] = {}
    with writing([shop_id]):
        rows = list(
            Parcel.objects.select_for_update()
            .filter(shop_id=shop_id, id__in=parcel_ids, learned_at__isnull=True)
            .order_by("id")
        )
        scans = scans_of(shop_id, [row.pk for row in rows])
        done = []
        for row in rows:
            fate = passing.fate_of(ParcelState.from_json(row.state), now)
            if fate is Fate.OPEN:
                continue
            done.append(row.pk)
            keys = lanes.ladder(row.carrier, row.origin_province, row.dest_province)
            for key, histogram in passing.lessons(scans.get(row.pk, []), fate, now, keys).items():
                counts.setdefault(key, []).append(histogram)
        _add(shop_id, {key: total(parts) for key, parts in counts.items()})
        Parcel.objects.filter(shop_id=shop_id, id__in=done).update(learned_at=now)
    forget(shop_id)
    return len(done)


def _add(shop_id: int, more: Mapping[CountKey, Histogram]) -> None:
    """Add to what is kept: one read, one write. The shop's turn at writing is ours."""
    keys = list(more)
    kept = dict(
        _kept(shop_id, {key for key, _, _ in keys}, {leg for _, leg, _ in keys}, months={at for *_, at in keys})
    )
    whole = [kept[key] + more[key] if key in kept else more[key] for key in keys]
    unnest_insert(
        LaneCount._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(keys)),
            "key": ("text", [key for key, _, _ in keys]),
            "leg": ("text", [leg.value for _, leg, _ in keys]),
            "month": ("date", [month for _, _, month in keys]),
            "counts": ("jsonb", [json.dumps(each.to_json()) for each in whole]),
        },
        on_conflict="(shop_id, key, leg, month) DO UPDATE SET counts = EXCLUDED.counts",
    )


def prune(shop_ids: Sequence[int], now: datetime) -> int:
    """Delete months that nobody asks for any more. Returns how many rows."""
    oldest = min(passing.times_from(now), passing.silences_from_to(now)[0])
    with for_shops(shop_ids):
        return LaneCount.objects.filter(shop_id__in=shop_ids, month__lt=oldest).delete()[0]


# --- asking ----------------------------------------------------------------------------------------------------------


@prepared
def _since(shop_id: int, keys: Sequence[str], legs: Sequence[str], since: date) -> QuerySet[LaneCount, tuple[Any, ...]]:
    rows = LaneCount.objects.filter(shop_id=shop_id, key__one_of=keys, leg__one_of=legs, month__gte=since)
    return rows.values_list("key", "leg", "month", "counts")


def _kept(
    shop_id: int, keys: Iterable[str], legs: Iterable[Leg], *, months: Iterable[date] = (), since: date | None = None
) -> list[tuple[CountKey, Histogram]]:
    wanted, of_legs = list(keys), [leg.value for leg in legs]
    found: Any
    if since:
        found = _since(shop_id, wanted, of_legs, since)
    else:
        rows = LaneCount.objects.filter(shop_id=shop_id, key__in=wanted, leg__in=of_legs, month__in=list(months))
        found = rows.values_list("key", "leg", "month", "counts")
    return [((key, Leg(leg), month), Histogram.from_json(counts)) for key, leg, month, counts in found]


@remembered
def learned(shop_id: int, keys: Iterable[str], legs: Iterable[Leg], now: datetime) -> Learned:
    """What the shop has learned on these levels about these legs; a few dozen small rows."""
    since = min(passing.times_from(now), passing.silences_from_to(now)[0])
    with for_shops([shop_id], reading=True):
        return passing.learned(_kept(shop_id, keys, legs, since=since), now)


def eta(shop_id: int, carrier: str, origin: str, destination: str, collected_at: datetime | None, now: datetime) -> Eta:
    """When a parcel on this lane is expected (`lanes.eta`), by what the shop's own parcels have taught."""
    known = learned(shop_id, lanes.ladder(carrier, origin, destination), (Leg.TOTAL,), now)
    return lanes.eta(carrier, origin, destination, collected_at, now, learned=known)


def loss_chance(
    shop_id: int,
    carrier: str,
    origin: str,
    destination: str,
    stage: Stage,
    last_scan_at: datetime | None,
    now: datetime,
) -> float:
    """The chance that a parcel silent since then is lost (`lanes.loss_chance`); 0 for one that was never scanned."""
    if last_scan_at is None or (leg := lanes.silent_leg(stage)) is None:
        return 0.0
    keys = lanes.ladder(carrier, origin, destination)
    hours = max(0.0, (now - last_scan_at).total_seconds() / 3600)
    known = learned(shop_id, keys, (leg,), now)
    return lanes.loss_chance(hours, stage, distance(origin, destination), keys=keys, learned=known)


def outlook(
    shop_id: int,
    *,
    carrier: str,
    origin: str,
    destination: str,
    stage: Stage,
    state: ParcelState,
    now: datetime,
) -> Outlook | None:
    """What the page of a parcel says about its future; None when it has none."""
    leg = lanes.silent_leg(stage)
    if leg is None or state.newest_at is None:
        return None
    keys = lanes.ladder(carrier, origin, destination)
    known = learned(shop_id, keys, (Leg.TOTAL, Leg.DELIVERY, leg), now)
    out_at = state.last.get(passing.OUT) if stage is Stage.OUT_FOR_DELIVERY else None
    expected = lanes.eta(carrier, origin, destination, state.collected_at, now, out_at=out_at, learned=known)
    hours = max(0.0, (now - state.newest_at).total_seconds() / 3600)
    chance = lanes.loss_chance(hours, stage, distance(origin, destination), keys=keys, learned=known)
    return Outlook(expected, chance, expected.parcels)


def allowances(shop_id: int, rows: Iterable[tuple[int, str, str, str, Stage]], now: datetime) -> dict[int, float]:
    """Hours of silence that a lane's own history allows, by parcel: (id, carrier, origin, destination, stage): those
    at which the chance of loss reaches the shop's level (policy `loss_level`, per cent).

    Parcels whose lane has taught too little are left out: for them the shop's fixed hours stand. One query for a batch
    at most, none where the lanes were asked for lately.
    """
    level = _level(shop_id)
    asked = {
        parcel_id: (shop_id, lanes.ladder(carrier, origin, destination), stage, level)
        for parcel_id, carrier, origin, destination, stage in rows
        if lanes.silent_leg(stage) is not None
    }
    real = time.monotonic()
    fresh = {key for key in asked.values() if (there := _allowances.get(key)) is None or there[0] < real}
    if fresh:
        if len(_allowances) > _MOST_REMEMBERED:
            _allowances.clear()
        legs = {leg for _, _, stage, _ in fresh if (leg := lanes.silent_leg(stage))}
        known = learned(shop_id, {key for _, keys, *_ in fresh for key in keys}, legs, now)
        for one in fresh:
            _allowances[one] = (real + REMEMBERED, _allowance(one[1], one[2], known, level))
    found = {parcel_id: _allowances[key][1] for parcel_id, key in asked.items()}
    return {parcel_id: hours for parcel_id, hours in found.items() if hours is not None}


def _level(shop_id: int) -> float:
    """The chance of loss at which this shop calls a silence wrong."""
    return lanes.level_of(shops.policy_json(shop_id).get(LOSS_LEVEL))


def _allowance(keys: tuple[str, ...], stage: Stage, known: Learned, level: float) -> float | None:
    leg = lanes.silent_leg(stage)
    enough = lanes.settings()["enough_for_allowance"]
    if leg is None or all(known.silences.get((key, leg), Histogram()).n < enough for key in keys):
        return None
    between = _distance_of(keys)
    return lanes.silence_allowance(level, stage, between, keys=keys, learned=known)


def _distance_of(keys: tuple[str, ...]) -> Distance | None:
    said = [key.rpartition("|")[2] for key in keys]
    return next((Distance(one) for one in said if one in list(Distance)), None)


def forget(shop_id: int) -> None:
    """Let this process ask again what the shop's lanes allow."""
    for key in [key for key in _allowances if key[0] == shop_id]:
        del _allowances[key]
