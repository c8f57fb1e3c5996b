"""The rows of a sheet hear what the platform says of their carriers' range: each one as soon as its answer is there."""

from __future__ import annotations

from collections.abc import Sequence

from bufa.apps.reissues import ranges
from bufa.apps.reissues.bulk_check import stop_of
from bufa.apps.reissues.models import BulkRow
from bufa.apps.reissues.ranges import Way
from bufa.apps.shops import queries as shops
from bufa.domain.bulk import Judged, RowState, RunState, with_range
from bufa.domain.kinds import Role
from bufa.domain.outcome import Why
from bufa.domain.reach import GOOD_FOR, UNASKED, Coverage, range_check
from bufa.domain.reissues import Answer
from bufa.lib import clock
from bufa.lib.tenancy import reading, writing

MOST = 2_000
_STILL_ASKED = (Coverage.WAITING, Coverage.NOT_ASKED)


def hear(shop_id: int) -> int:
    """Judge the rows anew whose question was answered, or failed for good; returns how many. A run that has begun is
    left alone: the gate judges its rows by itself as they are submitted."""
    with reading([shop_id]):
        if not BulkRow.objects.filter(shop_id=shop_id, asks_range=True).exists():
            return 0
    with writing([shop_id]):
        BulkRow.objects.filter(shop_id=shop_id, asks_range=True).exclude(run__state=RunState.CHECKED).update(
            asks_range=False
        )
        rows = list(
            BulkRow.objects.select_for_update(of=("self",))
            .filter(shop_id=shop_id, asks_range=True)
            .select_related("case", "run")
            .order_by("id")[:MOST]
        )
        now = clock.now()
        known = ranges.known(shop_id, {_way(row) for row in rows}, now)
        roles: dict[int, Role | None] = {}
        heard = []
        for row in rows:
            reach = known.get(_way(row), UNASKED)
            if reach.coverage in _STILL_ASKED and now - row.run.created_at < GOOD_FOR:
                continue
            person = row.run.operator_id
            if person not in roles:
                roles[person] = shops.role_in(person, shop_id)
            there = Judged(RowState(row.state), Answer(row.verdict), tuple(map(_why, row.whys)))
            judged = with_range(there, range_check(reach), stop_of(roles[person]))
            row.state, row.verdict, row.asks_range = judged.state, judged.verdict, False
            row.whys = [{"code": why.code, "params": dict(why.params)} for why in judged.whys]
            heard.append(row)
        BulkRow.objects.bulk_update(heard, ["state", "verdict", "whys", "asks_range"], batch_size=500)
    return len(heard)


def waiting(everyone: Sequence[int]) -> list[int]:
    """Shops with rows that have not heard their answer, for the sweep: their job may have died after asking."""
    with reading(everyone):
        rows = BulkRow.objects.filter(shop_id__in=everyone, asks_range=True)
        return sorted(rows.values_list("shop_id", flat=True).distinct())


def _way(row: BulkRow) -> Way:
    return Way(row.carrier, row.pickup_id or 0, row.case.order_id if row.case else 0, row.to_whom)


def _why(stored: dict[str, object]) -> Why:
    params = stored["params"]
    return Why(str(stored["code"]), params if isinstance(params, dict) else {})
