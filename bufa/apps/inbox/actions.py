"""Keep raw messages once, before anybody understands them, and say what became of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from bufa.apps.audit import actions as audit
from bufa.apps.inbox.models import Message, MessageState
from bufa.domain.outcome import Refused
from bufa.domain.personal import strip_personal
from bufa.lib import crypto
from bufa.lib.db import cursor, insertion
from bufa.lib.queue import hint
from bufa.lib.tenancy import at_once, for_shops

RETENTION = timedelta(days=90)
HANDLE = "inbox.handle"
NO_SUCH_PARCEL = "no_such_parcel"
"""The code of messages that wait for a number to appear; `params.numbers` lists it."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One message to keep. `external_id` "" means: known by its content."""

    source: str
    kind: str
    external_id: str
    body: bytes = field(repr=False)
    received_at: datetime

    @property
    def identity(self) -> str:
        return self.external_id[:200] or f"sha256:{hashlib.sha256(self.body).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A kept message, opened."""

    message_id: int
    source: str
    kind: str
    external_id: str
    body: bytes = field(repr=False)
    received_at: datetime
    attempts: int


def keep(
    shop_id: int, source: str, kind: str, external_id: str, body: bytes, received_at: datetime, *, call: bool = True
) -> bool:
    """Store one message as it came and ask for it to be handled. True when it is new, False when it was seen before.

    Returns only after the commit (unless the caller holds a transaction): then the sender may be thanked.
    """
    return keep_all(shop_id, [Raw(source, kind, external_id, body, received_at)], call=call) == 1


def keep_all(shop_id: int, messages: Sequence[Raw], *, call: bool = True) -> int:
    """Store many messages in one write; returns how many were new. One hint is given for all of them."""
    return keep_for({shop_id: messages}, call=call)[shop_id]


def keep_for(
    messages: Mapping[int, Sequence[Raw]], *, call: bool = True, ask: Callable[[int, int], object] | None = None
) -> Counter[int]:
    """As `keep_all`, for several shops in one transaction: shop → how many were new. One hint a shop, or `ask` with
    the shop and how many."""
    unique = {(shop_id, raw.source, raw.identity): raw for shop_id, raws in messages.items() for raw in raws}
    keys = sorted(unique)  # in one order, so that two writers never wait for each other in a circle
    rows = [unique[key] for key in keys]
    if not rows:
        return Counter()
    query, params = insertion(
        Message._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id for shop_id, _, _ in keys]),
            "source": ("text", [source for _, source, _ in keys]),
            "kind": ("text", [raw.kind[:40] for raw in rows]),
            "external_id": ("text", [identity for _, _, identity in keys]),
            "body": ("bytea", [_seal(*key, unique[key].body) for key in keys]),
            "received_at": ("timestamptz", [raw.received_at for raw in rows]),
            "expires_at": ("timestamptz", [raw.received_at + RETENTION for raw in rows]),
            "state": ("text", [MessageState.NEW.value] * len(rows)),
            "attempts": ("integer", [0] * len(rows)),
            "outcome": ("text", [""] * len(rows)),
            "why_parked": ("jsonb", ["{}"] * len(rows)),
        },
        on_conflict="(shop_id, source, external_id) DO NOTHING",
        returning=("shop_id",),
    )
    fresh = Counter(int(shop_id) for (shop_id,) in at_once(messages, query, params))
    if call:
        for shop_id, count in fresh.items():
            if ask is not None:
                ask(shop_id, count)
            else:
                call_handler(shop_id)
    return fresh


def call_handler(shop_id: int) -> bool:
    """Ask once for the shop's new messages to be handled; False when that job waits already."""
    return hint(HANDLE, once=f"inbox:{shop_id}", shop_id=shop_id)


def take_new(
    shop_id: int, *, sources: Sequence[str], limit: int = 500, only: Sequence[int] | None = None
) -> list[Stored]:
    """Lock the oldest new messages of these sources (of `only`, where given) for the caller's transaction, opened.

    Must run inside `for_shops`; messages that another worker holds are skipped.
    """
    with cursor() as cur:
        cur.execute(
            f"{_OLDEST_NEW} FOR UPDATE SKIP LOCKED",
            {"shop": shop_id, "sources": list(sources), "only": only and list(only), "limit": limit},
        )
        return [_open(shop_id, row) for row in cur]


def peek_new(shop_id: int, *, sources: Sequence[str], limit: int = 500) -> list[Stored]:
    """The oldest new messages without a lock, for work that has to wait for the network first."""
    with for_shops([shop_id]):
        with cursor() as cur:
            cur.execute(_OLDEST_NEW, {"shop": shop_id, "sources": list(sources), "only": None, "limit": limit})
            return [_open(shop_id, row) for row in cur]


def done(shop_id: int, message_ids: Iterable[int], *, outcome: str, now: datetime) -> None:
    """These were understood and their facts are in."""
    with for_shops([shop_id]):
        Message.objects.filter(shop_id=shop_id, id__in=list(message_ids), state=MessageState.NEW).update(
            state=MessageState.DONE, outcome=outcome[:80], handled_at=now, attempts=F("attempts") + 1, why_parked={}
        )


def park(shop_id: int, message_id: int, *, code: str, params: Mapping[str, Any] | None = None, now: datetime) -> None:
    """Put one aside with its reason; nothing is lost and a person, or a number that appears, brings it back."""
    with for_shops([shop_id]):
        Message.objects.filter(shop_id=shop_id, id=message_id, state=MessageState.NEW).update(
            state=MessageState.PARKED,
            outcome=code[:80],
            why_parked={"code": code, "params": dict(params or {})},
            handled_at=now,
            attempts=F("attempts") + 1,
        )


def retry(*, shop_id: int, message_ids: Sequence[int], by: str) -> int:
    """A person asks for parked messages to be handled again. Returns how many."""
    with for_shops([shop_id]):
        count = _bring_back(Message.objects.filter(shop_id=shop_id, id__in=message_ids), shop_id)
        if count:
            audit.record(shop_id, by, "inbox.retry", f"shop:{shop_id}", {"count": count})
    return count


def discard(*, shop_id: int, message_ids: Sequence[int], reason: str, by: str, now: datetime) -> int:
    """A person says that parked messages mean nothing: nobody is asked about them again. Returns how many.

    They keep their reason and their bytes until their retention is over, and can be put back (`put_back`). Raises
    Refused `parameter_missing` (reason).
    """
    said = strip_personal(reason.strip())[:200]
    if not said:
        raise Refused("parameter_missing", name="reason")
    with for_shops([shop_id]):
        parked = Message.objects.select_for_update().filter(
            shop_id=shop_id, id__in=message_ids, state=MessageState.PARKED
        )
        rows = list(parked.order_by("id"))
        for row in rows:
            row.state = MessageState.DISCARDED
            row.why_parked = {**row.why_parked, "discarded": {"by": by, "why": said, "at": now.isoformat()}}
        Message.objects.bulk_update(rows, ["state", "why_parked"])
        if rows:
            what = {"ids": [row.pk for row in rows][:100], "count": len(rows), "reason": said}
            audit.record(shop_id, by, "inbox.discard", f"shop:{shop_id}", what)
        return len(rows)


def put_back(*, shop_id: int, message_ids: Sequence[int], by: str) -> int:
    """Discarded messages are parked again, with the reason that they had. Returns how many."""
    with for_shops([shop_id]):
        gone = Message.objects.select_for_update().filter(
            shop_id=shop_id, id__in=message_ids, state=MessageState.DISCARDED
        )
        rows = list(gone.order_by("id"))
        for row in rows:
            row.state = MessageState.PARKED
            row.why_parked = {name: value for name, value in row.why_parked.items() if name != "discarded"}
        Message.objects.bulk_update(rows, ["state", "why_parked"])
        if rows:
            audit.record(shop_id, by, "inbox.put_back", f"shop:{shop_id}", {"count": len(rows)})
        return len(rows)


def numbers_appeared(shop_id: int, numbers: Iterable[str]) -> int:
    """Parcels with these numbers exist now: bring back the messages that waited for them. Returns how many."""
    wanted = list(numbers)
    if not wanted:
        return 0
    with for_shops([shop_id]):
        waiting = Message.objects.filter(shop_id=shop_id, state=MessageState.PARKED, outcome=NO_SUCH_PARCEL)
        ids = [
            pk
            for pk, why in waiting.values_list("id", "why_parked")
            if not set(wanted).isdisjoint(why.get("params", {}).get("numbers", ()))
        ]
        return _bring_back(Message.objects.filter(shop_id=shop_id, id__in=ids), shop_id) if ids else 0


def purge(shop_id: int, now: datetime, *, limit: int = 5000) -> int:
    """Delete messages past their retention, handled ones only. Returns how many."""
    with for_shops([shop_id]):
        ids = list(
            Message.objects.filter(shop_id=shop_id, expires_at__lt=now)
            .exclude(state=MessageState.NEW)
            .order_by("id")
            .values_list("id", flat=True)[:limit]
        )
        deleted, _ = Message.objects.filter(shop_id=shop_id, id__in=ids).delete()
    return deleted


def _bring_back(rows: Any, shop_id: int) -> int:
    count: int = rows.filter(state=MessageState.PARKED).update(
        state=MessageState.NEW, outcome="", why_parked={}, handled_at=None
    )
    if count:
        call_handler(shop_id)
    return count


def _where(source: str, external_id: str) -> str:
    return f"inbox_message.body:{source}:{external_id}"


def _seal(shop_id: int, source: str, identity: str, body: bytes) -> bytes:
    return crypto.seal(shop_id, body, where=_where(source, identity), deflate=True)


_OLDEST_NEW = (
    "SELECT id, source, kind, external_id, body, received_at, attempts FROM inbox_message"
    " WHERE shop_id = %(shop)s AND state = 'new' AND source = ANY (%(sources)s::text[])"
    " AND (%(only)s::bigint[] IS NULL OR id = ANY (%(only)s::bigint[])) ORDER BY id LIMIT %(limit)s"
)


def _open(shop_id: int, row: tuple[Any, ...]) -> Stored:
    pk, source, kind, external_id, body, received_at, attempts = row
    opened = crypto.unseal(shop_id, body, where=_where(source, external_id))
    return Stored(pk, source, kind, external_id, opened, received_at, attempts)
