"""Read parcels, their scans and how they are followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from bufa.apps.parcels.lane_counts import Outlook
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
from bufa.domain.kinds import Kind, Stage
from bufa.domain.parcels import ParcelState
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
