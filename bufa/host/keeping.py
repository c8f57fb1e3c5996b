"""What the commands `bufa backup` and `bufa restore` do around the copying: keys, servers, migrations, the pause."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bufa.host import backup
from bufa.host.postgres import Postgres, provision_given
from bufa.host.running import HALF_RESTORED, hold, read_facts
from bufa.host.trouble import Trouble
from bufa.lib import crypto


def make_backup(data: Path, file: Path, keys: Path | None) -> Iterator[str]:
    """Back up the installation of a data folder, running or not; says what it does, line by line."""
    os.environ["BUFA_DATA"] = str(data)
    if not data.is_dir():
        raise Trouble(f"There is no data folder {data}.")
    with _reading_all(data) as conninfo:
        made = backup.backup(conninfo, file, data=data, master_key=_fingerprint(data))
    yield f"{file}: {made.shops} shops, {made.dump_bytes / 1e6:.1f} MB, as of {made.made_at}."
    if keys is not None:
        names = backup.keep_keys(data, keys)
        yield f"{keys}: {', '.join(names)}. Keep it apart from the backup: together they open buyers' data."
    else:
        yield f"It holds no keys and is of no use without master key {made.master_key}: keep that, too (--keys)."


def restore_backup(data: Path, file: Path, keys: Path | None) -> Iterator[str]:
    """Restore into a data folder that holds no database yet (or an empty DATABASE_URL); nothing is sent afterwards."""
    os.environ["BUFA_DATA"] = str(data)
    manifest = backup.read_manifest(file)
    yield f"{file}: {manifest.shops} shops as of {manifest.made_at}, made by Bufa {manifest.bufa}."
    url = os.environ.get("DATABASE_URL", "")
    with hold(data):
        if not url and (data / "pg" / "cluster").exists():
            raise Trouble(f"{data} holds a database already. Restore into a new --data folder.")
        if keys is not None:
            backup.put_keys(data, keys)
        fingerprint = _fingerprint(data)
        marker = data / HALF_RESTORED
        marker.write_text(f"{file}\n")
        with _empty_server(data, url) as conninfo:
            try:
                backup.restore(conninfo, file, data=data, master_key=fingerprint)
            except Trouble:
                marker.unlink()  # all or nothing: nothing came in
                raise
            yield "The rows are back. Bringing them to this version …"
            _migrate()
            yield from _doubt()
        marker.unlink()


def _fingerprint(data: Path) -> str:
    if not os.environ.get("BUFA_MASTER_KEY") and not (data / "master.key").exists():
        raise Trouble(f"There is no master key in {data} and none in BUFA_MASTER_KEY. Give the kept ones: --keys FILE.")
    crypto.forget_keys()
    return crypto.fingerprint()


@contextlib.contextmanager
def _reading_all(data: Path) -> Iterator[str]:
    """The address of the database as a role that may read every row."""
    if given := os.environ.get("BUFA_BACKUP_URL") or os.environ.get("DATABASE_URL"):
        yield given
        return
    server = Postgres(data)
    if read_facts(data).get("socket"):
        yield server.conninfo(dbname="bufa")
        return
    with hold(data):
        if not server.places.cluster.is_dir():
            raise Trouble(f"There is no database in {data}: nothing to back up.")
        with server.running():
            yield server.conninfo(dbname="bufa")


@contextlib.contextmanager
def _empty_server(data: Path, url: str) -> Iterator[str]:
    if url:
        provision_given(url)
        yield os.environ.get("BUFA_BACKUP_URL") or url
        return
    with Postgres(data).running() as server:
        server.provision()
        os.environ["BUFA_PG_SOCKET"] = server.socket
        yield server.conninfo(dbname="bufa")


def _migrate() -> None:
    done = subprocess.run([sys.executable, "-m", "bufa.host.prepare"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"The restored rows could not be brought to this version: {done.stdout.strip()[-300:]}")


def _doubt() -> Iterator[str]:
    """Pause every shop and doubt what waits; by the application's role, in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")
    import django  # the socket must be in the environment before the settings are read

    django.setup()
    from bufa.apps.shops import queries
    from bufa.jobs.outbound import doubt_restored

    for one in doubt_restored(queries.all_shop_ids()):
        yield f"Shop {one.shop_id}: nothing leaves it; {one.effects} things that waited are read back first."
    yield "Start it (`bufa up`), let it read the platform back, then let each shop send again: `bufa outbound resume`."
