"""Findings as rows: what judging says now is opened, what it says no more is cleared, once each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bufa.apps.cases.models import Finding
from bufa.domain import watch
from bufa.domain.watch import Judgement
from bufa.lib.db import unnest_insert, unnest_update

Key = tuple[int, str, datetime]


@dataclass(slots=True)
class Settled:
    """`opened`: how many findings are open now and were not before. `changed`: parcels with any change.
    `need_work`: parcels with a newly opened finding of the kind that opens a case. `wakes`: parcel → when the first of
    its findings that were put off comes back."""

    opened: int = 0
    changed: set[int] = field(default_factory=set)
    need_work: set[int] = field(default_factory=set)
    wakes: dict[int, datetime] = field(default_factory=dict)


def settle(
    shop_id: int,
    judged: Sequence[tuple[int, Judgement]],
    now: datetime,
    newest: Mapping[int, datetime | None] = MappingProxyType({}),
) -> Settled:
    """Make the finding rows of these parcels say what the judgements say; inside `for_shops`, parcels locked.

    A finding is known by parcel, rule and the instant since which it holds. One that was dismissed stays dismissed
    while it lasts; one that was put off comes back at its time, or with the parcel's next scan (`newest`: parcel → its
    newest scan). A breach that is over but may have cost money is written as cleared, so that it can be counted.
    """
    result = Settled()
    ids = [parcel_id for parcel_id, _ in judged]
    stored: dict[Key, Finding] = {
        (row.parcel_id, row.rule, row.since): row
        for row in Finding.objects.filter(shop_id=shop_id, parcel_id__in=ids).only(
            "parcel_id", "rule", "since", "state", "certainty", "payout_fen", "snoozed_until", "snoozed_scan"
        )
    }
    fresh: list[tuple[int, watch.Finding]] = []
    update: list[tuple[Finding, watch.Finding]] = []
    over: list[tuple[Finding, datetime]] = []
    for parcel_id, said in judged:
        standing = {(parcel_id, one.rule_id, one.since): one for one in said.findings}
        past = {(parcel_id, one.rule_id, one.since): one for one in said.past}
        for key, one in standing.items():
            row = stored.get(key)
            if row is not None and row.state == "snoozed" and not _wakes(row, newest.get(parcel_id), now):
                if row.snoozed_until is not None:
                    result.wakes[parcel_id] = min(row.snoozed_until, result.wakes.get(parcel_id, row.snoozed_until))
                if _differs(row, one):
                    update.append((row, one))
                continue
            is_new = row is None or row.state in ("cleared", "snoozed")
            if row is None:
                fresh.append((parcel_id, one))
            elif is_new or _differs(row, one):
                row.state = "open" if is_new else row.state
                update.append((row, one))
            if is_new:
                result.opened += 1
                if one.opens_case:
                    result.need_work.add(parcel_id)
        fresh += [(parcel_id, one) for key, one in past.items() if key not in stored and key not in standing]
        for key, row in stored.items():
            if key[0] == parcel_id and row.state in ("open", "snoozed") and key not in standing:
                ended = past[key].cleared_at if key in past else None
                over.append((row, ended or now))
    _insert(shop_id, fresh, now)
    _update(update)
    _clear(over)
    result.changed |= {parcel_id for parcel_id, one in fresh if one.cleared_at is None}
    result.changed |= {row.parcel_id for row, _ in update} | {row.parcel_id for row, _ in over}
    return result


def _wakes(row: Finding, newest: datetime | None, now: datetime) -> bool:
    """Is the time over for which it was put off, or has the scan come for which it waits?"""
    if row.snoozed_scan is not None and newest is not None and newest > row.snoozed_scan:
        return True
    return row.snoozed_until is not None and row.snoozed_until <= now


def _differs(row: Finding, said: watch.Finding) -> bool:
    return row.certainty != said.certainty or row.payout_fen != said.payout_fen


def _insert(shop_id: int, rows: Sequence[tuple[int, watch.Finding]], now: datetime) -> None:
    said = [one for _, one in rows]
    unnest_insert(
        Finding._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(rows)),
            "parcel_id": ("bigint", [parcel_id for parcel_id, _ in rows]),
            "rule": ("text", [one.rule_id for one in said]),
            "certainty": ("text", [one.certainty.value for one in said]),
            "state": ("text", ["cleared" if one.cleared_at else "open" for one in said]),
            "since": ("timestamptz", [one.since for one in said]),
            "found_at": ("timestamptz", [now] * len(rows)),
            "evidence": ("jsonb", [_evidence(one) for one in said]),
            "payout_fen": ("bigint", [one.payout_fen for one in said]),
            "cleared_at": ("timestamptz", [one.cleared_at for one in said]),
            "dismissed_by": ("text", [""] * len(rows)),
            "dismissed_why": ("text", [""] * len(rows)),
            "snoozed_by": ("text", [""] * len(rows)),
            "snoozed_why": ("text", [""] * len(rows)),
        },
        on_conflict="(parcel_id, rule, since) DO NOTHING",
    )


def _update(rows: Sequence[tuple[Finding, watch.Finding]]) -> None:
    unnest_update(
        Finding._meta.db_table,
        {
            "id": ("bigint", [row.pk for row, _ in rows]),
            "state": ("text", [row.state for row, _ in rows]),
            "certainty": ("text", [one.certainty.value for _, one in rows]),
            "payout_fen": ("bigint", [one.payout_fen for _, one in rows]),
            "evidence": ("jsonb", [_evidence(one) for _, one in rows]),
            "cleared_at": ("timestamptz", [None] * len(rows)),
        },
    )


def _clear(rows: Iterable[tuple[Finding, datetime]]) -> None:
    pairs = list(rows)
    unnest_update(
        Finding._meta.db_table,
        {
            "id": ("bigint", [row.pk for row, _ in pairs]),
            "state": ("text", ["cleared"] * len(pairs)),
            "cleared_at": ("timestamptz", [at for _, at in pairs]),
        },
    )


def _evidence(one: watch.Finding) -> str:
    return json.dumps({"code": one.evidence.code, "params": dict(one.evidence.params)}, ensure_ascii=False)
