"""Where parcels were seen last by the carrier's own word: the hub or branch that the newest scan's text names."""

from __future__ import annotations

from collections.abc import Sequence

from bufa.apps.parcels.models import Scan
from bufa.domain.sites import site_of
from bufa.lib.tenancy import reading


def newest(shop_id: int, parcel_ids: Sequence[int]) -> dict[int, str]:
    """Parcel → site; those whose newest text names none are missing. One query."""
    with reading([shop_id]):
        rows = Scan.objects.filter(shop_id=shop_id, parcel_id__in=list(parcel_ids))
        texts = rows.order_by("parcel_id", "-scanned_at", "-id").distinct("parcel_id").values_list("parcel_id", "text")
        return {parcel_id: site for parcel_id, text in texts if (site := site_of(text))}
