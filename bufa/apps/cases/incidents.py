"""Incidents as rows: open findings are grouped a shop at a time, never a scan at a time, and written where they differ.

The grouping itself is pure (`domain.incidents`). This opens an incident, lets parcels join and leave it, and closes it;
what people do with all of its parcels stands in `negotiations.together`, because it may write to carriers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from bufa.apps.audit import actions as audit
from bufa.apps.cases.models import STANDING, Finding, Incident, IncidentParcel
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import queries as shops
from bufa.domain import rulebook
from bufa.domain.cases import Outcome
from bufa.domain.incidents import Cause, IncidentGroup, Stuck, carry_over, group, thresholds
from bufa.domain.kinds import Kind, Stage
from bufa.domain.rulebook import SHOP_ZONE
from bufa.domain.sites import site_of
from bufa.lib.db import cursor, unnest_insert
from bufa.lib.tenancy import reading, writing

POLICY = "incident_parcels"
"""The shop's own number of parcels that make an incident, in its policy."""

_WORTH_A_LOOK = """
SELECT shop_id FROM cases_finding
WHERE shop_id = ANY (%(shops)s) AND state IN ('open', 'snoozed') AND since >= %(since)s
GROUP BY shop_id HAVING COUNT(*) >= %(least)s
UNION SELECT shop_id FROM cases_incident WHERE shop_id = ANY (%(shops)s) AND closed_at IS NULL
"""
_STUCK = """
SELECT f.parcel_id, f.rule, f.since, p.carrier, COALESCE(s.text, ''), p.origin_province, p.dest_province, f.payout_fen
FROM cases_finding f JOIN parcels_parcel p ON p.id = f.parcel_id AND p.shop_id = f.shop_id
LEFT JOIN LATERAL (
    SELECT text FROM parcels_scan s
    WHERE s.parcel_id = p.id AND s.shop_id = p.shop_id
      AND s.scanned_at <= p.last_scan_at AND NOT s.kind = ANY (%(mute)s)
    ORDER BY s.minute DESC, s.id DESC LIMIT 1
) s ON true
WHERE f.shop_id = %(shop)s AND f.state IN ('open', 'snoozed') AND f.since >= %(since)s AND f.since <= %(now)s
  AND NOT EXISTS (
      SELECT 1 FROM cases_case c
      WHERE c.shop_id = f.shop_id AND c.parcel_id = f.parcel_id AND c.state = 'closed'
        AND (c.outcome = ANY (%(helped)s) OR c.closed_at >= f.since)
  )
"""


HELPED = [Outcome.REISSUE_DELIVERED.value, Outcome.REFUNDED.value, Outcome.COMPENSATED.value]
"""How a case ended whose buyer waits for the parcel no more: it may stay lost. (What a person closed knowing of the
finding is done, too.)"""

_MUTE = [Kind.NOTE.value, Kind.ETA.value, Kind.UNMAPPED.value]
"""Kinds of scan that say nothing of where the parcel is."""


@dataclass(slots=True)
class Regrouped:
    """What changed: incidents opened (or open again), parcels that joined and left, incidents closed."""

    opened: int = 0
    joined: int = 0
    left: int = 0
    closed: int = 0

    def __bool__(self) -> bool:
        return bool(self.opened + self.joined + self.left + self.closed)


@dataclass(slots=True)
class _Plan:
    """`groups`: incident id (None for a new one) → the group as it is now. `gone`: open ones that are none any more."""

    groups: list[tuple[int | None, IncidentGroup]] = field(default_factory=list)
    members: dict[int, set[int]] = field(default_factory=dict)
    known: dict[int, Incident] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)

    @property
    def is_news(self) -> bool:
        return bool(self.gone) or any(_differs(self, known, one) for known, one in self.groups)


def worth_a_look(shop_ids: Sequence[int], now: datetime) -> list[int]:
    """The shops in which an incident may be or is; one query however many shops."""
    with reading(shop_ids), cursor() as cur:
        asked = {"shops": list(shop_ids), "since": now - thresholds().recent, "least": 2}
        return sorted(shop_id for (shop_id,) in cur.execute(_WORTH_A_LOOK, asked).fetchall())


def regroup(*, shop_id: int, now: datetime) -> Regrouped:
    """Group the shop's open findings and write what differs from the incidents so far; nothing where nothing does.

    Two queries read; the shop's turn to write is taken only when there is something to write.
    """
    with reading([shop_id]):
        if not _plan(shop_id, now).is_news:
            return Regrouped()
    result = Regrouped()
    with writing([shop_id]):
        plan = _plan(shop_id, now)  # again: facts may have come in meanwhile
        for incident_id, one in plan.groups:
            if _differs(plan, incident_id, one):
                _write(shop_id, plan, incident_id, one, now, result)
        for incident_id in plan.gone:
            _close(shop_id, plan, incident_id, now, result)
    return result


def _plan(shop_id: int, now: datetime) -> _Plan:
    rows = {row.pk: row for row in Incident.objects.filter(shop_id=shop_id, closed_at=None)}
    members: dict[int, set[int]] = {incident_id: set() for incident_id in rows}
    inside = IncidentParcel.objects.filter(shop_id=shop_id, incident_id__in=list(rows), left_at=None)
    for incident_id, parcel_id in inside.values_list("incident_id", "parcel_id"):
        members[incident_id].add(parcel_id)
    before = [_as_group(row, members[row.pk]) for row in rows.values()]
    found = group(_stuck(shop_id, now), now, least(shop_id), before)
    by_ref = {row.ref: row.pk for row in rows.values()}
    stands_for = carry_over(found, before)
    plan, taken = _Plan(members=members, known=rows), set[int]()
    for one in found:  # the largest first: of two that continue the same incident it is the one
        known = by_ref.get(one.id) or by_ref.get(stands_for.get(one.id, ""))
        known = known if known is not None and known not in taken else None
        taken |= {known} if known is not None else set()
        plan.groups.append((known, one))
    plan.gone = sorted(set(rows) - taken)
    return plan


def least(shop_id: int) -> int:
    """How many parcels make an incident in this shop."""
    own = shops.policy_json(shop_id).get(POLICY)
    return own if isinstance(own, int) and own >= 2 else thresholds().min_parcels


def _stuck(shop_id: int, now: datetime) -> list[Stuck]:
    families = _families()
    with cursor() as cur:
        asked = {"shop": shop_id, "since": now - thresholds().recent, "now": now, "mute": _MUTE, "helped": HELPED}
        return [
            Stuck(parcel_id, rule, families[rule], since, carrier, site_of(text), origin, destination, payout)
            for parcel_id, rule, since, carrier, text, origin, destination, payout in cur.execute(_STUCK, asked)
            if carrier and rule in families
        ]


@cache
def _families() -> Mapping[str, str]:
    return {rule.id: rule.family for rule in rulebook.load().rules if rule.family in thresholds().families}


def rules_of(family: str) -> list[str]:
    """The rules whose findings an incident of that family is made of."""
    return sorted(rule for rule, its in _families().items() if its == family)


def _as_group(row: Incident, members: Iterable[int]) -> IncidentGroup:
    return IncidentGroup(
        id=row.ref,
        cause=Cause(row.cause),
        carrier=row.carrier,
        key=row.key,
        family=row.family,
        first_day=row.first_day,
        last_day=row.last_day,
        parcel_ids=tuple(sorted(members)),
        cost_fen=row.cost_fen,
        since=row.since,
    )


def _differs(plan: _Plan, incident_id: int | None, one: IncidentGroup) -> bool:
    if incident_id is None:
        return True
    row = plan.known[incident_id]
    same = (row.last_day, row.cost_fen) == (one.last_day, one.cost_fen)
    return not same or plan.members[incident_id] != set(one.parcel_ids)


def _write(
    shop_id: int, plan: _Plan, incident_id: int | None, one: IncidentGroup, now: datetime, result: Regrouped
) -> None:
    if incident_id is None:
        row = _open(shop_id, one, now)
        result.opened += 1
    else:
        row = plan.known[incident_id]
    before, inside = plan.members.get(row.pk, set()), set(one.parcel_ids)
    _join(shop_id, row.pk, inside - before, now)
    _leave(shop_id, row, before - inside, now)
    result.joined, result.left = result.joined + len(inside - before), result.left + len(before - inside)
    row.parcels, row.cost_fen, row.last_day, row.changed_at = len(inside), one.cost_fen, one.last_day, now
    row.since = min(row.since, one.since)
    row.ever = IncidentParcel.objects.filter(shop_id=shop_id, incident=row).count()
    row.save()


def _open(shop_id: int, one: IncidentGroup, now: datetime) -> Incident:
    """A new one, or the one with the same cause and first day that had come to its end."""
    row = Incident.objects.filter(shop_id=shop_id, ref=one.id).first()
    if row is not None:
        row.closed_at = None
    else:
        row = Incident(
            shop_id=shop_id,
            code=_next_code(shop_id, now.astimezone(SHOP_ZONE).date()),
            ref=one.id,
            cause=one.cause.value,
            carrier=one.carrier,
            key=one.key[:120],
            family=one.family,
            first_day=one.first_day,
            last_day=one.last_day,
            since=one.since,
            opened_at=now,
            changed_at=now,
        )
    row.save()
    said = {"cause": one.cause.value, "carrier": one.carrier, "key": one.key, "parcels": one.size}
    audit.record(shop_id, "system", "incident.open", f"incident:{row.pk}", said)
    return row


def _next_code(shop_id: int, day: date) -> str:
    prefix = f"I-{day:%Y%m%d}-"
    return f"{prefix}{Incident.objects.filter(shop_id=shop_id, code__startswith=prefix).count() + 1:02d}"


def _join(shop_id: int, incident_id: int, parcel_ids: Iterable[int], now: datetime) -> None:
    """One that was in it before comes back as the same row."""
    ids = sorted(parcel_ids)
    unnest_insert(
        IncidentParcel._meta.db_table,
        {
            "shop_id": ("bigint", [shop_id] * len(ids)),
            "incident_id": ("bigint", [incident_id] * len(ids)),
            "parcel_id": ("bigint", ids),
            "joined_at": ("timestamptz", [now] * len(ids)),
            "left_how": ("text", [""] * len(ids)),
        },
        on_conflict="(incident_id, parcel_id) DO UPDATE SET left_at = NULL, left_how = ''",
    )


def _leave(shop_id: int, row: Incident, parcel_ids: Iterable[int], now: datetime) -> None:
    ids = sorted(parcel_ids)
    if not ids:
        return
    stages = dict(Parcel.objects.filter(shop_id=shop_id, id__in=ids).values_list("id", "stage"))
    said_none = Finding.objects.filter(
        shop_id=shop_id, parcel_id__in=ids, state="dismissed", rule__in=rules_of(row.family)
    ).exclude(parcel_id__in=_standing(shop_id, ids, row.family))
    dismissed = set(said_none.values_list("parcel_id", flat=True))
    hows: dict[str, list[int]] = {}
    for parcel_id in ids:
        how = "dismissed" if parcel_id in dismissed else _HOW.get(stages.get(parcel_id, ""), "moved")
        hows.setdefault(how, []).append(parcel_id)
    inside = IncidentParcel.objects.filter(shop_id=shop_id, incident=row, left_at=None)
    for how, those in hows.items():
        inside.filter(parcel_id__in=those).update(left_at=now, left_how=how)


_HOW = {
    Stage.DELIVERED.value: "arrived",
    Stage.RETURNED.value: "returned",
    Stage.RETURNING.value: "returned",
}


def _standing(shop_id: int, parcel_ids: Sequence[int], family: str) -> list[int]:
    rows = Finding.objects.filter(
        shop_id=shop_id, parcel_id__in=parcel_ids, state__in=STANDING, rule__in=rules_of(family)
    )
    return list(rows.values_list("parcel_id", flat=True))


def _close(shop_id: int, plan: _Plan, incident_id: int, now: datetime, result: Regrouped) -> None:
    row = plan.known[incident_id]
    _leave(shop_id, row, plan.members[incident_id], now)
    result.left += len(plan.members[incident_id])
    result.closed += 1
    row.parcels, row.cost_fen, row.changed_at, row.closed_at = 0, 0, now, now
    row.save()
    audit.record(shop_id, "system", "incident.close", f"incident:{incident_id}", {"ever": row.ever})
