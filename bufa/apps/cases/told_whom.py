"""What somebody is told: open findings and running warnings of the rules that the shop lets them hear of.

It is worked out when it is read, from findings and parcels as they are; taking facts in writes nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from bufa.apps.cases.models import ToldSeen
from bufa.domain import rulebook, told_whom
from bufa.domain.kinds import Role
from bufa.domain.rulebook import Rule
from bufa.domain.told_whom import Listener
from bufa.lib.tenancy import for_shops, reading

POLICY = "tell"
AT_FIRST = timedelta(days=1)
"""How far back it is news to somebody who never looked."""
OLDEST = timedelta(days=30)
"""What was found before is somebody's case, or nobody's."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """A finding, or with `is_warning` one that comes at `at` if nothing happens. `at` of a finding: when it was found.
    `is_new`: since this person said that they had seen all."""

    is_warning: bool
    shop_id: int
    parcel_id: int
    rule: str
    at: datetime
    carrier: str
    number: str
    order_number: str
    place: str
    fen: int
    case_code: str
    owner: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Told:
    """`rows`: news first, warnings by when they come, findings newest first. `news`: how many are new."""

    rows: tuple[ToldRow, ...]
    news: int


_TOLD = """
WITH mine AS (
    SELECT m.*, GREATEST(COALESCE(t.until, %(first)s), %(after)s) AS seen
    FROM unnest(%(shop)s::bigint[], %(rule)s::text[], %(way)s::text[], %(before)s::interval[])
         AS m (shop_id, rule, way, before)
    LEFT JOIN cases_toldseen t ON t.shop_id = m.shop_id AND t.operator_id = %(me)s
), told AS (
    SELECT false AS is_warning, f.shop_id, f.parcel_id, f.rule, f.found_at AS at, f.payout_fen AS fen, c.code,
           c.owner_id, f.found_at > m.seen AS is_new
    FROM cases_finding f
    JOIN mine m ON m.shop_id = f.shop_id AND m.rule = f.rule
    LEFT JOIN cases_case c ON c.id = f.case_id AND c.shop_id = f.shop_id
    WHERE f.shop_id = ANY (%(shops)s) AND f.state = 'open' AND f.found_at > %(old)s
      AND (m.way = 'always' OR c.owner_id = %(me)s OR (m.way = 'stand_in' AND c.owner_id IS NULL))
    UNION ALL
    SELECT true, p.shop_id, p.id, p.warn_rule, p.warn_at, CASE WHEN p.risk_at = p.warn_at THEN p.risk_fen ELSE 0 END,
           c.code, c.owner_id, p.warn_at - m.before > m.seen
    FROM parcels_parcel p
    JOIN mine m ON m.shop_id = p.shop_id AND m.rule = p.warn_rule
    LEFT JOIN cases_case c ON c.parcel_id = p.id AND c.shop_id = p.shop_id AND c.state <> 'closed'
    WHERE p.shop_id = ANY (%(shops)s) AND p.warn_at > %(now)s AND p.is_watched
      AND (m.way = 'always' OR c.owner_id = %(me)s OR (m.way = 'stand_in' AND c.owner_id IS NULL))
)
"""
_COUNT = "SELECT COUNT(*) FROM told WHERE is_new"
_ROWS = """
SELECT t.is_warning, t.shop_id, t.parcel_id, t.rule, t.at, p.carrier, p.number, o.number, p.place, t.fen,
       COALESCE(t.code, ''), COALESCE(NULLIF(w.display_name, ''), w.username, ''), t.is_new, t.news
FROM (
    SELECT *, COUNT(*) FILTER (WHERE is_new) OVER () AS news FROM told
    ORDER BY is_new DESC, is_warning DESC, CASE WHEN is_warning THEN at END, at DESC, parcel_id
    LIMIT %(limit)s OFFSET %(skip)s
) t
JOIN parcels_parcel p ON p.id = t.parcel_id AND p.shop_id = t.shop_id
JOIN orders_order o ON o.id = p.order_id AND o.shop_id = p.shop_id
LEFT JOIN shops_operator w ON w.id = t.owner_id
ORDER BY t.is_new DESC, t.is_warning DESC, CASE WHEN t.is_warning THEN t.at END, t.at DESC, t.parcel_id
"""


@dataclass(frozen=True, slots=True)
class Chair:
    """A shop that somebody works for, with their role there and the shop's policy."""

    shop_id: int
    role: Role
    policy: Mapping[str, Any]


def told(
    operator_id: int,
    chairs: Sequence[Chair],
    now: datetime,
    limit: int = 50,
    skip: int = 0,
    after: datetime | None = None,
) -> Told:
    """What this person is told in these shops; one query. `after`: nothing from before that is new."""
    with reading([chair.shop_id for chair in chairs]), connection.cursor() as cursor:
        asked = _asked(operator_id, chairs, now) | {"after": after}
        if not asked["rule"]:
            return Told((), 0)
        cursor.execute(_TOLD + _ROWS, asked | {"limit": limit, "skip": skip})
        found = cursor.fetchall()
        return Told(tuple(ToldRow(*row[:-1]) for row in found), int(found[0][-1]) if found else 0)


def news(operator_id: int, chairs: Sequence[Chair], now: datetime) -> int:
    """How many of them are new: the number on the badge."""
    with reading([chair.shop_id for chair in chairs]), connection.cursor() as cursor:
        asked = _asked(operator_id, chairs, now) | {"after": None}
        if not asked["rule"]:
            return 0
        cursor.execute(_TOLD + _COUNT, asked)
        return int(cursor.fetchall()[0][0])


def seen(*, operator_id: int, shop_ids: Sequence[int], now: datetime) -> None:
    """This person has seen all that there is up to now. Theirs alone: it changes nothing for anybody else."""
    with for_shops(shop_ids):
        for shop_id in shop_ids:
            ToldSeen.objects.update_or_create(shop_id=shop_id, operator_id=operator_id, defaults={"until": now})


def _whom(policy: Mapping[str, Any]) -> dict[str, str]:
    stored = policy.get(POLICY)
    if not isinstance(stored, Mapping):
        return {}
    return {str(rule): said for rule, said in stored.items() if isinstance(said, str) and told_whom.is_known(said)}


def _asked(operator_id: int, chairs: Sequence[Chair], now: datetime) -> dict[str, Any]:
    rules = _rules(now)
    asked: dict[str, list[Any]] = {name: [] for name in ("shop", "rule", "way", "before")}
    for chair in chairs:
        warn = chair.policy.get("warn_hours")
        hours = warn if isinstance(warn, Mapping) else {}
        who = Listener(operator_id, chair.role)
        for rule_id, way in told_whom.ways(rules.values(), _whom(chair.policy), who).items():
            own = hours.get(rule_id)
            asked["shop"].append(chair.shop_id)
            asked["rule"].append(rule_id)
            asked["way"].append(way.value)
            asked["before"].append(timedelta(hours=own) if isinstance(own, int) else rules[rule_id].warn_time)
    shop_ids = [chair.shop_id for chair in chairs]
    return {**asked, "shops": shop_ids, "me": operator_id, "now": now, "first": now - AT_FIRST, "old": now - OLDEST}


def _rules(now: datetime) -> dict[str, Rule]:
    book = rulebook.load().at(now)
    return {rule_id: book.rule(rule_id) for rule_id in book.ids}
