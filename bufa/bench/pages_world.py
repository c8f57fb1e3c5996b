"""Many shops with many parcels and cases, as rows: how they come in and are judged is measured elsewhere.

A few cases are made the production way (orders and tracks taken in, decisions acted on) in a shop of their own; what
their rows hold of facts, verdicts, findings and tracks is then copied by SQL, with numbers of their own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.views import parcel_list
from bufa.apps.shops import actions as shops
from bufa.bench import KEPT, superuser
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.host.trouble import Trouble
from bufa.integrations.ports import (
    LineFact,
    OrderFact,
    PackageFact,
    PickupAddressFact,
    RawScan,
    RecipientFact,
    TrackReport,
)
from bufa.lib import clock, crypto

PASSWORD = "not-a-secret-here"  # noqa: S105
SHOPS, PARCELS, CASES, USERS = 20, 5_000_000, 1_000_000, 20
OPEN_IN = 10
"""One case in so many is open, the others are closed."""

_FIRST = 10_000_000

TABLES = (
    "orders_order", "orders_line", "orders_recipient", "parcels_parcel", "parcels_scan",
    "cases_case", "cases_finding", "cases_timelineentry",
)  # fmt: skip
"""Those with millions of rows."""

Rows = psycopg.Connection[tuple[object, ...]]


@dataclass
class World:
    """`seats`: login → the shops that the person works for."""

    shops: list[int]
    parcels: int
    cases: int
    seats: dict[str, list[int]] = field(default_factory=dict)


def world(scale: float) -> World:
    """The world of a folder that was kept from an earlier run of the same size, else one that is made."""
    kept = Path(os.environ["BUFA_DATA"], KEPT)
    if kept.exists():
        said = json.loads(kept.read_text())
        if said.pop("scale") != scale:
            raise Trouble(f"{kept.parent} holds a world of another size; name another folder.")
        return World(**said)
    made = make_world(scale)
    kept.write_text(json.dumps({"scale": scale, **asdict(made)}))
    return made


def make_world(scale: float) -> World:
    """Shops, people, and at scale 1 five million parcels and a million cases, a tenth of them open."""
    now = clock.now()
    made = [_shop(n) for n in range(SHOPS)]
    world = World(made, max(2_000, round(PARCELS * scale)), max(400, round(CASES * scale)))
    _people(world)
    patterns = _patterns(now)
    with superuser() as rows:
        rows.execute("SET session_replication_role = replica")  # no foreign keys to check: they are made together
        rows.execute("SET synchronous_commit = off")
        _tails(rows, world)
        with without_indexes(rows, TABLES):
            for first in range(0, world.parcels, 250_000):
                count = min(250_000, world.parcels - first)
                _orders(rows, world, first, count, now)
                _parcels(rows, world, patterns, first, count, now)
            _cases(rows, world, now)
            _of_cases(rows, world, now)
        for table in TABLES:
            rows.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608
            rows.execute(f"VACUUM ANALYZE {table}")
        rows.execute("CHECKPOINT")  # what making it left to be written is none of the pages' business
    return world


@contextmanager
def without_indexes(rows: Rows, tables: Sequence[str]) -> Iterator[None]:
    """Fill tables without their indexes and unique constraints (but the primary keys, which others point to), and build
    those at the end: a fraction of the time that a million small insertions into each take."""
    named = [f"public.{table}" for table in tables]
    unique = rows.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'u' AND conrelid = ANY (%s::regclass[])",
        [named],
    ).fetchall()
    for table, name, _ in unique:
        rows.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
    plain = rows.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE NOT indisprimary AND indrelid = ANY (%s::regclass[])",
        [named],
    ).fetchall()
    for name, _ in plain:
        rows.execute(f"DROP INDEX {name}".encode())
    yield
    rows.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in plain:
        rows.execute(str(definition).encode())
    for table, name, definition in unique:
        rows.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}".encode())


def _shop(n: int) -> int:
    shop_id = shops.create_shop(f"第 {n + 1} 店", owner_login=f"owner{n}", owner_password=PASSWORD, is_demo=True)
    shops.connect(shop_id=shop_id, kind="doudian", settings={"app_key": "k", "shop_id": str(n)}, secrets={})
    shops.set_pickup_address(
        shop_id=shop_id,
        by="bench",
        fact=PickupAddressFact("1", "陈", "13800000000", "浙江省", "杭州市", "余杭区", "仓前街道", "未来路 1 号", True),
    )
    return shop_id


def _people(world: World) -> None:
    """Half of them work for one shop, most others for five, one for all."""
    for n in range(USERS):
        mine = world.shops[n % SHOPS : n % SHOPS + 1] if n % 2 else [world.shops[(n + at) % SHOPS] for at in range(5)]
        mine = world.shops if n == 0 else mine
        login = f"desk{n}"
        operator = shops.add_operator(login, PASSWORD, display_name=f"客服 {n}")
        for shop_id in mine:
            shops.add_member(shop_id=shop_id, operator_id=operator, role=Role.LEAD, by="bench")
        world.seats[login] = list(mine)


# --- the patterns ----------------------------------------------------------------------------------------------------
def _patterns(now: datetime) -> Sequence[tuple[int, str]]:
    """(case id, its case's kind): one untouched, one whose measure waits for its number, one closed."""
    shop_id = shops.create_shop("样板", owner_login="pattern", owner_password=PASSWORD, is_demo=True)
    kinds = ("fresh", "numbering", "closed")
    for at, _ in enumerate(kinds):
        left = now - timedelta(hours=150)
        take_in(shop_id=shop_id, orders=[_order(at, left)], now=left)
        take_in(shop_id=shop_id, reports=[_report(at, now)], now=now)
    agent = Actor(1, "bench", Role.OWNER)
    found = {row.number: row.parcel_id for row in parcel_list([shop_id], None, "", 10).rows}
    made = []
    for at, kind in enumerate(kinds):
        case_id = cases.open_case(shop_id=shop_id, parcel_id=found[f"77{at:012d}"], now=now, by=agent)
        steps: tuple[tuple[Action, dict[str, Any]], ...] = {
            "fresh": (),
            "numbering": ((Action.CONFIRM_VERDICT, {"claim": "lost"}), (Action.CHOOSE_MEASURE, {"measure": "reissue"})),
            "closed": ((Action.DISMISS, {"reason": "bench"}),),
        }[kind]
        for action, said in steps:
            cases.act(shop_id=shop_id, case_id=case_id, action=action, by=agent, now=now, **said)
        made.append((case_id, kind))
    return made


def _order(n: int, left: datetime) -> OrderFact:
    who = RecipientFact(
        name_mask="张*", phone_mask="138****0000", address_mask="科技路*", province="广东省", city="深圳市",
        district="南山区", open_address_id=f"a{n}",
    )  # fmt: skip
    return OrderFact(
        number=f"68{n:014d}",
        status=3,
        main_status=3,
        created_at=left - timedelta(hours=20),
        paid_at=left - timedelta(hours=19),
        ship_by=left + timedelta(hours=29),
        promise_hours=48,
        paid_fen=9900,
        updated_at=left,
        finished_at=None,
        lines=(LineFact(f"L{n}", "P1", "S1", "赣南脐橙 5 斤装", "大果", 1, 9900),),
        packages=(PackageFact(f"p{n}", "zhongtong", f"77{n:012d}", left, ((f"L{n}", 1),)),),
        recipient=who,
    )


def _report(n: int, now: datetime) -> TrackReport:
    told = (
        (148, "【杭州市】 快件已由【杭州余杭】揽收", "103"),
        (143, "【杭州市】 快件已到达 【杭州转运中心】", "1002"),
        (140, "【杭州市】 快件离开 【杭州转运中心】 已发往 【武汉转运中心】", "1002"),
        (125, "【武汉市】 快件已到达 【武汉转运中心】", "1002"),
    )
    scans = tuple(RawScan(now - timedelta(hours=ago), text, code) for ago, text, code in told)
    return TrackReport("kuaidi100", "zhongtong", f"77{n:012d}", scans)


# --- rows ------------------------------------------------------------------------------------------------------------


def _tails(rows: Rows, world: World) -> None:
    """What four digits look like in each shop, as `orders` writes it."""
    rows.execute("CREATE TEMP TABLE tails (shop_id bigint, tail int, digest text)")
    pairs = [(shop_id, tail) for shop_id in world.shops for tail in range(10_000)]
    with rows.cursor().copy("COPY tails FROM STDIN") as copy:
        for shop_id, tail in pairs:
            copy.write_row((shop_id, tail, crypto.blind(shop_id, f"{tail:04d}", purpose="phone_tail")))
    rows.execute("CREATE INDEX ON tails (shop_id, tail)")
    rows.execute("ANALYZE tails")


def _orders(rows: Rows, world: World, first: int, count: int, now: datetime) -> None:
    rows.execute(
        "INSERT INTO orders_order (id, shop_id, number, status, main_status, created_at, paid_at, ship_by,"
        " promise_hours, paid_fen, platform_updated_at, is_closed, source, recorded_at, goods_class)"
        " SELECT %(base)s + n, (%(shops)s::bigint[])[1 + n %% %(of)s], '69' || lpad(n::text, 14, '0'), 3, 3, at, at,"
        " at + interval '48 h', 48, 9900, at, false, 'doudian', at, 'ordinary'"
        " FROM (SELECT n, %(now)s::timestamptz - (n %% 2160) * interval '1 hour' AS at"
        " FROM generate_series(%(first)s, %(first)s + %(count)s - 1) AS n) made",
        {"base": _FIRST, "shops": world.shops, "of": SHOPS, "first": first, "count": count, "now": now},
    )


def _parcels(
    rows: Rows, world: World, patterns: Sequence[tuple[int, str]], first: int, count: int, now: datetime
) -> None:
    """One in five is on its way and watched by a clock; one in fifty will cost money within four days."""
    rows.execute(
        "INSERT INTO parcels_parcel (id, shop_id, order_id, role, key, carrier, number, number_raw, package_id,"
        " contents, uploaded_at, origin_province, dest_province, state, stage, place, last_scan_at, next_deadline,"
        " risk_fen, risk_at, risk_rule, cost_fen, warn_rule, is_watched, created_at, learned_at)"
        " SELECT %(base)s + n, (%(shops)s::bigint[])[1 + n %% %(of)s], %(base)s + n, 'original',"
        " carrier || ':78' || lpad(n::text, 12, '0'), carrier, '78' || lpad(n::text, 12, '0'), '', '', '[]', at,"
        " '浙江省', '广东省', CASE WHEN moving THEN p.state ELSE '{}' END,"
        " CASE WHEN moving THEN 'in_transit' ELSE 'delivered' END, '武汉转运中心', %(now)s - interval '125 h',"
        " CASE WHEN moving THEN %(now)s::timestamptz + (n %% 97) * interval '1 hour' END,"
        " CASE WHEN risky THEN 300 ELSE 0 END,"
        " CASE WHEN risky THEN %(now)s::timestamptz + (1 + n %% 5760) * interval '1 minute' END,"
        " CASE WHEN risky THEN 'transit_timeout' ELSE '' END, 0, '', true, at, at"
        " FROM (SELECT n, %(now)s::timestamptz - (n %% 2160) * interval '1 hour' AS at,"
        " (n / %(of)s) %% 5 = 0 AS moving, (n / %(of)s) %% 50 = 0 AS risky,"
        " (ARRAY['zhongtong', 'yuantong', 'yunda', 'shentong'])[1 + n %% 4] AS carrier"
        " FROM generate_series(%(first)s, %(first)s + %(count)s - 1) AS n) made,"
        " (SELECT parcel.state FROM parcels_parcel parcel JOIN cases_case c ON c.parcel_id = parcel.id"
        " WHERE c.id = %(pattern)s) p",
        {"base": _FIRST, "shops": world.shops, "of": SHOPS, "first": first, "count": count, "now": now,
         "pattern": patterns[0][0]},
    )  # fmt: skip


_CASES = """
INSERT INTO cases_case (id, shop_id, code, parcel_id, order_id, state, step, round, measure, verdict, facts, headline,
    why, next_action, waiting_for, due_at, risk_fen, risk_at, owner_id, opened_at, changed_at, closed_at, closed_by,
    outcome, version, todo)
SELECT %(base)s + n, (%(shops)s::bigint[])[1 + n %% %(of)s],
    'C-' || to_char(at, 'YYYYMMDD') || '-' || lpad((n / %(of)s)::text, 6, '0'),
    %(base)s + n, %(base)s + n, p.state, p.step, 1, p.measure, p.verdict, p.facts, p.headline, p.why, p.next_action,
    p.waiting_for,
    CASE WHEN is_open THEN %(now)s::timestamptz + ((n::bigint * 7919) %% 5760 - 1440) * interval '1 minute' END,
    CASE WHEN is_open THEN 300 ELSE 0 END, NULL,
    CASE WHEN is_open AND n %% 3 = 0
        THEN (%(people)s::bigint[])[1 + (n / 3) %% array_length(%(people)s::bigint[], 1)] END,
    at, at, CASE WHEN NOT is_open THEN at + interval '40 h' END, p.closed_by, p.outcome, 1, '[]'
FROM (SELECT n, (n / %(of)s) %% %(open_in)s = 0 AS is_open, (n / %(of)s / %(open_in)s) %% 3 AS kind,
      %(now)s::timestamptz - interval '42 h' - (n %% 2160) * interval '1 hour' AS at
      FROM generate_series(0, %(cases)s - 1) AS n) made
JOIN cases_case p ON p.code LIKE 'C-%%' AND p.parcel_id < %(base)s
    AND p.id = CASE WHEN NOT is_open THEN %(closed)s WHEN kind = 0 THEN %(numbering)s ELSE %(fresh)s END
"""


def _cases(rows: Rows, world: World, now: datetime) -> None:
    kinds = rows.execute(
        "SELECT CASE WHEN state = 'closed' THEN 'closed' WHEN measure = 'reissue' THEN 'numbering'"
        " ELSE 'fresh' END, id FROM cases_case WHERE parcel_id < %s",
        [_FIRST],
    ).fetchall()
    patterns = {str(kind): case_id for kind, case_id in kinds}
    people = [row[0] for row in rows.execute("SELECT id FROM shops_operator WHERE username LIKE 'desk%' ORDER BY id")]
    values = {"base": _FIRST, "shops": world.shops, "of": SHOPS, "now": now, "people": people, "open_in": OPEN_IN}
    rows.execute(_CASES, {**values, **patterns, "cases": world.cases})


def _of_cases(rows: Rows, world: World, now: datetime) -> None:
    """What hangs on cases: recipients, items, findings and what was done; tracks for open ones."""
    values = {"base": _FIRST, "now": now, "cases": world.cases}
    rows.execute(
        "INSERT INTO orders_recipient (shop_id, order_id, name_cipher, name_mask, phone_cipher, phone_mask,"
        " address_cipher, address_mask, province, city, district, town, open_address_id, plain, has_email, blind_index,"
        " phone_index, phone_tail_index)"
        " SELECT o.shop_id, o.id, '', '张*', '', '138****' || lpad((o.id %% 9973)::text, 4, '0'), '', '科技路*',"
        " '广东省', '深圳市', '南山区', '', 'a' || o.id %% 700000, '', false, '', '', t.digest"
        " FROM orders_order o JOIN tails t ON t.shop_id = o.shop_id AND t.tail = o.id %% 9973"
        " WHERE o.id >= %(base)s AND o.id < %(base)s + %(cases)s",
        values,
    )
    rows.execute(
        "INSERT INTO orders_line (shop_id, order_id, line_id, product_id, sku_id, title, spec, quantity, paid_fen)"
        " SELECT o.shop_id, o.id, 'L' || o.id, 'P1', 'S1', '赣南脐橙 5 斤装', '大果', 1, 9900 FROM orders_order o"
        " WHERE o.id >= %(base)s AND o.id < %(base)s + %(cases)s",
        values,
    )
    rows.execute(
        "INSERT INTO cases_finding (shop_id, parcel_id, case_id, rule, certainty, state, since, found_at, evidence,"
        " payout_fen, cleared_at, dismissed_by, dismissed_why, snoozed_by, snoozed_why)"
        " SELECT c.shop_id, c.parcel_id, c.id, f.rule, f.certainty,"
        " CASE WHEN c.state = 'closed' THEN 'cleared' ELSE 'open' END, c.opened_at, c.opened_at, f.evidence, 300,"
        " c.closed_at, '', '', '', '' FROM cases_case c,"
        " (SELECT * FROM cases_finding WHERE parcel_id < %(base)s AND state = 'open' ORDER BY id LIMIT 1) f"
        " WHERE c.parcel_id >= %(base)s",
        values,
    )
    rows.execute(
        "INSERT INTO cases_timelineentry (shop_id, case_id, kind, audience, by, at, data, words)"
        " SELECT c.shop_id, c.id, 'opened', 'staff', 'system', c.opened_at, '{}', '' FROM cases_case c"
        " WHERE c.parcel_id >= %(base)s",
        values,
    )
    rows.execute(
        "INSERT INTO parcels_scan (shop_id, parcel_id, scanned_at, minute, received_at, kind, reason, place, text,"
        " digest, provider, code, fineness, platform_hub)"
        " SELECT c.shop_id, c.parcel_id, s.scanned_at, s.minute, s.received_at, s.kind, s.reason, s.place, s.text,"
        " s.digest, s.provider, s.code, s.fineness, s.platform_hub FROM cases_case c"
        " CROSS JOIN (SELECT * FROM parcels_scan WHERE parcel_id = (SELECT min(parcel_id) FROM parcels_scan)) s"
        " WHERE c.parcel_id >= %(base)s AND c.state <> 'closed'",
        values,
    )
