"""Whatever is done to an audit log behind the application's back is found: random tampering, and cutting it off."""

from __future__ import annotations

import json
import random
from pathlib import Path

import psycopg
import pytest

from bufa.apps.audit import actions as audit
from bufa.apps.audit import anchors
from bufa.host.postgres import Postgres
from tests.factories import make_shop

ENTRIES = 40
TRIES = 60
COLUMNS = 'shop_id, seq, at, wall_at, "by", action, subject, data, previous_hash, hash'
WAYS = ("edit", "delete", "insert", "swap", "cut")
NEW = {
    "at": "at + interval '1 us'",
    "wall_at": "wall_at - interval '1 s'",
    "data": "data || '{\"n\": -1}'",
    **{name: f"'x' || substr(\"{name}\", 2)" for name in ("by", "action", "subject", "hash")},
}


@pytest.fixture
def log(data_folder: Path) -> int:
    """A shop with an anchored log."""
    shop = make_shop()
    for number in range(ENTRIES - 1):
        audit.record(shop, "operator:1", "note.add", f"case:{number}", {"n": number, "text": "换一个"})
        if number % 10 == 0:
            assert anchors.anchor([shop]) == 1
    assert anchors.anchor([shop]) == 1
    assert anchors.anchor([shop]) == 0
    return shop


def tamper(cursor: psycopg.Cursor[tuple[object, ...]], shop: int, way: str, chance: random.Random) -> None:
    def run(query: str, *values: int) -> None:
        cursor.execute(query.encode(), values)

    seq = chance.randint(1, ENTRIES)
    here = "shop_id = %s AND seq = %s"
    match way:
        case "edit":
            name = chance.choice(list(NEW))
            run(f'UPDATE audit_auditentry SET "{name}" = {NEW[name]} WHERE {here}', shop, seq)
        case "delete":
            run(f"DELETE FROM audit_auditentry WHERE {here}", shop, seq)
        case "insert":
            row = 'shop_id, %s, at, wall_at, "by", action, subject, data, hash, hash'
            added = f"INSERT INTO audit_auditentry ({COLUMNS}) SELECT {row} FROM audit_auditentry WHERE {here}"
            run(added, ENTRIES + 1, shop, ENTRIES)
        case "swap":
            other = seq % ENTRIES + 1
            for old, new in ((seq, -1), (other, seq), (-1, other)):
                run(f"UPDATE audit_auditentry SET seq = %s WHERE {here}", new, shop, old)
        case _:
            run("DELETE FROM audit_auditentry WHERE shop_id = %s AND seq >= %s", shop, seq)


@pytest.mark.django_db(transaction=True)
def test_every_tampering_is_found(log: int, postgres: Postgres) -> None:
    assert anchors.verify(log) == anchors.Checked(ENTRIES, anchored=5)
    chance = random.Random(8)
    with psycopg.connect(postgres.conninfo(dbname="bufa"), autocommit=True) as owner:
        owner.execute(f"CREATE TEMPORARY TABLE kept AS SELECT {COLUMNS} FROM audit_auditentry".encode())
        missed = []
        for number in range(TRIES):
            way = WAYS[number % len(WAYS)]
            with owner.cursor() as cursor:
                tamper(cursor, log, way, chance)
            if anchors.verify(log).ok:
                missed.append((number, way))
            owner.execute(b"DELETE FROM audit_auditentry")
            owner.execute(f"INSERT INTO audit_auditentry ({COLUMNS}) SELECT {COLUMNS} FROM kept".encode())
        assert missed == []
        assert anchors.verify(log).ok


@pytest.mark.django_db
def test_a_log_written_anew_and_a_changed_anchor_are_found(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = anchors.place()
    lines = path.read_text().splitlines()
    said = json.loads(lines[2])
    path.write_text("\n".join([*lines[:2], json.dumps(said | {"hash": "0" * 64}), *lines[3:]]) + "\n")
    found = anchors.verify(log)
    assert (found.ok, found.why, found.broken_at) == (False, "anchor", said["seq"])

    # Whoever knows the code can write a whole chain anew, but not sign its anchors.
    path.write_text("\n".join(lines) + "\n")
    with monkeypatch.context() as patched:
        patched.setattr(anchors, "_read", lambda: [anchors.Anchor(log, 3, "f" * 64, "", "")])
        assert anchors.verify(log).why == "anchor"
    path.write_text("\n".join(lines) + "\nno anchor\n")
    assert anchors.verify(log).why == "anchor"
    path.write_text("\n".join(lines) + "\n" + lines[0][:20])  # cut while it was written
    assert anchors.verify(log).ok
