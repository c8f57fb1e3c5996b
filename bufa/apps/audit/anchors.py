"""Anchors: the head of each shop's chain, written down outside of the database.

A chain of hashes shows a changed, missing or added entry, but not one cut off at its end, nor a chain that was written
anew from some point on. So the sweep writes each new head into `audit-anchors.jsonl` in the data folder, a line each,
sealed with a key that the database does not have. `BUFA_ANCHORS` names another place: a mounted folder of another
machine keeps them out of reach of whoever may write to this one.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from bufa.apps.audit.chain import START, hash_of
from bufa.lib import crypto
from bufa.lib.places import data_dir
from bufa.lib.tenancy import for_shops

FILE = "audit-anchors.jsonl"
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a shop's chain at some moment (real time)."""

    shop_id: int
    seq: int
    hash: str
    at: str
    sign: str


@dataclass(frozen=True, slots=True)
class Checked:
    """`entries` hold; `broken_at` is the place of the first that does not (None: all do), `why` a code: changed,
    missing, cut, rewritten, anchor. `anchored`: anchors that agree."""

    entries: int
    broken_at: int | None = None
    why: str = ""
    anchored: int = 0

    @property
    def ok(self) -> bool:
        return self.broken_at is None


def anchor(shop_ids: Sequence[int]) -> int:
    """Write down the heads that have moved since they were last written; returns how many."""
    known = {one.shop_id: one.seq for one in _read()}
    new = [one for one in _heads(shop_ids) if one.seq > known.get(one.shop_id, 0)]
    if new:
        path = place()
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.writelines(_line(one) for one in new)
            file.flush()
            os.fsync(file.fileno())
    return len(new)


def verify(shop_id: int) -> Checked:
    """Walk the whole chain of a shop and hold it against its anchors. Reads a million entries in some ten seconds."""
    anchored = {}
    for one in _read():
        if one.shop_id in (0, shop_id):
            if not hmac.compare_digest(one.sign, _sign(one)):
                return Checked(0, one.seq, "anchor")
            anchored[one.seq] = one.hash
    previous, count = START, 0
    for entry in _entries(shop_id):
        seq, said, written = entry
        if seq != count + 1 or said["previous_hash"] != previous:
            return Checked(count, count + 1, "missing", _up_to(anchored, count))
        if hash_of(said) != written:
            return Checked(count, seq, "changed", _up_to(anchored, count))
        if anchored.get(seq, written) != written:
            return Checked(count, seq, "rewritten", _up_to(anchored, count))
        previous, count = written, seq
    last = max(anchored, default=0)
    if last > count:
        return Checked(count, count + 1, "cut", _up_to(anchored, count))
    return Checked(count, anchored=len(anchored))


def place() -> Path:
    """The anchors' file."""
    return Path(os.environ.get("BUFA_ANCHORS") or data_dir()) / FILE


def _up_to(anchored: Iterable[int], count: int) -> int:
    return sum(1 for seq in anchored if seq <= count)


def _heads(shop_ids: Sequence[int]) -> list[Anchor]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with for_shops(shop_ids), connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, a.seq, a.hash FROM unnest(%s::bigint[]) AS s(id) CROSS JOIN LATERAL"
            " (SELECT seq, hash FROM audit_auditentry WHERE shop_id = s.id ORDER BY seq DESC LIMIT 1) a",
            [list(shop_ids)],
        )
        heads = [Anchor(int(shop), int(seq), str(digest), now, "") for shop, seq, digest in cursor.fetchall()]
    return [Anchor(one.shop_id, one.seq, one.hash, one.at, _sign(one)) for one in heads]


def _entries(shop_id: int) -> Iterator[tuple[int, dict[str, object], str]]:
    """Each entry's place, what it says and its hash, in order, a few thousand to a read."""
    after = 0
    while True:
        with for_shops([shop_id]), connection.cursor() as cursor:
            cursor.execute(
                'SELECT seq, at, wall_at, "by", action, subject, data::text, previous_hash, hash FROM audit_auditentry'
                " WHERE shop_id = %s AND seq > %s ORDER BY seq LIMIT %s",
                [shop_id, after, _AT_ONCE],
            )
            rows = cursor.fetchall()
        for seq, at, wall_at, by, action, subject, data, previous_hash, written in rows:
            yield (
                int(seq),
                {
                    "shop_id": shop_id,
                    "seq": int(seq),
                    "at": at.astimezone(UTC).isoformat(),
                    "wall_at": wall_at.astimezone(UTC).isoformat(),
                    "by": by,
                    "action": action,
                    "subject": subject,
                    "data": json.loads(data),
                    "previous_hash": previous_hash,
                },
                str(written),
            )
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0]


def _read() -> list[Anchor]:
    """All anchors. A line that is none counts as one of shop 0, an unfinished last one not at all."""
    try:
        text = place().read_text()
    except FileNotFoundError:
        return []
    lines = text.split("\n")[:-1]
    return [_parsed(line) for line in lines if line.strip()]


def _parsed(line: str) -> Anchor:
    try:
        said = json.loads(line)
        return Anchor(int(said["shop"]), int(said["seq"]), str(said["hash"]), str(said["at"]), str(said["sign"]))
    except (ValueError, KeyError, TypeError):
        return Anchor(0, 0, "", "", "")


def _line(one: Anchor) -> str:
    said = {"shop": one.shop_id, "seq": one.seq, "hash": one.hash, "at": one.at, "sign": one.sign}
    return json.dumps(said) + "\n"


def _sign(one: Anchor) -> str:
    return crypto.blind(one.shop_id, f"{one.seq}|{one.hash}|{one.at}", purpose="audit-anchor")
