"""What this process remembers of connections for a moment (`receivers`), and forgetting it when they change."""

from __future__ import annotations

from typing import Any

from django.db import transaction

hooks: dict[tuple[str, str], tuple[float, Any]] = {}
"""(token, kind) -> until when, by the monotonic clock, and the receiver."""


def forget_hooks() -> None:
    """Now, and again once the change that asks for it is committed: in between the old one may have been read."""
    hooks.clear()
    transaction.on_commit(hooks.clear)
