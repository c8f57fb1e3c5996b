"""What reissue forms start from: cases, their orders with all parcels and recorded address changes, read once however
many forms are opened or judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bufa.apps.cases.shapes import CaseRow
from bufa.apps.orders import address_changes
from bufa.apps.orders.address_changes import ChangeView
from bufa.apps.orders.views import OrderView, order_views
from bufa.apps.parcels.views import ParcelView, parcels_of_orders
from bufa.apps.shops import queries as shops
from bufa.apps.shops.queries import PickupInfo


@dataclass(frozen=True, slots=True)
class Basis:
    """`cases` by case; `orders`, `parcels` and `changes` (of the delivery address, oldest first) by order; `pickups`:
    where the shop hands over, the usual place first."""

    cases: Mapping[int, CaseRow]
    orders: Mapping[int, OrderView]
    parcels: Mapping[int, tuple[ParcelView, ...]]
    changes: Mapping[int, tuple[ChangeView, ...]]
    pickups: tuple[PickupInfo, ...]

    @property
    def usual_pickup(self) -> int | None:
        return self.pickups[0].pickup_id if self.pickups else None

    def order_of(self, case_id: int) -> OrderView:
        """Raises LookupError for a case of nobody's, or without an order."""
        if case_id not in self.cases or self.cases[case_id].order_id not in self.orders:
            raise LookupError(f"case {case_id} is not there or has no order")
        return self.orders[self.cases[case_id].order_id]

    def in_the_box(self, order_id: int, parcel_id: int) -> tuple[tuple[str, int], ...]:
        """What was in a parcel; where nobody knows, everything that was ordered."""
        bad = next((each for each in self.parcels.get(order_id, ()) if each.parcel_id == parcel_id), None)
        if bad and bad.contents:
            return bad.contents
        return tuple((line.line_id, line.quantity) for line in self.orders[order_id].lines)


def read(shop_id: int, cases: Sequence[CaseRow]) -> Basis:
    """All that forms of these cases start from, in a handful of queries."""
    order_ids = sorted({case.order_id for case in cases})
    parcels: dict[int, list[ParcelView]] = {}
    for parcel in parcels_of_orders(shop_id, order_ids):
        parcels.setdefault(parcel.order_id, []).append(parcel)
    return Basis(
        cases={case.case_id: case for case in cases},
        orders=order_views([shop_id], order_ids),
        parcels={order_id: tuple(each) for order_id, each in parcels.items()},
        changes=address_changes.of_orders(shop_id, order_ids),
        pickups=tuple(shops.pickup_addresses([shop_id])),
    )
