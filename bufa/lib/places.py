"""Where this installation keeps its own things: the data folder and the secrets in it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def data_dir() -> Path:
    """The data folder: `BUFA_DATA`, by default `data` in the working folder. It need not exist yet."""
    return Path(os.environ.get("BUFA_DATA", "data")).absolute()


def secret_file(name: str, *, size: int = 32) -> bytes:
    """A secret of `size` random bytes, kept in the data folder as hex, readable by its owner only.

    Made at first use. Two processes that make it at once agree on one of them. Raises FileNotFoundError where there
    is no data folder: a secret that nobody keeps would lose what it protects.
    """
    path = data_dir() / name
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no data folder {path.parent} to keep {name} in")
    draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(size) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never replaces what another process has just made.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return _read(path)


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())
