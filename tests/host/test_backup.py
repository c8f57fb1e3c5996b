"""A backup brought back: nothing is lost, nobody reads it without the key, and nothing is sent a second time."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from bufa.apps.effects.models import Effect
from bufa.apps.shops import outbound
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.host import backup
from bufa.host.postgres import Postgres
from bufa.host.trouble import Trouble
from bufa.jobs import effects as jobs
from bufa.jobs import sync
from bufa.jobs.outbound import doubt_restored, resume_outbound
from bufa.lib import clock, crypto
from bufa.lib.tenancy import for_shops
from tests.factories.journey import connected_shop, reissue_ready
from tests.jobs.conftest import World, world

__all__ = ["world"]

RESTORED = "bufa_restored"


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """The address of a database with the roles' rights and no tables; the tests' own comes back afterwards."""
    postgres.provision(RESTORED)
    yield postgres.conninfo(dbname=RESTORED)
    _look_at("bufa")
    with psycopg.connect(postgres.conninfo(), autocommit=True) as owner:
        owner.execute(f"DROP DATABASE {RESTORED} WITH (FORCE)".encode())


def _look_at(name: str) -> None:
    connections.close_all()
    connections["default"].settings_dict["NAME"] = name


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_after_the_backup_is_not_sent_again(
    world: World, postgres: Postgres, empty_database: str, data_folder: Path, tmp_path: Path
) -> None:
    shop = connected_shop(world)
    ready = reissue_ready(world, shop, ticket=True)
    file, key = tmp_path / "nightly.bufa", crypto.fingerprint()
    made = backup.backup(postgres.conninfo(dbname="bufa"), file, data=data_folder, master_key=key)
    assert (made.shops, made.master_key, stat.S_IMODE(file.stat().st_mode)) == (1, key, 0o600)

    with clock.frozen(world.now):
        assert jobs.carry_out(shop) == 1  # what the backup doesn't know of
    submissions = world.control(f"orders/{ready.order}")["submissions"]
    assert [each["number"] for each in submissions] == [ready.number]

    assert backup.restore(empty_database, file, data=data_folder, master_key=key) == made
    _look_at(RESTORED)
    with clock.frozen(world.now):
        with for_shops([shop]):
            assert Effect.objects.get(id=ready.effect_id).state == "ready"
        assert [(one.shop_id, one.effects > 0) for one in doubt_restored(shops.all_shop_ids())] == [(shop, True)]
        assert jobs.carry_out(shop, [ready.effect_id]) == 0
        with pytest.raises(Refused, match="outbound_not_read_back"):
            resume_outbound(shop, "boss")
        jobs.settle_unknown(shop, [ready.effect_id])
        with for_shops([shop]):
            settled = Effect.objects.get(id=ready.effect_id)
        assert (settled.state, settled.settled_by, settled.attempt) == ("accepted", "read_back", 0)
        world.advance(minutes=20)
    with clock.frozen(world.now):
        sync.sync(shop)
        assert resume_outbound(shop, "boss") is True
        assert resume_outbound(shop, "boss") is False
        jobs.carry_out(shop)
    assert world.control(f"orders/{ready.order}")["submissions"] == submissions


@pytest.mark.django_db(transaction=True)
def test_a_bad_backup_leaves_the_database_empty(
    postgres: Postgres, empty_database: str, data_folder: Path, tmp_path: Path
) -> None:
    file, key = tmp_path / "one.bufa", crypto.fingerprint()
    made = backup.backup(postgres.conninfo(dbname="bufa"), file, data=data_folder, master_key=key)
    with pytest.raises(Trouble, match="never written over"):
        backup.backup(postgres.conninfo(dbname="bufa"), file, data=data_folder, master_key=key)
    with pytest.raises(Trouble, match="another master key"):
        backup.restore(empty_database, file, data=data_folder, master_key="0" * 16)
    with pytest.raises(Trouble, match="holds tables already"):
        backup.restore(postgres.conninfo(dbname="bufa"), file, data=data_folder, master_key=key)

    cut, other = tmp_path / "cut.bufa", tmp_path / "other.bufa"
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    cut.write_bytes(raw)
    with pytest.raises(Trouble, match="damaged"):
        backup.restore(empty_database, cut, data=data_folder, master_key=key)
    other.write_bytes(b"PK\x03\x04 no tar")
    with pytest.raises(Trouble, match="no backup of Bufa's"):
        backup.read_manifest(other)
    with pytest.raises(Trouble, match="no file"):
        backup.read_manifest(tmp_path / "nothing")
    with psycopg.connect(empty_database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)
    assert backup.read_manifest(file) == made


@pytest.mark.django_db(transaction=True)
def test_a_role_that_sees_only_some_rows_backs_nothing_up(
    postgres: Postgres, data_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(Trouble, match="BUFA_BACKUP_URL"):
        backup.backup(
            postgres.conninfo(user="bufa_owner", dbname="bufa"),
            tmp_path / "one.bufa",
            data=data_folder,
            master_key=crypto.fingerprint(),
        )
    assert list(tmp_path.glob("*.bufa")) == []
    assert list(tmp_path.glob(".bufa-*")) == []


def test_keys_are_kept_apart_and_never_written_over(tmp_path: Path) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "keys.json"
    here.mkdir()
    there.mkdir()
    with pytest.raises(Trouble, match="no keys"):
        backup.keep_keys(here, file)
    (here / "master.key").write_text("ab" * 32 + "\n")
    assert backup.keep_keys(here, file) == ["master.key"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Trouble, match="never written over"):
        backup.keep_keys(here, file)
    backup.put_keys(there, file)
    backup.put_keys(there, file)
    assert (there / "master.key").read_text() == "ab" * 32 + "\n"
    (there / "master.key").write_text("cd" * 32 + "\n")
    with pytest.raises(Trouble, match=r"another master\.key"):
        backup.put_keys(there, file)
    file.write_text(json.dumps({"../x": "1"}))
    with pytest.raises(Trouble, match="can't be read as keys"):
        backup.put_keys(there, file)


@pytest.mark.django_db
def test_a_person_stops_all_that_leaves_and_lets_it_leave_again(world: World) -> None:
    shop = connected_shop(world)
    ready = reissue_ready(world, shop, ticket=True)
    with clock.frozen(world.now):
        assert outbound.pause(shop_id=shop, by="boss") is True
        assert outbound.pause(shop_id=shop, by="boss") is False
        info = shops.shop(shop)
        assert info.paused is not None
        assert (info.paused.why, info.paused.by) == ("person", "boss")
        assert replace(info.paused, by="") == shops.Paused(world.now, "person", "")
        assert (jobs.carry_out(shop), jobs.carry_out(shop, [ready.effect_id])) == (0, 0)
        assert resume_outbound(shop, "boss") is True
        assert jobs.carry_out(shop) == 1
    with for_shops([shop]):
        assert Effect.objects.get(id=ready.effect_id).state == "accepted"
