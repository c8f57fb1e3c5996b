"""After a restore: doubt what waits to be sent, and let a shop send again only when the world was read back."""

from __future__ import annotations

from dataclasses import dataclass

from bufa.apps.effects import actions as effects
from bufa.apps.shops import outbound, queries
from bufa.jobs.effects import tell_owner
from bufa.lib.tenancy import writing


@dataclass(frozen=True, slots=True)
class Doubted:
    """What a restore found in one shop: `effects` that may have been sent since the backup was made."""

    shop_id: int
    effects: int


def doubt_restored(shop_ids: list[int]) -> list[Doubted]:
    """Pause these shops, whose rows have just come out of a backup, and read back before anything is sent."""
    return [Doubted(shop_id, _doubt(shop_id)) for shop_id in shop_ids]


def _doubt(shop_id: int) -> int:
    with writing([shop_id]):
        outbound.pause(shop_id=shop_id, by="system", why=outbound.RESTORED)
        doubted = effects.read_back_first(shop_id=shop_id)
        for settled in doubted:
            tell_owner(settled)
    return len(doubted)


def resume_outbound(shop_id: int, by: str) -> bool:
    """Let a shop send again. False: it was not paused. Raises Refused `outbound_not_read_back`.

    What was wanted while it stood still after a restore is read back as well: the rows that made us want it may have
    been behind the world.
    """
    with writing([shop_id]):
        paused = queries.shop(shop_id).paused
        if not outbound.resume(shop_id=shop_id, by=by):
            return False
        if paused is not None and paused.why == outbound.RESTORED:
            for settled in effects.read_back_first(shop_id=shop_id):
                tell_owner(settled)
    return True
