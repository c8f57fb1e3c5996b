"""`bufa backup` and `bufa restore`: all rows of an installation in one file, and back into an empty one.

The file is a tar of `manifest.json` and `database.dump` (PostgreSQL's own custom format, made and read by the programs
of its wheel). The keys are not in it: whoever finds a backup reads no buyer's data. What comes back may be behind the
world, so nothing is sent after a restore until the platform was read back (`bufa.jobs.outbound`).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bufa.host.places import MAJOR, find_places
from bufa.host.trouble import Trouble

FORMAT = 1
DUMP, MANIFEST = "database.dump", "manifest.json"
KEYS = ("master.key", "secret.key")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `master_key`: the fingerprint of the key that opens its sealed columns."""

    format: int
    made_at: str
    bufa: str
    postgresql: int
    master_key: str
    migration: str
    shops: int
    dump_bytes: int
    dump_sha256: str


def backup(conninfo: str, file: Path, *, data: Path, master_key: str) -> Manifest:
    """Write a backup of the database to `file`, whole or not at all (mode 600). The database goes on working.

    `conninfo`: as a role that row-level security doesn't hold back. Raises Trouble.
    """
    if file.exists():
        raise Trouble(f"{file} is there already. Take another name: a backup is never written over.")
    if not file.parent.is_dir():
        raise Trouble(f"There is no folder {file.parent} to write the backup to.")
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".bufa-backup-") as draft:
        dump = Path(draft, DUMP)
        _program(data, "pg_dump", "--format=custom", "--compress=gzip:1", f"--file={dump}", f"--dbname={conninfo}")
        manifest = _describe(conninfo, dump, master_key)
        whole = Path(draft, "whole")
        with tarfile.open(whole, "w") as tar:
            text = json.dumps(asdict(manifest), indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size, entry.mode = len(text), 0o600
            tar.addfile(entry, io.BytesIO(text))
            tar.add(dump, DUMP)
        whole.chmod(0o600)
        with whole.open("rb") as written:
            os.fsync(written.fileno())
        whole.rename(file)
    return manifest


def read_manifest(file: Path) -> Manifest:
    """What a backup says of itself. Raises Trouble for anything that is no backup of ours."""
    try:
        with tarfile.open(file, "r:") as tar:
            member = tar.extractfile(MANIFEST)
            said = json.loads(member.read(_PIECE)) if member else {}
    except FileNotFoundError:
        raise Trouble(f"There is no file {file}.") from None
    except (tarfile.TarError, KeyError, ValueError, OSError):
        raise Trouble(f"{file} is no backup of Bufa's.") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT or set(said) != set(Manifest.__slots__):
        raise Trouble(f"{file} was made by another version of Bufa ({_text(said, 'bufa')}). Restore it with that one.")
    return Manifest(**said)


def restore(conninfo: str, file: Path, *, data: Path, master_key: str) -> Manifest:
    """Fill an empty database (roles are there, no tables) from a backup, all or nothing. Raises Trouble."""
    manifest = read_manifest(file)
    if manifest.master_key != master_key:
        raise Trouble(
            f"The backup was sealed with another master key ({manifest.master_key}, here is {master_key}): "
            "buyers' data and credentials could not be opened. Put the master.key of then into the folder, or give "
            "--keys."
        )
    if manifest.postgresql > MAJOR:
        raise Trouble(f"The backup comes from PostgreSQL {manifest.postgresql}; this Bufa carries {MAJOR}.")
    with psycopg.connect(conninfo) as connection:
        if _count(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"):
            raise Trouble(
                "The database holds tables already. A restore needs an empty one: take another --data folder."
            )
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".bufa-restore-") as draft:
        dump = Path(draft, DUMP)
        _take_out(file, dump, manifest)
        _program(data, "pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={conninfo}", str(dump))
    with psycopg.connect(conninfo) as connection:
        shops = _count(connection, "SELECT count(*) FROM shops_roster")
    if shops != manifest.shops:
        raise Trouble(f"The backup says {manifest.shops} shops, {shops} came back. Don't use this database.")
    return manifest


def keep_keys(data: Path, file: Path) -> list[str]:
    """Write the installation's keys into one file (mode 600), to be kept apart from the backups."""
    found = {name: (data / name).read_text().strip() for name in KEYS if (data / name).exists()}
    if not found:
        raise Trouble(
            f"There are no keys in {data}: they come from the environment (BUFA_MASTER_KEY). Keep them there."
        )
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Trouble(f"{file} is there already. Keys are never written over.") from None
    with os.fdopen(descriptor, "w") as out:
        json.dump(found, out, indent=1)
    return sorted(found)


def put_keys(data: Path, file: Path) -> None:
    """Put kept keys into a data folder that has none. Raises Trouble."""
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        raise Trouble(f"{file} can't be read as keys that `bufa backup --keys` wrote.") from None
    if (
        not isinstance(kept, dict)
        or not set(kept) <= set(KEYS)
        or not all(isinstance(one, str) for one in kept.values())
    ):
        raise Trouble(f"{file} can't be read as keys that `bufa backup --keys` wrote.")
    for name, value in kept.items():
        try:
            descriptor = os.open(data / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if (data / name).read_text().strip() == value:
                continue
            raise Trouble(f"The data folder has another {name} already. Restore into a new --data folder.") from None
        with os.fdopen(descriptor, "w") as out:
            out.write(value + "\n")


def _describe(conninfo: str, dump: Path, master_key: str) -> Manifest:
    with psycopg.connect(conninfo) as connection:
        shops = _count(connection, "SELECT count(*) FROM shops_roster")
        newest = connection.execute(
            "SELECT app || '.' || name FROM django_migrations ORDER BY id DESC LIMIT 1"
        ).fetchone()
        version = connection.info.server_version // 10000
    return Manifest(
        format=FORMAT,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        bufa=importlib.metadata.version("bufa"),
        postgresql=version,
        master_key=master_key,
        migration=str(newest[0]) if newest else "",
        shops=shops,
        dump_bytes=dump.stat().st_size,
        dump_sha256=_sha256(dump),
    )


def _take_out(file: Path, dump: Path, manifest: Manifest) -> None:
    """Copy the dump out of the tar and see that it is whole."""
    digest, size = hashlib.sha256(), 0
    with tarfile.open(file, "r:") as tar, dump.open("wb") as out:
        member = tar.extractfile(DUMP)
        if member is None:
            raise Trouble(f"{file} holds no database.")
        while piece := member.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
    if (digest.hexdigest(), size) != (manifest.dump_sha256, manifest.dump_bytes):
        raise Trouble(f"{file} is damaged: its database is not the one that was written.")


def _program(data: Path, name: str, *arguments: str) -> None:
    places = find_places(data)
    done = subprocess.run(
        [places.program(name), *arguments], capture_output=True, text=True, errors="replace", check=False, env=_env()
    )
    if done.returncode == 0:
        return
    said = next((line for line in done.stderr.splitlines() if "error" in line.lower()), done.stderr.strip())
    if "row-level security" in done.stderr:
        raise Trouble(
            "The role in the address of the database is held back by row-level security and would copy nothing. "
            "Give one that may read all (BYPASSRLS or superuser) in BUFA_BACKUP_URL."
        )
    raise Trouble(f"{name} failed: {said[:300]}")


def _env() -> Mapping[str, str]:
    """PG* variables of the caller's shell would reach into it."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _count(connection: psycopg.Connection[tuple[object, ...]], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(str(row[0])) if row else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(said: object, name: str) -> str:
    return str(said.get(name, "?"))[:40] if isinstance(said, dict) else "?"
