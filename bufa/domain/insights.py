"""What the past says: how long cases took until the customer was whole, and for whom they waited meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

PARTIES = ("shop", "carrier", "platform", "customer")

_MOVES: dict[str, str] = {
    "ask_carrier": "carrier",
    "carrier_reminded": "carrier",
    "record_consent": "shop",
    "record_refusal": "shop",
    "go_without_consent": "shop",
    "submit": "platform",
    "submission_unknown": "platform",
    "submission_accepted": "shop",
    "submission_rejected": "shop",
    "release_unknown": "shop",
    "ticket_asked": "customer",
    "tell_customer": "carrier",
    "customer_told": "carrier",
    "skip_notice": "carrier",
    "notice_failed": "shop",
    "reissue_wrong": "shop",
    "reopen": "shop",
    "wait_over": "shop",
    "parcel_moved": "carrier",
    "customer_said": "shop",
    "reissue_delivered": "customer",
}
"""Line of a case's timeline → for whom it waits from then on. After the customer is told, the reissue is on its way:
the carrier has it. Whatever is not here changes nothing."""


def waits(opened_at: datetime, closed_at: datetime, lines: Iterable[tuple[str, datetime]]) -> dict[str, timedelta]:
    """How long a case waited for each party; together exactly from `opened_at` (its first missed clock) to `closed_at`
    (the goods in hand).

    `lines`: (kind, time) of its timeline. It waits for the shop until a line says otherwise.
    """
    spent = dict.fromkeys(PARTIES, timedelta())
    party, since = "shop", opened_at
    for kind, at in sorted(lines, key=lambda line: line[1]):
        if kind not in _MOVES:
            continue
        until = min(max(at, since), closed_at)
        spent[party] += until - since
        party, since = _MOVES[kind], until
    spent[party] += max(closed_at, since) - since
    return spent


def middle(spans: Sequence[timedelta]) -> timedelta | None:
    """The median; None for none."""
    return timedelta(seconds=median(span.total_seconds() for span in spans)) if spans else None


def mean(spans: Sequence[timedelta]) -> timedelta | None:
    return sum(spans, timedelta()) / len(spans) if spans else None
