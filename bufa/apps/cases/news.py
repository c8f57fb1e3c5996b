"""What has changed since somebody looked last: people's and the system's acts, and new findings.

Nothing is written for it. The audit chain of a shop grows by one entry an act, in the order in which transactions
end, so that its newest place is a version of the shop that costs one look into an index. Findings that come without
an act are read by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import connection

from bufa.apps.audit import queries as audit
from bufa.lib.tenancy import for_shops

_MOST = 300

QUIET = ("file.open", "buyer.reveal", "session.", "order.reveal")
"""Acts that change nothing that a page shows."""


@dataclass(frozen=True, slots=True)
class Change:
    """`key` tells two changes apart for whoever hears one twice. `kind`: first word of the act ("case", "notice",
    "finding"). `place`: where in the shop's chain, or the number of the newest finding. `by`: "system" or
    "operator:12"; `at` real time."""

    key: str
    shop_id: int
    place: int
    kind: str
    action: str
    subject: str
    by: str
    at: datetime | None = None
    count: int = 1

    def is_behind(self, marks_: Marks) -> bool:
        """Is it news for somebody who has read so far?"""
        return self.place > (marks_.finding if self.kind == "finding" else marks_.places.get(self.shop_id, 0))


@dataclass(frozen=True, slots=True)
class Marks:
    """How far somebody has read: the place in each shop's chain, and the number of the newest finding."""

    places: dict[int, int] = field(default_factory=dict)
    finding: int = 0

    def text(self) -> str:
        """For the wire: `12:340,13:7;991`."""
        return ",".join(f"{shop}:{seq}" for shop, seq in sorted(self.places.items())) + f";{self.finding}"


def read_marks(text: str, shops: Sequence[int]) -> Marks | None:
    """Marks from the wire, for these shops only; None for what is no mark."""
    places, _, finding = text.partition(";")
    try:
        pairs = [part.split(":") for part in places.split(",") if part]
        known = {int(shop): int(seq) for shop, seq in pairs}
        if not finding.isdigit() or set(known) != set(shops):
            return None
        return Marks(known, int(finding))
    except ValueError:
        return None


def marks(shops: Sequence[int]) -> Marks:
    """Where these shops stand now."""
    with for_shops(shops), connection.cursor() as cursor:
        # The sequence, not max(id): under row-level security the latter walks back through everybody's rows.
        cursor.execute("SELECT COALESCE(pg_sequence_last_value('cases_finding_id_seq'), 0)")
        newest = int(cursor.fetchone()[0])
        return Marks(audit.heads(shops), newest)


def since(read: Marks) -> tuple[list[Change], Marks]:
    """What came behind these marks, oldest first, and the marks to ask with next time."""
    shops = sorted(read.places)
    with for_shops(shops):
        acts = audit.after(read.places, _MOST)
        findings, newest = _findings(shops, read.finding)
    places = dict(read.places)
    changes = []
    for act in acts:
        places[act.shop_id] = max(places[act.shop_id], act.seq)
        if not act.action.startswith(QUIET):
            kind, _, action = act.action.partition(".")
            key = f"a{act.shop_id}.{act.seq}"
            changes.append(Change(key, act.shop_id, act.seq, kind, action, act.subject, act.by, act.at))
    return [*changes, *findings], replace(read, places=places, finding=newest)


def just_before(marks_: Marks, age: timedelta) -> list[Change]:
    """Acts at the end of the chains that are younger than `age`: a page that was drawn a moment ago missed them."""
    early = Marks({shop: max(0, seq - 20) for shop, seq in marks_.places.items()}, marks_.finding)
    changes, _ = since(early)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return [each for each in changes if each.at is not None and each.at > now - age]


def _findings(shops: Sequence[int], after: int) -> tuple[list[Change], int]:
    """New findings, those of one shop as one change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shop_id, max(id), count(*) FROM (SELECT shop_id, id FROM cases_finding"
            " WHERE id > %s AND shop_id = ANY(%s) ORDER BY id LIMIT 2000) AS fresh GROUP BY shop_id ORDER BY shop_id",
            [after, list(shops)],
        )
        rows = [(int(shop), int(last), int(count)) for shop, last, count in cursor.fetchall()]
    changes = [
        Change(f"f{shop}.{last}", shop, last, "finding", "new", "", "system", count=count) for shop, last, count in rows
    ]
    return changes, max((last for _, last, _ in rows), default=after)
