"""Read parcels, their scans and how they are followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import Count

from bufa.apps.parcels.lane_counts import Outlook, learned
from bufa.apps.parcels.lane_counts import outlook as lane_outlook
from bufa.apps.parcels.models import Parcel, Scan, Subscription
from bufa.apps.parcels.templates import NOTES, TAUGHT, UNREAD, TemplateView, in_progress, templates
from bufa.apps.parcels.templates import counts as template_counts
from bufa.apps.parcels.told import of_parcel as told_of
from bufa.apps.parcels.views import (
    ParcelFilters,
    ParcelPage,
    ParcelView,
    ScanView,
    find_parcels,
    parcel_list,
    parcel_view,
    parcel_views,
    parcels_of_order,
)
from bufa.domain import lanes
from bufa.domain.kinds import Kind, Stage
from bufa.domain.lanes import Leg
from bufa.domain.parcels import ParcelState
from bufa.domain.regions import distance
from bufa.lib.shelf import together
from bufa.lib.tenancy import reading

__all__ = [
    "NOTES",
    "TAUGHT",
    "UNREAD",
    "FollowInfo",
    "Outlook",
    "ParcelFilters",
    "ParcelPage",
    "ParcelView",
    "ScanView",
    "TemplateView",
    "counts_by_stage",
    "find_parcels",
    "follow_info",
    "in_progress",
    "losses",
    "outlook",
    "parcel_ids",
    "parcel_list",
    "parcel_view",
    "parcel_views",
    "parcels_of_order",
    "scan_counts",
    "template_counts",
    "templates",
    "told_of",
]


@dataclass(frozen=True, slots=True)
class FollowInfo:
    """How a parcel is followed. `may_ask_at`: from when a person may ask the provider about it."""

    provider: str
    state: str
    next_at: datetime | None
    last_query_at: datetime | None
    error: str


def follow_info(shop_id: int, parcel_id: int) -> FollowInfo | None:
    """None for a parcel without a number."""
    with reading([shop_id]):
        row = Subscription.objects.filter(shop_id=shop_id, parcel_id=parcel_id).first()
    if row is None:
        return None
    return FollowInfo(row.provider, row.state, row.next_at, row.last_query_at, row.error)


def counts_by_stage(shops: Sequence[int]) -> dict[str, int]:
    """Parcels by stage, every stage named."""
    with reading(shops):
        rows = Parcel.objects.filter(shop_id__in=shops).values_list("stage").annotate(count=Count("id")).order_by()
        found = dict(rows)
    return {stage.value: found.get(stage.value, 0) for stage in Stage}


def scan_counts(shops: Sequence[int]) -> Mapping[str, int]:
    """`scans` and how many of them nobody could read (`unmapped`)."""
    with reading(shops):
        rows = Scan.objects.filter(shop_id__in=shops)
        return {"scans": rows.count(), "unmapped": rows.filter(kind=Kind.UNMAPPED).count()}


def parcel_ids(shop_id: int, numbers: Sequence[str]) -> dict[str, int]:
    """Parcel id by waybill number, of those we have."""
    with reading([shop_id]):
        return dict(Parcel.objects.filter(shop_id=shop_id, number__in=numbers).values_list("number", "id"))


def losses(rows: Sequence[ParcelView], now: datetime) -> dict[int, float]:
    """The chance of loss by parcel, for a list: those that have no future or were never scanned are left out.

    On a page that only reads this takes one statement, however many parcels and shops.
    """
    asked: dict[int, list[tuple[ParcelView, datetime, tuple[str, ...]]]] = {}
    for each in rows:
        newest = ParcelState.from_json(each.state).newest_at
        if newest is not None and lanes.silent_leg(Stage(each.stage)) is not None:
            keys = tuple(lanes.ladder(each.carrier, each.origin_province, each.dest_province))
            asked.setdefault(each.shop_id, []).append((each, newest, keys))
    questions = [partial(learned, shop_id, *_levels(of_shop), now) for shop_id, of_shop in asked.items()]
    together(*questions)
    found: dict[int, float] = {}
    for question, of_shop in zip(questions, asked.values(), strict=True):
        known = question()
        for each, newest, keys in of_shop:
            hours = max(0.0, (now - newest).total_seconds() / 3600)
            between = distance(each.origin_province, each.dest_province)
            found[each.parcel_id] = lanes.loss_chance(hours, Stage(each.stage), between, keys=keys, learned=known)
    return found


def _levels(rows: Sequence[tuple[ParcelView, datetime, tuple[str, ...]]]) -> tuple[tuple[str, ...], tuple[Leg, ...]]:
    """The levels and legs that these parcels' chances rest on, in one order, so that a question is the same twice."""
    legs = {leg for each, _, _ in rows if (leg := lanes.silent_leg(Stage(each.stage)))}
    return tuple(sorted({key for *_, keys in rows for key in keys})), tuple(sorted(legs))


def outlook(parcel: ParcelView, now: datetime) -> Outlook | None:
    """When a parcel is expected and how likely it is lost, by its lane's history; None for one that has no future."""
    return lane_outlook(
        parcel.shop_id,
        carrier=parcel.carrier,
        origin=parcel.origin_province,
        destination=parcel.dest_province,
        stage=Stage(parcel.stage),
        state=ParcelState.from_json(parcel.state),
        now=now,
    )
