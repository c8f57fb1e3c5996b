"""Penalty notices of the platform: written down, read, taken back. Judging is the caller's (`cases.penalties`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bufa.apps.parcels.models import Parcel, ParcelRole, PenaltyNotice
from bufa.domain.kinds import Stage
from bufa.domain.penalties import Penalty
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice; `amount_fen` None where it was not said."""

    notice_id: int
    parcel_id: int
    kind: Penalty
    noticed_at: datetime
    amount_fen: int | None
    source: str
    by: str


def of_parcels(shop_id: int, parcel_ids: Sequence[int]) -> tuple[NoticeView, ...]:
    """The notices about some parcels, the newest first."""
    with reading([shop_id]):
        rows = PenaltyNotice.objects.filter(shop_id=shop_id, parcel_id__in=list(parcel_ids))
        return tuple(
            NoticeView(row.pk, row.parcel_id, Penalty(row.kind), row.noticed_at, row.amount_fen, row.source, row.by)
            for row in rows.order_by("-noticed_at", "-id")
        )


def originals(shop_id: int, order_numbers: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """Order number → (parcel, waybill) of its original parcels; remainders that were cancelled are left out."""
    with reading([shop_id]):
        rows = Parcel.objects.filter(shop_id=shop_id, order__number__in=list(order_numbers), role=ParcelRole.ORIGINAL)
        found: dict[str, list[tuple[int, str]]] = {}
        live = rows.exclude(stage=Stage.CANCELLED).order_by("id")
        for order, parcel_id, number in live.values_list("order__number", "id", "number"):
            found.setdefault(order, []).append((parcel_id, number))
        return found
