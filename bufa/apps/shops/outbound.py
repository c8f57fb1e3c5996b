"""Stop everything that leaves a shop, and let it leave again: by hand, or because its rows came out of a backup.

What comes in goes on: parcels are read, findings made, unknown outcomes read back. Only nothing new is sent.
"""

from __future__ import annotations

from bufa.apps.audit import actions as audit
from bufa.apps.shops import queries
from bufa.apps.shops.models import PauseWhy, Shop
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.tenancy import for_shops

PLATFORM = "doudian"
RESTORED = PauseWhy.RESTORED.value


def pause(*, shop_id: int, by: str, why: str = PauseWhy.PERSON) -> bool:
    """Let nothing leave from now on; what is on its way already is not called back. False: it was paused before."""
    with for_shops([shop_id]):
        running = Shop.objects.filter(id=shop_id, outbound_paused_at=None)
        changed = running.update(
            outbound_paused_at=clock.now(), outbound_paused_why=PauseWhy(why), outbound_paused_by=by[:80]
        )
        if changed:
            audit.record(shop_id, by, "outbound.pause", f"shop:{shop_id}", {"why": str(why)})
        return changed == 1


def resume(*, shop_id: int, by: str) -> bool:
    """Let it leave again. False: it was not paused.

    Raises Refused `outbound_not_read_back` after a restore, as long as the platform has not been asked what happened
    meanwhile: what the backup does not know of would be sent a second time.
    """
    with for_shops([shop_id]):
        shop = Shop.objects.select_for_update().get(id=shop_id)
        if shop.outbound_paused_at is None:
            return False
        if shop.outbound_paused_why == PauseWhy.RESTORED and not _read_back(shop):
            raise Refused("outbound_not_read_back")
        since, why = shop.outbound_paused_at, shop.outbound_paused_why
        shop.outbound_paused_at, shop.outbound_paused_why, shop.outbound_paused_by = None, "", ""
        shop.save(update_fields=["outbound_paused_at", "outbound_paused_why", "outbound_paused_by"])
        audit.record(shop_id, by, "outbound.resume", f"shop:{shop_id}", {"since": since.isoformat(), "why": why})
        return True


def _read_back(shop: Shop) -> bool:
    """Whether the platform was asked since the pause; a shop that is not connected has nobody to ask."""
    connection = queries.connection(shop.pk, PLATFORM)
    if connection is None or connection.state in ("off", "new"):
        return True
    since = shop.outbound_paused_at
    return connection.synced_until is not None and since is not None and connection.synced_until > since
