"""The labels of a shop's reissues, looked up for the printer: one from its case, dozens from the warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from bufa.apps.cases.letter_words import carrier_name
from bufa.apps.orders import address_changes
from bufa.apps.orders.address_changes import ChangeView
from bufa.apps.orders.views import OrderView, RecipientView, order_views
from bufa.apps.reissues import deliveries
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import queries as shops
from bufa.apps.shops.queries import PickupInfo
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.lib.labels import DEFAULT_SIZE, Label, labels_pdf
from bufa.lib.tenancy import reading

_OVER = ("rejected", "cancelled")


def reissue_labels(shop_id: int, reissue_ids: Sequence[int]) -> list[Label]:
    """Labels in the order asked for; reissues that came to nothing, or are another shop's, are left out."""
    with reading([shop_id]):
        rows = Reissue.objects.filter(shop_id=shop_id, id__in=reissue_ids).exclude(state__in=_OVER)
        found = {row.pk: row for row in rows.select_related("case")}
        orders = order_views([shop_id], [row.case.order_id for row in found.values()])
        pickups = {one.pickup_id: one for one in shops.pickup_addresses([shop_id])}
        changes = address_changes.of_orders(shop_id, sorted({row.case.order_id for row in found.values()}))
        shop = shops.shop(shop_id).name
        return [
            _label(row, orders[row.case.order_id], pickups, changes.get(row.case.order_id, ()), shop)
            for one in reissue_ids
            if (row := found.get(one))
        ]


def reissue_labels_pdf(shop_id: int, reissue_ids: Sequence[int], size: str = DEFAULT_SIZE) -> bytes:
    """One PDF, a page a reissue. `size` is one of lib.labels.SIZES. Raises Refused("label_nothing"), ValueError for
    another size."""
    labels = reissue_labels(shop_id, reissue_ids)
    if not labels:
        raise Refused("label_nothing")
    return labels_pdf(labels, size)


def _label(
    row: Reissue, order: OrderView, pickups: dict[int, PickupInfo], changes: tuple[ChangeView, ...], shop: str
) -> Label:
    change = deliveries.change_of(f"change:{row.delivery.get('change', '')}", changes)
    who: RecipientView | ChangeView = change or order.recipient
    names = {line.line_id: f"{line.title} {line.spec}".strip() for line in order.lines}
    place = f"{who.province}{who.city if who.city != who.province else ''}{who.district}{who.town}"
    pickup = pickups.get(row.pickup_address_id or 0)
    return Label(
        shop=shop,
        code=row.code,
        carrier=carrier_name(row.carrier, Language.ZH) if row.carrier else "",
        number=row.number,
        order_number=order.number,
        to=" ".join(part for part in (place, who.address_mask, who.name_mask, who.phone_mask) if part),
        from_=f"{pickup.province}{pickup.city}{pickup.district}{pickup.street}{pickup.detail}" if pickup else "",
        items=tuple((names.get(str(line), str(line)), int(count)) for line, count in row.contents),
        round=row.round,
        note="客户改过地址，以此为准；核对补发单号与运单号后再封箱" if change else "核对补发单号与运单号后再封箱",
    )
