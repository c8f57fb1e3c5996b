"""Texts that were taught, read again: parcel after parcel in batches, each batch whole in one transaction."""

from __future__ import annotations

from procrastinate.contrib.django import app

from bufa.apps.cases.taking_in import reread
from bufa.apps.parcels import templates
from bufa.apps.shops import queries as shops
from bufa.lib import clock
from bufa.lib.queue import hint


@app.task(name=templates.REREAD)
def read_again(shop_id: int) -> None:
    """Everything of a shop that waits for it. How far it came stands in the rows: a lost job goes on where it was."""
    while reread(shop_id=shop_id, now=clock.now()) is not None:
        pass


def wake() -> int:
    """Give lost jobs back. Returns how many were added."""
    waiting = templates.shops_rereading(shops.all_shop_ids())
    return sum(hint(templates.REREAD, once=f"{templates.REREAD}:{shop_id}", shop_id=shop_id) for shop_id in waiting)
