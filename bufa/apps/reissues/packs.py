"""Packs as rows: what other rooms ask of them without knowing the packing table."""

from __future__ import annotations

from datetime import datetime

from bufa.apps.reissues.models import HandedParcel, Pack, Reissue
from bufa.apps.shops import stock


def live(shop_id: int, reissue_id: int) -> Pack | None:
    """The pack that holds, locked."""
    rows = Pack.objects.select_for_update(of=("self",))
    return rows.filter(shop_id=shop_id, reissue_id=reissue_id, state="packed").first()


def undo(pack: Pack, by: str, now: datetime) -> None:
    """The box is open again: its goods are back, promised as before, and it is on no list."""
    pack.state, pack.undone_at, pack.undone_by = "undone", now, by[:80]
    pack.save(update_fields=["state", "undone_at", "undone_by"])
    HandedParcel.objects.filter(shop_id=pack.shop_id, pack=pack, taken_off_at=None).update(taken_off_at=now)
    stock.put_back(shop_id=pack.shop_id, subject=f"reissue:{pack.reissue_id}")


def fell_through(row: Reissue, why: str, now: datetime) -> None:
    """Its number came to nothing: a box that was packed for it has to be opened or labelled anew. `why` is
    `rejected` or `taken_back`."""
    if (pack := live(row.shop_id, row.pk)) is not None:
        undo(pack, why, now)
