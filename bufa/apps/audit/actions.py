"""Add entries to a shop's audit chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bufa.apps.audit.chain import START, entry_hash
from bufa.apps.audit.models import AuditEntry
from bufa.lib import clock
from bufa.lib.tenancy import for_shops, hold_shop


def record(shop_id: int, by: str, action: str, subject: str = "", data: Mapping[str, Any] | None = None) -> int:
    """Append one act to the shop's chain and return its place in it.

    `by`: who, as `operator:<id>` or `system`. `action`: `area.verb`. `subject`: `kind:id`. `data`: plain JSON without
    floats and without buyers' data. Runs in the caller's transaction: what is rolled back was not done.
    """
    with for_shops([shop_id]):
        hold_shop(shop_id)
        last = AuditEntry.objects.filter(shop_id=shop_id).order_by("-seq").values_list("seq", "hash").first()
        seq, previous = (last[0] + 1, last[1]) if last else (1, START)
        entry = AuditEntry(
            shop_id=shop_id,
            seq=seq,
            at=clock.now(),
            wall_at=datetime.now(UTC),
            by=by[:80],
            action=action[:60],
            subject=subject[:80],
            data=dict(data or {}),
            previous_hash=previous,
        )
        entry.hash = entry_hash(entry)
        entry.save(force_insert=True)
    return seq
