"""Which parcel a penalty notice of the platform names. Writing notices down is `cases.penalties`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bufa.apps.parcels.models import Parcel, ParcelRole
from bufa.domain.kinds import Stage
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class Named:
    """What a notice names as it was written, and the one parcel that it means; else `why` there is none."""

    order_number: str
    waybill: str
    parcel_id: int | None
    why: str = ""


def find(shop_id: int, named: Sequence[tuple[str, str]]) -> list[Named]:
    """The parcels that notices name by order number and waybill (either may be empty), in the order given.

    `why`: order_unknown, waybill_not_of_order, order_has_parcels, waybill_unknown.
    """
    orders = originals(shop_id, [order for order, _ in named if order])
    with reading([shop_id]):
        bare = [waybill for order, waybill in named if waybill and not order]
        rows = Parcel.objects.filter(shop_id=shop_id, number__in=bare).exclude(number="")
        by_number = dict(rows.order_by("-role", "id").values_list("number", "id"))
    return [_find(order, waybill, orders, by_number) for order, waybill in named]


def _find(
    order: str, waybill: str, orders: Mapping[str, Sequence[tuple[int, str]]], by_number: Mapping[str, int]
) -> Named:
    if not order:
        parcel_id = by_number.get(waybill)
        return Named(order, waybill, parcel_id, "" if parcel_id else "waybill_unknown")
    fitting = [each for each in orders.get(order, ()) if not waybill or each[1] == waybill]
    if order not in orders:
        return Named(order, waybill, None, "order_unknown")
    if len(fitting) != 1:
        return Named(order, waybill, None, "order_has_parcels" if fitting else "waybill_not_of_order")
    return Named(order, waybill, fitting[0][0])


def originals(shop_id: int, order_numbers: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """Order number → (parcel, waybill) of its original parcels; remainders that were cancelled are left out."""
    with reading([shop_id]):
        rows = Parcel.objects.filter(shop_id=shop_id, order__number__in=list(order_numbers), role=ParcelRole.ORIGINAL)
        found: dict[str, list[tuple[int, str]]] = {}
        live = rows.exclude(stage=Stage.CANCELLED).order_by("id")
        for order, parcel_id, number in live.values_list("order__number", "id", "number"):
            found.setdefault(order, []).append((parcel_id, number))
        return found
