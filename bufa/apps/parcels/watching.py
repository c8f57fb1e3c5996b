"""Between parcels and the rules: what judging needs is read here, what it says about a parcel is written here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from bufa.apps.parcels import lane_counts, rows, told
from bufa.apps.parcels.models import Parcel
from bufa.apps.parcels.recording import Moved
from bufa.domain.kinds import Stage
from bufa.domain.parcels import ParcelState
from bufa.domain.rulebook import Fact, OrderClass
from bufa.domain.watch import Judgement, ParcelRole, Watched
from bufa.lib.db import unnest_update
from bufa.lib.tenancy import for_shops

_FINISHED = 5
_OVER = (Stage.DELIVERED, Stage.RETURNED, Stage.CANCELLED)


@dataclass(frozen=True, slots=True)
class ToJudge:
    """A locked parcel: what the rules take, and what its row holds."""

    watched: Watched
    next_deadline: datetime | None
    risk_fen: int
    risk_at: datetime | None


def load(
    shop_id: int, parcel_ids: Iterable[int], now: datetime, *, moved: Sequence[Moved] = (), lock: bool = True
) -> list[ToJudge]:
    """Parcels as the rules take them, locked in one order; inside `for_shops`.

    `moved`: parcels of this batch whose row is read and locked already, and whose new state only `write` will store.
    """
    at_hand = {one.parcel_id: one for one in moved}
    found = rows.by_id(shop_id, [each for each in set(parcel_ids) if each not in at_hand], lock=lock)
    found = sorted([*found, *(one.row for one in moved)])
    around = told.surroundings(shop_id, found)
    allowed = lane_counts.allowances(shop_id, [_lane(row, at_hand.get(row.pk)) for row in found], now)
    return [
        ToJudge(
            _watched(row, around[row.pk], at_hand.get(row.pk), allowed.get(row.pk)),
            row.next_deadline,
            row.risk_fen,
            row.risk_at,
        )
        for row in found
    ]


def _lane(row: rows.Row, moved: Moved | None) -> tuple[int, str, str, str, Stage]:
    stage = moved.stage if moved else Stage(row.stage)
    return row.pk, row.carrier, row.origin_province, row.dest_province, stage


def _watched(row: rows.Row, around: told.Surroundings, moved: Moved | None, allowed_hours: float | None) -> Watched:
    return Watched(
        parcel_id=row.pk,
        stage=moved.stage if moved else Stage(row.stage),
        state=moved.state if moved else ParcelState.from_json(orjson.loads(row.state)),
        has_number=bool(row.number),
        uploaded_at=row.uploaded_at,
        # A reissue has no ship-by date of its own: the order's was the original's.
        ship_by=row.ship_by if row.role == ParcelRole.ORIGINAL else None,
        paid_at=row.paid_at,
        promise_hours=row.promise_hours,
        paid_fen=row.paid_fen or None,
        origin_province=row.origin_province,
        dest_province=row.dest_province,
        carrier=row.carrier,
        dest_city=around.city,
        dest_district=around.district,
        order_class=OrderClass(row.goods_class),
        number_uploads=around.number_uploads,
        notice_at=around.facts.get(Fact.PENALTY_NOTICE),
        facts=around.facts,
        allowed_silence=None if allowed_hours is None else timedelta(hours=math.ceil(allowed_hours)),
        role=ParcelRole(row.role),
        is_closed=row.is_closed or row.order_status == _FINISHED or not row.is_watched,
    )


def write(
    shop_id: int,
    judged: Sequence[tuple[ToJudge, Judgement]],
    wakes: Mapping[int, datetime] | None = None,
    moved: Sequence[Moved] = (),
) -> list[int]:
    """Store next deadline and money at risk of judged parcels, and return those whose money changed.

    `wakes`: parcel → when a finding that was put off comes back; that is a deadline, too. `moved`: parcels whose new
    state is stored with it, each of them judged: every update writes the whole row and its indexes anew, so there is
    one.
    """
    wakes = wakes or {}
    states = {one.parcel_id: one for one in moved}
    with for_shops([shop_id]):
        for told_of in (True, False):
            _write(
                [pair for pair in judged if (pair[0].watched.parcel_id in states) is told_of],
                wakes,
                states if told_of else None,
            )
    return [
        one.watched.parcel_id for one, said in judged if (one.risk_fen, one.risk_at) != (said.risk_fen, said.risk_at)
    ]


def _write(
    judged: Sequence[tuple[ToJudge, Judgement]], wakes: Mapping[int, datetime], moved: Mapping[int, Moved] | None
) -> None:
    unnest_update(
        Parcel._meta.db_table,
        (_states([moved[one.watched.parcel_id] for one, _ in judged]) if moved is not None else {})
        | {
            "id": ("bigint", [one.watched.parcel_id for one, _ in judged]),
            "next_deadline": (
                "timestamptz",
                [_sooner(said.next_deadline, wakes.get(one.watched.parcel_id)) for one, said in judged],
            ),
            "risk_fen": ("bigint", [said.risk_fen for _, said in judged]),
            "risk_at": ("timestamptz", [said.risk_at for _, said in judged]),
            "risk_rule": ("text", [said.risk_rule for _, said in judged]),
            "risk_moved": (
                "jsonb",
                [orjson.dumps(said.risk_moved).decode() if said.risk_moved else None for _, said in judged],
            ),
            "cost_fen": ("bigint", [said.cost_fen for _, said in judged]),
            "warn_rule": ("text", [said.warnings[0].rule_id if said.warnings else "" for _, said in judged]),
            "warn_at": ("timestamptz", [said.warnings[0].at if said.warnings else None for _, said in judged]),
        },
    )


def _states(moved: Sequence[Moved]) -> dict[str, tuple[str, Sequence[Any]]]:
    return {
        "state": ("jsonb", [orjson.dumps(one.state.to_json()).decode() for one in moved]),
        "stage": ("text", [one.stage.value for one in moved]),
        "place": ("text", [one.state.place[:120] for one in moved]),
        "last_scan_at": ("timestamptz", [one.state.newest_at for one in moved]),
    }


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def judge_soon(shop_id: int, now: datetime, parcel_ids: Iterable[int] | None = None) -> int:
    """Make watched parcels due at once (all of the shop's, or those named): the sweep judges them, batch by batch.

    For what changes around many parcels: the shop's policy, its calendar. Returns how many.
    """
    with for_shops([shop_id]):
        rows = Parcel.objects.filter(shop_id=shop_id, is_watched=True)
        rows = rows.exclude(stage__in=_OVER) if parcel_ids is None else rows.filter(id__in=list(parcel_ids))
        return rows.update(next_deadline=now)
