"""How an entry's hash is made: over everything it says and the hash before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC

from bufa.apps.audit.models import AuditEntry

START = "0" * 64
"""What the first entry of a shop names as the hash before it."""


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 (hex) over the entry's canonical JSON. Times count in UTC, so a server's time zone changes nothing."""
    return hash_of(
        {
            "shop_id": entry.shop_id,
            "seq": entry.seq,
            "at": entry.at.astimezone(UTC).isoformat(),
            "wall_at": entry.wall_at.astimezone(UTC).isoformat(),
            "by": entry.by,
            "action": entry.action,
            "subject": entry.subject,
            "data": entry.data,
            "previous_hash": entry.previous_hash,
        }
    )


def hash_of(said: Mapping[str, object]) -> str:
    """The hash of an entry given as the fields that `entry_hash` names, its times as ISO texts in UTC."""
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
