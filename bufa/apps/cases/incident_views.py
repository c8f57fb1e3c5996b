"""Reading incidents: the list, one with its parcels, what a parcel is in. Each question is one query or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection

from bufa.apps.cases.models import Incident, IncidentParcel, IncidentRun
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident. `parcels` are in it now, `ever` were at some time. It costs `cost_fen` by now and `risk_fen` more
    from `risk_at` on; `unowned` of its parcels have nobody who works on them."""

    shop_id: int
    incident_id: int
    code: str
    cause: str
    carrier: str
    key: str
    family: str
    since: datetime
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    parcels: int
    ever: int
    cost_fen: int
    risk_fen: int
    risk_at: datetime | None
    unowned: int

    @property
    def left(self) -> int:
        return self.ever - self.parcels

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A parcel of an incident, with what is being done about it. `snoozed_until`: its finding was put off."""

    parcel_id: int
    carrier: str
    number: str
    order_number: str
    stage: str
    place: str
    last_scan_at: datetime | None
    dest_province: str
    cost_fen: int
    risk_fen: int
    risk_at: datetime | None
    joined_at: datetime
    left_at: datetime | None
    left_how: str
    case_code: str
    case_state: str
    next_action: str
    owner: str
    snoozed_until: datetime | None

    @property
    def after_fen(self) -> int:
        return self.cost_fen + self.risk_fen


@dataclass(frozen=True, slots=True)
class RunRow:
    """What became of one parcel. `state`: todo, done, refused, undone."""

    parcel_id: int
    case_id: int | None
    case_code: str
    number: str
    state: str
    why: Why | None


@dataclass(frozen=True, slots=True)
class RunView:
    """One deed for all parcels. `effects`: mails that it wrote."""

    run_id: int
    incident_id: int
    deed: str
    params: Mapping[str, Any]
    rows: tuple[RunRow, ...]
    todo: int
    by: str
    at: datetime
    undone_at: datetime | None
    undone_by: str
    effects: tuple[int, ...]

    @property
    def done(self) -> int:
        return sum(row.state == "done" for row in self.rows)

    @property
    def refused(self) -> int:
        return sum(row.state == "refused" for row in self.rows)

    @property
    def sorted_rows(self) -> list[RunRow]:
        """What was not done first: that is what somebody has to look at."""
        return sorted(self.rows, key=lambda row: row.state != "refused")


_ROWS = """
SELECT i.shop_id, i.id, i.code, i.cause, i.carrier, i.key, i.family, i.since, i.opened_at, i.changed_at, i.closed_at,
       i.parcels, i.ever, i.cost_fen, COALESCE(m.risk, 0)::bigint AS risk_fen, m.risk_at,
       COALESCE(m.unowned, 0) AS unowned
FROM cases_incident i
LEFT JOIN LATERAL (
    SELECT SUM(p.risk_fen) AS risk, MIN(p.risk_at) AS risk_at,
           COUNT(*) FILTER (WHERE c.owner_id IS NULL) AS unowned
    FROM cases_incidentparcel m
    JOIN parcels_parcel p ON p.id = m.parcel_id AND p.shop_id = m.shop_id
    LEFT JOIN cases_case c ON c.parcel_id = p.id AND c.shop_id = p.shop_id AND c.state <> 'closed'
    WHERE m.incident_id = i.id AND m.shop_id = i.shop_id AND m.left_at IS NULL
) m ON true
WHERE i.shop_id = ANY (%(shops)s)
"""
_OPEN = _ROWS + " AND i.closed_at IS NULL ORDER BY i.parcels DESC, i.id LIMIT %(limit)s"
OPEN_AS_JSON = "SELECT COALESCE(jsonb_agg(to_jsonb(opened)), '[]') FROM (" + _OPEN + ") opened"  # noqa: S608 - our own text
"""The open incidents as one value, for a page that asks for other things in the same round trip (`from_json`)."""

_PAST = _ROWS + " AND i.closed_at IS NOT NULL ORDER BY i.closed_at DESC, i.id DESC LIMIT %(limit)s OFFSET %(skip)s"
_ONE = _ROWS + " AND i.code = %(code)s"


def open_incidents(shops: Sequence[int], limit: int = 100) -> tuple[IncidentRow, ...]:
    """What is going on, the largest first."""
    return _asked(_OPEN, {"shops": list(shops), "limit": limit})


def from_json(rows: Sequence[Mapping[str, Any]]) -> tuple[IncidentRow, ...]:
    """What `OPEN_AS_JSON` gave."""

    def plain(name: str, value: Any) -> Any:
        return datetime.fromisoformat(value) if value and (name.endswith("_at") or name == "since") else value

    return tuple(IncidentRow(*(plain(name, row[_COLUMNS.get(name, name)]) for name in _FIELDS)) for row in rows)


_FIELDS = tuple(field.name for field in fields(IncidentRow))
_COLUMNS = {"incident_id": "id"}


def past_incidents(shops: Sequence[int], limit: int = 50, skip: int = 0) -> tuple[IncidentRow, ...]:
    """What is over, the newest first."""
    return _asked(_PAST, {"shops": list(shops), "limit": limit, "skip": skip})


def incident(shop_id: int, code: str) -> IncidentRow | None:
    """One incident, or None when the shop has none of that code."""
    return next(iter(_asked(_ONE, {"shops": [shop_id], "code": code})), None)


def _asked(query: str, asked: dict[str, Any]) -> tuple[IncidentRow, ...]:
    with reading(asked["shops"]), connection.cursor() as cursor:
        cursor.execute(query, asked)
        return tuple(IncidentRow(*row) for row in cursor.fetchall())


_MEMBERS = """
SELECT p.id, p.carrier, p.number, o.number, p.stage, p.place, p.last_scan_at, p.dest_province, p.cost_fen, p.risk_fen,
       p.risk_at, m.joined_at, m.left_at, m.left_how, COALESCE(c.code, ''), COALESCE(c.state, ''),
       COALESCE(c.next_action, ''), COALESCE(NULLIF(w.display_name, ''), w.username, ''), (
           SELECT MIN(f.snoozed_until) FROM cases_finding f
           WHERE f.shop_id = m.shop_id AND f.parcel_id = p.id AND f.state = 'snoozed'
       )
FROM cases_incidentparcel m
JOIN parcels_parcel p ON p.id = m.parcel_id AND p.shop_id = m.shop_id
JOIN orders_order o ON o.id = p.order_id AND o.shop_id = p.shop_id
LEFT JOIN cases_case c ON c.parcel_id = p.id AND c.shop_id = p.shop_id AND c.state <> 'closed'
LEFT JOIN shops_operator w ON w.id = c.owner_id
WHERE m.shop_id = %(shop)s AND m.incident_id = %(incident)s
"""
_INSIDE = _MEMBERS + " AND m.left_at IS NULL ORDER BY p.risk_at NULLS LAST, p.id LIMIT %(limit)s OFFSET %(skip)s"
_LEFT = _MEMBERS + " AND m.left_at IS NOT NULL ORDER BY m.left_at DESC, p.id LIMIT %(limit)s"


def members(shop_id: int, incident_id: int, limit: int = 100, skip: int = 0) -> tuple[MemberRow, ...]:
    """The parcels in it, those first whose clock costs money next."""
    return _member_rows(_INSIDE, {"shop": shop_id, "incident": incident_id, "limit": limit, "skip": skip})


def gone(shop_id: int, incident_id: int, limit: int = 50) -> tuple[MemberRow, ...]:
    """The parcels that have left it, the newest first."""
    return _member_rows(_LEFT, {"shop": shop_id, "incident": incident_id, "limit": limit})


def _member_rows(query: str, asked: dict[str, Any]) -> tuple[MemberRow, ...]:
    with reading([asked["shop"]]), connection.cursor() as cursor:
        cursor.execute(query, asked)
        return tuple(MemberRow(*row) for row in cursor.fetchall())


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident as it is named beside one of its parcels."""

    shop_id: int
    code: str
    cause: str
    carrier: str
    key: str
    parcels: int


def of_parcels(shop_id: int, parcel_ids: Sequence[int]) -> tuple[IncidentLine, ...]:
    """The open incidents that these parcels are in; one query."""
    with reading([shop_id]):
        rows = Incident.objects.filter(
            shop_id=shop_id, closed_at=None, members__parcel_id__in=list(parcel_ids), members__left_at=None
        )
        found = rows.distinct().order_by("-parcels")
        return tuple(
            IncidentLine(*row) for row in found.values_list("shop_id", "code", "cause", "carrier", "key", "parcels")
        )


def parcel_ids(shop_id: int, incident_id: int) -> list[int]:
    """All parcels in it, in order."""
    with reading([shop_id]):
        rows = IncidentParcel.objects.filter(shop_id=shop_id, incident_id=incident_id, left_at=None)
        return list(rows.order_by("parcel_id").values_list("parcel_id", flat=True))


def runs(shop_id: int, incident_id: int, limit: int = 10) -> tuple[RunView, ...]:
    """What was done with all of its parcels, the newest first."""
    with reading([shop_id]):
        rows = IncidentRun.objects.filter(shop_id=shop_id, incident_id=incident_id).order_by("-id")
        return tuple(run_view(row) for row in rows[:limit])


def run_view(row: IncidentRun) -> RunView:
    return RunView(
        run_id=row.pk,
        incident_id=row.incident_id,
        deed=row.deed,
        params=row.params,
        rows=tuple(
            RunRow(
                parcel_id=one["parcel"],
                case_id=one.get("case"),
                case_code=one.get("code", ""),
                number=one.get("number", ""),
                state=one["state"],
                why=Why(one["why"]["code"], one["why"]["params"]) if one.get("why") else None,
            )
            for one in row.rows
        ),
        todo=row.todo,
        by=row.by,
        at=row.at,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
        effects=tuple(row.params.get("effects", ())),
    )


def with_todo(shops: Sequence[int], limit: int = 200) -> list[tuple[int, int]]:
    """(shop, run) of runs that have rows left to do."""
    with reading(shops):
        rows = IncidentRun.objects.filter(shop_id__in=shops, todo__gt=0).order_by("id")
        return list(rows.values_list("shop_id", "id")[:limit])
